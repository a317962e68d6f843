"""Opening and decoding one video: the very code that the probe and the training both run.

Files are read with PyAV, folders of numbered images with OpenCV: one interface.

The probe loads this folder by its path, without the package around it: it imports only what is in it.
"""

from __future__ import annotations

from typing import Final

from .frames_reader import FramesReader
from .images_reader import ImagesReader, is_numbered_image
from .pyav_reader import PyavReader
from .reader import DecodingError, Reader, in_words, piece_of
from .unfit import CUT_OFF, DAMAGED, unfit_for_decord

__all__ = [
    "CUT_OFF",
    "DAMAGED",
    "FILES",
    "IMAGES",
    "DecodingError",
    "FramesReader",
    "PyavReader",
    "Reader",
    "in_words",
    "is_numbered_image",
    "open_file",
    "open_video",
    "piece_of",
    "unfit_for_decord",
]

# In a canonical list, what reads a file,
FILES: Final = "pyav"
# and a folder; the frame rate that is taken for it follows: `images@25`.
IMAGES: Final = "images"


def open_video(file: str, decoder: str) -> Reader:
    """Open a video by its path, with one thread.

    Args:
        file: The path.
        decoder: `FILES`, or for a folder of images `IMAGES`, with `@` and a frame rate or without.

    Raises:
        DecodingError: It cannot be opened, or has no frame.
        OSError: The file cannot be read.
    """
    name, _, rate = decoder.partition("@")
    if name == IMAGES:
        return ImagesReader(file, float(rate) if rate else None)
    return open_file(file)


def open_file(file: str) -> PyavReader:
    """What `open_video` does of a file.

    Raises:
        DecodingError: It cannot be opened, or has no frame, or none with a size.
        OSError: The file cannot be read.
    """
    # What the disk or the system refuses is told apart from a damaged file.
    with open(file, "rb") as opened:
        opened.read(1)
    reader = PyavReader(file)
    if reader.num_frames == 0:
        raise DecodingError("has no frames")
    if not reader.width or not reader.height:
        raise DecodingError("is damaged: the size of its frames is lost")
    return reader
