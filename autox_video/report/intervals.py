"""How sure the figures of one test are: 95 % intervals by the bootstrap, recordings drawn as a whole.

See `bootstrap` for the idea. Here each draw is a weight for each video, so that all figures of a draw are products of
matrices: seconds for twenty thousand videos. Where every draw gives the same again, as where all videos are right, the
bootstrap would claim to be certain. For a share Wilson's interval over the recordings stands in (E. B. Wilson, JASA 22,
1927), as it does where all videos are of one recording, which every draw draws. Mean average precision, mean F1 and
loss are no shares of the videos, and nothing bounds what one mistake more would cost them: they have no interval then.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from autox_video.report.bootstrap import LEVEL, RESAMPLES, interval, wilson_interval
from autox_video.report.common import numbers
from autox_video.report.multi_label import MultiLabelResults, MultiLabelVideo
from autox_video.report.outcome import AnyResults
from autox_video.report.results import Results, VideoResult
from autox_video.tasks import load_task

CHUNK = 100
# A ranking is computed anew for each draw: fewer draws where that is a lot of work.
RANKED_VALUES = 2_000_000
FEWEST_RESAMPLES = 100
# Means over videos of what is right or wrong; and what is one where classes are alike.
SHARES = ("top1", "top5", "mean_class_accuracy", "exact_match")
# Draws that differ by less differ in how sums were rounded.
ROUNDING = 1e-9


@dataclass(frozen=True)
class Interval:
    """Where a figure lies, with 95 % of certainty, for videos like those that were tested.

    Attributes:
        low: Its lower end.
        high: Its upper end.
        draws: How many draws of the videos it is of; 0 for Wilson's.
    """

    low: float
    high: float
    draws: int = 0


def figure_intervals(results: AnyResults, groups: Mapping[str, str]) -> dict[str, Interval]:
    """The intervals of the figures in `results.metrics`, by name; a figure that has none is left out.

    Args:
        results: What the test found.
        groups: By path, the recording of a video; absent for one that stands alone.
    """
    if results.metrics is None:
        return {}
    figures = numbers(results.metrics)
    recordings = len(set(recordings_of([one.file for one in results.videos if one.correct is not None], groups)))
    if recordings == 1:
        return {name: wilson(value, 1) for name, value in figures.items() if name != "loss"}
    if isinstance(results, MultiLabelResults):
        found = _of_several_labels(results, groups)
    else:
        found = _of_one_label(results, groups)
    steady = [name for name, span in found.items() if span.high - span.low < ROUNDING]
    shares = {name: wilson(figures[name] * recordings, recordings) for name in steady if name in SHARES}
    return {name: span for name, span in found.items() if name not in steady} | shares


def recordings_of(paths: Sequence[str], groups: Mapping[str, str]) -> list[str]:
    """The recording of each video; one of its own where none is known."""
    return [groups.get(path, f"alone: {path}") for path in paths]


def wilson(count: float, total: int) -> Interval:
    """The interval of a share of `total` trials, of which `count` succeeded; see `wilson_interval`."""
    return Interval(*wilson_interval(count, total))


def _of_one_label(results: Results, groups: Mapping[str, str]) -> dict[str, Interval]:
    used: list[VideoResult] = [one for one in results.videos if one.scores is not None and one.true_label is not None]
    true = np.array([one.true_label.id for one in used if one.true_label])
    scores = np.array([one.scores for one in used], dtype=np.float32)
    own = scores[np.arange(len(used)), true]
    # The rank that `score_metrics` gives: of equal scores the lower id goes first.
    before = (scores > own[:, None]) | ((scores == own[:, None]) & (np.arange(scores.shape[1]) < true[:, None]))
    rank = before.sum(axis=1)
    shares = {"top1": rank == 0, "top5": rank < load_task(results.task).TOP}
    values = np.stack([*shares.values(), -np.log(np.maximum(own, 1e-12))], axis=1).astype(np.float64)
    of_class = (true[:, None] == np.unique(true)).astype(np.float64)
    right = of_class * (rank == 0)[:, None]
    recordings = recordings_of([one.file for one in used], groups)

    def figures(weights: np.ndarray) -> np.ndarray:
        means = weights @ values / weights.sum(axis=1, keepdims=True)
        drawn = weights @ of_class
        # A class that a draw has no video of does not count in its mean.
        known = np.where(drawn > 0, (weights @ right) / np.maximum(drawn, 1), np.nan)
        return np.column_stack([means, np.nanmean(known, axis=1)])

    low, high = np.quantile(_draws(figures, recordings), [(1 - LEVEL) / 2, (1 + LEVEL) / 2], axis=0)
    names = (*shares, "loss", "mean_class_accuracy")
    return {name: Interval(float(a), float(b), RESAMPLES) for name, a, b in zip(names, low, high, strict=True)}


def _draws(figures: Callable[[np.ndarray], np.ndarray], recordings: Sequence[str], seed: int = 0) -> np.ndarray:
    """The figures of each draw, shape (RESAMPLES, number of figures)."""
    names = {name: number for number, name in enumerate(dict.fromkeys(recordings))}
    of_video = np.array([names[name] for name in recordings])
    generator = np.random.default_rng(seed)
    found = []
    for _ in range(RESAMPLES // CHUNK):
        drawn = generator.multinomial(len(names), np.full(len(names), 1 / len(names)), size=CHUNK)
        found.append(figures(drawn[:, of_video].astype(np.float64)))
    return np.concatenate(found)


def _of_several_labels(results: MultiLabelResults, groups: Mapping[str, str]) -> dict[str, Interval]:
    used: list[MultiLabelVideo] = [
        one for one in results.videos if one.scores is not None and one.true_labels is not None
    ]
    task = load_task(results.task)
    size = len(results.classes)
    true = task.label_array([[label.id for label in one.true_labels or ()] for one in used], size)
    given = task.label_array([[label.id for label in one.predicted_labels or ()] for one in used], size)
    scores = np.array([one.scores for one in used], dtype=np.float32)
    recordings = recordings_of([one.file for one in used], groups)
    exact = (true == given).all(axis=1).astype(np.float64)
    loss = -np.log(np.maximum(np.where(true, scores, 1 - scores.astype(np.float64)), 1e-12)).mean(axis=1)
    counts = [array.astype(np.float64) for array in (true & given, true, given)]

    def figures(weights: np.ndarray) -> np.ndarray:
        both, has, got = (weights @ count for count in counts)
        f1 = np.where(has > 0, 2 * both / np.maximum(has + got, 1), np.nan)
        means = weights @ np.stack([exact, loss], axis=1) / weights.sum(axis=1, keepdims=True)
        return np.column_stack([means, np.nanmean(f1, axis=1)])

    low, high = np.quantile(_draws(figures, recordings), [(1 - LEVEL) / 2, (1 + LEVEL) / 2], axis=0)
    names = ("exact_match", "loss", "mean_f1")
    found = {name: Interval(float(a), float(b), RESAMPLES) for name, a, b in zip(names, low, high, strict=True)}
    resamples = max(FEWEST_RESAMPLES, min(RESAMPLES // 4, RANKED_VALUES // scores.size))

    def ranked(videos: np.ndarray) -> float:
        if not true[videos].any():
            return 0.0
        return float(task.score_metrics(scores[videos], true[videos])["mean_average_precision"])

    found["mean_average_precision"] = Interval(*interval(ranked, recordings, resamples=resamples), resamples)
    return found
