"""Frames that are in memory already, as an open video: windows of a stream, clips that a test has changed."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .images_reader import RATE_WITHOUT_ONE
from .pictures import Box, Size, new_views, part
from .reader import Reader


class FramesReader(Reader):
    """Frames in the order they are shown.

    Args:
        frames: RGB, uint8, shape (T, H, W, 3), at least one.
        fps: Frames a second, or None where none is known.
        times: When each is shown, in seconds after the first, shape (T,); None: evenly, at `fps`.
    """

    def __init__(self, frames: np.ndarray, fps: float | None = None, times: np.ndarray | None = None) -> None:
        self._frames, self._times = frames, times
        self.num_frames = len(frames)
        self.fps = fps

    @property
    def width(self) -> int:
        """See `Reader`."""
        return int(self._frames.shape[2])

    @property
    def height(self) -> int:
        """See `Reader`."""
        return int(self._frames.shape[1])

    def times(self) -> np.ndarray:
        """See `Reader`."""
        if self._times is not None:
            return self._times
        return np.arange(self.num_frames) / (self.fps or RATE_WITHOUT_ONE)

    def views(
        self, indices: Sequence[int] | np.ndarray, parts: Sequence[tuple[Box | None, Size | None]]
    ) -> list[np.ndarray]:
        """See `Reader`."""
        views = new_views(len(indices), parts, (self.width, self.height))
        for (box, _), pictures in zip(parts, views, strict=True):
            for index, picture in zip(indices, pictures, strict=True):
                part(self._frames[index], box, picture)
        return views
