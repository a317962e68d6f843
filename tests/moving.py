"""Short videos of moving colours in every way of storing frames, so that a wrong frame or colour shows."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np

NUM_FRAMES = 60
# name: codec, its options, what else
WAYS: dict[str, tuple[str, dict[str, str], dict[str, Any]]] = {
    "pyramid.mp4": ("libx264", {"x264-params": "bframes=5:b-pyramid=normal:b-adapt=0:keyint=250"}, {}),
    "open.mp4": ("libx264", {"x264-params": "open-gop=1:bframes=3:b-adapt=0:scenecut=0:keyint=12:min-keyint=12"}, {}),
    "short.mkv": ("libx264", {"x264-params": "keyint=12"}, {}),
    "intra.mp4": ("libx264", {"x264-params": "keyint=1"}, {}),
    "fields.mp4": ("libx264", {"x264-params": "interlaced=1:keyint=25"}, {}),
    "stream.ts": ("libx264", {"x264-params": "open-gop=1:bframes=3:b-adapt=0:scenecut=0:keyint=12"}, {"as": "mpegts"}),
    "untimed.avi": ("libx264", {}, {}),
    "raw.h264": ("libx264", {}, {"as": "h264"}),
    "plain.avi": ("mpeg4", {}, {}),
    "between.avi": ("mpeg4", {"bf": "2"}, {}),
    "mpeg2.ts": ("mpeg2video", {"bf": "2"}, {"as": "mpegts"}),
    "hevc.mp4": ("libx265", {"x265-params": "keyint=20:log-level=none"}, {}),
    "layers.mp4": ("libx265", {"x265-params": "keyint=20:temporal-layers=3:log-level=none"}, {}),
    "vp9.webm": ("libvpx-vp9", {"auto-alt-ref": "1", "lag-in-frames": "16", "cpu-used": "8"}, {}),
}


def moving_pictures(width: int, height: int, frames: int = NUM_FRAMES) -> Iterator[np.ndarray]:
    """Soft colours that wander, and a square that runs through them."""
    noise = np.random.default_rng(0).integers(0, 255, (12, 16, 3)).astype(np.uint8)
    ground = cv2.resize(noise, (2 * width, 2 * height), interpolation=cv2.INTER_CUBIC)
    for index in range(frames):
        x, y = round(width / 2 * (1 + np.sin(index / 9))), round(height / 2 * (1 + np.cos(index / 7)))
        picture = ground[y : y + height, x : x + width].copy()
        side, left = height // 4, index * (width - height // 4) // frames
        picture[side : 2 * side, left : left + side] = (4 * index, 255 - 4 * index, 128)
        yield picture


def write_moving(path: Path, name: str = "short.mkv", width: int = 128, height: int = 96, **stream: Any) -> Path:
    """Write a video in one of `WAYS`; `stream` are properties of its stream, such as `pix_fmt`."""
    codec, options, how = WAYS[name]
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w", format=how.get("as")) as file:
        out = file.add_stream(codec, rate=25, options=options)
        out.width, out.height, out.pix_fmt = width, height, "yuv420p"
        out.bit_rate = 1_000_000
        for key, value in stream.items():
            setattr(out, key, value)
        for picture in moving_pictures(width, height):
            file.mux(out.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        file.mux(out.encode(None))
    return path


def all_frames(path: Path) -> np.ndarray:
    """Every frame, decoded one after the other."""
    with av.open(str(path)) as file:
        return np.stack([frame.to_ndarray(format="rgb24") for frame in file.decode(video=0)])
