"""Damaged copies of small videos: cut off, with spoiled bytes, with holes, with the head of another file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from odd_videos import write_odd
from videos import write_config, write_video

SOURCES: dict[str, dict] = {
    "h264.mp4": {},
    "mpeg4.mp4": {"codec": "mpeg4"},
    "mjpeg.avi": {"codec": "mjpeg"},
    "mpeg4.avi": {"codec": "mpeg4"},
    "h264.mkv": {},
    "vp9.mkv": {"codec": "libvpx-vp9"},
}
CLASSES = ("dark", "light")
HEAD_BYTES = 512


def cut_off(content: bytes, rng: np.random.Generator, _: bytes) -> bytes:
    return content[: int(rng.integers(1, len(content)))]


def spoil_bytes(content: bytes, rng: np.random.Generator, _: bytes) -> bytes:
    spoiled = np.frombuffer(content, np.uint8).copy()
    places = rng.integers(0, len(content), int(2 ** rng.integers(0, 9)))
    spoiled[places] ^= rng.integers(1, 256, len(places), dtype=np.uint8)
    return spoiled.tobytes()


def zero_a_range(content: bytes, rng: np.random.Generator, _: bytes) -> bytes:
    start = int(rng.integers(0, len(content)))
    length = min(len(content) - start, int(2 ** rng.integers(3, 14)))
    return content[:start] + bytes(length) + content[start + length :]


def swap_head(content: bytes, rng: np.random.Generator, other: bytes) -> bytes:
    length = int(rng.integers(4, HEAD_BYTES))
    return other[:length] + content[length:]


DAMAGES = (cut_off, spoil_bytes, zero_a_range, swap_head)


def write_damaged(folder: Path, count: int, seed: int = 0) -> list[str]:
    """Write so many damaged videos, each source with each damage in turn; returns their names."""
    folder.mkdir(parents=True, exist_ok=True)
    contents = []
    for name, how in SOURCES.items():
        contents.append(write_odd(folder / name, **how).read_bytes())
        (folder / name).unlink()
    rng = np.random.default_rng(seed)
    names, endings = [], [Path(name).suffix for name in SOURCES]
    for number in range(count):
        damage, which = DAMAGES[number % len(DAMAGES)], number // len(DAMAGES) % len(SOURCES)
        other = contents[(which + int(rng.integers(1, len(SOURCES)))) % len(SOURCES)]
        name = f"{number:03d} {damage.__name__} {list(SOURCES)[which].split('.')[0]}{endings[which]}"
        (folder / name).write_bytes(damage(contents[which], rng, other))
        names.append(name)
    return names


def write_fuzz_job(root: Path, count: int, seed: int = 0) -> list[str]:
    """A list of damaged videos and twice as many good ones, to train and to test on, and a config.yaml."""
    names = write_damaged(root / "videos", count, seed)
    lines = [f"{name}\t{CLASSES[number % 2]}" for number, name in enumerate(names)]
    for number in range(2 * count):
        file = write_video(root / "videos" / "good" / f"{number}.mp4", brightness=60 + 100 * (number % 2), seed=number)
        lines.append(f"good/{file.name}\t{CLASSES[number % 2]}")
    (root / "all.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    (root / "val.txt").write_text("\n".join(lines[-4:]) + "\n", encoding="utf-8")
    write_config(
        root / "config.yaml",
        data_root="videos",
        **{"ann_file_train": "all.txt", "ann_file_val": "val.txt", "ann_file_test": "all.txt"},
        work_dir="run",
        test_results_path="run/results.json",
        epoch=1,
        model={"name": "video_swin_nano", "load_from": "none"},
        clip={"clip_len": 4},
        videos_per_gpu=8,
        runtime={"device": "cpu", "workers": 1},
    )
    return names
