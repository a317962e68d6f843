"""Several labels a video: how they are told from one, and how a row with several is read.

A row is taken apart into one entry a label, which the rest of this stage reads as it reads any
other, and the class ids are put together again.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping

from autox_video.dataset.classes import ONE_LABEL, ClassList, label_ids
from autox_video.dataset.entries import UNDIVIDED, Entry, Label, Part
from autox_video.dataset.messages import plural, setting_place
from autox_video.errors import Problem
from autox_video.settings.schema import AUTO, Settings

SINGLE, MULTI = "single_label", "multi_label"
# Fewer rows with several labels than this share are slips of the pen, unless `task` says otherwise.
MIN_SHARE = 0.05

_SEVERAL_IDS = re.compile(r"[0-9]+([\s,;]+[0-9]+)+")


@dataclasses.dataclass(frozen=True)
class TaskFound:
    """Which task the labels are for.

    Attributes:
        name: The module in `autox_video.tasks`.
        notes: What a person should know.
        problems: What is wrong.
    """

    name: str
    notes: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()


def find_task(settings: Settings, parts: Mapping[str, Part], trained: str | None = None) -> TaskFound:
    """Take the task of the trained model, else of the settings, else the one that the training list looks like.

    Args:
        settings: May name the task.
        parts: What was read.
        trained: The task of a trained model.
    """
    listed = [
        entry
        for split, part in parts.items()
        if split in ("train", UNDIVIDED) and not part.named
        for entry in part.entries
        if entry.label is not None
    ]
    several = [entry for entry in listed if len(split_label(entry.label or "")) > 1]
    name, notes, problems = trained, [], []
    if name is None:
        name = settings.task
    if name == AUTO:
        name = MULTI if several and len(several) >= MIN_SHARE * len(listed) else SINGLE
        if name == MULTI:
            what = f"{len(several)} of {plural(len(listed), 'training video')} have several labels"
            notes.append(f"{what}, so each label is learned on its own (task: multi_label)")
        else:
            # Of ids the class list says so.
            problems = [_slip(entry) for entry in several if not _SEVERAL_IDS.fullmatch(entry.label or "")]
    if name == MULTI:
        problems = [_folders(settings, part) for part in parts.values() if part.named and part.entries]
    return TaskFound(name, tuple(notes), tuple(problems))


def split_label(text: str) -> list[str]:
    """The labels in the text of one: ids between blanks, commas or semicolons, names between semicolons."""
    pieces = re.split(r"[\s,;]+", text) if _SEVERAL_IDS.fullmatch(text) else re.split(r"\s*;\s*", text.strip())
    return [piece for piece in pieces if piece]


def separated(parts: Mapping[str, Part]) -> dict[str, Part]:
    """The parts with one entry for each label of each video, in order."""
    return {split: _separated(part)[0] for split, part in parts.items()}


def labels_of(part: Part, classes: ClassList, task: str) -> tuple[list[Label | None], list[Problem]]:
    """The label of each video of a part: a class id, or with several labels the ids in order.

    It is None where the video is unlabelled or any of its labels is wrong.
    """
    if task != MULTI:
        ids, problems = label_ids(part, classes)
        return list(ids), problems
    single, counts = _separated(part)
    ids, problems = label_ids(single, classes)
    labels: list[Label | None] = []
    first = 0
    for count in counts:
        own = ids[first : first + count]
        known = sorted({label for label in own if label is not None})
        labels.append(None if None in own else tuple(known))
        first += count
    return labels, problems


def _separated(part: Part) -> tuple[Part, list[int]]:
    """One entry a label, and how many each video has; an unlabelled video keeps one."""
    entries: list[Entry] = []
    counts = []
    for entry in part.entries:
        labels: list[str | None] = [None] if entry.label is None else [*(split_label(entry.label) or [entry.label])]
        entries += [dataclasses.replace(entry, label=label) for label in labels]
        counts.append(len(labels))
    return dataclasses.replace(part, entries=tuple(entries)), counts


def _slip(entry: Entry) -> Problem:
    cure = f"{ONE_LABEL}, or task: single_label if this is one name"
    return Problem(entry.where, "has several labels", cure, repr(entry.label))


def _folders(settings: Settings, part: Part) -> Problem:
    wrong = f"{part.source} has class folders, which give a video one label, where videos have several"
    cure = "Give a list for each split, or set task: single_label"
    return Problem(setting_place(settings, "data_root"), wrong, cure)
