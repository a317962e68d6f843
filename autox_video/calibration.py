"""How far a model's scores can be believed, by what the validation videos say: its temperature, and from which
confidence on it is right as often as one wants.

A network says 0.99 where it is right nine times in ten, or 0.6 where it is always right. One number, by which its
logits are divided, mends most of that and changes no decision (C. Guo, G. Pleiss, Y. Sun and K. Weinberger, On
Calibration of Modern Neural Networks, ICML 2017).
"""

from __future__ import annotations

import math

import numpy as np

from autox_video.predictions import Calibration
from autox_video.tasks import load_task

# Beyond these, the validation videos say nothing but that the model is always right, or knows nothing.
TEMPERATURES = (0.05, 20.0)
TARGET_ACCURACY = 0.95
# Fewer cannot show a rate of one mistake in 20, nor tell a temperature from chance.
LEAST_VIDEOS, MAX_VIDEOS = 20, 5000
FOLDS = 5
MAX_STEPS = 60
TOLERANCE = 1e-9


def calibrate(
    task: str, scores: np.ndarray, labels: np.ndarray, thresholds: tuple[float, ...] | None = None
) -> Calibration:
    """Learn from validation videos how far scores can be believed.

    Args:
        task: The module in `autox_video.tasks`.
        scores: Probabilities of N videos, shape (N, num_classes).
        labels: As the task's `label_array` gives them.
        thresholds: From which score on a video has a label, where it has several.
    """
    module = load_task(task)
    temperature, note = find_temperature(task, scores, labels)
    sure = module.confidences(scores, temperature, thresholds)
    right = module.are_right(scores, labels, thresholds)
    level = certain_from(sure, right)
    said, levels, counts = _told(level, sure, right), list[float | None](), list[int]()
    if thresholds is None:
        predicted = np.argmax(scores, axis=1)
        for number in range(scores.shape[1]):
            taken = predicted == number
            counts.append(int(taken.sum()))
            levels.append(certain_from(sure[taken], right[taken]))
    return Calibration(temperature, note, len(scores), TARGET_ACCURACY, level, said, tuple(levels), tuple(counts))


def find_temperature(task: str, scores: np.ndarray, labels: np.ndarray) -> tuple[float, str]:
    """The temperature with the greatest likelihood, where that is known and does any good, and how it was found."""
    module, videos = load_task(task), f"{len(scores)} validation videos"
    if len(scores) > MAX_VIDEOS:
        # One number needs no more, and 400 classes of 20,000 videos would take half a minute at each validation.
        step = math.ceil(len(scores) / MAX_VIDEOS)
        scores, labels = scores[::step], labels[::step]
        videos = f"{len(scores)} of {videos}"
    if len(scores) < LEAST_VIDEOS:
        return 1.0, f"1, as in the model: {videos} are fewer than the {LEAST_VIDEOS} that a temperature takes"
    probabilities, true = module.outcomes(scores, labels)
    logs = np.log(np.clip(probabilities.astype(np.float64), module.LEAST, None))
    best = np.argmax(logs, axis=-1)
    if (best == true).all():
        return 1.0, f"1, as in the model: it is right on all {videos}, and they say nothing of its doubts"
    found = fit_temperature(logs, true)
    if found in TEMPERATURES:
        which = "lowest" if found == TEMPERATURES[0] else "highest"
        return 1.0, f"1, as in the model: {videos} ask for the {which} that is tried, {found:g}"
    before = _loss(logs, true, 1.0)
    left = 0.0
    for fold in range(FOLDS):
        # Lists are often in the order of their classes: every fifth video is of each.
        held = np.arange(len(scores)) % FOLDS == fold
        left += _loss(logs[held], true[held], fit_temperature(logs[~held], true[~held])) * held.mean()
    if left >= before:
        change = f"the loss of videos that it was not fitted to rises from {before:.4f} to {left:.4f}"
        return 1.0, f"1, as in the model: with another, {change} ({videos}, {FOLDS}-fold cross-validation)"
    change = f"the loss of videos that it was not fitted to falls from {before:.4f} to {left:.4f}"
    return found, f"fitted to {videos}: {change} ({FOLDS}-fold cross-validation)"


def fit_temperature(logs: np.ndarray, true: np.ndarray) -> float:
    """The temperature with the greatest likelihood, or the nearer end of `TEMPERATURES`.

    The loss is convex in the inverse of the temperature: where Newton's step leaves what is left of the range, the
    middle is taken.

    Args:
        logs: Logarithms of probabilities, shape (N, cases, alternatives).
        true: Which alternative is true, shape (N, cases).
    """
    low, high = 1 / TEMPERATURES[1], 1 / TEMPERATURES[0]
    if _slope(logs, true, high)[0] <= 0:
        return TEMPERATURES[0]
    if _slope(logs, true, low)[0] >= 0:
        return TEMPERATURES[1]
    inverse = 1.0
    for _ in range(MAX_STEPS):
        slope, bend = _slope(logs, true, inverse)
        low, high = (low, inverse) if slope > 0 else (inverse, high)
        step = inverse - slope / bend if bend > 0 else low
        if not low < step < high:
            step = (low + high) / 2
        moved, inverse = abs(step - inverse), step
        if moved < TOLERANCE:
            break
    return float(1 / inverse)


def certain_from(sure: np.ndarray, right: np.ndarray) -> float | None:
    """The lowest confidence from which on at least `TARGET_ACCURACY` of the videos are right; None where there is none.

    Args:
        sure: The confidence of N videos.
        right: Whether each is right.
    """
    order = np.argsort(-sure, kind="stable")
    levels = sure[order]
    # Videos of one confidence are taken together.
    last = np.flatnonzero(np.append(np.diff(levels) != 0, np.ones(min(1, len(levels)), dtype=bool)))
    count = last + 1
    enough = (count >= LEAST_VIDEOS) & (np.cumsum(right[order])[last] >= TARGET_ACCURACY * count)
    return float(levels[last[enough][-1]]) if enough.any() else None


def is_uncertain(calibration: Calibration | None, confidence: float) -> bool | None:
    """Whether the validation videos do not vouch for a confidence; None where there are too few of them, or none."""
    if calibration is None or calibration.num_videos < LEAST_VIDEOS:
        return None
    return calibration.certain_from is None or confidence < calibration.certain_from


def _told(level: float | None, sure: np.ndarray, right: np.ndarray) -> str:
    target, videos = f"{TARGET_ACCURACY:.0%}", f"{len(sure)} validation videos"
    if level is not None:
        above = sure >= level
        return f"{right[above].sum()} of the {above.sum()} that reach it are right, of {videos}: {target} are asked for"
    if len(sure) < LEAST_VIDEOS:
        return f"{videos} are fewer than the {LEAST_VIDEOS} that can show {target}"
    return f"from no confidence on are {target} of {LEAST_VIDEOS} or more right, of {videos}"


def _loss(logs: np.ndarray, true: np.ndarray, temperature: float) -> float:
    scaled = logs / temperature
    highest = scaled.max(axis=-1)
    totals = highest + np.log(np.exp(scaled - highest[..., None]).sum(axis=-1))
    return float((totals - np.take_along_axis(scaled, true[..., None], axis=-1)[..., 0]).mean())


def _slope(logs: np.ndarray, true: np.ndarray, inverse: float) -> tuple[float, float]:
    """First and second derivative of the mean loss by the inverse of the temperature."""
    scaled = inverse * logs
    powers = np.exp(scaled - scaled.max(axis=-1, keepdims=True))
    shares = powers / powers.sum(axis=-1, keepdims=True)
    mean = (shares * logs).sum(axis=-1)
    spread = (shares * logs**2).sum(axis=-1) - mean**2
    return float((mean - np.take_along_axis(logs, true[..., None], axis=-1)[..., 0]).mean()), float(spread.mean())
