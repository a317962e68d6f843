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
from several import free_port, in_processes

from autox_video import cli

# The machines of a rehearsed run are addresses of this one.
FIRST_MACHINE = "127.0.0.2"


def on_machines(number: int, script: str, *arguments: str, cwd: Path) -> list[str]:
    """What a script with one process a machine prints on each of them."""
    meet = {"NNODES": str(number), "MASTER_ADDR": FIRST_MACHINE, "PORT": str(free_port())}
    runs = [
        subprocess.Popen(
            [ROOT / script, "1", *arguments],
            cwd=cwd,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={**os.environ, **meet, "NODE_RANK": str(rank), "OMP_NUM_THREADS": "1", "PYTHON": sys.executable},
        )
        for rank in range(number)
    ]
    outputs = [run.communicate(timeout=300)[0] for run in runs]
    assert [run.returncode for run in runs] == [0] * number, "".join(outputs)
    return outputs


@pytest.fixture(scope="module")
def trained_by_two(made_data, tmp_path_factory):
    """A run of two machines, in a folder that is not theirs to write into."""
    folder = tmp_path_factory.mktemp("two")
    cwd = folder / "cwd"
    cwd.mkdir()
    cwd.chmod(0o555)
    options = ["-c", str(made_data / "config.yaml"), "--work-dir", str(folder / "run")]
    options += ["--set", "epoch=2", "--set", "videos_per_gpu=2"]
    outputs = on_machines(2, "dist_train.sh", *options, cwd=cwd)
    assert list(cwd.iterdir()) == []
    return folder / "run", outputs


def test_two_machines_train_and_the_first_of_them_speaks(trained_by_two):
    work_dir, outputs = trained_by_two
    lines, others = outputs[0].splitlines(), outputs[1].splitlines()
    assert [line for line in others if line.startswith(("data ", "plan ", "epoch ", "best ", "next "))] == []
    assert [line.split()[1] for line in lines if line.startswith("epoch ")] == ["1/2", "2/2"]
    for start in ("data ", "left out ", "plan ", "best ", "next "):
        assert len([line for line in lines if line.startswith(start)]) == 1, outputs[0]
    assert {path.name for path in work_dir.iterdir()} == {
        *("fingerprint.json", "check.json", "probe_cache.json", "annotations", "plan.json", "config_rendered.py"),
        *("last.pth", "previous.pth", "best.pth", "best.safetensors", ".lock", "train.log", "metrics.csv"),
    }


def test_two_processes_share_the_batch_of_one(trained_by_two):
    work_dir, _ = trained_by_two
    plan = json.loads((work_dir / "plan.json").read_text())
    assert (plan["videos_per_gpu"]["value"], plan["total_batch_size"]["value"]) == (2, 4)
    hardware = plan["hardware"]
    # Each machine has cores of its own.
    assert (hardware["num_processes"], hardware["num_machines"]) == (2, 2)
    assert plan["threads"]["value"] == hardware["num_cpus"]
    with (work_dir / "metrics.csv").open() as file:
        rows = list(csv.DictReader(file))
    # 16 videos are four steps of four, as with one process.
    assert [row["iter"] for row in rows] == ["4", "8"]
    assert torch.load(work_dir / "last.pth", weights_only=True)["meta"]["iter"] == 8


def score(config: Path, work_dir: Path, results: Path) -> int:
    options = ["--work-dir", str(work_dir), "--set", f"test_results_path={results}"]
    return cli.main(["test", "-c", str(config), *options])


def test_two_tasks_of_srun_score_as_one_process_does(trained_by_two, made_data, tmp_path, monkeypatch):
    work_dir, _ = trained_by_two
    monkeypatch.chdir(tmp_path)
    config = made_data / "config.yaml"
    alone, together = tmp_path / "alone.json", tmp_path / "together.json"
    run_cli("test", "-c", str(config), "--work-dir", str(work_dir), "--set", f"test_results_path={alone}")
    (code, first), (other_code, other) = in_processes(2, score, config, work_dir, together, srun=True)
    assert (code, other_code) == (0, 0), first + str(code) + str(other_code)
    assert "(6 of 7 videos scored)" in first
    assert other == ""
    assert json.loads(together.read_text()) == json.loads(alone.read_text())
    pages = {"alone.report.html", "together.report.html"}
    assert {path.name for path in tmp_path.iterdir()} == {"alone.json", "together.json", *pages}


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


@pytest.mark.parametrize(("script", "python"), [("dist_train.sh", "AutoTrain.py"), ("dist_test.sh", "AutoTest.py")])
@pytest.mark.parametrize(
    ("variables", "meet"),
    [
        ({}, "--standalone --max-restarts 3"),
        ({"PORT": "29501"}, "--nnodes 1 --node-rank 0 --master-addr 127.0.0.1 --master-port 29501"),
        (
            {"NNODES": "2", "NODE_RANK": "1", "MASTER_ADDR": "10.0.0.1"},
            "--nnodes 2 --node-rank 1 --master-addr 10.0.0.1 --master-port 29500",
        ),
    ],
)
def test_the_scripts_of_the_original_start_torchrun(tmp_path, script, python, variables, meet):
    environment = {**os.environ, "PYTHON": "echo", **variables}
    command = [ROOT / script, "4", "-c", "my config.yaml"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True, cwd=tmp_path)
    expected = f"-m torch.distributed.run {meet} --nproc-per-node 4 {ROOT}/{python} -c my config.yaml\n"
    assert done.stdout == expected


def test_the_scripts_of_the_original_say_how_they_are_called():
    done = subprocess.run([ROOT / "dist_train.sh"], capture_output=True, text=True)
    assert done.returncode != 0
    assert done.stderr.endswith(f"usage: {ROOT}/dist_train.sh GPUS [options of AutoTrain.py]\n")


@pytest.mark.gpu
@pytest.mark.skipif(torch.cuda.device_count() < 2, reason="needs two CUDA devices")
def test_two_gpus_train_and_test(made_data, tmp_path):
    options = ["-c", str(made_data / "config.yaml"), "--work-dir", str(tmp_path / "run")]
    options += ["--set", "runtime.device=cuda", "--set", f"test_results_path={tmp_path / 'results.json'}"]
    # It starts the two by itself, as AutoTrain.py does.
    output = run_cli("train", *options, "--set", "epoch=2", "--set", "videos_per_gpu=2", "--set", "runtime.gpus=2")
    assert "start    2 processes, which train or test together" in output
    plan = json.loads((tmp_path / "run" / "plan.json").read_text())
    assert (plan["hardware"]["num_gpus"], plan["device"]["value"]) == (2, "cuda")
    run_cli("test", *options, "--set", "runtime.gpus=2")
    assert json.loads((tmp_path / "results.json").read_text())["counts"]["scored"] == 6
