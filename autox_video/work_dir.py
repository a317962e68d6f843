"""The run folder: which file is where, and how a file is written so that it is never half there."""

from __future__ import annotations

import dataclasses
import fcntl
import json
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any, TypeVar

from autox_video.errors import Problem, RunError

RecordT = TypeVar("RecordT")
# What the name of a file ends in until it is whole; no one else's files are called so.
TEMPORARY_ENDING = ".autox.tmp"
STILL_WRITTEN_SECONDS = 3600


@dataclasses.dataclass(frozen=True)
class WorkDir:
    """The files of one run. Nothing is created until something is written.

    Attributes:
        root: The folder.
        whole: For one fold of a training with `test.folds`, the folder of all of it, where the probe's cache is.
    """

    root: Path
    whole: Path | None = None

    def fold(self, number: int) -> WorkDir:
        """The run of one fold, counted from 1."""
        return WorkDir(self.folds / str(number), self.root)

    @property
    def folds(self) -> Path:
        """Folder of the runs of the folds."""
        return self.root / "folds"

    @property
    def folds_trained(self) -> Path:
        """The folds as they were when their training began."""
        return self.folds / "folds.tsv"

    @property
    def folds_list(self) -> Path:
        """Which video is tested in which fold, as the data is divided now."""
        return self.root / "annotations" / "folds.tsv"

    @property
    def folders(self) -> tuple[Path, ...]:
        """Where files are written."""
        lists = self.root / "annotations"
        return (self.root, lists, lists / "stock", self.preview, self.proxies)

    @property
    def fingerprint(self) -> Path:
        return self.root / "fingerprint.json"

    @property
    def check(self) -> Path:
        return self.root / "check.json"

    @property
    def probe_cache(self) -> Path:
        return (self.whole or self.root) / "probe_cache.json"

    @property
    def plan(self) -> Path:
        return self.root / "plan.json"

    @property
    def config_rendered(self) -> Path:
        return self.root / "config_rendered.py"

    @property
    def last_checkpoint(self) -> Path:
        return self.root / "last.pth"

    @property
    def previous_checkpoint(self) -> Path:
        """What `last_checkpoint` was before it was written anew."""
        return self.root / "previous.pth"

    @property
    def best_checkpoint(self) -> Path:
        return self.root / "best.pth"

    @property
    def train_log(self) -> Path:
        return self.root / "train.log"

    @property
    def test_log(self) -> Path:
        return self.root / "test.log"

    @property
    def metrics(self) -> Path:
        return self.root / "metrics.csv"

    @property
    def curves(self) -> Path:
        """Losses and accuracies over the epochs, as a picture."""
        return self.root / "curves.png"

    @property
    def archive(self) -> Path:
        """Where `train --fresh` moves the files of an earlier run."""
        return self.root / "archive"

    @property
    def preview(self) -> Path:
        """Folder of the contact sheets and their page."""
        return self.root / "preview"

    @property
    def bench(self) -> Path:
        """What `autox-video bench` measured."""
        return self.root / "bench.json"

    @property
    def groups(self) -> Path:
        """Which videos come from one recording, and why."""
        return self.root / "annotations" / "groups.tsv"

    @property
    def leaks(self) -> Path:
        """Videos that stand in two splits."""
        return self.root / "annotations" / "leaks.tsv"

    @property
    def proxies(self) -> Path:
        """Folder of the small copies of videos, which runs with the same parent folder share."""
        return (self.whole or self.root).absolute().parent / "proxies"

    @property
    def proxy_list(self) -> Path:
        """Which video has which proxy."""
        return self.root / "annotations" / "proxies.tsv"

    @property
    def read_as_they_are(self) -> Path:
        """Proxies that could not be written in this run, and why."""
        return self.root / "annotations" / "of_run" / "no_proxy.tsv"

    def list_of_run(self, split: str) -> Path:
        """`annotations(split)` as it was when the run began."""
        return self.root / "annotations" / "of_run" / f"{split}.txt"

    def annotations(self, split: str) -> Path:
        """The canonical tab-separated list of one split."""
        return self.root / "annotations" / f"{split}.txt"


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


def clear_leftovers(*folders: Path) -> None:
    """Remove the temporary files that a killed process of ours left behind; those being written stay.

    Args:
        folders: Where to look, not below. A folder that does not exist has none.
    """
    for folder in folders:
        for path in folder.glob(f".*{TEMPORARY_ENDING}"):
            # Another process may clear the same, and a full or read-only disk is found out by who writes.
            with suppress(OSError):
                if not _is_being_written(path):
                    path.unlink()


def _is_being_written(path: Path) -> bool:
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
    write_text(path, json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n")
