"""Videos in decord."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

import numpy as np

from .pictures import Box, Size, part
from .reader import DecodingError, in_words


class DecordReader:
    """A video in decord, opened by its path: decord's reader from memory reads beyond the end of a cut-off file."""

    def __init__(self, file: str) -> None:
        self._decord = _decord()
        try:
            self._video = self._decord.VideoReader(file, num_threads=1)
            self.num_frames = len(self._video)
            fps = float(self._video.get_avg_fps())
            self.height, self.width = self._video[0].shape[:2]
        except (self._decord.DECORDError, RuntimeError) as error:
            raise DecodingError(in_words(str(error))) from error
        self.fps = fps if np.isfinite(fps) and fps > 0 else None

    def times(self) -> np.ndarray:
        """See `Reader`."""
        stamps = self._video.get_frame_timestamp(list(range(self.num_frames)))[:, 0].astype(np.float64)
        return stamps - stamps[0]

    def frames(
        self, indices: Sequence[int] | np.ndarray, box: Box | None = None, size: Size | None = None
    ) -> np.ndarray:
        """See `Reader`."""
        try:
            pictures: np.ndarray = self._video.get_batch([int(index) for index in indices]).asnumpy()
        except (self._decord.DECORDError, RuntimeError) as error:
            raise DecodingError(in_words(str(error))) from error
        return pictures if box is None is size else np.stack([part(picture, box, size) for picture in pictures])


@functools.cache
def _decord() -> Any:
    # Where decord is loaded first, OpenCV takes its zlib and decodes no PNG.
    import cv2  # noqa: F401  # isort: skip
    import decord  # isort: skip

    decord.logging.set_level(decord.logging.QUIET)
    return decord
