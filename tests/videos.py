"""Small real video files for tests."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np


def write_video(
    path: Path, *, brightness: int = 128, frames: int = 12, size: int = 32, fps: float = 12.0, seed: int = 0
) -> Path:
    """A noisy grey video whose mean brightness tells its class."""
    path.parent.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(seed)
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"mp4v"), fps, (size, size))
    assert writer.isOpened()
    for _ in range(frames):
        noise = rng.integers(-20, 20, (size, size, 3))
        writer.write(np.clip(brightness + noise, 0, 255).astype(np.uint8))
    writer.release()
    return path


def write_image(path: Path, *, brightness: int = 128, size: tuple[int, int] = (32, 32), seed: int = 0) -> Path:
    """A noisy grey image of a width and height; the ending decides the kind."""
    path.parent.mkdir(parents=True, exist_ok=True)
    noise = np.random.default_rng(seed).integers(-20, 20, (size[1], size[0], 3))
    assert cv2.imwrite(str(path), np.clip(brightness + noise, 0, 255).astype(np.uint8))
    return path


def write_images(folder: Path, *, frames: int = 12, start: int = 1, name: str = "img_{:05}.jpg", **image: int) -> Path:
    """A folder of numbered images, otherwise as `write_video`."""
    seed = image.pop("seed", 0)
    for number in range(start, start + frames):
        write_image(folder / name.format(number), seed=seed * 1000 + number, **image)
    return folder


def write_dataset(
    root: Path,
    *,
    classes: tuple[str, ...] = ("dark", "light"),
    train: int = 8,
    val: int = 3,
    test: int = 3,
    size: int = 32,
) -> dict[str, str]:
    """Videos and lists of a data set; returns the settings that name them."""
    brightness = np.linspace(40, 215, len(classes)).astype(int)
    for split, count in (("train", train), ("val", val), ("test", test)):
        lines = []
        for label, name in enumerate(classes):
            for index in range(count):
                file = f"{name}_{split}_{index}.mp4"
                seed = hash_of(split, label, index)
                write_video(root / "videos" / file, brightness=int(brightness[label]), size=size, seed=seed)
                lines.append(f"{file} {name}")
        (root / f"{split}_list.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return {"data_root": "videos", **{f"ann_file_{split}": f"{split}_list.txt" for split in ("train", "val", "test")}}


def hash_of(split: str, label: int, index: int) -> int:
    return ("train", "val", "test").index(split) * 10_000 + label * 1_000 + index


def write_config(path: Path, **values: object) -> Path:
    """A config.yaml of plain values."""
    import yaml

    path.write_text(yaml.safe_dump(values, sort_keys=False, allow_unicode=True), encoding="utf-8")
    return path
