"""The canonical lists: `path<TAB>label<TAB>decoder[<TAB>start<TAB>end]` a line, without a header.

Several labels stand in one column, as `3;5`.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from autox_video.dataset.entries import Label, Sample, ids_of
from autox_video.dataset.video_files import is_file, is_image_folder
from autox_video.writing import write_text

# Of a file; folders of images need none.
NO_ENDING = "has no ending in its name, and MMAction2 would open the name with .mp4 added"


def canonical_path(path: str, root: str) -> str:
    """How a listed path is written so that MMAction2 opens the file that was meant.

    MMAction2 strips a line, so a leading blank is kept behind `./`. To a name without an ending it
    adds `.mp4`; where only that file exists, the ending is written out.

    Args:
        path: As listed.
        root: Folder that relative paths start from.
    """
    if "." not in path[-5:] and not os.path.splitext(path)[1]:
        full = os.path.join(root, path)
        # The images are looked for last: hardly any path comes so far.
        if not is_file(full) and is_file(full + ".mp4") and not is_image_folder(full):
            path += ".mp4"
    return f"./{path}" if path != path.lstrip() else path


def unlistable(path: str) -> str | None:
    """Why a path cannot stand in a canonical list, or None."""
    if path.isascii() and path.isprintable() and path[-1:] != " " and "." in path[1 + path.rfind("/") :].lstrip("."):
        return None
    if not path.isprintable() and ("\t" in path or path.splitlines() != [path]):
        return "has a tab or a line break in its name, which cannot stand in a list"
    if path != path.rstrip():
        return "has a blank at the end of its name, which cannot stand in a list"
    try:
        path.encode("utf-8")
    except UnicodeEncodeError:
        return "has a name that is not UTF-8, which cannot stand in a list"
    if not os.path.splitext(path)[1]:
        return NO_ENDING
    return None


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a canonical list.

    Attributes:
        path: Relative to the data root, or absolute.
        label: Class id, or ids where the video has several labels; None where it has none.
        decoder: What `autox_video.decoding.open_video` reads it with.
        start_seconds: Where the labelled piece of the video begins; None for its beginning.
        end_seconds: Where it ends; None for its end.
    """

    path: str
    label: Label | None
    decoder: str
    start_seconds: float | None = None
    end_seconds: float | None = None


def write_annotations(path: Path, samples: Iterable[Sample], decoders: Iterable[str]) -> None:
    """Write a canonical list: what is not there, such as the label of an unlabelled video, is an empty column."""
    lines = []
    for sample, decoder in zip(samples, decoders, strict=True):
        label = str(sample.label) if isinstance(sample.label, int) else ";".join(map(str, ids_of(sample.label)))
        if sample.start_seconds is sample.end_seconds is None:
            lines.append(f"{sample.path}\t{label}\t{decoder}")
            continue
        values = (sample.path, label, decoder, sample.start_seconds, sample.end_seconds)
        lines.append("\t".join("" if value is None else str(value) for value in values).rstrip("\t"))
    write_text(path, "".join(f"{line}\n" for line in lines))


def columns(line: str) -> list[str]:
    """Path, label, decoder, start and end in a line of a canonical list, as text; empty where they are left out."""
    return [*line.split("\t"), "", ""][:5]


def read_rows(path: Path) -> list[Row]:
    """The lines of a canonical list, in order."""
    rows = []
    for line in path.read_text(encoding="utf-8").split("\n"):
        if line:
            file, label, decoder, start, end = columns(line)
            rows.append(Row(file, _label(label), decoder, _seconds(start), _seconds(end)))
    return rows


def _label(text: str) -> Label | None:
    ids = tuple(map(int, text.split(";"))) if text else ()
    return ids if len(ids) > 1 else ids[0] if ids else None


def _seconds(text: str) -> float | None:
    return float(text) if text else None
