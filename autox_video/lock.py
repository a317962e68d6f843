"""One training at a time in a work dir: an advisory lock that the kernel releases when its holder dies.

Only a training takes it. Testing and checking beside it are free: they read checkpoints, which are whole at any
moment, and replace files of their own in one step.
"""

from __future__ import annotations

import fcntl
import logging
import os
import re
import shlex
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from autox_video.errors import Problem, RequestError, RunError
from autox_video.writing import sync_folder

logger = logging.getLogger(__name__)
NAME = ".lock"
# Descriptors of the locks that this process holds.
_held: set[int] = set()


@contextmanager
def only_run(root: Path) -> Iterator[None]:
    """While the block runs, no other training can begin in this work dir.

    `.lock` in the work dir says who holds the lock. It stays there afterwards, empty: the lock is the
    kernel's, and removing the file would make it two locks.

    Args:
        root: The work dir; it is made when missing.

    Raises:
        RequestError: Another process holds the lock.
        RunError: The file cannot be written.
    """
    descriptor = _open(root)
    try:
        if _lock(root, descriptor):
            _held.add(descriptor)
            # Not replaced in one step as other files are: the lock is on this very file.
            _write(root, descriptor, f"pid {os.getpid()} on {socket.gethostname()}, since {_now()}: {_command()}\n")
        yield
    finally:
        if descriptor in _held:
            _write(root, descriptor, "")
        _held.discard(descriptor)
        os.close(descriptor)


def is_running(root: Path) -> bool:
    """Whether a training runs in this work dir, as far as `.lock` tells; the lock itself is not touched.

    Args:
        root: The work dir.
    """
    try:
        told = re.match(r"pid (\d+) on (\S+),", (root / NAME).read_text(encoding="utf-8", errors="replace"))
    except OSError:
        return False
    if told is None:
        return False
    # Of another machine nothing can be asked: a training that was killed there looks as if it went on.
    return told[2] != socket.gethostname() or Path(f"/proc/{told[1]}").exists()


def _open(root: Path) -> int:
    try:
        root.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(root / NAME, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        sync_folder(root)
        return descriptor
    except OSError as error:
        wrong = f"cannot be written: {error.strerror or error}"
        raise RunError(Problem(str(root), wrong, "Free space or choose another work_dir")) from error


def _lock(root: Path, descriptor: int) -> bool:
    """Take the lock; False where the file system has none."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        holder = os.pread(descriptor, 4096, 0).decode(errors="replace").strip() or "it does not say who it is"
        cure = "Wait until it ends, stop it, or choose another work_dir"
        raise RequestError(Problem(str(root), "another training is running here", cure, holder)) from error
    except OSError as error:
        reason = error.strerror or error
        logger.warning("warning  %s cannot be locked (%s): see to it that no other training runs there", root, reason)
        return False
    return True


def _write(root: Path, descriptor: int, text: str) -> None:
    try:
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, text.encode(), 0)
    except OSError as error:
        # Whose lock it is helps a person; that it is locked does not depend on it.
        logger.debug("%s/%s cannot be written: %s", root, NAME, error)


def _now() -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S")


def _command() -> str:
    return shlex.join(sys.argv) if sys.argv else "python"


def _forget_in_child() -> None:
    """A forked process that outlives us, as a decoding one may for seconds, must not hold our lock."""
    while _held:
        os.close(_held.pop())


os.register_at_fork(after_in_child=_forget_in_child)
