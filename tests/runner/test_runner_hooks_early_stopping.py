from __future__ import annotations

import types

import pytest

from autox_video.runner.hooks.early_stopping import PatienceHook, validations_waited

NAN = float("nan")


def validate(hook: PatienceHook, scores: list[float]) -> int | None:
    """Hand scores to a hook; returns how many it took until it stopped."""
    for count, score in enumerate(scores, start=1):
        loop = types.SimpleNamespace(stop_training=False)
        hook.after_val_epoch(types.SimpleNamespace(train_loop=loop, epoch=count, max_epochs=6), {"top1": score})
        if loop.stop_training:
            return count
    return None


@pytest.mark.parametrize(
    ("scores", "stops_at"),
    [
        ([0.1, 0.2, 0.3, 0.4], None),
        ([0.5, 0.5, 0.5], 3),
        ([0.5, 0.4, 0.6, 0.5, 0.5], 5),
        ([0.5, 0.4, 0.5], 3),
        # Half a video of ten: less than that is none, but it adds up.
        ([0.5, 0.52, 0.54], 3),
        ([0.5, 0.53, 0.56, 0.59, 0.62], None),
        ([NAN, NAN], 2),
        ([0.5, NAN, NAN], 3),
        ([NAN, 0.1, NAN, 0.2], None),
        ([0.0, 0.0, 0.0], 3),
        # The last of six epochs ends the training anyway.
        ([0.1, 0.2, 0.3, 0.4, 0.4, 0.4], None),
    ],
)
def test_training_stops_after_two_validations_in_a_row_without_improvement(scores, stops_at):
    assert validate(PatienceHook("top1", patience=2, min_delta=0.05), scores) == stops_at


def test_a_resumed_training_goes_on_counting():
    first, second = (PatienceHook("top1", patience=3, min_delta=0.05) for _ in range(2))
    assert validate(first, [0.5, 0.5]) is None
    second.load_state_dict(first.state_dict())
    assert validate(second, [0.5, 0.5]) == 2


def test_a_training_that_stopped_and_goes_on_after_all_has_its_patience_anew():
    first, second = (PatienceHook("top1", patience=2, min_delta=0.05) for _ in range(2))
    assert validate(first, [0.5, 0.5, 0.5]) == 3
    assert validations_waited({"PatienceHook": first.state_dict()}) == 2
    second.load_state_dict(first.state_dict())
    assert validations_waited({"PatienceHook": second.state_dict()}) is None
    assert validate(second, [0.5, 0.5]) == 2


def test_a_training_without_the_hook_did_not_stop_early():
    assert validations_waited({}) is None
