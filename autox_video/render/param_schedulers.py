"""The planned learning rate in MMEngine's schedulers. `learning_rates.py` says what comes of them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from autox_video.plan.schema import Plan

# Of the peak, at the first step.
WARMUP_START = 0.1
# What `step` and `plateau` multiply the learning rate by.
STEP_FACTOR = 0.1
# As PyTorch's OneCycleLR has them: the first learning rate of the peak, the last of the first, and the momentum at
# both ends and at the peak.
ONE_CYCLE_START = 1 / 25
ONE_CYCLE_END = ONE_CYCLE_START / 1e4
ONE_CYCLE_MOMENTUM = (0.95, 0.85)
# Validations without a better figure after which `plateau` lowers the learning rate.
PLATEAU_PATIENCE = 5

Schedulers = list[dict[str, Any]]


@dataclass(frozen=True)
class Course:
    """A schedule in steps of the optimizer.

    Attributes:
        epoch: Steps of an epoch.
        end: Steps of the run.
        warmup: Steps of the rise.
        unit: Steps between two changes after it: 1, or those of an epoch.
        begin: Units after which the schedule proper begins.
        leaps: Units after which `step` or `restarts` leaps, from the beginning of the run.
    """

    epoch: int
    end: int
    warmup: int
    unit: int
    begin: int
    leaps: tuple[int, ...]

    @property
    def units(self) -> int:
        """Units of the run."""
        return self.end // self.unit


def course_of(plan: Plan, *, stock: bool = False) -> Course:
    """The schedule of a plan, in whole steps."""
    epoch = steps_an_epoch(plan, stock=stock)
    end = plan.epochs.value * epoch
    warmup = min(round(plan.warmup_epochs.value * epoch), end - 1)
    if warmup == 1:
        # MMEngine's linear rise over a single step never reaches its end.
        warmup = 0
    unit = epoch if plan.schedule_by.value == "epoch" else 1
    begin = min(math.ceil(warmup / unit), end // unit - 1)
    wanted = {"step": plan.milestones.value, "restarts": plan.restart_epochs.value}.get(plan.schedule.value, ())
    leaps = sorted({round(epochs * epoch / unit) for epochs in wanted})
    return Course(epoch, end, warmup, unit, begin, tuple(leap for leap in leaps if begin < leap < end // unit))


def steps_an_epoch(plan: Plan, *, stock: bool = False) -> int:
    """What schedules count in an epoch: steps of the optimizer; MMEngine's own hook counts batches."""
    draws = plan.videos_per_gpu.value // plan.num_repeats.value * plan.hardware.num_devices
    batches = math.ceil(plan.num_videos["train"] / draws)
    return batches if stock else math.ceil(batches / plan.accumulation.value)


def param_scheduler(plan: Plan, monitor: str, min_delta: float, *, stock: bool = False) -> Schedulers:
    """Warm-up and schedule, in steps of the optimizer or, where that was asked for, in epochs.

    Args:
        plan: Every value of the run.
        monitor: The validation figure that `plateau` watches, as the evaluator calls it.
        min_delta: The least rise of it that counts.
        stock: For MMEngine's own hook.
    """
    course, schedule = course_of(plan, stock=stock), plan.schedule.value
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
