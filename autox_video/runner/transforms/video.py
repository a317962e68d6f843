"""Opening and decoding a video by the route that the probe took."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
from mmcv.transforms import BaseTransform
from mmengine.registry import TRANSFORMS

from autox_video.decoding import FILES, DecodingError, Reader, open_video, piece_of
from autox_video.decoding.pictures import Box, Size

# Of an upright square, so that every later crop fits in.
BLANK_SIDE_PX = 64


@TRANSFORMS.register_module()
class VideoOpen(BaseTransform):
    """Opens a video with its own decoder, and limits it to its labelled piece.

    Required keys: `filename`, `decoder`; optional `proxy` (a small copy, which is opened instead),
    `start_seconds`, `end_seconds` (a piece), and `error` (the video cannot be read: a black one takes
    its place).

    Added keys: `video_reader`, `avg_fps`, of the piece `total_frames` and `start_index` (its first
    frame), between which `SampleFrames` stays, and `original_shape` and `img_shape`, the height and
    width of a frame: what comes next may choose a part of it before anything is decoded.
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
            reader = open_video(results["proxy"], FILES)
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
            "original_shape": (reader.height, reader.width),
            "img_shape": (reader.height, reader.width),
        }


@TRANSFORMS.register_module()
class VideoDecode(BaseTransform):
    """Decodes the frames that were sampled, and closes the video.

    MMAction2's crops, resizes and flips with `lazy=True` stand before it, and only note in `lazy`
    which part of a frame is wanted and in what size. Like MMAction2's `Fuse`, which it takes the place
    of, it carries them out: the part alone is converted, and scaled once.

    Required keys: `video_reader`, `frame_inds`, `img_shape`; optional `lazy`, which is removed.

    Added keys: `imgs` (RGB, uint8, each of shape (H, W, 3)).

    Of a list of several views of the same frames of a video it makes a list, and decodes once.
    """

    def transform(self, results: dict[str, Any] | list[dict[str, Any]]) -> dict[str, Any] | list[dict[str, Any]]:
        """Decode.

        Raises:
            DecodingError: A frame cannot be decoded.
        """
        views = results if isinstance(results, list) else [results]
        reader = views[0]["video_reader"]
        decoded = reader.views(np.ravel(views[0]["frame_inds"]), [_part(view, reader) for view in views])
        made = [_turned(view, pictures) for view, pictures in zip(views, decoded, strict=True)]
        return made if isinstance(results, list) else made[0]


def _part(results: dict[str, Any], reader: Reader) -> tuple[Box | None, Size | None]:
    """The part of a frame that is wanted, and its size."""
    if "lazy" not in results:
        return None, None
    height, width = results["img_shape"]
    return _whole_pixels(results["lazy"]["crop_bbox"], reader.width, reader.height), (width, height)


def _turned(results: dict[str, Any], pictures: np.ndarray) -> dict[str, Any]:
    """A view with its pictures, mirrored where that is noted."""
    results = {**results, "video_reader": None}
    lazy = results.pop("lazy", None)
    if lazy is not None and lazy["flip"]:
        # A view from right to left would be copied by each step after this one.
        for picture in pictures:
            cv2.flip(picture, 1 if lazy["flip_direction"] == "horizontal" else 0, dst=picture)
    return {**results, "imgs": list(pictures), "img_shape": pictures.shape[1:3]}


def _whole_pixels(bounds: np.ndarray, width: int, height: int) -> tuple[int, int, int, int]:
    """Left, top, right and bottom as `Fuse` rounds them, of one pixel at least."""
    left, top, right, bottom = np.round(bounds).astype(int).tolist()
    left, top = min(max(left, 0), width - 1), min(max(top, 0), height - 1)
    return left, top, min(max(right, left + 1), width), min(max(bottom, top + 1), height)


@TRANSFORMS.register_module()
class FormatClips(BaseTransform):
    """What MMAction2's `FormatShape` does of RGB frames, in one copy and a tenth of the time.

    Required key: `imgs`, uint8, each of shape (H, W, 3): the frames of a clip one after the other, clip after clip.

    Changed key: `imgs`, uint8, contiguous, of shape (crops x clips, 3, clip_len, H, W) for `NCTHW` and
    (crops x clips x clip_len, 3, H, W) for `NCHW`. Added key: `input_shape`.

    Args:
        clip_len: Frames of a clip.
        input_format: `NCTHW`, for networks that take a clip, or `NCHW`, for those that take its frames.
    """

    def __init__(self, clip_len: int, input_format: str = "NCTHW") -> None:
        self._clip_len, self._input_format = clip_len, input_format

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Put the frames of each clip together."""
        frames, length = results["imgs"], self._clip_len
        height, width = frames[0].shape[:2]
        if self._input_format == "NCHW":
            made = np.empty((len(frames), 3, height, width), dtype=np.uint8)
            places = list(made)
        else:
            made = np.empty((len(frames) // length, 3, length, height, width), dtype=np.uint8)
            places = [made[number // length, :, number % length] for number in range(len(frames))]
        for frame, place in zip(frames, places, strict=True):
            # Into the very places: OpenCV makes no arrays where these fit. Crops are copied into one piece first: from
            # lines that lie apart it takes ten times as long.
            cv2.split(np.ascontiguousarray(frame), list(place))
        return {**results, "imgs": made, "input_shape": made.shape}


class BlankReader(Reader):
    """One black frame, in place of a video that cannot be read."""

    num_frames = 1
    fps: float | None = None
    width = height = BLANK_SIDE_PX

    def times(self) -> np.ndarray:
        """See `Reader`."""
        return np.zeros(1)

    def views(
        self, indices: Sequence[int] | np.ndarray, parts: Sequence[tuple[Box | None, Size | None]]
    ) -> list[np.ndarray]:
        """See `Reader`."""
        sizes = [size or (BLANK_SIDE_PX, BLANK_SIDE_PX) for _, size in parts]
        return [np.zeros((len(indices), height, width, 3), dtype=np.uint8) for width, height in sizes]
