"""Changes of the pixels of a training clip: drawn once, and the same in all of its frames.

They take the bytes that decoding gives and give bytes. Frames are changed with OpenCV: a table or a matrix of colors
takes it a tenth of the time that torchvision's functions for byte tensors take (`benchmarks/augmentation.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

import cv2
import numpy as np
from mmcv.transforms import BaseTransform
from mmengine.registry import TRANSFORMS

from autox_video.render.augmentation import MEAN_COLOR

# A clip: uint8, shape (T, H, W, 3), RGB.
Clip = np.ndarray
# Weights of red, green and blue in grey (ITU-R BT.601).
GREY: Final = np.array([0.299, 0.587, 0.114])
NUM_OPS: Final = 2
MAX_MAGNITUDE: Final = 10.0
# What the largest magnitude does (timm's figures): degrees, a slope, a share of the side, a share of the factor, bits.
MOST_DEGREES, MOST_SHEAR, MOST_SHIFT, MOST_FACTOR, MOST_BITS = 30.0, 0.3, 0.45, 0.9, 4


@TRANSFORMS.register_module()
class ClipColorJitter(BaseTransform):
    """Changes brightness, contrast and saturation, in a random order, by factors of their own.

    Required and changed key: `imgs` (RGB, uint8, each of shape (H, W, 3)).

    Args:
        strength: Factors are drawn from 1 - strength to 1 + strength.
    """

    def __init__(self, strength: float) -> None:
        self.strength = strength

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Change the colors of all frames in one pass."""
        clip = _in_one_piece(results["imgs"])
        factors = np.random.uniform(1 - self.strength, 1 + self.strength, len(_MATRICES))
        matrix = _affine(np.eye(3), np.zeros(3))
        mean = np.array(cv2.mean(_rows(clip))[:3])
        for index in np.random.permutation(len(_MATRICES)):
            step = list(_MATRICES.values())[index](factors[index], matrix[:, :3] @ mean + matrix[:, 3])
            matrix = _affine(step[:, :3] @ matrix[:, :3], step[:, :3] @ matrix[:, 3] + step[:, 3])
        return {**results, "imgs": list(_recolored(clip, matrix))}


@TRANSFORMS.register_module()
class ClipRandAugment(BaseTransform):
    """RandAugment (arXiv:1909.13719): two changes drawn from a list, each at the same magnitude and in a random sense.

    Required and changed key: `imgs` (RGB, uint8, each of shape (H, W, 3)).

    Args:
        magnitude: 0 to 10.
        ops: What is drawn from: keys of `OPS`.
    """

    def __init__(self, magnitude: float, ops: Sequence[str]) -> None:
        self.level = magnitude / MAX_MAGNITUDE
        self.ops = tuple(OPS[name] for name in ops)

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Draw, and change all frames alike."""
        clip = _in_one_piece(results["imgs"])
        for index in np.random.randint(len(self.ops), size=NUM_OPS):
            clip = self.ops[index](clip, self.level * np.random.choice((-1.0, 1.0)))
        return {**results, "imgs": list(clip)}


def _in_one_piece(frames: Sequence[np.ndarray]) -> Clip:
    """Frames as the clip that they are parts of, as decoding gives them, else copied into one."""
    clip = frames[0].base
    if isinstance(clip, np.ndarray) and clip.shape == (len(frames), *frames[0].shape) and clip.flags.c_contiguous:
        return clip
    return np.stack(frames)


def _affine(matrix: np.ndarray, offset: np.ndarray) -> np.ndarray:
    return np.column_stack([matrix, offset])


def _brightness(factor: float, mean: np.ndarray) -> np.ndarray:
    return _affine(factor * np.eye(3), np.zeros(3))


def _contrast(factor: float, mean: np.ndarray) -> np.ndarray:
    return _affine(factor * np.eye(3), np.full(3, (1 - factor) * float(GREY @ mean)))


def _saturation(factor: float, mean: np.ndarray) -> np.ndarray:
    return _affine(factor * np.eye(3) + (1 - factor) * np.tile(GREY, (3, 1)), np.zeros(3))


# Takes a factor and the mean color of the clip; returns what colors are multiplied with, and what is added.
_MATRICES: Final[dict[str, Callable[[float, np.ndarray], np.ndarray]]] = {
    "brightness": _brightness,
    "contrast": _contrast,
    "saturation": _saturation,
}


def _rows(clip: Clip) -> np.ndarray:
    """The frames one below the other, as one picture."""
    return clip.reshape(-1, *clip.shape[2:])


def _recolored(clip: Clip, matrix: np.ndarray) -> Clip:
    """Every color times a matrix, in place: fresh memory costs more than the change."""
    cv2.transform(_rows(clip), matrix, _rows(clip))
    return clip


def _looked_up(clip: Clip, table: np.ndarray) -> Clip:
    """Every value by a table, one of 256 values for all colors or of shape (256, 3), in place."""
    table = np.clip(np.rint(table), 0, 255).astype(np.uint8)
    cv2.LUT(_rows(clip), table if table.ndim == 1 else table[None], _rows(clip))
    return clip


def _by_matrix(name: str) -> Callable[[Clip, float], Clip]:
    def change(clip: Clip, level: float) -> Clip:
        mean = np.array(cv2.mean(_rows(clip))[:3])
        return _recolored(clip, _MATRICES[name](1 + MOST_FACTOR * level, mean))

    return change


def _posterize(clip: Clip, level: float) -> Clip:
    dropped = round(MOST_BITS * abs(level))
    return _looked_up(clip, np.arange(256) >> dropped << dropped)


def _solarize(clip: Clip, level: float) -> Clip:
    values = np.arange(256)
    return _looked_up(clip, np.where(values < 256 * (1 - abs(level)), values, 255 - values))


def _equalize(clip: Clip, level: float) -> Clip:
    shares = [np.cumsum(counts) / counts.sum() for counts in _histograms(clip)]
    return _looked_up(clip, 255 * np.stack(shares, axis=1))


def _autocontrast(clip: Clip, level: float) -> Clip:
    tables = []
    for counts in _histograms(clip):
        used = np.flatnonzero(counts)
        low, high = int(used[0]), int(used[-1])
        values = np.arange(256, dtype=np.float64)
        tables.append((values - low) * 255 / (high - low) if high > low else values)
    return _looked_up(clip, np.stack(tables, axis=1))


def _histograms(clip: Clip) -> list[np.ndarray]:
    return [cv2.calcHist([_rows(clip)], [color], None, [256], [0, 256]).ravel() for color in range(3)]


def _sharpness(clip: Clip, level: float) -> Clip:
    factor = 1 + MOST_FACTOR * level
    smooth = np.array([[1, 1, 1], [1, 5, 1], [1, 1, 1]]) / 13
    kernel = (1 - factor) * smooth
    kernel[1, 1] += factor
    return _each_frame(clip, lambda frame, to: cv2.filter2D(frame, -1, kernel, to, borderType=cv2.BORDER_REPLICATE))


def _each_frame(clip: Clip, change: Callable[[np.ndarray, np.ndarray], Any]) -> Clip:
    """What a function makes of each frame, written where it belongs."""
    made = np.empty_like(clip)
    for frame, to in zip(clip, made, strict=True):
        change(frame, to)
    return made


def _rotate(clip: Clip, level: float) -> Clip:
    height, width = clip.shape[1:3]
    return _warped(clip, cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), -MOST_DEGREES * level, 1.0))


def _shear_x(clip: Clip, level: float) -> Clip:
    slope = MOST_SHEAR * level
    return _warped(clip, np.array([[1, slope, -slope * (clip.shape[1] - 1) / 2], [0, 1, 0]]))


def _shear_y(clip: Clip, level: float) -> Clip:
    slope = MOST_SHEAR * level
    return _warped(clip, np.array([[1, 0, 0], [slope, 1, -slope * (clip.shape[2] - 1) / 2]]))


def _warped(clip: Clip, matrix: np.ndarray) -> Clip:
    """Frames whose pixel (x, y) is the one that was at `matrix` times (x, y, 1), by bilinear interpolation."""
    down, across = np.indices(clip.shape[1:3], dtype=np.float32)
    wanted = matrix.astype(np.float32) @ np.stack([across, down, np.ones_like(down)]).reshape(3, -1)
    # In fixed point, once for all frames: `warpAffine` would find the places anew in each, half of its time.
    across, down = wanted.reshape(2, *clip.shape[1:3])
    places, parts = cv2.convertMaps(across, down, cv2.CV_16SC2)
    border = (cv2.BORDER_CONSTANT, MEAN_COLOR)
    return _each_frame(clip, lambda frame, to: cv2.remap(frame, places, parts, cv2.INTER_LINEAR, to, *border))


def _translate_x(clip: Clip, level: float) -> Clip:
    return _shifted(clip, round(MOST_SHIFT * level * clip.shape[2]), 0)


def _translate_y(clip: Clip, level: float) -> Clip:
    return _shifted(clip, 0, round(MOST_SHIFT * level * clip.shape[1]))


def _shifted(clip: Clip, right: int, down: int) -> Clip:
    """Moved by whole pixels."""
    height, width = clip.shape[1:3]
    made = np.empty_like(clip)
    # Line by line: color by color takes ten times as long.
    made[:] = np.tile(np.array(MEAN_COLOR, np.uint8), (width, 1))
    kept = clip[:, max(0, -down) : height - max(0, down), max(0, -right) : width - max(0, right)]
    made[:, max(0, down) : height + min(0, down), max(0, right) : width + min(0, right)] = kept
    return made


# Takes a clip and a magnitude from -1 to 1; returns it changed, or another one. Where a change has no two senses, the
# size of the magnitude counts, or nothing of it.
OPS: Final[dict[str, Callable[[Clip, float], Clip]]] = {
    "identity": lambda clip, level: clip,
    **{name: _by_matrix(name) for name in _MATRICES},
    "posterize": _posterize,
    "solarize": _solarize,
    "equalize": _equalize,
    "autocontrast": _autocontrast,
    "sharpness": _sharpness,
    "rotate": _rotate,
    "shear_x": _shear_x,
    "shear_y": _shear_y,
    "translate_x": _translate_x,
    "translate_y": _translate_y,
}
