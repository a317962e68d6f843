"""Helpers for messages: where a setting stands, what a wrong name may mean, long lists cut short."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from pathlib import Path

from autox_video.errors import Problem
from autox_video.settings.data_source import DataSource
from autox_video.settings.schema import Settings

MAX_LISTED = 20


def setting_place(settings: Settings | DataSource, key: str) -> str:
    """Where a key was given, e.g. `config.yaml:12: data_root`; the bare key where that is not known."""
    origin = settings.origins.get(key)
    return f"{origin}: {key}" if origin else key


def list_name(settings: Settings, split: str) -> str:
    """How messages call the list of a split: its file name, or its path where two lists may share a name."""
    files = {name: getattr(settings, f"ann_file_{name}") for name in ("train", "val", "test")}
    file: Path = files[split]
    shared = any(other is not None and other != file and other.name == file.name for other in files.values())
    return str(file) if shared or settings.more_data else file.name


def meant(name: str, names: Iterable[str], otherwise: str) -> str:
    """`Did you mean 'x'` for the closest of `names`, or the other cure where none is close."""
    close = difflib.get_close_matches(name, list(names), n=1)
    return f"Did you mean {close[0]!r}" if close else otherwise


def missing_path(where: str, path: Path, otherwise: str) -> Problem:
    """A path of the settings that does not exist, with the sibling that it may have meant."""
    folder = path.parent
    try:
        siblings = [item.name for item in folder.iterdir()]
    except OSError:
        return Problem(where, f"does not exist, nor does its folder {folder}", otherwise, str(path))
    return Problem(where, "does not exist", meant(path.name, siblings, otherwise), str(path))


def printable(name: str) -> str:
    """A name as it is, unless a tab or a line break in it would spoil the message."""
    return name if name.isprintable() else repr(name)


def in_short(items: Sequence[object], limit: int = 5) -> str:
    """`a, b, c and 4 more`."""
    shown = ", ".join(map(str, items[:limit]))
    return f"{shown} and {len(items) - limit} more" if len(items) > limit else shown


def plural(count: int, noun: str) -> str:
    """`1 video`, `2 videos`, `3 classes`."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}{'es' if noun.endswith('s') else 's'}"


def shorten(problems: Iterable[Problem]) -> list[Problem]:
    """Keep the first 20 problems of a kind and say how many more there are.

    Two problems are of a kind when they say the same of two lines of one list.
    """
    kinds: dict[tuple[str, str], list[Problem]] = {}
    for problem in problems:
        file, _, line = problem.where.rpartition(":")
        kinds.setdefault((file if line.isdigit() else problem.where, problem.wrong), []).append(problem)
    short: list[Problem] = []
    for (file, wrong), alike in kinds.items():
        short += alike[:MAX_LISTED]
        if len(alike) > MAX_LISTED:
            short.append(Problem(file, f"and {len(alike) - MAX_LISTED} more: {wrong}", alike[0].cure))
    return short
