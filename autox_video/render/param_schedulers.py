"""The planned learning rate in MMEngine's schedulers. `plan/curve.py` says what comes of them."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any

from autox_video.plan.curve import (
    ONE_CYCLE_END,
    ONE_CYCLE_MOMENTUM,
    ONE_CYCLE_START,
    STEP_FACTOR,
    WARMUP_START,
    Course,
    course_of,
)
from autox_video.plan.schema import Plan

# Validations without a better figure after which `plateau` lowers the learning rate.
PLATEAU_PATIENCE = 5

Schedulers = list[dict[str, Any]]


def param_scheduler(plan: Plan, monitor: str, min_delta: float) -> Schedulers:
    """Warm-up and schedule, in steps of the loader or, where that was asked for, in epochs.

    Args:
        plan: Every value of the run.
        monitor: The validation figure that `plateau` watches, as the evaluator calls it.
        min_delta: The least rise of it that counts.
    """
    course, schedule = course_of(plan), plan.schedule.value
    if schedule == "one_cycle":
        return _one_cycle(course)
    # What is scheduled after the rise, in units.
    span = {"begin": course.begin, "end": course.units, "by_epoch": course.unit > 1}
    after: dict[str, Any]
    if schedule == "step":
        after = {"type": "MultiStepLR", "milestones": list(course.leaps), "gamma": STEP_FACTOR, **span, "begin": 0}
    elif schedule == "plateau":
        after = {
            "type": "ReduceOnPlateauLR",
            "monitor": monitor,
            "rule": "greater",
            "factor": STEP_FACTOR,
            # MMEngine counts those that it still bears.
            "patience": PLATEAU_PATIENCE - 1,
            "threshold": min_delta,
            "threshold_rule": "abs",
            "begin": math.ceil(course.warmup / course.epoch),
            # Left out it would be that of the run, and a longer run would have to begin its count anew.
            "end": 10**9,
        }
    elif schedule == "restarts":
        periods = [end - start for start, end in pairwise([course.begin, *course.leaps, course.units])]
        again = {"periods": periods, "restart_weights": [1] * len(periods)}
        after = {"type": "CosineRestartLR", **again, "eta_min": 0.0, **span}
    elif schedule == "constant":
        after = {"type": "ConstantLR", "factor": 1.0, **span}
    else:
        after = {"type": "CosineAnnealingLR", "eta_min": 0.0, **span}
    rise = {"type": "LinearLR", "start_factor": WARMUP_START, "begin": 0, "end": course.warmup, "by_epoch": False}
    return [rise, after] if course.warmup else [after]


def _one_cycle(course: Course) -> Schedulers:
    """Up and down by cosines, momentum the other way.

    MMEngine's own OneCycleLR gives all parameters one learning rate, so a slower backbone would be none, and leaves
    momentum alone. Its cosine goes up as well as down: to a share of the base value.
    """
    top, bottom = ONE_CYCLE_MOMENTUM
    fall = {"begin": course.begin, "end": course.units, "by_epoch": course.unit > 1}
    down: Schedulers = [
        {"type": "CosineAnnealingLR", "eta_min_ratio": ONE_CYCLE_END, **fall},
        {"type": "CosineAnnealingMomentum", "eta_min": top, **fall},
    ]
    if not course.warmup:
        return down
    first, rise = {"begin": 0, "end": 1, "by_epoch": False}, {"begin": 0, "end": course.warmup + 1, "by_epoch": False}
    return [
        {"type": "ConstantLR", "factor": ONE_CYCLE_START, **first},
        {"type": "CosineAnnealingLR", "eta_min_ratio": 1.0, "T_max": course.warmup, **rise},
        {"type": "CosineAnnealingMomentum", "eta_min": bottom, "T_max": course.warmup, **rise},
        *down,
    ]
