"""Something-Something: JSON of `id` and `template` in train, validation and test, classes in labels.json."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping
from pathlib import Path

from autox_video.dataset.entries import Entry, Listing, Part
from autox_video.dataset.list_lines import read_text
from autox_video.dataset.messages import meant
from autox_video.dataset.sources import SPLIT_NAMES, Source, find_by_stem, read_head, unlabelled
from autox_video.dataset.table_rows import Row, columns_of, read_rows
from autox_video.errors import Problem

_FILE = re.compile(r"(?:.*[-_.])?(train|validation|val|test)\.json")


def detect(source: Source) -> bool:
    """Whether a list, or the training list of a folder, has objects with an id and a template (or an id alone)."""
    if source.split is None:
        return False
    if source.is_list:
        return source.head.lstrip()[:1] == "[" and _is_official(columns_of(source.head))
    lists = _lists(source) if source.path.is_dir() else {}
    return "train" in lists and _is_official(columns_of(read_head(lists["train"])))


def read(source: Source, splits: Collection[str]) -> Listing:
    """Read one list, or those of a folder. Where there is a file of labels, it orders the classes."""
    lists = _lists(source)
    folder = source.path if source.path.is_dir() else source.path.parent
    classes = _read_classes(folder)
    if isinstance(classes, Problem):
        return Listing({}, (), (classes,))
    parts: dict[str, Part] = {}
    problems: list[Problem] = []
    for split, file in lists.items():
        if split not in splits:
            continue
        entries, wrong = _read_list(source, file, classes)
        problems += [*wrong, *unlabelled(entries, split)]
        parts[split] = Part(tuple(entries), str(file), named=True, classes=classes)
    return Listing(parts, (), tuple(problems))


def _is_official(columns: Collection[str]) -> bool:
    """Whether these are the keys of an object of the lists; those of test have an id alone."""
    return set(columns) == {"id"} or {"id", "template"} <= set(columns)


def _lists(source: Source) -> Mapping[str, Path]:
    """The lists that are meant, by split."""
    if source.split is not None and not source.path.is_dir():
        return {source.split: source.path}
    found = {match[1]: file for file in sorted(source.path.iterdir()) if (match := _FILE.fullmatch(file.name))}
    return {SPLIT_NAMES[word]: file for word, file in found.items()}


def _read_classes(folder: Path) -> tuple[str, ...] | Problem:
    """The names in `labels.json`, by their ids; empty where there is no such file."""
    files = sorted(folder.glob("*labels.json"))
    if not files:
        return ()
    text = read_text(files[0], files[0].name)
    if isinstance(text, Problem):
        return text
    try:
        ids = {_class_name(name): int(number) for name, number in json.loads(text).items()}
    except (ValueError, TypeError, AttributeError, RecursionError) as error:
        line = getattr(error, "lineno", 1)
        wrong = "does not give the classes numbers"
        return Problem(f"{files[0].name}:{line}", wrong, 'Write {"class": "0", ...}, or take the file away')
    if sorted(ids.values()) != list(range(len(ids))):
        cure = "Number them from 0 without a gap"
        return Problem(f"{files[0].name}:1", "does not number the classes from 0", cure)
    return tuple(sorted(ids, key=ids.__getitem__))


def _read_list(source: Source, file: Path, classes: tuple[str, ...]) -> tuple[list[Entry], list[Problem]]:
    text = read_text(file, file.name)
    if isinstance(text, Problem):
        return [], [text]
    entries: list[Entry] = []
    problems: list[Problem] = []
    known = set(classes)
    for row in read_rows(text, file.name):
        entry = row if isinstance(row, Problem) else _entry(source, row, f"{file.name}:{row.number}")
        if isinstance(entry, Problem):
            problems.append(entry)
        elif known and entry.label and entry.label not in known:
            cure = meant(entry.label, classes, "Correct it, or take the file of labels away")
            problems.append(Problem(entry.where, "has a class that is not in labels.json", cure, repr(entry.label)))
        else:
            entries.append(entry)
    return entries, problems


def _entry(source: Source, row: Row, where: str) -> Entry | Problem:
    name, label = row.cells.get("id", "").strip(), _class_name(row.cells.get("template", ""))
    if not name:
        return Problem(where, "has no id", "Write it, or take the object out")
    found = find_by_stem(source, name, where, ())
    return found if isinstance(found, Problem) else Entry(found or f"{name}.webm", label or None, where)


def _class_name(template: str) -> str:
    return template.replace("[", "").replace("]", "").strip()
