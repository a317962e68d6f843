"""Several labels a video: a sigmoid a label, binary cross entropy, average precision, a threshold a label."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

# Figures a best checkpoint may be chosen by: higher is better.
BEST_METRICS = ("mean_average_precision",)
# Columns of `metrics.csv`, beside the losses.
TRAIN_FIGURES = ()
VAL_FIGURES = ("mean_average_precision",)
# What an epoch shows of its validation: figure and heading.
SHOWN = ("mean_average_precision", "mAP")
# A label that validation has no video of cannot be given a threshold of its own.
DEFAULT_THRESHOLD = 0.5
# A probability counts as no nearer to 0 or 1: float32 holds some that are exactly these.
LEAST = 1e-7


def head_settings(num_classes: int, class_weights: Sequence[float] | None) -> dict[str, Any]:
    """The part of an MMAction2 head that depends on the task.

    Args:
        num_classes: Number of labels.
        class_weights: One weight a label for the loss, or None for equal weights.
    """
    loss: dict[str, Any] = {"type": "BCELossWithLogits", "loss_weight": 1.0}
    if class_weights is not None:
        loss["class_weight"] = list(class_weights)
    # `prob` would make the labels compete in a softmax; `score` averages the logits of the views.
    return {"num_classes": num_classes, "multi_class": True, "loss_cls": loss, "average_clips": "score"}


def dataset_settings(num_classes: int) -> dict[str, Any]:
    """The part of an MMAction2 data set that depends on the task: labels come as a vector of zeros and ones."""
    return {"multi_class": True, "num_classes": num_classes}


def stock_evaluator(num_classes: int) -> dict[str, Any]:
    """MMAction2's own evaluator for this task, for a config that must run without this package."""
    return {"type": "AccMetric", "metric_list": ("mean_average_precision",)}


def probabilities(outputs: np.ndarray) -> np.ndarray:
    """What the head gives for a video, logits averaged over its views, as probabilities of the same shape."""
    # Written with tanh, which no large logit overflows.
    return 0.5 * (1 + np.tanh(0.5 * outputs))


def read_label(encoded: np.ndarray) -> tuple[int, ...] | None:
    """The class ids in the vector that the pipeline carries; None where there is none, as of an unlabelled video."""
    return tuple(np.flatnonzero(encoded > 0.5).tolist()) or None


def label_array(labels: Sequence[Any], num_classes: int) -> np.ndarray:
    """Labels of N videos as `score_metrics` takes them: zeros and ones, bool, shape (N, num_classes)."""
    array = np.zeros((len(labels), num_classes), dtype=bool)
    for row, ids in zip(array, labels, strict=True):
        row[list(ids)] = True
    return array


def score_metrics(scores: np.ndarray, labels: np.ndarray) -> dict[str, float]:
    """Figures of merit of probabilities against true labels.

    Args:
        scores: Probability of each label, shape (N, num_classes).
        labels: As `label_array` gives them.

    Returns:
        `mean_average_precision` (the mean of `average_precision` over the labels that a video has), in [0, 1];
        `loss` (mean binary cross entropy over videos and labels).

    Raises:
        ValueError: There is no video.
    """
    if len(labels) == 0:
        raise ValueError("score_metrics needs at least one labelled video")
    present = np.flatnonzero(labels.any(axis=0))
    right = np.where(labels, scores, 1 - scores.astype(np.float64))
    return {
        "mean_average_precision": float(np.mean([average_precision(scores[:, i], labels[:, i]) for i in present])),
        "loss": float(-np.log(np.clip(right, 1e-12, None)).mean()),
    }


def average_precision(scores: np.ndarray, labels: np.ndarray) -> float:
    """Area under the steps of precision over recall, equal scores taken together.

    Args:
        scores: Of one label, shape (N,).
        labels: Which videos have it, shape (N,); at least one does.
    """
    precision, recall, _ = _curve(scores, labels)
    return float(np.sum(np.diff(recall, prepend=0.0) * precision))


def choose_thresholds(scores: np.ndarray, labels: np.ndarray) -> tuple[float, ...]:
    """For each label the threshold with the best F1, half-way to the next lower score.

    Args:
        scores: Of the validation videos, shape (N, num_classes).
        labels: As `label_array` gives them.

    Returns:
        One threshold a label; a video has it from that probability on. Of equally good ones the
        nearest to 0.5; a label without a video has 0.5.
    """
    return tuple(_threshold(scores[:, i], labels[:, i]) for i in range(scores.shape[1]))


def outcomes(scores: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """What a temperature is fitted to, as in `single_label`: each label of a video is a case, it has it or not.

    To divide the logit of a label is the same as to divide the logarithms of these two probabilities.
    """
    having = scores.astype(np.float64)
    return np.stack([1 - having, having], axis=-1), labels.astype(np.int64)


def claims(scores: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The probabilities that are held against what is true, and whether each came true: each label of each video."""
    return scores.reshape(-1), labels.reshape(-1)


def tempered(scores: np.ndarray, temperature: float) -> np.ndarray:
    """Probabilities of the same shape, of logits that are divided by a temperature; 1 changes nothing."""
    if temperature == 1:
        return scores
    given = np.clip(scores.astype(np.float64), LEAST, 1 - LEAST)
    return probabilities(np.log(given / (1 - given)) / temperature)


def taken_for(scores: np.ndarray, thresholds: Sequence[float] | None) -> np.ndarray:
    """Which labels N videos are said to have, bool, shape (N, num_classes): those whose score reaches its threshold."""
    taken: np.ndarray = scores >= np.array(DEFAULT_THRESHOLD if thresholds is None else thresholds)
    return taken


def confidences(scores: np.ndarray, temperature: float, thresholds: Sequence[float] | None) -> np.ndarray:
    """How likely what is said of each of N videos is right, were its labels independent of each other: the product of
    what is said of each, that the video has it or has it not.

    Args:
        scores: Probability of each label, shape (N, num_classes).
        temperature: Of `tempered`.
        thresholds: From which score on a video has a label.
    """
    given, likely = taken_for(scores, thresholds), tempered(scores, temperature).astype(np.float64)
    products: np.ndarray = np.where(given, likely, 1 - likely).prod(axis=1)
    return products


def are_right(scores: np.ndarray, labels: np.ndarray, thresholds: Sequence[float] | None) -> np.ndarray:
    """Of N videos, whether what is said is right: all labels, and no other."""
    right: np.ndarray = (taken_for(scores, thresholds) == labels).all(axis=1)
    return right


def _threshold(scores: np.ndarray, labels: np.ndarray) -> float:
    if not labels.any():
        return DEFAULT_THRESHOLD
    precision, recall, levels = _curve(scores.astype(np.float64), labels)
    f1 = 2 * precision * recall / np.maximum(precision + recall, 1e-12)
    middles = (levels + np.append(levels[1:], 0.0)) / 2
    best = np.flatnonzero(f1 >= f1.max() - 1e-12)
    return float(middles[best[np.argmin(np.abs(middles[best] - DEFAULT_THRESHOLD))]])


def _curve(scores: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Precision and recall from each distinct score on, the highest first, and these scores."""
    order = np.argsort(-scores, kind="stable")
    ordered = scores[order]
    last = np.flatnonzero(np.append(np.diff(ordered) != 0, True))
    right = np.cumsum(labels[order])[last]
    return right / (last + 1), right / labels.sum(), ordered[last]
