"""A split after its videos were opened."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from autox_video.dataset.annotations import NO_ENDING, unlistable
from autox_video.dataset.entries import Content, Draft, Sample, ids_of
from autox_video.dataset.facts import BadVideo, SplitFacts
from autox_video.dataset.image_folders import miscounted, with_rate
from autox_video.dataset.measures import measure
from autox_video.dataset.pieces import piece_facts
from autox_video.dataset.probe import VideoFacts, probe_videos
from autox_video.dataset.video_files import as_text, is_file
from autox_video.settings.schema import Settings


@dataclass(frozen=True)
class OpenedSplit:
    """One split, divided into what can be used and what cannot.

    Attributes:
        draft: All of it.
        good: The readable samples, in order.
        videos: The facts of each of them.
        bad: The others.
    """

    draft: Draft
    good: tuple[Sample, ...]
    videos: tuple[VideoFacts, ...]
    bad: tuple[BadVideo, ...]

    @property
    def contents(self) -> set[Content]:
        """The readable files, or the pieces of them."""
        return {sample.content for sample in self.good}

    @property
    def counts(self) -> Counter[int]:
        """Readable videos of each class id."""
        return Counter(label for sample in self.good for label in ids_of(sample.label))


def open_splits(
    drafts: Mapping[str, Draft], settings: Settings, cache: Path, opened: Mapping[str, VideoFacts | str]
) -> dict[str, OpenedSplit]:
    """Open every video of some splits.

    Args:
        drafts: The splits.
        settings: With the folder that relative paths start from, and `data.image_fps`.
        cache: See `probe_videos`.
        opened: Answers of `probe_videos` for files that were opened before.
    """
    root = settings.data_root
    files = [sample.file for draft in drafts.values() for sample in draft.samples if _reason(sample, root) is None]
    known = {**opened, **probe_videos((file for file in files if file not in opened), cache)}
    known = with_rate(known, settings.data.image_fps)
    return {split: _sort_out(split, draft, root, known) for split, draft in drafts.items()}


def split_facts(opened: OpenedSplit, ann_file: Path, classes: Sequence[str]) -> SplitFacts:
    """What `fingerprint.json` says of a split that has at least one readable video."""
    counts, labelled = opened.counts, opened.draft.labelled
    return SplitFacts(
        ann_file=str(ann_file),
        source=opened.draft.source,
        labelled=labelled,
        num_videos=len(opened.good),
        class_counts={name: counts[label] for label, name in enumerate(classes)} if labelled else {},
        num_bad=len(opened.bad),
        **measure(opened.videos),
    )


def _reason(sample: Sample, root: Path) -> str | None:
    """Why a sample is out before its file is opened: its name would not survive in a list."""
    reason, full = unlistable(sample.path), os.path.join(root, sample.path)
    if reason is None:
        return None
    return reason if (is_file if reason == NO_ENDING else os.path.exists)(full) else None


def _sort_out(split: str, draft: Draft, root: Path, known: Mapping[str, VideoFacts | str]) -> OpenedSplit:
    good: list[Sample] = []
    videos: list[VideoFacts] = []
    bad: list[BadVideo] = []
    for position, sample in enumerate(draft.samples):
        found = _reason(sample, root) or piece_facts(sample, miscounted(sample, known[sample.file]))
        if isinstance(found, VideoFacts):
            good.append(sample)
            videos.append(found)
        else:
            piece = (sample.start_seconds, sample.end_seconds)
            bad.append(BadVideo(split, position, as_text(sample.path), sample.where, found, sample.label, *piece))
    return OpenedSplit(draft, tuple(good), tuple(videos), tuple(bad))
