"""The folder of an exported model: what it may replace, and how it does, so that a kill at any moment loses nothing."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from autox_video.dataset.messages import in_short
from autox_video.errors import Problem, RequestError, RunError
from autox_video.writing import TEMPORARY_ENDING, is_being_written, sync_folder, sync_tree

WEIGHTS, TORCHSCRIPT, ONNX = "model.safetensors", "model.pt", "model.onnx"
SCRIPT, CARD, README = "predict.py", "bundle.json", "README.md"


def refuse_foreign(folder: Path) -> None:
    """Raise unless a folder may be written: it is not there, is empty, or holds an earlier bundle alone.

    Raises:
        RequestError: It holds something else.
    """
    if _is_free(folder):
        return
    try:
        written = json.loads((folder / CARD).read_text(encoding="utf-8"))["files"]
        written[WEIGHTS]
    except (OSError, ValueError, KeyError, TypeError) as error:
        cure = "Name another folder with -o; nothing in this one was changed"
        raise RequestError(Problem(str(folder), "exists and is no exported model", cure)) from error
    if others := sorted(path.name for path in folder.iterdir() if path.name not in {*written, CARD}):
        wrong, cure = "holds other files beside an exported model", "Move them away, or name another folder with -o"
        raise RequestError(Problem(str(folder), wrong, cure, in_short(others)))


@contextmanager
def replaced(folder: Path) -> Iterator[Path]:
    """A new folder, which takes the name of `folder` and the place of what is there when the block ends well.

    It is filled beside it under a hidden name, and what it replaces has another while the two change places. What an
    export that was killed left under these names is put back or removed.

    Args:
        folder: The final name.

    Raises:
        RequestError: `folder` holds other files, when the block begins or ends, or another export is writing it.
        RunError: It cannot be written.
    """
    place = folder.resolve()
    new, old = (place.parent / f".{place.name}.{which}{TEMPORARY_ENDING}" for which in ("new", "old"))
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        if new.exists() and is_being_written(new):
            wrong, cure = "is being written by another export", "Wait for its end, or name another folder with -o"
            raise RequestError(Problem(str(folder), wrong, cure))
        _tidy(place, new, old)
        refuse_foreign(folder)
        new.mkdir()
        with _locked(new):
            try:
                yield new
                sync_tree(new)
                # It took minutes, in which someone may have put a file there.
                refuse_foreign(folder)
                if place.exists():
                    place.rename(old)
                new.rename(place)
                sync_folder(place.parent)
            finally:
                _tidy(place, new, old)
    except OSError as error:
        cure = "Free space, or name another folder with -o"
        raise RunError(Problem(str(folder), f"cannot be written: {error.strerror or error}", cure)) from error


def _tidy(place: Path, new: Path, old: Path) -> None:
    """Remove what is not finished, and put back what was to be replaced, or remove it where it has been."""
    shutil.rmtree(new, ignore_errors=True)
    if not old.exists():
        return
    if _is_free(place):
        old.rename(place)
        return
    # Only a bundle makes room for a bundle, whatever a user has done here meanwhile.
    for one in (place, old):
        refuse_foreign(one)
    shutil.rmtree(old)


def _is_free(folder: Path) -> bool:
    return not folder.exists() or (folder.is_dir() and not any(folder.iterdir()))


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """While the block runs, `is_being_written` is true of a folder; the kernel ends that when this process dies."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        with suppress(OSError):
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    finally:
        os.close(descriptor)
