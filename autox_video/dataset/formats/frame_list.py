"""MMAction2's lists of frames: `folder total_frames label` a line, or with several numbers for labels."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterator

from autox_video.dataset.entries import Entry, Listing, Part
from autox_video.dataset.list_lines import numbered_lines
from autox_video.dataset.sources import Source, comments_note, read_own
from autox_video.dataset.video_files import is_video_name
from autox_video.decoding import is_numbered_image
from autox_video.errors import Problem

LINES_TO_JUDGE = 20

_COUNT = re.compile(r"[\s,;]+([0-9]+)(?=[\s,;])")
_BETWEEN = " \t,;"


def detect(source: Source) -> bool:
    """Whether each of the first lines may be one, and one names a folder that has about as many images."""
    if not source.is_list:
        return False
    lines = [line for _, line in numbered_lines(source.head) if not _is_comment(line)][:LINES_TO_JUDGE]
    readings = [_read(line, source.root) for line in lines]
    return None not in readings and any(_fits(reading, source.root) for reading in readings if reading)


def read(source: Source, splits: Collection[str]) -> Listing:
    """Read the list as the split that it was named for; whether the numbers of frames are right shows later."""
    own = read_own(source, splits)
    if isinstance(own, Listing):
        return own
    split, text = own
    entries: list[Entry] = []
    problems: list[Problem] = []
    num_comments = 0
    for number, line in numbered_lines(text):
        where, reading = f"{source.name}:{number}", _read(line, source.root)
        if _is_comment(line):
            num_comments += 1
        elif reading is None:
            cure = "Write `folder total_frames label`"
            problems.append(Problem(where, "is not a folder, a number of frames and a label", cure, repr(line.strip())))
        else:
            path, count, label = reading
            entries.append(Entry(path, label, where, num_frames=count))
    part = Part(tuple(entries), str(source.path), named=False)
    return Listing({split: part}, comments_note(source, num_comments), tuple(problems))


def _is_comment(line: str) -> bool:
    return line.lstrip().startswith("# ")


def _read(line: str, root: str) -> tuple[str, int, str] | None:
    """Folder, number of frames and label; of several ways to read a line, the first whose folder exists."""
    readings = list(_readings(line.strip()))
    if len(readings) < 2:
        return readings[0] if readings else None
    return next((reading for reading in readings if os.path.isdir(os.path.join(root, reading[0]))), readings[-1])


def _readings(line: str) -> Iterator[tuple[str, int, str]]:
    for match in _COUNT.finditer(line):
        path, label = line[: match.start()], line[match.end() :].strip(_BETWEEN)
        if path and label and not is_video_name(path):
            yield path, int(match[1]), label


def _fits(reading: tuple[str, int, str], root: str) -> bool:
    """Whether the second column can be a number of images: it need not be right, but a label is far off."""
    path, count, _ = reading
    try:
        found = sum(map(is_numbered_image, os.listdir(os.path.join(root, path))))
    except (OSError, ValueError):
        return False
    return found > 0 and 2 * count > found
