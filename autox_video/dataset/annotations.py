"""The canonical lists: `path<TAB>label` a line, which MMAction2's `VideoDataset` reads as it is.

Several labels stand in as many columns.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from autox_video.dataset.entries import Label, Sample, ids_of
from autox_video.dataset.video_files import is_file
from autox_video.work_dir import write_text


def canonical_path(path: str, root: str) -> str:
    """How a listed path is written so that MMAction2 opens the file that was meant.

    MMAction2 strips a line, so a leading blank is kept behind `./`. To a name without an ending it
    adds `.mp4`; where only that file exists, the ending is written out.

    Args:
        path: As listed.
        root: Folder that relative paths start from.
    """
    full = os.path.join(root, path)
    if not os.path.splitext(path)[1] and not is_file(full) and is_file(full + ".mp4"):
        path += ".mp4"
    return f"./{path}" if path != path.lstrip() else path


def unlistable(path: str) -> str | None:
    """Why a path cannot stand in a canonical list, or None."""
    if not path.isprintable() and ("\t" in path or path.splitlines() != [path]):
        return "has a tab or a line break in its name, which cannot stand in a list"
    if path != path.rstrip():
        return "has a blank at the end of its name, which cannot stand in a list"
    try:
        path.encode("utf-8")
    except UnicodeEncodeError:
        return "has a name that is not UTF-8, which cannot stand in a list"
    if not os.path.splitext(path)[1]:
        return "has no ending in its name, and MMAction2 would open the name with .mp4 added"
    return None


def write_annotations(path: Path, samples: Iterable[Sample]) -> None:
    """Write a canonical list. Samples without a label get none."""
    lines = ("\t".join([sample.path, *map(str, ids_of(sample.label))]) for sample in samples)
    write_text(path, "".join(f"{line}\n" for line in lines))


def read_annotations(path: Path) -> list[tuple[str, Label | None]]:
    """Paths and labels of a canonical list, in order; one label is an id, several are a tuple."""
    fields = (line.split("\t") for line in path.read_text(encoding="utf-8").split("\n") if line)
    labels = ((first, tuple(map(int, rest))) for first, *rest in fields)
    return [(first, ids if len(ids) > 1 else ids[0] if ids else None) for first, ids in labels]
