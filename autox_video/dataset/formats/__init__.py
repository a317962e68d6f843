"""How data is laid out on disk. One file a format, found by scanning this folder.

A format has two functions: `detect(source) -> bool`, whether it is the format of a `Source`, by its content
and without reading all of it, and `read(source, splits) -> Listing`, which reads those of the splits that it
finds there. A file that no format knows is read by the one with `ANY_FILE = True`.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Collection
from types import ModuleType

from autox_video.dataset.entries import SPLITS, Listing, Part
from autox_video.dataset.image_folders import folders_for_files
from autox_video.dataset.messages import in_short, missing_path
from autox_video.dataset.sources import Source, sources_of
from autox_video.errors import Problem
from autox_video.settings.schema import Settings


def format_names() -> tuple[str, ...]:
    """Names of all formats: the module names in this folder."""
    return tuple(sorted(module.name for module in pkgutil.iter_modules(__path__)))


def load_format(name: str) -> ModuleType:
    """The module of one format."""
    return importlib.import_module(f"{__name__}.{name}")


def detect_formats(source: Source) -> list[str]:
    """The names of the formats that know a source; the one that reads any file only where no other does."""
    known = [name for name in format_names() if load_format(name).detect(source)]
    return [name for name in known if not _reads_any(name)] or known


def read_listing(settings: Settings, splits: Collection[str]) -> Listing:
    """Read the videos of some splits, from every list and folder that is named.

    A training list may hold other splits too, unless they have lists of their own.

    Args:
        settings: Where lists and videos are.
        splits: The splits that are needed. A format may also give `UNDIVIDED` videos.
    """
    parts: dict[str, Part] = {}
    notes: list[str] = []
    problems: list[Problem] = []
    for source in sources_of(settings):
        asked = [split for split in SPLITS if split in splits and _may_hold(source, split)]
        if not asked:
            continue
        listing = read_source(source, asked)
        parts |= listing.parts
        notes += listing.notes
        problems += listing.problems
    return Listing(parts, tuple(notes), tuple(problems))


def read_source(source: Source, splits: Collection[str]) -> Listing:
    """Read the videos of some splits from one list or folder."""
    known = detect_formats(source)
    if len(known) != 1:
        return Listing({}, (), (_unknown(source, known),) if source.split in splits else ())
    listing: Listing = load_format(known[0]).read(source, splits)
    parts = {split: folders_for_files(part, source.root) for split, part in listing.parts.items()}
    problems = listing.problems or tuple(_lacking(source, splits, listing))
    return Listing(parts, listing.notes, problems)


def _reads_any(name: str) -> bool:
    return getattr(load_format(name), "ANY_FILE", False)


def _may_hold(source: Source, split: str) -> bool:
    if source.split is None or split == source.split:
        return True
    return source.split == "train" and getattr(source.settings, f"ann_file_{split}") is None


def _lacking(source: Source, asked: Collection[str], listing: Listing) -> list[Problem]:
    """Whether a list lacks the split that it was named for."""
    if source.split is None or source.split not in asked or source.split in listing.parts:
        return []
    cure = "Name a list that has them" if source.split == "train" else "Leave it out, or name a list that has them"
    return [Problem(source.where, f"has no videos of {source.split}", cure, str(source.path))]


def _unknown(source: Source, known: Collection[str]) -> Problem:
    """A source that no format reads, or more than one."""
    got = str(source.path)
    if known:
        cure = "Name one file in it instead of the folder, or write a list with one `path label` a line"
        return Problem(source.where, f"may be read in several ways: {in_short(list(known))}", cure, got)
    if source.is_list:
        wrong, cure = (
            "is JSON without the keys of a list",
            "Write objects with `path` and `label`, or one `path label` a line",
        )
        return Problem(source.where, wrong, cure, got)
    if source.path.is_dir():
        wrong = "is a folder without annotations of a known data set"
        return Problem(source.where, wrong, "Name a list with one `path label` a line", got)
    if source.path.exists():
        return Problem(source.where, "is not a file", "Name a list with one `path label` a line", got)
    cure = "Correct the path; a relative one starts from the folder of the YAML"
    return missing_path(source.where, source.path, cure)
