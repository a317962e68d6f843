"""The figures of a split, from the facts of its videos."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from autox_video.dataset.facts import Percentiles
from autox_video.dataset.messages import plural
from autox_video.dataset.probe import VideoFacts

# A rate above this is a slip of the container (often its clock): high-speed cameras stay below.
MAX_FPS = 1000.0
ASSUMED_FPS = 25.0


def measure(videos: Sequence[VideoFacts]) -> dict[str, Percentiles]:
    """The `Percentiles` fields of `SplitFacts`, by name."""
    timed = [video for video in videos if has_usable_fps(video)]
    sides = np.array([(video.width, video.height) for video in videos])
    frames = [video.num_frames for video in (timed or videos)]
    fps = np.array([video.fps if timed else ASSUMED_FPS for video in (timed or videos)], dtype=float)
    return {
        "num_frames": _percentiles([video.num_frames for video in videos]),
        "fps": _percentiles(fps),
        "duration_seconds": _percentiles(np.array(frames) / fps),
        "short_side_px": _percentiles(sides.min(axis=1)),
        "long_side_px": _percentiles(sides.max(axis=1)),
        "size_bytes": _percentiles([video.size_bytes for video in videos]),
    }


def has_usable_fps(video: VideoFacts) -> bool:
    """Whether the container states a frame rate that can be true."""
    return video.fps is not None and 0 < video.fps <= MAX_FPS


def fps_notes(split: str, videos: Sequence[VideoFacts]) -> list[str]:
    """What to say of videos without a usable frame rate."""
    untimed = sum(not has_usable_fps(video) for video in videos)
    if not untimed:
        return []
    if untimed == len(videos):
        return [f"no {split} video states a usable frame rate, so {ASSUMED_FPS:g} frames a second are assumed"]
    return [f"{untimed} of {plural(len(videos), f'{split} video')} state no usable frame rate, and are left out of it"]


def _percentiles(values: Sequence[float] | np.ndarray) -> Percentiles:
    return Percentiles(*(round(float(value), 4) for value in np.percentile(values, [0, 5, 50, 95, 100])))
