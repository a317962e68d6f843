"""What `test.folds` adds to the results: the model and the figures of each fold, their mean and spread."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from autox_video.predictions import Prediction, Predictions
from autox_video.report.common import Checkpoint, Counts, count_rows, numbers


@dataclass(frozen=True)
class FoldResult:
    """One fold.

    Attributes:
        fold: Its number, from 1.
        checkpoint: The model that learned the videos of the other folds.
        counts: How many videos it was tested on.
        metrics: Its figures by name; None where no video of it is labelled and scored.
        thresholds: Its probabilities from which on a video has a label; None where labels exclude each other.
        temperature: What its logits are divided by for a confidence; None where none was fitted.
        certain_from: A video of it with less confidence is `uncertain`; None where no confidence is known to be enough.
    """

    fold: int
    checkpoint: Checkpoint
    counts: Counts
    metrics: dict[str, float] | None
    thresholds: tuple[float, ...] | None
    temperature: float | None = None
    certain_from: float | None = None


@dataclass(frozen=True)
class Folds:
    """All folds.

    Attributes:
        mean: Of each figure over the folds that have it; None where no fold has figures.
        std: Their sample standard deviation (n - 1); None where fewer than two folds have figures.
        each: One entry a fold.
    """

    mean: dict[str, float] | None
    std: dict[str, float] | None
    each: tuple[FoldResult, ...]


def checkpoint_of(predictions: Predictions) -> Checkpoint | None:
    """The weights that were tested; None where there are several: each fold has its own."""
    if not predictions.checkpoint:
        return None
    return Checkpoint(predictions.checkpoint, predictions.checkpoint_sha256, predictions.epoch)


def make_folds(predictions: Predictions, figures: Callable[[list[Prediction]], Any]) -> Folds | None:
    """The folds of a test; None where there are none.

    Args:
        predictions: Of all folds.
        figures: Makes the `metrics` of labelled and scored rows.
    """
    if not predictions.folds:
        return None
    each = []
    for model in predictions.folds:
        rows = [row for row in predictions.rows if row.fold == model.fold]
        used = [row for row in rows if row.scores is not None and row.label is not None]
        checkpoint = Checkpoint(model.checkpoint, model.checkpoint_sha256, model.epoch)
        metrics = numbers(figures(used)) if used else None
        known = model.calibration
        sure = (known.temperature, known.certain_from) if known else (None, None)
        each.append(FoldResult(model.fold, checkpoint, count_rows(tuple(rows)), metrics, model.thresholds, *sure))
    found = [fold.metrics for fold in each if fold.metrics is not None]
    return Folds(
        mean=_each_figure(found, np.mean) if found else None,
        std=_each_figure(found, lambda values: np.std(values, ddof=1)) if len(found) > 1 else None,
        each=tuple(each),
    )


def fold_lines(folds: Folds | None) -> list[str]:
    """Mean and spread over the folds for the console; nothing without folds."""
    if folds is None or folds.mean is None:
        return []
    spread = {name: f" +- {std:.3f}" for name, std in (folds.std or {}).items()}
    figures = [f"{name} {mean:.3f}{spread.get(name, '')}" for name, mean in folds.mean.items()]
    return [f"{len(folds.each)} folds, mean +- standard deviation: {', '.join(figures)}"]


def _each_figure(found: Sequence[dict[str, float]], of: Callable[[list[float]], Any]) -> dict[str, float]:
    return {name: float(of([metrics[name] for metrics in found])) for name in found[0]}
