"""What each video is: opened once by the route that training takes, and remembered."""

from __future__ import annotations

import dataclasses
import json
import os
import stat
from collections.abc import Collection, Iterable
from contextlib import closing
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from autox_video.dataset.folders import Folders
from autox_video.dataset.probe_pool import Answer, read_videos
from autox_video.decoding import FILES
from autox_video.progress import progress_bar
from autox_video.writing import write_json

CACHE_VERSION = 4
LIMIT_SECONDS = 20.0
MAX_WORKERS = 8
MISSING = "does not exist"


@dataclass(frozen=True, slots=True)
class VideoFacts:
    """A video that can be read.

    Attributes:
        num_frames: From its container; of a folder of images their number.
        fps: Frames a second: as stated, or as shown where that is something else; None where neither is known.
        duration_seconds: From the beginning of its first frame to the end of its last; None where it is not known.
        width: Of a decoded frame, in pixels.
        height: Of a decoded frame, in pixels.
        size_bytes: Of the file, or of all files of a folder.
        decoder: What `autox_video.decoding.open_video` reads it with.
        unfit: Why MMAction2 alone must not read it, with decord, such as `its frame rate varies`, or None.
        digest: Of its bytes, in hex.
        frame_hashes: What its first, middle and last frame look like (see `frame_hashes`).
    """

    num_frames: int
    fps: float | None
    width: int
    height: int
    size_bytes: int
    duration_seconds: float | None = None
    decoder: str = FILES
    unfit: str | None = None
    digest: str = ""
    frame_hashes: tuple[str, ...] = ()


ANSWERED = {field.name for field in dataclasses.fields(VideoFacts)} - {"size_bytes"}


def probe_videos(
    files: Iterable[str],
    cache: Path,
    *,
    chosen: Collection[str] | None = None,
    limit_seconds: float = LIMIT_SECONDS,
    num_workers: int | None = None,
) -> dict[str, VideoFacts | str]:
    """Find out which videos can be read, and their facts.

    Args:
        files: Absolute paths.
        cache: File of what earlier calls found out; read, and written when something was added,
            also when the call is interrupted.
        chosen: The files to open; of others it is only told what the cache knows of them, and whether they can be
            there. By default all.
        limit_seconds: Time a video may take.
        num_workers: Processes that open videos; by default one a core, 8 at most.

    Returns:
        For each path its facts, or the reason why it cannot be used, such as `is empty`. A file that was not
        chosen and can be there is left out.

    Raises:
        RunError: The processes do not start, or the cache cannot be written.
    """
    known = read_cache(cache)
    found: dict[str, VideoFacts | str] = {}
    stamps: dict[str, list[int]] = {}
    unknown: list[str] = []
    folders = Folders()
    for file in dict.fromkeys(files):
        opening = chosen is None or file in chosen
        if not opening and file not in known and folders.is_regular(file):
            continue
        stamp = _stamp(file)
        if isinstance(stamp, str):
            found[file] = stamp
        elif (entry := known.get(file)) and entry["stamp"] == stamp:
            found[file] = _facts(entry, stamp[0])
        elif opening:
            stamps[file] = stamp
            unknown.append(file)
    if not unknown:
        return found
    learned = False
    workers = num_workers or min(_num_cpus(), MAX_WORKERS)
    try:
        with (
            progress_bar(len(unknown), "reading videos") as bar,
            closing(read_videos(unknown, workers, limit_seconds)) as answers,
        ):
            for file, answer in answers:
                found[file] = _facts(answer, stamps[file][0])
                bar.advance()
                if answer.pop("lasting", True) and _is_utf8(file):
                    known[file] = {"stamp": stamps[file], **answer}
                    learned = True
    finally:
        if learned:
            write_cache(cache, known)
    return found


def remembered_videos(files: Iterable[str], cache: Path) -> dict[str, VideoFacts]:
    """What is known of files that could be read once, be they changed or gone since."""
    known = read_cache(cache)
    found = {file: _facts(known[file], known[file]["stamp"][0]) for file in files if file in known}
    return {file: facts for file, facts in found.items() if isinstance(facts, VideoFacts)}


def _stamp(file: str) -> list[int] | str:
    """Size and time of change, by which a file is known again; or why there is no point in opening it."""
    try:
        status = os.stat(file)
    except (FileNotFoundError, NotADirectoryError):
        return MISSING
    except (OSError, ValueError) as error:
        return f"cannot be read: {getattr(error, 'strerror', None) or error}"
    if stat.S_ISDIR(status.st_mode):
        return _folder_stamp(file, status.st_mtime_ns)
    if not stat.S_ISREG(status.st_mode):
        return "is not a regular file"
    if status.st_size == 0:
        return "is empty"
    if not os.access(file, os.R_OK):
        return "cannot be read: Permission denied"
    return [status.st_size, status.st_mtime_ns]


def _folder_stamp(folder: str, changed_ns: int) -> list[int] | str:
    """The size of all files in a folder, and when any of them, or which there are, was changed last."""
    size = 0
    try:
        with os.scandir(folder) as items:
            for item in items:
                status = item.stat()
                size += status.st_size
                changed_ns = max(changed_ns, status.st_mtime_ns)
    except OSError as error:
        return f"cannot be read: {error.strerror}"
    return [size, changed_ns]


def _facts(answer: Answer, size_bytes: int) -> VideoFacts | str:
    if "reason" in answer:
        return str(answer["reason"])
    values = {name: answer[name] for name in ANSWERED}
    return VideoFacts(size_bytes=size_bytes, **(values | {"frame_hashes": tuple(answer["frame_hashes"])}))


def read_cache(cache: Path) -> dict[str, dict[str, Any]]:
    """What is remembered of each file; nothing where the cache is missing, damaged or of other decoders."""
    try:
        content = json.loads(cache.read_text(encoding="utf-8"))
        if (content["version"], content["decoders"]) != (CACHE_VERSION, _decoders()):
            return {}
        return {
            file: entry
            for file, entry in content["videos"].items()
            if "stamp" in entry and ("reason" in entry or entry.keys() >= ANSWERED)
        }
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}


def write_cache(cache: Path, known: dict[str, dict[str, Any]]) -> None:
    """Remember what `read_cache` will return."""
    write_json(cache, {"version": CACHE_VERSION, "decoders": _decoders(), "videos": known})


def _is_utf8(file: str) -> bool:
    return file.encode("utf-8", "replace").decode("utf-8") == file


def _decoders() -> str:
    return f"av {metadata.version('av')}"


def _num_cpus() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
