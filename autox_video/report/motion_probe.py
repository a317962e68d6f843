"""`test.probe`: does the model see motion, or the background? What it makes of videos stopped, shuffled and reversed.

A class that is told from one still frame is told by what is in the picture; one that is lost there needs motion; one
that is lost when the video is played backwards needs the direction of time.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from autox_video.predictions import FRAME_ORDERS, Prediction, Predictions, recordings_of
from autox_video.report.bootstrap import mean_interval, sign_test
from autox_video.report.common import thresholds_of, true_labels
from autox_video.tasks import load_task

AS_IS = "as_is"
# A loss of less than this is taken for none, where the interval leaves no room for more.
SMALL = 0.2
# Fewer recordings of a class leave room for more whatever they show.
LEAST_RECORDINGS = 10
SIGNIFICANCE = 0.05
# What a class can need; of each the end of the sentence that counts how many do.
DIRECTION, MOTION, STILL, DEFAULT, UNKNOWN, MISSED = "direction", "motion", "still", "default", "unknown", "missed"
COUNTED = {
    DIRECTION: "need the direction of time",
    MOTION: "need motion",
    STILL: "are recognised from one still frame",
    DEFAULT: "are what the model says of still frames whatever they show",
    UNKNOWN: "have too few videos to tell",
    MISSED: "are not recognised as they are",
}


@dataclass(frozen=True)
class Way:
    """How a class fares with the frames in one order.

    Attributes:
        order: `as_is`, `still` (the middle frame, repeated), `shuffled` or `reversed`.
        accuracy: Share of its videos that were taken for it.
        false_alarms: Share of the other videos that were taken for it; None without others.
        loss: What of the accuracy is lost against `as_is`; None of itself.
        low: Lower end of the 95 % interval of the loss; videos of one recording are drawn together.
        high: Its upper end.
        p: How likely chance alone would lose and gain videos as unevenly.
    """

    order: str
    accuracy: float
    false_alarms: float | None
    loss: float | None = None
    low: float | None = None
    high: float | None = None
    p: float | None = None


@dataclass(frozen=True)
class ProbedClass:
    """What a class needs.

    Attributes:
        label: Its name.
        num_videos: Its labelled and scored videos.
        ways: One entry an order; empty without videos.
        needs: `direction`, `motion`, `still`, `default` (the model says it of still frames whatever they show),
            `missed` (it is not recognised even as it is) or `unknown`.
        told: The same in a sentence.
    """

    label: str
    num_videos: int
    ways: tuple[Way, ...]
    needs: str
    told: str


@dataclass(frozen=True)
class MotionProbe:
    """What the order of frames means to a model.

    Attributes:
        accuracy: Over all labelled videos, by order: the share that is right.
        classes: One entry a class.
        told: How many classes need what, in a sentence.
    """

    accuracy: dict[str, float]
    classes: tuple[ProbedClass, ...]
    told: str


def make_motion_probe(predictions: Predictions, used: Sequence[Prediction]) -> MotionProbe | None:
    """What the probe says; None where it was not asked for, or no video is labelled.

    Args:
        predictions: Of all videos.
        used: The labelled and scored ones.
    """
    if not used or any(row.order_scores is None for row in used):
        return None
    true, recordings = true_labels(predictions, used), np.array(recordings_of(used))
    scores = {AS_IS: np.stack([row.scores for row in used if row.scores is not None])}
    scores |= {order: np.stack([(row.order_scores or {})[order] for row in used]) for order in FRAME_ORDERS}
    thresholds = thresholds_of(predictions, used)
    task = load_task(predictions.task)
    accuracy = {order: float(task.are_right(some, true, thresholds).mean()) for order, some in scores.items()}
    taken = {order: task.taken_for(some, thresholds) for order, some in scores.items()}
    has = true if true.ndim == 2 else true[:, None] == np.arange(len(predictions.classes))
    classes = []
    for number, name in enumerate(predictions.classes):
        own = has[:, number]
        of_class = {order: given[:, number].astype(np.float64) for order, given in taken.items()}
        ways = _ways(of_class, own, recordings) if own.any() else ()
        needs = _needs(ways, len(set(recordings[own])))
        classes.append(ProbedClass(name, int(own.sum()), ways, needs, _sentence(needs, ways)))
    counts = Counter(one.needs for one in classes)
    told = "; ".join(f"{counts[needs]} {words}" for needs, words in COUNTED.items() if counts[needs])
    return MotionProbe(accuracy, tuple(classes), f"of {len(classes)} classes {told}")


def probe_lines(probe: MotionProbe | None) -> list[str]:
    """What the probe says, for the console; nothing where it was not asked for."""
    if probe is None:
        return []
    shares = "  ".join(f"{order.replace('_', ' ')} {value:.3f}" for order, value in probe.accuracy.items())
    return [f"probe    right: {shares}", f"probe    {probe.told}"]


def _ways(taken: dict[str, np.ndarray], own: np.ndarray, recordings: np.ndarray) -> tuple[Way, ...]:
    found = []
    groups: list[str] = recordings[own].tolist()
    for order, given in taken.items():
        alarms = float(given[~own].mean()) if not own.all() else None
        if order == AS_IS:
            found.append(Way(order, float(given[own].mean()), alarms))
            continue
        losses = taken[AS_IS][own] - given[own]
        span, chance = mean_interval(losses, groups), sign_test(losses, groups)
        found.append(Way(order, float(given[own].mean()), alarms, float(losses.mean()), *span, chance))
    return tuple(found)


def _needs(ways: Sequence[Way], num_recordings: int) -> str:
    if not ways:
        return UNKNOWN
    as_is, still, _, backwards = ways
    if as_is.accuracy <= (as_is.false_alarms or 0.0):
        return MISSED
    if _is_lost(backwards):
        return DIRECTION
    if _is_lost(still):
        return MOTION
    if _told_apart(still) < _told_apart(as_is) / 2:
        return DEFAULT if still.accuracy > as_is.accuracy / 2 else UNKNOWN
    assert still.high is not None, "of every order but the first"
    return STILL if still.high < SMALL and num_recordings >= LEAST_RECORDINGS else UNKNOWN


def _is_lost(way: Way) -> bool:
    """Whether the loss is more than chance."""
    assert way.low is not None, "of every order but the first"
    assert way.p is not None, "likewise"
    return way.low > 0 and way.p < SIGNIFICANCE


def _told_apart(way: Way) -> float:
    """How much more often videos of the class are taken for it than others."""
    return way.accuracy - (way.false_alarms or 0.0)


def _sentence(needs: str, ways: Sequence[Way]) -> str:
    if not ways:
        return "has no labelled test video"
    as_is, still, shuffled, backwards = (f"{way.accuracy:.2f}" for way in ways)
    if needs == DIRECTION:
        return f"needs the direction of time: {as_is} as it is, {backwards} backwards, {still} from one still frame"
    if needs == MOTION:
        rest = f"{shuffled} with its frames shuffled, {backwards} backwards"
        return f"needs motion: {as_is} as it is, {still} from one still frame, {rest}"
    if needs == STILL:
        return f"is recognised from one still frame: {still}, and {as_is} as it is"
    if needs == DEFAULT:
        others = f"{ways[1].false_alarms:.0%} of other classes' too"
        return f"is what the model says of still frames whatever they show: {still} of its own, {others}"
    if needs == MISSED:
        return f"is not recognised as it is ({as_is}), so there is nothing to lose"
    return f"has too few videos to tell: {as_is} as it is, {still} from one still frame, {backwards} backwards"
