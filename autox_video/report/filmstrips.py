"""Filmstrips: a few frames of a video, side by side in one small picture."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import cv2
import numpy as np

from autox_video.decoding import FILES, IMAGES, DecodingError, open_video, piece_of

NUM_FRAMES, HEIGHT_PX, QUALITY = 8, 96, 70
# A wider picture is cut at both sides: a strip of a panorama would be all width.
MAX_SHAPE = 2.4
_GREY = 128


def filmstrip(
    path: str | Path,
    start_seconds: float | None = None,
    end_seconds: float | None = None,
    num_frames: int = NUM_FRAMES,
    height: int = HEIGHT_PX,
    quality: int = QUALITY,
    decoder: str | None = None,
) -> bytes:
    """Frames of a video, evenly spread over a piece of it, from left to right in one JPEG.

    Args:
        path: A video, or a folder of numbered images.
        start_seconds: Where the piece begins, after the first frame; None at the beginning.
        end_seconds: Where it ends; None at the end.
        num_frames: How many frames; all are of one width.
        height: Of the picture in pixels; a smaller video is not enlarged.
        quality: Of the JPEG, up to 100.
        decoder: As in a canonical list; None chooses by what lies at `path`.

    Returns:
        The JPEG; grey where the video cannot be read.
    """
    decoder = decoder or (IMAGES if os.path.isdir(path) else FILES)
    try:
        frames = _frames(str(path), decoder, (start_seconds, end_seconds), num_frames, height)
    except (DecodingError, OSError, ValueError):
        frames = np.full((num_frames, height, round(height * 4 / 3), 3), _GREY, np.uint8)
    strip = cv2.cvtColor(np.concatenate(list(frames), axis=1), cv2.COLOR_RGB2BGR)
    done, encoded = cv2.imencode(".jpg", strip, [cv2.IMWRITE_JPEG_QUALITY, quality])
    assert done, "OpenCV writes JPEG"
    return encoded.tobytes()


def _frames(
    path: str, decoder: str, piece: tuple[float | None, float | None], num_frames: int, height: int
) -> np.ndarray:
    reader = open_video(path, decoder)
    first, count = piece_of(reader.times(), *piece)
    indices = first + np.floor((np.arange(num_frames) + 0.5) * count / num_frames).astype(int)
    height = min(height, reader.height)
    wide = min(reader.width, round(MAX_SHAPE * reader.height))
    left = (reader.width - wide) // 2
    size = max(1, round(wide * height / reader.height)), height
    return reader.frames(np.minimum(indices, reader.num_frames - 1), (left, 0, left + wide, reader.height), size)


def size_of(strip: bytes, num_frames: int = NUM_FRAMES) -> tuple[int, int]:
    """Width and height in pixels of one frame of a strip."""
    picture = cv2.imdecode(np.frombuffer(strip, np.uint8), cv2.IMREAD_GRAYSCALE)
    assert picture is not None, "it has been drawn here"
    height, width = picture.shape
    return width // num_frames, height


def main() -> None:
    """Draw strips for `html.films`, which gives one JSON line each and reads back its length and the JPEG."""
    for line in sys.stdin:
        strip = filmstrip(**json.loads(line))
        sys.stdout.buffer.write(len(strip).to_bytes(4, "big") + strip)
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
