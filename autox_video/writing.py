"""How a file is written so that it is never half there: a temporary name, fsync, rename, fsync of its folder."""

from __future__ import annotations

import csv
import fcntl
import io
import json
import os
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

from autox_video.errors import Problem, RunError

# What the name of a file ends in until it is whole; no one else's files are called so.
TEMPORARY_ENDING = ".autox.tmp"
STILL_WRITTEN_SECONDS = 3600


@contextmanager
def replacing(path: Path, keep: Path | None = None) -> Iterator[Path]:
    """A temporary file beside `path`, to be written in the block; it takes the name when the block ends well.

    Args:
        path: The final name; its folder is made when missing. What stood there is replaced, durably and in one step.
        keep: Another name in the folder for what stood there.

    Yields:
        The temporary file, empty. It is removed when the block raises.

    Raises:
        RunError: The file could not be written; what stood under `path` is untouched.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # A file name may have 255 bytes: a long one is not carried whole.
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name[:20]}.", suffix=TEMPORARY_ENDING)
        temporary = Path(name)
        try:
            # The kernel lets go of it when this process dies: so `clear_leftovers` knows what is one.
            with suppress(OSError):
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            yield temporary
            # mkstemp makes the file private; a result is as readable as any file the user makes.
            umask = os.umask(0)
            os.umask(umask)
            os.chmod(temporary, 0o666 & ~umask)
            publish(temporary, path, keep)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
        finally:
            os.close(handle)
    except (OSError, RuntimeError) as error:
        raise _not_written(path, error) from error


def _not_written(path: Path, error: OSError | RuntimeError) -> Exception:
    if isinstance(error, OSError):
        reason = error.strerror or str(error)
    elif "inline_container" in str(error) or "PytorchStreamWriter" in str(error):
        # So PyTorch's own writer says that the system took less than it was given.
        reason = "the disk is full or failing"
    else:
        return error
    return RunError(Problem(str(path), f"cannot be written: {reason}", "Free space or choose another work_dir"))


def cache_folder() -> Path:
    """What all runs of a user share: `$AUTOX_VIDEO_CACHE`, else below the user's cache folder."""
    own, users = os.environ.get("AUTOX_VIDEO_CACHE"), os.environ.get("XDG_CACHE_HOME")
    root = Path(own) if own else (Path(users) if users else Path.home() / ".cache") / "autox_video"
    return root.expanduser().absolute()


def write_durably(path: Path, write: Callable[[IO[bytes]], object]) -> None:
    """Write a file under a temporary name, fsync it, rename it, fsync its folder.

    Args:
        path: The final name; its folder is made when missing.
        write: Called with the open binary file.

    Raises:
        RunError: The file could not be written; what stood under `path` is untouched.
    """
    with replacing(path) as temporary, temporary.open("wb") as file:
        write(file)


def csv_text(rows: Iterable[Iterable[Any]]) -> str:
    """A table as the text of a CSV file, whose lines end in a line feed alone; the first row is its heading."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()


def clear_leftovers(*folders: Path) -> None:
    """Remove the temporary files that a killed process of ours left behind; those being written stay.

    Args:
        folders: Where to look, not below. A folder that does not exist has none.
    """
    for folder in folders:
        for path in folder.glob(f".*{TEMPORARY_ENDING}"):
            # Another process may clear the same, and a full or read-only disk is found out by who writes.
            with suppress(OSError):
                if not is_being_written(path):
                    path.unlink()


def is_being_written(path: Path) -> bool:
    """Whether a living process holds the lock on a temporary file or folder; without locks, whether it is young."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        # A file system without locks: a file that is being written has changed lately.
        return time.time() - path.stat().st_mtime < STILL_WRITTEN_SECONDS
    finally:
        os.close(descriptor)
    return False


def publish(temporary: Path, final: Path, keep: Path | None = None) -> None:
    """Give a finished file its final name, durably: fsync, rename, fsync of the folder.

    Args:
        temporary: The finished file, in the folder of `final`.
        final: Its name; what stood there before is replaced.
        keep: Another name in the folder for what stood there before.
    """
    _sync(temporary)
    if keep is not None and final.exists():
        os.replace(final, keep)
    os.replace(temporary, final)
    sync_folder(final.parent)


def sync_folder(folder: Path) -> None:
    """Make a rename in `folder` durable."""
    _sync(folder)


def sync_tree(folder: Path) -> None:
    """Make everything in `folder` and below durable, before the folder is renamed."""
    for path in (*folder.rglob("*"), folder):
        _sync(path)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_text(path: Path, text: str) -> None:
    """`write_durably` for UTF-8 text."""
    write_durably(path, lambda file: file.write(text.encode("utf-8")))


def write_json(path: Path, value: Any) -> None:
    """`write_durably` for JSON: two-space indent, real characters, no NaN."""
    text = json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    # Bytes of a file name that are no UTF-8 are written as JSON's own escapes.
    write_durably(path, lambda file: file.write(text.encode("utf-8", "backslashreplace")))
