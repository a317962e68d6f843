"""Lists of one `path label` a line, in `ann_file_train`, `ann_file_val` and `ann_file_test`."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Sequence

from autox_video.dataset.entries import Entry, Listing, Part
from autox_video.dataset.list_lines import Line, read_lines, read_text
from autox_video.dataset.messages import list_name, missing_path, plural, setting_place
from autox_video.dataset.video_files import is_file
from autox_video.errors import Problem
from autox_video.settings.schema import Settings

KEYS = {"train": "ann_file_train", "val": "ann_file_val", "test": "ann_file_test"}


def detect(settings: Settings) -> bool:
    """Whether any list is given."""
    return any(getattr(settings, key) is not None for key in KEYS.values())


def read(settings: Settings, splits: Collection[str]) -> Listing:
    """Read the lists of the splits that are asked for."""
    parts: dict[str, Part] = {}
    notes: list[str] = []
    problems: list[Problem] = []
    for split, key in KEYS.items():
        file = getattr(settings, key)
        if file is None or split not in splits:
            continue
        if not file.is_file():
            problems.append(_no_list(settings, key))
            continue
        name = list_name(settings, split)
        text = read_text(file, name)
        if isinstance(text, Problem):
            problems.append(text)
            continue
        lines, num_comments = read_lines(text, _exists_under(str(settings.data_root)))
        if num_comments:
            notes.append(f"{name}: {plural(num_comments, 'line')} beginning with # left out as comments")
        problems += _unlabelled_lines(lines, name, split)
        entries = tuple(Entry(line.path, line.label, f"{name}:{line.number}") for line in lines)
        parts[split] = Part(entries, str(file), named=False)
    return Listing(parts, tuple(notes), tuple(problems))


def _no_list(settings: Settings, key: str) -> Problem:
    file, where = getattr(settings, key), setting_place(settings, key)
    if file.exists():
        return Problem(where, "is not a file", "Name a list with one `path label` a line", str(file))
    return missing_path(where, file, "Correct the path; a relative one starts from the folder of the YAML")


def _exists_under(root: str) -> Callable[[str], bool]:
    """Whether a listed path exists; one without an ending may stand for an .mp4, as in MMAction2."""

    def exists(path: str) -> bool:
        full = os.path.join(root, path)
        return is_file(full) or (not os.path.splitext(full)[1] and is_file(full + ".mp4"))

    return exists


def _unlabelled_lines(lines: Sequence[Line], name: str, split: str) -> list[Problem]:
    """Lines without a label, in a list that needs one on every line or has them on other lines."""
    bare = [line for line in lines if line.label is None]
    if split == "test" and len(bare) == len(lines):
        return []
    cure = "Write the class after the path"
    if split == "test":
        cure += ", or take the labels from all lines"
    return [Problem(f"{name}:{line.number}", "has no label", cure, repr(line.path)) for line in bare]
