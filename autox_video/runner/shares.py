"""A step of the optimizer follows the mean over its videos, however they are shared out.

Processes and batches that are added up each give the mean over their own videos. Where an epoch does not divide
evenly, its last step has shares of unequal size, and a sampler repeats videos so that every process has as many: the
mean of the means is then another one. Weights put that right, and what was only repeated to fill up is left out.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

import torch


@dataclass(frozen=True)
class Shares:
    """How an epoch's draws are shared out.

    Attributes:
        draws: Of the epoch, without those that only fill up.
        world_size: Processes.
        batch_size: Draws of a batch of one process.
        accumulation: Batches that are added up for a step.
    """

    draws: int
    world_size: int
    batch_size: int
    accumulation: int

    def of_batch(self, rank: int, number: int) -> tuple[int, float]:
        """What a batch adds to its step.

        Args:
            rank: Of the process.
            number: Of its batch in the epoch, from 0.

        Returns:
            Its draws that count, and what its mean is to be multiplied with; 1 where all shares are equal.
        """
        each = -(-self.draws // self.world_size)  # with those that fill up, every process has as many
        batches = -(-each // self.batch_size)
        first = number - number % self.accumulation
        added_up = min(self.accumulation, batches - first)
        start, end = first * self.batch_size, min((first + added_up) * self.batch_size, each)
        in_step = min(end * self.world_size, self.draws) - start * self.world_size
        own = range(number * self.batch_size, min((number + 1) * self.batch_size, each))
        count = sum(rank + self.world_size * draw < self.draws for draw in own)
        return count, count * self.world_size * added_up / in_step


def only_first(batch: dict[str, Any], draws: int, count: int) -> dict[str, Any]:
    """A batch without its last draws, which only fill up.

    Args:
        batch: As `batches.stack_clips` gives it; a draw may be several clips.
        draws: It has.
        count: Draws that count.
    """
    if count == draws:
        return batch
    clips = len(batch["data_samples"]) // draws * count
    return {**batch, "inputs": batch["inputs"][:clips], "data_samples": batch["data_samples"][:clips]}


class Weighted:
    """An optimizer wrapper, for one batch whose loss has another weight."""

    def __init__(self, wrapper: Any, weight: float) -> None:
        self._wrapper, self._weight = wrapper, weight

    def optim_context(self, model: torch.nn.Module) -> AbstractContextManager[Any]:
        """See MMEngine's `OptimWrapper`."""
        context: AbstractContextManager[Any] = self._wrapper.optim_context(model)
        return context

    def update_params(self, loss: torch.Tensor) -> None:
        """See MMEngine's `OptimWrapper`."""
        self._wrapper.update_params(loss * self._weight)
