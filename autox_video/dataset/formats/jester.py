"""Jester, and Something-Something in its first version: `id;label` a line, without a header."""

from __future__ import annotations

import re
from collections.abc import Collection

from autox_video.dataset.entries import Entry, Listing, Part
from autox_video.dataset.list_lines import numbered_lines
from autox_video.dataset.sources import Source, find_by_stem, read_own, unlabelled
from autox_video.errors import Problem

_LINE = re.compile(r"([0-9]+)(?:;(.*\S.*))?")
LINES_TO_JUDGE = 50


def detect(source: Source) -> bool:
    """Whether the first lines of a list are numbers with a label in words, or in a test list numbers alone."""
    lines = numbered_lines(source.head)[:LINES_TO_JUDGE]
    matches = [_LINE.fullmatch(line.strip()) for _, line in lines]
    labels = [match[2] for match in matches if match]
    if not labels or len(labels) < len(matches):
        return False
    if all(label is None for label in labels):
        return source.split == "test"
    return all(label and not label.strip().isdecimal() for label in labels)


def read(source: Source, splits: Collection[str]) -> Listing:
    """Read the list as the split that it was named for; a video is what is called by the id."""
    own = read_own(source, splits)
    if isinstance(own, Listing):
        return own
    split, text = own
    entries: list[Entry] = []
    problems: list[Problem] = []
    for number, line in numbered_lines(text):
        where, match = f"{source.name}:{number}", _LINE.fullmatch(line.strip())
        found = find_by_stem(source, match[1], where, ()) if match else None
        if match is None:
            problems.append(Problem(where, "is not a number and a label", "Write `id;label`", repr(line.strip())))
        elif isinstance(found, Problem):
            problems.append(found)
        else:
            entries.append(Entry(found or f"{match[1]}.mp4", match[2].strip() if match[2] else None, where))
    part = Part(tuple(entries), str(source.path), named=True)
    return Listing({split: part}, (), (*problems, *unlabelled(entries, split)))
