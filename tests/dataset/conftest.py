from __future__ import annotations

import os
import shutil
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
from videos import write_video

from autox_video.dataset.fingerprint import fingerprint_dataset
from autox_video.dataset.probe import probe_videos
from autox_video.settings import schema
from autox_video.work_dir import WorkDir


@pytest.fixture(scope="session")
def clip(tmp_path_factory) -> Path:
    """One short readable video."""
    return write_video(tmp_path_factory.mktemp("clip") / "clip.mp4", frames=6)


@pytest.fixture(scope="session")
def crasher(tmp_path_factory) -> Path:
    """An AVI cut in half, which brings the decoder down."""
    path = tmp_path_factory.mktemp("crasher") / "cut.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"MJPG"), 10, (64, 48))
    for column in range(40):
        frame = np.zeros((48, 64, 3), np.uint8)
        frame[:, column : column + 9] = 255
        writer.write(frame)
    writer.release()
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    return path


@pytest.fixture(scope="session")
def library(tmp_path_factory):
    """Videos in every layout the tests need, probed once: only to be read.

    `flat/` holds a0.mp4 to a9.mp4 and b0.mp4 to b9.mp4, broken files bad0.mp4 to bad4.mp4, and odd
    names; `classes/` ten videos each of `jump` and `run`; `splits/` the same under train and val.
    """
    root = tmp_path_factory.mktemp("library")
    names = [f"flat/{letter}{index}.mp4" for letter in "ab" for index in range(10)]
    names += [
        f"flat/{name}" for name in ("-dash.mp4", "with space.mp4", "跳舞.mp4", "🎬.mp4", " lead.mp4", "x,y;z.mp4")
    ]
    names += [f"classes/{name}/{index}.mp4" for name in ("jump", "run") for index in range(10)]
    names += [
        f"splits/{split}/{name}/{index}.mp4"
        for split in ("Train", "VAL")
        for name in ("jump", "run")
        for index in (1, 2)
    ]
    for seed, name in enumerate(names):
        write_video(root / name, frames=6, seed=seed)
    for index in range(5):
        (root / f"flat/bad{index}.mp4").write_bytes(b"this is no video")
    write_video(root / "flat/long.mp4", frames=24, size=64, fps=8.0)
    cache = root / "probe_cache.json"
    probe_videos([str(path) for path in sorted(root.rglob("*.mp4"))], cache)
    return SimpleNamespace(root=root, flat=root / "flat", cache=cache)


@pytest.fixture
def read(tmp_path, library):
    """Fingerprint a folder of the library with lists given as text, e.g. `read("flat", train="a0.mp4 0")`."""

    def fingerprint(folder: str, *, call: dict | None = None, folds: int | None = None, **given):
        lists = {split: given.pop(split) for split in ("train", "val", "test") if split in given}
        for split, lines in lists.items():
            file = tmp_path / f"{split}.txt"
            file.write_text(lines if isinstance(lines, str) else "\n".join(lines), encoding="utf-8")
            given[f"ann_file_{split}"] = file
        if folds:
            given["test"] = schema.TestSettings(folds=folds)
        work_dir = WorkDir(tmp_path / "run")
        os.makedirs(work_dir.root, exist_ok=True)
        shutil.copy(library.cache, work_dir.probe_cache)
        settings = schema.Settings(**{"data_root": library.root / folder, **given})
        return fingerprint_dataset(settings, work_dir, **(call or {}))

    return fingerprint
