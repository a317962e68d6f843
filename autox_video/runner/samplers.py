"""Drawing training videos so that each class comes equally often."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sized
from typing import Any

import numpy as np
from mmengine.dist import get_dist_info, sync_random_seed
from mmengine.registry import DATA_SAMPLERS
from torch.utils.data import Sampler


@DATA_SAMPLERS.register_module()
class ClassBalancedSampler(Sampler[int]):
    """As many draws an epoch as there are videos, shared out equally among the classes that have any.

    The videos of a class are drawn in turn: none comes a second time before all others came once, from one epoch to
    the next too. Where classes do not divide the draws evenly, other classes come once more in another epoch. All ranks
    draw alike and each takes its share, so that what is drawn depends on the seed and the epoch alone.

    Args:
        dataset: An MMEngine dataset whose `get_data_info` gives a `label`.
        seed: The same on every rank; agreed on among them when None.
    """

    def __init__(self, dataset: Sized, seed: int | None = None) -> None:
        self.rank, self.world_size = get_dist_info()
        self.seed = sync_random_seed() if seed is None else seed
        self.epoch = 0
        self.num_draws = len(dataset)
        self._videos = _by_class(dataset)

    def __iter__(self) -> Iterator[int]:
        drawn = self._drawn()
        # As DefaultSampler does: every rank has as many, and the first are repeated to fill up.
        padded = np.resize(drawn, len(self) * self.world_size)
        return iter(padded[self.rank :: self.world_size].tolist())

    def __len__(self) -> int:
        return math.ceil(self.num_draws / self.world_size)

    def set_epoch(self, epoch: int) -> None:
        """What the next iteration draws."""
        self.epoch = epoch

    def _drawn(self) -> np.ndarray:
        """The draws of one epoch, on all ranks together."""
        num_classes = len(self._videos)
        order = np.random.default_rng([self.seed, self.epoch])
        drawn = []
        # Draw number d of the whole training belongs to class d modulo num_classes, and is its draw d // num_classes.
        first, end = self.epoch * self.num_draws, (self.epoch + 1) * self.num_draws
        for position, videos in enumerate(self._videos):
            begins, ends = ((bound - position + num_classes - 1) // num_classes for bound in (first, end))
            drawn.append(self._turns(position, videos, begins, ends))
        return order.permutation(np.concatenate(drawn))

    def _turns(self, position: int, videos: np.ndarray, begins: int, ends: int) -> np.ndarray:
        """Draws `begins` to `ends` of one class: one shuffled round of its videos after the other."""
        rounds = range(begins // len(videos), -(-ends // len(videos)))
        shuffled = [np.random.default_rng([self.seed, position, turn]).permutation(videos) for turn in rounds]
        start = rounds.start * len(videos)
        return np.concatenate([videos[:0], *shuffled])[begins - start : ends - start]


def _by_class(dataset: Any) -> list[np.ndarray]:
    """Positions of the videos of each class that has any. One with several labels stands under its rarest."""
    labels = [np.atleast_1d(dataset.get_data_info(position)["label"]) for position in range(len(dataset))]
    classes, counts = np.unique(np.concatenate(labels), return_counts=True)
    count_of = dict(zip(classes.tolist(), counts.tolist(), strict=True))
    rarest = np.array([min(own.tolist(), key=lambda label: count_of[label]) for own in labels])
    return [np.flatnonzero(rarest == label) for label in np.unique(rarest)]
