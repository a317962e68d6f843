"""Predictions of several models side by side: the same videos and classes in the same order, or a reason why not."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from autox_video.dataset.messages import in_short
from autox_video.errors import Problem, RequestError
from autox_video.predictions import FoldModel, Prediction, Predictions
from autox_video.report.common import Checkpoint, Views, true_labels
from autox_video.report.multi_label import MultiLabelResults
from autox_video.report.outcome import AnyResults

# By what a video is known in several runs: its name in the list and the times of its piece.
Key = tuple[str, float | None, float | None]


def predictions_of(results: AnyResults) -> Predictions:
    """What was scored, as it was before figures were computed from it; of several models without their names."""
    checkpoint, views = results.checkpoint or Checkpoint("", "", 0), results.views or Views(1, 1)
    rows = (
        Prediction(
            path=video.file,
            label=_label(video),
            scores=None if video.scores is None else np.array(video.scores, dtype=np.float32),
            error=video.error,
            start_seconds=video.start_seconds,
            end_seconds=video.end_seconds,
            leak=video.leak,
            fold=video.fold,
        )
        for video in results.videos
    )
    # Each fold's videos are judged by the thresholds of the fold, as the test judged them.
    folds = tuple(
        FoldModel(one.fold, one.checkpoint.path, one.checkpoint.sha256, one.checkpoint.epoch, one.thresholds)
        for one in (results.folds.each if results.folds else ())
    )
    return Predictions(
        results.task,
        results.model,
        results.classes,
        checkpoint.path,
        checkpoint.sha256,
        checkpoint.epoch,
        results.data_root,
        views.num_clips,
        views.num_crops,
        tuple(rows),
        results.thresholds if isinstance(results, MultiLabelResults) else None,
        folds=folds,
    )


def aligned(runs: Mapping[str, Predictions], what: str, way_out: str) -> dict[str, Predictions]:
    """The same predictions with classes and videos in the order of the first run.

    Args:
        runs: By the name of the run.
        what: Which videos, such as `test videos`.
        way_out: What to do where they differ.

    Raises:
        RequestError: Tasks, classes, videos or labels differ; each run that does is named.
    """
    (name, first), *others = runs.items()
    found, problems = {name: first}, list[Problem]()
    for other, predictions in others:
        try:
            found[other] = _like(first, predictions, name, other, what, way_out)
        except RequestError as error:
            problems += error.problems
    if problems:
        raise RequestError(problems)
    return found


def in_common(runs: Sequence[Predictions]) -> list[int]:
    """The places of the videos that have a label and are scored by every run; the runs are `aligned`."""
    same = zip(*(run.rows for run in runs), strict=True)
    return [n for n, rows in enumerate(same) if rows[0].label is not None and all(r.scores is not None for r in rows)]


def arrays(predictions: Predictions, places: Sequence[int]) -> tuple[np.ndarray, np.ndarray]:
    """Scores of N labelled rows, shape (N, num_classes), and their labels as the task's figures take them."""
    rows = [predictions.rows[place] for place in places]
    scores = np.stack([row.scores for row in rows if row.scores is not None])
    return scores, true_labels(predictions, rows)


def key_of(row: Prediction) -> Key:
    """By what a video is known in several runs: its name in the list and the times of its piece."""
    return row.path, row.start_seconds, row.end_seconds


def _like(first: Predictions, other: Predictions, name: str, run: str, what: str, way_out: str) -> Predictions:
    if first.task != other.task:
        wrong = f"is a model for {other.task}, and {name} is one for {first.task}"
        raise RequestError(Problem(run, wrong, "Name runs of one task"))
    if set(first.classes) != set(other.classes):
        names = in_short(sorted(set(first.classes) ^ set(other.classes)))
        wrong = f"has other classes than {name}: in one of the two only {names}"
        raise RequestError(Problem(run, wrong, "Name runs that learned the same classes"))
    rows = {key_of(row): row for row in other.rows}
    wanted = [key_of(row) for row in first.rows]
    gone, came = [key for key in wanted if key not in rows], rows.keys() - set(wanted)
    if gone or came:
        names = in_short(sorted(key[0] for key in (*gone, *came)))
        wrong = f"has other {what} than {name}: {len(came)} more, {len(gone)} fewer ({names})"
        raise RequestError(Problem(run, wrong, way_out))
    place = [other.classes.index(each) for each in first.classes]
    found = [_with_classes(rows[key], place) for key in wanted]
    differing = [mine.path for mine, row in zip(first.rows, found, strict=True) if mine.label != row.label]
    if differing:
        wrong = f"has other labels than {name} for {len(differing)} {what} ({in_short(differing)})"
        raise RequestError(Problem(run, wrong, way_out))
    folds = tuple(dataclasses.replace(one, thresholds=_reordered(one.thresholds, place)) for one in other.folds)
    levels = _reordered(other.thresholds, place)
    return dataclasses.replace(other, classes=first.classes, rows=tuple(found), thresholds=levels, folds=folds)


def _reordered(thresholds: Sequence[float] | None, place: Sequence[int]) -> tuple[float, ...] | None:
    return None if thresholds is None else tuple(thresholds[number] for number in place)


def _with_classes(row: Prediction, place: Sequence[int]) -> Prediction:
    """A row in another order of classes: class i there is class `place[i]` here."""
    label: Any = row.label
    if label is not None:
        label = tuple(sorted(map(place.index, label))) if isinstance(label, tuple) else place.index(label)
    return dataclasses.replace(row, label=label, scores=None if row.scores is None else row.scores[list(place)])


def _label(video: Any) -> int | tuple[int, ...] | None:
    if hasattr(video, "true_labels"):
        return None if video.true_labels is None else tuple(label.id for label in video.true_labels)
    return None if video.true_label is None else video.true_label.id
