"""What the results of every task share."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from autox_video.errors import Problem, RunError
from autox_video.predictions import Prediction, Predictions
from autox_video.tasks import load_task

TOP = 5


@dataclass(frozen=True)
class Label:
    """A class by its id and its name."""

    id: int
    name: str


@dataclass(frozen=True)
class ScoredLabel:
    """A class name and its probability."""

    label: str
    score: float


@dataclass(frozen=True)
class Counts:
    """Videos in the list; of these scored, unreadable, and with a label."""

    videos: int
    scored: int
    unreadable: int
    labelled: int


@dataclass(frozen=True)
class Checkpoint:
    """The weights that were tested: file, digest, and the epoch they were written after."""

    path: str
    sha256: str
    epoch: int


@dataclass(frozen=True)
class Views:
    """Views of a video whose scores were averaged: clips in time, crops of each."""

    num_clips: int
    num_crops: int


def refuse_broken_scores(rows: tuple[Prediction, ...]) -> None:
    """Refuse scores that are no finite numbers.

    Raises:
        RunError: Names each video.
    """
    problems = [
        Problem(row.path, "the model gives scores that are not finite numbers", "Test another checkpoint")
        for row in rows
        if row.scores is not None and not np.isfinite(row.scores).all()
    ]
    if problems:
        raise RunError(problems)


def count_rows(rows: tuple[Prediction, ...]) -> Counts:
    """How many videos there are, and of what kinds."""
    scored = sum(row.scores is not None for row in rows)
    labelled = sum(row.label is not None for row in rows)
    return Counts(videos=len(rows), scored=scored, unreadable=len(rows) - scored, labelled=labelled)


def scored_line(counts: Counts, views: Views | None) -> str:
    """How many videos were scored, and of several views in how many, for the console."""
    several = views is not None and views.num_clips * views.num_crops > 1
    seen = f", in {views.num_clips}x{views.num_crops} views each" if views and several else ""
    return f"{counts.scored} of {counts.videos} videos scored{seen}"


def metrics_note(counts: Counts, used: int) -> str | None:
    """What the figures of `used` videos leave out, or why there are none."""
    if not counts.labelled:
        return "the videos have no labels"
    if not used:
        return "no labelled video could be read"
    left_out = counts.videos - used
    what = f"the figures leave out {left_out} of {counts.videos} videos: unreadable or without a label"
    return what if left_out else None


def numbers(metrics: Any) -> dict[str, float]:
    """The figures that are one number."""
    values = ((field.name, getattr(metrics, field.name)) for field in dataclasses.fields(metrics))
    return {name: value for name, value in values if isinstance(value, float)}


def single_view_figures(
    used: Sequence[Prediction], figures: Callable[[list[Prediction]], Any]
) -> dict[str, float] | None:
    """The figures by what one view of each video says; None where the videos were seen in one.

    Args:
        used: Labelled and scored rows.
        figures: Makes the `metrics` of such rows.
    """
    if not used or any(row.single_view_scores is None for row in used):
        return None
    return numbers(figures([dataclasses.replace(row, scores=row.single_view_scores) for row in used]))


def ids_of(row: Prediction) -> tuple[int, ...]:
    """The class ids of a labelled row: a list has a bare id where a video has one label."""
    assert row.label is not None, "only labelled rows are asked for"
    return row.label if isinstance(row.label, tuple) else (row.label,)


def true_labels(predictions: Predictions, used: Sequence[Prediction]) -> np.ndarray:
    """The labels of N labelled rows as the figures of the task take them."""
    labels = [ids_of(row) if predictions.task == "multi_label" else row.label for row in used]
    array: np.ndarray = load_task(predictions.task).label_array(labels, len(predictions.classes))
    return array


def thresholds_of(predictions: Predictions, rows: Sequence[Prediction]) -> np.ndarray | None:
    """From which score on each row has a label, shape (N, num_classes), by its fold; None where the first class counts,
    or nothing was chosen."""
    # A fold that has none of its own is judged by the mean of the others', as in the results.
    levels: dict[int | None, tuple[float, ...] | None] = {None: predictions.thresholds}
    levels |= {one.fold: one.thresholds or predictions.thresholds for one in predictions.folds}
    judged_by = [levels[row.fold] for row in rows]
    return None if None in judged_by else np.array(judged_by)


def shortest(score: np.floating[Any]) -> float:
    """The double with the fewest digits that reads back as this float32."""
    value = float(str(np.float32(score)))
    assert math.isfinite(value), "broken scores have been refused"
    return value
