"""Signals from a queue, a terminal or a person: the state is saved, nothing is left running, the bits are the same."""

from __future__ import annotations

import signal
from pathlib import Path

import exact
import pytest
import videos
from exact import KilledError, differences, last_state
from runs import FAST, run_cli

FIRST = ("--set", "runtime.workers=2")


@pytest.fixture(scope="module")
def config(tmp_path_factory) -> Path:
    """Sixteen videos in batches of six, the last of four; two epochs, the second validated."""
    folder = tmp_path_factory.mktemp("signals")
    options = {**FAST, "videos_per_gpu": 6, "epoch": 2, "train": {"val_interval": 2}}
    return videos.write_config(folder / "config.yaml", **videos.write_dataset(folder), **options)


@pytest.fixture(scope="module")
def straight(config, tmp_path_factory) -> Path:
    """An uninterrupted run; only to be read."""
    folder = tmp_path_factory.mktemp("straight")
    run_cli("train", "-c", str(config), "--work-dir", str(folder), *FIRST)
    return folder


@pytest.mark.slow
def test_a_training_that_is_stopped_again_and_again_ends_with_the_same_bits(config, straight, tmp_path, own_process):
    work_dir = tmp_path / "run"
    train = ("train", "-c", str(config), "--work-dir", str(work_dir))
    stops = [("SIGTERM", "group", 2), ("SIGINT", "process", 0), ("SIGUSR1", "process", 2), ("SIGHUP", "group", 1)]
    for step, (name, target, workers) in enumerate(stops, 1):
        harm = {"name": name, "target": target, "place": "after_train_iter"}
        ended = own_process.run(*train, "--set", f"runtime.workers={workers}", **harm)
        told = f"stopped  by {name} after step {step}: saved to last.pth; the same command goes on"
        assert (ended.output[-1], ended.code, ended.left) == (told, 128 + signal.Signals[name], [])
    run_cli(*train)
    assert differences(last_state(work_dir), last_state(straight)) == []


def test_a_signal_in_a_validation_stops_it_and_nothing_is_saved_again(config, straight, tmp_path, own_process):
    work_dir = tmp_path / "run"
    train = ("train", "-c", str(config), "--work-dir", str(work_dir), *FIRST)
    harm = {"name": "SIGTERM", "target": "group", "place": "after_val_iter"}
    ended = own_process.run(*train, **harm)
    assert (ended.output[-1], ended.code, ended.left) == ("stopped  by SIGTERM; run the same command again", 143, [])
    state = last_state(work_dir)
    assert (state[".epoch"], state[".validated_epochs"]) == (2, 0)
    run_cli(*train)
    assert differences(last_state(work_dir), last_state(straight)) == []


def test_a_test_that_is_stopped_writes_no_results(config, straight, tmp_path, own_process):
    results = tmp_path / "results.json"
    options = ("--set", f"test_results_path={results}", *FIRST)
    harm = {"name": "SIGINT", "target": "group", "place": "after_test_iter"}
    ended = own_process.run("test", "-c", str(config), "--work-dir", str(straight), *options, **harm)
    assert (ended.output[-1], ended.code, ended.left) == ("stopped  by SIGINT; run the same command again", 130, [])
    assert not results.exists()


@pytest.mark.slow
def test_a_second_signal_ends_the_process_at_once(config, tmp_path, own_process):
    harm = {"name": "SIGTERM", "target": "twice", "place": "after_train_iter"}
    ended = own_process.run("train", "-c", str(config), "--work-dir", str(tmp_path / "run"), *FIRST, **harm)
    told = "stopping after this step (SIGTERM); once more ends at once, without saving"
    assert (ended.output[-1], ended.code, ended.left) == (told, 143, [])
    assert not (tmp_path / "run" / "last.pth").exists()


def test_a_state_inside_an_epoch_is_saved_when_it_is_time(config, straight, tmp_path):
    job = exact.make_job(config, tmp_path / "plan", runtime={"device": "cpu", "workers": 2})
    job.config.custom_hooks[-1].save_every_seconds = 0
    with pytest.raises(KilledError):
        job.run(tmp_path / "run", {"type": "InterruptHook", "save_at": -1, "stop_at": 2})
    assert last_state(tmp_path / "run")[".iter"] == 2
    job.run(tmp_path / "run")
    assert differences(last_state(tmp_path / "run"), last_state(straight)) == []
