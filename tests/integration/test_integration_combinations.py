"""Pieces, several labels, leaks and the preview together: what each part does alone holds when they meet."""

from __future__ import annotations

import json
import re
import shutil

import jsonschema
import numpy as np
import pytest
from odd_videos import uneven_times, write_odd
from runs import FAST, Run, run_cli
from videos import write_config, write_video

from autox_video.presets import shared_folder

BOUNDS = [(round(0.8 * index, 1), round(0.8 * index + 0.8, 1)) for index in range(8)]
LABELS = ["top", "low", "top;low", "top", "low", "top;low", "top", "low"]


@pytest.fixture(scope="module")
def job(tmp_path_factory) -> Run:
    """Pieces of uneven videos with several labels, of which some of test are in train too; trained and tested."""
    folder = tmp_path_factory.mktemp("together")
    uneven = write_odd(folder / "videos" / "long.mp4", milliseconds=uneven_times())
    shutil.copy(uneven, folder / "videos" / "copy.mp4")
    for seed, name in enumerate(("val.mp4", "new.mp4")):
        write_video(folder / "videos" / name, frames=40, fps=10.0, seed=seed)
    lists = {
        "train": [("long.mp4", *piece, labels) for piece, labels in zip(BOUNDS, LABELS, strict=True)],
        "val": [("val.mp4", *piece, labels) for piece, labels in zip(BOUNDS[:4], LABELS, strict=False)],
        "test": [
            *(("new.mp4", *piece, labels) for piece, labels in zip(BOUNDS[:4], LABELS, strict=False)),
            ("long.mp4", *BOUNDS[0], LABELS[0]),
            ("copy.mp4", *BOUNDS[1], LABELS[1]),
            ("long.mp4", 6.4, 7.2, "top;low"),
        ],
    }
    for split, rows in lists.items():
        lines = ["path,start,end,label", *(",".join(map(str, row)) for row in rows)]
        (folder / f"{split}.csv").write_text("\n".join(lines) + "\n")
    files = {f"ann_file_{split}": f"{split}.csv" for split in lists}
    values = {"data_root": "videos", **files, **FAST, "epoch": 1, "work_dir": "run", "test_results_path": "run/r.json"}
    config = write_config(folder / "config.yaml", **values)
    output = run_cli("train", "-c", str(config)) + run_cli("test", "-c", str(config))
    return Run(folder, folder / "run", config, output)


def test_several_labels_of_pieces_are_scored_with_and_without_those_in_train(job):
    results = json.loads((job.work_dir / "r.json").read_text())
    schema = json.loads((shared_folder("resources") / "results_multi_label.schema.json").read_text())
    jsonschema.validate(results, schema)
    leaks = {(row["file"], row["start_seconds"]): row["leak"] for row in results["videos"] if row["leak"]}
    assert leaks == {
        ("long.mp4", 0.0): "same file as train: long.mp4",
        ("copy.mp4", 0.8): "same content as train: long.mp4",
        ("long.mp4", 6.4): "same group as train: long.mp4",
    }
    assert results["leaks_note"] == "without the 3 of 7 test videos that also stand in train or val"
    assert [label["num_videos"] for label in results["metrics"]["per_label"]] == [4, 5]
    new = results["metrics_without_leaks"]
    assert [label["num_videos"] for label in new["per_label"]] == [2, 3]
    assert new["exact_match"] == np.mean([row["correct"] for row in results["videos"] if not row["leak"]])
    assert "without the 3 of 7 test videos that also stand in train or val" in job.output


def test_the_preview_shows_of_each_piece_its_own_frames(job, tmp_path):
    config, times = str(job.config), np.array(uneven_times()) / 1000
    run_cli("preview", "-c", config, "--work-dir", str(tmp_path / "run"), "--videos", "9", "--draws", "2")
    page = (tmp_path / "run" / "preview" / "preview.html").read_text(encoding="utf-8")
    captions = re.findall(r"<figcaption>(train: long\.mp4.*?)</figcaption>", page)
    assert len(captions) == 2 * sum(labels.count(";") + 1 for labels in LABELS)
    frames = [tuple(map(int, found)) for found in re.findall(r"frames (\d+) to (\d+)", " ".join(captions))]
    assert len(frames) == len(captions)
    pieces = {tuple(np.searchsorted(times, bounds)) for bounds in BOUNDS}
    assert all(any(start <= first <= last < end for start, end in pieces) for first, last in frames)
    assert len({next(start for start, end in pieces if start <= first < end) for first, _ in frames}) == len(BOUNDS)
