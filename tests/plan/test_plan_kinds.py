"""Networks that take single frames, or frames from all over a video, or one clip alone: what is planned and rendered."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
import samples

from autox_video.errors import RequestError
from autox_video.plan.make_plan import make_plan
from autox_video.plan.rules.costs import ClipShape
from autox_video.plan.schema import Decision, Plan
from autox_video.presets import Preset, load_preset
from autox_video.render.config import render_config

SPREAD = "one frame from each of 8 equal parts of the video, however long it is"
NONE = {"load_from": "none"}


def planned(preset: Preset, **values: Any) -> Plan:
    return make_plan(samples.settings(**{"model": NONE, **values}), samples.fingerprint(), preset, samples.CPU)


def fixed(name: str = "slowonly_r50") -> Preset:
    """A network that takes nothing but the clip of its card."""
    preset = load_preset(name)
    return dataclasses.replace(
        preset, card=dataclasses.replace(preset.card, fixed_clip_len=True, fixed_input_size=True)
    )


def test_frames_from_all_over_a_video_have_no_distance():
    plan = planned(load_preset("tsm_mobilenetv2"))
    assert (plan.sampling.value, plan.input_format.value) == ("segments", "NCHW")
    assert plan.clip_len == Decision(8, "preset", "the clip of the preset")
    assert plan.frame_interval == Decision(1, "preset", SPREAD)
    assert plan.test_num_clips.why == "the recipe of the preset; each clip is spread over the whole video"


def test_video_length_decides_how_many_frames_are_spread_over_a_video():
    plan = planned(load_preset("tsm_mobilenetv2"), video_length=1.0)
    assert plan.clip_len.value == 4
    assert plan.frame_interval.why.endswith("however long it is; video_length limits only their number")


def test_a_network_for_one_clip_alone_gets_it_whatever_the_data():
    short = samples.fingerprint(seconds=0.1, size=(64, 48))
    plan = make_plan(samples.settings(model=NONE, video_length=1.0), short, fixed(), samples.CPU)
    assert plan.clip_len == Decision(8, "preset", "the network is made for this number of frames alone")
    assert plan.input_size == Decision(224, "preset", "the network is made for this size alone")


@pytest.mark.parametrize(
    ("preset", "clip", "errors"),
    [
        (
            load_preset("slowfast_r50"),
            {"clip_len": 30},
            ["fit(): clip.clip_len: must be a multiple of 4 for slowfast_r50 (got 30). Choose 28."],
        ),
        (
            load_preset("tsm_r50"),
            {"clip_len": 8, "frame_interval": 4},
            [
                "fit(): clip.frame_interval: tsm_r50 takes one frame from each of 8 equal parts of a video, at no fixed "
                "distance (got 4). Remove the key."
            ],
        ),
        (
            fixed(),
            {"clip_len": 4, "input_size": 112},
            [
                "fit(): clip.clip_len: slowonly_r50 is made for 8 frames alone (got 4). Remove the key, or choose another "
                "model.",
                "fit(): clip.input_size: slowonly_r50 is made for 224 x 224 pixels alone (got 112). Remove the key, or "
                "choose another model.",
            ],
        ),
    ],
    ids=["multiple", "distance", "fixed"],
)
def test_what_a_network_cannot_take_is_refused_all_at_once(preset, clip, errors):
    with pytest.raises(RequestError) as caught:
        planned(preset, clip=clip)
    assert [str(problem) for problem in caught.value.problems] == errors


def test_what_a_network_takes_may_be_asked_for():
    clip = {"clip_len": 8, "frame_interval": 1, "input_size": 224}
    assert planned(load_preset("tsm_mobilenetv2"), clip=clip).frame_interval.why == "as asked"
    assert planned(fixed(), clip=clip).clip_len.why == "as asked"


def test_decoding_frames_from_all_over_a_video_costs_the_whole_video():
    facts = samples.split_facts(seconds=10.0, fps=24.0)
    assert ClipShape.planned("segments", 8, 1, 224, facts) == ClipShape(8, 30, 224)
    assert ClipShape.planned("uniform", 480, 1, 224, facts) == ClipShape(480, 1, 224)
    assert ClipShape.planned("dense", 8, 2, 224, facts) == ClipShape(8, 2, 224)


TSN = {"type": "SampleFrames", "clip_len": 1, "frame_interval": 1, "num_clips": 8, "out_of_bound_opt": "repeat_last"}
DENSE = {"type": "SampleFrames", "clip_len": 8, "frame_interval": 1, "out_of_bound_opt": "repeat_last"}
UNIFORM = {"type": "UniformSample", "clip_len": 8}


@pytest.mark.parametrize("stock", [False, True])
@pytest.mark.parametrize(
    ("sampling", "input_format", "num_clips", "once", "tested"),
    [
        ("dense", "NCTHW", 4, {**DENSE, "num_clips": 1}, {**DENSE, "num_clips": 4}),
        ("dense", "NCHW", 4, {**DENSE, "num_clips": 1}, {**DENSE, "num_clips": 4}),
        ("segments", "NCHW", 1, TSN, TSN),
        ("segments", "NCHW", 2, TSN, {**TSN, "twice_sample": True}),
        ("segments", "NCHW", 3, TSN, {**UNIFORM, "num_clips": 3}),
        ("segments", "NCTHW", 2, {**UNIFORM, "num_clips": 1}, {**UNIFORM, "num_clips": 2}),
        ("uniform", "NCTHW", 3, {**UNIFORM, "num_clips": 1}, {**UNIFORM, "num_clips": 3}),
    ],
)
def test_frames_are_drawn_as_the_network_was_trained(sampling, input_format, num_clips, once, tested, stock):
    preset = load_preset("tsm_mobilenetv2")
    changed = {"sampling": sampling, "input_format": input_format, "test_num_clips": num_clips}
    decisions = {name: Decision(value, "test", "of this test") for name, value in changed.items()}
    plan = dataclasses.replace(planned(preset), **decisions)
    config = render_config(plan, preset, samples.RUN, stock=stock)
    for split, expected, test_mode in (("train", once, False), ("val", once, True), ("test", tested, True)):
        pipeline = config[f"{split}_dataloader"].dataset.pipeline
        assert pipeline[1].to_dict() == {**expected, "test_mode": test_mode}
        assert pipeline[-2].type == ("FormatShape" if stock else "FormatClips")
        assert pipeline[-2].input_format == input_format


@pytest.mark.parametrize("stock", [False, True])
@pytest.mark.parametrize("name", ["tsm_r50", "tsm_mobilenetv2"])
def test_a_network_that_shifts_between_frames_is_told_their_number(name, stock):
    preset = load_preset(name)
    model = render_config(planned(preset, clip={"clip_len": 4}), preset, samples.RUN, stock=stock).model
    assert model.backbone.num_segments == model.cls_head.num_segments == 4
    assert preset.model["backbone"]["num_segments"] == preset.card.clip_len
