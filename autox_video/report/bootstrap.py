"""How sure a difference between two models is that were tested on the same videos: a paired bootstrap.

The test set is drawn anew from its own videos, with replacement, and the difference computed on each draw (B. Efron and
R. Tibshirani, An Introduction to the Bootstrap, 1993). Videos of one recording are alike, so a recording is drawn as a
whole. Both models see the same draw: what makes a draw easy is easy for both, and does not blur their difference.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from autox_video.tasks import load_task

RESAMPLES = 2000
# A figure that is no mean over videos is computed anew for each draw, which takes longer.
RESAMPLES_OF_A_RANKING = 500
LEVEL = 0.95
NORMAL_QUANTILE = 1.959964  # at this level
# A single recording says nothing of others: all that a difference of shares can be.
UNKNOWN = (-1.0, 1.0)


@dataclass(frozen=True)
class Gain:
    """By how much one model is better than another on the same videos.

    Attributes:
        figure: Which figure: `top1` or `mean_average_precision`.
        value: The difference, positive where the first is better.
        low: Lower end of the 95 % interval.
        high: Its upper end.
        num_videos: Labelled videos that both have scored.
        num_groups: Recordings among them, or as many as videos where none are known.
        told: In a sentence, what that means.
    """

    figure: str
    value: float
    low: float
    high: float
    num_videos: int
    num_groups: int
    told: str


def paired_gain(
    task: str, labels: np.ndarray, first: np.ndarray, second: np.ndarray, groups: Sequence[Hashable], seed: int = 0
) -> Gain:
    """How much better `first` is than `second`, and how sure that is.

    Args:
        task: The module in `autox_video.tasks`; its first figure is compared.
        labels: Of N videos, as the task's `label_array` gives them.
        first: Probabilities, shape (N, num_classes).
        second: Likewise, of the other model.
        groups: The recording of each video; one of its own where it is not known.
        seed: Equal seeds give equal intervals.
    """
    module = load_task(task)
    figure: str = module.BEST_METRICS[0]
    if figure == "top1":
        right = [np.argmax(scores, axis=1) == labels for scores in (first, second)]
        gains = right[0].astype(np.float64) - right[1]
        differ, resamples = bool(gains.any()), RESAMPLES

        def difference(videos: np.ndarray) -> float:
            return float(gains[videos].mean())

    else:
        differ, resamples = not np.array_equal(first, second), RESAMPLES_OF_A_RANKING

        def difference(videos: np.ndarray) -> float:
            one, other = (module.score_metrics(scores[videos], labels[videos])[figure] for scores in (first, second))
            return float(one - other)

    value, counts = difference(np.arange(len(labels))), (len(labels), len(set(groups)))
    low, high = interval(difference, groups, resamples=resamples, seed=seed) if differ else (0.0, 0.0)
    if figure == "top1" and low == high and not np.array_equal(first, second):
        low, high = steady_interval(value, counts[1])
    return Gain(figure, value, low, high, *counts, _told(low, high, *counts, differ=differ))


def interval(
    statistic: Callable[[np.ndarray], float], groups: Sequence[Hashable], *, resamples: int = RESAMPLES, seed: int = 0
) -> tuple[float, float]:
    """The 95 % interval of a statistic of videos, by percentiles; `UNKNOWN` where all are of one recording.

    Args:
        statistic: Of the videos at these indices, of which some come several times.
        groups: The recording of each video.
        resamples: Draws.
        seed: Of the draws.
    """
    names = {name: number for number, name in enumerate(dict.fromkeys(groups))}
    if len(names) == 1:
        return UNKNOWN
    of_video = np.array([names[name] for name in groups])
    members = np.split(np.argsort(of_video, kind="stable"), np.cumsum(np.bincount(of_video))[:-1])
    generator = np.random.default_rng(seed)
    found = []
    for _ in range(resamples):
        drawn = generator.integers(len(members), size=len(members))
        found.append(statistic(np.concatenate([members[group] for group in drawn])))
    low, high = np.quantile(found, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)


def mean_interval(
    values: np.ndarray, groups: Sequence[Hashable], *, resamples: int = RESAMPLES, seed: int = 0
) -> tuple[float, float]:
    """`interval` of the mean of N values, all draws at once.

    Args:
        values: Of each video, shape (N,).
        groups: As of `interval`.
        resamples: Draws.
        seed: Of the draws.
    """
    sums, counts = by_group(values, groups)
    if len(sums) == 1:
        return UNKNOWN
    drawn = np.random.default_rng(seed).integers(len(sums), size=(resamples, len(sums)))
    means = sums[drawn].sum(axis=1) / counts[drawn].sum(axis=1)
    low, high = np.quantile(means, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)


def wilson_interval(count: float, total: int) -> tuple[float, float]:
    """The 95 % interval of a share: it makes sense for few trials, and where all or none succeed.

    By E. B. Wilson, Probable Inference, the Law of Succession, and Statistical Inference, JASA 22, 1927.

    Args:
        count: Successes; of one trial that is a mean, as the figure of a single recording, their share.
        total: Trials; at least 1.
    """
    share, spread = count / total, NORMAL_QUANTILE**2 / total
    middle = (share + spread / 2) / (1 + spread)
    half = NORMAL_QUANTILE / (1 + spread) * math.sqrt(share * (1 - share) / total + spread / total / 4)
    # At its ends it is exact; floating point would leave out the share itself.
    return middle - half if count else 0.0, middle + half if count < total else 1.0


def steady_interval(value: float, num_groups: int) -> tuple[float, float]:
    """The 95 % interval of a mean of values from -1 to 1 where every recording has the same one.

    Every draw of a bootstrap gives it again, and would claim to be certain. But another recording may be unlike these,
    with a chance of as much as the upper end of `wilson_interval` for none of them, and is then anything from -1 to 1.

    Args:
        value: Of each recording.
        num_groups: Recordings.
    """
    unlike = wilson_interval(0, num_groups)[1]
    return (1 - unlike) * value - unlike, (1 - unlike) * value + unlike


def sign_test(values: np.ndarray, groups: Sequence[Hashable]) -> float:
    """How likely chance alone would leave the signs of N values as uneven, exactly and on both sides.

    Videos of one recording count as one, by the sign of their sum. Of the differences between two models, where every
    video is a recording, this is McNemar's test (Q. McNemar, Note on the Sampling Error of the Difference Between
    Correlated Proportions or Percentages, 1947; its exact form).
    """
    sums, _ = by_group(values, groups)
    return binomial_p(int((sums > 0).sum()), int((sums < 0).sum()))


def binomial_p(first: int, second: int) -> float:
    """How likely a fair coin falls as unevenly as this, exactly and on both sides."""
    tosses = first + second
    tail, ways = 0, 1
    for number in range(min(first, second) + 1):
        tail += ways
        # From one binomial coefficient to the next: each anew would take minutes for thousands of tosses.
        ways = ways * (tosses - number) // (number + 1)
    # Whole numbers as long as they may be: a float ends at 2 ** 1024.
    return min(1.0, float(Fraction(2 * tail, 2**tosses)))


def by_group(values: np.ndarray, groups: Sequence[Hashable]) -> tuple[np.ndarray, np.ndarray]:
    """Sum and count of the values of each group, in the order in which they come; both of shape (number of groups,)."""
    names = {name: number for number, name in enumerate(dict.fromkeys(groups))}
    of_video = np.array([names[name] for name in groups])
    return np.bincount(of_video, weights=values), np.bincount(of_video)


def _told(low: float, high: float, num_videos: int, num_groups: int, *, differ: bool) -> str:
    of = f" of {num_groups} recordings" if num_groups < num_videos else ""
    videos = f"{num_videos} test videos{of}"
    if not differ:
        return f"none of {videos} tells them apart"
    if low > 0:
        return f"better, and more than the chance of which {videos} were tested"
    if high < 0:
        return f"worse, and more than the chance of which {videos} were tested"
    return f"{videos} are too few to tell the two apart"
