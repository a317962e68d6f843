"""Which videos are opened where a list has too many to open all of them."""

from __future__ import annotations

import zlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from autox_video.dataset.entries import Sample, ids_of
from autox_video.settings.schema import AUTO, Settings

# Opening a small video takes 4 ms of a core, a large one a second: more than this, and it is minutes to hours.
MANY_VIDEOS = 20_000
# The share of unreadable ones, and the percentiles of lengths and sizes, are then known to 2 % or better.
NUM_OPENED = 2_000


def files_to_open(splits: Iterable[Sequence[Sample]], settings: Settings) -> set[str] | None:
    """Draw videos from every class of every split, in proportion to its size and one at least.

    Which ones depends on the seed and their paths, not on the order of the lists.

    Args:
        splits: The samples of each.
        settings: With `data.probe` and the seed.

    Returns:
        Files; None where every one is to be opened.
    """
    splits = list(splits)
    total = sum(map(len, splits))
    if settings.data.probe != AUTO or total <= MANY_VIDEOS:
        return None
    share = NUM_OPENED / total
    return {samples[position].file for samples in splits for position in _drawn(samples, share, settings.runtime.seed)}


def sampling_note(num_opened: int, total: int) -> str:
    """What a person should know of a sample.

    Args:
        num_opened: Files that were opened.
        total: All files.
    """
    return (
        f"{num_opened} of {total} videos were opened, drawn from every class of every split, because more than "
        f"{MANY_VIDEOS} are listed: sizes, lengths, look-alikes and equal content are known of these alone. The "
        "others are opened as training comes to them; one that cannot be read is replaced in training, and a row with "
        "its error in a test. `data.probe: all` opens every one"
    )


def _drawn(samples: Sequence[Sample], share: float, seed: int) -> list[int]:
    """Positions of the videos drawn from each class."""
    labels = _strata(samples)
    paths = (sample.path.encode("utf-8", "surrogateescape") for sample in samples)
    ranks = np.fromiter((zlib.crc32(path, seed) for path in paths), dtype=np.uint32, count=len(samples))
    order = np.lexsort((ranks, labels))
    _, starts, sizes = np.unique(labels[order], return_index=True, return_counts=True)
    wanted = np.ceil(sizes * share).astype(np.int64)
    place = np.arange(len(samples)) - np.repeat(starts, sizes)
    drawn: list[int] = order[place < np.repeat(wanted, sizes)].tolist()
    return drawn


def _strata(samples: Sequence[Sample]) -> np.ndarray:
    """The class of each video; of several labels the rarest, without one -1."""
    counts: Mapping[int, int] = Counter(label for sample in samples for label in ids_of(sample.label))
    rarest = (
        sample.label if isinstance(sample.label, int) else min(ids_of(sample.label), key=counts.__getitem__, default=-1)
        for sample in samples
    )
    return np.fromiter(rarest, dtype=np.int64, count=len(samples))
