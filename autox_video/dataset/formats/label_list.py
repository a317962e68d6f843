"""Lists of one `path label` a line, in `ann_file_train`, `ann_file_val` and `ann_file_test`."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Collection

from autox_video.dataset.entries import Entry, Listing, Part
from autox_video.dataset.folders import Folders
from autox_video.dataset.list_lines import read_lines
from autox_video.dataset.sources import Source, comments_note, read_own, unlabelled

# A plain list has no mark to know it by.
ANY_FILE = True


def detect(source: Source) -> bool:
    """Whether there is a list at all, and it is no JSON."""
    return source.is_list and re.match(r'\s*\[?\s*\{\s*"', source.head) is None


def read(source: Source, splits: Collection[str]) -> Listing:
    """Read the list as the split that it was named for."""
    own = read_own(source, splits)
    if isinstance(own, Listing):
        return own
    split, text = own
    lines, num_comments = read_lines(text, _exists_under(source.root))
    entries = tuple(
        Entry(line.path, line.label and sys.intern(line.label), f"{source.name}:{line.number}") for line in lines
    )
    part = Part(entries, str(source.path), named=False)
    return Listing({split: part}, comments_note(source, num_comments), tuple(unlabelled(entries, split)))


def _exists_under(root: str) -> Callable[[str], bool]:
    """Whether a listed path exists; one without an ending may stand for an .mp4, as in MMAction2."""
    is_file = Folders().is_file

    def exists(path: str) -> bool:
        full = os.path.join(root, path)
        # A folder of images comes last: of a file its folder has been read.
        return is_file(full) or (not os.path.splitext(full)[1] and is_file(full + ".mp4")) or os.path.isdir(full)

    return exists
