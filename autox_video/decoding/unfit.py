"""Which videos decord must not read."""

from __future__ import annotations

import os

import numpy as np

from .pyav_reader import PyavReader

# Containers of which decord was seen to give the right frames; of an MPEG transport stream it gives wrong ones.
CONTAINERS_FOR_DECORD = ("mov", "matroska", "avi", "flv", "asf")
# decord finds a frame by its share of the duration, which is right as long as no frame is further off than this.
MAX_UNEVENNESS_FRAMES = 0.5


def unfit_for_decord(video: PyavReader, file: str) -> str | None:
    """Why decord must not read a video, as an end of `is read with PyAV: `; None where it may.

    decord counts the packets of a file and finds a frame by its share of the duration, from the key
    frame before it. So it gives wrong frames at an uneven rate, and where frames that follow a key
    frame in the file are shown before it.
    """
    if video.format.split(",")[0] not in CONTAINERS_FOR_DECORD:
        return f"its container is {video.format}"
    if not video.packets.timed:
        return "it does not say when its frames are shown"
    if video.packets.leading:
        return "its key frames are preceded by frames that need them (open groups of pictures)"
    times = video.times()
    even = np.linspace(times[0], times[-1], len(times))
    if len(times) > 2 and np.abs(times - even).max() * (len(times) - 1) > MAX_UNEVENNESS_FRAMES * times[-1]:
        return "its frame rate varies"
    if video.format == "avi" and _is_cut_avi(file):
        return "it is cut off"
    return None


def _is_cut_avi(file: str) -> bool:
    """Whether the file is shorter than its own header says."""
    with open(file, "rb") as opened:
        head = opened.read(8)
    return int.from_bytes(head[4:8], "little") + 8 > os.path.getsize(file)
