"""One of two processes is stopped, killed or stuck: the run goes on, or says which one it waits for."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from runs import ROOT

TORCHRUN = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
OPTIONS = ("--set", "epoch=1", "--set", "videos_per_gpu=2", "--set", "runtime.workers=0")


def start(made_data: Path, folder: Path, restarts: int, harm: tuple[str, ...], *more: str) -> subprocess.Popen[str]:
    command = [*TORCHRUN, "--max-restarts", str(restarts), str(ROOT / "tests" / "harmed_process.py"), *harm, "train"]
    given = ["-c", str(made_data / "config.yaml"), "--work-dir", str(folder), *OPTIONS, *more]
    return subprocess.Popen(
        [*command, *given],
        cwd=folder.parent,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )


def output_until(run: subprocess.Popen[str], start: str) -> str:
    """What a run printed up to a line that starts so; torchrun would wait half a minute for the stuck process to end."""
    assert run.stdout is not None
    lines = []
    for line in run.stdout:
        lines.append(line)
        if line.startswith(start):
            break
    # Each has a session of its own.
    children = Path(f"/proc/{run.pid}/task/{run.pid}/children").read_text(encoding="ascii").split()
    for pid in (run.pid, *map(int, children)):
        os.kill(pid, signal.SIGKILL)
    run.wait()
    return "".join(lines)


@pytest.fixture(scope="module")
def outputs(made_data, tmp_path_factory) -> dict[str, tuple[Path, str]]:
    """What three runs printed, all at the same time."""
    folder = tmp_path_factory.mktemp("harmed")
    runs = {
        "stopped": start(made_data, folder / "stopped", 1, ("SIGTERM", "1", "2")),
        "killed": start(made_data, folder / "killed", 1, ("SIGKILL", "1", "2"), "--set", "train.save_every=1s"),
        "stuck": start(made_data, folder / "stuck", 0, ("SIGSTOP", "1", "2"), "--set", "runtime.stall_minutes=0.2"),
    }
    stuck = output_until(runs.pop("stuck"), "stalled")
    ended = {name: (folder / name, run.communicate(timeout=300)[0]) for name, run in runs.items()}
    return {**ended, "stuck": (folder / "stuck", stuck)}


def test_a_signal_to_one_stops_both_after_the_same_step_and_torchrun_goes_on(outputs):
    folder, output = outputs["stopped"]
    lines = output.splitlines()
    assert "stopped  by SIGTERM after step 2: saved to last.pth; the same command goes on" in lines
    assert f"resume   inside epoch 1 of 1, after 8 of 16 videos, from {folder / 'last.pth'}" in lines
    assert torch.load(folder / "last.pth", weights_only=True)["meta"]["epoch"] == 1


def test_after_one_was_killed_torchrun_begins_again_with_what_is_saved(outputs):
    folder, output = outputs["killed"]
    lines = output.splitlines()
    assert sum(line.startswith("plan ") for line in lines) == 2
    assert any(line.startswith("best     epoch 1") for line in lines)
    assert torch.load(folder / "last.pth", weights_only=True)["meta"]["epoch"] == 1


def test_a_run_whose_other_process_is_stuck_ends_and_names_it(outputs):
    _, output = outputs["stuck"]
    (stalled,) = [line for line in output.splitlines() if line.startswith("stalled")]
    assert "no progress for 0.2 minutes after step 2" in stalled
    assert "waiting for process 1 of the run, which gives no sign of life" in stalled
