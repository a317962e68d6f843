"""The rows that are done, one a line, beside the output: what a killed run leaves, and the next one goes on from.

The first line says which model and views they are of. A line is appended in one write, so that a process that dies
leaves at most its last line torn; that line is cut off when the file is opened again.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from autox_video.dataset.messages import plural
from autox_video.errors import Problem, RequestError, RunError
from autox_video.using.predict.inputs import Key, Video

MARK = "autox_video_journal"
VERSION = 1
# What a crash of the whole machine may lose; of this process alone nothing is lost.
SYNC_SECONDS = 1.0
Stamp = tuple[int, int] | None


@dataclass(frozen=True)
class Row:
    """What came of a video: its scores, or why there are none."""

    scores: np.ndarray | None
    error: str | None = None


class Journal:
    """An open journal; `opened_journal` makes it.

    Attributes:
        kept: The rows with scores of an earlier run that are still true.
        notes: What a person should know of what was found in it.
    """

    def __init__(self, path: Path, descriptor: int) -> None:
        self._path, self._descriptor = path, descriptor
        self._synced = time.monotonic()
        self.kept: dict[Key, Row] = {}
        self.notes: list[str] = []

    def add(self, video: Video, stamp: Stamp, row: Row, said: Mapping[str, Any]) -> None:
        """Append a row; it is kept from here on.

        Args:
            video: The video.
            stamp: Size and time of its file when it was read, see `stamp_of`.
            row: What came of it.
            said: Label and confidence, for people who follow the file.
        """
        scores = None if row.scores is None else [float(str(score)) for score in row.scores]
        size, changed = stamp or (None, None)
        where = dict(zip(("file", "start_seconds", "end_seconds"), video.key, strict=True))
        self.write({**where, "size": size, "mtime_ns": changed, "error": row.error, **said, "scores": scores})

    def write(self, line: Mapping[str, Any]) -> None:
        """Append a line.

        Raises:
            RunError: The disk is full.
        """
        text = (json.dumps(line, ensure_ascii=False, allow_nan=False) + "\n").encode()
        try:
            while text:
                text = text[os.write(self._descriptor, text) :]
            if time.monotonic() - self._synced > SYNC_SECONDS:
                self.sync()
        except OSError as error:
            wrong, cure = f"cannot be written: {error.strerror}", "Free space; the same command then goes on"
            raise RunError(Problem(str(self._path), wrong, cure)) from error

    def sync(self) -> None:
        """Make what was written durable."""
        os.fsync(self._descriptor)
        self._synced = time.monotonic()


def journal_path(output: Path) -> Path:
    """Where the journal of an output stands: `results.journal.jsonl` beside `results.json`."""
    return output.with_name(f"{output.stem}.journal.jsonl")


def stamp_of(file: str) -> Stamp:
    """Size and time of last change of a file, in bytes and nanoseconds; None of what is no file here."""
    try:
        status = os.stat(file)
    except (OSError, ValueError):
        return None
    return status.st_size, status.st_mtime_ns


@contextmanager
def opened_journal(
    path: Path, made_by: Mapping[str, Any], stamps: Mapping[Key, Stamp], *, fresh: bool = False
) -> Iterator[Journal]:
    """Open a journal, and read which rows are done.

    Args:
        path: The file; it is made when missing.
        made_by: What the rows must be of: model, views.
        stamps: The videos that are wanted, with what their files are like now.
        fresh: Forget the rows of earlier runs.

    Raises:
        RequestError: The file is something else, or another process writes it.
        RunError: It cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o666)
    except OSError as error:
        problem = Problem(str(path), f"cannot be written: {error.strerror}", "Choose another --output")
        raise RunError(problem) from error
    journal = Journal(path, descriptor)
    try:
        _lock(path, descriptor)
        head = {MARK: VERSION, **made_by}
        end = _read(journal, path, head, {} if fresh else stamps)
        if fresh:
            journal.notes, end = [], 0
        os.ftruncate(descriptor, end)
        if end == 0:
            journal.write(head)
        yield journal
        journal.sync()
    finally:
        os.close(descriptor)


def _lock(path: Path, descriptor: int) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        wrong, cure = "is being written by another `predict`", "Wait for it, or choose another --output"
        raise RequestError(Problem(str(path), wrong, cure)) from None
    except OSError:
        # A file system without locks.
        return


def _read(journal: Journal, path: Path, head: Mapping[str, Any], stamps: Mapping[Key, Stamp]) -> int:
    """Take in the rows that are still true; returns where the whole lines end, 0 where the journal begins anew."""
    end, lost = 0, 0
    changed: set[Key] = set()
    with path.open("rb") as file:
        for number, raw in enumerate(file):
            if number == 0 and not _is_ours(raw):
                raise _not_ours(path)
            if not raw.endswith(b"\n"):
                journal.notes.append(f"the last line of {path.name} was torn, as a kill leaves it: cut off")
                break
            line = _parsed(raw)
            if number == 0 and line != head:
                journal.notes.append(f"{path.name} is of another model, or of other views: all videos are scored anew")
                return 0
            end += len(raw)
            if line is None:
                lost += 1
            elif number:
                _take(line, stamps, journal.kept, changed)
    if lost:
        journal.notes.append(f"{plural(lost, 'damaged line')} of {path.name} left out")
    if changed:
        journal.notes.append(f"{plural(len(changed), 'video')} changed since they were scored, and are scored anew")
    return end


def _take(line: Mapping[str, Any], stamps: Mapping[Key, Stamp], kept: dict[Key, Row], changed: set[Key]) -> None:
    """Keep the row of a line if it is wanted and still true; a later line of a video is the later truth."""
    with contextlib.suppress(KeyError, TypeError, ValueError):
        key = (line["file"], line["start_seconds"], line["end_seconds"])
        if key not in stamps:
            return
        kept.pop(key, None)
        changed.discard(key)
        if stamps[key] != (None if line["size"] is None else (line["size"], line["mtime_ns"])):
            changed.add(key)
        # What could not be read is tried again: a network or a permission may have been mended.
        elif line["scores"] is not None:
            kept[key] = Row(np.array(line["scores"], dtype=np.float32))


def _parsed(raw: bytes) -> dict[str, Any] | None:
    try:
        line = json.loads(raw)
    except ValueError:
        return None
    return line if isinstance(line, dict) else None


def _is_ours(first: bytes) -> bool:
    """Whether a first line, whole or torn, is that of a journal."""
    begins = f'{{"{MARK}"'.encode()
    return first[: len(begins)] == begins[: len(first)]


def _not_ours(path: Path) -> RequestError:
    wrong, cure = "is in the place of the journal, and is none", "Move it away, or choose another --output"
    return RequestError(Problem(str(path), wrong, cure))
