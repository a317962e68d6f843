"""Filling in the splits that nobody gave."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Mapping, Sequence

from autox_video.dataset.division import divide
from autox_video.dataset.entries import SPLITS, UNDIVIDED, Draft, Sample
from autox_video.dataset.folders import Folders
from autox_video.dataset.messages import plural
from autox_video.dataset.video_files import find_videos
from autox_video.settings.schema import Settings

# Tells, of what is to be divided into train and some splits, the group of each file that has one.
Grouper = Callable[[Sequence[Sample], Sequence[str]], Mapping[str, str]]

SHARE_OF_ONE = 0.20  # held out for val, or for test, alone
SHARE_OF_TWO = 0.15  # held out for each of val and test


def complete_splits(
    drafts: Mapping[str, Draft], settings: Settings, wanted: Collection[str], grouper: Grouper | None = None
) -> tuple[dict[str, Draft], list[str]]:
    """Divide what is undivided, and hold out of train what is missing.

    Args:
        drafts: What the formats gave, by split or under `UNDIVIDED`.
        settings: The seed, and the folder in which videos to test on are looked for.
        wanted: The splits that are needed.
        grouper: Called with the videos to divide and the splits to hold out; by default each video stands alone.

    Returns:
        The wanted splits, and notes. `test` is left out when there is nothing to test on.
    """
    full = dict(drafts)
    notes: dict[str, list[str]] = {split: [] for split in SPLITS}
    pool = full.pop(UNDIVIDED, None)
    seed = settings.runtime.seed
    if pool is not None:
        elsewhere = {sample.file for draft in full.values() for sample in draft.samples}
        left = tuple(sample for sample in pool.samples if sample.file not in elsewhere)
        if taken := len(pool.samples) - len(left):
            notes["train"].append(f"{plural(taken, 'video')} left out of train: the list of val or test has them")
        missing = [split for split in ("val", "test") if split not in full]
        full |= _hold_out(left, missing, pool.source, seed, notes, grouper)
    elif "train" in full and "val" not in full:
        full |= _hold_out(full["train"].samples, ["val"], full["train"].source, seed, notes, grouper)
    if "test" in wanted and "test" not in full:
        swept = sweep_folder(settings)
        if count := len(swept.samples):
            full["test"] = swept
            note = f"there is no list for test: {swept.source} ({count}) are tested without labels and figures"
        else:
            note = f"there is nothing to test on: no list, and no video in {settings.data_root}"
        notes["test"].append(note)
    chosen = {split: full[split] for split in SPLITS if split in wanted and split in full}
    return chosen, [note for split in SPLITS if split in wanted for note in notes[split]]


def sweep_folder(settings: Settings) -> Draft:
    """Every video under `data_root`, without labels: nobody said which of them are meant."""
    root, folders = str(settings.data_root), Folders()
    samples = tuple(
        Sample(path, None, settings.data_root.name, folders.real(os.path.join(root, path)))
        for path in find_videos(settings.data_root).paths
    )
    return Draft(samples, f"all videos in {root}", labelled=False, swept=True)


def _hold_out(
    samples: tuple[Sample, ...],
    missing: Sequence[str],
    source: str,
    seed: int,
    notes: Mapping[str, list[str]],
    grouper: Grouper | None,
) -> dict[str, Draft]:
    """Divide videos into train and the missing splits, and say so."""
    if not missing:
        return {"train": Draft(samples, source, labelled=True)}
    share = SHARE_OF_TWO if len(missing) == 2 else SHARE_OF_ONE
    group_of = grouper(samples, missing) if grouper else {}
    divided = divide(samples, dict.fromkeys(missing, share), seed, group_of)
    drafts = {"train": Draft(divided["train"], source, labelled=True, origin=source)}
    for split in missing:
        held = f"{len(divided[split])} of the {plural(len(samples), 'video')} in {source}"
        if divided[split]:
            drafts[split] = Draft(divided[split], held, labelled=True, origin=source)
            notes[split].append(f"{split} is {held}, drawn from each class with seed {seed}")
        elif split == "val":
            drafts[split] = Draft((), f"{source} to hold out, as no class has two: each needs 1 more", labelled=True)
    return drafts
