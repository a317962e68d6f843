"""Ends a training whose numbers are not finite any more, before any of it is saved."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import torch
from mmengine.dist import all_gather_object, get_dist_info
from mmengine.hooks import Hook
from mmengine.registry import HOOKS

from autox_video.plan.recovery import NonFiniteLossError, problem_of_loss

SAVED = ("state_dict", "ema_state_dict", "optimizer")


@HOOKS.register_module()
class FiniteHook(Hook):
    """Raises `NonFiniteLossError` after a step with a loss that is no finite number, and before such a state is saved.

    The videos are those of the step, of all ranks; with a loss that was still finite when a weight was not any more,
    those of the step after.
    """

    # After the averaged model has put itself into a checkpoint, before anything is saved between two steps.
    priority = "BELOW_NORMAL"

    def __init__(self) -> None:
        self._losses: list[float] = []
        self._files: list[str] = []

    def after_train_iter(self, runner, batch_idx: int, data_batch: Any = None, outputs: Any = None) -> None:  # type: ignore[no-untyped-def]
        """Look at the loss of a batch."""
        loss = float(outputs["loss"].detach())
        if not math.isfinite(loss):
            self._losses.append(loss)
            self._files += [Path(sample.filename).name for sample in data_batch["data_samples"]]

    def between_steps(self, runner) -> None:  # type: ignore[no-untyped-def]
        """Stop, on all ranks after the same step.

        Raises:
            NonFiniteLossError: The loss of one of them is not finite.
        """
        losses, files = self._losses, self._files
        self._losses, self._files = [], []
        if get_dist_info()[1] > 1:
            of_ranks = all_gather_object((losses, files))
            losses = [loss for own, _ in of_ranks for loss in own]
            files = [file for _, own in of_ranks for file in own]
        if losses:
            where = f"epoch {runner.epoch + 1}, step {runner.iter}"
            raise NonFiniteLossError(problem_of_loss(where, f"the loss became {losses[0]}", files))

    def before_save_checkpoint(self, runner, checkpoint: dict[str, Any]) -> None:  # type: ignore[no-untyped-def]
        """Let no such state be saved.

        Raises:
            NonFiniteLossError: A weight or a value of the optimizer is not finite.
        """
        for part in SAVED:
            if (name := _not_finite(checkpoint.get(part), part)) is not None:
                where = f"epoch {runner.epoch + 1}, step {runner.iter}"
                raise NonFiniteLossError(problem_of_loss(where, f"{name} is not finite any more", []))


def _not_finite(value: Any, name: str) -> str | None:
    """The name of the first tensor that holds an infinite value or none."""
    if isinstance(value, torch.Tensor):
        return None if not value.is_floating_point() or bool(torch.isfinite(value).all()) else name
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, (list, tuple)) else ()
    return next((found for key, item in items if (found := _not_finite(item, f"{name}.{key}")) is not None), None)
