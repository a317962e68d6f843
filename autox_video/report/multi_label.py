"""The product of a test where a video has several labels; see `results` for what both kinds share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

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
    ids_of,
    metrics_note,
    numbers,
    refuse_broken_scores,
    scored_line,
    shortest,
    single_view_figures,
    true_labels,
)
from autox_video.report.ensembles import Ensemble
from autox_video.report.folds import Folds, checkpoint_of, make_folds
from autox_video.report.motion_probe import MotionProbe, make_motion_probe
from autox_video.report.new_videos import leaks_note
from autox_video.tasks import load_task

VERSION = 1


@dataclass(frozen=True)
class MultiLabelVideo:
    """One video of the test list.

    Attributes:
        file: As listed.
        status: `ok`, or `error` when the video could not be read.
        error: Why it could not be read, or None.
        true_labels: None when the list has no label.
        predicted_labels: The labels whose score reaches their threshold, which may be none; None without scores.
        correct: Whether both are the same labels; None where one is missing.
        top5: The best labels with their scores, best first.
        scores: Probability of each label, in the order of `classes`.
        start_seconds: Where the labelled piece of the video begins; left out of the file for a whole video.
        end_seconds: Where it ends; likewise.
        leak: Where the video also stands in train or val, such as `same file as val: a.mp4`; None for a new one.
        fold: The fold it was tested in; left out of the file where there are none.
        confidence: How likely exactly these labels are right, by calibrated probabilities and as if they were
            independent of each other; None without scores.
        uncertain: Whether the validation videos do not vouch for so little confidence; None where that is not known.
    """

    file: str
    status: str
    error: str | None
    true_labels: tuple[Label, ...] | None
    predicted_labels: tuple[Label, ...] | None
    correct: bool | None
    top5: tuple[ScoredLabel, ...]
    scores: tuple[float, ...] | None
    start_seconds: float | None = None
    end_seconds: float | None = None
    leak: str | None = None
    fold: int | None = None
    confidence: float | None = None
    uncertain: bool | None = None


@dataclass(frozen=True)
class LabelResult:
    """One label.

    Attributes:
        label: Its name.
        num_videos: Labelled and scored videos that have it.
        threshold: The probability from which on a video has it; with folds their mean.
        average_precision: Independent of the threshold; None without videos.
        precision: Share of the videos that were given it which have it; None when none was.
        recall: Share of the videos that have it which were given it; None without videos.
        f1: Harmonic mean of both; None without videos.
    """

    label: str
    num_videos: int
    threshold: float
    average_precision: float | None
    precision: float | None
    recall: float | None
    f1: float | None


@dataclass(frozen=True)
class MultiLabelMetrics:
    """Figures over the labelled videos that could be scored.

    Attributes:
        mean_average_precision: Mean of the average precision of the labels that a video has.
        mean_f1: Mean of their F1 at the thresholds.
        exact_match: Share of videos that were given all their labels and no other.
        loss: Mean binary cross entropy over videos and labels.
        per_label: One entry a label.
    """

    mean_average_precision: float
    mean_f1: float
    exact_match: float
    loss: float
    per_label: tuple[LabelResult, ...]


@dataclass(frozen=True)
class MultiLabelResults:
    """Everything a test found. Written as JSON it is described by `resources/results_multi_label.schema.json`.

    Attributes:
        version: Of this layout.
        task: `multi_label`.
        model: Name of the preset.
        checkpoint: What was tested; None where each fold, or each member of an ensemble, has its own.
        data_root: Folder that relative file names start from.
        classes: Names of the labels; the position is the id.
        thresholds: The probability from which on a video has a label, one a label; with folds the mean of theirs.
        thresholds_note: Where the thresholds come from.
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
        folds: With `test.folds`, the model and the figures of each; the figures above are of all videos together,
            each judged by the thresholds of its fold.
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
    thresholds: tuple[float, ...]
    thresholds_note: str
    views: Views | None
    counts: Counts
    metrics: MultiLabelMetrics | None
    metrics_single_view: dict[str, float] | None = field(default=None, kw_only=True)
    metrics_note: str | None
    metrics_without_leaks: MultiLabelMetrics | None
    leaks_note: str | None
    videos: tuple[MultiLabelVideo, ...]
    folds: Folds | None = None
    ensemble: Ensemble | None = None
    calibration: CalibrationResult | None = None
    probe: MotionProbe | None = None


def make_multi_label_results(predictions: Predictions) -> MultiLabelResults:
    """Turn probabilities into labels and figures.

    Raises:
        RunError: A score is not a finite number.
    """
    rows, task = predictions.rows, load_task(predictions.task)
    refuse_broken_scores(rows)
    note = "chosen on the validation videos for the best F1 of each label"
    thresholds = predictions.thresholds
    if thresholds is None:
        thresholds = (task.DEFAULT_THRESHOLD,) * len(predictions.classes)
        note = f"{task.DEFAULT_THRESHOLD} for each label: the checkpoint was written before any validation"
    elif predictions.folds:
        note = "the mean of those of the folds, each chosen on its validation videos and used for its test videos"
    # A fold's videos are judged by the thresholds of the fold.
    levels: dict[int | None, tuple[float, ...]] = {None: thresholds}
    levels |= {model.fold: model.thresholds or thresholds for model in predictions.folds}
    used = [row for row in rows if row.scores is not None and row.label is not None]
    new = [row for row in used if row.leak is None]
    counts, believed = count_rows(rows), zip(rows, beliefs(predictions), strict=True)

    def figures(rows: list[Prediction]) -> MultiLabelMetrics:
        return _metrics(predictions, levels, rows)

    return MultiLabelResults(
        version=VERSION,
        task=predictions.task,
        model=predictions.model,
        checkpoint=checkpoint_of(predictions),
        data_root=predictions.data_root,
        classes=predictions.classes,
        thresholds=thresholds,
        thresholds_note=note,
        views=Views(predictions.num_clips, predictions.num_crops),
        counts=counts,
        metrics=_metrics(predictions, levels, used) if used else None,
        metrics_single_view=single_view_figures(used, figures),
        metrics_note=metrics_note(counts, len(used)),
        metrics_without_leaks=_metrics(predictions, levels, new) if 0 < len(new) < len(used) else None,
        leaks_note=leaks_note(len(used), len(new)),
        videos=tuple(_video(row, predictions.classes, levels[row.fold], one) for row, one in believed),
        folds=make_folds(predictions, figures),
        calibration=make_calibration(predictions, used),
        probe=make_motion_probe(predictions, used),
    )


def multi_label_lines(results: MultiLabelResults) -> list[str]:
    """The outcome in a few lines for the console."""
    counts = results.counts
    what = scored_line(counts, results.views)
    if results.metrics is None:
        return [f"no figures: {results.metrics_note} ({what})"]
    metrics = results.metrics
    lines = [f"test     {_figures(numbers(metrics))}  ({what})"]
    if results.metrics_single_view:
        lines.append(f"one view {_figures(results.metrics_single_view)}  (of each, nearest to its middle)")
    if results.metrics_note:
        lines.append(f"note     {results.metrics_note}")
    if results.metrics_without_leaks is not None:
        lines.append(f"new      {_figures(numbers(results.metrics_without_leaks))}  ({results.leaks_note})")
    elif results.leaks_note:
        lines.append(f"note     {results.leaks_note}")
    lines += added_lines(results)
    scored = [label for label in metrics.per_label if label.average_precision is not None]
    worst = min(scored, key=lambda label: label.average_precision or 0.0)
    if worst.average_precision != 1:
        lines.append(f"hardest label: {worst.label!r} (average precision {worst.average_precision:.3f})")
    return lines


def _figures(figures: dict[str, float]) -> str:
    shares = f"mean F1 {figures['mean_f1']:.3f}  exact match {figures['exact_match']:.3f}"
    return f"mAP {figures['mean_average_precision']:.3f}  {shares}"


def _metrics(
    predictions: Predictions, levels: Mapping[int | None, tuple[float, ...]], used: Sequence[Prediction]
) -> MultiLabelMetrics:
    task = load_task(predictions.task)
    scores = np.stack([row.scores for row in used if row.scores is not None])
    true = true_labels(predictions, used)
    given = scores >= np.array([levels[row.fold] for row in used])
    per_label = []
    for i, name in enumerate(predictions.classes):
        both, has, got = int((true & given)[:, i].sum()), int(true[:, i].sum()), int(given[:, i].sum())
        per_label.append(
            LabelResult(
                label=name,
                num_videos=has,
                threshold=levels[None][i],
                average_precision=task.average_precision(scores[:, i], true[:, i]) if has else None,
                precision=both / got if got else None,
                recall=both / has if has else None,
                f1=2 * both / (has + got) if has else None,
            )
        )
    return MultiLabelMetrics(
        **task.score_metrics(scores, true),
        mean_f1=float(np.mean([label.f1 for label in per_label if label.f1 is not None])),
        exact_match=float((true == given).all(axis=1).mean()),
        per_label=tuple(per_label),
    )


def _video(row: Prediction, classes: tuple[str, ...], thresholds: tuple[float, ...], belief: Belief) -> MultiLabelVideo:
    true = None if row.label is None else tuple(Label(i, classes[i]) for i in ids_of(row))
    if row.scores is None:
        extra = (row.start_seconds, row.end_seconds, row.leak, row.fold)
        return MultiLabelVideo(row.path, "error", row.error, true, None, None, (), None, *extra)
    scores = tuple(shortest(score) for score in row.scores)
    given = tuple(Label(int(i), classes[i]) for i in np.flatnonzero(row.scores >= np.array(thresholds)))
    order = np.argsort(-row.scores, kind="stable")[:TOP]
    return MultiLabelVideo(
        file=row.path,
        status="ok",
        error=None,
        true_labels=true,
        predicted_labels=given,
        correct=None if true is None else given == true,
        top5=tuple(ScoredLabel(classes[i], scores[i]) for i in order),
        scores=scores,
        start_seconds=row.start_seconds,
        end_seconds=row.end_seconds,
        leak=row.leak,
        fold=row.fold,
        confidence=belief[0],
        uncertain=belief[1],
    )
