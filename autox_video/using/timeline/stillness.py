"""Where nothing moves: a model that never learned background gives even a still picture the label of some class."""

from __future__ import annotations

from collections import deque
from typing import Final

import cv2
import numpy as np

# A frame is looked at through so many cells a side: each is the mean of many pixels, so that noise averages out, and
# small enough that something that moves in a corner changes one.
CELLS: Final = 16
# Grey levels of 255 by which a cell may change in a still scene.
MAX_CHANGE: Final = 3.0


class StillScenes:
    """Finds the stretches of a video in which nothing changes for a while.

    A stretch is still where no cell of the picture varies by more than `MAX_CHANGE` over `seconds`. What changes
    everywhere alike (a lamp, an exposure) is no motion: the median over the cells is taken out. A cut between two
    still scenes belongs to neither, and to a still scene belongs every frame of it, up to its cuts.

    Args:
        seconds: How long nothing must change.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._last: deque[tuple[float, np.ndarray]] = deque()
        self._found: list[tuple[float, float]] = []

    def see(self, picture: np.ndarray, start: float, end: float) -> None:
        """Take the next frame.

        Args:
            picture: uint8, shape (H, W, 3).
            start: When it is shown, in seconds.
            end: When the next one takes its place.
        """
        grey = cv2.resize(picture, (CELLS, CELLS), interpolation=cv2.INTER_AREA).astype(np.float32).mean(axis=2)
        self._last.append((start, grey))
        # Not more of the past than is needed to span the time.
        while len(self._last) > 1 and end - self._last[1][0] >= self._seconds:
            self._last.popleft()
        begin = self._last[0][0]
        if end - begin < self._seconds or self._changes():
            return
        if self._found and begin <= self._found[-1][1]:
            self._found[-1] = self._found[-1][0], end
        else:
            self._found.append((begin, end))

    def _changes(self) -> bool:
        cells = np.stack([grey for _, grey in self._last]).reshape(len(self._last), -1)
        cells = cells - np.median(cells, axis=1, keepdims=True)
        return bool((cells.max(axis=0) - cells.min(axis=0)).max() > MAX_CHANGE)

    @property
    def found(self) -> tuple[tuple[float, float], ...]:
        """Beginning and end of each stretch so far, in seconds, ascending."""
        return tuple(self._found)
