"""The product of testing: one score vector a video, before any figure is computed from it."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np


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
    """

    path: str
    label: int | tuple[int, ...] | None
    scores: np.ndarray | None
    error: str | None = None
    start_seconds: float | None = None
    end_seconds: float | None = None
    leak: str | None = None


@dataclass(frozen=True)
class Predictions:
    """All videos of a test split, in the order of their list, unreadable ones included.

    Attributes:
        task: The module in `autox_video.tasks`.
        model: Name of the preset.
        classes: Class names; the position is the class id.
        checkpoint: Path of the checkpoint that was tested.
        checkpoint_sha256: Its digest, in hex.
        epoch: The epoch after which the checkpoint was written.
        data_root: Folder that relative paths start from.
        num_clips: Clips whose scores were averaged.
        num_crops: Crops of each clip.
        rows: One a video.
        thresholds: The probability from which on a video has a label, one a class; None where the task needs
            none, or no validation has chosen any.
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


def mark_leaks(predictions: Predictions, leaks: Mapping[tuple[str, float | None, float | None], str]) -> Predictions:
    """Say of each video in `leaks`, by its path and the times of its piece, where else it stands."""
    rows = (
        dataclasses.replace(row, leak=leaks.get((row.path, row.start_seconds, row.end_seconds)))
        for row in predictions.rows
    )
    return dataclasses.replace(predictions, rows=tuple(rows))
