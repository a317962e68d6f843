"""Explanations as pictures and files: frames with the regions that decide, and a bar for each moment."""

from __future__ import annotations

import base64
import html
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from autox_video.errors import Problem, RunError
from autox_video.explanations import LITTLE, Explanation, to_plain
from autox_video.presets import shared_folder
from autox_video.writing import write_durably, write_json, write_text

RECORD, PAGE = "explanation.json", "explanation.html"
VERSION = 1
FRAME_PX, BAR_PX, TEXT_PX, GAP_PX = 112, 44, 16, 3
# BGR: what speaks for the class, and what speaks against it; told apart by those who do not see red and green too.
FOR, AGAINST = np.array([0, 110, 255], np.float32), np.array([255, 120, 30], np.float32)
_PAPER, _INK, _LINE = (250, 250, 250), (90, 90, 90), (190, 190, 190)
# The strongest part is coloured this much; a picture shows through it.
STRONGEST = 0.62
JPEG_QUALITY = 88


def write_explanations(explanations: Sequence[Explanation], folder: Path, model_sha256: str) -> Path:
    """Write `explanation.json`, a strip for each video and `explanation.html` with all of them.

    Args:
        explanations: In the order in which they are shown.
        folder: Where to write; strips of earlier explanations in it are replaced.
        model_sha256: Digest of the weights, to be told beside them.

    Returns:
        The page. It needs no other file.

    Raises:
        RunError: A file cannot be written.
    """
    records, sections = [], []
    for number, explanation in enumerate(explanations, start=1):
        name, picture = _strip_name(number, explanation), encoded(strip(explanation))
        write_durably(folder / name, lambda file, picture=picture: file.write(picture))  # type: ignore[misc]
        record = {**to_plain(explanation), "strip": name}
        records.append(record)
        sections.append(_section(record, picture))
    write_json(folder / RECORD, {"version": VERSION, "model_sha256": model_sha256, "videos": records})
    template = (shared_folder("resources") / "explanation.html").read_text(encoding="utf-8")
    write_text(folder / PAGE, template.replace("{sections}", "\n".join(sections)))
    named = {record["strip"] for record in records}
    for old in folder.glob("explanation_*.jpg"):
        if old.name not in named:
            old.unlink()
    return folder / PAGE


def strip(explanation: Explanation) -> np.ndarray:
    """A frame of each moment, the same with what decides, and a bar for each moment, as a BGR image."""
    found = explanation.occlusion
    frames = [_scaled(frame) for frame in explanation.frames]
    height, width = frames[0].shape[:2]
    space, time = shares(found.space.weights), shares(found.time.weights)
    spans = explanation.spans()
    columns = []
    for number, frame in enumerate(frames):
        parts = [frame, _heated(frame, space), _bar(time[number], width), _time(spans[number][0], width)]
        column = np.full((2 * height + BAR_PX + TEXT_PX + 2 * GAP_PX, width + GAP_PX, 3), _PAPER, np.uint8)
        top = 0
        for part in parts:
            column[top : top + part.shape[0], :width] = part
            top += part.shape[0] + (GAP_PX if part.shape[0] == height else 0)
        columns.append(column)
    return np.concatenate(columns, axis=1)[:, :-GAP_PX]


def shares(weights: np.ndarray) -> np.ndarray:
    """Weights as shares of the strongest, from -1 to 1; where none counts for much, all are faint."""
    return weights / max(float(np.abs(weights).max()), 2 * LITTLE)


def encoded(image: np.ndarray) -> bytes:
    """A BGR image as JPEG."""
    done, buffer = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    if not done:
        raise RunError(Problem("explanation", "OpenCV cannot write .jpg", "Run `autox-video doctor`"))
    return buffer.tobytes()


def _section(record: dict[str, Any], picture: bytes) -> str:
    says, true = record["says"], record["true_label"]
    told = f"{html.escape(record['label'])} {record['score']:.1%}"
    if true is not None and true != record["label"]:
        told += f' <small><span lang="en">in truth</span><span lang="zh">实为</span> {html.escape(true)}</small>'
    image = f'<img src="data:image/jpeg;base64,{base64.b64encode(picture).decode()}" alt="{html.escape(says["en"])}">'
    words = "".join(f'<p lang="{language}">{html.escape(text)}</p>' for language, text in says.items())
    return f"<section><h2>{html.escape(record['file'])}</h2><h3>{told}</h3>{words}{image}</section>"


def _strip_name(number: int, explanation: Explanation) -> str:
    """A file name that every file system takes."""
    stem = re.sub(r"[^\w-]+", "_", Path(explanation.file).stem).strip("_")[:40]
    return f"explanation_{number:03d}_{stem}.jpg"


def _scaled(frame: np.ndarray) -> np.ndarray:
    height, width = frame.shape[:2]
    size = (max(1, round(FRAME_PX * width / height)), FRAME_PX)
    how = cv2.INTER_AREA if height > FRAME_PX else cv2.INTER_CUBIC
    return cv2.cvtColor(cv2.resize(frame, size, interpolation=how), cv2.COLOR_RGB2BGR)


def _heated(frame: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """The frame, greyer, with what counts in colour."""
    grey = cv2.cvtColor(cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR)
    base = 0.5 * frame.astype(np.float32) + 0.5 * grey
    size = frame.shape[1::-1]
    for part, colour in ((np.maximum(weights, 0), FOR), (np.maximum(-weights, 0), AGAINST)):
        smooth = cv2.resize(part.astype(np.float32), size, interpolation=cv2.INTER_LINEAR)[..., None] * STRONGEST
        base = base * (1 - smooth) + colour * smooth
    return base.round().astype(np.uint8)


def _bar(share: float, width: int) -> np.ndarray:
    """Upwards from a line what speaks for the class, downwards what speaks against it."""
    image = np.full((BAR_PX, width, 3), _PAPER, np.uint8)
    line = BAR_PX * 3 // 4
    end = line - round(share * line) if share >= 0 else line + round(-share * (BAR_PX - line))
    image[min(line, end) : max(line, end), width // 6 : -(width // 6) or None] = FOR if share >= 0 else AGAINST
    image[line] = _LINE
    return image


def _time(seconds: float, width: int) -> np.ndarray:
    image = np.full((TEXT_PX, width, 3), _PAPER, np.uint8)
    cv2.putText(image, f"{seconds:.2f} s", (2, 11), cv2.FONT_HERSHEY_SIMPLEX, 0.36, _INK, 1, cv2.LINE_AA)
    return image
