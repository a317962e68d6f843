from __future__ import annotations

import pytest
import samples

from autox_video.plan.resume import continue_plan, stays_stopped


@pytest.mark.parametrize(
    ("waited", "now", "stays"),
    [
        (None, {"patience": 3}, False),
        (3, {"patience": 3}, True),
        (3, {"patience": 2}, True),
        (3, {"patience": 4}, False),
        (3, {"patience": "none"}, False),
        (3, {}, False),
        (3, {"patience": 3, "epoch": 31}, False),
        (3, {"patience": 3, "epoch": 30}, True),
        (3, {"patience": 3, "epoch": 20}, True),
    ],
)
def test_a_training_that_stopped_early_goes_on_with_more_patience_or_epochs(waited, now, stays):
    first = samples.plan(epoch=30, train={"patience": 3})[0]
    asked = {"train": {"patience": now["patience"]}} if "patience" in now else {}
    plan = continue_plan(first, samples.plan(epoch=now.get("epoch", 30), **asked)[0])
    assert stays_stopped(waited, first, plan) is stays
