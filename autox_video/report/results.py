"""The product of this stage: what a test found, in words and figures a person can check."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from autox_video.predictions import Prediction, Predictions
from autox_video.report.added_lines import added_lines
from autox_video.report.calibration import Belief, CalibrationResult, beliefs, make_calibration
from autox_video.report.common import (
    TOP,
    Checkpoint,
    Counts,
    Label,
    ScoredLabel,
    Views,
    count_rows,
    metrics_note,
    numbers,
    refuse_broken_scores,
    scored_line,
    shortest,
    single_view_figures,
)
from autox_video.report.ensembles import Ensemble
from autox_video.report.folds import Folds, checkpoint_of, make_folds
from autox_video.report.motion_probe import MotionProbe, make_motion_probe
from autox_video.report.new_videos import figures_line, leak_lines, leaks_note
from autox_video.tasks import load_task

VERSION = 1


@dataclass(frozen=True)
class VideoResult:
    """One video of the test list.

    Attributes:
        file: As listed.
        status: `ok`, or `error` when the video could not be read.
        error: Why it could not be read, or None.
        true_label: None when the list has no label.
        predicted_label: The class of the highest score.
        correct: Whether the two agree; None where one is missing.
        confidence: How likely the prediction is right: the highest score, calibrated on the validation videos.
        top5: The best classes with their scores, best first.
        scores: Probability of each class, in the order of `Results.classes`.
        start_seconds: Where the labelled piece of the video begins; left out of the file for a whole video.
        end_seconds: Where it ends; likewise.
        leak: Where the video also stands in train or val, such as `same file as val: a.mp4`; None for a new one.
        fold: The fold it was tested in; left out of the file where there are none.
        uncertain: Whether the validation videos do not vouch for so little confidence; None where that is not known.
    """

    file: str
    status: str
    error: str | None
    true_label: Label | None
    predicted_label: Label | None
    correct: bool | None
    confidence: float | None
    top5: tuple[ScoredLabel, ...]
    scores: tuple[float, ...] | None
    start_seconds: float | None = None
    end_seconds: float | None = None
    leak: str | None = None
    fold: int | None = None
    uncertain: bool | None = None


@dataclass(frozen=True)
class ClassResult:
    """One class: how many of its videos were found, and how many predictions of it were right.

    Attributes:
        label: Its name.
        num_videos: Labelled and scored videos of the class.
        accuracy: Share of them that was recognised (recall); None without videos.
        precision: Share of the predictions of this class that was right; None when it was never predicted.
    """

    label: str
    num_videos: int
    accuracy: float | None
    precision: float | None


@dataclass(frozen=True)
class Metrics:
    """Figures over the labelled videos that could be scored.

    Attributes:
        top1: Share of videos whose best class is the true one.
        top5: Share of videos whose true class is among the best min(5, number of classes).
        mean_class_accuracy: Mean over the classes with videos of their accuracy.
        loss: Mean negative log probability of the true class.
        confusion_matrix: Counts; a row is a true class, a column a predicted one.
        per_class: One entry a class.
    """

    top1: float
    top5: float
    mean_class_accuracy: float
    loss: float
    confusion_matrix: tuple[tuple[int, ...], ...]
    per_class: tuple[ClassResult, ...]


@dataclass(frozen=True)
class Results:
    """Everything a test found. Written as JSON it is described by `resources/results.schema.json`.

    Attributes:
        version: Of this layout.
        task: The module in `autox_video.tasks`.
        model: Name of the preset.
        checkpoint: What was tested; None where each fold, or each member of an ensemble, has its own.
        data_root: Folder that relative file names start from.
        classes: Class names; the position is the class id.
        views: How each video was seen; None where the members of an ensemble saw it each in its own way.
        counts: How many videos there were.
        metrics: None when no video is labelled and scored: figures are never made up.
        metrics_single_view: The same figures by what one view of each video says, the one nearest to its middle, as in
            validation; None where each was seen in one.
        metrics_note: What the figures leave out, or why there are none; None when they cover every video.
        metrics_without_leaks: Over the same videos without those that also stand in train or val; None where no
            video does, or none is left.
        leaks_note: How many were left out of these; None where no video stands in train or val.
        videos: One entry a video, in the order of the list.
        folds: With `test.folds`, the model and the figures of each; the figures above are of all videos together.
        ensemble: Of several models whose probabilities were averaged, which they are and what they gain together.
        calibration: What the confidences are worth; None in files of older versions.
        probe: With `test.probe`, what the order of frames means to the model; None without.
    """

    version: int
    task: str
    model: str
    checkpoint: Checkpoint | None
    data_root: str
    classes: tuple[str, ...]
    views: Views | None
    counts: Counts
    metrics: Metrics | None
    metrics_single_view: dict[str, float] | None = field(default=None, kw_only=True)
    metrics_note: str | None
    metrics_without_leaks: Metrics | None
    leaks_note: str | None
    videos: tuple[VideoResult, ...]
    folds: Folds | None = None
    ensemble: Ensemble | None = None
    calibration: CalibrationResult | None = None
    probe: MotionProbe | None = None


def make_results(predictions: Predictions) -> Results:
    """Turn score vectors into labels and figures.

    Raises:
        RunError: A score is not a finite number.
    """
    rows = predictions.rows
    refuse_broken_scores(rows)
    used = [row for row in rows if row.scores is not None and row.label is not None]
    new = [row for row in used if row.leak is None]
    counts = count_rows(rows)

    def figures(rows: list[Prediction]) -> Metrics:
        return _metrics(predictions, rows)

    return Results(
        version=VERSION,
        task=predictions.task,
        model=predictions.model,
        checkpoint=checkpoint_of(predictions),
        data_root=predictions.data_root,
        classes=predictions.classes,
        views=Views(predictions.num_clips, predictions.num_crops),
        counts=counts,
        metrics=_metrics(predictions, used) if used else None,
        metrics_single_view=single_view_figures(used, figures),
        metrics_note=metrics_note(counts, len(used)),
        metrics_without_leaks=_metrics(predictions, new) if 0 < len(new) < len(used) else None,
        leaks_note=leaks_note(len(used), len(new)),
        videos=tuple(_video(row, predictions, one) for row, one in zip(rows, beliefs(predictions), strict=True)),
        folds=make_folds(predictions, figures),
        calibration=make_calibration(predictions, used),
        probe=make_motion_probe(predictions, used),
    )


def summary_lines(results: Results) -> list[str]:
    """The outcome in a few lines for the console."""
    counts = results.counts
    what = scored_line(counts, results.views)
    if results.metrics is None:
        return [f"no figures: {results.metrics_note} ({what})"]
    metrics = results.metrics
    lines = [f"test     {figures_line(numbers(metrics))}  ({what})"]
    if results.metrics_single_view:
        lines.append(f"one view {figures_line(results.metrics_single_view)}  (of each, nearest to its middle)")
    if results.metrics_note:
        lines.append(f"note     {results.metrics_note}")
    lines += [*leak_lines(results), *added_lines(results)]
    errors = np.array(metrics.confusion_matrix)
    np.fill_diagonal(errors, 0)
    if errors.any():
        true, predicted = np.unravel_index(errors.argmax(), errors.shape)
        count = errors[true, predicted]
        names = f"{results.classes[true]!r} is taken for {results.classes[predicted]!r}"
        lines.append(f"most frequent mistake: {names} ({count} {'time' if count == 1 else 'times'})")
    return lines


def to_plain(results: Any) -> dict[str, Any]:
    """Dictionaries, lists and scalars, in the order of the classes above."""
    plain = dataclasses.asdict(results)
    for video in plain["videos"]:
        if (video["start_seconds"], video["end_seconds"]) == (None, None):
            del video["start_seconds"], video["end_seconds"]
        if plain["folds"] is None:
            del video["fold"]
    for name in ("folds", "ensemble", "probe"):
        if plain[name] is None:
            del plain[name]
    return plain


def _metrics(predictions: Predictions, used: list[Prediction]) -> Metrics:
    task = load_task(predictions.task)
    scores = np.stack([row.scores for row in used if row.scores is not None])
    labels = np.array([row.label for row in used])
    matrix = task.confusion_matrix(scores, labels)
    figures: dict[str, float] = task.score_metrics(scores, labels)
    right, true, predicted = np.diag(matrix), matrix.sum(axis=1), matrix.sum(axis=0)
    per_class = tuple(
        ClassResult(name, int(true[i]), _share(right[i], true[i]), _share(right[i], predicted[i]))
        for i, name in enumerate(predictions.classes)
    )
    return Metrics(**figures, confusion_matrix=tuple(map(tuple, matrix.tolist())), per_class=per_class)


def _share(part: int, whole: int) -> float | None:
    return float(part / whole) if whole else None


def _video(row: Prediction, predictions: Predictions, belief: Belief) -> VideoResult:
    classes = predictions.classes
    assert not isinstance(row.label, tuple), "several labels are the business of multi_label"
    true = None if row.label is None else Label(row.label, classes[row.label])
    if row.scores is None:
        extra = (row.start_seconds, row.end_seconds, row.leak, row.fold)
        return VideoResult(row.path, "error", row.error, true, None, None, None, (), None, *extra)
    scores = tuple(shortest(score) for score in row.scores)
    best = load_task(predictions.task).predicted_label(row.scores)
    order = np.argsort(-row.scores, kind="stable")[:TOP]
    return VideoResult(
        file=row.path,
        status="ok",
        error=None,
        true_label=true,
        predicted_label=Label(best, classes[best]),
        correct=None if row.label is None else best == row.label,
        confidence=belief[0],
        top5=tuple(ScoredLabel(classes[index], scores[index]) for index in order),
        scores=scores,
        start_seconds=row.start_seconds,
        end_seconds=row.end_seconds,
        leak=row.leak,
        fold=row.fold,
        uncertain=belief[1],
    )
