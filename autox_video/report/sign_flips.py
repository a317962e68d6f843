"""Whether one model is right more often than another on the same videos: a paired test that takes recordings whole.

Were the two equally good, then exchanging their answers on all videos of a recording would change nothing but the sign
of the difference of that recording. So the difference of all is held against those that every choice of signs gives (R.
A. Fisher, The Design of Experiments, 1935, section 21). Videos of one recording need not be independent: they keep one
sign (whole-block exchangeability: A. M. Winkler and others, Permutation Inference for the General Linear Model,
NeuroImage 92, 2014). Where every recording is one video, this is McNemar's test in its exact form (Q. McNemar, Note on
the Sampling Error of the Difference Between Correlated Proportions or Percentages, Psychometrika 12, 1947).
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np

from autox_video.report.bootstrap import by_group


@dataclass(frozen=True)
class SignFlips:
    """What chance alone does.

    Attributes:
        p: How likely chance alone would make a difference at least as large, whichever of the two is better.
        num_groups: Recordings with a difference; the others say nothing.
        smallest: The smallest difference, in videos, that these recordings could have shown with less than
            `significance`; None where none could.
    """

    p: float
    num_groups: int
    smallest: int | None


def flip_signs(differences: np.ndarray, groups: Sequence[Hashable], significance: float) -> SignFlips:
    """Test whether N differences are more than chance, exactly and on both sides.

    All choices of signs are counted, not a sample of them: the sums are whole numbers, and their distribution grows
    recording by recording (B. Streitberg and J. Roehmel, Exact Distributions for Permutation and Rank Tests,
    Statistical Software Newsletter 12, 1986).

    Args:
        differences: Of each video, -1, 0 or 1, shape (N,).
        groups: The recording of each video; one of its own where none is known.
        significance: A difference shows where chance alone makes it less often than this.
    """
    sums = np.rint(by_group(differences, groups)[0]).astype(np.int64)
    sizes = np.sort(np.abs(sums[sums != 0]))
    # At k stands how likely the recordings whose sign is + have k together, and the others what is left of `total`.
    likely = np.ones(1)
    for size in sizes:
        none = np.zeros(size)
        likely = (np.concatenate([likely, none]) + np.concatenate([none, likely])) / 2
    total = int(sizes.sum())
    distance = np.abs(2 * np.arange(total + 1) - total)
    # From each distance on, on both sides.
    beyond = np.cumsum(np.bincount(distance, likely)[::-1])[::-1]
    reached = np.unique(distance[likely > 0])
    shown = reached[beyond[reached] < significance]
    p = min(1.0, float(beyond[abs(int(sums.sum()))]))
    return SignFlips(p, len(sizes), int(shown[0]) if len(shown) else None)
