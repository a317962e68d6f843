"""Sharing out videos by class and by group.

Who stands in which split depends on the seed and on the names alone: not on the order in which a file system lists
them, not on the machine, and hardly on files that come later.
"""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from autox_video.dataset.entries import Content, Label, Sample, ids_of

# Stands for a class where there is none.
UNLABELLED = -1


@dataclass
class _Division:
    """Groups, and where they have been put so far.

    Attributes:
        sizes: Videos of each class in a group, by the name of the group.
        left: Groups of each class that are still in train.
        split_of: The split of each group that is held out.
        held: Videos of each class, by split.
    """

    sizes: dict[str, Counter[int]]
    left: Counter[int]
    split_of: dict[str, str] = field(default_factory=dict)
    held: dict[str, Counter[int]] = field(default_factory=dict)

    def is_free(self, name: str) -> bool:
        """Whether a group can be held out and each of its classes keeps one in train."""
        return name not in self.split_of and all(self.left[label] > 1 for label in self.sizes[name])

    def hold_out(self, name: str, split: str) -> None:
        """Put a group into a split."""
        self.split_of[name] = split
        self.held.setdefault(split, Counter()).update(self.sizes[name])
        self.left.subtract(dict.fromkeys(self.sizes[name], 1))


def divide(
    samples: Sequence[Sample], shares: Mapping[str, float], seed: int, group_of: Mapping[str, str] | None = None
) -> dict[str, tuple[Sample, ...]]:
    """Share out the videos of each class, those of a group together.

    Args:
        samples: What is to be divided; the same file listed twice, or in pieces, stays together.
        shares: Of each split that is held out, in [0, 1]. The rest is `train`.
        seed: Another seed, another division.
        group_of: By file, the name of its group; a file without one stands alone.

    Returns:
        The samples of each split, `train` included, in their order. A class gives each split at
        least one group as long as train keeps one.
    """
    group, sizes = group_samples(samples, group_of or {})
    by_class: dict[int, list[str]] = {}
    for name in sorted(sizes, key=lambda name: rank(name, seed)):
        for label in sizes[name]:
            by_class.setdefault(label, []).append(name)
    division = _Division(sizes, Counter({label: len(names) for label, names in by_class.items()}))
    # Classes of few groups choose first: where groups have several classes, the others can give way.
    for label in sorted(by_class, key=lambda label: (len(by_class[label]), str(label))):
        counts = [sizes[name][label] for name in by_class[label]]
        # What is not of the largest group is shared out evenly where it is less than the shares ask for.
        most = (sum(counts) - max(counts)) / (1 + len(shares))
        for split, share in shares.items():
            _fill(division, split, label, by_class[label], max(1, round(min(share * sum(counts), most))))
    return {
        split: tuple(sample for sample in samples if division.split_of.get(group[sample.file], "train") == split)
        for split in ("train", *shares)
    }


def group_samples(
    samples: Sequence[Sample], group_of: Mapping[str, str]
) -> tuple[dict[str, str], dict[str, Counter[int]]]:
    """The group of each file, a file without one being a group of its own, and the videos of each class in a group."""
    group: dict[str, str] = {}
    sizes: dict[str, Counter[int]] = {}
    seen: set[Content] = set()
    one_of: dict[Label | None, Counter[int]] = {}
    for sample in samples:
        if sample.file not in group:
            group[sample.file] = group_of.get(sample.file) or _normal(sample.path)
        if sample.content not in seen:
            seen.add(sample.content)
            # A video with several labels counts for each; the rarest chooses first.
            one = one_of.get(sample.label)
            if one is None:
                one = one_of[sample.label] = Counter(ids_of(sample.label) or (UNLABELLED,))
            name = group[sample.file]
            # Videos that stand alone share the count of their class: there may be a million of them.
            sizes[name] = sizes[name] + one if name in sizes else one
    return group, sizes


def _fill(division: _Division, split: str, label: int, names: Sequence[str], wanted: int) -> None:
    """Hold out groups of a class until the split has about as many of its files as wanted."""
    held = division.held.setdefault(split, Counter())
    for name in names:
        missing = wanted - held[label]
        if missing <= 0:
            return
        # A group may go over by as much as is missing without it, no more.
        if division.sizes[name][label] <= 2 * missing and division.is_free(name):
            division.hold_out(name, split)
    free = [name for name in names if division.is_free(name)]
    if not held[label] and free:
        division.hold_out(min(free, key=lambda name: division.sizes[name][label]), split)


def _normal(path: str) -> str:
    normal = os.path.normpath(path)
    return path if path == normal else normal


def rank(name: str, seed: int) -> bytes:
    """Where a group stands in the order in which groups are chosen."""
    text = f"{seed}\0{name}".encode("utf-8", "surrogateescape")
    return hashlib.blake2b(text, digest_size=16).digest()
