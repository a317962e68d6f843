"""From the scores of windows to segments: smoothing, two thresholds, what stands still, gaps, what is too short."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy import ndimage

from autox_video.decoding.reader import TIME_TOLERANCE_SECONDS
from autox_video.using.timeline.windows import Windows

Interval = tuple[float, float]
LEAST_WEIGHT: Final = 1e-6


@dataclass(frozen=True)
class Segment:
    """A stretch of a video with one label.

    Attributes:
        start_seconds: Where it begins, after the first frame.
        end_seconds: Where it ends, itself excluded.
        label: Name of its class.
        confidence: The mean probability of the class over its windows, smoothed.
    """

    start_seconds: float
    end_seconds: float
    label: str
    confidence: float


@dataclass(frozen=True)
class Rules:
    """What makes a segment.

    Attributes:
        classes: Names; the position is the class id.
        enter: Probability that one window of a segment must reach, one a class.
        leave: Probability below which a segment ends, one a class.
        exclusive: Whether one label at a time is possible: then a segment also ends where another class is more likely.
        background: Ids of classes that make no segment.
        still: Ids of classes that may stand still; segments of all others end where nothing moves.
        smooth_windows: Standard deviation of the Gaussian over the windows.
        max_gap_seconds: Segments of one class that are no further apart become one.
        min_seconds: Shorter segments are dropped. Not below `max_gap_seconds`, or a gap might hold another segment.
    """

    classes: tuple[str, ...]
    enter: tuple[float, ...]
    leave: tuple[float, ...]
    exclusive: bool
    background: tuple[int, ...] = ()
    still: tuple[int, ...] = ()
    smooth_windows: float = 1.0
    max_gap_seconds: float = 0.0
    min_seconds: float = 0.0


def segments_of(scores: np.ndarray, windows: Windows, still: Sequence[Interval], rules: Rules) -> tuple[Segment, ...]:
    """Find the segments of a video.

    Args:
        scores: Probabilities of the windows, shape (N, num_classes).
        windows: Of the video.
        still: Where nothing moves, ascending.
        rules: What makes a segment.

    Returns:
        By their beginning.
    """
    # Where classes may stand still, still scenes have as much to say as others.
    weights = np.ones(len(scores)) if rules.still else moving_shares(windows.bounds, still) ** 2
    smooth = smoothed(scores, rules.smooth_windows, weights)
    best = np.argmax(smooth, axis=1)
    found = []
    for label, name in enumerate(rules.classes):
        if label in rules.background:
            continue
        likely = smooth[:, label] if not rules.exclusive else np.where(best == label, smooth[:, label], 0.0)
        pieces = [
            (float(windows.edges[first]), float(windows.edges[end]))
            for first, end in with_hysteresis(likely, rules.enter[label], rules.leave[label])
        ]
        if label not in rules.still:
            pieces = without(pieces, still)
        for start, end in joined(pieces, rules.max_gap_seconds):
            # Of uneven frames a window may have its say between no two of them.
            if end > start and end - start >= rules.min_seconds - TIME_TOLERANCE_SECONDS:
                found.append(Segment(start, end, name, _mean_within(smooth[:, label], windows.edges, start, end)))
    return tuple(sorted(found, key=lambda segment: (segment.start_seconds, segment.label)))


def moving_shares(bounds: np.ndarray, still: Sequence[Interval]) -> np.ndarray:
    """How much of each window lies outside of still scenes, in [0, 1].

    Args:
        bounds: Beginning and end of the windows, shape (N, 2).
        still: Where nothing moves, ascending and apart from each other.
    """
    # The still seconds up to a time: they rise by one a second in each still scene.
    corners = np.array([(0.0, 0.0), *still], dtype=np.float64)
    total = np.cumsum(corners[:, 1] - corners[:, 0])
    heights = np.stack([np.append(0.0, total[:-1]), total], axis=1)
    inside = np.interp(bounds, corners.ravel(), heights.ravel())
    shares: np.ndarray = 1 - (inside[:, 1] - inside[:, 0]) / (bounds[:, 1] - bounds[:, 0])
    return shares.clip(0.0, 1.0)


def smoothed(scores: np.ndarray, windows: float, weights: np.ndarray) -> np.ndarray:
    """The mean over a window and its neighbours, weighted by a Gaussian of time and by how much each has to say.

    Args:
        scores: Shape (N, num_classes).
        windows: Standard deviation of the Gaussian; 0 leaves the scores as they are.
        weights: Of the windows, shape (N,), at least 0.
    """
    if windows <= 0:
        return scores
    # Where none has anything to say, all have as much.
    weights = np.maximum(weights, LEAST_WEIGHT)
    summed = ndimage.gaussian_filter1d(scores * weights[:, None], windows, axis=0, mode="nearest")
    made: np.ndarray = summed / ndimage.gaussian_filter1d(weights, windows, mode="nearest")[:, None]
    return made


def with_hysteresis(likely: np.ndarray, enter: float, leave: float) -> list[tuple[int, int]]:
    """Stretches that stay at `leave` or above and somewhere reach `enter`.

    Args:
        likely: Probability of one class in each window, shape (N,).
        enter: What must be reached.
        leave: What must be held; one above `enter` counts as that.

    Returns:
        First window and the one after the last, ascending.
    """
    stretches, _ = ndimage.label(likely >= min(enter, leave))
    places = [place for (place,) in ndimage.find_objects(stretches)]
    return [(place.start, place.stop) for place in places if likely[place].max() >= enter]


def without(pieces: Sequence[Interval], holes: Sequence[Interval]) -> list[Interval]:
    """What is left of pieces outside of holes, both ascending."""
    return [rest for piece in pieces for rest in _outside(piece, holes)]


def _outside(piece: Interval, holes: Sequence[Interval]) -> Iterator[Interval]:
    start, end = piece
    for low, high in holes:
        if high <= start:
            continue
        if low >= end:
            break
        if low > start:
            yield start, low
        start = high
    if start < end:
        yield start, end


def joined(pieces: Sequence[Interval], max_gap: float) -> list[Interval]:
    """Pieces, ascending, of which those no further apart than `max_gap` are one."""
    made: list[Interval] = []
    for start, end in pieces:
        if made and start - made[-1][1] <= max_gap + TIME_TOLERANCE_SECONDS:
            made[-1] = made[-1][0], end
        else:
            made.append((start, end))
    return made


def _mean_within(likely: np.ndarray, edges: np.ndarray, start: float, end: float) -> float:
    """The mean over the windows that have their say between two times, by how much of it they have."""
    shared = np.clip(np.minimum(edges[1:], end) - np.maximum(edges[:-1], start), 0.0, None)
    return float(likely @ shared / shared.sum())
