"""Which videos decord must not read, as MMAction2 alone does."""

from __future__ import annotations

import os

import numpy as np

from .pyav_reader import PyavReader

# Containers of which decord was seen to give the right frames; of an MPEG transport stream it gives wrong ones.
CONTAINERS_FOR_DECORD = ("mov", "matroska", "avi", "flv")
# As decord fails where PyAV shows what is left.
CUT_OFF, DAMAGED = "it is cut off", "it is damaged"
# What the FFmpeg of 2020 inside decord 0.6 cannot decode.
UNKNOWN_TO_DECORD = ("av1", "vvc", "evc", "apv", "jpegxl")
# decord finds a frame by its share of the duration, which is right as long as no frame is further off than this.
MAX_UNEVENNESS_FRAMES = 0.5


def unfit_for_decord(video: PyavReader, file: str) -> str | None:
    """Why decord must not read a video, as a sentence without a full stop; None where it may.

    decord counts the packets of a file and finds a frame by its share of the duration, from the key
    frame before it. So it gives wrong frames at an uneven rate, and where frames that follow a key
    frame in the file are shown before it.
    """
    if video.format.split(",")[0] not in CONTAINERS_FOR_DECORD:
        return f"its container is {video.format}"
    if video.format == "avi" and _is_cut_avi(file):
        return CUT_OFF
    if video.damaged:
        return DAMAGED
    if video.codec in UNKNOWN_TO_DECORD:
        return f"it does not know {video.codec}"
    look = video.packets.look
    if look is not None and look.quarter_turns % 2:
        return "its width and height are to change places"
    if not video.packets.timed:
        return "it does not say when its frames are shown"
    if video.packets.leading:
        return "its key frames are preceded by frames that need them (open groups of pictures)"
    times = video.times()
    even = np.linspace(times[0], times[-1], len(times))
    if len(times) > 2 and np.abs(times - even).max() * (len(times) - 1) > MAX_UNEVENNESS_FRAMES * times[-1]:
        return "its frame rate varies"
    return None


def _is_cut_avi(file: str) -> bool:
    """Whether the file is shorter than its own header says."""
    with open(file, "rb") as opened:
        head = opened.read(8)
    return int.from_bytes(head[4:8], "little") + 8 > os.path.getsize(file)
