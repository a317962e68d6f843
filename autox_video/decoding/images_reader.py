"""Videos that are folders of numbered images."""

from __future__ import annotations

import functools
import hashlib
import os
import re
import struct
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from .pictures import Box, Size, new_views, part
from .reader import DecodingError, Reader

# Reckons times where no rate is given, as the probe does before it knows the settings.
RATE_WITHOUT_ONE = 25.0

_NAME = re.compile(r"(.*?)([0-9]+)([^0-9]*\.(?:jpe?g|png|bmp|webp|tiff?|ppm))", re.IGNORECASE | re.DOTALL)
# What tools for optical flow write beside the frames.
_FLOW = re.compile(r"flow_?[xyi]?_?", re.IGNORECASE)
_PNG, _PNG_END = b"\x89PNG\r\n\x1a\n", b"IEND"
_JPEG, _JPEG_END = b"\xff\xd8", b"\xff\xd9"
# Markers of JPEG that state a size: start of frame, of any kind.
_SIZE_MARKERS = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}


def is_numbered_image(name: str) -> bool:
    """Whether a name is that of a numbered image, such as `img_00001.jpg`."""
    return name[-1:].isalpha() and _NAME.fullmatch(name) is not None


def in_order(names: Iterable[str]) -> list[str]:
    """The numbered images of a folder by their numbers, which may begin anywhere.

    Args:
        names: All names in the folder; others than those of numbered images are passed over, and those
            of optical flow where there are frames beside it.

    Raises:
        DecodingError: There are none, one is missing, or it is not clear which comes after which.
    """
    series: dict[tuple[str, str], dict[int, str]] = {}
    for name in sorted(names):
        match = None if name.startswith(".") else _NAME.fullmatch(name)
        if match is None:
            continue
        numbered = series.setdefault((match[1], match[3]), {})
        if (other := numbered.setdefault(int(match[2]), name)) != name:
            raise DecodingError(f"holds images of one number, {_shown(other)} and {_shown(name)}: take one of them out")
    series = {key: found for key, found in series.items() if not _FLOW.fullmatch(key[0])} or series
    if not series:
        raise DecodingError("is a folder without numbered images")
    if len(series) > 1:
        kinds = ", ".join(_shown(f"{before}*{after}") for before, after in list(series)[:3])
        raise DecodingError(f"holds images of {len(series)} kinds ({kinds}): leave one kind in the folder")
    (((before, after), numbered),) = series.items()
    numbers = sorted(numbered)
    for number, following in pairwise(numbers):
        if following != number + 1:
            width = len(numbered[number]) - len(before) - len(after)
            missing, gap = numbers[-1] - numbers[0] + 1 - len(numbers), f"{before}{number + 1:0{width}}{after}"
            cure = "extract them again, or number them anew"
            raise DecodingError(f"holds images with a gap, {missing} missing from {_shown(gap)} on: {cure}")
    return [numbered[number] for number in numbers]


class ImagesReader(Reader):
    """A folder of numbered images, one a frame.

    Args:
        folder: The path.
        fps: The frame rate that is taken for it, since images state none.
    """

    def __init__(self, folder: str, fps: float | None = None) -> None:
        self._cv2 = _cv2()
        self._folder = folder
        self._names = in_order(os.listdir(folder))
        self.num_frames = len(self._names)
        self.fps = fps

    @functools.cached_property
    def _size(self) -> Size:
        """Width and height of the first image."""
        content = self._read(self._names[0])
        stated = _stated_size(content)
        return stated or self._decode(content, self._names[0]).shape[1::-1]

    @property
    def width(self) -> int:
        """See `Reader`."""
        return self._size[0]

    @property
    def height(self) -> int:
        """See `Reader`."""
        return self._size[1]

    def times(self) -> np.ndarray:
        """See `Reader`."""
        return np.arange(self.num_frames) / (self.fps or RATE_WITHOUT_ONE)

    def views(
        self, indices: Sequence[int] | np.ndarray, parts: Sequence[tuple[Box | None, Size | None]]
    ) -> list[np.ndarray]:
        """See `Reader`."""
        wanted = [int(index) for index in indices]
        views = new_views(len(wanted), parts, self._size)
        for index in sorted(set(wanted)):
            name = self._names[index]
            picture = self._decode(self._read(name), name)
            if picture.shape[1::-1] != self._size:
                raise self._mixed((0, self._size), (index, picture.shape[1::-1]))
            first, *others = (place for place, other in enumerate(wanted) if other == index)
            for (box, _), pictures in zip(parts, views, strict=True):
                part(picture, box, pictures[first])
                pictures[others] = pictures[first]
        return views

    def examine(self) -> str:
        """Read every image, and decode those whose header does not tell their size.

        Returns:
            The digest of the bytes of all of them, in hex.

        Raises:
            DecodingError: One is damaged, or they are of several sizes.
        """
        digest = hashlib.blake2b(digest_size=16)
        first: tuple[int, int] | None = None
        for index, name in enumerate(self._names):
            content = self._read(name)
            digest.update(content)
            size = _stated_size(content)
            if size is None:
                height, width = self._decode(content, name).shape[:2]
                size = width, height
            first = first or size
            if size != first:
                raise self._mixed((0, first), (index, size))
        return digest.hexdigest()

    def _read(self, name: str) -> bytes:
        with open(os.path.join(self._folder, name), "rb") as opened:
            return opened.read()

    def _decode(self, content: bytes, name: str) -> np.ndarray:
        """An image in RGB, upright."""
        picture = None
        if content and not _is_cut_off(content):
            try:
                picture = self._cv2.imdecode(np.frombuffer(content, np.uint8), self._cv2.IMREAD_COLOR)
            except self._cv2.error:  # such as a header that states an absurd size
                picture = None
        if picture is None:
            raise DecodingError(f"holds an image that is damaged or cut off, {_shown(name)}: extract it again")
        upright: np.ndarray = self._cv2.cvtColor(picture, self._cv2.COLOR_BGR2RGB)
        return upright

    def _mixed(self, one: tuple[int, Sequence[int]], other: tuple[int, Sequence[int]]) -> DecodingError:
        what = " and ".join(
            f"{_shown(self._names[index])} of {width}x{height}" for index, (width, height) in (one, other)
        )
        return DecodingError(f"holds images of several sizes ({what}): scale them to one")


def _shown(name: str) -> str:
    """A name as it is, unless it would spoil the message."""
    return name if name.isprintable() else ascii(name)


def _stated_size(content: bytes) -> tuple[int, int] | None:
    """Width and height of a whole PNG or JPEG, from its header; None where the image must be decoded to know."""
    if content.startswith(_PNG) and _PNG_END in content[-16:]:
        width, height = struct.unpack(">II", content[16:24])
        return width, height
    if content.startswith(_JPEG) and not _is_cut_off(content):
        at = _size_segment(content)
        # What Exif says of turning the image is not read here.
        if at is not None and b"Exif" not in content[:at]:
            height, width = struct.unpack(">HH", content[at + 5 : at + 9])
            return width, height
    return None


def _is_cut_off(content: bytes) -> bool:
    """Whether a JPEG or PNG lacks its end: decoders make up the rest without a word."""
    if content.startswith(_JPEG):
        at = _size_segment(content)
        # Behind the sizes, these two bytes stand nowhere but at the end.
        return at is None or content.rfind(_JPEG_END) < at
    return content.startswith(_PNG) and _PNG_END not in content


def _size_segment(content: bytes) -> int | None:
    """Where the segment of a JPEG begins that states its size; None where there is none."""
    at = 2
    while at + 9 <= len(content) and content[at] == 0xFF:
        marker = content[at + 1]
        if marker in _SIZE_MARKERS:
            return at
        # A filling byte stands alone; every other segment says how long it is.
        at += 1 if marker == 0xFF else 2 + int.from_bytes(content[at + 2 : at + 4], "big")
    return None


@functools.cache
def _cv2() -> Any:
    import cv2

    return cv2
