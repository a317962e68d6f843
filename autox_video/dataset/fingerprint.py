"""From settings to measured facts: read the lists, open every video, refuse or note what is wrong."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Collection, Mapping, Sequence

from autox_video.dataset import checks
from autox_video.dataset.annotations import canonical_path, write_annotations
from autox_video.dataset.audit import PoolGrouper, audit_splits
from autox_video.dataset.classes import ClassList, find_classes
from autox_video.dataset.decode_cost import measure_decode_cost
from autox_video.dataset.entries import SPLITS, Draft, Listing, Part, Sample
from autox_video.dataset.facts import Fingerprint, Leak
from autox_video.dataset.findings import copies, cut_short, cut_short_notes, leak_findings
from autox_video.dataset.folders import Folders
from autox_video.dataset.folds import Folded, divide_into_folds, fold_problems, write_folds
from autox_video.dataset.groups import pattern_problems
from autox_video.dataset.image_folders import rate_note
from autox_video.dataset.joined import read_all
from autox_video.dataset.messages import shorten
from autox_video.dataset.multi_label import MULTI, find_task, labels_of, separated
from autox_video.dataset.opened import OpenedSplit, decoder_unopened, not_opened, open_splits, split_facts
from autox_video.dataset.preflight import make_check
from autox_video.dataset.splits import complete_splits, sweep_folder
from autox_video.dataset.uncollected import uncollected
from autox_video.errors import Problem, RequestError
from autox_video.records import write_record
from autox_video.settings.schema import Settings
from autox_video.work_dir import WorkDir

VERSION = 1


@uncollected
def fingerprint_dataset(
    settings: Settings,
    work_dir: WorkDir,
    *,
    splits: Collection[str] = SPLITS,
    classes: tuple[str, ...] | None = None,
    task: str | None = None,
    whole_folder: bool = False,
    fold: int | None = None,
) -> Fingerprint:
    """Read the data, open every video once, and write down what it is.

    Writes `annotations/<split>.txt`, `annotations/leaks.tsv` and `probe_cache.json`; `annotations/groups.tsv`,
    `fingerprint.json` and `check.json` when all three splits are asked for, and `check.json` when the data is refused.
    With `test.folds` and no `fold`, `annotations/folds.tsv` as well.

    Args:
        settings: Where lists and videos are.
        work_dir: Where to write.
        splits: What is needed of `train`, `val`, `test`. Videos of other splits are not opened.
        classes: The classes of a trained model; labels are read against them.
        task: The task of a trained model.
        whole_folder: Make every video in `data_root` the test split, without labels.
        fold: With `test.folds`, which of them, from 1; None for the first, with a look at all of them.

    Returns:
        The facts of the splits asked for; without `test` when there is nothing to test on.

    Raises:
        RequestError: Something is wrong with the data. Everything that was found is told together.
        RunError: Videos cannot be opened at all, or files not be written.
    """
    wanted = [split for split in SPLITS if split in splits]
    if problems := [*checks.folder_problems(settings), *pattern_problems(settings), *fold_problems(settings)]:
        write_record(work_dir.check, make_check({}, (), settings.data_root, problems))
        raise RequestError(problems)
    listing = Listing({}) if whole_folder else read_all(settings, _needed(settings, wanted, classes))
    found = find_task(settings, listing.parts, task)
    parts = separated(listing.parts) if found.name == MULTI else listing.parts
    class_list = find_classes(settings, classes, parts)
    read, wrong_labels = _drafts(settings, listing.parts, class_list, found.name)
    listing, parts = dataclasses.replace(listing, parts={}), {}  # a million entries are not needed any more
    problems = [*listing.problems, *found.problems, *class_list.problems, *wrong_labels]
    grouper = PoolGrouper(settings, work_dir, class_list.names)
    folded: Folded | None = None
    if whole_folder:
        drafts, divided = {"test": sweep_folder(settings)}, list[str]()
    elif settings.test.folds:
        folded = divide_into_folds(read, settings, wanted, grouper, class_list.names, fold)
        drafts, divided = folded.drafts, list(folded.notes)
        grouper.problems += folded.problems
    else:
        drafts, divided = complete_splits(read, settings, wanted, grouper)
    if not problems:
        problems += [*checks.absent_splits(settings, wanted, drafts), *grouper.problems]
    opened = open_splits(drafts, settings, work_dir.probe_cache, grouper.known)
    if grouper.problems:  # they say why such a split is empty
        opened = {split: videos for split, videos in opened.items() if videos.draft.samples}
    problems += checks.refusals(settings, opened, class_list.names, labels_are_right=not problems)
    audit = audit_splits(settings, work_dir, opened, grouper.grouping, write=not problems)
    if problems or set(wanted) == set(SPLITS):
        more = [*leak_findings(audit.leaks, opened), *copies(opened), *cut_short(opened)]
        check = make_check(opened, class_list.names, settings.data_root, dict.fromkeys(problems), more)
        write_record(work_dir.check, check)
    if problems:
        raise RequestError(shorten(dict.fromkeys(problems)))
    notes = [*listing.notes, *found.notes, *class_list.notes, *divided, *grouper.notes]
    if folded and fold is None:
        write_folds(work_dir.folds_list, folded.fold_of)
    notes += not_opened(opened)
    notes += rate_note(settings, [facts for videos in opened.values() for facts in videos.facts])
    notes += [*checks.remarks(opened, class_list.names), *cut_short_notes(opened)]
    notes += [*checks.shared_videos(opened, audit.earlier), *audit.notes]
    return _write(settings, work_dir, wanted, found.name, class_list.names, opened, notes, audit.leaks)


def _needed(settings: Settings, wanted: Collection[str], classes: tuple[str, ...] | None) -> set[str]:
    """What must be read to know the wanted splits: labels define the classes, and what is missing is held out."""
    if settings.test.folds:
        return set(SPLITS)
    needed = set(wanted)
    a_folder = None in (settings.ann_file_train, *(source.ann_file_train for source in settings.more_data))
    if classes is None or needed != {"test"} or a_folder:
        needed |= {"train", "val"}
    if a_folder:
        needed.add("test")
    return needed


def _drafts(
    settings: Settings, parts: Mapping[str, Part], classes: ClassList, task: str
) -> tuple[dict[str, Draft], list[Problem]]:
    """Entries with class ids instead of labels, and paths as the canonical lists have them."""
    root, folders = str(settings.data_root), Folders()
    drafts: dict[str, Draft] = {}
    problems: list[Problem] = []
    for split, part in parts.items():
        labels, wrong = labels_of(part, classes, task)
        problems += wrong
        samples = []
        for entry, label in zip(part.entries, labels, strict=True):
            path = canonical_path(entry.path, root)
            file = folders.real(os.path.join(root, path))
            piece = (entry.start_seconds, entry.end_seconds)
            samples.append(Sample(path, label, entry.where, file, *piece, entry.group, entry.num_frames))
        labelled = split != "test" or any(entry.label is not None for entry in part.entries)
        drafts[split] = Draft(tuple(samples), part.source, labelled)
    return drafts, problems


def _write(
    settings: Settings,
    work_dir: WorkDir,
    wanted: Collection[str],
    task: str,
    classes: tuple[str, ...],
    opened: Mapping[str, OpenedSplit],
    notes: list[str],
    leaks: Sequence[Leak],
) -> Fingerprint:
    for split, videos in opened.items():
        pairs = zip(videos.good, videos.videos, strict=True)
        decoders = (video.decoder if video else decoder_unopened(sample.file, settings) for sample, video in pairs)
        write_annotations(work_dir.annotations(split), videos.good, decoders)
    fingerprint = Fingerprint(
        version=VERSION,
        task=task,
        data_root=str(settings.data_root),
        classes=classes,
        splits={split: split_facts(videos, work_dir.annotations(split), classes) for split, videos in opened.items()},
        bad_videos=tuple(video for videos in opened.values() for video in videos.bad),
        notes=tuple(notes),
        leaks=tuple(leaks),
        decode_cost=measure_decode_cost(opened["train"].known, work_dir.probe_cache) if "train" in opened else None,
    )
    if set(wanted) == set(SPLITS):
        write_record(work_dir.fingerprint, fingerprint)
    return fingerprint
