"""Finding video files in a folder, and what a path on disk is."""

from __future__ import annotations

import os
import re
import stat
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from autox_video.decoding import is_numbered_image

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
    """The videos under a folder: files, or where there are none folders of numbered images.

    Attributes:
        paths: Relative to the folder, with `/`, in natural order.
        other_endings: How many files of each other ending were passed over; hidden files are not counted.
        closed_folders: Folders that cannot be listed, with the system's reason.
        folders: Every folder, relative, in natural order.
        image_folders: Folders of numbered images that were passed over, since there are files.
    """

    paths: tuple[str, ...]
    other_endings: Counter[str]
    closed_folders: tuple[str, ...]
    folders: tuple[str, ...]
    image_folders: tuple[str, ...] = ()


def is_video_name(name: str) -> bool:
    """Whether a name ends like a video."""
    # As a list of a million lines asks for it: first what is cheap and hardly ever true of another file.
    return name[name.rfind(".") :].casefold() in VIDEO_ENDINGS and os.path.splitext(name)[1] != ""


def natural_key(text: str) -> tuple[list[tuple[int, int, str]], str]:
    """Sort key by which `clip2` stands before `clip10`, and which never calls two different texts equal."""
    pieces = re.split(r"([0-9]+)", text.casefold())
    return [(0, int(piece), "") if piece.isdecimal() else (1, 0, piece) for piece in pieces if piece], text


def find_videos(folder: Path) -> FoundVideos:
    """Every video under a folder, links followed, hidden files and folders passed over.

    A folder that holds no image, among others that do, is found too: it is one that lost them.
    """
    paths: list[str] = []
    other: Counter[str] = Counter()
    closed: list[str] = []
    folders: list[str] = []
    images: list[str] = []
    bare: list[str] = []
    for below, names, is_last in _walk(folder, closed):
        if below:
            folders.append(below)
        if is_last and below and _holds_images(names):
            images.append(below)
            continue
        if is_last and below and not any(map(is_video_name, names)):
            bare.append(below)
        for name in names:
            if is_video_name(name):
                paths.append(f"{below}/{name}" if below else name)
            else:
                other[os.path.splitext(name)[1].casefold()] += 1
    folders.sort(key=natural_key)
    images.sort(key=natural_key)
    if not paths:
        beside = {os.path.dirname(below) for below in images} - {""}
        paths, images = [*images, *(below for below in bare if os.path.dirname(below) in beside)], []
    paths.sort(key=natural_key)
    return FoundVideos(tuple(paths), other, tuple(sorted(closed)), tuple(folders), tuple(images))


def videos_by_stem(folder: Path) -> dict[str, list[str]]:
    """Every video under a folder by its name without folder and ending: files, else folders of numbered images."""
    stems: dict[str, list[str]] = {}
    images: dict[str, list[str]] = {}
    for below, names, is_last in _walk(folder, []):
        if is_last and below and _holds_images(names):
            images.setdefault(os.path.basename(below), []).append(below)
        for name in names:
            if is_video_name(name):
                stems.setdefault(os.path.splitext(name)[0], []).append(f"{below}/{name}" if below else name)
    return images | stems


def holds_nested_video(folder: Path) -> bool:
    """Whether a sub-folder holds a video, be it a folder of numbered images; stops at the first."""
    return any(
        below and (any(map(is_video_name, names)) or ("/" in below and is_last and _holds_images(names)))
        for below, names, is_last in _walk(folder, [])
    )


def is_image_folder(path: str) -> bool:
    """Whether a folder with numbered images stands under this path."""
    try:
        return any(map(is_numbered_image, os.listdir(path)))
    except (OSError, ValueError):
        return False


def _holds_images(names: Iterable[str]) -> bool:
    """Whether a folder with these files is a video itself."""
    names = list(names)
    return any(map(is_numbered_image, names)) and not any(map(is_video_name, names))


def as_text(name: str) -> str:
    """A name from disk as text that any file can hold: bytes that are no UTF-8 become `\\udcXX`."""
    return name.encode("utf-8", "backslashreplace").decode("utf-8")


def is_file(path: str) -> bool:
    """Whether something that is not a folder stands under this path."""
    try:
        return not stat.S_ISDIR(os.stat(path).st_mode)
    except (OSError, ValueError):
        return False


def _walk(root: Path, closed: list[str]) -> Iterator[tuple[str, list[str], bool]]:
    """Yield every folder, relative to `root`, the names of the files in it, and whether it has no folders in it."""
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
        is_last = True
        for item in visible:
            if os.path.isdir(item.path) if item.is_symlink() else item.is_dir():
                waiting.append((f"{below}/{item.name}" if below else item.name, (*parents, real)))
                is_last = False
            else:
                names.append(item.name)
        yield below, names, is_last
