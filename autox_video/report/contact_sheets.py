"""A preview as pictures: a contact sheet a class, and one page on which the clips move."""

from __future__ import annotations

import base64
import html
import re
from collections.abc import Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import IO
from urllib.parse import quote

import cv2
import numpy as np

from autox_video.errors import Problem, RunError
from autox_video.presets import shared_folder
from autox_video.previews import ClassPreview, Clip
from autox_video.writing import write_durably, write_text

# Frames are shown at their own size, up to this many pixels on the longer side.
MAX_FRAME_PX = 112
FRAMES_A_LINE = 16
GAP_PX, TEXT_PX, MARGIN_PX = 2, 18, 8
JPEG_QUALITY = 80
# A page that moves more classes than this is a file no browser likes; the others are shown by their sheets.
MAX_MOVING_CLASSES = 50
# How fast a clip is played whose frame rate is not known.
FALLBACK_FPS = 8.0
PAGE = "preview.html"
_GREY, _WHITE, _FAINT = (30, 30, 30), (235, 235, 235), (150, 150, 150)


def write_contact_sheets(previews: Iterable[ClassPreview], folder: Path, classes: Sequence[str], model: str) -> Path:
    """Write `<id>_<class>.png` for each class and `preview.html` over all of them.

    Args:
        previews: The clips; read one class at a time.
        folder: Where to write. Sheets of an earlier preview are replaced.
        classes: Class names; the position is the class id.
        model: What the clips are for, for the heading.

    Returns:
        The page. It needs no other file, except the sheets of the classes that it only links to.

    Raises:
        RunError: A file cannot be written.
    """
    sections, sheets = [], set()
    for number, preview in enumerate(previews):
        name = sheet_name(preview, len(classes))
        write_durably(folder / name, partial(_write_bytes, _encoded(".png", sheet(preview, classes))))
        sheets.add(name)
        sections.append(_section(preview, classes, name, moving=number < MAX_MOVING_CLASSES))
    template = (shared_folder("resources") / "preview.html").read_text(encoding="utf-8")
    page = template.replace("{model}", html.escape(model)).replace("{sections}", "\n".join(sections))
    write_text(folder / PAGE, page)
    for old in folder.glob("*.png"):
        if old.name not in sheets:
            old.unlink()
    return folder / PAGE


def sheet_name(preview: ClassPreview, num_classes: int) -> str:
    """A file name that every file system takes, in the order of the class ids."""
    label = "" if preview.label is None else f"{preview.label:0{len(str(num_classes - 1))}d}_"
    # At most 60 characters of up to 4 bytes: a file name may have 255 bytes.
    name = re.sub(r"[^\w-]+", "_", preview.name).strip("_")[:60]
    return f"{label}{name}.png"


def sheet(preview: ClassPreview, classes: Sequence[str]) -> np.ndarray:
    """All clips of a class, frame beside frame, as a BGR image.

    OpenCV writes no letters beyond ASCII: others stand as `?`, the page has them.
    """
    blocks = [_text(preview.name, _WHITE)]
    if not preview.clips:
        blocks.append(_text("no video", _FAINT))
    for clip in preview.clips:
        blocks += [_text(caption(clip, preview.label, classes), _FAINT), _grid(clip)]
    width = max(block.shape[1] for block in blocks)
    padded = [_pad(block, block.shape[0] + GAP_PX, width) for block in blocks]
    image = np.concatenate(padded)
    framed = np.empty((image.shape[0] + 2 * MARGIN_PX, width + 2 * MARGIN_PX, 3), np.uint8)
    framed[:] = _GREY
    framed[MARGIN_PX:-MARGIN_PX, MARGIN_PX:-MARGIN_PX] = image
    return framed


def caption(clip: Clip, label: int | None, classes: Sequence[str]) -> str:
    """What a clip is, in a line."""
    kind = "draw" if clip.split == "train" else "view"
    parts = [f"{clip.split}: {Path(clip.file).name}", f"{kind} {clip.view} of {clip.num_views}"]
    parts.append(f"frames {clip.first_frame} to {clip.last_frame}")
    if clip.seconds is not None:
        parts.append(f"{clip.seconds:.2g} s")
    if clip.mirrored:
        parts.append("mirrored")
    if clip.labels and clip.labels != (label,):
        told = " and ".join(classes[known] for known in clip.labels)
        parts.append(f"{'learned as' if clip.split == 'train' else 'labels'} {told}")
    return ", ".join(parts)


def _section(preview: ClassPreview, classes: Sequence[str], sheet_file: str, *, moving: bool) -> str:
    name = html.escape(preview.name)
    head = f'<section><h2>{name} <a href="{quote(sheet_file)}">contact sheet</a></h2>'
    if not preview.clips:
        return f"{head}<p>no video</p></section>"
    if not moving:
        return f"{head}</section>"
    figures = []
    for clip in preview.clips:
        strip, width, height = _strip(clip)
        count = len(clip.frames)
        seconds = clip.seconds or count / FALLBACK_FPS
        style = f"--w:{width}px;--h:{height}px;--n:{count};--t:{seconds:.3f}s"
        said = html.escape(caption(clip, preview.label, classes))
        image = f'<img src="data:image/jpeg;base64,{base64.b64encode(strip).decode()}" alt="{said}">'
        figures.append(f'<figure style="{style}"><div>{image}</div><figcaption>{said}</figcaption></figure>')
    return head + "\n" + "\n".join(figures) + "</section>"


def _strip(clip: Clip) -> tuple[bytes, int, int]:
    """The frames one under another as a JPEG, with the width and height of each: the page shows one at a time."""
    frames = [_small(frame) for frame in clip.frames]
    height, width = frames[0].shape[:2]
    return _encoded(".jpg", np.concatenate(frames)), width, height


def _grid(clip: Clip) -> np.ndarray:
    frames = [_small(frame) for frame in clip.frames]
    height, width = frames[0].shape[:2]
    columns = min(FRAMES_A_LINE, len(frames))
    lines = -(-len(frames) // columns)
    grid = np.empty((lines * (height + GAP_PX), columns * (width + GAP_PX), 3), np.uint8)
    grid[:] = _GREY
    for index, frame in enumerate(frames):
        top, left = index // columns * (height + GAP_PX), index % columns * (width + GAP_PX)
        grid[top : top + height, left : left + width] = frame
    return grid


def _small(frame: np.ndarray) -> np.ndarray:
    """One frame as it is shown: BGR, never enlarged."""
    scale = min(1.0, MAX_FRAME_PX / max(frame.shape[:2]))
    size = (max(1, round(frame.shape[1] * scale)), max(1, round(frame.shape[0] * scale)))
    return cv2.cvtColor(cv2.resize(frame, size, interpolation=cv2.INTER_AREA), cv2.COLOR_RGB2BGR)


def _text(text: str, colour: tuple[int, int, int]) -> np.ndarray:
    plain = "".join(letter if " " <= letter <= "~" else "?" for letter in text)
    (width, _), _ = cv2.getTextSize(plain, cv2.FONT_HERSHEY_SIMPLEX, 0.42, 1)
    image = np.empty((TEXT_PX, width + 4, 3), np.uint8)
    image[:] = _GREY
    cv2.putText(image, plain, (1, TEXT_PX - 5), cv2.FONT_HERSHEY_SIMPLEX, 0.42, colour, 1, cv2.LINE_AA)
    return image


def _pad(image: np.ndarray, height: int, width: int) -> np.ndarray:
    padded = np.empty((height, width, 3), np.uint8)
    padded[:] = _GREY
    padded[: image.shape[0], : image.shape[1]] = image
    return padded


def _write_bytes(content: bytes, file: IO[bytes]) -> None:
    file.write(content)


def _encoded(ending: str, image: np.ndarray) -> bytes:
    parameters = [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY] if ending == ".jpg" else []
    done, buffer = cv2.imencode(ending, image, parameters)
    if not done:
        raise RunError(Problem("preview", f"OpenCV cannot write {ending}", "Run `autox-video doctor`"))
    return buffer.tobytes()
