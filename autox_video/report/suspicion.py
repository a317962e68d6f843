"""Which labels look wrong: what a classifier says of a video that never saw its label, and what its nearest videos are.

The classifier (a softmax regression on a trained model's features) judges each video after it has been fitted to videos
of other recordings alone, and the neighbours are of other recordings too. By how much their mean probability of another
class exceeds that of the label, labels are ranked (C. Northcutt, L. Jiang and I. Chuang, Confident Learning: Estimating
Uncertainty in Dataset Labels, JAIR 70, 2021).
"""

from __future__ import annotations

import dataclasses
from collections import Counter
from dataclasses import dataclass

import numpy as np

from autox_video.report.neighbours import nearest

# Chosen on the demo with flipped labels, at early epochs, where methods differ: benchmarks/label_audit.py.
FOLDS = 5
NEIGHBOURS = 20
# Of the squared weights, for features of unit variance.
PENALTY = 100.0
MAX_STEPS = 200


@dataclass(frozen=True)
class Suspicion:
    """What speaks against the labels of N videos.

    Attributes:
        score: By how much the likeliest other class is more probable than the label, from -1 to 1; shape (N,). NaN
            where it cannot be judged: the class has videos of one recording only.
        suggested: That other class, shape (N,).
        by_classifier: Probabilities of the classifier that never saw the video's recording, shape (N, num_classes).
        neighbours: The nearest videos of other recordings, the nearest first, -1 where there are none; shape (N, K).
        cosines: How near they are, shape (N, K).
    """

    score: np.ndarray
    suggested: np.ndarray
    by_classifier: np.ndarray
    neighbours: np.ndarray
    cosines: np.ndarray


def suspect(features: np.ndarray, labels: np.ndarray, groups: np.ndarray, num_classes: int) -> Suspicion:
    """Judge every label by the other videos.

    Args:
        features: Of a trained model, shape (N, D).
        labels: Class ids, shape (N,).
        groups: The recording of each video, as a number, shape (N,).
        num_classes: How many classes there are.
    """
    judged = np.array([len(set(groups[labels == label])) > 1 for label in range(num_classes)])[labels]
    by_classifier = _out_of_fold(features, labels, _folds(labels, groups), num_classes)
    neighbours, cosines = nearest(features, features, NEIGHBOURS, groups, groups)
    by_neighbours = _shares(neighbours, labels, num_classes)
    probabilities = (by_classifier + by_neighbours) / 2
    rows = np.arange(len(labels))
    others = probabilities.copy()
    others[rows, labels] = -1
    suggested = others.argmax(axis=1)
    score = others[rows, suggested] - probabilities[rows, labels]
    score[~judged] = np.nan
    return Suspicion(score, suggested, by_classifier, neighbours, cosines)


def worsened(found: Suspicion, margins: np.ndarray) -> Suspicion:
    """The same with what training itself says against a label, where that is more.

    A network that has learned a wrong label by heart sees the video among those of that label; but it was unsure on the
    way there.

    Args:
        found: What the features say.
        margins: By how much the label was more probable than the likeliest other class, on average over the training;
            shape (N,). NaN where a video was not learned.
    """
    score = np.where(np.isnan(margins), found.score, np.maximum(found.score, -margins))
    return dataclasses.replace(found, score=score)


def ranking(score: np.ndarray) -> np.ndarray:
    """Indices, the most suspicious first; those that could not be judged are left out."""
    order = np.argsort(-score, kind="stable")
    return order[~np.isnan(score[order])]


def _folds(labels: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """A fold for each video, those of a recording in one, the recordings of a class in turn."""
    fold_of: dict[int, int] = {}
    # Recordings by class and fold. Those that hold several classes are spread by fold too: each may be a class's first.
    count, mixed = Counter[tuple[int, int]](), len(set(zip(groups, labels, strict=True))) > len(set(groups))
    # Drawn, for lists are sorted by what videos have in common.
    for place in np.random.default_rng(0).permutation(len(labels)):
        group, label = int(groups[place]), int(labels[place])
        if group not in fold_of:
            fold = min(range(FOLDS), key=lambda one: (count[label, one], count[-1, one]))
            fold_of[group] = fold
            count[label, fold] += 1
            count[-1, fold] += mixed
    return np.array([fold_of[int(group)] for group in groups])


def _out_of_fold(features: np.ndarray, labels: np.ndarray, folds: np.ndarray, num_classes: int) -> np.ndarray:
    """Probabilities of each video by a classifier that is fitted to the other folds; shape (N, num_classes)."""
    probabilities = np.zeros((len(labels), num_classes))
    for fold in np.unique(folds):
        held = folds == fold
        if held.all():
            continue  # no class has two recordings, and none is judged
        mean, deviation = features[~held].mean(axis=0), features[~held].std(axis=0) + 1e-6
        weights, bias = _fit((features[~held] - mean) / deviation, labels[~held], num_classes)
        probabilities[held] = _softmax((features[held] - mean) / deviation @ weights + bias)
    return probabilities


def _fit(features: np.ndarray, labels: np.ndarray, num_classes: int) -> tuple[np.ndarray, np.ndarray]:
    """Weights and bias of a softmax regression."""
    # It takes a second to import, which other commands need not pay.
    from scipy.optimize import minimize

    number, width = features.shape
    truth = np.zeros((number, num_classes))
    truth[np.arange(number), labels] = 1

    def loss(flat: np.ndarray) -> tuple[float, np.ndarray]:
        weights, bias = flat[: width * num_classes].reshape(width, num_classes), flat[width * num_classes :]
        found = _softmax(features @ weights + bias)
        value = -np.log(np.maximum(found[np.arange(number), labels], 1e-12)).sum() + PENALTY / 2 * (weights**2).sum()
        error = found - truth
        return value, np.concatenate([(features.T @ error + PENALTY * weights).ravel(), error.sum(axis=0)])

    start = np.zeros((width + 1) * num_classes)
    flat = minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": MAX_STEPS}).x
    return flat[: width * num_classes].reshape(width, num_classes), flat[width * num_classes :]


def _softmax(logits: np.ndarray) -> np.ndarray:
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    shares: np.ndarray = powers / powers.sum(axis=1, keepdims=True)
    return shares


def _shares(neighbours: np.ndarray, labels: np.ndarray, num_classes: int) -> np.ndarray:
    """The share of each class among the neighbours, shape (N, num_classes)."""
    counts = np.zeros((len(labels), num_classes))
    rows, columns = np.nonzero(neighbours >= 0)
    np.add.at(counts, (rows, labels[neighbours[rows, columns]]), 1)
    shares: np.ndarray = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    return shares
