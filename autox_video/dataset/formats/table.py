"""Tables with a header: CSV, TSV, JSON or JSON lines of `path,label[,split][,start,end][,group]`."""

from __future__ import annotations

import math
import os
import re
import sys
from collections.abc import Collection, Mapping, Sequence

from autox_video.dataset.entries import Entry, Listing
from autox_video.dataset.list_lines import read_text
from autox_video.dataset.messages import in_short
from autox_video.dataset.sources import Source
from autox_video.dataset.table_rows import Row, columns_of, read_rows
from autox_video.dataset.table_splits import divide_rows
from autox_video.dataset.video_files import is_file
from autox_video.errors import Problem

# What a column may be called; of several that a table has, the first here counts.
NAMES = {
    "path": (
        *("path", "video_path", "file_path", "filepath", "clip_path", "filename", "file_name", "file", "video_file"),
        *("video_name", "video", "clip_name", "clip", "frame_dir"),
    ),
    "label": (
        *("label", "labels", "class", "class_name", "classname", "category", "action", "label_name", "target", "tags"),
        *("tag", "class_id", "label_id"),
    ),
    "split": ("split", "subset", "set", "partition", "usage"),
    "start": ("start", "start_seconds", "start_time", "time_start", "start_sec", "t_start", "begin"),
    "end": ("end", "end_seconds", "end_time", "time_end", "end_sec", "t_end", "stop"),
    "group": ("group", "group_id", "recording", "recording_id", "source_id", "subject", "subject_id", "youtube_id"),
}
FRAMES = ("start_frame", "end_frame", "frame_start", "frame_end", "stop_frame")

_TIME = re.compile(r"(?:(?:([0-9]+):)?([0-5]?[0-9]):)?([0-9]+(?:\.[0-9]*)?|\.[0-9]+)")


def detect(source: Source) -> bool:
    """Whether a list begins with the names of columns, one of them for paths, or with an object that has such keys."""
    if not source.is_list:
        return False
    columns = columns_of(source.head)
    roles = _roles(columns)
    return "path" in roles and (len(roles) > 1 or len(columns) == 1)


def read(source: Source, splits: Collection[str]) -> Listing:
    """Read the table; a column of splits divides it."""
    text = read_text(source.path, source.name)
    if isinstance(text, Problem):
        return Listing({}, (), (text,))
    columns = list(columns_of(source.head))
    problems = _unusable_columns(source, columns)
    rows: list[tuple[Entry, str]] = []
    roles, known = _roles(columns), set(columns)
    for row in [] if problems else read_rows(text, source.name):
        if isinstance(row, Problem):
            problems.append(row)
            continue
        if not row.cells.keys() <= known:  # an object may have keys that the first one lacks
            columns += [column for column in row.cells if column not in columns]
            roles, known = _roles(columns), set(columns)
        entry = _entry(row, roles, source)
        if isinstance(entry, Problem):
            problems.append(entry)
        else:
            rows.append((entry, sys.intern(row.cells.get(roles.get("split", ""), ""))))
    if problems and not rows:
        return Listing({}, (), tuple(problems))
    listing = divide_rows(source, rows, splits, named=False)
    unused = [column for column in columns if column not in roles.values()]
    notes = [f"{source.name}: columns left out: {in_short(unused)}"] if unused else []
    return Listing(listing.parts, (*notes, *listing.notes), (*problems, *listing.problems))


def _roles(columns: Sequence[str]) -> dict[str, str]:
    """What each column that is used is for: its name, by role."""
    found = {role: next((name for name in names if name in columns), None) for role, names in NAMES.items()}
    return {role: name for role, name in found.items() if name is not None}


def _unusable_columns(source: Source, columns: Sequence[str]) -> list[Problem]:
    where, roles = f"{source.name}:1", _roles(columns)
    problems = []
    if "label" not in roles and source.split != "test":
        cure = "Add a column `label`, or call it so"
        problems.append(Problem(where, "has no column of labels", cure, in_short(list(columns))))
    if frames := [column for column in columns if column in FRAMES]:
        cure = "Give columns `start` and `end` in seconds"
        problems.append(Problem(where, "gives pieces of videos in frames", cure, in_short(frames)))
    if twice := [column for column in set(roles.values()) if columns.count(column) > 1]:
        problems.append(Problem(where, "has a column twice", "Keep one of them", in_short(sorted(twice))))
    return problems


def _entry(row: Row, roles: Mapping[str, str], source: Source) -> Entry | Problem:
    where = f"{source.name}:{row.number}"
    cell = {role: row.cells.get(column, "").strip() for role, column in roles.items()}
    path = row.cells.get(roles["path"], "")
    if path != cell["path"] and not is_file(os.path.join(source.root, path)):
        path = cell["path"]
    if not path:
        return Problem(where, "has no path", "Write the path of the video, or take the row out")
    piece: list[float | None] = [None, None]
    for position, role in enumerate(("start", "end")):
        if text := cell.get(role):
            seconds = _seconds(text)
            if seconds is None:
                wrong = f"has {'a' if role == 'start' else 'an'} {role} that is no time"
                return Problem(where, wrong, "Write seconds such as 12.5, or 1:02.5", repr(text))
            piece[position] = seconds
    start, end = piece
    if start is not None and end is not None and end <= start:
        cure = "Write seconds from the beginning of the video"
        return Problem(where, "ends before it begins", cure, f"{cell['start']} to {cell['end']}")
    return Entry(path, sys.intern(cell.get("label", "")) or None, where, start, end, cell.get("group") or None)


def _seconds(text: str) -> float | None:
    """Seconds from `12.5`, `1:02.5` or `1:00:02`; None where it is none of these."""
    match = _TIME.fullmatch(text)
    if match is None or not math.isfinite(float(match[3])):
        return None
    return 3600 * int(match[1] or 0) + 60 * int(match[2] or 0) + float(match[3])
