"""One of two processes is stopped, killed or stuck: the run goes on, or says which one it waits for."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from exact import differences, last_state
from runs import ROOT
from several import in_processes

from autox_video import cli

TORCHRUN = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
OPTIONS = ("--set", "epoch=1", "--set", "videos_per_gpu=2", "--set", "runtime.workers=0")
# Of a run that starts its processes itself.
BY_ITSELF = ("--set", "epoch=3", "--set", "videos_per_gpu=2", "--set", "runtime.gpus=2")


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


def start_by_itself(made_data: Path, folder: Path) -> subprocess.Popen[str]:
    """A training that starts its two processes itself."""
    return subprocess.Popen(
        [sys.executable, ROOT / "AutoTrain.py", "-c", made_data / "config.yaml", "--work-dir", folder, *BY_ITSELF],
        cwd=folder.parent,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )


def kill_the_second_process(run: subprocess.Popen[str], saved: Path) -> None:
    """As soon as the run has saved anything."""
    wait_for(lambda: [saved] if saved.is_file() else [], 1)
    (second,) = [
        pid for pid in children(run.pid) if b"RANK=1" in Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    ]
    os.kill(second, signal.SIGKILL)


def children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()]


def is_running(pid: int) -> bool:
    """Whether a process has neither ended nor is about to be cleared away."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def wait_for(look: Callable[[], list[Any]], number: int) -> list[Any]:
    """What `look` finds, once it is so many."""
    last = time.monotonic() + 240
    while len(found := look()) < number:
        assert time.monotonic() < last, found
        time.sleep(0.05)
    return found


def output_until(run: subprocess.Popen[str], start: str) -> str:
    """What a run printed up to a line that starts so; torchrun would wait half a minute for the stuck process to end."""
    assert run.stdout is not None
    lines = []
    for line in run.stdout:
        lines.append(line)
        if line.startswith(start):
            break
    # Each has a session of its own.
    for pid in (run.pid, *children(run.pid)):
        os.kill(pid, signal.SIGKILL)
    run.wait()
    return "".join(lines)


@pytest.fixture(scope="module")
def outputs(made_data, tmp_path_factory) -> dict[str, tuple[Path, str]]:
    """What three runs printed, all at the same time."""
    folder = tmp_path_factory.mktemp("harmed")
    runs = {
        "stopped": start(made_data, folder / "stopped", 1, ("SIGTERM", "1", "2")),
        "killed": start_by_itself(made_data, folder / "killed"),
        "stuck": start(made_data, folder / "stuck", 0, ("SIGSTOP", "1", "2"), "--set", "runtime.stall_minutes=0.2"),
    }
    kill_the_second_process(runs["killed"], folder / "killed" / "last.pth")
    stuck = output_until(runs.pop("stuck"), "stalled")
    ended = {name: (folder / name, run.communicate(timeout=300)[0]) for name, run in runs.items()}
    return {**ended, "stuck": (folder / "stuck", stuck)}


@pytest.mark.slow
def test_a_signal_to_one_stops_both_after_the_same_step_and_torchrun_goes_on(outputs):
    folder, output = outputs["stopped"]
    lines = output.splitlines()
    assert "stopped  by SIGTERM after step 2: saved to last.pth; the same command goes on" in lines
    assert f"resume   inside epoch 1 of 1, after 8 of 16 videos, from {folder / 'last.pth'}" in lines
    assert torch.load(folder / "last.pth", weights_only=True)["meta"]["epoch"] == 1


@pytest.mark.slow
def test_after_one_was_killed_the_run_begins_again_and_ends_with_the_weights_of_a_straight_one(outputs, made_data):
    folder, output = outputs["killed"]
    lines = output.splitlines()
    assert lines[0] == "start    2 processes, which train or test together"
    assert "restart  process 1 was ended by SIGKILL; going on from what is saved (1 of 3)" in lines
    assert sum(line.startswith("plan ") for line in lines) == 2
    straight = folder.with_name("straight")
    arguments = ["train", "-c", str(made_data / "config.yaml"), "--work-dir", str(straight), *BY_ITSELF]
    assert [code for code, _ in in_processes(2, cli.main, arguments)] == [0, 0]
    assert differences(last_state(straight), last_state(folder)) == []


@pytest.mark.slow
def test_processes_end_with_the_launcher_that_has_started_them(made_data, tmp_path):
    arguments = ["train", "-c", str(made_data / "config.yaml"), "--work-dir", str(tmp_path / "run"), *BY_ITSELF]
    # Forked: it need not import torch.
    launcher = multiprocessing.get_context("fork").Process(target=cli.main, args=(arguments,))
    launcher.start()
    assert launcher.pid is not None
    started = wait_for(lambda: children(launcher.pid), 2)
    launcher.kill()
    launcher.join()
    wait_for(lambda: [pid for pid in started if not is_running(pid)], 2)


@pytest.mark.slow
def test_a_run_whose_other_process_is_stuck_ends_and_names_it(outputs):
    _, output = outputs["stuck"]
    (stalled,) = [line for line in output.splitlines() if line.startswith("stalled")]
    assert "no progress for 0.2 minutes after step 2" in stalled
    assert "waiting for process 1 of the run, which gives no sign of life" in stalled
