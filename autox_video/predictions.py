"""The product of testing: one score vector a video, before any figure is computed from it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

# In which `test.probe` shows the frames of a video once more.
FRAME_ORDERS = ("still", "shuffled", "reversed")


@dataclass(frozen=True)
class Prediction:
    """One video of a test split.

    Attributes:
        path: As listed: relative to the data root, or absolute.
        label: True class id, or ids where videos have several labels; None when unlabelled.
        scores: Probabilities, float32, shape (num_classes,); None when the video could not be read.
        error: Why there are no scores, or None.
        start_seconds: Where the labelled piece of the video begins; None for the whole video.
        end_seconds: Where it ends.
        leak: Where the video also stands in train or val, such as `same file as val: a.mp4`; None for a new one.
        fold: Which of `Predictions.folds` scored it; None where there is one model.
        single_view_scores: As `scores`, of the one view nearest to the middle; None where the video was seen in one.
        order_scores: As `scores`, of its frames in each of `FRAME_ORDERS`; None without `test.probe`.
        recording: Which recording it is from, where several videos are from one; None where that is not known.
    """

    path: str
    label: int | tuple[int, ...] | None
    scores: np.ndarray | None
    error: str | None = None
    start_seconds: float | None = None
    end_seconds: float | None = None
    leak: str | None = None
    fold: int | None = None
    single_view_scores: np.ndarray | None = None
    order_scores: Mapping[str, np.ndarray] | None = None
    recording: str | None = None


@dataclass(frozen=True)
class Calibration:
    """What the validation videos say of a model's confidence. It stands in the checkpoint.

    Attributes:
        temperature: What logits are divided by for a confidence; 1 where nothing better was found.
        note: How it was found, or why it is 1.
        num_videos: Validation videos.
        target_accuracy: How often one wants to be right.
        certain_from: The confidence from which on the model was right so often; None where there is none.
        certain_note: What that rests on, or why there is none.
        class_certain_from: The same among the videos that were taken for a class, one entry a class; None where
            fewer than 20 were, or none is enough. Empty where a video has several labels: each has its threshold.
        class_num_predicted: Validation videos that were taken for each class; likewise.
    """

    temperature: float
    note: str
    num_videos: int
    target_accuracy: float
    certain_from: float | None
    certain_note: str
    class_certain_from: tuple[float | None, ...] = ()
    class_num_predicted: tuple[int, ...] = ()


@dataclass(frozen=True)
class FoldModel:
    """What scored one fold: see `Predictions` for its fields."""

    fold: int
    checkpoint: str
    checkpoint_sha256: str
    epoch: int
    thresholds: tuple[float, ...] | None
    calibration: Calibration | None = None


@dataclass(frozen=True)
class Predictions:
    """All videos of a test split, in the order of their list, unreadable ones included.

    Attributes:
        task: The module in `autox_video.tasks`.
        model: Name of the preset.
        classes: Class names; the position is the class id.
        checkpoint: Path of the checkpoint that was tested; empty where each fold or member of an ensemble has its own.
        checkpoint_sha256: Its digest, in hex.
        epoch: The epoch after which the checkpoint was written.
        data_root: Folder that relative paths start from.
        num_clips: Clips whose scores were averaged.
        num_crops: Crops of each clip.
        rows: One a video.
        thresholds: The probability from which on a video has a label, one a class; None where the task needs
            none, or no validation has chosen any. Of several folds their mean.
        calibration: What the validation videos say of the model's confidence; None where the checkpoint was written
            before that was asked, and of several folds, each of which has its own.
        folds: The models of `test.folds`, each of which scored the videos that it did not learn; else empty.
    """

    task: str
    model: str
    classes: tuple[str, ...]
    checkpoint: str
    checkpoint_sha256: str
    epoch: int
    data_root: str
    num_clips: int
    num_crops: int
    rows: tuple[Prediction, ...]
    thresholds: tuple[float, ...] | None = None
    calibration: Calibration | None = None
    folds: tuple[FoldModel, ...] = ()


def pool_folds(of_folds: Sequence[Predictions], place: Callable[[Prediction], int]) -> Predictions:
    """Join what the models of the folds found, as if one list had been tested.

    Args:
        of_folds: In the order of the folds.
        place: Where a row belongs.
    """
    rows = (
        dataclasses.replace(row, fold=fold)
        for fold, predictions in enumerate(of_folds, start=1)
        for row in predictions.rows
    )
    models = tuple(
        FoldModel(fold, one.checkpoint, one.checkpoint_sha256, one.epoch, one.thresholds, one.calibration)
        for fold, one in enumerate(of_folds, start=1)
    )
    thresholds = [model.thresholds for model in models if model.thresholds is not None]
    return dataclasses.replace(
        of_folds[0],
        checkpoint="",
        checkpoint_sha256="",
        rows=tuple(sorted(rows, key=place)),
        thresholds=tuple(np.mean(thresholds, axis=0).tolist()) if thresholds else None,
        calibration=None,
        folds=models,
    )


def mark_leaks(predictions: Predictions, leaks: Mapping[tuple[str, float | None, float | None], str]) -> Predictions:
    """Say of each video in `leaks`, by its path and the times of its piece, where else it stands."""
    rows = (
        dataclasses.replace(row, leak=leaks.get((row.path, row.start_seconds, row.end_seconds)))
        for row in predictions.rows
    )
    return dataclasses.replace(predictions, rows=tuple(rows))


def mark_recordings(predictions: Predictions, recordings: Mapping[tuple[str, str], str]) -> Predictions:
    """Say of each video which recording it is from, by its split and path."""
    rows = (dataclasses.replace(row, recording=recordings.get(("test", row.path))) for row in predictions.rows)
    return dataclasses.replace(predictions, rows=tuple(rows))


def recordings_of(rows: Sequence[Prediction]) -> list[str]:
    """The recording of each video; one that is known of none is one of its own."""
    return [row.recording or f"alone: {row.path}" for row in rows]
