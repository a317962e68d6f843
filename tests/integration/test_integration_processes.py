"""Training and testing with two processes on the CPU: gloo joins them as nccl joins GPUs."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from runs import ROOT, run_cli
from several import in_processes

from autox_video import cli


def torchrun(script: str, *arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    return subprocess.run(
        [*command, str(ROOT / script), *arguments],
        cwd=cwd,
        capture_output=True,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        timeout=300,
    )


@pytest.fixture(scope="module")
def trained_by_two(made_data, tmp_path_factory):
    """A run of two processes that may not write into the current folder, which is not theirs."""
    folder = tmp_path_factory.mktemp("two")
    cwd = folder / "cwd"
    cwd.mkdir()
    cwd.chmod(0o555)
    options = ["-c", str(made_data / "config.yaml"), "--work-dir", str(folder / "run")]
    done = torchrun("AutoTrain.py", *options, "--set", "epoch=2", "--set", "videos_per_gpu=2", cwd=cwd)
    assert done.returncode == 0, done.stdout + done.stderr
    assert list(cwd.iterdir()) == []
    return folder / "run", done


def test_two_processes_train_and_one_of_them_speaks(trained_by_two):
    work_dir, done = trained_by_two
    lines = done.stdout.splitlines()
    assert [line.split()[1] for line in lines if line.startswith("epoch ")] == ["1/2", "2/2"]
    for start in ("data ", "left out ", "plan ", "best ", "next "):
        assert len([line for line in lines if line.startswith(start)]) == 1, done.stdout
    assert {path.name for path in work_dir.iterdir()} == {
        *("fingerprint.json", "check.json", "probe_cache.json", "annotations", "plan.json", "config_rendered.py"),
        *("last.pth", "previous.pth", "best.pth", "best.safetensors", ".lock", "train.log", "metrics.csv"),
    }


def test_two_processes_share_the_batch_of_one(trained_by_two):
    work_dir, _ = trained_by_two
    plan = json.loads((work_dir / "plan.json").read_text())
    assert (plan["videos_per_gpu"]["value"], plan["total_batch_size"]["value"]) == (2, 4)
    assert (plan["hardware"]["num_processes"], plan["threads"]["value"]) == (
        2,
        max(1, plan["hardware"]["num_cpus"] // 2),
    )
    with (work_dir / "metrics.csv").open() as file:
        rows = list(csv.DictReader(file))
    # 16 videos are four steps of four, as with one process.
    assert [row["iter"] for row in rows] == ["4", "8"]
    assert torch.load(work_dir / "last.pth", weights_only=True)["meta"]["iter"] == 8


def score(config: Path, work_dir: Path, results: Path) -> int:
    options = ["--work-dir", str(work_dir), "--set", f"test_results_path={results}"]
    return cli.main(["test", "-c", str(config), *options])


def test_two_processes_score_as_one_does(trained_by_two, made_data, tmp_path, monkeypatch):
    work_dir, _ = trained_by_two
    monkeypatch.chdir(tmp_path)
    config = made_data / "config.yaml"
    alone, together = tmp_path / "alone.json", tmp_path / "together.json"
    run_cli("test", "-c", str(config), "--work-dir", str(work_dir), "--set", f"test_results_path={alone}")
    (code, first), (other_code, other) = in_processes(2, score, config, work_dir, together)
    assert (code, other_code) == (0, 0), first + str(code) + str(other_code)
    assert "(6 of 7 videos scored)" in first
    assert other == ""
    assert json.loads(together.read_text()) == json.loads(alone.read_text())
    assert {path.name for path in tmp_path.iterdir()} == {"alone.json", "together.json"}


def test_one_process_goes_on_where_two_stopped(trained_by_two, made_data):
    work_dir, _ = trained_by_two
    options = ["-c", str(made_data / "config.yaml"), "--work-dir", str(work_dir), "--set", "epoch=3"]
    assert "resume   after epoch 2 of 3" in run_cli("train", *options, "--set", "videos_per_gpu=4")


@pytest.mark.parametrize(
    "change", [("--set", "epoch=none"), ("--set", "ann_file_train=val_list.txt", "--set", "num_class=3")]
)
def test_what_is_refused_is_said_once_and_ends_all_processes(made_data, tmp_path, change):
    arguments = ["train", "-c", str(made_data / "config.yaml"), "--work-dir", str(tmp_path), *change]
    expected = run_cli(*arguments, code=2).splitlines()
    (code, first), *others = in_processes(3, cli.main, arguments)
    assert (code, first.splitlines()) == (2, expected)
    assert others == [(2, "")] * 2


def test_of_a_command_for_one_process_the_first_does_all(made_data, tmp_path):
    arguments = ["check", "-c", str(made_data / "config.yaml"), "--work-dir", str(tmp_path)]
    (code, first), other = in_processes(2, cli.main, arguments)
    assert (code, other) == (0, (0, ""))
    assert "ready    details: " in first


@pytest.mark.gpu
@pytest.mark.skipif(torch.cuda.device_count() < 2, reason="needs two CUDA devices")
def test_two_gpus_train_and_test(made_data, tmp_path):
    options = ["-c", str(made_data / "config.yaml"), "--work-dir", str(tmp_path / "run")]
    options += ["--set", "runtime.device=cuda", "--set", f"test_results_path={tmp_path / 'results.json'}"]
    done = torchrun("AutoTrain.py", *options, "--set", "epoch=2", "--set", "videos_per_gpu=2", cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    plan = json.loads((tmp_path / "run" / "plan.json").read_text())
    assert (plan["hardware"]["num_gpus"], plan["device"]["value"]) == (2, "cuda")
    done = torchrun("AutoTest.py", *options, cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads((tmp_path / "results.json").read_text())["counts"]["scored"] == 6
