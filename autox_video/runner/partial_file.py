"""A file on its way to its name: no two processes write one, and what a killed one left is found again."""

from __future__ import annotations

import fcntl
import glob
import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO


@dataclass
class Part:
    """An unfinished file.

    Attributes:
        path: Its temporary name, in the folder of its final one.
        file: It, open for reading and writing.
        keep: Whether it stays for the next attempt when this one fails.
    """

    path: Path
    file: IO[bytes]
    keep: bool


@contextmanager
def open_part(final: Path, *, keep: bool) -> Iterator[Part]:
    """Open the unfinished file of `final`; one that is not renamed or kept by the end of the block is removed.

    Args:
        final: The name that it will have.
        keep: Whether an earlier attempt's part is gone on with; otherwise such parts are removed.

    Raises:
        OSError: The folder cannot be written.
    """
    file = None
    for leftover in sorted(final.parent.glob(f".{glob.escape(final.name)}.*.part")):
        found = _locked(leftover, "r+b")
        if found is not None and keep and file is None:
            file = found
        elif found is not None:
            leftover.unlink()
            found.close()
    while file is None:
        file = _locked(final.with_name(f".{final.name}.{uuid.uuid4().hex}.part"), "x+b")
    part = Part(Path(file.name), file, keep)
    try:
        yield part
    except OSError:
        # A full disk, say: the room is needed.
        part.keep = False
        raise
    finally:
        if not part.keep:
            part.path.unlink(missing_ok=True)
        file.close()


def _locked(path: Path, mode: str) -> IO[bytes] | None:
    """The file, locked by this process until it is closed; None where another one has it, or had it and is done."""
    try:
        file: IO[bytes] = path.open(mode)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        # Between opening and locking it may have been given its final name.
        ours = os.path.samestat(os.fstat(file.fileno()), path.stat())
    except OSError:
        # Held, gone, or on a file system without locks: there a new file is nobody else's, and an old one is left.
        ours = "x" in mode and path.exists()
    if not ours:
        file.close()
        return None
    return file
