"""Videos to try the tool on: eight classes that only motion tells apart, generated, a few megabytes.

A clip shows one random shape over a random background. Its state is four phases, each on a circle: how far
across it is, how far down, how far turned, how large. A class moves one of the four, one way; at the end of its
range the phase starts again from the beginning. As every phase starts anywhere, a single frame of any class,
the first and the last included, is drawn from one and the same distribution: only the order of frames
carries the label.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from autox_video.errors import Problem, RequestError, RunError
from autox_video.progress import Bar, progress_bar
from autox_video.writing import TEMPORARY_ENDING, sync_folder, sync_tree, write_json, write_text

# Class name: which phase moves, and which way. The vertical axis of an image points down.
MOTIONS: Final[dict[str, tuple[str, int]]] = {
    "move_left": ("across", -1),
    "move_right": ("across", +1),
    "move_up": ("down", -1),
    "move_down": ("down", +1),
    "turn_clockwise": ("turned", +1),
    "turn_counter_clockwise": ("turned", -1),
    "grow": ("size", +1),
    "shrink": ("size", -1),
}
CLIPS_PER_CLASS: Final[dict[str, int]] = {"train": 60, "val": 20, "test": 20}
SIDE_PX: Final = 64
NUM_FRAMES: Final = 20
FPS: Final = 10
# Share of its range that the moving phase travels in a clip.
TRAVEL: Final = (0.5, 0.9)
# Size of the shape, as the radius in pixels it would have as a full circle, when the size phase is 0 and (almost) 1.
RADIUS_PX: Final = (10.0, 24.0)
# The outline is a circle bent by waves of 1, 2 and 3 periods a turn; least and greatest height, relative to the radius.
# The second makes the shape long, without which its turning would hardly show.
WAVE_HEIGHTS: Final = ((0.0, 0.2, 0.0), (0.1, 0.3, 0.1))
MEAN_OUTLINE: Final = 0.7
# Largest deviation of the background from its colour, in grey levels.
TEXTURE: Final = 20.0
MANIFEST: Final = "manifest.json"
VERSION: Final = 1


@dataclass(frozen=True)
class DemoData:
    """Where the demo data is.

    Attributes:
        folder: Holds everything.
        data_root: Folder of the videos.
        ann_files: The list of each split: train, val, test. A line is `file class_name`.
        classes: Class names.
    """

    folder: Path
    data_root: Path
    ann_files: dict[str, Path]
    classes: tuple[str, ...]


def write_demo_data(folder: Path, *, seed: int = 0) -> DemoData:
    """Write the demo data, or find that it is there already.

    The folder appears under its name only when it is complete; a kill leaves at most a hidden folder beside
    it. Frames are the same on every machine; the encoded files are the same each time on one machine.

    Args:
        folder: Where to write. It must not exist, be empty, or hold this very data; nothing is overwritten.
        seed: Another seed gives other clips.

    Raises:
        RequestError: The folder holds something else, or a file of the data was changed.
        RunError: The videos cannot be encoded or written.
    """
    data = DemoData(
        folder,
        folder / "videos",
        {split: folder / "annotations" / f"{split}_list.txt" for split in CLIPS_PER_CLASS},
        tuple(MOTIONS),
    )
    if _exists(folder):
        _check_unchanged(folder, seed)
        return data
    temporary: Path | None = None
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name}.", suffix=TEMPORARY_ENDING))
        _write_all(temporary, seed)
        temporary.chmod(0o777 & ~_umask())
        sync_tree(temporary)
        os.replace(temporary, folder)
        sync_folder(folder.parent)
    except OSError as error:
        wrong = f"cannot be written: {error.strerror or error}"
        raise RunError(Problem(str(folder), wrong, "Free space or choose another folder")) from error
    finally:
        if temporary is not None:
            shutil.rmtree(temporary, ignore_errors=True)
    return data


def render_clip(class_name: str, split: str, number: int, *, seed: int = 0) -> np.ndarray:
    """The frames of one clip.

    Args:
        class_name: A key of `MOTIONS`.
        split: `train`, `val` or `test`; no two splits share a random number stream.
        number: Which clip of this class and split, from 0.
        seed: Of the whole data set.

    Returns:
        uint8, RGB, shape (NUM_FRAMES, SIDE_PX, SIDE_PX, 3).
    """
    stream = [seed, list(CLIPS_PER_CLASS).index(split), list(MOTIONS).index(class_name), number]
    # RandomState, not a Generator: its streams are frozen for ever, so every numpy draws the same clips.
    random = np.random.RandomState(stream)
    background = _background(random)
    look = _Look(
        wave_heights=random.uniform(*WAVE_HEIGHTS),
        wave_phases=random.uniform(0, 2 * np.pi, 3),
        dark=random.uniform(40, 90, 3),
        bright=random.uniform(200, 255, 3),
    )
    start = dict(zip(("across", "down", "turned", "size"), random.uniform(0, 1, 4), strict=True))
    phases = move(class_name, start, random.uniform(*TRAVEL))
    return np.stack([_draw(background, look, **now) for now in phases])


def move(class_name: str, start: dict[str, float], travel: float) -> list[dict[str, float]]:
    """The four phases, each in [0, 1], in every frame of a clip.

    Args:
        class_name: A key of `MOTIONS`.
        start: The phases in the first frame.
        travel: Share of its range that the moving phase would travel in `NUM_FRAMES` steps.
    """
    phase, direction = MOTIONS[class_name]
    step = direction * travel / NUM_FRAMES
    return [start | {phase: (start[phase] + step * time) % 1.0} for time in range(NUM_FRAMES)]


@dataclass(frozen=True)
class _Look:
    """What a shape looks like: the waves of its outline, and two RGB colours."""

    wave_heights: np.ndarray
    wave_phases: np.ndarray
    dark: np.ndarray
    bright: np.ndarray


def _background(random: np.random.RandomState) -> np.ndarray:
    """A soft random texture on a dark colour, float64 in [0, 255], shape (SIDE_PX, SIDE_PX, 3)."""
    cells = 8
    coarse = random.uniform(-1, 1, (cells, cells, 3))
    position = np.arange(SIDE_PX) * cells / SIDE_PX
    low = position.astype(int)
    high, share = (low + 1) % cells, position - low
    rows = coarse[low] * (1 - share)[:, None, None] + coarse[high] * share[:, None, None]
    texture = rows[:, low] * (1 - share)[:, None] + rows[:, high] * share[:, None]
    return random.uniform(40, 100, 3) + TEXTURE * texture


def _draw(background: np.ndarray, look: _Look, across: float, down: float, turned: float, size: float) -> np.ndarray:
    """One frame: the shape at its place, continued on the other side where it crosses the border."""
    radius = RADIUS_PX[0] * (RADIUS_PX[1] / RADIUS_PX[0]) ** size
    half, pixels = SIDE_PX / 2, np.arange(SIDE_PX) + 0.5
    x, y = np.meshgrid(*((pixels - place * SIDE_PX + half) % SIDE_PX - half for place in (across, down)))
    distance = np.hypot(x, y)
    near = distance < radius * (MEAN_OUTLINE + look.wave_heights.sum()) + 1
    angle, distance = np.arctan2(y[near], x[near]) - 2 * np.pi * turned, distance[near]
    waves = zip((1, 2, 3), look.wave_heights, look.wave_phases, strict=True)
    outline = radius * (MEAN_OUTLINE + sum(height * np.cos(k * angle + phase) for k, height, phase in waves))
    alpha = np.clip(outline - distance + 0.5, 0, 1)[:, None]
    # Shaded once around like a radar beam: a turn then darkens or brightens every point of the shape in its own order.
    shade = (angle / (2 * np.pi) % 1.0)[:, None]
    colour = look.dark + (look.bright - look.dark) * shade
    frame = background.copy()
    frame[near] += (colour - frame[near]) * alpha
    return np.rint(frame).astype(np.uint8)


def _write_all(folder: Path, seed: int) -> None:
    files: dict[str, str] = {}
    (folder / "videos").mkdir()
    with progress_bar(len(MOTIONS) * sum(CLIPS_PER_CLASS.values()), "writing demo videos") as bar:
        for split, count in CLIPS_PER_CLASS.items():
            lines = [line for name in MOTIONS for line in _write_class(folder, split, name, count, seed, bar)]
            write_text(folder / "annotations" / f"{split}_list.txt", "".join(lines))
    for path in sorted([*folder.glob("videos/*"), *folder.glob("annotations/*")]):
        files[path.relative_to(folder).as_posix()] = _sha256(path)
    write_json(folder / MANIFEST, {"version": VERSION, "seed": seed, "sha256": files})


def _write_class(folder: Path, split: str, name: str, count: int, seed: int, bar: Bar) -> list[str]:
    """Write the clips of one class and split; return their lines of the list."""
    lines = []
    for number in range(count):
        file = f"{split}_{name}_{number:02d}.mp4"
        _encode(folder / "videos" / file, render_clip(name, split, number, seed=seed))
        lines.append(f"{file} {name}\n")
        bar.advance()
    return lines


def _encode(path: Path, frames: np.ndarray) -> None:
    # OpenCV takes 0.1 s to import, which `--help` need not pay.
    import cv2

    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), FPS, (SIDE_PX, SIDE_PX))
    if not writer.isOpened():
        cure = "Run `autox-video doctor`; see whether the folder may be written"
        raise RunError(Problem(str(path), "OpenCV cannot open it to write MPEG-4 video", cure))
    for frame in frames:
        writer.write(np.ascontiguousarray(frame[..., ::-1]))
    writer.release()
    # A writer that runs out of disk says nothing.
    if int(cv2.VideoCapture(str(path)).get(cv2.CAP_PROP_FRAME_COUNT)) != len(frames):
        raise RunError(Problem(str(path), "was not written whole", "Free space or choose another folder"))


def _exists(folder: Path) -> bool:
    return folder.exists() and not (folder.is_dir() and next(folder.iterdir(), None) is None)


def _check_unchanged(folder: Path, seed: int) -> None:
    """Raise unless `folder` holds the data of this seed and version, file for file."""
    cure = "Choose another folder, or remove this one; nothing in it was changed"
    try:
        manifest: dict[str, Any] = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        found, files = (manifest["version"], manifest["seed"]), dict(manifest["sha256"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise RequestError(Problem(str(folder), "exists and is not demo data", cure)) from error
    if found != (VERSION, seed):
        got = f"version {found[0]}, seed {found[1]}"
        wrong = f"holds other demo data than version {VERSION}, seed {seed}"
        raise RequestError(Problem(str(folder), wrong, cure, got))
    paths = [folder / name for name in sorted(files)]
    changed = [p for p in paths if not p.is_file() or _sha256(p) != files[p.relative_to(folder).as_posix()]]
    if changed:
        raise RequestError([Problem(str(path), "is not as the demo data was written", cure) for path in changed])


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _umask() -> int:
    value = os.umask(0)
    os.umask(value)
    return value
