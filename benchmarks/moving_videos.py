"""Videos of a size, length and codec, for `data_path.py`: something moves in them, and they cost the bits of real ones.

The picture is a window that wanders over a large texture with details of every size, with the demo's moving shape in
front and the noise of a sensor on top; or the frames of any video, scaled.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np

from autox_video.demo_data import MOTIONS, render_clip

FPS = 30
# Of web video: bits a pixel, at which x264 makes B-frames as it does by default.
BITS_A_PIXEL = 0.09
NOISE = 4.0
NOISES = 8
MANY_CELLS = 32


@dataclass(frozen=True)
class Kind:
    """A kind of video.

    Attributes:
        name: In the tables.
        width: In pixels.
        height: In pixels.
        gop: Frames from one key frame to the next at most.
        seconds: Length.
        codec: Encoder of FFmpeg.
        ending: Of the file.
    """

    name: str
    width: int
    height: int
    gop: int
    seconds: int = 10
    codec: str = "libx264"
    ending: str = "mp4"


KINDS = (
    Kind("240x128 MPEG-4 AVI, 3 s", 240, 128, 12, 3, "mpeg4", "avi"),
    Kind("340x256 H.264, GOP 250", 340, 256, 250),
    Kind("454x256 H.264, GOP 12", 454, 256, 12),
    Kind("720p H.264, GOP 250", 1280, 720, 250),
    Kind("720p H.264, GOP 12", 1280, 720, 12),
    Kind("1080p H.264, GOP 250", 1920, 1080, 250),
    Kind("1080p H.264, GOP 12", 1920, 1080, 12),
)


def write_kind(path: Path, kind: Kind, source: Path | None = None, seed: int = 0) -> None:
    """Encode a video of a kind.

    Args:
        path: The file.
        kind: What it is to be.
        source: A video whose frames are shown, from the beginning again at its end; None: generated.
        seed: Of a generated one.
    """
    frames = generated(kind, seed) if source is None else repeated(source)
    with av.open(str(path), "w") as container:
        stream = container.add_stream(kind.codec, rate=Fraction(FPS))
        stream.width, stream.height, stream.pix_fmt = kind.width, kind.height, "yuv420p"
        stream.bit_rate = round(kind.width * kind.height * FPS * BITS_A_PIXEL)
        stream.codec_context.gop_size = kind.gop
        # A cut of the scene would put a key frame where none is asked for.
        stream.options = {"sc_threshold": "0", "preset": "faster"} if kind.codec == "libx264" else {}
        for picture in itertools.islice(frames, FPS * kind.seconds):
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            container.mux(stream.encode(frame.reformat(kind.width, kind.height, "yuv420p")))
        container.mux(stream.encode())


def generated(kind: Kind, seed: int) -> Iterator[np.ndarray]:
    """Frames without end, uint8 RGB of shape (height, width, 3)."""
    random = np.random.default_rng(seed)
    width, height = kind.width, kind.height
    texture = np.clip(_texture(random, 2 * width, 2 * height), 0, 255).astype(np.uint8)
    noises = [np.repeat(random.normal(0, NOISE, (height, width, 1)), 3, 2).astype(np.int16) for _ in range(NOISES)]
    motion = list(MOTIONS)[seed % len(MOTIONS)]
    shape = [cv2.resize(frame, (height // 2, height // 2)) for frame in render_clip(motion, "train", seed)]
    place = (height // 4, (width - height // 2) // 2)
    for number in itertools.count():
        left, top = (
            round(room / 2 * (1 + 0.9 * np.sin(number / period)))
            for room, period in ((width - 1, 97), (height - 1, 61))
        )
        frame = texture[top : top + height, left : left + width].copy()
        frame[place[0] : place[0] + height // 2, place[1] : place[1] + height // 2] = shape[number % len(shape)]
        yield cv2.add(frame, noises[random.integers(NOISES)], dtype=cv2.CV_8U)


def repeated(source: Path) -> Iterator[np.ndarray]:
    """The frames of a video again and again, uint8 RGB."""
    while True:
        with av.open(str(source)) as container:
            for frame in container.decode(video=0):
                picture: Any = frame.to_ndarray(format="rgb24")
                yield picture


def _texture(random: np.random.Generator, width: int, height: int) -> np.ndarray:
    """Details of every size, the finer the fainter, as pictures of the world have them; float32 RGB.

    The fine ones are grey: so is most of what a camera sees, and a video has one colour for four pixels.
    """
    picture = np.full((height, width, 3), 128, dtype=np.float32)
    cells = 4
    while cells < height // 2:
        size = (cells, cells * width // height, 3 if cells < MANY_CELLS else 1)
        layer = cv2.resize(random.normal(0, 90 / np.sqrt(cells), size).astype(np.float32), (width, height))
        picture += layer.reshape(height, width, -1)
        cells *= 2
    return picture
