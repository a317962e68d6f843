"""The order of an epoch, from any place in it, each draw with its number."""

from __future__ import annotations

from collections.abc import Iterator, Sized
from itertools import islice
from typing import Any, NamedTuple, Protocol

from torch.utils.data import Sampler


class Draw(NamedTuple):
    """One sample that is asked of the data set.

    Attributes:
        sample: Its index in the data set.
        seed: Of the run.
        epoch: Epochs that lie behind.
        position: Draws of this epoch that lie behind, on all ranks together.
    """

    sample: int
    seed: int
    epoch: int
    position: int


class EpochSampler(Sized, Protocol):
    """What the samplers of MMEngine and ours have in common."""

    def set_epoch(self, epoch: int) -> None: ...

    def __iter__(self) -> Iterator[int]: ...


class Draws(Sampler[Draw]):
    """A sampler's indices as draws.

    Args:
        sampler: Yields this rank's indices; every rank's sampler yields as many.
        seed: Of the run.
        rank: Of this process.
        world_size: Processes that share an epoch.
    """

    def __init__(self, sampler: EpochSampler, seed: int, rank: int, world_size: int) -> None:
        self._sampler, self._seed = sampler, seed
        self._rank, self._world_size = rank, world_size
        self._epoch = self._first = 0

    def start(self, epoch: int, first: int) -> None:
        """What the next iteration yields: an epoch without its first draws of this rank. Nothing is read of those."""
        self._epoch, self._first = epoch, first
        self._sampler.set_epoch(epoch)

    def __iter__(self) -> Iterator[Draw]:
        for number, sample in islice(enumerate(self._sampler), self._first, None):
            yield Draw(sample, self._seed, self._epoch, self._rank + self._world_size * number)

    def __len__(self) -> int:
        """Draws of a whole epoch, wherever it starts."""
        return len(self._sampler)

    @property
    def num_without_padding(self) -> int:
        """Draws of a whole epoch on all ranks together, without those that give each as many."""
        everything = len(self) * self._world_size
        dataset = getattr(self._sampler, "dataset", None)
        number = getattr(self._sampler, "num_draws", everything if dataset is None else len(dataset))
        return min(number, everything)


def count_draws(dataloader: Any, seed: int, rank: int, world_size: int) -> Draws:
    """Put a data loader's sampler into `Draws`.

    Args:
        dataloader: A torch DataLoader with a batch sampler over an `EpochSampler`.
        seed: Of the run.
        rank: Of this process.
        world_size: Processes that share an epoch.
    """
    draws = Draws(dataloader.batch_sampler.sampler, seed, rank, world_size)
    dataloader.batch_sampler.sampler = draws
    return draws
