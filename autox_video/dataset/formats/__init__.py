"""How data is laid out on disk. One file a format, found by scanning this folder.

A format has two functions: `detect(settings) -> bool`, whether it finds anything to read, and
`read(settings, splits) -> Listing`, which reads those of the splits that it knows.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Collection
from types import ModuleType

from autox_video.dataset.entries import Listing, Part
from autox_video.errors import Problem
from autox_video.settings.schema import Settings


def format_names() -> tuple[str, ...]:
    """Names of all formats: the module names in this folder."""
    return tuple(sorted(module.name for module in pkgutil.iter_modules(__path__)))


def load_format(name: str) -> ModuleType:
    """The module of one format."""
    return importlib.import_module(f"{__name__}.{name}")


def read_listing(settings: Settings, splits: Collection[str]) -> Listing:
    """Read the videos of some splits with every format that finds something.

    Args:
        settings: Where lists and videos are.
        splits: The splits that are needed. A format may also give `UNDIVIDED` videos.
    """
    parts: dict[str, Part] = {}
    notes: list[str] = []
    problems: list[Problem] = []
    for name in format_names():
        module = load_format(name)
        if module.detect(settings):
            listing = module.read(settings, splits)
            parts.update(listing.parts)
            notes += listing.notes
            problems += listing.problems
    return Listing(parts, tuple(notes), tuple(problems))
