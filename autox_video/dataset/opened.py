"""A split after its videos were opened."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from autox_video.dataset.annotations import NO_ENDING, unlistable
from autox_video.dataset.entries import Content, Draft, Sample, ids_of
from autox_video.dataset.facts import BadVideo, SplitFacts
from autox_video.dataset.image_folders import miscounted, with_rate
from autox_video.dataset.measures import measure
from autox_video.dataset.pieces import piece_facts
from autox_video.dataset.probe import VideoFacts, probe_videos
from autox_video.dataset.sampling import files_to_open, sampling_note
from autox_video.dataset.video_files import VIDEO_ENDINGS, as_text, is_file
from autox_video.decoding import FILES, IMAGES
from autox_video.settings.schema import Settings


@dataclass(frozen=True)
class OpenedSplit:
    """One split, divided into what can be used and what cannot.

    Attributes:
        draft: All of it.
        good: The readable samples, in order.
        videos: The facts of each of them; None of one that was not opened.
        bad: The others.
    """

    draft: Draft
    good: tuple[Sample, ...]
    videos: tuple[VideoFacts | None, ...]
    bad: tuple[BadVideo, ...]

    @property
    def facts(self) -> list[VideoFacts]:
        """The facts of those that were opened."""
        return [video for video in self.videos if video is not None]

    @property
    def known(self) -> dict[str, VideoFacts]:
        """The same by file."""
        pairs = zip(self.good, self.videos, strict=True)
        return {sample.file: video for sample, video in pairs if video is not None}

    @property
    def contents(self) -> set[Content]:
        """The readable files, or the pieces of them."""
        return {sample.content for sample in self.good}

    @cached_property
    def counts(self) -> Counter[int]:
        """Readable videos of each class id."""
        return Counter(label for sample in self.good for label in ids_of(sample.label))


def open_splits(
    drafts: Mapping[str, Draft], settings: Settings, cache: Path, opened: Mapping[str, VideoFacts | str]
) -> dict[str, OpenedSplit]:
    """Open the videos of some splits, of very many a sample.

    Args:
        drafts: The splits.
        settings: With the folder that relative paths start from, `data.probe` and `data.image_fps`.
        cache: See `probe_videos`.
        opened: Answers of `probe_videos` for files that were opened before.
    """
    root = settings.data_root
    reasons = {split: [_reason(sample, root) for sample in draft.samples] for split, draft in drafts.items()}
    files = (
        sample.file
        for split, draft in drafts.items()
        for sample, reason in zip(draft.samples, reasons[split], strict=True)
        if reason is None and sample.file not in opened
    )
    chosen = files_to_open([draft.samples for draft in drafts.values()], settings)
    known = with_rate({**opened, **probe_videos(files, cache, chosen=chosen)}, settings.data.image_fps)
    return {split: _sort_out(split, draft, reasons[split], known) for split, draft in drafts.items()}


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
        **measure(opened.facts),
        num_unopened=len(opened.good) - len(opened.facts),
    )


def not_opened(opened: Mapping[str, OpenedSplit]) -> list[str]:
    """What to say where only a sample was opened."""
    unknown = sum(len(videos.good) - len(videos.facts) for videos in opened.values())
    total = sum(len(videos.draft.samples) for videos in opened.values())
    return [sampling_note(total - unknown, total)] if unknown else []


def decoder_unopened(file: str, settings: Settings) -> str:
    """What reads a video that was not opened."""
    # The disk is not asked a million times: a folder of images is not called like a video.
    if file[file.rfind(".") :] in VIDEO_ENDINGS or not os.path.isdir(file):
        return FILES
    return f"{IMAGES}@{settings.data.image_fps:.10g}"


def _reason(sample: Sample, root: Path) -> str | None:
    """Why a sample is out before its file is opened: its name would not survive in a list."""
    reason, full = unlistable(sample.path), os.path.join(root, sample.path)
    if reason is None:
        return None
    return reason if (is_file if reason == NO_ENDING else os.path.exists)(full) else None


def _sort_out(
    split: str, draft: Draft, reasons: Sequence[str | None], known: Mapping[str, VideoFacts | str]
) -> OpenedSplit:
    good: list[Sample] = []
    videos: list[VideoFacts | None] = []
    bad: list[BadVideo] = []
    for position, (sample, reason) in enumerate(zip(draft.samples, reasons, strict=True)):
        found = reason or piece_facts(sample, miscounted(sample, known.get(sample.file)))
        if not isinstance(found, str):
            good.append(sample)
            videos.append(found)
        else:
            piece = (sample.start_seconds, sample.end_seconds)
            bad.append(BadVideo(split, position, as_text(sample.path), sample.where, found, sample.label, *piece))
    return OpenedSplit(draft, tuple(good), tuple(videos), tuple(bad))
