"""How a pretrained network is adapted: what is decided, why, and what is refused."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
import samples

from autox_video.errors import RequestError
from autox_video.plan.resume import continue_plan
from autox_video.plan.rules import schedule, transfer
from autox_video.presets import load_preset

NANO = load_preset("video_swin_nano").card
SGD = dataclasses.replace(NANO, optimizer="sgd", base_learning_rate=0.1, weight_decay=1e-4, base_total_batch_size=64)
WEIGHTS = {"name": "video_swin_nano", "load_from": "/weights.pth"}


def train(**values: Any) -> Any:
    return samples.settings(train=values)


@pytest.mark.parametrize(
    ("card", "asked", "optimizer", "rate", "decay"),
    [
        (NANO, {}, "adamw", 2e-3, 0.02),
        (SGD, {}, "sgd", 0.025, 1e-4),
        # Another optimizer than the recipe's: its rate would not fit.
        (NANO, {"optimizer": "sgd"}, "sgd", 0.0025, 1e-4),
        (SGD, {"optimizer": "adamw"}, "adamw", 0.00025, 0.02),
        (SGD, {"optimizer": "adamw", "learning_rate": 0.3, "weight_decay": 0}, "adamw", 0.3, 0.0),
    ],
)
def test_rate_and_decay_suit_the_optimizer(card, asked, optimizer, rate, decay):
    settings = train(**asked)
    found = transfer.choose_optimizer(settings, card).value
    assert found == optimizer
    assert transfer.choose_learning_rate(settings, card, found, 16).value == pytest.approx(rate)
    assert transfer.choose_weight_decay(settings, card, found).value == decay


BEIT = dataclasses.replace(NANO, layer_decay=0.75)
SLOW = dataclasses.replace(NANO, backbone_lr_mult=0.1)


@pytest.mark.parametrize(
    ("card", "pretrained", "asked", "mult", "decay"),
    [
        (SLOW, True, {}, 0.1, None),
        (SLOW, False, {}, 1.0, None),
        (BEIT, True, {}, 1.0, 0.75),
        (BEIT, False, {}, 1.0, None),
        (BEIT, True, {"layer_decay": "none"}, 1.0, None),
        (BEIT, True, {"backbone_lr_mult": 0.3}, 0.3, None),
        (SLOW, True, {"layer_decay": 0.5}, 1.0, 0.5),
    ],
)
def test_a_pretrained_backbone_learns_as_slowly_as_its_recipe_says(card, pretrained, asked, mult, decay):
    found = transfer.choose_rates(train(**asked), card, pretrained=pretrained)
    assert (found["backbone_lr_mult"].value, found["layer_decay"].value) == (mult, decay)


@pytest.mark.parametrize(
    ("batch_norm", "videos", "pretrained", "kept", "why"),
    [
        (False, 1, True, False, "the network has no batch norm"),
        (True, 8, True, False, "8 videos at a time suffice for statistics of their own"),
        (
            *(True, 4, True, True),
            "4 videos at a time, fewer than 8, give poor statistics; those of the pretrained network are kept",
        ),
        (
            *(True, 4, False, False),
            "4 videos at a time, fewer than 8, give poor statistics, but nothing is pretrained: there are no others",
        ),
    ],
)
def test_small_batches_keep_the_statistics_of_a_pretrained_network(batch_norm, videos, pretrained, kept, why):
    card = dataclasses.replace(NANO, batch_norm=batch_norm)
    found = transfer.choose_norm_eval(train(), card, videos, pretrained=pretrained)
    assert (found.value, found.why) == (kept, why)


def test_label_smoothing_is_of_the_card_and_for_one_label_only():
    card = dataclasses.replace(NANO, label_smoothing=0.1)
    assert transfer.choose_label_smoothing(train(), card, "single_label").value == 0.1
    assert transfer.choose_label_smoothing(train(label_smoothing=0.2), card, "single_label").value == 0.2
    assert transfer.choose_label_smoothing(train(), card, "multi_label").value == 0


def test_a_head_alone_is_learned_in_a_third_of_the_steps():
    card = dataclasses.replace(NANO, epochs=20, min_steps=400)
    few = schedule.choose_epochs(train(freeze="head_only"), card, 150, 16)
    assert (few.value, few.why) == (
        14,
        "10 steps an epoch; 134 in all are wanted: a head alone is learned in a third of the recipe",
    )
    assert schedule.choose_epochs(train(freeze="head_only"), card, 16_000, 16).value == 7
    assert schedule.choose_epochs(train(freeze="stages:1"), card, 150, 16).value == 40


FROM_SCRATCH = "fit(): train.{}: would keep {}: model.load_from is none (got {}). {}."
REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "freeze": (
        {"freeze": "stages:2"},
        FROM_SCRATCH.format(
            "freeze",
            "weights that nothing has trained",
            "stages:2",
            "Choose weights to start from, or remove train.freeze",
        ),
    ),
    "norm_eval": (
        {"norm_eval": True},
        FROM_SCRATCH.format(
            "norm_eval", "statistics that nothing has measured", "true", "Remove it, or choose weights"
        ),
    ),
    "both rates": (
        {"layer_decay": 0.8, "backbone_lr_mult": 0.1},
        "fit(): train.layer_decay: takes the place of train.backbone_lr_mult, which is given too (got 0.8). "
        "Remove one of the two.",
    ),
    "milestones after the end": (
        {"schedule": "step", "milestones": [10, 40]},
        "fit(): train.milestones: must lie within the 40 epochs of the run (got 10, 40). "
        "Choose epochs below 40, or raise `epoch`.",
    ),
    "milestones of a cosine": (
        {"milestones": [10]},
        "fit(): train.milestones: counts for train.schedule: step only, and it is cosine (got 10). "
        "Change one of the two.",
    ),
    "restarts of steps": (
        {"schedule": "step", "restart_epochs": [2.5]},
        "fit(): train.restart_epochs: counts for train.schedule: restarts only, and it is step (got 2.5). "
        "Change one of the two.",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_is_refused(name):
    asked, text = REFUSED[name]
    with pytest.raises(RequestError) as caught:
        samples.plan(epoch=40, train=asked)
    assert str(caught.value) == text


def test_several_labels_are_not_smoothed():
    with pytest.raises(RequestError) as caught:
        transfer.choose_label_smoothing(train(label_smoothing=0.1), NANO, "multi_label")
    assert str(caught.value) == (
        "fit(): train.label_smoothing: spreads one label over all classes, and here each label is a yes or no of its "
        "own (got 0.1). Remove it."
    )


@pytest.mark.parametrize(
    ("asked", "field", "before", "after"),
    [
        ({"schedule": "step"}, "milestones", (8.0, 16.0), (16.0, 32.0)),
        ({"schedule": "step", "milestones": [5]}, "milestones", (5.0,), (5.0,)),
        ({"schedule": "restarts"}, "restart_epochs", (20 / 7, 60 / 7), (40 / 7, 120 / 7)),
        ({"schedule": "one_cycle"}, "warmup_epochs", 6.0, 12.0),
        ({}, "warmup_epochs", 2.0, 2.0),
    ],
)
def test_a_longer_run_has_a_longer_schedule(asked, field, before, after):
    first, _ = samples.plan(epoch=20, train=asked)
    now, _ = samples.plan(epoch=40, train=asked)
    assert getattr(first, field).value == pytest.approx(before)
    assert getattr(continue_plan(first, now), field).value == pytest.approx(after)
    # What was not asked for stays where the length does.
    again = dataclasses.replace(now, epochs=dataclasses.replace(now.epochs, source="preset"))
    assert getattr(continue_plan(first, again), field).value == pytest.approx(before)


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("optimizer", "sgd", "fit(): optimizer: was adamw when this run began and is now sgd"),
        ("freeze", "head_only", "fit(): freeze: was none when this run began and is now head_only"),
        ("ema", 0.9, "fit(): ema: was None when this run began and is now 0.9"),
        ("schedule", "constant", "fit(): schedule: was cosine when this run began and is now constant"),
    ],
)
def test_a_run_that_goes_on_keeps_its_recipe(name, value, text):
    first, _ = samples.plan(model=WEIGHTS)
    now, _ = samples.plan(model=WEIGHTS, train={name: value})
    with pytest.raises(RequestError) as caught:
        continue_plan(first, now)
    assert text in str(caught.value)
