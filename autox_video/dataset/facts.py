"""The product of this stage: measured facts on a dataset, written to `fingerprint.json`."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Percentiles:
    """The spread of one measure over the readable videos of a split."""

    min: float
    p5: float
    p50: float
    p95: float
    max: float


@dataclass(frozen=True)
class BadVideo:
    """A listed video that cannot be used, and is left out.

    Attributes:
        split: `train`, `val` or `test`.
        position: Its place among all videos of the split, from 0: where a row for it belongs.
        path: As listed, relative to `data_root` or absolute.
        where: The list and line it comes from (`train_list.txt:7`), or its folder.
        reason: Why, as a short sentence without a full stop.
        label: Its class id, or ids where videos have several labels; None when unlabelled.
        start_seconds: Where the labelled piece of it begins; None for the whole video.
        end_seconds: Where it ends.
    """

    split: str
    position: int
    path: str
    where: str
    reason: str
    label: int | tuple[int, ...] | None
    start_seconds: float | None = None
    end_seconds: float | None = None


@dataclass(frozen=True)
class Leak:
    """A video of val or test that also stands in a split that was learned from or chosen by.

    Attributes:
        split: `val` or `test`.
        path: As in the canonical list.
        other_split: `train` or `val`.
        other_path: A video there that is the same, or from the same recording.
        kind: `same file`, `same content`, `look-alike frames` or `same group`.
        start_seconds: Where the piece of the video of `split` begins; None for the whole video.
        end_seconds: Where it ends.
        other_start_seconds: Where the piece of the other video begins; None for the whole video.
        other_end_seconds: Where it ends.
    """

    split: str
    path: str
    other_split: str
    other_path: str
    kind: str
    start_seconds: float | None = None
    end_seconds: float | None = None
    other_start_seconds: float | None = None
    other_end_seconds: float | None = None


@dataclass(frozen=True)
class SplitFacts:
    """One split. What is counted or measured is so over its readable videos.

    Attributes:
        ann_file: The canonical list in `work_dir/annotations`, of its readable videos only.
        source: Where the videos come from, for people: a list's path, a folder, `20 % of train`.
        labelled: Whether its videos have labels. Only test may have none.
        num_videos: Readable videos.
        class_counts: Readable videos of each class, by name; every class appears. Empty when unlabelled.
        num_bad: Videos left out.
        num_frames: Frames a video has, from its container.
        fps: Frames a second, from the container; over the videos that state a usable rate.
        duration_seconds: `num_frames / fps` of the same videos.
        short_side_px: The shorter side of the frames, decoded.
        long_side_px: The longer side of the frames, decoded.
        size_bytes: File sizes.
        num_unopened: Of the `num_videos`, those that were not opened; the measures are then of the others.
    """

    ann_file: str
    source: str
    labelled: bool
    num_videos: int
    class_counts: dict[str, int]
    num_bad: int
    num_frames: Percentiles
    fps: Percentiles
    duration_seconds: Percentiles
    short_side_px: Percentiles
    long_side_px: Percentiles
    size_bytes: Percentiles
    num_unopened: int = 0


@dataclass(frozen=True)
class DecodeCost:
    """What decoding takes on this machine, measured on a few training videos with one core.

    Attributes:
        seconds_per_frame: Of the stretch of a video that a clip spans: a clip of 32 frames at interval 2 spans 64.
            The mean of the videos that were measured, since an epoch decodes them all.
        height_px: Short side of the videos that take most of it, by which people name them: 1080p.
        num_videos: How many were measured.
    """

    seconds_per_frame: float
    height_px: int
    num_videos: int

    def clip_seconds(self, clip_len: int, frame_interval: int) -> float:
        """Seconds of one core for a clip."""
        return self.seconds_per_frame * clip_len * frame_interval


@dataclass(frozen=True)
class Fingerprint:
    """Measured facts on a dataset.

    Attributes:
        version: Of this file's layout.
        task: The module in `autox_video.tasks`.
        data_root: Folder that relative paths in the lists start from.
        classes: Class names; the position is the class id.
        splits: By name: always `train` and `val`, `test` too unless there is nothing to test on.
        bad_videos: What was left out.
        notes: Sentences a person should read, such as "val and test are the same 50 files".
        leaks: Videos of given splits that also stand in an earlier one.
        decode_cost: What decoding takes; None where it was not measured.
    """

    version: int
    task: str
    data_root: str
    classes: tuple[str, ...]
    splits: dict[str, SplitFacts]
    bad_videos: tuple[BadVideo, ...]
    notes: tuple[str, ...]
    leaks: tuple[Leak, ...] = ()
    decode_cost: DecodeCost | None = None

    def leaks_of_test(self) -> dict[tuple[str, float | None, float | None], str]:
        """Of each test video that also stands in train or val, by path and piece, where; train goes before val."""
        leaks = [leak for leak in reversed(self.leaks) if leak.split == "test"]
        return {
            (leak.path, leak.start_seconds, leak.end_seconds): f"{leak.kind} as {leak.other_split}: {leak.other_path}"
            for leak in leaks
        }
