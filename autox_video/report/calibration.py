"""What confidences are worth: how often they come true, and how many videos are left where one wants to be sure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from autox_video.calibration import is_uncertain
from autox_video.predictions import Prediction, Predictions
from autox_video.report.bootstrap import wilson_interval
from autox_video.report.common import shortest, thresholds_of, true_labels
from autox_video.tasks import load_task

NUM_BINS = 10
# Shares of the videos, the most confident first, of which the accuracy is told.
COVERAGES = tuple(share / 10 for share in range(10, 0, -1))
OLD = "none: the checkpoint was written before any was fitted, so a confidence is what the model gives"
UNLEARNED = "none: no validation video has been scored, so a confidence is what the models give"


@dataclass(frozen=True)
class ReliabilityBin:
    """The confidences from `low` to `high`.

    Attributes:
        low: Lower end; not within, but for 0.
        high: Upper end; within.
        count: How many there are.
        confidence: Their mean; None without any.
        accuracy: The share of them that came true; None without any.
    """

    low: float
    high: float
    count: int
    confidence: float | None
    accuracy: float | None


@dataclass(frozen=True)
class Reliability:
    """How confidences compare with what is true.

    Attributes:
        ece: Expected calibration error: the mean distance of a confidence from the accuracy in its bin (M. P. Naeini,
            G. Cooper and M. Hauskrecht, Obtaining Well Calibrated Probabilities Using Bayesian Binning, AAAI 2015).
        ece_by_chance: What so few videos would show on average if every confidence were exactly true.
        loss: As of the task, of the confidences.
        bins: Ten of the same width.
    """

    ece: float
    ece_by_chance: float
    loss: float
    bins: tuple[ReliabilityBin, ...]


@dataclass(frozen=True)
class Coverage:
    """Some of the videos, and how often the model is right on them.

    Attributes:
        confidence_from: They are those with this confidence or more; None where that is another one in each fold.
        num_videos: How many these are.
        coverage: Their share of the labelled and scored videos; of a class, of those that were taken for it.
        accuracy: The share of them that is right; None without any.
        low: Lower end of its 95 % interval (E. B. Wilson, Probable Inference, 1927).
        high: Its upper end.
    """

    confidence_from: float | None
    num_videos: int
    coverage: float
    accuracy: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True)
class ClassConfidence:
    """How sure one can be of a class.

    Attributes:
        label: Its name.
        num_val_predicted: Validation videos that were taken for it.
        certain_from: The confidence from which on the target was reached by them; None where they are too few, or
            reach it nowhere.
        certain: The test videos that were taken for it and reach that; None where there is no such confidence, or none
            was taken for it.
    """

    label: str
    num_val_predicted: int
    certain_from: float | None
    certain: Coverage | None


@dataclass(frozen=True)
class CalibrationResult:
    """What confidences are worth.

    Attributes:
        temperature: What logits are divided by for a confidence; None with folds, each of which has its own, and where
            none was fitted.
        note: How it was found, or why it is 1 or None.
        num_val_videos: Validation videos it rests on; None where there is none.
        target_accuracy: How often one wants to be right; None likewise.
        certain_from: A video with less confidence is `uncertain`; None where no confidence is known to be enough.
        certain_note: What that rests on, or why there is none.
        before: Of the scores as the model gives them; None without labelled videos.
        after: Of the confidences; likewise.
        certain: The test videos that are not `uncertain`; None where that is not known, or without labelled videos.
        coverage: All of them, the most confident 90 % and so on, with all that are as confident as the last; empty
            without labelled videos.
        per_class: One entry a class; empty where videos have several labels, each of which has its threshold, with
            folds, and where nothing was fitted.
    """

    temperature: float | None
    note: str
    num_val_videos: int | None
    target_accuracy: float | None
    certain_from: float | None
    certain_note: str | None
    before: Reliability | None
    after: Reliability | None
    certain: Coverage | None
    coverage: tuple[Coverage, ...]
    per_class: tuple[ClassConfidence, ...]


Belief = tuple[float | None, bool | None]


def beliefs(predictions: Predictions) -> list[Belief]:
    """Confidence of each row, and whether that is too little to rely on; None where that is not known."""
    scored = [row for row in predictions.rows if row.scores is not None]
    if not scored:
        return [(None, None)] * len(predictions.rows)
    judged = _judge(predictions, scored)
    found = iter(zip((shortest(np.float32(sure)) for sure in judged.sure), judged.uncertain, strict=True))
    return [(None, None) if row.scores is None else next(found) for row in predictions.rows]


def make_calibration(predictions: Predictions, used: Sequence[Prediction]) -> CalibrationResult:
    """What the test videos say of the confidences.

    Args:
        predictions: Of all videos.
        used: The labelled and scored ones.
    """
    one = predictions.calibration
    each = [model.calibration for model in predictions.folds if model.calibration is not None]
    note = OLD if predictions.checkpoint else UNLEARNED
    certain_note: str | None = None
    if one is not None:
        note, certain_note = one.note, one.certain_note
    elif each:
        note = f"that of each fold: {', '.join(f'{fold.temperature:.3g}' for fold in each)}"
        certain_note = "each fold has its own"
    before = after = certain = None
    coverage: list[Coverage] = []
    per_class = _per_class(predictions, None, np.empty(0, bool))
    if used:
        judged, task = _judge(predictions, used), load_task(predictions.task)
        true = true_labels(predictions, used)
        right = task.are_right(judged.scores, true, judged.thresholds)
        before, after = (_reliability(predictions.task, some, true) for some in (judged.scores, judged.believed))
        if None not in judged.uncertain:
            certain = _coverage(one.certain_from if one else None, right[~np.array(judged.uncertain)], len(used))
        levels = -np.sort(-judged.sure)
        for share in COVERAGES:
            # Videos of one confidence are taken together: of many that are all but 1, their places in the list would
            # else decide.
            level = levels[math.ceil(share * len(used) - 1e-9) - 1]
            coverage.append(_coverage(shortest(np.float32(level)), right[judged.sure >= level], len(used)))
        per_class = _per_class(predictions, judged, right)
    return CalibrationResult(
        temperature=one.temperature if one else None,
        note=note,
        num_val_videos=one.num_videos if one else sum(fold.num_videos for fold in each) or None,
        target_accuracy=one.target_accuracy if one else each[0].target_accuracy if each else None,
        certain_from=one.certain_from if one else None,
        certain_note=certain_note,
        before=before,
        after=after,
        certain=certain,
        coverage=tuple(coverage),
        per_class=per_class,
    )


def calibration_lines(calibration: CalibrationResult | None) -> list[str]:
    """What confidences are worth, for the console; nothing where that is not known."""
    if calibration is None or calibration.after is None or calibration.num_val_videos is None:
        return []
    before, after = calibration.before, calibration.after
    assert before is not None, "both or none"
    kind = "of each fold" if calibration.temperature is None else f"{calibration.temperature:.3g}"
    error = f"{before.ece:.3f} -> {after.ece:.3f}" if calibration.temperature != 1 else f"{after.ece:.3f}"
    lines = [f"trust    temperature {kind}; calibration error {error} ({after.ece_by_chance:.3f} would be chance)"]
    if certain := calibration.certain:
        level = "" if certain.confidence_from is None else f", confidence {certain.confidence_from:.3f} or more"
        right = "" if certain.accuracy is None else f", and {certain.accuracy:.3f} of them right"
        lines.append(f"certain  {certain.num_videos} videos ({certain.coverage:.0%}){level}{right}")
    return lines


@dataclass(frozen=True)
class _Judged:
    """Rows with scores, each judged by what is known of its fold: N scores as the model gives them and as they can be
    believed, the confidence in each video, and whether that is too little to rely on."""

    scores: np.ndarray
    believed: np.ndarray
    sure: np.ndarray
    uncertain: tuple[bool | None, ...]
    thresholds: np.ndarray | None


def _judge(predictions: Predictions, rows: Sequence[Prediction]) -> _Judged:
    task = load_task(predictions.task)
    scores = np.stack([row.scores for row in rows if row.scores is not None])
    calibrations = {None: predictions.calibration} | {model.fold: model.calibration for model in predictions.folds}
    thresholds = thresholds_of(predictions, rows)
    believed, sure = scores.astype(np.float64), np.empty(len(rows))
    of_row = np.array([-1 if row.fold is None else row.fold for row in rows])
    for fold, calibration in calibrations.items():
        mine = of_row == (-1 if fold is None else fold)
        temperature = 1.0 if calibration is None else calibration.temperature
        believed[mine] = task.tempered(scores[mine], temperature)
        sure[mine] = task.confidences(scores[mine], temperature, None if thresholds is None else thresholds[mine])
    uncertain = (is_uncertain(calibrations[row.fold], one) for row, one in zip(rows, sure.tolist(), strict=True))
    return _Judged(scores, believed, sure, tuple(uncertain), thresholds)


def _reliability(task: str, scores: np.ndarray, true: np.ndarray) -> Reliability:
    module = load_task(task)
    claimed, came = module.claims(scores, true)
    claimed = claimed.astype(np.float64)
    numbers = np.clip(np.ceil(claimed * NUM_BINS).astype(int) - 1, 0, NUM_BINS - 1)
    bins, error, chance = [], 0.0, 0.0
    for number in range(NUM_BINS):
        inside = numbers == number
        count, edges = int(inside.sum()), (number / NUM_BINS, (number + 1) / NUM_BINS)
        if not count:
            bins.append(ReliabilityBin(*edges, 0, None, None))
            continue
        confidence, accuracy = float(claimed[inside].mean()), float(came[inside].mean())
        bins.append(ReliabilityBin(*edges, count, confidence, accuracy))
        error += abs(confidence - accuracy) * count
        # The mean size of a sum of independent errors, as if it were normal.
        chance += math.sqrt(2 / math.pi * float((claimed[inside] * (1 - claimed[inside])).sum()))
    loss = float(module.score_metrics(scores, true)["loss"])
    return Reliability(error / len(claimed), chance / len(claimed), loss, tuple(bins))


def _coverage(level: float | None, right: np.ndarray, total: int) -> Coverage:
    count = len(right)
    span = wilson_interval(int(right.sum()), count) if count else (None, None)
    return Coverage(level, count, count / total, float(right.mean()) if count else None, *span)


def _per_class(predictions: Predictions, judged: _Judged | None, right: np.ndarray) -> tuple[ClassConfidence, ...]:
    known = predictions.calibration
    if known is None or not known.class_certain_from:
        return ()
    found = []
    first = None if judged is None else judged.scores.argmax(axis=1)
    levels = zip(predictions.classes, known.class_certain_from, known.class_num_predicted, strict=True)
    for number, (name, level, count) in enumerate(levels):
        certain: Coverage | None = None
        if judged is not None and first is not None and level is not None:
            taken = first == number
            if taken.any():
                certain = _coverage(level, right[taken & (judged.sure >= level)], int(taken.sum()))
        found.append(ClassConfidence(name, count, level, certain))
    return tuple(found)
