"""Divides the network among the processes of a run."""

from __future__ import annotations

from typing import Any

from mmengine.dist import is_distributed
from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper
from mmengine.registry import HOOKS

from autox_video.runner.sharding import gather_blocks, release_blocks, shard


@HOOKS.register_module()
class ShardingHook(Hook):
    """Trains with parameters, gradients and the state of the optimizer in shards, one a process.

    It divides what has been built, initialised and loaded or resumed as always. A single process is left as it is.

    Args:
        device: Where the shards are to be: `cpu` or `cuda`.
    """

    # After weights are loaded.
    priority = "LOWEST"

    def __init__(self, device: str) -> None:
        self._device = device

    def before_train(self, runner: Any) -> None:
        """Divide."""
        if is_distributed():
            if is_model_wrapper(runner.model):  # of a Runner that is not ours
                runner.model = runner.model.module
            shard(runner.model, runner.optim_wrapper.optimizer, self._device)

    def before_val_epoch(self, runner: Any) -> None:
        """Make the network whole: the processes may have other numbers of batches."""
        gather_blocks(runner.model)

    def after_val_epoch(self, runner: Any, metrics: dict[str, float] | None = None) -> None:
        """Go back to shards."""
        release_blocks(runner.model)
