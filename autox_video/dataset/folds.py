"""`test.folds`: every labelled video is held out for a test once, those of a recording together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from autox_video.dataset.audit import PoolGrouper
from autox_video.dataset.division import divide, group_samples, rank
from autox_video.dataset.entries import SPLITS, UNDIVIDED, Content, Draft, Label, Sample, ids_of
from autox_video.dataset.messages import in_short, plural, printable, setting_place
from autox_video.dataset.pieces import piece_facts
from autox_video.dataset.probe import VideoFacts
from autox_video.dataset.splits import SHARE_OF_ONE
from autox_video.dataset.video_files import as_text
from autox_video.errors import Problem
from autox_video.settings.data_source import DataSource
from autox_video.settings.schema import Settings
from autox_video.writing import write_text

KEY = "test.folds"


@dataclass(frozen=True)
class Folded:
    """One fold, and what all folds are.

    Attributes:
        drafts: Train, val and test of the fold.
        notes: What a person should know.
        problems: Why the videos cannot be divided into folds.
        fold_of: Every video, in the order of the lists, with the fold that it is tested in, from 1.
    """

    drafts: dict[str, Draft]
    notes: tuple[str, ...]
    problems: tuple[Problem, ...]
    fold_of: tuple[tuple[Sample, int], ...]


def fold_problems(settings: Settings) -> list[Problem]:
    """Lists of val or test, which have no place where every video is tested once."""
    if settings.test.folds is None:
        return []
    wrong = f"does not go with {KEY}, which holds out every video once"
    cure = f"Take it out, and name its videos under more_data or in ann_file_train; or take out {KEY}"
    sources: tuple[Settings | DataSource, ...] = (settings, *settings.more_data)
    return [
        Problem(setting_place(source, f"ann_file_{split}"), wrong, cure)
        for source in sources
        for split in ("val", "test")
        if getattr(source, f"ann_file_{split}") is not None
    ]


def divide_into_folds(
    drafts: Mapping[str, Draft],
    settings: Settings,
    wanted: Collection[str],
    grouper: PoolGrouper,
    names: Sequence[str],
    fold: int | None,
) -> Folded:
    """Divide all labelled videos into folds; a fold is tested, a share of the others validated, the rest trained on.

    Args:
        drafts: What the formats gave.
        settings: The number of folds, and the seed.
        wanted: The splits that are needed.
        grouper: Finds the recordings.
        names: Class names.
        fold: Which one, from 1; None for the first, with a look at all of them.
    """
    pool, notes = _pool(drafts)
    number_of_folds, seed = settings.test.folds, settings.runtime.seed
    assert number_of_folds is not None, "only called with test.folds"
    if not pool.samples:
        return Folded({}, (), (), ())
    group_of = grouper.group(pool.samples).group_of
    numbers = fold_numbers(pool.samples, number_of_folds, seed, group_of)
    of_folds = {
        number: _splits(pool.samples, numbers, number, seed, group_of)
        for number in (range(1, number_of_folds + 1) if fold is None else [fold])
    }
    found, remarks = _judge(settings, pool.samples, group_of, of_folds, grouper.known, names)
    number = fold or 1
    splits = of_folds[number]
    counts = f"tested on {len(splits['test'])} and validated on {len(splits['val'])}"
    what = f"{KEY}: fold {number} of {number_of_folds} is {counts} of the {plural(len(pool.samples), 'video')}"
    notes.append(f"{what} in {pool.source}, drawn from each class with seed {seed}")
    return Folded(
        drafts={
            split: Draft(splits[split], f"fold {number} of {pool.source}", labelled=True, origin=pool.source)
            for split in SPLITS
            if split in wanted
        },
        notes=(*notes, *remarks),
        problems=tuple(found),
        fold_of=tuple((sample, numbers[sample.file]) for sample in pool.samples),
    )


def fold_numbers(
    samples: Sequence[Sample], number_of_folds: int, seed: int, group_of: Mapping[str, str]
) -> dict[str, int]:
    """The fold of each file, from 1.

    Groups of the rarest class choose first, the largest of them before the others, and each takes the fold that has
    the fewest videos of the class. So a class of groups of its own is in every fold that it has a group for.

    Args:
        samples: What is to be divided; the same file listed twice, or in pieces, stays together.
        number_of_folds: At least 2.
        seed: Another seed, another division.
        group_of: By file, the name of its group; a file without one stands alone.
    """
    group, sizes = group_samples(samples, group_of)
    by_class: dict[int, list[str]] = {}
    for name in sorted(sizes, key=lambda name: rank(name, seed)):
        for label in sizes[name]:
            by_class.setdefault(label, []).append(name)
    number: dict[str, int] = {}
    held, total = [Counter[int]() for _ in range(number_of_folds)], [0] * number_of_folds
    for label in sorted(by_class, key=lambda label: (len(by_class[label]), label)):
        left = [name for name in by_class[label] if name not in number]
        for name in sorted(left, key=lambda name: -sizes[name][label]):
            best = min(range(number_of_folds), key=partial(_filling, held, total, label))
            number[name] = best + 1
            held[best].update(sizes[name])
            total[best] += sizes[name].total()
    return {file: number[name] for file, name in group.items()}


def _filling(held: Sequence[Counter[int]], total: Sequence[int], label: int, fold: int) -> tuple[int, int]:
    return held[fold][label], total[fold]


def write_folds(path: Path, fold_of: Sequence[tuple[Sample, int]]) -> None:
    """Write which video is tested in which fold, in the order of the lists."""
    lines = ["path\tstart\tend\tfold"]
    for sample, fold in fold_of:
        piece = ("" if time is None else str(time) for time in (sample.start_seconds, sample.end_seconds))
        lines.append("\t".join((printable(as_text(sample.path)), *piece, str(fold))))
    write_text(path, "".join(f"{line}\n" for line in lines))


def read_folds(path: Path) -> dict[Content, int]:
    """The fold of each video by its path and piece, in the order of the lists."""
    folds: dict[Content, int] = {}
    for line in path.read_text(encoding="utf-8").split("\n")[1:]:
        if line:
            name, start, end, fold = line.split("\t")
            folds[row_key(name, float(start) if start else None, float(end) if end else None)] = int(fold)
    return folds


def row_key(path: str, start: float | None, end: float | None) -> Content:
    """By what `read_folds` knows a video."""
    return printable(path), start, end


def _pool(drafts: Mapping[str, Draft]) -> tuple[Draft, list[str]]:
    """All labelled videos, each once, and what is said of the others."""
    given = [split for split in ("val", "test") if split in drafts]
    notes = []
    if given:
        notes.append(f"{KEY} divides the videos of {' and '.join(['train', *given])} together")
    used = [drafts[split] for split in (UNDIVIDED, *SPLITS) if split in drafts and drafts[split].labelled]
    if unlabelled := sum(len(draft.samples) for draft in drafts.values() if not draft.labelled):
        notes.append(f"{plural(unlabelled, 'test video')} without a label left out")
    listed = [sample for draft in used for sample in draft.samples]
    # Two labels of one video are both kept: they are refused as such.
    once: dict[tuple[Content, Label | None], Sample] = {}
    for sample in listed:
        once.setdefault((sample.content, sample.label), sample)
    if again := len(listed) - len(once):
        notes.append(f"{plural(again, 'video')} listed before, and used once")
    source = " and ".join(dict.fromkeys(draft.source for draft in used))
    return Draft(tuple(once.values()), source, labelled=True), notes


def _splits(
    samples: Sequence[Sample], numbers: Mapping[str, int], fold: int, seed: int, group_of: Mapping[str, str]
) -> dict[str, tuple[Sample, ...]]:
    """Train, val and test of a fold."""
    rest = [sample for sample in samples if numbers[sample.file] != fold]
    test = tuple(sample for sample in samples if numbers[sample.file] == fold)
    return {**divide(rest, {"val": SHARE_OF_ONE}, seed, group_of), "test": test}


def _judge(
    settings: Settings,
    samples: Sequence[Sample],
    group_of: Mapping[str, str],
    of_folds: Mapping[int, Mapping[str, Sequence[Sample]]],
    known: Mapping[str, VideoFacts | str],
    names: Sequence[str],
) -> tuple[list[Problem], list[str]]:
    """What makes folds impossible, and what they lack."""
    number_of_folds, where = settings.test.folds or 0, setting_place(settings, KEY)
    groups = {group_of.get(sample.file, sample.file) for sample in samples}
    if len(groups) < number_of_folds:
        wrong = f"is more than the {plural(len(groups), 'recording')} there are"
        cure = f"Add videos of {number_of_folds - len(groups)} other recordings, or set it lower"
        return [Problem(where, wrong, cure, str(number_of_folds))], []
    good = {sample.content for sample in samples if isinstance(piece_facts(sample, known[sample.file]), VideoFacts)}
    of_class: dict[int, set[str]] = {}
    for sample in samples:
        for label in ids_of(sample.label):
            of_class.setdefault(label, set())
            if sample.content in good:
                of_class[label].add(group_of.get(sample.file, sample.file))
    problems = []
    if unseen := _unseen(of_folds, good):
        each = [
            f"{names[label]} needs 1 more" if len(of_class[label]) == 1
            # Its groups have other classes too, which decided on the fold.
            else f"{names[label]} stands in one fold alone" if of_class[label] else f"{names[label]} has none"
            for label in sorted(unseen)
        ]  # fmt: skip
        what = f"{len(unseen)} of {plural(len(of_class), 'class')} would be tested and never learned in some fold"
        cure = "A class needs 2 recordings that can be read: add some, or take the class out"
        problems.append(Problem(where, f"{what}: {in_short(each)}", cure, str(number_of_folds)))
    for split, what in (("val", "validate with"), ("test", "test")):
        usable = {fold: any(row.content in good for row in splits[split]) for fold, splits in of_folds.items()}
        if bare := [fold for fold, is_usable in usable.items() if not is_usable]:
            cure = "Add videos of other recordings: a class needs 2 beside those that are tested"
            wrong = f"leaves nothing to {what} in {plural(len(bare), 'fold')}: {in_short(bare)}"
            problems.append(Problem(where, wrong, cure, str(number_of_folds)))
    few = [f"{names[label]} has {len(own)}" for label, own in sorted(of_class.items()) if len(own) < number_of_folds]
    what = f"fewer recordings than {KEY} in {len(few)} of {plural(len(of_class), 'class')}, so not one in every fold"
    return problems, [f"{what}: {in_short(few)}"] if few else []


def _unseen(of_folds: Mapping[int, Mapping[str, Sequence[Sample]]], good: Collection[Content]) -> set[int]:
    """Classes that some fold tests or validates, and cannot train on."""
    unseen: set[int] = set()
    for splits in of_folds.values():
        learned = {label for row in splits["train"] if row.content in good for label in ids_of(row.label)}
        unseen |= {label for split in ("val", "test") for row in splits[split] for label in ids_of(row.label)} - learned
    return unseen
