"""Video files that not every decoder reads rightly. Frame `k` is of one grey, `6 * k`, so a picture tells its index."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

NUM_FRAMES = 40
STEP = 6
OPEN_GROUPS = {"x264-params": "open-gop=1:bframes=3:b-adapt=0:scenecut=0:keyint=12:min-keyint=12"}


def write_odd(
    path: Path,
    *,
    codec: str = "libx264",
    container: str | None = None,
    milliseconds: Sequence[int] = range(0, 100 * NUM_FRAMES, 100),
    options: dict[str, str] | None = None,
    width: int = 64,
    height: int = 48,
) -> Path:
    """Write a frame at each time, a key frame every 12."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with _of_same_priority(), av.open(str(path), "w", format=container) as file:
        stream = file.add_stream(codec, rate=10, options=options or {})
        stream.width, stream.height, stream.pix_fmt = width, height, "yuvj420p" if codec == "mjpeg" else "yuv420p"
        if codec != "libsvtav1":
            stream.bit_rate = 4_000_000
        stream.codec_context.gop_size = 12
        stream.codec_context.time_base = Fraction(1, 1000)
        for index, stamp in enumerate(milliseconds):
            picture = np.full((height, width, 3), STEP * index, np.uint8)
            picture[: height // 4, : width // 4] = 0  # the upper left corner is black: which side is up shows
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame.time_base, frame.pts = Fraction(1, 1000), int(stamp)
            file.mux(stream.encode(frame))
        file.mux(stream.encode(None))
    return path


@contextmanager
def _of_same_priority() -> Iterator[None]:
    """The encoder SVT-AV1 gives the thread that calls it, where that is root's, a real-time priority.

    Before such a thread and what it starts everything else on the machine waits, the processes of other tests too.
    """
    policy, parameters = os.sched_getscheduler(0), os.sched_getparam(0)
    try:
        yield
    finally:
        os.sched_setscheduler(0, policy, parameters)


def uneven_times() -> list[int]:
    """Milliseconds of frames at a rate that varies between 2.5 and 50 a second."""
    steps = np.random.default_rng(0).integers(20, 400, NUM_FRAMES - 1)
    return [0, *np.cumsum(steps).tolist()]


def indices_of(frames: np.ndarray) -> list[int]:
    """Which frames these are, by their grey."""
    return [round(float(frame[-8:, -8:].mean()) / STEP) for frame in frames]


def turn(path: Path, degrees: int) -> Path:
    """Write into an MP4 that it is to be shown turned clockwise by 90, 180 or 270 degrees."""
    one = 1 << 16
    cos, sin = {90: (0, one), 180: (-one, 0), 270: (0, -one)}[degrees]
    content = bytearray(path.read_bytes())
    matrix = content.index(b"tkhd") + 44
    for place, value in enumerate([cos, sin, 0, -sin, cos, 0, 0, 0, 1 << 30]):
        content[matrix + 4 * place : matrix + 4 * place + 4] = value.to_bytes(4, "big", signed=True)
    path.write_bytes(content)
    return path
