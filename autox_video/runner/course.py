"""The learning-rate schedule of a run that goes on: as it was saved, at another rate, or of another length."""

from __future__ import annotations

import logging
import math
from collections.abc import Sequence
from typing import Any

from autox_video.errors import Problem, RequestError
from autox_video.plan.resume import WAYS_OUT
from autox_video.runner.checkpoints import to_plain

logger = logging.getLogger(__name__)
# What a schedule counts and finds out by itself; all else of it was planned.
PROGRESS = ("last_step", "_global_step", "_last_value", "base_values", "best", "num_bad_epochs", "cooldown_counter")


def planned_otherwise(saved: Sequence[dict[str, Any]], schedulers: Sequence[Any]) -> bool:
    """Whether the schedules that were saved differ from those of today in more than how far they are.

    Args:
        saved: Their states.
        schedulers: As MMEngine has built them for this run.
    """
    now: dict[str, Any] = {"states": [scheduler.state_dict() for scheduler in schedulers]}
    to_plain(now)
    return bool(saved) and list(map(_planned, saved)) != list(map(_planned, now["states"]))


def refuse_other_groups(checkpoint: dict[str, Any], optimizer: Any) -> None:
    """See to it that the optimizer treats parameters alike in the groups that it did.

    Args:
        checkpoint: As read.
        optimizer: Torch's, as built for this run.

    Raises:
        RequestError: It had other groups.
    """
    saved, now = (
        [len(group["params"]) for group in one["param_groups"]]
        for one in (checkpoint["optimizer"], optimizer.state_dict())
    )
    if saved != now:
        wrong = "was trained with an optimizer that treats other parameters alike, of another version or of cfg_options"
        got = f"{len(saved)} groups of parameters, now {len(now)}"
        raise RequestError(Problem("the checkpoint of this run", wrong, WAYS_OUT, got))


def scale_learning_rate(checkpoint: dict[str, Any], factor: float) -> None:
    """Multiply the learning rates of a state that was read, in place: of the optimizer and of its schedules."""
    if factor == 1.0:
        return
    for group in checkpoint["optimizer"]["param_groups"]:
        group["lr"] *= factor
        group["initial_lr"] *= factor
    for state in checkpoint.get("param_schedulers", []):
        if state["param_name"] == "lr":
            # One that waits for a plateau has no base to start from.
            for values in ("base_values", "_last_value"):
                if values in state:
                    state[values] = [value * factor for value in state[values]]


def rebuild_schedule(runner: Any) -> None:
    """Build the learning-rate schedule for another number of steps and move it to where the run stands.

    A resumed schedule keeps the length it was saved with and leaves the rate at its old end.

    Args:
        runner: Of the run, with its checkpoint loaded.
    """
    wrapper = runner.optim_wrapper
    for group in wrapper.param_groups:
        for name in ("lr", "momentum"):
            if f"initial_{name}" in group:
                group[name] = group[f"initial_{name}"]
        if "betas" in group and "initial_momentum" in group:
            group["betas"] = (group["momentum"], group["betas"][1])
    # Schedulers warn when they are stepped before the optimizer, which has its steps behind it here.
    runner.param_schedulers = runner.build_param_scheduler(runner.cfg.param_scheduler)
    batches, added_up = len(runner.train_dataloader), wrapper._accumulative_counts
    epoch = math.ceil(batches / added_up)
    done = runner.iter // batches * epoch + math.ceil(runner.iter % batches / added_up)
    wrapper._global_step = wrapper.optimizer._global_step = done
    for step in range(1, done + 1):
        for scheduler in runner.param_schedulers:
            if not scheduler.by_epoch or step % epoch == 0:
                scheduler.step()
    logger.info("the learning-rate schedule now ends after epoch %d", runner.max_epochs)


def _planned(state: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in state.items() if name not in PROGRESS}
