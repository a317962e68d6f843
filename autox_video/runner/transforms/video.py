"""Opening and decoding a video by the route that the probe took."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from mmcv.transforms import BaseTransform
from mmengine.registry import TRANSFORMS

from autox_video.decoding import DecodingError, Reader, open_video, piece_of

# Of an upright square, so that every later crop fits in.
BLANK_SIDE_PX = 64


@TRANSFORMS.register_module()
class VideoOpen(BaseTransform):
    """Opens a video with its own decoder, and limits it to its labelled piece.

    Required keys: `filename`, `decoder`; optional `proxy` (a small copy, which is opened instead),
    `start_seconds`, `end_seconds` (a piece), and `error` (the video cannot be read: a black one takes
    its place).

    Added keys: `video_reader`, `avg_fps`, and of the piece `total_frames` and `start_index` (its
    first frame), between which `SampleFrames` stays.
    """

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Open.

        Raises:
            DecodingError: It cannot be opened.
            OSError: The file cannot be read.
        """
        if results.get("error"):
            reader: Reader = BlankReader()
        elif "proxy" in results:
            reader = open_video(results["proxy"], "pyav")
        else:
            reader = open_video(results["filename"], results["decoder"])
        start, end = results.get("start_seconds"), results.get("end_seconds")
        first, count = 0, reader.num_frames
        if (start, end) != (None, None):
            times = reader.times()
            if not results.get("error") and (start or 0.0) > times[-1] + (1 / reader.fps if reader.fps else 0.0):
                raise DecodingError(f"ends before its piece from {start:.2f} s on")
            first, count = piece_of(times, start, end)
        return {
            **results,
            "video_reader": reader,
            "avg_fps": reader.fps,
            "total_frames": count,
            "start_index": first,
        }


@TRANSFORMS.register_module()
class VideoDecode(BaseTransform):
    """Decodes the frames that were sampled, and closes the video.

    Required keys: `video_reader`, `frame_inds`. Added keys: `imgs` (RGB, uint8, each of shape
    (H, W, 3)), `original_shape` and `img_shape`.
    """

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Decode.

        Raises:
            DecodingError: A frame cannot be decoded.
        """
        pictures = results["video_reader"].frames(np.ravel(results["frame_inds"]))
        shape = pictures.shape[1:3]
        return {**results, "video_reader": None, "imgs": list(pictures), "original_shape": shape, "img_shape": shape}


class BlankReader:
    """One black frame, in place of a video that cannot be read."""

    num_frames = 1
    fps: float | None = None

    def times(self) -> np.ndarray:
        """See `Reader`."""
        return np.zeros(1)

    def frames(self, indices: Sequence[int] | np.ndarray) -> np.ndarray:
        """See `Reader`."""
        return np.zeros((len(indices), BLANK_SIDE_PX, BLANK_SIDE_PX, 3), dtype=np.uint8)
