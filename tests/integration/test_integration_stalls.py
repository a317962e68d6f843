"""A run that waits for something that never comes is ended, and says what it waited for."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import videos
from processes_of_their_own import Ended, Request
from runs import FAST, run_cli

from autox_video.runner.checkpoints import find_newest_checkpoint
from autox_video.work_dir import WorkDir

# Long enough for a step on a busy machine.
MINUTES = 0.15
CURE = "the same command goes on. runtime.stall_minutes is the limit."
WAITED = rf"Look at what holds it up; {CURE}"
# Stage: command, workers, when a video of which split becomes a pipe.
PIPES = {
    "training": ("train", 0, "before_train", "train"),
    "validation": ("train", 1, "before_val", "val"),
    "test": ("test", 2, "before_test", "test"),
}


def job(folder: Path) -> Path:
    lists = videos.write_dataset(folder, train=4, val=2, test=2)
    options = {**FAST, "epoch": 1, "work_dir": "run", "test_results_path": "run/results.json"}
    return videos.write_config(folder / "config.yaml", **lists, **options)


@pytest.fixture(scope="module")
def stalled(tmp_path_factory, own_process) -> dict[str, tuple[Path, Ended]]:
    """A folder and what happened in it, for each stage and for a frozen process; all at the same time."""
    folders, requests = {}, []
    for stage in (*PIPES, "frozen"):
        command, workers, place, split = PIPES.get(stage, ("train", 2, "after_train_iter", ""))
        folder = folders[stage] = tmp_path_factory.mktemp(stage)
        config = str(job(folder))
        if command == "test":
            run_cli("train", "-c", config)
        options = ("--set", f"runtime.workers={workers}", "--set", f"runtime.stall_minutes={MINUTES}")
        harm = {"place": place, "fifo": str(folder / "videos" / f"dark_{split}_1.mp4")}
        if stage == "frozen":
            options = (*options, "--set", "epoch=2", "--set", "train.val_interval=2")
            harm = {"place": place, "name": "SIGSTOP", "target": "worker"}
        requests.append(Request((command, "-c", config, *options), harm))
    return dict(zip(folders, zip(folders.values(), own_process.run_together(*requests), strict=True), strict=True))


@pytest.mark.parametrize("stage", PIPES)
def test_a_file_that_never_comes_ends_the_run_and_is_named(stage, stalled):
    folder, ended = stalled[stage]
    file = re.escape(str(folder / "videos" / f"dark_{PIPES[stage][3]}_1.mp4"))
    steps = r"(before the first step|after step [12])"
    waited = rf"waiting for {file} \(read for [0-9]+ s by process [0-9]+\)"
    assert re.fullmatch(
        rf"stalled  {stage}: no progress for {MINUTES} minutes {steps}, {waited}\. {WAITED}", ended.output[-1]
    )
    assert (ended.code, ended.left) == (75, [])


def test_a_frozen_process_ends_the_run_and_is_named(stalled):
    _, ended = stalled["frozen"]
    assert re.fullmatch(
        rf"stalled  training: no progress for {MINUTES} minutes after step [1-4], waiting for "
        rf"(.* and )?process [0-9]+, which is suspended\. {WAITED}",
        ended.output[-1],
    )
    assert (ended.code, ended.left) == (75, [])


def test_the_log_has_what_every_thread_was_doing(stalled):
    log = (stalled["training"][0] / "run" / "train.log").read_text()
    assert "stalled: training: no progress for " in log
    assert re.search(r'File ".*video_list.py", line [0-9]+ in prepare_data', log)


def test_what_was_saved_before_is_whole_and_the_same_command_goes_on(stalled):
    folder, _ = stalled["validation"]
    saved = find_newest_checkpoint(WorkDir(folder / "run"))
    assert saved is not None
    assert (saved.epoch, saved.validated_epochs) == (1, 0)
    pipe = folder / "videos" / "dark_val_1.mp4"
    pipe.unlink()
    videos.write_video(pipe, brightness=40, seed=videos.hash_of("val", 0, 1))
    output = run_cli("train", "-c", str(folder / "config.yaml")).splitlines()
    assert f"resume   after epoch 1 of 1, from {folder / 'run' / 'last.pth'}" in output
    assert output[-2].startswith("best     epoch 1: ")
