"""A list of videos: found, scored as they are decoded, each row kept at once, and the results written at the end."""

from __future__ import annotations

import contextlib
import dataclasses
import logging
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from autox_video.dataset.messages import plural
from autox_video.decoding import FILES, IMAGES, DecodingError, Reader, open_video
from autox_video.errors import Problem, RequestError
from autox_video.predictions import Prediction, Predictions
from autox_video.progress import progress_bar
from autox_video.report.multi_label import MultiLabelResults
from autox_video.report.outcome import AnyResults, make_outcome
from autox_video.report.writers import WRITERS, write_results
from autox_video.stopping import stoppable
from autox_video.using.predict.annotated import targets_of, write_annotated
from autox_video.using.predict.downloads import MIB, downloaded
from autox_video.using.predict.inputs import Inputs, Key, Video, find_inputs, is_url, with_labels
from autox_video.using.predict.journal import Journal, Row, Stamp, journal_path, opened_journal, stamp_of
from autox_video.writing import clear_leftovers

logger = logging.getLogger(__name__)
# What `data.image_fps` is when nobody says otherwise.
IMAGE_FPS = 25.0
MAX_SECONDS, MAX_DOWNLOAD_MIB = 300.0, 2048


@dataclasses.dataclass(frozen=True)
class Asked:
    """What a user asks of a prediction; everything has a default but the videos.

    Attributes:
        inputs: Files, folders, globs, lists, http(s) URLs; `-` reads a list from standard input.
        output: Where the results go; the ending decides the format. None writes nothing, and keeps no journal.
        csv: A table besides.
        annotate: A folder for copies of the videos with their labels drawn in; of one video also a file. None: none.
        data_root: Folder that the paths in lists start from; None: that of each list.
        ignore_labels: Whether labels in lists are passed over.
        threshold: The probability from which on a video has a label, in place of those that validation chose.
        top_k: How many labels are drawn.
        image_fps: Frames a second of folders of images.
        max_seconds: What a video may take to be downloaded, and to be decoded.
        max_download_mib: What a download may weigh.
        workers: Processes that decode; None for what the machine has.
        batch: Videos scored together; None for what fits.
        fresh: Whether rows of an earlier run are forgotten.
    """

    inputs: Sequence[str]
    output: Path | None = None
    csv: Path | None = None
    annotate: Path | None = None
    data_root: Path | None = None
    ignore_labels: bool = False
    threshold: float | None = None
    top_k: int = 1
    image_fps: float = IMAGE_FPS
    max_seconds: float = MAX_SECONDS
    max_download_mib: int = MAX_DOWNLOAD_MIB
    workers: int | None = None
    batch: int | None = None
    fresh: bool = False


@stoppable()
def predict_files(
    asked: Asked, open_model: Callable[[], Any], show: Callable[[Any], None] = lambda video: None
) -> AnyResults:
    """Predict a list of videos, and write the results.

    Args:
        asked: What to do.
        open_model: Opens the model, a `Predictor`; called when the inputs have been found.
        show: Is given the row of each video as it is done, as it stands in the results.

    Returns:
        The results, as they stand in the file. A video that could not be read is a row with its reason.

    Raises:
        RequestError: An input or an option is wrong.
        RunError: A file cannot be written.
    """
    _check_outputs(asked)
    inputs = find_inputs(asked.inputs, asked.data_root)
    targets = targets_of(asked.annotate, inputs) if asked.annotate else []
    for note in inputs.notes:
        logger.info("note     %s", note)
    predictor = open_model()
    _check_threshold(asked, predictor)
    if not asked.ignore_labels:
        inputs = with_labels(inputs, predictor.classes, predictor.plan.task)
    trained = predictor.trained
    logger.info("model    %s (epoch %d) on %s", trained.path, trained.epoch, predictor.plan.device.value)
    stamps = {video.key: stamp_of(video.file) for video in inputs.videos}
    with _journal(asked, predictor, stamps) as journal:
        rows = _Run(asked, predictor, inputs, stamps, targets, journal).rows(show)
    results = _results(asked, predictor, inputs, rows)
    for path in (asked.output, asked.csv):
        if path is not None:
            write_results(results, path)
    return results


def _check_outputs(asked: Asked) -> None:
    problems = []
    for option, path in (("--output", asked.output), ("--csv", asked.csv)):
        if path is not None and path.suffix not in ((".csv",) if option == "--csv" else WRITERS):
            cure = "Choose .csv" if option == "--csv" else f"Choose one of {', '.join(WRITERS)}"
            problems.append(Problem(option, "the ending names no format", cure, repr(path.name)))
        elif path is not None and path.is_dir():
            problems.append(Problem(option, "is a folder", "Name a file", str(path)))
        elif path is not None:
            clear_leftovers(path.parent)
    if problems:
        raise RequestError(problems)


def _check_threshold(asked: Asked, predictor: Any) -> None:
    if asked.threshold is not None and predictor.plan.task != "multi_label":
        wrong = "this model gives a video one label, the best, whatever its confidence"
        raise RequestError(
            Problem("--threshold", wrong, "Leave it out, and look at `confidence`", f"{asked.threshold:g}")
        )


@contextmanager
def _journal(asked: Asked, predictor: Any, stamps: Mapping[Key, Stamp]) -> Iterator[Journal | None]:
    """The journal beside the output; None where nothing is to be written."""
    if asked.output is None:
        yield None
        return
    views = {"num_clips": predictor.plan.test_num_clips.value, "num_crops": predictor.plan.test_num_crops.value}
    made_by = {"model_sha256": predictor.trained.sha256, **views, "image_fps": asked.image_fps}
    with opened_journal(journal_path(asked.output), made_by, stamps, fresh=asked.fresh) as journal:
        for note in journal.notes:
            logger.info("note     %s", note)
        if journal.kept:
            done = f"{len(journal.kept)} of {plural(len(stamps), 'video')}"
            logger.info("goes on  %s done before (%s)", done, journal_path(asked.output))
        yield journal


class _Run:
    """The videos that are to be scored, and what is at hand for that."""

    def __init__(
        self,
        asked: Asked,
        predictor: Any,
        inputs: Inputs,
        stamps: Mapping[Key, Stamp],
        targets: Sequence[Path],
        journal: Journal | None,
    ) -> None:
        self.asked, self.predictor, self.inputs = asked, predictor, inputs
        self.stamps, self.targets, self.journal = stamps, targets, journal

    def rows(self, show: Callable[[Any], None]) -> list[Row]:
        """What came of each video: kept from an earlier run, or scored now."""
        from autox_video.runner.predicting import score_videos

        asked, videos = self.asked, self.inputs.videos
        rows = [self.journal.kept.get(video.key) if self.journal else None for video in videos]
        self._draw_missing(rows)
        todo = [number for number, row in enumerate(rows) if row is None]
        loading: Any = {"num_workers": asked.workers, "videos_per_batch": asked.batch, "max_seconds": asked.max_seconds}
        with (
            progress_bar(len(todo), "predicting") as bar,
            closing(score_videos(self.predictor, todo, self._clips_of, **loading)) as scored,
        ):
            for number, found in scored:
                row = rows[number] = _row(found)
                shown = self._shown(number, row)
                self._draw(number, shown)
                if self.journal:
                    self.journal.add(videos[number], self.stamps[videos[number].key], row, _said(shown))
                show(shown)
                bar.advance()
        return [row for row in rows if row is not None]

    def _clips_of(self, number: int) -> Any:
        """The clips of a video, in the process that decodes it."""
        video = self.inputs.videos[number]
        with self._opened(video) as reader:
            return self.predictor.clips_of(reader, video.start_seconds, video.end_seconds)

    @contextmanager
    def _opened(self, video: Video) -> Iterator[Reader]:
        with contextlib.ExitStack() as stack:
            file, decoder = video.file, FILES
            if is_url(file):
                limits = (self.asked.max_download_mib * MIB, self.asked.max_seconds)
                file = stack.enter_context(downloaded(file, *limits))
            elif os.path.isdir(file):
                decoder = f"{IMAGES}@{self.asked.image_fps:.10g}"
            yield open_video(file, decoder)

    def _shown(self, number: int, row: Row) -> Any:
        """A row as it stands in the results, but for its true label."""
        video = dataclasses.replace(self.inputs.videos[number], label=None)
        inputs = dataclasses.replace(self.inputs, videos=(video,))
        return _results(self.asked, self.predictor, inputs, [row]).videos[0]

    def _draw_missing(self, rows: Sequence[Row | None]) -> None:
        """The copies of videos that an earlier run has scored and not drawn."""
        for number, row in enumerate(rows):
            if row is not None and self.targets and not self.targets[number].exists():
                self._draw(number, self._shown(number, row))

    def _draw(self, number: int, shown: Any) -> None:
        if not self.targets or shown.status != "ok":
            return
        video = self.inputs.videos[number]
        lines = [f"{name} {score:.2f}" for name, score in best_labels(shown, self.asked.top_k)] or ["-"]
        try:
            with self._opened(video) as reader:
                write_annotated(reader, video, lines, self.targets[number])
        except (DecodingError, OSError) as error:
            logger.warning("warning  %s: its copy cannot be drawn: %s", video.name, error)


def best_labels(shown: Any, top_k: int) -> list[tuple[str, float]]:
    """What is said of a video: the best labels with their scores; of several labels a video all that it has."""
    if hasattr(shown, "predicted_labels"):
        return [(label.name, shown.scores[label.id]) for label in shown.predicted_labels or ()]
    return [(one.label, one.score) for one in shown.top5[:top_k]]


def _row(found: np.ndarray | str) -> Row:
    if isinstance(found, str):
        return Row(None, found)
    if not np.isfinite(found).all():
        return Row(None, "the model gives scores that are not finite numbers")
    return Row(found)


def _results(asked: Asked, predictor: Any, inputs: Inputs, rows: Sequence[Row]) -> AnyResults:
    """What was found, in the shape of a test's results."""
    plan, trained = predictor.plan, predictor.trained
    thresholds = predictor.thresholds
    if asked.threshold is not None:
        thresholds = (asked.threshold,) * len(predictor.classes)
    results = make_outcome(
        Predictions(
            task=plan.task,
            model=plan.model.value,
            classes=predictor.classes,
            checkpoint=str(trained.path),
            checkpoint_sha256=trained.sha256,
            epoch=trained.epoch,
            data_root=inputs.data_root,
            num_clips=plan.test_num_clips.value,
            num_crops=plan.test_num_crops.value,
            rows=tuple(_prediction(video, row) for video, row in zip(inputs.videos, rows, strict=True)),
            thresholds=thresholds,
        )
    )
    if asked.threshold is not None and isinstance(results, MultiLabelResults):
        results = dataclasses.replace(results, thresholds_note=f"{asked.threshold:g} for each label, as asked")
    return results


def _prediction(video: Video, row: Row) -> Prediction:
    return Prediction(video.name, video.label, row.scores, row.error, video.start_seconds, video.end_seconds)


def _said(video: Any) -> dict[str, Any]:
    """What a row says, for those who follow the journal."""
    if hasattr(video, "predicted_labels"):
        return {"labels": [label.name for label in video.predicted_labels or ()]}
    return {
        "label": video.predicted_label.name if video.predicted_label else None,
        "confidence": video.confidence,
    }
