"""Where the windows of a video lie: pieces that a model of clips is shown, one overlapping the next."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from autox_video.decoding.reader import TIME_TOLERANCE_SECONDS
from autox_video.plan.schema import Plan

# A segment begins and ends between two windows: with a quarter of the span it is found to within an eighth of it, and
# each moment is seen in four windows, which is what it costs. docs/timeline.md has what other shares gave.
STRIDE_SHARE: Final = 0.25


@dataclass(frozen=True)
class Span:
    """What a window covers, and how far the next one is.

    Attributes:
        frames: So many frames of the video, whatever its rate; 0 where `seconds` counts.
        seconds: So many seconds; 0.0 where `frames` counts.
        step: In frames: windows begin at multiples of it, and only such frames are looked at; 1 where `seconds` counts.
    """

    frames: int
    seconds: float
    step: int = 1

    def seconds_at(self, fps: float) -> float:
        """How long a window lasts in a video of so many frames a second."""
        return self.frames / fps if self.frames else self.seconds


@dataclass(frozen=True)
class Windows:
    """The windows of one video, in order.

    Attributes:
        first: Index of the first frame of each, shape (N,).
        end: Index after the last frame of each, shape (N,).
        bounds: When each begins and ends, in seconds, shape (N, 2).
        edges: When each window has its say, in seconds: from one to the next, shape (N + 1,). They are the times at
            which frames are shown; the first is 0, the last the end of the video.
        step: See `Span`.
    """

    first: np.ndarray
    end: np.ndarray
    bounds: np.ndarray
    edges: np.ndarray
    step: int

    def __len__(self) -> int:
        return len(self.first)


def span_of(plan: Plan, whole_seconds: float | None) -> Span | None:
    """What one clip of a model covers.

    Args:
        plan: Of the model.
        whole_seconds: How long the videos were that it learned from; None where that is not known.

    Returns:
        None for a model whose clips cover a whole video, where `whole_seconds` is not known.
    """
    if plan.target_fps.value is not None:
        return Span(0, plan.clip_len.value / plan.target_fps.value)
    if plan.sampling.value == "dense":
        interval = plan.frame_interval.value
        # From its first frame to its last: with more, the pipeline would take what lies in the middle.
        return Span((plan.clip_len.value - 1) * interval + 1, 0.0, interval)
    return None if whole_seconds is None else Span(0, whole_seconds)


def windows_of(times: np.ndarray, end_seconds: float, span: Span, stride_seconds: float | None = None) -> Windows:
    """Lay windows over a video, from its beginning on.

    A video that is shorter than a window is one window.

    Args:
        times: When each frame is shown, in seconds after the first, ascending, shape (num_frames,).
        end_seconds: When the last one goes.
        span: Of a window.
        stride_seconds: From the beginning of one to that of the next; None for `STRIDE_SHARE` of the span.
    """
    first, end = _in_frames(times, end_seconds, span, stride_seconds)
    shown_until = np.append(times, end_seconds)
    bounds = np.stack([times[first], shown_until[end]], axis=1)
    middles = bounds.mean(axis=1)
    between = np.searchsorted(times, (middles[:-1] + middles[1:]) / 2 - TIME_TOLERANCE_SECONDS)
    edges = np.concatenate([[0.0], shown_until[between], [end_seconds]])
    return Windows(first, end, bounds, edges, span.step)


def _in_frames(
    times: np.ndarray, end_seconds: float, span: Span, stride_seconds: float | None
) -> tuple[np.ndarray, np.ndarray]:
    """The first frame of each window, and the one after its last."""
    count = len(times)
    if span.frames:
        stride = span.frames * STRIDE_SHARE
        if stride_seconds is not None:
            stride = stride_seconds * count / end_seconds
        # Windows that begin at multiples of the interval look at the same frames: those between are not even drawn.
        step = max(1, round(stride / span.step)) * span.step
        first = np.arange(0, max(1, count - span.frames + 1), step)
        return first, np.minimum(first + span.frames, count)
    stride = stride_seconds or span.seconds * STRIDE_SHARE
    begins = np.arange(0.0, max(0.0, end_seconds - span.seconds) + TIME_TOLERANCE_SECONDS, stride)
    # At an uneven rate two of them may begin with the same frame.
    first = np.unique(np.searchsorted(times, begins + TIME_TOLERANCE_SECONDS, side="right") - 1)
    end = np.searchsorted(times, times[first] + span.seconds - TIME_TOLERANCE_SECONDS)
    return first, np.maximum(end, first + 1)
