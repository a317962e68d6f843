"""One label a video: softmax, cross entropy, top-k accuracy."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

# Figures a best checkpoint may be chosen by: higher is better.
BEST_METRICS = ("top1", "mean_class_accuracy")

# `top5` looks at so many.
TOP = 5
# bfloat16 changed the ratio of two neighbouring scores by up to 1.1: five models of the demo, 160 videos each.
CLOSE_RATIO = 1.3

# A probability counts as no less: float32 has none beside 0 that a logarithm could take.
LEAST = 1e-12

# Columns of `metrics.csv`, beside the losses.
TRAIN_FIGURES = ("top1",)
VAL_FIGURES = ("top1", "top5", "mean_class_accuracy")
# What an epoch shows of its validation: figure and heading.
SHOWN = ("top1", "top-1")


def head_settings(num_classes: int, class_weights: Sequence[float] | None) -> dict[str, Any]:
    """The part of an MMAction2 head that depends on the task.

    Args:
        num_classes: Number of classes.
        class_weights: One weight a class for the loss, or None for equal weights.
    """
    loss: dict[str, Any] = {"type": "CrossEntropyLoss", "loss_weight": 1.0}
    if class_weights is not None:
        loss["class_weight"] = list(class_weights)
    return {"num_classes": num_classes, "loss_cls": loss, "topk": (1, min(5, num_classes))}


def dataset_settings(num_classes: int) -> dict[str, Any]:
    """The part of an MMAction2 data set that depends on the task: nothing, a label is a class id."""
    return {}


def stock_evaluator(num_classes: int) -> dict[str, Any]:
    """MMAction2's own evaluator for this task, for a config that must run without this package."""
    return {"type": "AccMetric", "metric_options": {"top_k_accuracy": {"topk": (1, min(5, num_classes))}}}


def probabilities(outputs: np.ndarray) -> np.ndarray:
    """What the head gives for a video: probabilities already, averaged over its views."""
    return outputs


def read_label(encoded: np.ndarray) -> int | None:
    """The class id that the pipeline carries as a vector of one; None where it stands for no label."""
    label = int(encoded[0])
    return label if label >= 0 else None


def label_array(labels: Sequence[Any], num_classes: int) -> np.ndarray:
    """Labels of N videos as `score_metrics` takes them: class ids, shape (N,)."""
    return np.array(labels)


def choose_thresholds(scores: np.ndarray, labels: np.ndarray) -> tuple[float, ...] | None:
    """None: the highest score decides."""
    return None


def outcomes(scores: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """What is said to come true of each video, and what did: the cases that a temperature is fitted to.

    Args:
        scores: Probabilities, shape (N, num_classes).
        labels: True class ids, shape (N,).

    Returns:
        Probabilities of all that may come true, shape (N, cases, alternatives): here one case a video, its class; and
        which alternative did, shape (N, cases).
    """
    return scores[:, None], labels[:, None]


def claims(scores: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The probabilities that are held against what is true, and whether each came true: of a video its first class."""
    return scores.max(axis=1), are_right(scores, labels, None)


def tempered(scores: np.ndarray, temperature: float) -> np.ndarray:
    """Probabilities as if the logits had been divided by a temperature (C. Guo et al., On Calibration of Modern
    Neural Networks, 2017): above 1 they come closer to each other, and their order stays.

    Args:
        scores: Probabilities, shape (..., num_classes).
        temperature: Above 0; 1 changes nothing.
    """
    if temperature == 1:
        return scores
    logs = np.log(np.clip(scores.astype(np.float64), LEAST, None)) / temperature
    powers = np.exp(logs - logs.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)


def confidences(scores: np.ndarray, temperature: float, thresholds: Sequence[float] | None) -> np.ndarray:
    """How likely what is said of each of N videos is right: the probability of its first class."""
    return tempered(scores, temperature).max(axis=1)


def are_right(scores: np.ndarray, labels: np.ndarray, thresholds: Sequence[float] | None) -> np.ndarray:
    """Of N videos, whether what is said is right: their first class."""
    right: np.ndarray = np.argmax(scores, axis=1) == labels
    return right


def taken_for(scores: np.ndarray, thresholds: Sequence[float] | None) -> np.ndarray:
    """Which classes N videos are said to have, bool, shape (N, num_classes): their first."""
    taken: np.ndarray = np.argmax(scores, axis=1)[:, None] == np.arange(scores.shape[1])
    return taken


def predicted_label(scores: np.ndarray) -> int:
    """The class of the highest score; the first of equals, so that ties fall the same way everywhere."""
    return int(np.argmax(scores))


def is_close(scores: np.ndarray) -> bool:
    """Whether computing less exactly may have changed what a figure says of a video: its first class, or its best five.

    Args:
        scores: Probabilities, shape (num_classes,).
    """
    best = -np.sort(-scores)
    return any(best[rank - 1] < CLOSE_RATIO * best[rank] for rank in (1, TOP) if rank < len(best))


def score_metrics(scores: np.ndarray, labels: np.ndarray) -> dict[str, float]:
    """Figures of merit of probability vectors against true labels.

    Args:
        scores: Probabilities, shape (N, num_classes).
        labels: True class ids, shape (N,).

    Returns:
        `top1` and `top5` (the share of videos whose true class is among the best 1 and the best
        min(5, num_classes)); `mean_class_accuracy` (the mean over the classes that occur in
        `labels` of the share of their videos that is right); `loss` (mean negative log
        probability of the true class). All but `loss` are in [0, 1].

    Raises:
        ValueError: There is no video.
    """
    if len(labels) == 0:
        raise ValueError("score_metrics needs at least one labelled video")
    order = np.argsort(-scores, axis=1, kind="stable")
    rank = np.argmax(order == labels[:, None], axis=1)
    right = rank == 0
    true_probability = np.clip(scores[np.arange(len(labels)), labels].astype(np.float64), LEAST, None)
    return {
        "top1": float(right.mean()),
        "top5": float((rank < TOP).mean()),
        "mean_class_accuracy": float(np.mean([right[labels == label].mean() for label in np.unique(labels)])),
        "loss": float(-np.log(true_probability).mean()),
    }


def confusion_matrix(scores: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Counts, shape (num_classes, num_classes): row the true class, column the predicted one."""
    num_classes = scores.shape[1]
    matrix = np.zeros((num_classes, num_classes), dtype=np.int64)
    np.add.at(matrix, (labels, np.argmax(scores, axis=1)), 1)
    return matrix
