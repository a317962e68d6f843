"""Copies of videos with what the model says of them drawn in: the same size, upright, and the same times of frames."""

from __future__ import annotations

import functools
import hashlib
import json
import os
from collections.abc import Generator, Sequence
from contextlib import closing
from fractions import Fraction
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np

from autox_video.dataset.messages import in_short
from autox_video.dataset.video_files import is_video_name
from autox_video.decoding import PyavReader, Reader, piece_of
from autox_video.errors import Problem, RequestError
from autox_video.using.predict.inputs import Inputs, Video, is_url, path_in
from autox_video.using.predict.journal import Stamp
from autox_video.writing import replacing

OPTIONS = {"preset": "veryfast", "crf": "20"}
# Of a picture's height; no smaller than can be read.
LETTER_SHARE, MIN_LETTER_PX = 1 / 16, 9
MARGIN_PX = 4
# How much of the picture is seen through the band behind the letters.
SEEN_THROUGH = 0.35
FALLBACK_FPS = 25.0
# Begins the comment in a copy, by which it is known again.
MARK = "drawn by autox_video predict: "


def targets_of(asked: Path, inputs: Inputs) -> list[Path]:
    """Where the copy of each video goes, in their order.

    Args:
        asked: A folder; or of one video a file.
        inputs: The videos.

    Raises:
        RequestError: A file is named for several videos, a copy would stand among the originals, or where another file
            is.
    """
    if is_video_name(asked.name) and not asked.is_dir():
        if asked.suffix != ".mp4":
            raise RequestError(Problem("--annotate", "only .mp4 is written", "Name an .mp4", asked.name))
        if len(inputs.videos) > 1:
            wrong, cure = f"is one file for {len(inputs.videos)} videos", "Name a folder"
            raise RequestError(Problem("--annotate", wrong, cure, str(asked)))
        targets = [asked]
    else:
        targets = [asked / name for name in _names(inputs.videos)]
    _refuse_among_originals(asked, targets, inputs)
    if others := [str(target) for target in targets if os.path.lexists(target) and mark_in(target) is None]:
        wrong, cure = "would replace what is no copy that `predict` drew", "Move it away, or name another folder"
        raise RequestError(Problem("--annotate", wrong, cure, in_short(others)))
    return targets


def mark_of(video: Video, stamp: Stamp, lines: Sequence[str]) -> str:
    """What stands in a copy, so that the next run knows what it shows; it tells nobody else where the video lay.

    Args:
        video: What it is a copy of.
        stamp: What its file was like, see `journal.stamp_of`.
        lines: What is drawn.
    """
    return MARK + hashlib.sha256(json.dumps([video.key, stamp, list(lines)]).encode()).hexdigest()


def mark_in(target: Path) -> str | None:
    """The mark of a copy; None of any other file, and where there is none."""
    import av

    # What is no file, such as a pipe, may keep one waiting.
    if not target.is_file():
        return None
    try:
        with av.open(str(target), format="mp4", metadata_errors="replace") as copy:
            comment = copy.metadata.get("comment", "")
    except (av.FFmpegError, OSError):
        return None
    return comment if comment.startswith(MARK) else None


def _names(videos: Sequence[Video]) -> list[str]:
    """A name for each copy, as that of its video but for the ending, and no two the same."""
    stems = []
    for video in videos:
        inside = [part for part in path_in(video.name).split("/") if part not in ("", ".", "..")] or ["video"]
        piece = (video.start_seconds, video.end_seconds)
        ending = "" if piece == (None, None) else "_" + "-".join("" if at is None else f"{at:g}" for at in piece)
        stems.append(("/".join(inside), ending))
    short = [os.path.splitext(name)[0] + ending for name, ending in stems]
    unique: dict[str, int] = {}
    names = []
    for number, (name, (whole, ending)) in enumerate(zip(short, stems, strict=True)):
        # Of `a.mp4` and `a.avi` the second is `a.avi.mp4`.
        if unique.setdefault(name, number) != number:
            name = whole + ending
        while unique.setdefault(name, number) != number:
            name += "_"
        names.append(f"{name}.mp4")
    return names


def _refuse_among_originals(asked: Path, targets: Sequence[Path], inputs: Inputs) -> None:
    originals = {os.path.realpath(video.file) for video in inputs.videos if not is_url(video.file)}
    into = next((folder for folder in inputs.folders if _is_below(os.path.realpath(asked), folder)), None)
    if into or any(os.path.realpath(target) in originals for target in targets):
        wrong = "would write among the videos that are read, and the next time be read itself"
        raise RequestError(Problem("--annotate", wrong, "Name a folder elsewhere", str(asked)))


def _is_below(path: str, folder: str) -> bool:
    folder = os.path.realpath(folder)
    return path == folder or path.startswith(folder.rstrip("/") + "/")


def write_annotated(reader: Reader, video: Video, lines: Sequence[str], target: Path, mark: str) -> None:
    """Write a copy of a video with some lines of text in its upper left corner; without sound.

    Args:
        reader: The open video.
        video: Its piece is what is copied.
        lines: What to draw, at least one line.
        target: The file, `.mp4`. It has its name when it is whole.
        mark: Of `mark_of`.

    Raises:
        DecodingError: The video cannot be decoded.
        RunError: The file cannot be written.
    """
    import av

    times = reader.times()
    first, count = piece_of(times, video.start_seconds, video.end_seconds)
    stamps, unit = _stamps(reader, times)
    with closing(_pictures(reader, first, count)) as pictures:
        picture = next(pictures)
        height, width = picture.shape[:2]
        band = _band(tuple(lines), width, height)
        with replacing(target) as temporary, av.open(str(temporary), "w", format="mp4") as output:
            output.metadata["comment"] = mark
            rate = Fraction(reader.fps or FALLBACK_FPS).limit_denominator(1 << 16)
            stream: Any = output.add_stream("libx264", rate=rate, options=OPTIONS)
            stream.width, stream.height = width, height
            # Colours at half the size need even numbers.
            stream.pix_fmt = "yuv420p" if width % 2 == height % 2 == 0 else "yuv444p"
            stream.codec_context.time_base = unit
            for number, one in enumerate(chain([picture], pictures), first):
                frame = av.VideoFrame.from_ndarray(_drawn(one, band), format="rgb24")
                frame.pts, frame.time_base = int(stamps[number] - stamps[first]), unit
                output.mux(stream.encode(frame))
            output.mux(stream.encode(None))


def _stamps(reader: Reader, times: np.ndarray) -> tuple[np.ndarray, Fraction]:
    """When each frame is shown, in counts, and the seconds of one."""
    if isinstance(reader, PyavReader):
        return reader.clock()
    return np.arange(len(times)), 1 / Fraction(reader.fps or FALLBACK_FPS).limit_denominator(1 << 16)


def _pictures(reader: Reader, first: int, count: int) -> Generator[np.ndarray, None, None]:
    """The frames of a piece, upright, RGB, each of the same shape (H, W, 3)."""
    if not isinstance(reader, PyavReader):
        for index in range(first, first + count):
            yield reader.frames([index])[0]
        return
    size = (reader.width, reader.height)
    for index, frame in enumerate(reader.decoded()):
        if index >= first + count:
            return
        if index >= first:
            turns = round(frame.rotation / 90) % 4
            width, height = size if turns % 2 == 0 else size[::-1]
            picture = frame.reformat(width=width, height=height, format="rgb24").to_ndarray()
            yield np.ascontiguousarray(np.rot90(picture, turns))


def _drawn(picture: np.ndarray, band: np.ndarray) -> np.ndarray:
    height, width = band.shape
    corner = picture[:height, :width]
    letters = band[:, :, None].astype(np.float32) / 255
    corner[:] = corner * SEEN_THROUGH * (1 - letters) + 255 * letters
    return picture


@functools.lru_cache(maxsize=64)
def _band(lines: tuple[str, ...], width: int, height: int) -> np.ndarray:
    """Lines of white letters as a mask, uint8, shape (H, W), that fits into a picture."""
    size = max(MIN_LETTER_PX, round(height * LETTER_SHARE))
    masks = [letters(line, size) for line in lines]
    widest = max(mask.shape[1] for mask in masks) + 2 * MARGIN_PX
    if widest > width:
        masks = [letters(line, max(MIN_LETTER_PX, size * width // widest)) for line in lines]
    line_height = max(mask.shape[0] for mask in masks) + MARGIN_PX
    widest = max(mask.shape[1] for mask in masks) + 2 * MARGIN_PX
    band = np.zeros((line_height * len(masks) + MARGIN_PX, widest), np.uint8)
    for number, mask in enumerate(masks):
        bottom = (number + 1) * line_height
        band[bottom - mask.shape[0] : bottom, MARGIN_PX : MARGIN_PX + mask.shape[1]] = mask
    return band[:height, :width]


def letters(text: str, size: int) -> np.ndarray:
    """A line of text as a mask, uint8, shape (H, W); what no font of this machine has stands as `?`."""
    from matplotlib.ft2font import FT2Font

    path, drawable = _font_for(frozenset(text))
    font = FT2Font(path)
    font.set_size(size, 72)
    font.set_text("".join(letter if letter in drawable else "?" for letter in text), 0.0)
    font.draw_glyphs_to_bitmap(antialiased=True)
    return np.array(font.get_image())


@functools.lru_cache(maxsize=64)
def _font_for(wanted: frozenset[str]) -> tuple[str, frozenset[str]]:
    """The font that has most of some letters, and which of them it has: matplotlib's own where that has all."""
    from matplotlib import font_manager
    from matplotlib.ft2font import FT2Font

    own = str(font_manager.findfont("DejaVu Sans"))
    best = (own, frozenset[str]())
    for path in dict.fromkeys([own, *(entry.fname for entry in font_manager.fontManager.ttflist)]):
        try:
            known = FT2Font(path).get_charmap()
        except (OSError, RuntimeError):
            continue
        has = frozenset(letter for letter in wanted if ord(letter) in known)
        if len(has) > len(best[1]):
            best = (path, has)
        if len(has) == len(wanted):
            break
    return best
