"""No speed: segment F1 of `autox-video timeline` on demo clips joined into one video, with still background between.

A seed draws ten clips of one split, puts 1 to 3 seconds in which nothing moves before, between and after them, and
writes one video. What stands still is drawn too: the frame before it, a frame of another clip, or a background
without a shape; a camera's noise lies over clips and background alike where `--noise` says so. The segments that the
command finds are compared with where the clips lie. Thresholds were chosen on `--split val`; test is what counts.
"""

from __future__ import annotations

import argparse
import csv
import statistics
import tempfile
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from measuring import ROOT, markdown, write_result

from autox_video.decoding import open_file
from autox_video.demo_data import FPS, SIDE_PX, _background
from autox_video.using.timeline.timelines import Wishes, make_timelines

CLIPS = 10
STILL_SECONDS = (1.0, 3.0)
KINDS = ("held", "other", "empty")


def joined(folder: Path, split: str, seed: int) -> tuple[np.ndarray, list[tuple[float, float, str]]]:
    """Frames of a joined video, uint8 of shape (T, H, W, 3), and where which clip lies in it, in seconds."""
    random = np.random.RandomState([seed, ("val", "test").index(split)])
    lines = (folder / "annotations" / f"{split}_list.txt").read_text(encoding="utf-8").splitlines()
    drawn = [lines[place].split(" ") for place in random.choice(len(lines), CLIPS + 1, replace=False)]
    clips = [_frames(folder / "videos" / name) for name, _ in drawn]
    parts: list[np.ndarray] = []
    known, count = [], 0
    for (_, label), clip in zip(drawn[:CLIPS], clips[:CLIPS], strict=True):
        for part in (_still(random, parts[-1] if parts else clips[-1], clips[-1]), clip):
            parts.append(part)
            count += len(part)
        known.append(((count - len(clip)) / FPS, count / FPS, label))
    parts.append(_still(random, parts[-1], clips[-1]))
    return np.concatenate(parts), known


def _still(random: np.random.RandomState, before: np.ndarray, other: np.ndarray) -> np.ndarray:
    kind = KINDS[random.randint(len(KINDS))]
    empty = np.rint(_background(random)).astype(np.uint8)
    frame = {"held": before[-1], "other": other[random.randint(len(other))], "empty": empty}[kind]
    return np.repeat(frame[None], round(random.uniform(*STILL_SECONDS) * FPS), axis=0)


def _frames(path: Path) -> np.ndarray:
    reader = open_file(str(path))
    return reader.frames(np.arange(reader.num_frames))


def _write(path: Path, frames: np.ndarray, noise: float) -> None:
    random = np.random.RandomState(0)
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), FPS, (SIDE_PX, SIDE_PX))
    for frame in frames:
        seen = frame + random.normal(0, noise, frame.shape) if noise else frame
        writer.write(np.clip(np.rint(seen), 0, 255).astype(np.uint8)[..., ::-1].copy())
    writer.release()


def measure(arguments: argparse.Namespace, folder: Path) -> list[dict[str, float]]:
    """Figures of each seed."""
    videos, rows = [], []
    for seed in range(arguments.seeds):
        frames, known = joined(arguments.data, arguments.split, seed)
        videos.append(folder / f"seed{seed}.mp4")
        _write(videos[-1], frames, arguments.noise)
        rows += [(videos[-1].name, *segment) for segment in known]
    truth = folder / "truth.csv"
    with truth.open("w", newline="") as file:
        csv.writer(file).writerows([("file", "start", "end", "label"), *rows])
    wishes = Wishes(stride_seconds=arguments.stride)
    found = make_timelines([str(video) for video in videos], arguments.model, folder / "out", wishes, truth=truth)
    return [row.metrics.f1 | {"frames": row.metrics.frame_accuracy} for row in found.rows if row.metrics]


def table(record: dict[str, Any]) -> str:
    """The figures as Markdown."""
    rows = []
    for word, fold in (("mean", statistics.mean), ("worst", min)):
        cells = [f"{fold([seed[name] for seed in record['seeds']]):.3f}" for name in ("0.1", "0.25", "0.5", "frames")]
        rows.append([f"{word} of {len(record['seeds'])} videos", *cells])
    return markdown([f"ten clips of {record['split']}", "F1@0.1", "F1@0.25", "F1@0.5", "frames right"], rows)


def main() -> None:
    """Measure, print, and keep what was found on test."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, default=ROOT / "work_dirs" / "demo")
    parser.add_argument("--data", type=Path, default=ROOT / "data" / "demo")
    parser.add_argument("--split", choices=("val", "test"), default="test")
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--stride", type=float, help="seconds; default: the command's")
    parser.add_argument("--noise", type=float, default=0.0, help="standard deviation in grey levels (default: 0)")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        record = {"split": arguments.split, "noise": arguments.noise, "seeds": measure(arguments, Path(folder))}
    if arguments.split == "test" and not arguments.noise and arguments.stride is None:
        record = write_result("timeline_segments", record)
    for number, seed in enumerate(record["seeds"]):
        print(number, {name: round(value, 3) for name, value in seed.items()})
    print(table(record))


if __name__ == "__main__":
    main()
