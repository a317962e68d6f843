"""The learning rate over a run, as a function of its plan: what `render/schedule.py` has MMEngine's schedulers do."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

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


@dataclass(frozen=True)
class Course:
    """A schedule in steps of the loader.

    Attributes:
        epoch: Steps of an epoch, on each device.
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


def course_of(plan: Plan) -> Course:
    """The schedule of a plan, in whole steps."""
    draws = plan.videos_per_gpu.value // plan.num_repeats.value * plan.hardware.num_devices
    epoch = math.ceil(plan.num_videos["train"] / draws)
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


def learning_rate_at(plan: Plan, epoch: float) -> float:
    """The learning rate of the head, and of a backbone without a multiplier, in a step of the run.

    With `schedule: plateau` it is the highest that is possible: when it falls, validation decides.

    Args:
        plan: Every value of the run.
        epoch: Epochs that lie behind, in [0, epochs of the run].
    """
    course = course_of(plan)
    step = min(int(epoch * course.epoch + 1e-6), course.end - 1)
    return plan.learning_rate.value * plan.lr_scale.value * _rise(plan, course, step) * _fall(plan, course, step)


def _rise(plan: Plan, course: Course, step: int) -> float:
    if step >= course.warmup:
        return 1.0
    if plan.schedule.value == "one_cycle":
        return 1 + (ONE_CYCLE_START - 1) * _cosine(step / course.warmup)
    return WARMUP_START + (1 - WARMUP_START) * step / (course.warmup - 1)


def _fall(plan: Plan, course: Course, step: int) -> float:
    """What the schedule proper leaves of the peak."""
    done, schedule = step // course.unit, plan.schedule.value
    if schedule == "step":
        return STEP_FACTOR ** sum(leap <= done for leap in course.leaps)
    if schedule in ("constant", "plateau") or done < course.begin:
        return 1.0
    starts = [course.begin, *course.leaps, course.units]
    start, end = next((start, end) for start, end in pairwise(starts) if start <= done < end)
    low = ONE_CYCLE_END if schedule == "one_cycle" else 0.0
    return low + (1 - low) * _cosine((done - start) / (end - start))


def _cosine(share: float) -> float:
    """From 1 to 0."""
    return (1 + math.cos(math.pi * share)) / 2
