from __future__ import annotations

import pytest
import samples

from autox_video.demo_data import MOTIONS
from autox_video.plan.rules.direction import choose_flip, choose_flip_pairs, mirror_pairs
from autox_video.render.pipelines import train_pipeline


@pytest.mark.parametrize(
    ("name", "flip"),
    [
        ("running", 0.5),
        ("bright light", 0.5),
        ("copyright", 0.5),
        ("move_left", 0.0),
        ("Turn Right", 0.0),
        ("turnClockwise", 0.0),
        ("turnclockwise", 0.0),
        ("turn_counter_clockwise", 0.0),
        ("spin CCW", 0.0),
        ("look east", 0.0),
        ("向左转", 0.0),
        ("拿东西", 0.5),
        ("向东走", 0.0),
        ("least weastern", 0.5),
    ],
)
def test_no_mirroring_where_a_class_names_a_direction_and_none_its_mirror_image(name, flip):
    decided = choose_flip(samples.settings(), ("other", name))
    assert decided.value == flip
    assert (repr(name) in decided.why) == (flip == 0)


@pytest.mark.parametrize(
    ("classes", "pairs"),
    [
        (("move_left", "run", "move_right"), ((0, 2),)),
        (("Turn Left", "turn-right"), ((0, 1),)),
        (("moveRight", "moveLeft"), ((0, 1),)),
        (("turn_clockwise", "turn_counter_clockwise"), ((0, 1),)),
        (("turn anticlockwise", "turn_clockwise"), ((0, 1),)),
        (("turnclockwise", "turncounterclockwise"), ((0, 1),)),
        (("cw", "ccw"), ((0, 1),)),
        (("spin CW", "spin counter-clockwise"), ((0, 1),)),
        (("look east", "look west", "look north"), ((0, 1),)),
        (("eastwards", "westward"), ((0, 1),)),
        (("push from left to right", "push from right to left"), ((0, 1),)),
        (("left hand clockwise", "right hand counterclockwise"), ((0, 1),)),
        (("turnleft", "turnright"), ((0, 1),)),
        (("向左转", "向右转", "顺时针", "逆时针"), ((0, 1), (2, 3))),
        (("順時針", "逆时针"), ((0, 1),)),
        (("left1", "right2"), ()),
        (("left", "right", "Right"), ()),  # which of the two is meant is not known
        (("up", "down"), ()),
        (("bright", "run"), ()),
        (("左右摇头", "点头"), ()),
        (("left hand clockwise", "right hand clockwise"), ()),
    ],
)
def test_names_that_are_mirror_images_form_a_pair(classes, pairs):
    assert mirror_pairs(classes) == pairs


def test_pairs_are_exchanged_and_nothing_else():
    classes = tuple(MOTIONS)
    decided = choose_flip(samples.settings(), classes)
    assert (decided.value, decided.source) == (0.5, "data")
    assert decided.why == "each class with a direction has a counterpart, which mirrored clips are given"
    pairs = choose_flip_pairs(decided.value, classes)
    assert [(classes[one], classes[other]) for one, other in pairs.value] == [
        ("move_left", "move_right"),
        ("turn_clockwise", "turn_counter_clockwise"),
    ]
    assert pairs.why == (
        "a mirrored clip goes from one to the other: move_left and move_right, turn_clockwise and turn_counter_clockwise"
    )


def test_of_several_labels_none_can_be_exchanged():
    decided = choose_flip(samples.settings(), ("left", "right"), one_label=False)
    assert decided.value == 0
    assert decided.why == "a mirror image exchanges 'left' and 'right', and of several labels none can be exchanged"
    assert choose_flip_pairs(0.5, ("left", "right"), one_label=False).value == ()
    assert choose_flip(samples.settings(), ("jump", "run"), one_label=False).value == 0.5


@pytest.mark.parametrize(
    ("classes", "why"),
    [
        (("0", "1"), "classes are numbers, so nothing is known of left and right: augment.flip: 0 switches it off"),
        (("jump", "run"), "no class name speaks of left, right or a turn"),
        (
            ("left", "right", "look east"),
            "a mirror image changes the meaning of class 'look east', and no class is its mirror image",
        ),
    ],
)
def test_the_plan_says_why(classes, why):
    assert choose_flip(samples.settings(), classes).why == why


@pytest.mark.parametrize(
    ("flip", "classes", "step"),
    [
        ("auto", ("left", "right"), {"flip_ratio": 0.5, "flip_label_map": {0: 1, 1: 0}}),
        (0.3, ("left", "right"), {"flip_ratio": 0.3, "flip_label_map": {0: 1, 1: 0}}),
        (0.3, ("left", "run"), {"flip_ratio": 0.3}),  # as asked
        ("auto", ("jump", "run"), {"flip_ratio": 0.5}),
        (0, ("left", "right"), None),
        ("auto", ("left", "run"), None),
    ],
)
def test_the_rendered_flip_knows_the_pairs(flip, classes, step):
    plan, _ = samples.plan(data=samples.fingerprint(counts=dict.fromkeys(classes, 10)), augment={"flip": flip})
    found = [transform for transform in train_pipeline(plan, stock=False) if transform["type"] == "Flip"]
    assert found == ([] if step is None else [{"type": "Flip", **step, "lazy": True}])
    assert (
        plan.flip_pairs.why
        == {
            True: "a mirrored clip goes from one to the other: left and right",
            False: "no clip is mirrored" if step is None else "a mirrored clip keeps its class",
        }[bool(step and "flip_label_map" in step)]
    )
