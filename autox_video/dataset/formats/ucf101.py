"""UCF101: `classInd.txt` beside `trainlist0N.txt` (`Class/video.avi 7`, from 1) and `testlist0N.txt`."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from pathlib import Path

from autox_video.dataset.entries import Entry, Listing, Part
from autox_video.dataset.list_lines import numbered_lines, read_text
from autox_video.dataset.messages import meant
from autox_video.dataset.sources import Source, read_head
from autox_video.errors import Problem

CLASSES = "classInd.txt"

_LIST = re.compile(r"(train|test)list([0-9]+)\.txt")
_CLASS = re.compile(r"([0-9]+)\s+(\S.*)")


def detect(source: Source) -> bool:
    """Whether a list or folder belongs to UCF101: names of files, and the numbered classes beside them."""
    if source.split is None or not _lists(source):
        return False
    head = numbered_lines(read_head(_folder(source) / CLASSES))
    return bool(head) and _CLASS.fullmatch(head[0][1].strip()) is not None


def read(source: Source, splits: Collection[str]) -> Listing:
    """Read a list and its classes; a training list, or the folder, brings the test list of its number along."""
    folder, lists = _folder(source), _lists(source)
    classes = _read_classes(folder / CLASSES)
    if isinstance(classes, Problem):
        return Listing({}, (), (classes,))
    parts: dict[str, Part] = {}
    problems: list[Problem] = []
    for split, name in lists.items():
        if split not in splits:
            continue
        text = read_text(folder / name, name)
        if isinstance(text, Problem):
            problems.append(text)
            continue
        entries = []
        for number, line in numbered_lines(text):
            entry = _entry(line.strip(), f"{name}:{number}", classes)
            if isinstance(entry, Problem):
                problems.append(entry)
            else:
                entries.append(entry)
        parts[split] = Part(tuple(entries), str(folder / name), named=True, classes=tuple(classes.values()))
    taken = f"{source.name}: the official split {lists[min(lists)][-6:-4]} of UCF101 is used"
    brought = [f"{split} is {lists[split]}" for split in parts if split != source.split]
    notes = (", and ".join([taken, *brought]),) if source.path.is_dir() or brought else ()
    return Listing(parts, notes, tuple(problems))


def _folder(source: Source) -> Path:
    return source.path if source.path.is_dir() else source.path.parent


def _lists(source: Source) -> dict[str, str]:
    """The names of the lists that are meant, by split: those of the lowest number where a folder is named."""
    if source.path.is_dir():
        found = [match for file in source.path.iterdir() if (match := _LIST.fullmatch(file.name))]
        lowest = min((match[2] for match in found), default="", key=lambda number: (int(number), number))
        return {match[1]: match[0] for match in found if match[2] == lowest}
    match = _LIST.fullmatch(source.path.name)
    if match is None or source.split is None or not source.is_list:
        return {}
    test = f"testlist{match[2]}.txt"
    along = source.split == "train" and match[1] == "train" and (source.path.parent / test).is_file()
    return {source.split: match[0], **({"test": test} if along else {})}


def _read_classes(file: Path) -> dict[int, str] | Problem:
    text = read_text(file, file.name)
    if isinstance(text, Problem):
        return text
    classes: dict[int, str] = {}
    for number, line in numbered_lines(text):
        match = _CLASS.fullmatch(line.strip())
        if match is None or int(match[1]) != len(classes) + 1:
            cure = "Write the number of the class, counted from 1, and its name"
            return Problem(f"{file.name}:{number}", f"is not class {len(classes) + 1}", cure, repr(line.strip()))
        classes[int(match[1])] = match[2]
    return classes


def _entry(line: str, where: str, classes: Mapping[int, str]) -> Entry | Problem:
    path, _, label = line.rpartition(" ")
    if not path or not label.isdecimal():
        path, label = line, ""
    folder = path.rpartition("/")[0].rpartition("/")[2]
    if label and int(label) not in classes:
        cure = f"Numbers of classes run from 1 to {len(classes)}, as in {CLASSES}"
        return Problem(where, "has a number without a class", cure, label)
    if label and folder in classes.values() and classes[int(label)] != folder:
        wrong = f"lies in {folder}, but its number means {classes[int(label)]}"
        return Problem(where, wrong, f"Write the number that {CLASSES} gives {folder}", label)
    if not label and folder not in classes.values():
        cure = meant(folder, classes.values(), f"Write `Class/video.avi` with a class of {CLASSES}")
        return Problem(where, "has neither a number nor a class as its folder", cure, repr(path))
    return Entry(path, classes[int(label)] if label else folder, where)
