from __future__ import annotations

import csv
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch
import videos
import yaml
from runs import run_cli

ROOT = Path(__file__).parent.parent.parent


def rows_of(work_dir: Path) -> list[dict[str, str]]:
    with (work_dir / "metrics.csv").open() as file:
        return list(csv.DictReader(file))


def change(config: Path, **values: object) -> None:
    config.write_text(yaml.safe_dump({**yaml.safe_load(config.read_text()), **values}))


def test_a_run_leaves_its_products_and_nothing_half_written(trained):
    names = {path.name for path in trained.work_dir.iterdir()}
    assert names == {
        *("fingerprint.json", "check.json", "probe_cache.json", "annotations", "plan.json", "config_rendered.py"),
        *("last.pth", "previous.pth", "best.pth", "best.safetensors", ".lock"),
        *("train.log", "test.log", "metrics.csv", "results.json", "report.html"),
    }


def test_the_users_data_folder_is_left_as_it_was(trained, made_data):
    def listing(folder):
        return {
            path.relative_to(folder): path.read_bytes()
            for path in folder.rglob("*")
            if path.is_file() and "run" not in path.parts
        }

    assert listing(trained.folder) == listing(made_data)


def test_the_console_says_one_line_an_epoch_and_where_the_best_is(trained):
    lines = trained.output.splitlines()
    epochs = [line for line in lines if line.startswith("epoch ")]
    assert [line.split()[1] for line in epochs] == ["1/3", "2/3", "3/3"]
    assert "val top-1" not in epochs[0]
    assert "val top-1" in epochs[1]
    assert "val top-1" in epochs[2]
    for word in ("loss", "top-1", "lr", "videos/s", "data wait", "eta"):
        assert word in epochs[0]
    assert any(line.startswith("best     epoch ") and line.endswith("best.pth") for line in lines)
    (speed,) = [line for line in lines if line.startswith("speed    ")]
    assert re.match(r"speed    (computing|waiting for data) \d+ % of the time: ", speed)
    assert "left out test_list.txt:3: broken.mp4" in trained.output
    assert "it trains from scratch" in trained.output or "as asked: trains from scratch" in trained.output


def test_metrics_csv_has_a_row_an_epoch(trained):
    rows = rows_of(trained.work_dir)
    assert [row["epoch"] for row in rows] == ["1", "2", "3"]
    assert [bool(row["val_top1"]) for row in rows] == [False, True, True]
    assert all(float(row["train_loss"]) > 0 and 0 <= float(row["data_wait"]) <= 1 for row in rows)


def test_checkpoints_load_without_unpickling_objects(trained):
    for name, epochs in (("last.pth", {3}), ("best.pth", {2, 3})):
        checkpoint = torch.load(trained.work_dir / name, weights_only=True)
        assert checkpoint["meta"]["epoch"] in epochs
        assert checkpoint["meta"]["autox_video"]["plan"]["model"]["value"] == "video_swin_nano"


def test_best_is_the_epoch_of_the_highest_validation_score(trained):
    best = torch.load(trained.work_dir / "best.pth", weights_only=True)["meta"]
    scores = {int(row["epoch"]): float(row["val_top1"]) for row in rows_of(trained.work_dir) if row["val_top1"]}
    assert best["autox_video"]["metrics"]["top1"] == max(scores.values())
    assert scores[best["epoch"]] == max(scores.values())


def test_a_finished_run_says_so_and_changes_nothing(trained):
    before = (trained.work_dir / "last.pth").read_bytes()
    output = run_cli("train", "-c", str(trained.config))
    assert "nothing to do: 3 of 3 epochs are done. Raise `epoch` to train on." in output
    assert output.splitlines()[-1] == f"next     python AutoTest.py -c {trained.config}"
    assert (trained.work_dir / "last.pth").read_bytes() == before


def test_more_epochs_train_on_with_a_schedule_of_the_new_length(trained, made_data, tmp_path):
    run = trained.copy(tmp_path / "job")
    output = run_cli("train", "-c", str(run.config), "--set", "epoch=6")
    assert output.splitlines()[-1] == f"next     python AutoTest.py -c {run.config} --set epoch=6"
    assert "resume   after epoch 3 of 6" in output
    longer = [float(row["learning_rate"]) for row in rows_of(run.work_dir)]
    assert [row["epoch"] for row in rows_of(run.work_dir)] == list("123456")
    straight = run_cli(
        "train",
        "-c",
        str(made_data / "config.yaml"),
        "--work-dir",
        str(tmp_path / "straight"),
        "--set",
        "epoch=6",
        "--set",
        "train.warmup_epochs=0.6",
    )
    expected = [float(row["learning_rate"]) for row in rows_of(tmp_path / "straight")]
    assert "epoch 6/6" in straight
    # Warm-up was planned for three epochs and is kept; the cosine is that of six.
    assert longer[3:] == pytest.approx(expected[3:], rel=1e-4)
    assert longer[3] > longer[4] > longer[5]


def test_a_changed_clip_is_refused_with_both_ways_out(trained, tmp_path):
    run = trained.copy(tmp_path / "job")
    before = (run.work_dir / "last.pth").read_bytes()
    change(run.config, clip={"clip_len": 8})
    output = run_cli("train", "-c", str(run.config), code=2)
    assert output.splitlines()[-1] == (
        "clip.clip_len: was 4 when this run began and is now 8. "
        "Put it back, or start anew: --fresh archives this run, another work_dir keeps both."
    )
    assert (run.work_dir / "last.pth").read_bytes() == before


def test_fresh_archives_the_earlier_run(trained, tmp_path):
    run = trained.copy(tmp_path / "job")
    before = (run.work_dir / "best.pth").read_bytes()
    change(run.config, clip={"clip_len": 2}, epoch=1)
    run_cli("train", "-c", str(run.config), "--fresh")
    (archived,) = (run.work_dir / "archive").iterdir()
    assert (archived / "best.pth").read_bytes() == before
    assert [row["epoch"] for row in rows_of(archived)] == ["1", "2", "3"]
    assert [row["epoch"] for row in rows_of(run.work_dir)] == ["1"]


def test_a_killed_run_goes_on_after_its_last_saved_epoch(made_data, tmp_path):
    command = [
        sys.executable,
        str(ROOT / "AutoTrain.py"),
        "-c",
        str(made_data / "config.yaml"),
        "--work-dir",
        str(tmp_path / "run"),
        "--set",
        "epoch=40",
    ]
    # Its own folder: the scripts work from any current directory.
    process = subprocess.Popen(
        command, cwd=tmp_path, stdout=subprocess.PIPE, text=True, env={**os.environ, "OMP_NUM_THREADS": "1"}
    )
    try:
        assert process.stdout is not None
        for line in process.stdout:
            if line.startswith("epoch  3/40"):
                break
        process.send_signal(signal.SIGKILL)
    finally:
        process.kill()
        process.wait()
    saved = torch.load(tmp_path / "run" / "last.pth", weights_only=True)["meta"]["epoch"]
    assert saved >= 2
    output = run_cli(
        "train",
        "-c",
        str(made_data / "config.yaml"),
        "--work-dir",
        str(tmp_path / "run"),
        "--set",
        f"epoch={saved + 1}",
    )
    assert f"resume   after epoch {saved} of {saved + 1}" in output
    assert [int(row["epoch"]) for row in rows_of(tmp_path / "run")] == list(range(1, saved + 2))


def test_a_checkpoint_of_another_version_is_named_with_the_way_out(trained, tmp_path):
    run = trained.copy(tmp_path / "job")
    checkpoint = torch.load(run.work_dir / "last.pth", weights_only=True)
    del checkpoint["meta"]["autox_video"]["plan"]["clip_len"]
    torch.save(checkpoint, run.work_dir / "last.pth")
    output = run_cli("train", "-c", str(run.config), "--set", "epoch=4", code=1)
    assert output.splitlines()[-1] == (
        f"{run.work_dir / 'last.pth'}: was written by another version of autox_video "
        "(got a record that lacks 'clip_len'). Train anew with --fresh, or in another work_dir."
    )


def test_another_class_count_re_initialises_only_the_head(trained, tmp_path):
    lists = videos.write_dataset(tmp_path, classes=("a", "b", "c"), train=3, val=1, test=1)
    options = {
        "videos_per_gpu": 3,
        "epoch": 1,
        "work_dir": "run",
        "clip": {"clip_len": 4},
        "runtime": {"workers": 0, "device": "cpu"},
    }
    model = {"name": "video_swin_nano", "load_from": str(trained.work_dir / "best.pth")}
    config = videos.write_config(tmp_path / "config.yaml", **lists, **options, model=model)
    output = run_cli("train", "-c", str(config))
    assert "the head is initialised anew for 3 classes (the file has 2)" in output


def test_missing_weights_are_refused_before_training(made_data, tmp_path):
    output = run_cli(
        "train",
        "-c",
        str(made_data / "config.yaml"),
        "--work-dir",
        str(tmp_path),
        "--set",
        "model.load_from=/nowhere/weights.pth",
        code=2,
    )
    assert "/nowhere/weights.pth" in output
    assert not (tmp_path / "last.pth").exists()


def test_the_stock_config_runs_under_mmaction2s_own_train_script(made_data, tmp_path):
    run_cli(
        "render",
        "-c",
        str(made_data / "config.yaml"),
        "--work-dir",
        str(tmp_path / "run"),
        "--stock",
        "-o",
        str(tmp_path / "stock.py"),
        "--set",
        "epoch=1",
    )
    import importlib.util

    spec = importlib.util.find_spec("mmaction")
    assert spec is not None
    assert spec.origin is not None
    script = Path(spec.origin).parent / ".mim" / "tools" / "train.py"
    # Isolated: neither this checkout nor the test's settings can be imported.
    done = subprocess.run(
        [sys.executable, "-I", str(script), str(tmp_path / "stock.py"), "--work-dir", str(tmp_path / "stock")],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert list((tmp_path / "stock").glob("best_acc_top1_epoch_1.pth"))
