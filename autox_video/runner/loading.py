"""The processes that load videos: what each of them is reading, and their end."""

from __future__ import annotations

import mmap
import multiprocessing
import os
import signal
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.process import BaseProcess
from pathlib import Path

from torch.utils.data import DataLoader, get_worker_info

from autox_video.sockets import make_folder_of_sockets

# One slot a process: its id, when it began (by the monotonic clock), the length of the name, the name.
_HEAD = struct.Struct("=idH")
_SLOT_BYTES = 8192
# The last slot is the main process's; the settings allow 256 workers.
_MAIN = 256
# A killed process that waits for a disk ends only when that answers.
END_SECONDS = 10.0


@dataclass(frozen=True)
class Reading:
    """A file that a process is reading.

    Attributes:
        process: Its id.
        since: When it began, by the monotonic clock.
        file: The file.
    """

    process: int
    since: float
    file: str


def _new_board() -> mmap.mmap:
    """Memory that is shared with the processes that are forked off, and no file that someone must clear away."""
    return mmap.mmap(-1, (_MAIN + 1) * _SLOT_BYTES)


_board = _new_board()


@contextmanager
def reading(file: str) -> Iterator[None]:
    """Let it be known, while the block runs, that this process reads a file."""
    worker = get_worker_info()
    start = (_MAIN if worker is None else min(worker.id, _MAIN - 1)) * _SLOT_BYTES
    name = os.fsencode(file)[: _SLOT_BYTES - _HEAD.size]
    _board[start + _HEAD.size : start + _HEAD.size + len(name)] = name
    _HEAD.pack_into(_board, start, os.getpid(), time.monotonic(), len(name))
    try:
        yield
    finally:
        _HEAD.pack_into(_board, start, 0, 0.0, 0)


def files_being_read() -> list[Reading]:
    """What this process and those it has forked off are reading now, the longest first."""
    found = []
    for start in range(0, len(_board), _SLOT_BYTES):
        process, since, length = _HEAD.unpack_from(_board, start)
        if process:
            name = _board[start + _HEAD.size : start + _HEAD.size + length]
            found.append(Reading(process, since, os.fsdecode(name)))
    return sorted(found, key=lambda one: one.since)


def left_unread() -> list[Reading]:
    """What processes that have died since were reading."""
    return [one for one in files_being_read() if _state(one.process) in ("gone", "Z", "X")]


def stopped_processes() -> list[int]:
    """Children that are suspended, by SIGSTOP or a debugger."""
    return [child.pid for child in multiprocessing.active_children() if child.pid and _state(child.pid) in "Tt"]


def _state(process: int) -> str:
    try:
        # After the name, which may hold anything, in parentheses.
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return "gone"


def release(*loaders: DataLoader) -> None:
    """Let the processes of loaders that have delivered everything end by themselves.

    Left to the garbage collector, their queues may be closed before the processes are told.
    """
    for loader in loaders:
        loader._iterator = None


@contextmanager
def loaders_end() -> Iterator[None]:
    """The processes that were started while the block ran end with it.

    They do not heed a signal (see `stopping`), so multiprocessing, which sends one at exit and waits, would wait for
    ever.
    """
    global _board
    make_folder_of_sockets()
    # This process may be a fork of one that has another.
    _board = _new_board()
    before = set(multiprocessing.active_children())
    try:
        yield
    finally:
        _kill(set(multiprocessing.active_children()) - before)


def _kill(processes: set[BaseProcess]) -> None:
    # torch would take it for a crash and raise an error.
    handled = signal.getsignal(signal.SIGCHLD)
    if in_main_thread := threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    for process in processes:
        process.kill()
    for process in processes:
        process.join(END_SECONDS)
    if in_main_thread:
        signal.signal(signal.SIGCHLD, handled)
