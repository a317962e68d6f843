"""The files of a timeline: JSON, CSV, SRT, a page; and a table over all videos."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from autox_video.dataset.video_files import as_text
from autox_video.using.timeline.page import page_of
from autox_video.using.timeline.record import OK, Timeline
from autox_video.using.timeline.segments import Segment
from autox_video.writing import csv_text, write_json, write_text

SUMMARY: Final = "timelines.csv"
_HEAD: Final = ("file", "start", "end", "label", "confidence", "status", "error")


def write_timeline(row: Timeline, file: Path, folder: Path, stem: str, known: Sequence[Segment] | None) -> None:
    """Write what was found in one video; the JSON last, so that what it stands for is there.

    Args:
        row: What was found.
        file: Where the video lies now; of a URL what was downloaded.
        folder: Where to write.
        stem: Of the names of the files.
        known: The segments that are known, for the page; None where none are.

    Raises:
        RunError: A file cannot be written.
    """
    if row.status == OK:
        write_text(folder / f"{stem}.csv", csv_text([_HEAD[1:5], *(_cells(segment) for segment in row.segments)]))
        write_text(folder / f"{stem}.srt", srt(row.segments))
        write_text(page_path(folder, stem), page_of(row, file, known))
    write_json(folder / f"{stem}.json", dataclasses.asdict(row))


def page_path(folder: Path, stem: str) -> Path:
    """The page of a video that could be read."""
    return folder / f"{stem}.html"


def write_summary(rows: Sequence[Timeline], folder: Path) -> None:
    """Write a table with a row a segment; a video without any, or that could not be read, has one row of its own."""
    lines: list[Sequence[Any]] = [_HEAD]
    for row in rows:
        cells = [_cells(segment) for segment in row.segments] or [["", "", "", ""]]
        lines += [[as_text(row.file), *some, row.status, row.error or ""] for some in cells]
    write_text(folder / SUMMARY, csv_text(lines))


def srt(segments: Sequence[Segment]) -> str:
    """Subtitles: each segment is shown for as long as it lasts."""
    blocks = []
    for number, segment in enumerate(segments, start=1):
        # A blank line ends a subtitle, and an arrow begins one.
        label = " ".join(segment.label.split()).replace("-->", "->")
        times = f"{_clock(segment.start_seconds)} --> {_clock(segment.end_seconds)}"
        blocks.append(f"{number}\n{times}\n{label} ({segment.confidence:.0%})\n")
    return "\n".join(blocks)


def _clock(seconds: float) -> str:
    milliseconds = round(seconds * 1000)
    minutes, rest = divmod(milliseconds, 60_000)
    return f"{minutes // 60:02d}:{minutes % 60:02d}:{rest // 1000:02d},{rest % 1000:03d}"


def _cells(segment: Segment) -> list[str]:
    """To the millisecond, which is as exact as most containers are."""
    bounds = f"{segment.start_seconds:.3f}", f"{segment.end_seconds:.3f}"
    return [*bounds, segment.label, f"{segment.confidence:.4f}"]
