from __future__ import annotations

import json
import os
import shutil

import jsonschema
import pytest
from odd_videos import NUM_FRAMES, uneven_times, write_odd
from runs import FAST, ROOT, run_cli
from videos import write_config


@pytest.mark.slow
def test_ten_pieces_of_a_long_uneven_video_train_and_test(tmp_path):
    write_odd(tmp_path / "videos" / "long.mp4", milliseconds=uneven_times())
    write_odd(tmp_path / "videos" / "other.ts", container="mpegts")
    pieces = [("long.mp4", "ab"[index % 2], 0.8 * index, 0.8 * index + 0.8) for index in range(10)]
    pieces += [("other.ts", "a", 0.0, 2.0), ("other.ts", "b", 2.0, None)]
    lines = [f"{path},{label},{start},{'' if end is None else end}" for path, label, start, end in pieces]
    (tmp_path / "pieces.csv").write_text("\n".join(["path,label,start,end", *lines]) + "\n")
    lists = {f"ann_file_{split}": "pieces.csv" for split in ("train", "val", "test")}
    config = write_config(
        tmp_path / "config.yaml",
        data_root="videos",
        **lists,
        epoch=1,
        work_dir="run",
        test_results_path="r.json",
        **FAST,
    )
    run_cli("train", "-c", str(config))
    run_cli("test", "-c", str(config))
    results = json.loads((tmp_path / "r.json").read_text())
    jsonschema.validate(results, json.loads((ROOT / "resources" / "results.schema.json").read_text()))
    rows = [(row["file"], row["start_seconds"], row["end_seconds"], row["status"]) for row in results["videos"]]
    assert rows == [(path, start, end, "ok") for path, _, start, end in pieces]
    # Each piece is of another grey: scores that differ come from frames that differ.
    assert len({tuple(row["scores"]) for row in results["videos"]}) == len(rows)
    assert len(pieces) < NUM_FRAMES


def test_a_video_that_turns_bad_after_the_preflight_does_not_end_the_run(made_data, tmp_path):
    folder = tmp_path / "job"
    shutil.copytree(made_data, folder)
    config = str(folder / "config.yaml")
    run_cli("check", "-c", config)
    names = ("dark_train_0.mp4", "light_val_0.mp4", "light_test_1.mp4")
    for name in names:
        spoil(folder / "videos" / name)
    output = run_cli("train", "-c", config, "--set", "epoch=2", "--set", "runtime.workers=1")
    reason = "is no video, or its header is damaged or cut off"
    assert f"dark_train_0.mp4 {reason}: another video of its class takes its place" in output
    assert f"light_val_0.mp4 {reason}: the validation figures leave it out" in output
    assert output.count(f"{reason}: ") == 2
    assert "2 of the videos could not be read during training; the log names them" in output
    assert "dark_train_0.mp4" in (folder / "run" / "train.log").read_text()
    run_cli("test", "-c", config)
    results = json.loads((folder / "run" / "results.json").read_text())
    failed = {row["file"]: row["error"] for row in results["videos"] if row["status"] == "error"}
    assert failed.keys() == {"broken.mp4", "light_test_1.mp4"}
    assert failed["light_test_1.mp4"] == "is no video, or its header is damaged or cut off"
    assert results["counts"] == {"videos": 7, "scored": 5, "unreadable": 2, "labelled": 7}


@pytest.mark.parametrize("workers", [0, 1])
def test_a_class_that_is_lost_during_the_run_ends_it_in_a_sentence(made_data, tmp_path, workers):
    folder = tmp_path / "job"
    shutil.copytree(made_data, folder)
    config = str(folder / "config.yaml")
    run_cli("check", "-c", config)
    for index in range(8):
        spoil(folder / "videos" / f"dark_train_{index}.mp4")
    output = run_cli("train", "-c", config, "--set", f"runtime.workers={workers}", code=1)
    last = output.splitlines()[-1]
    place = folder / "run" / "annotations" / "train.txt"
    assert last.startswith(f"{place}: 8 videos of one class in a row cannot be read any more (got {folder}/videos/dark")
    assert last.endswith("Check the disk; `autox-video check` names every one.")
    assert "Traceback" not in output


def spoil(path) -> None:
    """Damage a file in a way that the preflight does not see: same size, same time."""
    status = path.stat()
    path.write_bytes(bytes(status.st_size))
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
