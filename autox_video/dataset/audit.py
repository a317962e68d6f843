"""Groups and leaks in the course of a fingerprint: what is divided is grouped first, what is given is audited."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from autox_video.dataset.entries import Content, Sample
from autox_video.dataset.facts import Leak
from autox_video.dataset.groups import Grouping, find_groups, summary, too_few_groups
from autox_video.dataset.leaks import (
    earlier_samples,
    find_leaks,
    group_all,
    leak_notes,
    write_groups,
    write_leaks,
)
from autox_video.dataset.look_alikes import find_look_alikes, readable
from autox_video.dataset.opened import OpenedSplit
from autox_video.dataset.probe import VideoFacts, probe_videos
from autox_video.dataset.sampling import files_to_open
from autox_video.errors import Problem
from autox_video.settings.schema import Settings
from autox_video.work_dir import WorkDir


class PoolGrouper:
    """Groups the videos that are to be divided, and keeps what it learned of them.

    Attributes:
        known: Answers of `probe_videos` for these videos.
        grouping: Their groups; None when nothing was divided.
        notes: What a person should know.
        problems: What cannot be divided.

    Args:
        settings: The user's pattern.
        work_dir: With the cache of the probe.
        names: Class names.
    """

    def __init__(self, settings: Settings, work_dir: WorkDir, names: Sequence[str]) -> None:
        self._settings, self._work_dir, self._names = settings, work_dir, names
        self.known: dict[str, VideoFacts | str] = {}
        self.grouping: Grouping | None = None
        self.notes: list[str] = []
        self.problems: list[Problem] = []

    def __call__(self, samples: Sequence[Sample], missing: Sequence[str]) -> Mapping[str, str]:
        """The group of each file that has one, for holding out the missing splits."""
        grouping = self.group(samples)
        problems, notes = too_few_groups(samples, missing, grouping.group_of, self._names)
        self.problems += problems
        self.notes += notes
        return grouping.group_of

    def group(self, samples: Sequence[Sample]) -> Grouping:
        """Group the videos; they are opened for it."""
        files = {sample.file for sample in samples}
        chosen = files_to_open([samples], self._settings)
        # Not what else the cache knows: groups, and so the splits, are the same in every run.
        self.known = probe_videos(sorted(files if chosen is None else chosen), self._work_dir.probe_cache)
        alike = find_look_alikes(readable(self.known, files))
        self.grouping = grouping = find_groups(samples, self._settings, alike, guess=True)
        self.notes += [*grouping.notes, *summary(grouping, files, str(self._work_dir.groups))]
        return grouping


@dataclass(frozen=True)
class Audit:
    """What stands in two splits.

    Attributes:
        leaks: Each video of val or test that also stands in an earlier split.
        notes: What a person should know.
        earlier: The contents of splits that are not opened now, but were trained on.
    """

    leaks: tuple[Leak, ...]
    notes: tuple[str, ...]
    earlier: Mapping[str, set[Content]]


def audit_splits(
    settings: Settings,
    work_dir: WorkDir,
    opened: Mapping[str, OpenedSplit],
    divided: Grouping | None,
    *,
    write: bool = True,
) -> Audit:
    """Find what stands in two splits; write `leaks.tsv`, and `groups.tsv` of what is trained on.

    A folder that is tested as it is may hold the training videos too: nobody took them for new ones.

    Args:
        settings: The user's pattern.
        work_dir: Where an earlier training left its lists.
        opened: The splits.
        divided: The groups by which splits were divided.
        write: Whether to write; not for data that is refused.
    """
    earlier = earlier_samples(work_dir, opened)
    grouping, alike = group_all(opened, earlier, settings, work_dir.probe_cache)
    splits = {**earlier, **{split: videos.good for split, videos in opened.items()}}
    judged = {split: rows for split, rows in splits.items() if split in earlier or not opened[split].draft.swept}
    leaks = find_leaks(judged, grouping, alike)
    sizes = {split: len({sample.content for sample in rows}) for split, rows in splits.items()}
    unlabelled = {split for split, videos in opened.items() if not videos.draft.labelled}
    notes = leak_notes(leaks, sizes, str(work_dir.leaks), unlabelled)
    if divided is None:
        notes += grouping.notes
    if write and "train" in opened:
        write_groups(work_dir.groups, splits, [grouping] if divided is None else [grouping, divided])
    if write:
        write_leaks(work_dir.leaks, leaks)
    return Audit(
        tuple(leaks), tuple(notes), {split: {sample.content for sample in rows} for split, rows in earlier.items()}
    )
