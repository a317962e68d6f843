"""Kinetics: CSV of `label,youtube_id,time_start,time_end,split`; the name of a video is made of id and times."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from autox_video.dataset.entries import Entry, Listing
from autox_video.dataset.list_lines import read_text
from autox_video.dataset.messages import plural
from autox_video.dataset.sources import Source, find_by_stem
from autox_video.dataset.table_rows import Row, columns_of, read_rows
from autox_video.dataset.table_splits import divide_rows
from autox_video.errors import Problem

COLUMNS = {"youtube_id", "time_start", "time_end"}


def detect(source: Source) -> bool:
    """Whether a list begins with the columns of Kinetics, and so has none for paths."""
    columns = columns_of(source.head)
    return COLUMNS <= set(columns) <= COLUMNS | {"label", "split", "is_cc"}


def read(source: Source, splits: Collection[str]) -> Listing:
    """Read the rows. Cut files have the times in their names; of a file named by its id alone a piece is meant."""
    text = read_text(source.path, source.name)
    if isinstance(text, Problem):
        return Listing({}, (), (text,))
    problems: list[Problem] = []
    rows: list[tuple[Entry, str]] = []
    for row in read_rows(text, source.name):
        entry = row if isinstance(row, Problem) else _entry(source, row)
        if isinstance(entry, Problem):
            problems.append(entry)
        elif isinstance(row, Row):
            rows.append((entry, row.cells.get("split", "")))
    listing = divide_rows(source, rows, splits, named=True)
    whole = sum(entry.start_seconds is not None for part in listing.parts.values() for entry in part.entries)
    note = f"{source.name}: {plural(whole, 'video')} without times in the name: of each, the listed seconds are used"
    notes = (*([note] if whole else []), *listing.notes)
    return Listing(listing.parts, notes, (*problems, *listing.problems))


def _entry(source: Source, row: Row) -> Entry | Problem:
    where = f"{source.name}:{row.number}"
    cell: Mapping[str, str] = {column: text.strip() for column, text in row.cells.items()}
    name, label = cell["youtube_id"], cell.get("label", "")
    if not name:
        return Problem(where, "has no youtube_id", "Write it, or take the row out")
    try:
        start, end = float(cell["time_start"]), float(cell["time_end"])
        cut = f"{name}_{int(start):06d}_{int(end):06d}"
    except (ValueError, OverflowError):
        got = f"{cell['time_start']!r} and {cell['time_end']!r}"
        return Problem(where, "has times that are no numbers", "Write seconds in time_start and time_end", got)
    if not 0 <= start < end:
        cure = "Write seconds from the beginning of the video"
        return Problem(where, "has times in the wrong order", cure, f"{start:g} to {end:g}")
    folders = (label, label.replace(" ", "_"), cell.get("split", ""))
    found = find_by_stem(source, cut, where, folders)
    if found is None:
        found = find_by_stem(source, name, where, folders)
        if isinstance(found, str):
            return Entry(found, label or None, where, start, end, group=name)
    if isinstance(found, Problem):
        return found
    return Entry(found or f"{cut}.mp4", label or None, where, group=name)
