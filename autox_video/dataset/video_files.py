"""Finding video files in a folder, and what a path on disk is."""

from __future__ import annotations

import os
import re
import stat
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

VIDEO_ENDINGS = frozenset(
    f".{ending}"
    for endings in (
        ("3g2", "3gp", "asf", "avi", "divx", "dv", "f4v", "flv", "h264", "hevc", "ivf", "m1v", "m2t", "m2ts", "m2v"),
        ("m4v", "mjpeg", "mjpg", "mkv", "mov", "mp4", "mpe", "mpeg", "mpg", "mts", "mxf", "nut", "ogm", "ogv", "qt"),
        ("rm", "rmvb", "ts", "vob", "webm", "wmv", "y4m"),
    )
    for ending in endings
)


@dataclass(frozen=True)
class FoundVideos:
    """The videos under a folder.

    Attributes:
        paths: Relative to the folder, with `/`, in natural order.
        other_endings: How many files of each other ending were passed over; hidden files are not counted.
        closed_folders: Folders that cannot be listed, with the system's reason.
        folders: Every folder, relative, in natural order.
    """

    paths: tuple[str, ...]
    other_endings: Counter[str]
    closed_folders: tuple[str, ...]
    folders: tuple[str, ...]


def is_video_name(name: str) -> bool:
    """Whether a name ends like a video."""
    # As a list of a million lines asks for it: first what is cheap and hardly ever true of another file.
    return name[name.rfind(".") :].casefold() in VIDEO_ENDINGS and os.path.splitext(name)[1] != ""


def natural_key(text: str) -> tuple[list[tuple[int, int, str]], str]:
    """Sort key by which `clip2` stands before `clip10`, and which never calls two different texts equal."""
    pieces = re.split(r"([0-9]+)", text.casefold())
    return [(0, int(piece), "") if piece.isdecimal() else (1, 0, piece) for piece in pieces if piece], text


def find_videos(folder: Path) -> FoundVideos:
    """Every video under a folder, links followed, hidden files and folders passed over."""
    paths: list[str] = []
    other: Counter[str] = Counter()
    closed: list[str] = []
    folders: list[str] = []
    for below, names in _walk(folder, closed):
        if below:
            folders.append(below)
        for name in names:
            if is_video_name(name):
                paths.append(f"{below}/{name}" if below else name)
            else:
                other[os.path.splitext(name)[1].casefold()] += 1
    folders.sort(key=natural_key)
    return FoundVideos(tuple(sorted(paths, key=natural_key)), other, tuple(sorted(closed)), tuple(folders))


def videos_by_stem(folder: Path) -> dict[str, list[str]]:
    """Every video under a folder, as `find_videos` has it, by its name without folder and ending."""
    stems: dict[str, list[str]] = {}
    for below, names in _walk(folder, []):
        for name in names:
            if is_video_name(name):
                stems.setdefault(os.path.splitext(name)[0], []).append(f"{below}/{name}" if below else name)
    return stems


def holds_nested_video(folder: Path) -> bool:
    """Whether a sub-folder holds a video; stops at the first."""
    return any(below and any(map(is_video_name, names)) for below, names in _walk(folder, []))


def as_text(name: str) -> str:
    """A name from disk as text that any file can hold: bytes that are no UTF-8 become `\\udcXX`."""
    return name.encode("utf-8", "backslashreplace").decode("utf-8")


def is_file(path: str) -> bool:
    """Whether something that is not a folder stands under this path."""
    try:
        return not stat.S_ISDIR(os.stat(path).st_mode)
    except (OSError, ValueError):
        return False


def _walk(root: Path, closed: list[str]) -> Iterator[tuple[str, list[str]]]:
    """Yield every folder, relative to `root`, and the names of the files in it."""
    waiting: list[tuple[str, tuple[str, ...]]] = [("", ())]
    while waiting:
        below, parents = waiting.pop()
        folder = os.path.join(root, below)
        real = os.path.realpath(folder)
        if real in parents:  # a link to a folder above would make the walk endless
            continue
        try:
            with os.scandir(folder) as items:
                visible = [item for item in items if not item.name.startswith(".")]
        except OSError as error:
            closed.append(f"{folder} ({error.strerror})")
            continue
        names: list[str] = []
        for item in visible:
            if os.path.isdir(item.path) if item.is_symlink() else item.is_dir():
                waiting.append((f"{below}/{item.name}" if below else item.name, (*parents, real)))
            else:
                names.append(item.name)
        yield below, names
