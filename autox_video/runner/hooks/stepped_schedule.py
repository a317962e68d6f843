"""The learning-rate schedule, in steps of the optimizer."""

from __future__ import annotations

from typing import Any

from mmengine.hooks import ParamSchedulerHook
from mmengine.registry import HOOKS


@HOOKS.register_module()
class SteppedScheduleHook(ParamSchedulerHook):
    """MMEngine's hook, after each step of the optimizer and not after each batch.

    So the learning rate of a step does not depend on how many batches are added up for it.
    """

    def after_train_iter(self, runner: Any, batch_idx: int, data_batch: Any = None, outputs: Any = None) -> None:
        """Nothing: the step may still be to come."""

    def between_steps(self, runner: Any) -> None:
        """Move on the schedules that count steps."""
        super().after_train_iter(runner, 0)
