"""`autox-video timeline`: from videos and a model to the files of each."""

from __future__ import annotations

import dataclasses
import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from autox_video.decoding import FILES, IMAGES, DecodingError, open_video
from autox_video.errors import Problem, RequestError, RunError
from autox_video.log_lines import log_uncalibrated
from autox_video.progress import Bar, progress_bar
from autox_video.records import read_record
from autox_video.using.predict.asked import MAX_DOWNLOAD_MIB, MAX_SECONDS
from autox_video.using.predict.downloads import local_file
from autox_video.using.predict.inputs import Video, is_url, path_in
from autox_video.using.predict.journal import stamp_of
from autox_video.using.timeline.inputs import whole_videos
from autox_video.using.timeline.looking import look_through
from autox_video.using.timeline.outputs import page_path, write_summary, write_timeline
from autox_video.using.timeline.record import ERROR, OK, Model, Settings, Timeline
from autox_video.using.timeline.record import VERSION as RECORD_VERSION
from autox_video.using.timeline.segments import Segment
from autox_video.using.timeline.thresholds import BACKGROUND, LEAVE_SHARE, Measured, background_of, measure
from autox_video.using.timeline.truth import Agreement, SegmentMetrics, agreement, metrics_of, read_truth
from autox_video.using.timeline.windows import Span, span_of

if TYPE_CHECKING:
    from autox_video.runner.predictor import Predictor

logger = logging.getLogger(__name__)

# Windows of a batch: on a CPU a larger one is no faster, a GPU is filled by it.
BATCH_SIZE: Final = {"cpu": 8, "cuda": 32}


@dataclass(frozen=True)
class Wishes:
    """What the user asked for; None leaves it to the model and its validation videos.

    Attributes:
        stride_seconds: From one window to the next.
        window_seconds: How long a window lasts, of a model whose clips cover whole videos.
        min_seconds: Shortest segment.
        threshold: Probability that a segment must reach.
        keep_still: Whether segments may lie where nothing moves.
    """

    stride_seconds: float | None = None
    window_seconds: float | None = None
    min_seconds: float | None = None
    threshold: float | None = None
    keep_still: bool = False


@dataclass(frozen=True)
class Timelines:
    """What came of all videos.

    Attributes:
        names: What each video is called, shorter than in its record where that can be.
        rows: One a video, in the order they were named.
        pages: The HTML page of each, where there is one.
        metrics: Over all videos with known segments; None where there are none.
        num_kept: Videos that an earlier call had done.
    """

    names: tuple[str, ...]
    rows: tuple[Timeline, ...]
    pages: tuple[Path | None, ...]
    metrics: SegmentMetrics | None
    num_kept: int


def make_timelines(
    given: Sequence[str],
    source: Path,
    folder: Path,
    wishes: Wishes,
    *,
    data_root: Path | None = None,
    truth: Path | None = None,
    device: str = "auto",
    plugins: Sequence[str] = (),
    max_download_mib: int = MAX_DOWNLOAD_MIB,
    max_seconds: float = MAX_SECONDS,
) -> Timelines:
    """Find the segments of videos, and write them: JSON, CSV, SRT and a page of each, and a table over all.

    A video that an earlier call has done with the same model and wishes is not looked through again.

    Args:
        given: Files, folders, globs, lists, http(s) URLs; `-` reads a list from standard input.
        source: The model: a work dir, a file of weights, or an exported folder.
        folder: Where to write.
        wishes: What the user asked for.
        data_root: Folder that the paths in lists start from; None: that of each list.
        truth: A CSV file of known segments (`truth.read_truth`).
        device: `auto`, `cpu` or `cuda`.
        plugins: Modules that the model needs.
        max_download_mib: What a download may weigh.
        max_seconds: What it may take.

    Raises:
        RequestError: There is no such video or model, or the known segments are wrong.
    """
    from autox_video.runner.predictor import open_predictor

    videos = whole_videos(given, data_root)
    predictor = open_predictor(source, device, (1, 1), plugins)
    log_uncalibrated(predictor.trained.path, predictor.trained.calibration)
    known: Mapping[str, tuple[Segment, ...]] = {}
    if truth is not None:
        known = read_truth(truth, videos, predictor.classes, _unseen(predictor.classes))
    model, settings, span = prepare(predictor, wishes)
    logger.info("timeline %d videos; a segment must reach %s: %s", len(videos), _level(settings.enter), settings.source)
    limits = (max_download_mib, max_seconds)
    return _Looking(predictor, model, settings, span, folder, known, limits).over(videos)


def prepare(predictor: Predictor, wishes: Wishes) -> tuple[Model, Settings, Span]:
    """What `look_through` needs beside a video: what is said of the model, what decides, and the span of a window.

    Raises:
        RequestError: How long a window lasts has to be said.
    """
    measured = measure(predictor)
    settings = _settings(predictor, measured, wishes)
    span = span_of(predictor.plan, settings.window_seconds)
    if span is None:
        wrong = "of this model cover whole videos, and how long those were is not known: validation cannot be read"
        raise RequestError(Problem("--window-seconds", f"the clips {wrong}", "Say how long an action lasts"))
    return _model(predictor), settings, span


@dataclass(frozen=True)
class _Looking:
    """What all videos have in common."""

    predictor: Predictor
    model: Model
    settings: Settings
    span: Span
    folder: Path
    known: Mapping[str, tuple[Segment, ...]]
    limits: tuple[int, float]

    def over(self, videos: Sequence[Video]) -> Timelines:
        """Look through all of them, and write what is found."""
        rows: list[Timeline] = []
        pages: list[Path | None] = []
        counts: list[Agreement] = []
        taken: set[str] = set()
        num_kept = 0
        with progress_bar(len(videos), "looking through videos") as bar:
            for video in videos:
                stem = _free_name(self.folder, video, taken)
                before = _done_before(self.folder / f"{stem}.json", video, self.model, self.settings)
                num_kept += before is not None
                row, counted = self._one(video, stem, before, bar)
                counts += counted
                pages.append(page_path(self.folder, stem) if row.status == OK else None)
                rows.append(row)
        write_summary(rows, self.folder)
        names = tuple(video.name for video in videos)
        return Timelines(names, tuple(rows), tuple(pages), metrics_of(counts), num_kept)

    def _one(
        self, video: Video, stem: str, before: Timeline | None, bar: Bar
    ) -> tuple[Timeline, tuple[Agreement, ...]]:
        """What came of a video and how it agrees with what is known; written, unless all is there as it is to be."""
        known = self.known.get(video.file)
        if before is not None:
            bar.advance()
            if known is None and before.metrics is None and page_path(self.folder, stem).is_file():
                return before, ()
        try:
            with local_file(video.file, *self.limits) as path:
                file = Path(path)
                row = before or self._found(file, video, bar)
                counted = _counted(row, file, known)
                row = dataclasses.replace(row, metrics=metrics_of(counted))
                write_timeline(row, file, self.folder, stem, known)
        except DecodingError as error:
            if before is None:
                bar.advance()
            row = Timeline(RECORD_VERSION, video.key[0], None, None, ERROR, str(error), self.model, self.settings)
            write_timeline(row, Path(video.file), self.folder, stem, known)
            counted = ()
        return row, counted

    def _found(self, file: Path, video: Video, bar: Bar) -> Timeline:
        batch_size = BATCH_SIZE[self.predictor.plan.device.value]
        common = (self.predictor, self.model, self.settings, self.span, batch_size, bar)
        row = look_through(file, video.key[0], *common)
        # Of what was downloaded they say nothing.
        return dataclasses.replace(row, size_bytes=None, modified_ns=None) if is_url(video.file) else row


def _counted(row: Timeline, file: Path, known: Sequence[Segment] | None) -> tuple[Agreement, ...]:
    """What is right in a video that has known segments; nothing of any other."""
    if row.status != OK or known is None:
        return ()
    times = open_video(str(file), IMAGES if file.is_dir() else FILES).times()
    return (agreement(row.segments, known, times),)


def _model(predictor: Predictor) -> Model:
    trained = predictor.trained
    calibrated = predictor.temperature is not None
    name = predictor.plan.model.value
    return Model(name, str(trained.path), trained.sha256, trained.epoch, predictor.classes, calibrated)


def _settings(predictor: Predictor, measured: Measured, wishes: Wishes) -> Settings:
    enter, source = measured.enter, measured.source
    if wishes.threshold is not None:
        enter, source = (wishes.threshold,) * len(predictor.classes), "--threshold"
    classes = predictor.classes
    return Settings(
        enter=enter,
        leave=tuple(level * LEAVE_SHARE for level in enter),
        source=source,
        stride_seconds=wishes.stride_seconds,
        window_seconds=wishes.window_seconds or measured.seconds,
        min_seconds=wishes.min_seconds,
        background=tuple(classes[label] for label in background_of(classes)),
        still=None if wishes.keep_still else tuple(classes[label] for label in measured.still),
    )


def _unseen(classes: Sequence[str]) -> set[str]:
    """Labels that make no segment: names of background, and the model's own classes of such a name."""
    return {*BACKGROUND, *(classes[label] for label in background_of(classes))}


def _level(enter: Sequence[float]) -> str:
    low, high = min(enter), max(enter)
    return f"{low:.2f}" if low == high else f"{low:.2f} to {high:.2f}"


def _free_name(folder: Path, video: Video, taken: set[str]) -> str:
    """What the files of a video are called: as it is, with a number where another video's files are called so."""
    number, stem = 1, Path(path_in(video.file)).stem or "video"
    while True:
        name = stem if number == 1 else f"{stem}-{number}"
        if name not in taken and _belongs_to(folder / f"{name}.json") in (None, video.key[0]):
            taken.add(name)
            return name
        number += 1


def _belongs_to(path: Path) -> str | None:
    """The video whose record stands in a file."""
    try:
        return str(json.loads(path.read_text(encoding="utf-8"))["file"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _done_before(path: Path, video: Video, model: Model, settings: Settings) -> Timeline | None:
    """What an earlier call found, if nothing has changed since that it depends on."""
    if not path.is_file():
        return None
    try:
        row = read_record(path, Timeline)
    except RunError:
        return None
    same = (row.version, row.model, row.settings) == (RECORD_VERSION, model, settings)
    unchanged = (row.size_bytes, row.modified_ns) == (stamp_of(video.file) or (None, None))
    return row if same and unchanged and row.status == OK else None
