"""Frames as pictures: upright, a part of them or all, in the size that is wanted, RGB of eight bits.

A frame of a video is three planes, two of them coarser. Where a picture becomes smaller by half or
more, the planes are cut and scaled first, and only what is left is turned into RGB: the large frame
is never converted. Any other frame is converted by swscale, and then cut and scaled.

Scaling down, two by two pixels are averaged while that leaves at least the wanted size, and the rest,
less than by half, is bilinear. Bilinear alone, which MMAction2 takes, reads only four pixels for each
one of the result, however many lie between: fine patterns flicker from frame to frame.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any, Final

import numpy as np

Box = tuple[int, int, int, int]
Size = tuple[int, int]
# What is wanted of a frame, all of it where None, and the size it is scaled to.
Part = tuple[Box | None, Size | None]

# Each of 8 bits: how many halvings the two planes of colour are coarser by, across and down; whether 0 to 255.
_PLANAR: Final = {
    "yuv420p": (1, 1, False),
    "yuvj420p": (1, 1, True),
    "yuv422p": (1, 0, False),
    "yuvj422p": (1, 0, True),
    "yuv444p": (0, 0, False),
    "yuvj444p": (0, 0, True),
}
# Shares of red and blue in the brightness, by the number of the colour space in FFmpeg and ITU-T H.273.
_SHARES: Final = {
    1: (0.2126, 0.0722),
    4: (0.30, 0.11),
    5: (0.299, 0.114),
    6: (0.299, 0.114),
    7: (0.212, 0.087),
    9: (0.2627, 0.0593),
}
# What is not stated is taken for ITU-R BT.601, as decord and swscale do.
_UNSTATED: Final = 2
_FULL_RANGE: Final = 2


class Pictures:
    """Makes pictures of the frames of one video.

    Args:
        width: Of the frames as they are stored, in pixels; one of another size is scaled to it.
        height: The same.
        quarter_turns: How often they are turned counterclockwise.
    """

    def __init__(self, width: int, height: int, quarter_turns: int) -> None:
        import av.video.reformatter

        self._stored = (width, height)
        self._turns = quarter_turns
        self._reformatter = av.video.reformatter.VideoReformatter()

    @property
    def size(self) -> Size:
        """Width and height of an upright picture."""
        return self._stored if self._turns % 2 == 0 else (self._stored[1], self._stored[0])

    def draw(self, frame: Any, box: Box | None, out: np.ndarray) -> None:
        """Write a frame as RGB.

        Args:
            frame: PyAV's.
            box: Left, top, right and bottom of the part that is wanted, of the upright picture; None for all.
            out: Where to, uint8, contiguous, of shape (H, W, 3): the part is scaled to this size.
        """
        box = _turned_back(box or (0, 0, *self.size), self.size, self._turns)
        turned = np.empty(np.rot90(out, self._turns).shape, np.uint8) if self._turns else out
        if not self._from_planes(frame, box, turned):
            plane = self._reformatter.reformat(frame, *self._stored, "rgb24", threads=1).planes[0]
            shape, strides = (plane.height, plane.width, 3), (plane.line_size, 3, 1)
            part(np.ndarray(shape, np.uint8, plane, strides=strides), box, turned)
        if self._turns:
            out[:] = np.rot90(turned, self._turns)

    def _from_planes(self, frame: Any, box: Box, out: np.ndarray) -> bool:
        """The same from the planes themselves; False where that is not possible, or no gain."""
        known = _PLANAR.get(frame.format.name)
        space = _SHARES.get(5 if frame.colorspace == _UNSTATED else frame.colorspace)
        left, top, right, bottom = box
        height, width = out.shape[:2]
        if right - left < 2 * width or bottom - top < 2 * height:
            return False
        if known is None or space is None or (frame.width, frame.height) != self._stored:
            return False
        planes = []
        for number, plane in enumerate(frame.planes):
            across, down = known[:2] if number else (0, 0)
            pixels = np.frombuffer(plane, np.uint8).reshape(-1, plane.line_size)
            cut = pixels[top >> down : -(-bottom >> down), left >> across : -(-right >> across)]
            planes.append(scaled(cut, np.empty((height, width), np.uint8)))
        cv2 = _cv2()
        cv2.transform(cv2.merge(planes), _to_rgb(*space, known[2] or frame.color_range == _FULL_RANGE), dst=out)
        return True


def part(picture: np.ndarray, box: Box | None, out: np.ndarray) -> None:
    """Write a part of a picture, scaled to the size of `out`; None for all of it."""
    if box is not None:
        picture = picture[box[1] : box[3], box[0] : box[2]]
    scaled(picture, out)


def new_views(count: int, parts: Sequence[Part], whole: Size) -> list[np.ndarray]:
    """Room for so many pictures of each part of frames that are `whole` in width and height."""
    sizes = [size or ((box[2] - box[0], box[3] - box[1]) if box else whole) for box, size in parts]
    return [np.empty((count, height, width, 3), dtype=np.uint8) for width, height in sizes]


def scaled(picture: np.ndarray, out: np.ndarray) -> np.ndarray:
    """Write a picture, or one plane of it, in the size of `out` (see above), and return that.

    Args:
        picture: uint8, shape (H, W) or (H, W, 3).
        out: As many dimensions, contiguous.
    """
    cv2, (height, width) = _cv2(), out.shape[:2]
    # Halved, a picture of odd size ends with half a pixel, which is left out of it and not forgotten.
    across, down = float(picture.shape[1]), float(picture.shape[0])
    while picture.shape[1] >= 2 * width and picture.shape[0] >= 2 * height:
        half = picture.shape[1] // 2, picture.shape[0] // 2
        picture = cv2.resize(picture[: 2 * half[1], : 2 * half[0]], half, interpolation=cv2.INTER_AREA)
        across, down = across / 2, down / 2
    if (across, down) == (width, height):
        out[:] = picture
    elif (across, down) == picture.shape[1::-1]:
        cv2.resize(picture, (width, height), dst=out, interpolation=cv2.INTER_LINEAR)
    else:
        x, y = across / width, down / height
        where = np.array([[x, 0, x / 2 - 0.5], [0, y, y / 2 - 0.5]])
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        cv2.warpAffine(picture, where, (width, height), dst=out, flags=flags, borderMode=cv2.BORDER_REPLICATE)
    return out


def _turned_back(box: Box, size: Size, turns: int) -> Box:
    """A box of an upright picture in the picture as it is stored, before it is turned counterclockwise."""
    for _ in range(turns):
        left, top, right, bottom = box
        # Turned clockwise by 90 degrees, what was at the left is at the top, and what was above is at the right.
        box = size[1] - bottom, left, size[1] - top, right
        size = size[1], size[0]
    return box


@functools.cache
def _to_rgb(red: float, blue: float, full: bool) -> np.ndarray:
    """The 3x4 matrix from (Y, U, V, 1) to RGB (ITU-T H.273, 8.3)."""
    light, colour = (1.0, 1.0) if full else (255 / 219, 255 / 224)
    green = 1 - red - blue
    of_u, of_v = 2 * (1 - blue), 2 * (1 - red)
    rows = np.array([[0.0, of_v], [-of_u * blue / green, -of_v * red / green], [of_u, 0.0]]) * colour
    black = -light * (0 if full else 16) - 128 * rows.sum(axis=1)
    return np.column_stack([np.full(3, light), rows, black]).astype(np.float32)


@functools.cache
def _cv2() -> Any:
    import cv2

    return cv2
