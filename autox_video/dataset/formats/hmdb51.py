"""HMDB51: a file `<class>_test_splitN.txt` a class, of `video.avi 1` (train), `2` (test) or `0` (not used)."""

from __future__ import annotations

import os
import re
from collections.abc import Collection
from pathlib import Path

from autox_video.dataset.entries import Entry, Listing, Part
from autox_video.dataset.list_lines import numbered_lines, read_text
from autox_video.dataset.messages import plural
from autox_video.dataset.sources import Source, read_head
from autox_video.dataset.video_files import natural_key
from autox_video.errors import Problem

_FILE = re.compile(r"(.+)_test_split([0-9]+)\.txt")
_LINE = re.compile(r"(\S.*?)\s+([012])")
_SPLITS = {"1": "train", "2": "test"}


def detect(source: Source) -> bool:
    """Whether a folder, or the one of a file in it, has such files, in which videos are named after the class."""
    if source.split is None or (source.path.exists() and not source.path.is_dir() and not source.is_list):
        return False
    files = _files(source)
    if len(files) < 2 or (source.is_list and source.path not in files.values()):
        return False
    head = numbered_lines(read_head(next(iter(files.values()))))
    return bool(head) and _is_official(next(iter(files)), head[0][1].strip())


def read(source: Source, splits: Collection[str]) -> Listing:
    """Read the files of one number: that of the file which is named, or 1."""
    entries: dict[str, list[Entry]] = {split: [] for split in ("train", "test") if split in splits}
    problems: list[Problem] = []
    num_unused = 0
    files = _files(source)
    for label, file in files.items():
        text = read_text(file, file.name)
        if isinstance(text, Problem):
            problems.append(text)
            continue
        folder = f"{label}/" if os.path.isdir(os.path.join(source.root, label)) else ""
        for number, line in numbered_lines(text):
            where, match = f"{file.name}:{number}", _LINE.fullmatch(line.strip())
            if match is None:
                cure = "Write a video and 1 (train), 2 (test) or 0 (not used)"
                problems.append(Problem(where, "is not a line of HMDB51", cure, repr(line.strip())))
            elif match[2] == "0":
                num_unused += 1
            elif (split := _SPLITS[match[2]]) in entries:
                entries[split].append(Entry(folder + match[1], label, where))
    folder_name = str(_folder(source))
    parts = {split: Part(tuple(listed), folder_name, named=True) for split, listed in entries.items() if listed}
    note = f"{source.path}: the official split {_number(source)} of HMDB51 is used, which leaves out "
    return Listing(parts, (note + plural(num_unused, "video"),), tuple(problems))


def _folder(source: Source) -> Path:
    return source.path if source.path.is_dir() else source.path.parent


def _number(source: Source) -> str:
    """Which of the official splits: that of the file which is named (be it `*_test_split2.txt`), or 1."""
    match = _FILE.fullmatch(source.path.name)
    return match[2] if match and not source.path.is_dir() else "1"


def _files(source: Source) -> dict[str, Path]:
    """The files of the split that is meant, by class."""
    folder, number = _folder(source), _number(source)
    if not folder.is_dir() or not (source.path.is_dir() or _FILE.fullmatch(source.path.name)):
        return {}
    matches = [(match, file) for file in folder.iterdir() if (match := _FILE.fullmatch(file.name))]
    files = {match[1]: file for match, file in matches if match[2] == number}
    return {label: files[label] for label in sorted(files, key=natural_key)}


def _is_official(label: str, line: str) -> bool:
    """Whether a line names a video as HMDB51 does: without a folder, and with the class in the name."""
    match = _LINE.fullmatch(line)
    return match is not None and "/" not in match[1] and f"_{label}_" in match[1]
