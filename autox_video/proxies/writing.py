"""Writing one proxy."""

from __future__ import annotations

from collections.abc import Callable
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np

from autox_video.decoding import DecodingError, PyavReader, open_file
from autox_video.proxies.sizes import KEY_FRAME_EVERY, frame_size
from autox_video.writing import replacing

# What a later version of a decoder may round otherwise.
TIME_TOLERANCE_SECONDS = 1e-3
TELL_EVERY_FRAMES = 100
# Fast to write and, without arithmetic coding and loop filter, fast to decode; no frame waits for a later one.
OPTIONS = {
    "preset": "superfast",
    "tune": "fastdecode",
    "crf": "20",
    "x264-params": f"keyint={KEY_FRAME_EVERY}:min-keyint={KEY_FRAME_EVERY}:scenecut=0:bframes=0",
}
OF_COLOURS = ("color_range", "colorspace", "color_primaries", "color_trc")


def can_write() -> bool:
    """Whether the encoder is there; builds of FFmpeg without it exist."""
    import av

    return "libx264" in av.codecs_available


def write_proxy(file: str, proxy: Path, side: int, tell: Callable[[int], None] = lambda frames: None) -> None:
    """Write the small copy of a video: the same frames at the same times, upright.

    It has its name when it is whole and was found to have the original's frames and times.

    Args:
        file: The original.
        proxy: The file to write.
        side: Its short side in pixels, even.
        tell: Is told now and then how many frames are done.

    Raises:
        DecodingError: The original cannot be read, or its frames and times not be kept.
        RunError: The file cannot be written.
    """
    original = open_file(file)
    with replacing(proxy) as temporary:
        _encode(original, temporary, side, tell)
        copy = open_file(str(temporary))
        if copy.num_frames != original.num_frames:
            raise DecodingError(f"has {original.num_frames} frames, and its proxy {copy.num_frames}")
        if np.abs(copy.times() - original.times()).max() > TIME_TOLERANCE_SECONDS:
            raise DecodingError("has frames at times that its proxy does not keep")


def _encode(original: PyavReader, target: Path, side: int, tell: Callable[[int], None]) -> None:
    import av

    (stamps, unit), frames = original.clock(), original.decoded()
    first = next(frames)
    size = frame_size(first.width, first.height, side)
    with av.open(str(target), "w", format="mp4") as output:
        stream: Any = output.add_stream("libx264", rate=25, options=OPTIONS)
        turned = round(first.rotation / 90) % 2
        stream.width, stream.height = size[::-1] if turned else size
        stream.pix_fmt = "yuv420p"
        context = stream.codec_context
        context.thread_count, context.time_base = 1, unit
        for name in OF_COLOURS:
            setattr(context, name, int(getattr(first, name, 2)))
        for number, (stamp, frame) in enumerate(zip(stamps.tolist(), chain([first], frames), strict=True), 1):
            small = _shrunk(av, frame, size)
            small.pts, small.time_base = stamp, unit
            output.mux(stream.encode(small))
            if number % TELL_EVERY_FRAMES == 0:
                tell(number)
        output.mux(stream.encode(None))


def _shrunk(av: Any, frame: Any, size: tuple[int, int]) -> Any:
    """A frame in this size as stored, then turned upright."""
    width, height = size
    small = frame.reformat(width=width, height=height, format="yuv420p", interpolation="AREA")
    turns = round(frame.rotation / 90) % 4
    if turns:
        values = small.to_ndarray().reshape(-1)
        planes, start = [], 0
        for rows, columns in ((height, width), (height // 2, width // 2), (height // 2, width // 2)):
            plane = values[start : start + rows * columns].reshape(rows, columns)
            planes.append(np.rot90(plane, turns).reshape(-1))
            start += rows * columns
        upright = size if turns == 2 else (height, width)
        picture = np.concatenate(planes).reshape(-1, upright[0])
        small = av.VideoFrame.from_ndarray(picture, format="yuv420p")
    # Where key frames stand is the encoder's to decide.
    small.pict_type = 0
    return small
