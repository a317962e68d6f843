"""`autox-video timeline`: from videos and a model to the files of each."""

from __future__ import annotations

import dataclasses
import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from autox_video.dataset.video_files import find_videos, is_image_folder
from autox_video.decoding import FILES, IMAGES, open_video
from autox_video.errors import Problem, RequestError, RunError
from autox_video.log_lines import log_uncalibrated
from autox_video.progress import progress_bar
from autox_video.records import read_record
from autox_video.using.timeline.looking import look_through
from autox_video.using.timeline.outputs import page_path, write_summary, write_timeline
from autox_video.using.timeline.record import OK, Model, Settings, Timeline
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
        rows: One a video, in the order they were named.
        pages: The HTML page of each, where there is one.
        metrics: Over all videos with known segments; None where there are none.
        num_kept: Videos that an earlier call had done.
    """

    rows: tuple[Timeline, ...]
    pages: tuple[Path | None, ...]
    metrics: SegmentMetrics | None
    num_kept: int


def make_timelines(
    videos: Sequence[Path],
    source: Path,
    folder: Path,
    wishes: Wishes,
    *,
    truth: Path | None = None,
    device: str = "auto",
    plugins: Sequence[str] = (),
) -> Timelines:
    """Find the segments of videos, and write them: JSON, CSV, SRT and a page of each, and a table over all.

    A video that an earlier call has done with the same model and wishes is not looked through again.

    Args:
        videos: Files, or folders with videos in them.
        source: The model: a work dir, a file of weights, or an exported folder.
        folder: Where to write.
        wishes: What the user asked for.
        truth: A CSV file of known segments (`truth.read_truth`).
        device: `auto`, `cpu` or `cuda`.
        plugins: Modules that the model needs.

    Raises:
        RequestError: There is no such video or model, or the known segments are wrong.
    """
    from autox_video.runner.predictor import open_predictor

    files = find_files(videos)
    predictor = open_predictor(source, device, (1, 1), plugins)
    log_uncalibrated(predictor.trained.path, predictor.trained.calibration)
    known: Mapping[Path, tuple[Segment, ...]] = {}
    if truth is not None:
        known = read_truth(truth, files, predictor.classes, _unseen(predictor.classes))
    model, settings, span = prepare(predictor, wishes)
    logger.info("timeline %d videos; a segment must reach %s: %s", len(files), _level(settings.enter), settings.source)
    return _over_all(files, predictor, model, settings, span, folder, known)


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


def find_files(videos: Sequence[Path]) -> tuple[Path, ...]:
    """The videos that are meant, each once, in the order they are named.

    Raises:
        RequestError: Something is not there, or a folder holds no video.
    """
    files: dict[Path, None] = {}
    problems = []
    for path in videos:
        if not path.is_dir() or is_image_folder(str(path)):
            if path.exists():
                files[path] = None
            else:
                problems.append(Problem(str(path), "there is no such video", "Name a video file, or a folder of them"))
            continue
        found = [path / name for name in find_videos(path).paths]
        if not found:
            problems.append(Problem(str(path), "holds no video", "Name a video file, or a folder of them"))
        files |= dict.fromkeys(found)
    if problems:
        raise RequestError(problems)
    return tuple(files)


def _over_all(
    files: Sequence[Path],
    predictor: Predictor,
    model: Model,
    settings: Settings,
    span: Span,
    folder: Path,
    known: Mapping[Path, tuple[Segment, ...]],
) -> Timelines:
    rows: list[Timeline] = []
    pages: list[Path | None] = []
    counts: list[Agreement] = []
    taken: set[str] = set()
    num_kept = 0
    with progress_bar(len(files), "looking through videos") as bar:
        for file in files:
            stem = _free_name(folder, file, taken)
            before = _done_before(folder / f"{stem}.json", file, model, settings)
            if before is None:
                row = look_through(file, predictor, model, settings, span, BATCH_SIZE[predictor.plan.device.value], bar)
            else:
                row, num_kept = before, num_kept + 1
                bar.advance()
            counted = _counted(row, file, known)
            counts += counted
            row = dataclasses.replace(row, metrics=metrics_of(counted))
            page = page_path(folder, stem) if row.status == OK else None
            if row != before or counted or not (page and page.is_file()):
                write_timeline(row, file, folder, stem, known.get(file))
            pages.append(page)
            rows.append(row)
    write_summary(rows, folder)
    return Timelines(tuple(rows), tuple(pages), metrics_of(counts), num_kept)


def _counted(row: Timeline, file: Path, known: Mapping[Path, tuple[Segment, ...]]) -> list[Agreement]:
    """What is right in a video that has known segments; nothing of any other."""
    if row.status != OK or file not in known:
        return []
    times = open_video(str(file), IMAGES if file.is_dir() else FILES).times()
    return [agreement(row.segments, known[file], times)]


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


def _free_name(folder: Path, file: Path, taken: set[str]) -> str:
    """What the files of a video are called: as it is, with a number where another video's files are called so."""
    number = 1
    while True:
        name = file.stem if number == 1 else f"{file.stem}-{number}"
        if name not in taken and _belongs_to(folder / f"{name}.json") in (None, str(file)):
            taken.add(name)
            return name
        number += 1


def _belongs_to(path: Path) -> str | None:
    """The video whose record stands in a file."""
    try:
        return str(json.loads(path.read_text(encoding="utf-8"))["file"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _done_before(path: Path, file: Path, model: Model, settings: Settings) -> Timeline | None:
    """What an earlier call found, if nothing has changed since that it depends on."""
    if not path.is_file():
        return None
    try:
        row, status = read_record(path, Timeline), file.stat()
    except (RunError, OSError):
        return None
    same = (row.version, row.model, row.settings) == (RECORD_VERSION, model, settings)
    unchanged = (row.size_bytes, row.modified_ns) == (status.st_size, status.st_mtime_ns)
    return row if same and unchanged and row.status == OK else None
