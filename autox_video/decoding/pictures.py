"""Frames as pictures: upright, a part of them or all, in the size that is wanted, RGB of eight bits.

A frame of a video is three planes, two of them coarser. Where a picture becomes smaller, the planes
are cut and scaled first, each once, and only what is left is turned into RGB: the large frame is never
converted. Any kind of pixels but 8-bit planes is converted first, by swscale.

Scaling down, two by two pixels are averaged while that leaves at least the wanted size, and the rest,
less than by half, is bilinear. Bilinear alone, which MMAction2 takes, reads only four pixels for each
one of the result, however many lie between: fine patterns flicker from frame to frame.
"""

from __future__ import annotations

import functools
from typing import Any, Final

import numpy as np

Box = tuple[int, int, int, int]
Size = tuple[int, int]

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

    def picture(self, frame: Any, box: Box | None, size: Size | None) -> np.ndarray:
        """A frame as RGB.

        Args:
            frame: PyAV's.
            box: Left, top, right and bottom of the part that is wanted, of the upright picture; None for all.
            size: Width and height of the result; None as large as the part.

        Returns:
            uint8, shape (H, W, 3).
        """
        stored = _turned_back(box or (0, 0, *self.size), self.size, self._turns)
        if size is None:
            size = (stored[2] - stored[0], stored[3] - stored[1])
        elif self._turns % 2:
            size = size[1], size[0]
        found = self._from_planes(frame, stored, size)
        if found is None:
            whole = self._reformatter.reformat(frame, *self._stored, "rgb24", threads=1).to_ndarray()
            found = part(whole, stored, size)
        return np.ascontiguousarray(np.rot90(found, self._turns)) if self._turns else found

    def _from_planes(self, frame: Any, box: Box, size: Size) -> np.ndarray | None:
        """The same from the planes themselves; None where that is not possible, or no gain."""
        known = _PLANAR.get(frame.format.name)
        space = _SHARES.get(5 if frame.colorspace == _UNSTATED else frame.colorspace)
        if known is None or space is None or (frame.width, frame.height) != self._stored:
            return None
        across, down, full = known
        if size == (box[2] - box[0], box[3] - box[1]):
            return None
        planes = []
        for number, plane in enumerate(frame.planes):
            pixels = np.frombuffer(plane, np.uint8).reshape(-1, plane.line_size)
            planes.append(_from_plane(pixels, box, (across, down) if number else (0, 0), size))
        matrix = _to_rgb(*space, full or frame.color_range == _FULL_RANGE)
        cv2 = _cv2()
        found: np.ndarray = cv2.transform(cv2.merge(planes), matrix)
        return found


def _from_plane(plane: np.ndarray, box: Box, halvings: tuple[int, int], size: Size) -> np.ndarray:
    """The part of one plane that lies in a box of the frame; `halvings` say how much coarser it is."""
    left, top, right, bottom = box
    across, down = halvings
    cut = plane[top >> down : -(-bottom >> down), left >> across : -(-right >> across)]
    larger = right - left < 2 * size[0] or bottom - top < 2 * size[1]
    if larger and ((left | right) & across or (top | bottom) & down):
        # The box ends within a pixel, which would be seen as colours beside their shapes.
        cut = _cv2().resize(cut, (cut.shape[1] << across, cut.shape[0] << down), interpolation=_cv2().INTER_LINEAR)
        cut = cut[top & down :, left & across :][: bottom - top, : right - left]
    return scaled(cut, size)


def part(picture: np.ndarray, box: Box | None, size: Size | None) -> np.ndarray:
    """A part of a picture, scaled (see `Reader.frames`)."""
    if box is not None:
        picture = picture[box[1] : box[3], box[0] : box[2]]
    return picture if size is None else scaled(picture, size)


def scaled(picture: np.ndarray, size: Size) -> np.ndarray:
    """A picture, or one plane of it, in another size (see above).

    Args:
        picture: uint8, shape (H, W) or (H, W, 3).
        size: Width and height.
    """
    cv2, (width, height) = _cv2(), size
    # Halved, a picture of odd size ends with half a pixel, which is left out of it and not forgotten.
    across, down = float(picture.shape[1]), float(picture.shape[0])
    while picture.shape[1] >= 2 * width and picture.shape[0] >= 2 * height:
        half = picture.shape[1] // 2, picture.shape[0] // 2
        picture = cv2.resize(picture[: 2 * half[1], : 2 * half[0]], half, interpolation=cv2.INTER_AREA)
        across, down = across / 2, down / 2
    if (across, down) == (width, height):
        return picture
    found: np.ndarray
    if (across, down) == picture.shape[1::-1]:
        found = cv2.resize(picture, size, interpolation=cv2.INTER_LINEAR)
        return found
    x, y = across / width, down / height
    where = np.array([[x, 0, x / 2 - 0.5], [0, y, y / 2 - 0.5]])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    found = cv2.warpAffine(picture, where, size, flags=flags, borderMode=cv2.BORDER_REPLICATE)
    return found


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
