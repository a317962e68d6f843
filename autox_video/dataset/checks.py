"""What is refused before training, and what is only remarked on."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping, Sequence

from autox_video.dataset.entries import Content, Draft, Sample, ids_of
from autox_video.dataset.measures import fps_notes
from autox_video.dataset.messages import MAX_LISTED, in_short, missing_path, plural, printable, setting_place
from autox_video.dataset.opened import OpenedSplit
from autox_video.dataset.probe import MISSING
from autox_video.errors import Problem
from autox_video.settings.data_source import DataSource
from autox_video.settings.schema import Settings

MAX_BAD_SHARE = 0.20


def folder_problems(settings: Settings) -> list[Problem]:
    """Whether every `data_root` is a folder."""
    problems = []
    sources: tuple[Settings | DataSource, ...] = (settings, *settings.more_data)
    for source in sources:
        where, root = setting_place(source, "data_root"), source.data_root
        if root.exists() and not root.is_dir():
            problems.append(Problem(where, "is not a folder", "Name the folder of the videos", str(root)))
        elif not root.exists():
            cure = "Correct the path; a relative one starts from the folder of the YAML"
            problems.append(missing_path(where, root, cure))
    return problems


def absent_splits(settings: Settings, wanted: Collection[str], drafts: Mapping[str, Draft]) -> list[Problem]:
    """Splits that neither a list nor a folder gave."""
    where, root = setting_place(settings, "data_root"), str(settings.data_root)
    if "train" in wanted and "train" not in drafts:
        cure = "Give ann_file_train, or put the videos of each class into a folder of its own"
        return [Problem(where, "there is no list of training videos, and no folder of a class", cure, root)]
    if list(wanted) == ["test"] and "test" not in drafts:
        return [Problem(where, "there is no video to test on", "Give ann_file_test, or another folder", root)]
    return []


def refusals(
    settings: Settings, opened: Mapping[str, OpenedSplit], names: Sequence[str], *, labels_are_right: bool
) -> list[Problem]:
    """Everything that training or testing would stumble over.

    Args:
        settings: For what to name.
        opened: The splits.
        names: Class names.
        labels_are_right: Whether all labels could be read; if not, what follows from them is not judged.
    """
    problems, lost = _all_missing(settings, opened)
    problems += _empty(opened)
    for where, group in _given_together(opened, lost).items():
        problems += _unreadable(where, group, stop=settings.on_bad_video == "stop")
    problems += _two_labels(opened)
    train = opened.get("train")
    # Where much of train cannot be read, that it lacks a class says nothing new.
    if labels_are_right and train and train.good and len(train.bad) <= MAX_BAD_SHARE * len(train.draft.samples):
        problems += _unseen_classes(opened, names)
    return problems


def remarks(opened: Mapping[str, OpenedSplit], names: Sequence[str]) -> list[str]:
    """What a person should know of the splits."""
    notes: list[str] = []
    for split, videos in opened.items():
        notes += fps_notes(split, videos.facts)
        if again := repeated(videos.draft.samples):
            places = in_short([sample.where for sample in again])
            notes.append(f"{split} lists {plural(len(again), 'video')} more than once, and each counts: {places}")
        if videos.draft.labelled and (absent := [name for label, name in enumerate(names) if not videos.counts[label]]):
            notes.append(f"{plural(len(absent), 'class')} of {len(names)} without a {split} video: {in_short(absent)}")
    return notes


def shared_videos(opened: Mapping[str, OpenedSplit], earlier: Mapping[str, set[Content]]) -> list[str]:
    """Videos that two splits share, and what that does to the figures.

    Args:
        opened: The splits.
        earlier: The contents of splits that are not opened now, but were trained on.
    """
    files = {**earlier, **{split: videos.contents for split, videos in opened.items()}}
    figures = [("train", "val")] if "val" in opened else []
    if "test" in opened and opened["test"].draft.labelled:
        figures += [("train", "test"), ("val", "test")]
    notes = [_shared(*pair, files) for pair in figures if files.get(pair[0], set()) & files[pair[1]]]
    if "test" in opened and not opened["test"].draft.labelled:
        used = files["test"] & (files.get("train", set()) | files.get("val", set()))
        if used:
            notes.append(f"{len(used)} of {plural(len(files['test']), 'test video')} are also in train or val")
    return notes


def repeated(samples: Sequence[Sample]) -> list[Sample]:
    """Samples that were named before."""
    seen: set[Content] = set()
    again = []
    for sample in samples:
        if sample.content in seen:
            again.append(sample)
        seen.add(sample.content)
    return again


def _shared(one: str, other: str, files: Mapping[str, set[Content]]) -> str:
    ones, others = files[one], files[other]
    size = plural(len(others), f"{other} file")
    what = f"{len(ones & others)} of {size} are also in {one}"
    if ones == others:
        what = f"{one} and {other} are the same {plural(len(others), 'file')}"
    if one == "val":
        return f"{what}: the test figures are not independent of the choice of the best checkpoint"
    return f"{what}: the {other} figures are better than on new videos"


def _empty(opened: Mapping[str, OpenedSplit]) -> list[Problem]:
    problems = []
    for split, videos in opened.items():
        if not videos.draft.samples:
            cure = "Give it videos" if split == "train" else f"Give it videos, or a list in ann_file_{split}"
            problems.append(Problem(split, f"there is no video in {videos.draft.source}", cure))
    return problems


def _given_together(opened: Mapping[str, OpenedSplit], lost: Collection[str]) -> dict[str, list[OpenedSplit]]:
    """Splits that were divided from one list or folder, under their names; every other split alone.

    A small part of what was divided may have bad luck, so it is the whole that is judged.
    """
    groups: dict[str, list[str]] = {}
    for split, videos in opened.items():
        if split not in lost:
            groups.setdefault(videos.draft.origin or split, []).append(split)
    return {", ".join(splits): [opened[split] for split in splits] for splits in groups.values()}


def _unreadable(where: str, group: Sequence[OpenedSplit], *, stop: bool) -> list[Problem]:
    """Splits of which too much cannot be read; with `stop`, anything."""
    draft, bad = group[0].draft, [video for videos in group for video in videos.bad]
    listed = sum(len(videos.draft.samples) for videos in group)
    # Nobody chose the videos of a whole folder one by one, and of what was divided training has judged the whole.
    lenient = draft.swept or (draft.origin and "train" not in where)
    allowed = 0.0 if stop else 1.0 if lenient else MAX_BAD_SHARE
    if _bad_share(group) <= allowed and all(videos.facts or not videos.draft.samples for videos in group):
        return []
    opened = sum(len(videos.facts) for videos in group) + len(bad)
    of = plural(listed, "video") if opened == listed else f"the {plural(opened, 'video')} known of {listed}"
    wrong = f"{len(bad)} of {of} ({_bad_share(group):.0%}) cannot be used"
    cure = f"Repair them or take them out of {draft.origin or draft.source}; "
    cure += "`on_bad_video: skip` leaves them out" if stop else f"up to {MAX_BAD_SHARE:.0%} would be left out"
    problems = [Problem(where, wrong, cure)]
    for video in bad[:MAX_LISTED]:
        wrong = f"{printable(video.path)} {video.reason}"
        problems.append(Problem(printable(video.where), wrong, "Repair it or take it out"))
    if len(bad) > MAX_LISTED:
        problems.append(Problem(where, f"and {len(bad) - MAX_LISTED} more", "Repair the others first"))
    return problems


def _bad_share(group: Sequence[OpenedSplit]) -> float:
    """The share of the listed videos that cannot be used; where a sample was opened, it stands for all that exist."""
    listed = sum(len(videos.draft.samples) for videos in group)
    bad = sum(len(videos.bad) for videos in group)
    missing = sum(video.reason == MISSING for videos in group for video in videos.bad)
    unreadable, readable = bad - missing, sum(len(videos.facts) for videos in group)
    existing = (listed - missing) * unreadable / max(1, unreadable + readable)
    return (missing + existing) / max(1, listed)


def _two_labels(opened: Mapping[str, OpenedSplit]) -> list[Problem]:
    """One video with two labels, be it in one list or in two."""
    problems = []
    first: dict[Content, Sample] = {}
    for videos in opened.values():
        for sample in videos.draft.samples:
            if sample.label is None:
                continue
            earlier = first.setdefault(sample.content, sample)
            if earlier.label != sample.label:
                wrong = f"has another label than in {earlier.where}"
                problems.append(Problem(sample.where, wrong, "Correct one of them", repr(sample.path)))
    return problems


def _all_missing(settings: Settings, opened: Mapping[str, OpenedSplit]) -> tuple[list[Problem], set[str]]:
    """Lists of which not one video exists, since `data_root` is wrong most likely: one problem for all of them.

    Returns:
        The problem, and the splits it speaks of.
    """
    lost = {
        split: videos.draft.samples
        for split, videos in opened.items()
        if videos.bad and not videos.good and all(video.reason == MISSING for video in videos.bad)
    }
    paths = [sample.path for samples in lost.values() for sample in samples]
    if not paths:
        return [], set()
    places = [samples[0].where for samples in lost.values()]
    where = ", ".join(dict.fromkeys(place.rpartition(":")[0] or place for place in places))
    first = os.path.join(settings.data_root, paths[0])
    root = _better_root(settings, paths)
    cure = f"Set data_root to {root}" if root else "Correct data_root, or the paths in the list"
    wrong = f"not one of {plural(len(paths), 'video')} exists"
    return [Problem(where, wrong, cure, f"{first} as the first")], set(lost)


def _better_root(settings: Settings, paths: Sequence[str]) -> str | None:
    """A folder near the data or the lists under which most of the first paths exist."""
    near = [settings.data_root, *settings.data_root.parents[:2]]
    for file in (settings.ann_file_train, settings.ann_file_val, settings.ann_file_test):
        near += [] if file is None else file.parents[:2]
    tried = [path for path in paths[:10] if not os.path.isabs(path)]
    for folder in dict.fromkeys(near):
        try:
            inside = sorted(item.path for item in os.scandir(folder) if item.is_dir())[:1000]
        except OSError:
            continue
        for root in (str(folder), *inside):
            if 2 * sum(os.path.exists(os.path.join(root, path)) for path in tried) > len(tried):
                return root
    return None


def _unseen_classes(opened: Mapping[str, OpenedSplit], names: Sequence[str]) -> list[Problem]:
    """Classes that val or test have and training has not."""
    train = opened["train"]
    listed = {label for sample in train.draft.samples for label in ids_of(sample.label)}
    problems = []
    for split in [split for split in opened if split != "train"]:
        samples = opened[split].draft.samples
        first = {label: sample.where for sample in reversed(samples) for label in ids_of(sample.label)}
        for label in sorted(first.keys() - train.counts.keys()):
            wrong = "training has no video of this class" + (" that can be read" if label in listed else "")
            cure = f"Add videos of it to train, or take it out of {split}"
            problems.append(Problem(first[label], wrong, cure, repr(names[label])))
    return problems
