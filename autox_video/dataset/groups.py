"""Which videos come from one recording, so that no recording stands on both sides of a split.

What a video's group is, is taken from the first of these that says something: the column of its list, the user's
`data.group_pattern`, `gNN_cNN` in its name (UCF101), a YouTube id with times (Kinetics); and if no video has any of
them, from its folder or from the number its name begins with, where that divides every class well. Beyond that, videos
of equal content and videos that look alike are always in one group.
"""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from autox_video.dataset.entries import Content, Sample, ids_of
from autox_video.dataset.look_alikes import LookAlikes
from autox_video.dataset.messages import in_short, plural, setting_place
from autox_video.dataset.unions import Unions
from autox_video.dataset.video_files import natural_key
from autox_video.errors import Problem
from autox_video.settings.schema import AUTO, Settings

COLUMN, PATTERN, CONTENT, LOOK = "column of the list", "data.group_pattern", "same content", "look-alike frames"
FOLDER, NUMBER = "shared folder", "number at the beginning of the name"
# By what it is called; searched in the name without its ending.
CONVENTIONS = {
    "gNN_cNN in the name": re.compile(r"^(.*g[0-9]{1,3})_c[0-9]{1,3}$", re.IGNORECASE),
    "YouTube id": re.compile(r"^([A-Za-z0-9_-]{11})_[0-9]{6}_[0-9]{6}$"),
}
_NUMBERED = re.compile(r"^([^0-9]*[0-9]+)[^0-9].*$")
# A folder or a number is taken for a recording only where every class has so many, most videos have one, and
# there are clearly fewer of them than videos.
MIN_GUESSED_GROUPS = 3
MIN_GUESSED_SHARE = 0.9
MIN_VIDEOS_PER_GUESS = 1.5
# More classes than this that cannot be divided, and the figures would not be those of the task.
MAX_UNDIVIDED_SHARE = 0.2
MOST_OFFERED_FOLDS = 5


@dataclass(frozen=True)
class Grouping:
    """Which videos belong together.

    Attributes:
        group_of: By file, the name of its group; absent for a file that stands alone.
        named: By file, the name of its recording and where that is from, before equal and similar videos are added.
        reasons: By file with a group, why it is in it.
        notes: What a person should know.
    """

    group_of: Mapping[str, str]
    named: Mapping[str, tuple[str, str]]
    reasons: Mapping[str, str]
    notes: tuple[str, ...] = ()


def pattern_problems(settings: Settings) -> list[Problem]:
    """Whether `data.group_pattern` is a pattern."""
    try:
        _pattern(settings)
    except re.error as error:
        where, cure = setting_place(settings, "data.group_pattern"), r"Write one such as '^(.*)_clip\d+'"
        return [Problem(where, f"is not a regular expression: {error}", cure, repr(settings.data.group_pattern))]
    return []


def find_groups(samples: Sequence[Sample], settings: Settings, alike: LookAlikes, *, guess: bool) -> Grouping:
    """Find out which videos belong together.

    Args:
        samples: The videos.
        settings: The user's pattern.
        alike: Which of them are equal or similar.
        guess: Whether folders and numbers may be taken for recordings.
    """
    named, notes = _named(samples, settings, guess=guess)
    path_of = {
        sample.file: sample.path for sample in reversed(samples) if sample.file in named or sample.file in alike.content
    }
    shared = Counter(key for file in path_of for key in _keys(file, named, alike))
    together = [file for file in path_of if any(shared[key] > 1 for key in _keys(file, named, alike))]
    files = sorted(together, key=lambda file: natural_key(path_of[file]))
    unions, first = Unions(len(files)), dict[tuple[str, ...], int]()
    keys_of = [[key for key in _keys(file, named, alike) if shared[key] > 1] for file in files]
    for position, keys in enumerate(keys_of):
        for key in keys:
            unions.join(first.setdefault(key, position), position)
    group_of: dict[str, str] = {}
    reasons: dict[str, str] = {}
    for members in unions.sets():
        names = [named[files[member]][0] for member in members if files[member] in named]
        for member in members:
            file = files[member]
            group_of[file] = min(names, key=natural_key, default=path_of[files[members[0]]])
            reasons[file] = ", ".join(dict.fromkeys(key[0] for key in keys_of[member]))
    return Grouping(group_of, named, reasons, (*notes, *alike.notes))


def summary(grouping: Grouping, files: set[str], where: str) -> list[str]:
    """What was grouped and why, in a sentence.

    Args:
        grouping: The groups.
        files: The files that were divided.
        where: File in which all groups stand.
    """
    grouped = [file for file in files if file in grouping.group_of]
    if not grouped:
        return []
    groups = len({grouping.group_of[file] for file in grouped})
    counts = Counter(reason for file in grouped for reason in grouping.reasons[file].split(", "))
    why = ", ".join(
        f"{reason} ({count})" for reason, count in sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    )
    what = f"{len(grouped)} of {plural(len(files), 'video')} form {plural(groups, 'group')}"
    return [f"{what}, none of which is divided between splits, by {why}: see {where}"]


def too_few_groups(
    samples: Sequence[Sample], missing: Sequence[str], group_of: Mapping[str, str], names: Sequence[str]
) -> tuple[list[Problem], list[str]]:
    """Classes with videos enough for every split, but of too few recordings.

    Args:
        samples: What is divided.
        missing: The splits that are held out, beside train.
        group_of: See `Grouping`.
        names: Class names.

    Returns:
        A problem where too many classes are so, a note where a few are; and a note on classes of too few videos.
    """
    files: dict[int, set[Content]] = {}
    for sample in samples:
        for label in ids_of(sample.label):
            files.setdefault(label, set()).add(sample.content)
    groups = {label: {group_of.get(file, file) for file, *_ in own} for label, own in sorted(files.items())}
    needed = 1 + len(missing)
    sparse = {label: needed - len(files[label]) for label in groups if len(files[label]) < needed}
    lacking = {label: needed - len(own) for label, own in groups.items() if len(own) < needed and label not in sparse}
    splits = " and ".join(["train", *missing])
    folds = folds_to_offer(list(groups.values())) if "test" in missing else None
    notes = []
    if sparse:
        what = f"too few videos for {splits} in {len(sparse)} of {plural(len(files), 'class')}"
        offer = f"; test.folds: {folds} would test every video once" if folds else ""
        notes.append(f"{what}: {_more(sparse, names)}{offer}")
    if not lacking:
        return [], notes
    what = f"{len(lacking)} of {plural(len(files), 'class')} cannot be divided into {splits} by recording"
    what = f"{what}: {_more(lacking, names)}"
    if len(lacking) <= MAX_UNDIVIDED_SHARE * len(files):
        return [], [*notes, what]
    keys = " and ".join(f"ann_file_{split}" for split in missing)
    cure = f"Add videos of other recordings, correct data.group_pattern, or give {keys}"
    cure += f"; or set test.folds: {folds}, to test every video once" if folds else ""
    return [Problem(" and ".join(missing), what, cure)], notes


def folds_to_offer(groups: Sequence[set[str]]) -> int | None:
    """A value of `test.folds` that would do where train, val and test are too many; None where no value would.

    Args:
        groups: Those of each class.
    """
    together = len(set[str]().union(*groups))
    # One that is tested, one that is learned from; and somewhere a third that chooses the best checkpoint.
    return min(MOST_OFFERED_FOLDS, together) if together > 2 and min(map(len, groups)) > 1 else None


def _more(lacking: Mapping[int, int], names: Sequence[str]) -> str:
    return in_short([f"{names[label]} needs {count} more" for label, count in lacking.items()])


def _keys(file: str, named: Mapping[str, tuple[str, str]], alike: LookAlikes) -> list[tuple[str, ...]]:
    """What a file has in common with the others of its group; the reason first."""
    keys: list[tuple[str, ...]] = []
    if file in named:
        name, why = named[file]
        keys.append((why, name))
    if file in alike.content:
        keys.append((CONTENT, alike.content[file]))
    if file in alike.look:
        keys.append((LOOK, alike.look[file]))
    return keys


def _pattern(settings: Settings) -> re.Pattern[str] | None:
    """The user's pattern, compiled; None where there is none."""
    pattern = settings.data.group_pattern
    return None if pattern.lower() in (AUTO, "none") else re.compile(pattern)


def _named(
    samples: Sequence[Sample], settings: Settings, *, guess: bool
) -> tuple[dict[str, tuple[str, str]], list[str]]:
    """Recordings by column, pattern or name: name and reason by file; and notes."""
    named = {sample.file: (" ".join(sample.group.split()), COLUMN) for sample in samples if sample.group}
    others = [sample for sample in samples if sample.file not in named]
    if settings.data.group_pattern.lower() == "none":
        return named, []
    if pattern := _pattern(settings):
        found = {sample.file: name for sample in others if (name := _matched(pattern, sample.path))}
        named |= {file: (name, PATTERN) for file, name in found.items()}
        alone = len({sample.file for sample in others} - found.keys())
        return named, [f"data.group_pattern matches all but {plural(alone, 'video')}"] if alone else []
    for sample in others:
        stem = _stem(sample.path)
        for why, convention in CONVENTIONS.items():
            if match := convention.match(stem):
                named[sample.file] = (match[1], why)
                break
    if guess and not named:
        guesses: dict[str, Callable[[str], str | None]] = {FOLDER: os.path.dirname, NUMBER: _number}
        for why, name_of in guesses.items():
            if _divides_well([(label, name_of(sample.path)) for sample in others for label in ids_of(sample.label)]):
                return {sample.file: (name, why) for sample in others if (name := name_of(sample.path))}, []
    return named, []


def _matched(pattern: re.Pattern[str], path: str) -> str | None:
    match = pattern.search(path)
    if match is None:
        return None
    return " ".join(filter(None, match.groups())) or match[0]


def _stem(path: str) -> str:
    name = path[path.rfind("/") + 1 :]
    dot = name.rfind(".")
    return name[:dot] if dot > 0 else name


def _number(path: str) -> str | None:
    match = _NUMBERED.match(_stem(path))
    return match[1] if match else None


def _divides_well(names: Sequence[tuple[int, str | None]]) -> bool:
    """Whether these can be recordings: several in every class, of several videos each."""
    of_class: dict[int, set[str]] = {}
    for label, name in names:
        of_class.setdefault(label, set()).update([name] if name else [])
    with_name = [name for _, name in names if name]
    return (
        len(with_name) >= MIN_GUESSED_SHARE * len(names) > 0
        and len(with_name) >= MIN_VIDEOS_PER_GUESS * len(set(with_name))
        and all(len(own) >= MIN_GUESSED_GROUPS for own in of_class.values())
    )
