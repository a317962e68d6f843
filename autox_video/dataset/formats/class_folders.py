"""A folder a class: `root/<class>/**/*.mp4`, or `root/<split>/<class>/**/*.mp4`; a video may be a folder of images."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

from autox_video.dataset.entries import SPLITS, UNDIVIDED, Entry, Listing, Part
from autox_video.dataset.messages import in_short, plural, setting_place
from autox_video.dataset.sources import SPLIT_NAMES, Source
from autox_video.dataset.video_files import FoundVideos, as_text, find_videos, holds_nested_video, natural_key
from autox_video.errors import Problem
from autox_video.settings.schema import Settings


def detect(source: Source) -> bool:
    """Whether the training videos have no list, and there are videos in folders."""
    return source.split is None and holds_nested_video(source.path)


def read(source: Source, splits: Collection[str]) -> Listing:
    """Read the folders; where there are none of splits, everything is `UNDIVIDED`."""
    settings = source.settings
    found = find_videos(settings.data_root)
    problems = [Problem(folder, "cannot be listed", "Check its permissions") for folder in found.closed_folders]
    notes = _ignored_files(found)
    top = _by_folder(found.paths, 0)
    if loose := top.pop("", []):
        notes.append(f"{plural(len(loose), 'video')} directly in {settings.data_root} left out: of no class")
    of_split = {folder: SPLIT_NAMES[folder.casefold()] for folder in top if folder.casefold() in SPLIT_NAMES}
    if not any(_by_folder(top[folder], 1).keys() - {""} for folder, split in of_split.items() if split == "train"):
        if of_split and len(of_split) == len(top):
            wrong = "has folders of splits, but in train no folder of a class"
            cure = "Put the videos of each class into a folder of its own, or give lists"
            problems.append(Problem(setting_place(settings, "data_root"), wrong, cure, in_short(list(top))))
        notes += _empty_folders(found, 1)
        entries = _labelled(settings, [path for paths in top.values() for path in paths], 0)
        parts = {UNDIVIDED: Part(entries, str(settings.data_root), named=True)}
        return Listing(parts, tuple(notes), tuple(problems))
    problems += _ambiguous_folders(settings, top, of_split)
    notes += _empty_folders(found, 2)
    if other := [folder for folder in top if folder not in of_split]:
        notes.append(f"folders beside those of the splits left out: {in_short(other)}")
    parts = {}
    for folder, split in of_split.items():
        if getattr(settings, f"ann_file_{split}") is not None:
            notes.append(f"folder {folder} left out, because ann_file_{split} is given")
        elif split in splits:
            parts[split], more = _split_part(settings, folder, split, top[folder])
            notes += more
    return Listing(parts, tuple(notes), tuple(problems))


def _split_part(settings: Settings, folder: str, split: str, paths: Sequence[str]) -> tuple[Part, list[str]]:
    """The videos of one split, and what to say of those outside the classes."""
    source, notes = str(settings.data_root / folder), []
    entries = _labelled(settings, paths, 1)
    loose = _by_folder(paths, 1).get("", [])
    if loose and not entries and split == "test":
        entries = tuple(Entry(path, None, f"{settings.data_root.name}/{folder}") for path in loose)
        notes.append(f"{source} has no folders of classes, so its videos are tested without labels")
    elif loose:
        notes.append(f"{plural(len(loose), 'video')} directly in {source} left out: of no class")
    return Part(entries, source, named=True), notes


def _by_folder(paths: Iterable[str], depth: int) -> dict[str, list[str]]:
    """Paths by their folder at a depth; under `""` those that do not lie as deep."""
    groups: dict[str, list[str]] = {}
    for path in paths:
        pieces = path.split("/")
        groups.setdefault(pieces[depth] if len(pieces) > depth + 1 else "", []).append(path)
    return groups


def _labelled(settings: Settings, paths: Sequence[str], depth: int) -> tuple[Entry, ...]:
    """The videos that lie in a folder of a class, by class."""
    classes = _by_folder(paths, depth)
    classes.pop("", None)
    root = settings.data_root.name
    return tuple(
        Entry(path, as_text(name), as_text(f"{root}/{path.rpartition('/')[0]}"))
        for name in sorted(classes, key=natural_key)
        for path in classes[name]
    )


def _ambiguous_folders(
    settings: Settings, top: Mapping[str, Sequence[str]], of_split: Mapping[str, str]
) -> list[Problem]:
    where = setting_place(settings, "data_root")
    problems = []
    for split in SPLITS:
        same = [folder for folder, name in of_split.items() if name == split]
        if len(same) > 1:
            problems.append(Problem(where, f"has two folders for {split}", "Keep one of them", " and ".join(same)))
    other = [folder for folder in top if folder not in of_split]
    if other and set(of_split.values()) == {"train"}:
        wrong = "has a folder named like a split beside folders that are not, so it may be a split or a class"
        cure = "Move the other folders elsewhere, or give lists"
        problems.append(Problem(where, wrong, cure, f"{next(iter(of_split))} beside {in_short(other)}"))
    return problems


def _ignored_files(found: FoundVideos) -> list[str]:
    notes = []
    if found.image_folders:
        folders, shown = plural(len(found.image_folders), "folder"), in_short(found.image_folders)
        notes.append(f"{folders} of images left out, since there are videos: {shown}")
    if not found.other_endings:
        return notes
    endings = in_short([ending or "no ending" for ending in sorted(found.other_endings)])
    return [
        *notes,
        f"{plural(sum(found.other_endings.values()), 'file')} without a video's ending left out ({endings})",
    ]


def _empty_folders(found: FoundVideos, depth: int) -> list[str]:
    """Folders where a class would be, but without a video."""
    full = {"/".join(path.split("/")[:depth]) for path in found.paths}
    empty = [folder for folder in found.folders if folder.count("/") == depth - 1 and folder not in full]
    return [f"{plural(len(empty), 'folder')} without a video left out: {in_short(empty)}"] if empty else []
