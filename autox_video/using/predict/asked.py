"""What a user asks of a prediction, and the shape that its rows take."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from autox_video.errors import Problem, RequestError
from autox_video.predictions import Prediction, Predictions
from autox_video.report.multi_label import MultiLabelResults
from autox_video.report.outcome import AnyResults, make_outcome
from autox_video.report.writers import WRITERS, write_results
from autox_video.using.predict.inputs import Inputs, Video
from autox_video.using.predict.journal import Row
from autox_video.writing import clear_leftovers

# What `data.image_fps` is when nobody says otherwise.
IMAGE_FPS = 25.0
MAX_SECONDS, MAX_DOWNLOAD_MIB = 300.0, 2048


# Is given the row of a video, or of a window of a stream, and its labels with their probabilities.
Show = Callable[[Any, Sequence[tuple[str, float]]], None]


def show_nothing(video: Any, labels: Sequence[tuple[str, float]]) -> None:
    """Where nobody looks."""


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
        threshold: The calibrated probability, as it is shown, from which on a video has a label; in place of the
            thresholds that validation chose.
        top_k: How many labels are shown of a video that has one.
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


def check_outputs(asked: Asked) -> None:
    """Whether what is to be written can be, by its names; what a killed run left half written there is removed.

    Raises:
        RequestError: An output is no file of a known format.
    """
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


def check_threshold(asked: Asked, predictor: Any) -> None:
    """Whether a threshold is asked of a model that has some.

    Raises:
        RequestError: The model gives a video one label.
    """
    if asked.threshold is not None and predictor.plan.task != "multi_label":
        wrong = "this model gives a video one label, the best, whatever its confidence"
        raise RequestError(
            Problem("--threshold", wrong, "Leave it out, and look at `confidence`", f"{asked.threshold:g}")
        )


def results_of(asked: Asked, predictor: Any, inputs: Inputs, rows: Sequence[Row]) -> AnyResults:
    """What was found, in the shape of a test's results."""
    plan, trained = predictor.plan, predictor.trained
    level = None if asked.threshold is None else _score_of(asked.threshold, predictor)
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
            thresholds=predictor.thresholds if level is None else (level,) * len(predictor.classes),
            calibration=trained.calibration,
        )
    )
    if level is not None and isinstance(results, MultiLabelResults):
        note = f"{asked.threshold:g} for each label, as asked"
        if level != asked.threshold:
            note += f", a calibrated probability; the scores that have it are {level:.4g}"
        results = dataclasses.replace(results, thresholds_note=note)
    return results


def _score_of(probability: float, predictor: Any) -> float:
    """The score that is shown as a calibrated probability: results compare scores, people see probabilities."""
    if probability in (0.0, 1.0):
        return probability
    # What divides by the temperature, undone by its inverse.
    return float(predictor.task.tempered(np.array(probability), 1 / (predictor.temperature or 1.0)))


def _prediction(video: Video, row: Row) -> Prediction:
    return Prediction(video.name, video.label, row.scores, row.error, video.start_seconds, video.end_seconds)


def said_of(video: Any) -> dict[str, Any]:
    """What a row says, for those who follow the journal."""
    sure = {"confidence": video.confidence, "uncertain": video.uncertain}
    if hasattr(video, "predicted_labels"):
        return {"labels": [label.name for label in video.predicted_labels or ()], **sure}
    return {"label": video.predicted_label.name if video.predicted_label else None, **sure}


def best_labels(asked: Asked, predictor: Any, video: Any) -> list[tuple[str, float]]:
    """What is said of a video, for people: the best labels, or of several labels a video all that it has.

    Args:
        asked: How many.
        predictor: The model.
        video: The row as it stands in the results.

    Returns:
        Names and calibrated probabilities, the best first; none of a video that could not be read.
    """
    if video.scores is None:
        return []
    scores = predictor.task.tempered(np.array(video.scores), predictor.temperature or 1.0)
    order = np.argsort(-np.array(video.scores), kind="stable")
    if hasattr(video, "predicted_labels"):
        given = {label.id for label in video.predicted_labels}
        chosen = [index for index in order if index in given]
    else:
        chosen = list(order[: asked.top_k])
    return [(predictor.classes[index], float(scores[index])) for index in chosen]


def write_asked(asked: Asked, results: AnyResults) -> None:
    """Write the results wherever they were asked for."""
    for path in (asked.output, asked.csv):
        if path is not None:
            write_results(results, path)
