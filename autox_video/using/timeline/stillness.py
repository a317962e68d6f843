"""Where nothing moves: a model that never learned background gives even a still picture the label of some class."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Final

import cv2
import numpy as np

# A frame is looked at through so many cells a side: each is the mean of many pixels, so that noise averages out, and
# small enough that something that moves in a corner changes one.
CELLS: Final = 8
# Grey levels of 255 by which a cell may change in a still scene.
MAX_CHANGE: Final = 4.0


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
        self._last.append((start, _cells(picture)))
        # Not more of the past than is needed to span the time.
        while len(self._last) > 1 and end - self._last[1][0] >= self._seconds:
            self._last.popleft()
        begin = self._last[0][0]
        if end - begin < self._seconds or _change([cells for _, cells in self._last]) > MAX_CHANGE:
            return
        if self._found and begin <= self._found[-1][1]:
            self._found[-1] = self._found[-1][0], end
        else:
            self._found.append((begin, end))

    @property
    def found(self) -> tuple[tuple[float, float], ...]:
        """Beginning and end of each stretch so far, in seconds, ascending."""
        return tuple(self._found)


def is_still(frames: Sequence[np.ndarray]) -> bool:
    """Whether nothing moves from the first of these frames to the last; uint8, shape (H, W, 3) each."""
    return _change([_cells(frame) for frame in frames]) <= MAX_CHANGE


def _cells(picture: np.ndarray) -> np.ndarray:
    """The brightness of each cell, less what all have in common: shape (CELLS, CELLS)."""
    # Averaged in the precision of the pixels, a slow drift would go in steps of one level.
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY).astype(np.float32)
    cells = cv2.resize(grey, (CELLS, CELLS), interpolation=cv2.INTER_AREA)
    return cells - np.median(cells)


def _change(cells: Sequence[np.ndarray]) -> float:
    """By how many grey levels the cell varies that varies most."""
    return float(np.ptp(np.stack(cells), axis=0).max())
