"""Which rows of a table belong to which split: by a column, or by the setting that names the table."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from autox_video.dataset.entries import SPLITS, Entry, Listing, Part
from autox_video.dataset.messages import plural
from autox_video.dataset.sources import SPLIT_WORDS, Source, unlabelled
from autox_video.errors import Problem


def divide_rows(source: Source, rows: Sequence[tuple[Entry, str]], splits: Collection[str], *, named: bool) -> Listing:
    """Make parts of rows.

    A column that says the same on every row says nothing: the setting counts.

    Args:
        source: The table.
        rows: Each entry, and the word of its split; empty without such a column.
        splits: Those to give, if the table has them.
        named: See `Part`.
    """
    split = source.split or "train"
    words = {word.strip().casefold() for _, word in rows}
    notes: list[str] = []
    problems: list[Problem] = []
    if len(words) > 1:
        by_split, problems = _by_word(rows)
        notes = _overruled(source, by_split)
    else:
        by_split = {split: [entry for entry, _ in rows]}
        said = SPLIT_WORDS.get(next(iter(words), ""))
        if said not in (None, split):
            notes.append(f"{source.name} says {said} on every row, and is used for {split}, as ann_file_{split} says")
    parts = {}
    for name in SPLITS:
        if name in by_split and name in splits:
            entries = tuple(by_split[name])
            problems += unlabelled(entries, name)
            origin = str(source.path) if name == split else f"{source.path} (its rows of {name})"
            parts[name] = Part(entries, origin, named=named)
    return Listing(parts, tuple(notes), tuple(problems))


def _by_word(rows: Sequence[tuple[Entry, str]]) -> tuple[dict[str, list[Entry]], list[Problem]]:
    by_split: dict[str, list[Entry]] = {}
    problems = []
    for entry, word in rows:
        split = SPLIT_WORDS.get(word.strip().casefold())
        if split is None:
            problems.append(Problem(entry.where, "has an unknown split", "Write train, val or test", repr(word)))
        else:
            by_split.setdefault(split, []).append(entry)
    return by_split, problems


def _overruled(source: Source, by_split: Mapping[str, Sequence[Entry]]) -> list[str]:
    """What is said of rows whose split has a list of its own."""
    if source.split != "train":
        return []
    return [
        f"{plural(len(entries), 'row')} of {split} in {source.name} left out, because ann_file_{split} is given"
        for split, entries in by_split.items()
        if source.given_elsewhere(split)
    ]
