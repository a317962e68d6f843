"""Trainings that read proxies: the same bits however they are interrupted, and no harm where proxies are lost."""

from __future__ import annotations

import logging
import os
import re
import shutil
import types
from collections.abc import Callable
from pathlib import Path

import pytest
import videos
from exact import KilledError, differences, last_state
from runs import FAST, run_cli

from autox_video import workflow
from autox_video.caching import prepare_cache
from autox_video.plan.schema import Decision, Plan
from autox_video.records import read_record
from autox_video.runner.hooks.preemption import PreemptionHook
from autox_video.settings.load import load_settings
from autox_video.work_dir import WorkDir

COMMAND = ("train", "-c")


@pytest.fixture(scope="module")
def config(tmp_path_factory) -> Path:
    """Videos three times as large as training needs them."""
    folder = tmp_path_factory.mktemp("proxies")
    lists = videos.write_dataset(folder, train=3, val=1, test=1, size=112)
    clip = {"clip_len": 4, "input_size": 32}
    train = {"val_interval": 2}
    options = {**FAST, "clip": clip, "videos_per_gpu": 2, "epoch": 2, "train": train, "data": {"cache": "proxy"}}
    return videos.write_config(folder / "config.yaml", **lists, **options)


@pytest.fixture(scope="module")
def straight(config, tmp_path_factory) -> Path:
    """The work dir of an uninterrupted run; only to be read."""
    work_dir = tmp_path_factory.mktemp("straight") / "run"
    output = run_cli(*COMMAND, str(config), "--work-dir", str(work_dir)).splitlines()
    line = next(line for line in output if line.startswith("proxies"))
    folder = work_dir.parent / "proxies"
    assert line.startswith(
        f"proxies  8 for the 8 videos of train and val in {folder}: 8 to be written in the background, "
    )
    assert "         read from epoch 2 on; data: {cache: off} does without" in output
    assert not [text for text in output if "warning" in text]
    return work_dir


def go(config: Path, work_dir: Path, monkeypatch, stop_at: int | None = None) -> None:
    """Train, and stop without saving after a step."""

    def between_steps(hook: PreemptionHook, runner) -> None:
        if runner.iter == stop_at:
            raise KilledError

    monkeypatch.setattr(PreemptionHook, "between_steps", between_steps)
    workflow.train(load_settings(config, work_dir=work_dir))


@pytest.mark.slow
def test_a_killed_run_with_proxies_ends_with_the_same_bits(config, straight, tmp_path, monkeypatch):
    work_dir = tmp_path / "run"
    with pytest.raises(KilledError):
        go(config, work_dir, monkeypatch, stop_at=1)  # nothing is saved, some of the proxies may be there
    with pytest.raises(KilledError):
        go(config, work_dir, monkeypatch, stop_at=5)  # in the second epoch, which reads them
    # Beside them may be what a process of low priority, which takes its time to die, left of one.
    proxies = sorted(path.name for path in (tmp_path / "proxies").glob("*.mp4"))
    assert len(proxies) == 8
    shutil.rmtree(tmp_path / "proxies")
    go(config, work_dir, monkeypatch)
    assert sorted(os.listdir(tmp_path / "proxies")) == proxies
    assert differences(last_state(work_dir), last_state(straight)) == []


def test_another_run_reads_proxies_that_are_there_from_its_first_epoch_on(straight, caplog):
    proxies, other = straight.parent / "proxies", WorkDir(straight.parent / "other")
    shutil.copytree(straight / "annotations", other.root / "annotations")
    shutil.copy(straight / "probe_cache.json", other.root)
    with caplog.at_level(logging.INFO, logger="autox_video"):
        decided = prepare_cache(read_record(straight / "plan.json", Plan), other, None, [])
    assert decided.proxies_from_epoch == Decision(1, "data", "all of them were there when the run began")
    assert [record.getMessage() for record in caplog.records] == [
        f"proxies  8 for the 8 videos of train and val in {proxies}: all there",
        "         read from epoch 1 on; data: {cache: off} does without",
    ]
    shutil.rmtree(other.root)


def test_proxies_that_vanish_or_could_not_be_written_give_way_to_their_originals(
    config, straight, tmp_path, monkeypatch
):
    shutil.copytree(straight.parent, tmp_path, dirs_exist_ok=True)
    work_dir, proxies = tmp_path / "run", tmp_path / "proxies"
    lines = (straight / "annotations" / "proxies.tsv").read_text().splitlines()
    gone, given_up = (proxies / Path(line.split("\t")[1]).name for line in lines[:2])
    (work_dir / "annotations" / "of_run" / "no_proxy.tsv").write_text(f"{given_up}\tno proxy: the disk is full\n")
    given_up.unlink()
    remove_when(monkeypatch, gone.unlink)
    output = run_cli(*COMMAND, str(config), "--work-dir", str(work_dir), "--set", "epoch=3").splitlines()
    reason = "cannot be read: No such file or directory: the original is read; the next start of the run writes what is missing"
    assert [line for line in output if line.startswith("warning")] == [f"warning  {gone} {reason}"]
    assert not given_up.exists()


def remove_when(monkeypatch, remove: Callable[[], object]) -> None:
    """Remove something when the first epoch of this start begins, after proxies were found to be there."""
    before = PreemptionHook.before_train_epoch

    def before_train_epoch(hook: PreemptionHook, runner) -> None:
        remove()
        monkeypatch.setattr(PreemptionHook, "before_train_epoch", before)
        before(hook, runner)

    monkeypatch.setattr(PreemptionHook, "between_steps", lambda hook, runner: None)
    monkeypatch.setattr(PreemptionHook, "before_train_epoch", before_train_epoch)


def test_a_disk_without_room_for_the_proxies_is_refused_before_training(config, tmp_path, monkeypatch):
    facts = types.SimpleNamespace(f_bavail=1_000_000, f_frsize=1, f_blocks=10**9)
    monkeypatch.setattr(os, "statvfs", lambda folder: facts)
    output = run_cli(*COMMAND, str(config), "--work-dir", str(tmp_path / "run"), code=2).splitlines()
    assert re.fullmatch(
        rf"{re.escape(str(tmp_path))}/run: checkpoints take up to 2\d\.\d MB and proxies take up to 0\.\d MB, and there is less room "
        r"\(got 1\.0 MB free\)\. Free space, or choose another work_dir, or write data: {cache: off}\.",
        output[-1],
    )
    assert not (tmp_path / "proxies").exists()


def test_proxies_are_not_written_into_the_data(config, tmp_path):
    work_dir = config.parent / "videos" / "run"
    output = run_cli(*COMMAND, str(config), "--work-dir", str(work_dir), code=2)
    shutil.rmtree(work_dir)
    assert output.splitlines()[-1] == (
        f"{work_dir.parent}: would get the proxies, and lies in data_root, where nothing is written. "
        "Choose a work_dir outside of it, or write data: {cache: off}."
    )
