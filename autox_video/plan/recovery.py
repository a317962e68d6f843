"""What a run changes of its own plan to get over a trouble, and where it gives up."""

from __future__ import annotations

import dataclasses
import math

from autox_video.errors import Problem, RunError
from autox_video.plan.schema import Decision, Plan

# Of a decision that the run took itself; a resumed run keeps it.
SOURCE = "run"
MAX_HALVINGS = 3


class NonFiniteLossError(RunError):
    """The loss, or what was to be saved, is not a finite number any more."""


class GpuMemoryError(RunError):
    """A step did not fit into the memory of the GPU."""


def recover(plan: Plan, trouble: NonFiniteLossError | GpuMemoryError) -> Plan:
    """The plan to go on with from the last good state.

    Raises:
        NonFiniteLossError: The learning rate has been halved often enough.
        GpuMemoryError: Not even one video fits.
    """
    return _half_rate(plan, trouble) if isinstance(trouble, NonFiniteLossError) else _half_batch(plan, trouble)


def _half_rate(plan: Plan, trouble: NonFiniteLossError) -> Plan:
    (problem,) = trouble.problems
    number = 1 + round(-math.log2(plan.lr_scale.value))
    if number > MAX_HALVINGS:
        wrong = f"{problem.wrong}, at an eighth of the learning rate too"
        raise NonFiniteLossError(dataclasses.replace(problem, wrong=wrong)) from trouble
    why = f"halved for the {('first', 'second', 'third')[number - 1]} time: {problem.where}: {problem.wrong}"
    return dataclasses.replace(plan, lr_scale=Decision(plan.lr_scale.value / 2, SOURCE, why))


def _half_batch(plan: Plan, trouble: GpuMemoryError) -> Plan:
    batch, accumulation = plan.videos_per_gpu.value, plan.accumulation.value
    views = plan.num_repeats.value
    if batch == views:
        (problem,) = trouble.problems
        cure = "Choose a smaller model, clip_len or input_size; `autox-video plan` shows them"
        wrong = "not even one video at a time fits into the memory of the GPU"
        raise GpuMemoryError(Problem(problem.where, wrong, cure, problem.got)) from trouble
    # The total must stay: the largest divisor that is at most half.
    smaller = max(size for size in range(views, batch // 2 + 1, views) if batch % size == 0)
    factor = batch // smaller
    why = f"{batch} videos at a time did not fit into the memory of the GPU"
    total = f"{factor} times as many batches make the same {plan.total_batch_size.value} videos a step"
    return dataclasses.replace(
        plan,
        videos_per_gpu=Decision(smaller, SOURCE, why),
        accumulation=Decision(accumulation * factor, SOURCE, total),
    )


def told(plan: Plan, trouble: NonFiniteLossError | GpuMemoryError) -> str:
    """What was decided, in a sentence for the console. `plan` is what `recover` returned."""
    (problem,) = trouble.problems
    if isinstance(trouble, NonFiniteLossError):
        rate = plan.learning_rate.value * plan.lr_scale.value
        return f"{problem.where}: {problem.wrong}; the run goes back and tries again at learning rate {rate:.2g}"
    return (
        f"{problem.where}: {problem.wrong}; the run goes on with {plan.videos_per_gpu.value} videos at a time, "
        f"{plan.accumulation.value} times a step"
    )


def problem_of_loss(where: str, wrong: str, files: list[str]) -> Problem:
    """What a `NonFiniteLossError` says; `files` are the videos of the step."""
    cure = "Look at these videos with `autox-video preview`, or choose a lower train.learning_rate or train.amp: off"
    return Problem(where, f"{wrong} with the videos {', '.join(files)}" if files else wrong, cure)
