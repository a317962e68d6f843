"""What a frame looks like, in 128 bits that survive another encoding, size, rate or brightness.

Whether each of 8 x 9 patches of the frame is brighter than its left neighbour, and each of 9 x 8 than the one
above it (a difference hash: hackerfactor.com/blog/index.php?/archives/529-Kind-of-Like-That.html).
"""

from __future__ import annotations

import numpy as np

CELLS = 8
BITS = 2 * CELLS * CELLS
# A frame whose patches deviate less than this from each other, in grey levels, shows nothing to be known by.
FLAT = 1.0
# More pixels than this across a frame do not change the mean of a patch by much.
ENOUGH_PX = 256


def frame_hashes(frames: np.ndarray) -> list[str]:
    """The hash of each frame.

    Args:
        frames: uint8, shape (T, H, W, 3).

    Returns:
        32 hexadecimal digits a frame; an empty text for a frame of one colour.
    """
    return [_hash(frame) for frame in frames]


def _hash(frame: np.ndarray) -> str:
    step = max(1, min(frame.shape[:2]) // ENOUGH_PX)
    seen = frame[::step, ::step].astype(np.float32)
    grey = (seen[..., 0] + 2 * seen[..., 1] + seen[..., 2]) / 4
    across, down = _patches(grey, CELLS, CELLS + 1), _patches(grey, CELLS + 1, CELLS)
    if across.std() < FLAT:
        return ""
    bits = np.concatenate([(across[:, 1:] > across[:, :-1]).ravel(), (down[1:] > down[:-1]).ravel()])
    return np.packbits(bits).tobytes().hex()


def _patches(grey: np.ndarray, rows: int, columns: int) -> np.ndarray:
    """The mean of each of `rows` x `columns` patches."""
    for axis, count in ((0, rows), (1, columns)):
        if grey.shape[axis] < count:
            grey = grey.repeat(-(-count // grey.shape[axis]), axis=axis)
        edges = np.linspace(0, grey.shape[axis], count + 1).astype(int)
        widths = np.diff(edges).reshape((-1, 1) if axis == 0 else (1, -1))
        grey = np.add.reduceat(grey, edges[:-1], axis=axis) / widths
    return grey
