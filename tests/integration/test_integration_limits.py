"""A training that stops early, and two that want one work dir."""

from __future__ import annotations

import csv
import shutil
from pathlib import Path

import torch
from runs import run_cli

from autox_video.lock import only_run

# So slow that no score ever changes.
STILL = ("--set", "train.learning_rate=1e-12", "--set", "train.val_interval=1", "--set", "epoch=3")


def epochs_of(work_dir: Path) -> list[str]:
    with (work_dir / "metrics.csv").open() as file:
        return [row["epoch"] for row in csv.DictReader(file)]


def test_a_training_without_improvement_stops_says_so_and_goes_on_when_asked(made_data, tmp_path):
    work_dir = tmp_path / "run"
    command = ["train", "-c", str(made_data / "config.yaml"), "--work-dir", str(work_dir), *STILL]
    output = run_cli(*command, "--set", "train.patience=1").splitlines()
    (line,) = [line for line in output if line.startswith("stopped early")]
    best = torch.load(work_dir / "best.pth", weights_only=True)["meta"]
    score = best["autox_video"]["metrics"]["top1"]
    assert line == f"stopped early: top1 has not risen above {score:.3f} in 1 validation(s) (train.patience)"
    assert best["epoch"] == 1
    assert epochs_of(work_dir) == ["1", "2"]

    before = (work_dir / "last.pth").read_bytes()
    output = run_cli(*command, "--set", "train.patience=1")
    assert "nothing to do: stopped early after epoch 2. Raise `train.patience` or `epoch`." in output.splitlines()
    assert (work_dir / "last.pth").read_bytes() == before

    assert "resume   after epoch 2 of 3" in run_cli(*command)
    assert epochs_of(work_dir) == ["1", "2", "3"]


def test_a_second_training_in_a_work_dir_is_refused_and_a_test_is_not(trained, tmp_path):
    run = trained.copy(tmp_path / "job")
    before = (run.work_dir / "last.pth").read_bytes()
    leftover = run.work_dir / ".last.pth.x.autox.tmp"
    leftover.write_bytes(before[:1000])
    with only_run(run.work_dir):
        output = run_cli("train", "-c", str(run.config), "--set", "epoch=4", code=2)
        holder = (run.work_dir / ".lock").read_text().strip()
        assert output == (
            f"{run.work_dir}: another training is running here (got {holder}). "
            "Wait until it ends, stop it, or choose another work_dir.\n"
        )
        shutil.rmtree(run.work_dir / "annotations")
        run_cli("test", "-c", str(run.config))
    assert (run.work_dir / "last.pth").read_bytes() == before
    assert not leftover.exists()
