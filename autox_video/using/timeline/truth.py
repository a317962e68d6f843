"""Segments that are known, and how well those that were found agree with them.

The figures are those of Lea et al., "Temporal Convolutional Networks for Action Segmentation and Detection" (CVPR 2017,
arXiv:1611.05267): segment F1 at a threshold of overlap, and the share of frames that are right. A segment that was
found is right where its intersection over union with a known one of its label reaches the threshold; of several that
meet the same known segment one is right and each other wrong. Background has no segments. Counts are added up over
videos before F1 is computed of them.
"""

from __future__ import annotations

import csv
import math
import os
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from autox_video.decoding.reader import TIME_TOLERANCE_SECONDS
from autox_video.errors import Problem, RequestError
from autox_video.using.predict.inputs import Video, path_in
from autox_video.using.timeline.segments import Segment

OVERLAPS: Final = (0.1, 0.25, 0.5)
COLUMNS: Final = ("start", "end", "label")
MAX_SHOWN: Final = 5


@dataclass(frozen=True)
class Agreement:
    """Counts of one video, or of several.

    Attributes:
        right: Segments found that are right, at each of `OVERLAPS`.
        found: Segments found.
        known: Segments known.
        right_frames: Frames whose labels are exactly the known ones.
        frames: All frames.
    """

    right: tuple[int, ...]
    found: int
    known: int
    right_frames: int
    frames: int


@dataclass(frozen=True)
class SegmentMetrics:
    """How well segments agree with known ones, over all videos that have known ones.

    Attributes:
        num_videos: Videos with known segments.
        f1: Segment F1 by the overlap that is asked for, such as `0.5`: in [0, 1].
        frame_accuracy: Share of frames whose labels are exactly the known ones, background included.
    """

    num_videos: int
    f1: dict[str, float]
    frame_accuracy: float


def agreement(found: Sequence[Segment], known: Sequence[Segment], times: np.ndarray) -> Agreement:
    """Count what is right in one video.

    Args:
        found: Segments that were found, ascending.
        known: Segments that are known.
        times: When each frame is shown, in seconds, shape (num_frames,).
    """
    return Agreement(
        tuple(num_right(found, known, overlap) for overlap in OVERLAPS),
        len(found),
        len(known),
        _right_frames(found, known, times),
        len(times),
    )


def metrics_of(counts: Sequence[Agreement]) -> SegmentMetrics | None:
    """The figures over several videos; None where there is none."""
    frames = sum(one.frames for one in counts)
    if not frames:
        return None
    segments = sum(one.found + one.known for one in counts)
    right = [sum(one.right[place] for one in counts) for place in range(len(OVERLAPS))]
    # Nothing found where nothing is: all is right.
    f1 = [2 * number / segments if segments else 1.0 for number in right]
    return SegmentMetrics(
        len(counts),
        {str(overlap): value for overlap, value in zip(OVERLAPS, f1, strict=True)},
        sum(one.right_frames for one in counts) / frames,
    )


def num_right(found: Sequence[Segment], known: Sequence[Segment], overlap: float) -> int:
    """How many segments are right where intersection over union must reach `overlap`."""
    met: set[int] = set()
    for segment in found:
        shares = [_overlap(segment, other) for other in known]
        best = int(np.argmax(shares)) if shares else 0
        if shares and shares[best] >= overlap:
            met.add(best)
    return len(met)


def _overlap(one: Segment, other: Segment) -> float:
    """Intersection over union; 0 of different labels."""
    if one.label != other.label:
        return 0.0
    shared = min(one.end_seconds, other.end_seconds) - max(one.start_seconds, other.start_seconds)
    whole = max(one.end_seconds, other.end_seconds) - min(one.start_seconds, other.start_seconds)
    return max(0.0, shared) / whole


def _right_frames(found: Sequence[Segment], known: Sequence[Segment], times: np.ndarray) -> int:
    wrong = np.zeros(len(times), dtype=bool)
    for label in {segment.label for segment in (*found, *known)}:
        wrong |= _on(found, label, times) != _on(known, label, times)
    return int((~wrong).sum())


def _on(segments: Iterable[Segment], label: str, times: np.ndarray) -> np.ndarray:
    """Which frames lie in a segment of a label."""
    on = np.zeros(len(times), dtype=bool)
    for segment in segments:
        if segment.label == label:
            bounds = np.array([segment.start_seconds, segment.end_seconds]) - TIME_TOLERANCE_SECONDS
            start, end = np.searchsorted(times, bounds)
            on[start:end] = True
    return on


def read_truth(
    path: Path, videos: Sequence[Video], classes: Sequence[str], background: Collection[str]
) -> Mapping[str, tuple[Segment, ...]]:
    """Read known segments.

    Args:
        path: CSV with a heading and the columns `start`, `end` (seconds) and `label`; with several videos `file` too,
            a path or URL as given on the command line, or the name alone.
        videos: The videos.
        classes: Names of the model's classes.
        background: Names that stand for none of them, whose rows are passed over.

    Returns:
        The segments of each video that has any in the file, by `Video.file`; a row of background counts as one.

    Raises:
        RequestError: The file cannot be read, or rows are wrong: the first few are named.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.DictReader(file))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        cure = "Name a CSV file with the columns file, start, end and label"
        raise RequestError(Problem(str(path), f"cannot be read: {error}", cure)) from error
    missing = [name for name in COLUMNS if rows and name not in rows[0]]
    if not rows or missing:
        wrong = f"lacks the column {missing[0]}" if missing else "holds no rows"
        raise RequestError(Problem(str(path), wrong, "Its first line must be file,start,end,label"))
    by_name: dict[str, list[str]] = {}
    for video in videos:
        for name in {video.file, video.name, Path(path_in(video.file)).name}:
            by_name.setdefault(name, []).append(video.file)
    known: dict[str, list[Segment]] = {}
    problems = []
    for number, row in enumerate(rows, start=2):
        try:
            meant = _video_of(row, videos, by_name)
            if meant is not None:
                known.setdefault(meant, []).extend(_segment_of(row, classes, background))
        except ValueError as error:
            problems.append(Problem(f"{path}:{number}", str(error), "Correct the row"))
    if problems:
        raise RequestError(problems[:MAX_SHOWN])
    if not known:
        cure = "Name the videos in the column file as on the command line"
        raise RequestError(Problem(str(path), "has no row of any of the videos", cure))
    return {video: tuple(sorted(some, key=lambda one: one.start_seconds)) for video, some in known.items()}


def _video_of(row: Mapping[str, str | None], videos: Sequence[Video], by_name: Mapping[str, list[str]]) -> str | None:
    """Whose row it is; None of a video that was not asked for."""
    name = row.get("file")
    if not name:
        if len(videos) > 1:
            raise ValueError("names no file, and there are several videos")
        return videos[0].file
    meant = by_name.get(name) or by_name.get(os.path.abspath(name), [])
    if len(meant) > 1:
        raise ValueError(f"several videos are called {name}")
    return meant[0] if meant else None


def _segment_of(
    row: Mapping[str, str | None], classes: Sequence[str], background: Collection[str]
) -> tuple[Segment, ...]:
    """The segment of a row; none for background."""
    try:
        start, end = float(row["start"] or ""), float(row["end"] or "")
    except ValueError:
        raise ValueError(f"start and end are not two numbers (got {row['start']!r}, {row['end']!r})") from None
    label = row["label"] or ""
    if not (math.isfinite(end) and 0 <= start < end):
        raise ValueError(f"a segment begins at 0 or later and ends after that (got {start:g} to {end:g})")
    if label in background:
        return ()
    if label not in classes:
        raise ValueError(f"the model has no class of this name (got {label!r})")
    return (Segment(start, end, label, 1.0),)
