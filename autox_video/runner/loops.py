"""The training loop: MMEngine's by epochs, able to begin anywhere inside one."""

from __future__ import annotations

import math
from typing import Any

import torch
from mmengine.dist import get_dist_info
from mmengine.registry import LOOPS
from mmengine.runner import EpochBasedTrainLoop

from autox_video.runner.draws import count_draws
from autox_video.runner.randomness import seed_step
from autox_video.runner.shares import Shares, Weighted, only_first


@LOOPS.register_module()
class ResumableTrainLoop(EpochBasedTrainLoop):
    """Ends with the same weights wherever it was interrupted.

    Four things differ from MMEngine's loop. Random numbers come from counters (`randomness`). Gradients are added
    up within an epoch, never across its end: the last step of an epoch takes what is left. A step follows the mean over
    its videos, whoever computes which (`shares`). And hooks that have a
    method `between_steps(runner)` are called after each step of the optimizer, when weights, schedules and counts
    agree and no gradient is pending: the one place where a state may be saved or a run may stop.
    `out_of_memory(runner)` is called when a GPU's memory did not suffice: the state is then that of the last step.

    Attributes:
        position: Draws of the current epoch that lay behind at the last step, on all ranks together.
        validated_epochs: Epochs that lay behind at the last validation.

    Args:
        runner: The Runner.
        dataloader: As in `EpochBasedTrainLoop`.
        seed: Of the run; the same on every rank.
        **given: As in `EpochBasedTrainLoop`.
    """

    def __init__(self, runner: Any, dataloader: Any, seed: int, **given: Any) -> None:
        super().__init__(runner, dataloader, **given)
        self.seed = seed
        self.rank, self.world_size = get_dist_info()
        self.position = 0
        self.validated_epochs = 0
        self._draws = count_draws(self.dataloader, seed, self.rank, self.world_size)

    def go_on(self, position: int, validated_epochs: int) -> None:
        """Begin inside an epoch. The epoch itself is set by MMEngine when it reads a checkpoint.

        Args:
            position: Draws of the epoch that lie behind.
            validated_epochs: Epochs that lay behind at the last validation.
        """
        self.position, self.validated_epochs = position, validated_epochs
        # Not as saved: another batch size makes another number of steps of the same draws.
        self._count_steps()

    def run(self) -> torch.nn.Module:
        """Train to the end."""
        self.runner.call_hook("before_train")
        self._validate_if_due()  # a run that was stopped during a validation owes it
        while self._epoch < self._max_epochs and not self.stop_training:
            self.run_epoch()
            self._decide_current_val_interval()
            self._validate_if_due()
        self.runner.call_hook("after_train")
        model: torch.nn.Module = self.runner.model
        return model

    def run_epoch(self) -> None:
        """Train to the end of an epoch, from wherever in it the run stands."""
        self.runner.call_hook("before_train_epoch")
        self.runner.model.train()
        first = self._batches_behind()
        self._draws.start(self._epoch, self.position // self.world_size)
        wrapper = self.runner.optim_wrapper
        wrapper.initialize_count_status(self.runner.model, first, len(self.dataloader))
        for number, batch in enumerate(self.dataloader, first):
            seed_step(self.seed, self.rank, self._iter)
            try:
                self.run_iter(number, batch)
            except torch.cuda.OutOfMemoryError:
                # The weights are those of the last step: batches added up since are lost, and drawn again.
                self._count_steps()
                self.runner.call_hook("out_of_memory")
                raise
            if wrapper.should_update():
                self.position = min((number + 1) * self.dataloader.batch_size, len(self._draws)) * self.world_size
                self.runner.call_hook("between_steps")
        self.runner.call_hook("after_train_epoch")
        self._epoch += 1
        self.position = 0

    def run_iter(self, idx: int, data_batch: dict[str, Any]) -> None:
        """Train on a batch, each of whose videos counts as much as any other of the step."""
        draws = min(self.dataloader.batch_size, len(self._draws) - idx * self.dataloader.batch_size)
        wrapper = self.runner.optim_wrapper
        shares = Shares(
            self._draws.num_without_padding, self.world_size, self.dataloader.batch_size, wrapper._accumulative_counts
        )
        count, weight = shares.of_batch(self.rank, idx)
        counted = only_first(data_batch, draws, count)
        # A batch that only fills up is computed too, since the others wait for it, and is then as good as empty.
        data_batch = counted if count else data_batch
        self.runner.call_hook("before_train_iter", batch_idx=idx, data_batch=data_batch)
        weighted = wrapper if weight == 1 else Weighted(wrapper, weight)
        outputs = self.runner.model.train_step(data_batch, optim_wrapper=weighted)
        self.runner.call_hook("after_train_iter", batch_idx=idx, data_batch=counted, outputs=outputs)
        self._iter += 1

    def validation_is_due(self, epochs: int) -> bool:
        """Whether the state after so many epochs is validated."""
        last = epochs == self._max_epochs
        return (
            self.runner.val_loop is not None and epochs >= self.val_begin and (last or epochs % self.val_interval == 0)
        )

    def _validate_if_due(self) -> None:
        if self._epoch > self.validated_epochs and self.validation_is_due(self._epoch):
            self.runner.val_loop.run()

    def _count_steps(self) -> None:
        self._iter = self._epoch * len(self.dataloader) + self._batches_behind()

    def _batches_behind(self) -> int:
        return math.ceil(self.position / self.world_size / self.dataloader.batch_size)
