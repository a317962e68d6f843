"""The product of a preview: clips as the network is fed them, before its normalisation."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Clip:
    """One view of one video.

    Attributes:
        split: `train`, `val` or `test`.
        file: The video, as the pipeline opened it.
        frames: RGB, uint8, shape (T, H, W, 3).
        first_frame: Index in the video of the first frame.
        last_frame: Index of the last.
        seconds: Time of the video that the clip covers; None where the frame rate is not known.
        view: Number of this draw (train) or view (test) of the video, from 1.
        num_views: How many there are.
        mirrored: Whether it was flipped from left to right.
        labels: The class ids that the network is told; none where there are none.
    """

    split: str
    file: str
    frames: np.ndarray
    first_frame: int
    last_frame: int
    seconds: float | None
    view: int
    num_views: int
    mirrored: bool
    labels: tuple[int, ...]


@dataclass(frozen=True)
class ClassPreview:
    """The clips of one class; unlabelled videos have a group of their own.

    Attributes:
        label: Class id; None for videos without a label.
        name: Its name.
        clips: First those of train, then those of test (or of val where there is nothing to test on).
    """

    label: int | None
    name: str
    clips: tuple[Clip, ...]
