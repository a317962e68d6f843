from __future__ import annotations

import json

import cv2
import numpy as np
import pytest
from runs import FAST, run_cli
from videos import write_config, write_images, write_video


def test_folders_of_images_train_test_and_survive_a_lost_image(tmp_path):
    lines: dict[str, list[str]] = {"train": [], "val": []}
    for seed in range(8):
        split, label = ("train", "val")[seed > 5], seed % 2
        name = "{:05}.png" if seed % 3 else "img_{:04}.jpg"
        write_images(tmp_path / "v" / f"clip {seed}", start=seed % 4, name=name, brightness=40 + 150 * label, seed=seed)
        lines[split].append(f"clip {seed} 12 {label}")
    write_video(tmp_path / "v" / "a.mp4")
    (tmp_path / "train.txt").write_text("\n".join(lines["train"]))
    (tmp_path / "val.txt").write_text("\n".join(lines["val"]))
    (tmp_path / "test.csv").write_text(
        "path,label,start,end\nclip 6,0,0,0.5\nclip 7,1,0.5,\na.mp4,0,,\nclip 0,0,,\nclip 1,1,,\n"
    )
    files = {f"ann_file_{split}": f"{split}.txt" for split in ("train", "val")}
    config = write_config(
        tmp_path / "config.yaml",
        **{"data_root": "v", **files, "ann_file_test": "test.csv", "data": {"image_fps": 12}, **FAST},
        **{"epoch": 1, "work_dir": "run", "test_results_path": "r.json"},
    )
    assert "6 train, 2 val, 5 test videos of 2 classes" in run_cli("train", "-c", str(config))
    run_cli("preview", "-c", str(config))
    run_cli("test", "-c", str(config))
    before = scores(tmp_path)
    assert list(before) == ["clip 6", "clip 7", "a.mp4", "clip 0", "clip 1"]
    assert None not in before.values()
    (tmp_path / "v" / "clip 0" / "img_0005.jpg").unlink()
    run_cli("test", "-c", str(config))
    after = scores(tmp_path)
    assert after.pop("clip 0") is None
    # Other videos share a batch now, which may change how a sum is rounded.
    assert all(score == pytest.approx(before[name], abs=1e-6) for name, score in after.items())
    assert "5 train videos left out, only this package reads them: " in run_cli("render", "--stock", "-c", str(config))


def scores(folder) -> dict[str, list[float] | None]:
    rows = json.loads((folder / "r.json").read_text())["videos"]
    return {row["file"]: row["scores"] for row in rows}


def test_training_sees_the_very_images(tmp_path):
    from autox_video.runner.transforms.video import VideoDecode, VideoOpen

    folder = write_images(tmp_path / "v", name="{}.png", frames=5, start=7)
    opened = VideoOpen()({"filename": str(folder), "decoder": "images@10", "start_seconds": 0.2, "end_seconds": 0.4})
    assert (opened["start_index"], opened["total_frames"], opened["avg_fps"]) == (2, 2, 10.0)
    decoded = VideoDecode()({**opened, "frame_inds": np.array([2, 3])})
    for picture, name in zip(decoded["imgs"], ("9.png", "10.png"), strict=True):
        assert np.array_equal(picture, cv2.imread(str(folder / name))[..., ::-1])
