"""Which classes there are, and which class id each label means."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from autox_video.dataset.entries import UNDIVIDED, Entry, Part
from autox_video.dataset.list_lines import read_text
from autox_video.dataset.messages import in_short, meant, missing_path, setting_place
from autox_video.dataset.video_files import natural_key
from autox_video.errors import Problem
from autox_video.settings.schema import AUTO, Settings

# Ids that leave more than nine in ten of their range unused are a slip of the pen unless num_class confirms them.
MAX_RANGE_PER_ID = 10
# More labels outside num_class than this share, and it is num_class that is wrong rather than the labels.
MAX_SLIPS = 0.05
ONE_LABEL = "Give a video one label, or set task: multi_label"

_INTEGER = re.compile(r"[+-]?[0-9]{1,18}")
_SEVERAL = re.compile(r"[0-9]+([\s,;]+[0-9]+)+")


@dataclass(frozen=True)
class ClassList:
    """The classes, and how labels name them.

    Attributes:
        names: Class names; the position is the class id.
        by_id: Whether labels in lists are ids; otherwise they are names. Folders always have names.
        known: Whether the names were given, rather than found in the training videos.
        found: Whether all this could be found out; if not, labels cannot be judged.
        notes: What a person should know.
        problems: What is wrong.
    """

    names: tuple[str, ...]
    by_id: bool
    known: bool
    found: bool = True
    notes: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()


def find_classes(settings: Settings, trained: tuple[str, ...] | None, parts: Mapping[str, Part]) -> ClassList:
    """Take the classes of the trained model, else of the settings or the annotations, else those that labels use.

    Args:
        settings: May name the classes or their number.
        trained: The classes of a trained model.
        parts: What was read.
    """
    listed = [entry for part in parts.values() if not part.named for entry in part.entries if entry.label is not None]
    if trained is not None:
        return _read_against(trained, listed, notes=_differences(settings, trained))
    if settings.classes != AUTO:
        names = _names_of_settings(settings)
        if isinstance(names, Problem):
            return ClassList((), False, True, found=False, problems=(names,))
        return _read_against(names, listed, problems=_wrong_number(settings, names, "named in classes"))
    training = [part for split, part in parts.items() if split in ("train", UNDIVIDED)]
    if official := next((part.classes for part in training if part.classes), ()):
        return _read_against(official, listed, problems=_wrong_number(settings, official, "of the annotations"))
    if _mostly_integers(listed) and not any(part.named for part in training):
        return _numbered(settings, listed)
    labels: set[str] = set()
    for part in training:
        labels |= {entry.label for entry in part.entries if entry.label and (part.named or _is_name(entry.label))}
    class_names = tuple(sorted(labels, key=natural_key))
    problems = _wrong_number(settings, class_names, "of the training videos") if class_names else []
    return ClassList(class_names, False, False, bool(training), (), (*problems, *_too_few(class_names)))


def label_ids(part: Part, classes: ClassList) -> tuple[list[int | None], list[Problem]]:
    """The class id of each video of a part; None where it is unlabelled or its label is wrong.

    Labels are not judged when the classes could not be found out.
    """
    if not classes.found:
        return [None] * len(part.entries), []
    ids: list[int | None] = []
    problems: list[Problem] = []
    known = {name: number for number, name in enumerate(classes.names)}
    for entry in part.entries:
        answer: int | Problem | None = None
        if entry.label is not None:
            if classes.by_id and not part.named:
                answer = _by_id(entry, entry.label, classes)
            else:
                answer = _by_name(entry, entry.label, part.named, classes, known)
        if isinstance(answer, Problem):
            problems.append(answer)
            answer = None
        ids.append(answer)
    return ids, problems


def _by_id(entry: Entry, label: str, classes: ClassList) -> int | Problem:
    if _SEVERAL.fullmatch(label):
        return Problem(entry.where, "has several labels", ONE_LABEL, repr(label))
    if not _INTEGER.fullmatch(label):
        wrong = "has a name for a label where the other labels are ids"
        return Problem(entry.where, wrong, "Write ids everywhere, or names everywhere", repr(label))
    if 0 <= int(label) < len(classes.names):
        return int(label)
    cure = f"Ids run from 0 to {len(classes.names) - 1}; correct the label, or num_class"
    return Problem(entry.where, f"has a label outside the {len(classes.names)} classes", cure, label)


def _by_name(entry: Entry, label: str, named: bool, classes: ClassList, known: Mapping[str, int]) -> int | Problem:
    if label in known:
        return known[label]
    if not named and _SEVERAL.fullmatch(label):
        return Problem(entry.where, "has several labels", ONE_LABEL, repr(label))
    if not (classes.known or named or _is_name(label)):
        wrong = "has a number for a label where the other labels are names"
        return Problem(entry.where, wrong, "Write ids everywhere, or names everywhere", label)
    wrong = "has an unknown class" if classes.known else "has a class that training never saw"
    cure = meant(label, known, f"The classes are {in_short(classes.names)}")
    return Problem(entry.where, wrong, cure, repr(label))


def _names_of_settings(settings: Settings) -> tuple[str, ...] | Problem:
    where, names = setting_place(settings, "classes"), settings.classes
    if isinstance(names, Path):
        if not names.exists():
            return missing_path(where, names, "Name a file with one class a line")
        text = read_text(names, str(names))
        if isinstance(text, Problem):
            return text
        names = tuple(line.strip() for line in text.splitlines() if line.strip())
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        return Problem(where, "names a class twice", "Give each class a name of its own", in_short(twice))
    if not names:
        return Problem(where, "names no class", "Write one class a line")
    return tuple(names)


def _read_against(
    names: tuple[str, ...], listed: Sequence[Entry], notes: Sequence[str] = (), problems: Sequence[Problem] = ()
) -> ClassList:
    """Labels are names where all are names, else ids; they are refused where they may be both and would differ."""
    texts: set[str] = {entry.label for entry in listed if entry.label is not None}
    are_names = texts <= set(names)
    are_ids = all(_INTEGER.fullmatch(text) and 0 <= int(text) < len(names) for text in texts)
    found = [*problems, *_too_few(names)]
    if are_names and are_ids and any(names[int(text)] != text for text in texts):
        ordered: list[str] = sorted(texts, key=natural_key)
        cure = "Give the classes names that are no numbers"
        found.append(
            Problem(
                "labels", "may be class ids or class names, which would be different classes", cure, in_short(ordered)
            )
        )
    by_id = not are_names and _mostly_integers(listed)
    return ClassList(names, by_id, True, notes=tuple(notes), problems=tuple(found))


def _mostly_integers(listed: Sequence[Entry]) -> bool:
    integers = sum(map(_is_id, listed))
    return 2 * integers >= len(listed) > 0


def _numbered(settings: Settings, listed: Sequence[Entry]) -> ClassList:
    """Classes that are called by their ids."""
    used = {int(entry.label): entry for entry in reversed(listed) if entry.label and _is_id(entry)}
    largest = max(used)
    num_classes = max(largest + 1, 1)
    if settings.num_class != AUTO:
        outside = sum(_is_id(entry) and int(entry.label or 0) >= settings.num_class for entry in listed)
        if outside > MAX_SLIPS * len(listed):
            wrong = f"is too small for the labels: {used[largest].where} has {largest}"
            cure = f"Leave num_class out, or set it to {num_classes}"
            problem = Problem(setting_place(settings, "num_class"), wrong, cure, str(settings.num_class))
            return ClassList((), True, False, found=False, problems=(problem,))
        num_classes = settings.num_class
    elif num_classes > MAX_RANGE_PER_ID * len(used):
        wrong = f"has a far larger id than the lists need, which use only {len(used)}"
        cure = f"Correct the label, or confirm it with num_class: {num_classes}"
        problem = Problem(used[largest].where, wrong, cure, str(largest))
        return ClassList((), True, False, found=False, problems=(problem,))
    names = tuple(str(number) for number in range(num_classes))
    return ClassList(names, True, False, problems=tuple(_too_few(names)))


def _is_id(entry: Entry) -> bool:
    return _INTEGER.fullmatch(entry.label or "") is not None


def _is_name(label: str) -> bool:
    return not (_INTEGER.fullmatch(label) or _SEVERAL.fullmatch(label))


def _wrong_number(settings: Settings, names: Sequence[str], which: str) -> list[Problem]:
    if settings.num_class in (AUTO, len(names)):
        return []
    wrong = f"differs from the {len(names)} classes {which} ({in_short(names)})"
    return [Problem(setting_place(settings, "num_class"), wrong, "Leave num_class out", str(settings.num_class))]


def _differences(settings: Settings, trained: Sequence[str]) -> list[str]:
    """Settings that a trained model overrules."""
    notes = []
    if settings.num_class not in (AUTO, len(trained)):
        where = setting_place(settings, "num_class")
        notes.append(f"{where} is {settings.num_class}, but the trained model has {len(trained)} classes, which count")
    if isinstance(settings.classes, tuple) and settings.classes != tuple(trained):
        notes.append(f"{setting_place(settings, 'classes')} differs from the classes of the trained model, which count")
    return notes


def _too_few(names: Sequence[str]) -> list[Problem]:
    if len(names) != 1:
        return []
    return [Problem("classes", "there must be at least 2", "Add videos of another class", f"only {names[0]!r}")]
