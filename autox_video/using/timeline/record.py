"""What is found out about one video: the product, in a file of JSON."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from autox_video.using.timeline.segments import Interval, Segment
from autox_video.using.timeline.truth import SegmentMetrics

VERSION: Final = 1
OK: Final = "ok"
ERROR: Final = "error"


@dataclass(frozen=True)
class Model:
    """What looked.

    Attributes:
        name: Of its preset.
        path: Its file.
        sha256: The file's digest, in hex.
        epoch: After which it was written.
        classes: Class names.
        calibrated: Whether its confidences were fitted to be true.
    """

    name: str
    path: str
    sha256: str
    epoch: int
    classes: tuple[str, ...]
    calibrated: bool


@dataclass(frozen=True)
class Settings:
    """What decided, beside the model.

    Attributes:
        enter: Probability that a segment must reach somewhere, one a class.
        leave: Probability below which it ends, one a class.
        source: Where these come from, for people.
        stride_seconds: From one window to the next as asked for; None for a share of the window.
        window_seconds: How long a window lasts, as asked for or as training videos last; None where clips say it.
        min_seconds: Shortest segment as asked for; None for a share of the window.
        background: Names of the classes that make no segment.
        still: Names of the classes that may stand still; None where still scenes are looked at like all others.
    """

    enter: tuple[float, ...]
    leave: tuple[float, ...]
    source: str
    stride_seconds: float | None
    window_seconds: float | None
    min_seconds: float | None
    background: tuple[str, ...]
    still: tuple[str, ...] | None


@dataclass(frozen=True)
class Timeline:
    """One video.

    Attributes:
        version: Of this file's layout.
        file: Its absolute path, or its URL.
        size_bytes: Of the file; None where it could not be read, and of a URL.
        modified_ns: When it was last changed, in nanoseconds since 1970; None likewise.
        status: `ok`, or `error` where the video could not be read.
        error: Why, or None.
        model: What looked.
        settings: What decided.
        num_frames: Frames of the video.
        duration_seconds: How long it is.
        num_windows: How often the model looked.
        window_seconds: How long one look lasts, at the video's mean rate.
        stride_seconds: From one look to the next, on average.
        still: Where nothing moves: beginning and end in seconds.
        segments: What was found, by its beginning.
        metrics: How well it agrees with the segments that are known; None where none are.
    """

    version: int
    file: str
    size_bytes: int | None
    modified_ns: int | None
    status: str
    error: str | None
    model: Model
    settings: Settings
    num_frames: int = 0
    duration_seconds: float = 0.0
    num_windows: int = 0
    window_seconds: float = 0.0
    stride_seconds: float = 0.0
    still: tuple[Interval, ...] = ()
    segments: tuple[Segment, ...] = ()
    metrics: SegmentMetrics | None = None
