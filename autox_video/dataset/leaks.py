"""Videos that stand on both sides of two splits, under whatever name, and so make figures too good."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path

from autox_video.dataset.annotations import read_rows
from autox_video.dataset.entries import Content, Sample
from autox_video.dataset.facts import Fingerprint, Leak
from autox_video.dataset.folders import Folders
from autox_video.dataset.groups import Grouping, find_groups
from autox_video.dataset.look_alikes import LookAlikes, find_look_alikes
from autox_video.dataset.messages import in_short, plural, printable
from autox_video.dataset.opened import OpenedSplit
from autox_video.dataset.probe import remembered_videos
from autox_video.errors import RunError
from autox_video.records import read_record
from autox_video.settings.schema import Settings
from autox_video.work_dir import WorkDir
from autox_video.writing import write_text

# The strongest first: a leak is called by the first that is true of it.
FILE, CONTENT, LOOK, GROUP = "same file", "same content", "look-alike frames", "same group"
WHAT = {
    CONTENT: "have the content of a {other} file under another name",
    LOOK: "look like a {other} file (near-duplicate frames)",
    GROUP: "come from the recording of a {other} file",
}
MAX_SHOWN = 3


def earlier_samples(work_dir: WorkDir, opened: Collection[str]) -> dict[str, tuple[Sample, ...]]:
    """The videos that a training in this work dir used, of the splits that are not opened now."""
    earlier: dict[str, tuple[Sample, ...]] = {}
    closed = [split for split in ("train", "val") if split not in opened]
    if not closed:
        return {}
    folders = Folders()
    try:
        root = read_record(work_dir.fingerprint, Fingerprint).data_root
        columns = group_columns(work_dir.groups)
        for split in closed:
            samples = []
            for row in read_rows(work_dir.annotations(split)):
                file, group = folders.real(os.path.join(root, row.path)), columns.get((split, row.path))
                samples.append(Sample(row.path, row.label, split, file, row.start_seconds, row.end_seconds, group))
            earlier[split] = tuple(samples)
    except (RunError, OSError, ValueError):
        return {}  # there was no such training
    return earlier


def group_all(
    opened: Mapping[str, OpenedSplit], earlier: Mapping[str, Sequence[Sample]], settings: Settings, cache: Path
) -> tuple[Grouping, LookAlikes]:
    """Group the videos of all splits, as far as that can be relied on, and tell which are equal or similar."""
    past = [sample for samples in earlier.values() for sample in samples]
    facts = remembered_videos([sample.file for sample in past], cache)
    for videos in opened.values():
        facts |= videos.known
    alike = find_look_alikes(facts)
    samples = [*past, *(sample for videos in opened.values() for sample in videos.good)]
    return find_groups(samples, settings, alike, guess=False), alike


def find_leaks(splits: Mapping[str, Sequence[Sample]], grouping: Grouping, alike: LookAlikes) -> list[Leak]:
    """Videos of val that also stand in train, and videos of test that also stand in train or val.

    Args:
        splits: The samples of each.
        grouping: Over all of them.
        alike: Over all of them.
    """
    leaks = []
    for split, others in (("val", ("train",)), ("test", ("train", "val"))):
        for other in [other for other in others if split in splits and other in splits]:
            files = {sample.file for sample in splits[split]}
            asked = {mark for sample in splits[split] for mark in _marks(sample, grouping, alike)}
            seen: dict[tuple[str, Content], Sample] = {}
            for sample in splits[other]:
                # Most files of a long list have nothing in common with another; what they are known by is not needed.
                if not any(sample.file in known for known in (files, alike.content, grouping.group_of)):
                    continue
                for mark in _marks(sample, grouping, alike):
                    if mark in asked:
                        seen.setdefault(mark, sample)
            for sample in splits[split] if seen else ():
                found = next((mark for mark in _marks(sample, grouping, alike) if mark in seen), None)
                if found is not None:
                    _, *piece = sample.content
                    path, (_, *other_piece) = seen[found].path, seen[found].content
                    leaks.append(Leak(split, sample.path, other, path, found[0], *piece, *other_piece))
    return leaks


def _marks(sample: Sample, grouping: Grouping, alike: LookAlikes) -> list[tuple[str, Content]]:
    """By what a sample is known again, the strongest first.

    Two pieces of one video are alike only if they are the same piece; all of them come from one recording.
    """
    file, *piece = sample.content
    start, end = piece
    marks = {FILE: file, CONTENT: alike.content.get(file), LOOK: alike.look.get(file)}
    found: list[tuple[str, Content]] = [(kind, (mark, start, end)) for kind, mark in marks.items() if mark is not None]
    return [*found, (GROUP, (grouping.group_of.get(file, file), None, None))]


def leak_notes(
    leaks: Sequence[Leak], sizes: Mapping[str, int], where: str, unlabelled: Collection[str] = ()
) -> list[str]:
    """How many leaks there are, and the first few; those of the same file are told elsewhere.

    Args:
        leaks: All of them.
        sizes: Videos of each split.
        where: File in which all leaks stand.
        unlabelled: Splits that have no figures.
    """
    notes = []
    kinds: dict[tuple[str, str, str], list[Leak]] = {}
    for leak in leaks:
        if leak.kind != FILE:
            kinds.setdefault((leak.split, leak.other_split, leak.kind), []).append(leak)
    for (split, other, kind), found in kinds.items():
        pairs = [f"{printable(leak.path)} and {printable(leak.other_path)}" for leak in found]
        what = f"{len(found)} of {plural(sizes[split], f'{split} file')} {WHAT[kind].format(other=other)}"
        consequence = "" if split in unlabelled else f": {_consequence(split, other)}"
        notes.append(f"{what} ({in_short(pairs, MAX_SHOWN)}){consequence}")
    if leaks:
        notes.append(f"{plural(len(leaks), 'video')} in two splits, listed in {where}")
    return notes


def write_groups(path: Path, splits: Mapping[str, Sequence[Sample]], groupings: Sequence[Grouping]) -> None:
    """Write which group each video is in and why; a later grouping goes before an earlier one."""
    lines = ["split\tpath\tcolumn\tgroup\twhy"]
    for split, samples in splits.items():
        for sample in samples:
            of = next((each for each in reversed(groupings) if sample.file in each.group_of), None)
            group = ("", "") if of is None else (of.group_of[sample.file], of.reasons[sample.file])
            lines.append("\t".join((split, sample.path, " ".join((sample.group or "").split()), *group)))
    write_text(path, "".join(f"{line}\n" for line in lines))


def write_leaks(path: Path, leaks: Sequence[Leak]) -> None:
    """Write every leak, a line each, with the times of pieces; without one, the head alone."""
    lines = ["split\tpath\tstart\tend\tother_split\tother_path\tother_start\tother_end\tkind"]
    for leak in leaks:
        one = (leak.split, leak.path, leak.start_seconds, leak.end_seconds)
        other = (leak.other_split, leak.other_path, leak.other_start_seconds, leak.other_end_seconds)
        lines.append("\t".join("" if value is None else str(value) for value in (*one, *other, leak.kind)))
    write_text(path, "".join(f"{line}\n" for line in lines))


def read_groups(path: Path) -> dict[tuple[str, str], str]:
    """The group of each video that is in one, by split and path, as `write_groups` wrote them."""
    return _column(path, 3)


def known_groups(files: Iterable[Path]) -> dict[tuple[str, str], str]:
    """What `read_groups` finds in the first of these files that is there; nothing where none is."""
    return next((read_groups(file) for file in files if file.is_file()), {})


def group_columns(path: Path) -> dict[tuple[str, str], str]:
    """The groups that lists gave in a column, by split and path."""
    return _column(path, 2)


def _column(path: Path, column: int) -> dict[tuple[str, str], str]:
    rows = (line.split("\t") for line in path.read_text(encoding="utf-8").split("\n")[1:] if line)
    return {(row[0], row[1]): row[column] for row in rows if row[column]}


def _consequence(split: str, other: str) -> str:
    if other == "val":
        return "the test figures are not independent of the choice of the best checkpoint"
    return f"the {split} figures are better than on new videos"
