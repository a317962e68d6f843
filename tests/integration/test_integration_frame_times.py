"""Which frames belong to a piece of a video of uneven rate: our times against those it was made with, and ffprobe's."""

from __future__ import annotations

import itertools
import json
import shutil
import subprocess
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from mmengine.config import Config
from mmengine.registry import DATASETS, DefaultScope
from runs import FAST, run_cli
from videos import write_config

from autox_video.dataset.annotations import read_rows
from autox_video.dataset.probe import probe_videos
from autox_video.decoding import FILES, open_video

NUM_FRAMES, BITS, SQUARE = 1200, 12, 16
# Containers store times in milliseconds at the coarsest.
TOLERANCE = 1e-3
KINDS: dict[str, dict] = {
    "long.mp4": {"options": {"bf": "3"}},
    "long.mkv": {"options": {"bf": "0"}},
    "long.ts": {"container": "mpegts", "options": {"bf": "2"}},
    "long.webm": {"codec": "libvpx-vp9"},
}


def long_times() -> np.ndarray:
    """Milliseconds of frames between 4 and 50 a second, in stretches, of a video of about two minutes."""
    rng = np.random.default_rng(5)
    steps = np.concatenate(
        [rng.integers(low, high, NUM_FRAMES // 4) for low, high in ((20, 40), (33, 34), (100, 250), (20, 250))]
    )
    return np.concatenate([[0], np.cumsum(steps)[:-1]])


def write_numbered(
    path: Path, codec: str = "libx264", container: str | None = None, options: dict | None = None
) -> Path:
    """Each frame shows its number in black and white squares."""
    with av.open(str(path), "w", format=container) as file:
        stream = file.add_stream(codec, rate=25, options=options or {})
        stream.width, stream.height, stream.pix_fmt, stream.bit_rate = (
            SQUARE * BITS // 2,
            2 * SQUARE,
            "yuv420p",
            400_000,
        )
        stream.codec_context.gop_size = 25
        stream.codec_context.time_base = Fraction(1, 1000)
        for number, stamp in enumerate(long_times().tolist()):
            squares = np.array([255 * (number >> bit & 1) for bit in range(BITS)], np.uint8).reshape(2, -1)
            picture = np.repeat(np.kron(squares, np.ones((SQUARE, SQUARE), np.uint8))[..., None], 3, axis=2)
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame.time_base, frame.pts = Fraction(1, 1000), stamp
            file.mux(stream.encode(frame))
        file.mux(stream.encode(None))
    return path


def numbers_of(pictures: np.ndarray) -> list[int]:
    squares = pictures.reshape(len(pictures), 2, SQUARE, -1, SQUARE, 3).mean(axis=(2, 4, 5)).reshape(len(pictures), -1)
    return [sum(int(light > 127) << bit for bit, light in enumerate(row)) for row in squares]


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    root = tmp_path_factory.mktemp("long")
    for name, how in KINDS.items():
        write_numbered(root / name, **how)
    return root


@pytest.fixture(scope="module")
def pieces() -> list[tuple[float, float]]:
    """Ten pieces, one after the other, with times that are no frame's."""
    bounds = np.linspace(3.3337, long_times()[-1] / 1000 - 1.7, 11).round(4).tolist()
    return list(itertools.pairwise(bounds))


def probed_times(path: Path) -> np.ndarray:
    """When each frame is shown, in seconds after the first, as ffprobe says."""
    what = ("-select_streams", "v:0", "-show_entries", "frame=best_effort_timestamp_time", "-of", "json")
    done = subprocess.run(["ffprobe", "-v", "error", *what, str(path)], capture_output=True, text=True, check=True)
    stamps = [float(frame["best_effort_timestamp_time"]) for frame in json.loads(done.stdout)["frames"]]
    return np.array(stamps) - stamps[0]


def assert_times(path: Path, tmp_path: Path, times: np.ndarray) -> None:
    """Our readers say these times, and at each of them stands the frame that was shown then."""
    facts = probe_videos([str(path)], tmp_path / "cache.json")[str(path)]
    assert (facts.num_frames, facts.decoder) == (NUM_FRAMES, "pyav")
    assert np.abs(open_video(str(path), FILES).times() - times).max() < TOLERANCE
    order = np.random.default_rng(1).permutation(NUM_FRAMES)[:40]
    assert numbers_of(open_video(str(path), FILES).frames(order)) == order.tolist()


@pytest.mark.parametrize("name", KINDS)
def test_frames_have_the_times_they_were_written_with(folder, tmp_path, name):
    assert_times(folder / name, tmp_path, long_times() / 1000)


@pytest.mark.skipif(shutil.which("ffprobe") is None, reason="ffprobe is not on the PATH")
@pytest.mark.parametrize("name", KINDS)
def test_frames_have_the_times_that_ffprobe_finds(folder, tmp_path, name):
    assert_times(folder / name, tmp_path, probed_times(folder / name))


def test_ten_pieces_of_a_long_uneven_video_train_and_test_on_their_own_frames(folder, pieces, tmp_path):
    lines = [f"long.mp4,{'ab'[index % 2]},{start},{end}" for index, (start, end) in enumerate(pieces)]
    (tmp_path / "pieces.csv").write_text("\n".join(["path,label,start,end", *lines]) + "\n")
    lists = {f"ann_file_{split}": "pieces.csv" for split in ("train", "val", "test")}
    values = {"data_root": str(folder), **lists, "work_dir": "run", "test_results_path": "r.json", "epoch": 1, **FAST}
    config = str(write_config(tmp_path / "config.yaml", **values))
    run_cli("train", "-c", config)
    run_cli("test", "-c", config)
    results = json.loads((tmp_path / "r.json").read_text())
    assert [(row["start_seconds"], row["end_seconds"], row["status"]) for row in results["videos"]] == [
        (*piece, "ok") for piece in pieces
    ]
    rows = read_rows(tmp_path / "run" / "annotations" / "test.txt")
    assert [(row.start_seconds, row.end_seconds) for row in rows] == pieces
    times = probed_times(folder / "long.mp4") if shutil.which("ffprobe") else long_times() / 1000
    config = Config.fromfile(tmp_path / "run" / "config_rendered.py")
    for split, draws in (("train", 4), ("test", 1)):
        with DefaultScope.overwrite_default_scope("mmaction"):
            dataset = DATASETS.build(config[f"{split}_dataloader"].dataset)
        for index, (start, end) in enumerate(pieces):
            seen = {number for _ in range(draws) for number in frames_seen(dataset, index)}
            assert all(start - TOLERANCE <= times[number] < end for number in seen), (split, index)
            assert len(seen) > 1


def frames_seen(dataset: Any, index: int) -> list[int]:
    """The numbers of the frames that a loader asks for, of one sample."""
    results = dataset.get_data_info(index)
    for transform in dataset.pipeline.transforms:
        results = transform(results)
        if "frame_inds" in results:
            return numbers_of(results["video_reader"].frames(np.ravel(results["frame_inds"])))
    raise AssertionError("the pipeline samples frames")
