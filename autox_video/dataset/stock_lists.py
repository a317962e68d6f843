"""The lists that MMAction2's own `VideoDataset` reads, for `render --stock`."""

from __future__ import annotations

import os
from pathlib import Path

from autox_video.dataset.annotations import Row, read_rows
from autox_video.dataset.entries import ids_of
from autox_video.dataset.folders import Folders
from autox_video.dataset.probe import VideoFacts, remembered_videos
from autox_video.decoding import FILES
from autox_video.writing import write_text


def stock_list(path: Path) -> Path:
    """Where the list stands that MMAction2 reads, beside a canonical one."""
    return path.parent / "stock" / path.name


def write_stock_list(path: Path, data_root: str, cache: Path) -> list[str]:
    """Write the lines of a canonical list that MMAction2 can read without this package, with decord.

    A line is `path<TAB>label`; several labels stand in as many columns.

    Args:
        path: The canonical list.
        data_root: Folder that relative paths in it start from.
        cache: What the probe found out.

    Returns:
        The videos that are left out, each with the reason.
    """
    rows = read_rows(path)
    folders = Folders()
    files = [folders.real(os.path.join(data_root, row.path)) for row in rows]
    known = remembered_videos(files, cache)
    reasons = [_only_ours(row, known.get(file)) for row, file in zip(rows, files, strict=True)]
    pairs = list(zip(rows, reasons, strict=True))
    lines = ("\t".join([row.path, *map(str, ids_of(row.label))]) for row, reason in pairs if reason is None)
    write_text(stock_list(path), "".join(f"{line}\n" for line in lines))
    return [f"{row.path}: {reason}" for row, reason in pairs if reason is not None]


def _only_ours(row: Row, facts: VideoFacts | None) -> str | None:
    """Why MMAction2 alone must not read a video, or None."""
    if row.decoder != FILES:
        return "it is a folder of images"
    if (row.start_seconds, row.end_seconds) != (None, None):
        return "only a piece of it is meant"
    return "it was not opened" if facts is None else facts.unfit
