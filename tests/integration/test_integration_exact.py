"""However a training is interrupted, it ends with the bits of one that was not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import exact
import pytest
import videos
from exact import Job, KilledError, differences, last_state
from runs import FAST, run_cli

EMA = {"type": "EMAHook"}
# Steps of the optimizer lie after iterations 2 and 3 of an epoch of three.
ACCUMULATED = {"train": {"accumulation": 2, "val_interval": 2}}
AMP = {"train": {"amp": "bfloat16"}}
EVERYTHING = {"level": "strong", "color_jitter": 0.4, "multi_scale_crop": True}
# Name: settings, hooks of all runs, after which iterations the run is saved and killed.
CASES: dict[str, tuple[dict[str, Any], list[dict[str, Any]], list[tuple[int, int]]]] = {
    # Before anything was saved, inside an epoch, at the last step of one, steps after the last save, and once more.
    "again and again": ({}, [], [(-1, 2), (2, 2), (3, 3), (4, 5), (7, 7)]),
    "with accumulation": (ACCUMULATED, [], [(2, 2), (5, 5)]),
    "in mixed precision with an averaged model": (AMP, [EMA], [(2, 2), (5, 5)]),
    "with several views of a video": ({"augment": {"num_repeats": 2}}, [], [(2, 2), (5, 5)]),
    "with all that varies and mixes clips": ({**AMP, "augment": EVERYTHING}, [], [(2, 2), (5, 5)]),
    "with balanced classes": ({"data": {"balance": "sampler"}}, [], [(2, 2), (5, 5)]),
}
RARER = ("with several views of a video", "with all that varies and mixes clips", "with balanced classes")


@pytest.fixture(scope="module")
def config(tmp_path_factory) -> Path:
    """Sixteen videos in batches of six, the last of four; three epochs, the second and third validated."""
    folder = tmp_path_factory.mktemp("exact")
    lists = videos.write_dataset(folder)
    options: dict[str, Any] = {**FAST, "videos_per_gpu": 6, "epoch": 3, "train": {"val_interval": 2}}
    return videos.write_config(folder / "config.yaml", **lists, **options)


@pytest.fixture(scope="module")
def straight(config, tmp_path_factory):
    """The end of an uninterrupted training, by its options."""
    done: dict[str, dict[str, Any]] = {}

    def state(job: Job, hooks: list[dict[str, Any]]) -> dict[str, Any]:
        key = f"{job.config.pretty_text}{hooks}".replace(job.config.work_dir, "")
        if key not in done:
            folder = tmp_path_factory.mktemp("straight")
            job.run(folder, *hooks)
            done[key] = last_state(folder)
        return done[key]

    return state


@pytest.mark.parametrize(
    "case", [pytest.param(case, marks=[pytest.mark.slow] if case in RARER else []) for case in CASES]
)
def test_a_killed_training_ends_with_the_same_bits(case, config, straight, tmp_path):
    options, hooks, kills = CASES[case]
    job = exact.make_job(config, tmp_path / "plan", **options)
    for number, (save_at, stop_at) in enumerate(kills):
        interrupt = {"type": "InterruptHook", "save_at": save_at, "stop_at": stop_at}
        with pytest.raises(KilledError):
            # The number of loading processes changes from run to run.
            job.run(tmp_path / "run", *hooks, interrupt, workers=number % 3)
    job.run(tmp_path / "run", *hooks, workers=1)
    assert differences(last_state(tmp_path / "run"), straight(job, hooks)) == []


def test_a_validation_that_was_stopped_is_made_up_for(config, straight, tmp_path):
    job = exact.make_job(config, tmp_path / "plan")
    with pytest.raises(KilledError):
        job.run(tmp_path / "run", EMA, {"type": "InterruptValidationHook", "epochs": 2})
    stopped = last_state(tmp_path / "run")
    assert (stopped[".epoch"], stopped[".validated_epochs"]) == (2, 0)
    job.run(tmp_path / "run", EMA)
    assert differences(last_state(tmp_path / "run"), straight(job, [EMA])) == []


def test_other_random_numbers_give_other_bits(config, straight, tmp_path):
    job = exact.make_job(config, tmp_path / "plan")
    other = exact.make_job(config, tmp_path / "plan", runtime={"seed": 1, "device": "cpu", "workers": 0})
    other.run(tmp_path / "run")
    changed = differences(last_state(tmp_path / "run"), straight(job, []))
    assert any(name.startswith(".state_dict.") for name in changed)


def test_metrics_csv_has_no_row_twice_and_none_too_many(config, straight, tmp_path):
    job = exact.make_job(config, tmp_path / "plan")
    for stop in (4, 8):
        with pytest.raises(KilledError):
            job.run(tmp_path / "run", {"type": "InterruptHook", "save_at": stop - 2, "stop_at": stop})
    rows = (tmp_path / "run" / "metrics.csv").read_text().splitlines()
    assert [row.split(",")[0] for row in rows] == ["epoch", "1", "2"]
    job.run(tmp_path / "run")
    rows = (tmp_path / "run" / "metrics.csv").read_text().splitlines()
    assert [row.split(",")[0] for row in rows] == ["epoch", "1", "2", "3"]


def test_a_run_says_where_it_goes_on_and_what_it_skips(config, tmp_path):
    job = exact.make_job(config, tmp_path / "run")
    with pytest.raises(KilledError):
        job.run(tmp_path / "run", {"type": "InterruptHook", "save_at": 4, "stop_at": 4})
    last, previous = tmp_path / "run" / "last.pth", tmp_path / "run" / "previous.pth"
    arguments = ("train", "-c", str(config), "--work-dir", str(tmp_path / "run"))
    content = last.read_bytes()
    last.write_bytes(content[: len(content) // 2])
    output = run_cli(*arguments, "--set", "epoch=1").splitlines()
    # Its validation became due with the lower number of epochs.
    assert f"resume   after epoch 1 of 1, from {previous}" in output
    assert any(line.startswith(f"skipped  {last}: is cut off or damaged") for line in output)
    last.write_bytes(content)
    previous.unlink()
    output = run_cli(*arguments).splitlines()
    assert f"resume   inside epoch 2 of 3, after 6 of 16 videos, from {last}" in output
    assert output[-2].startswith("best     epoch ")


def test_without_a_whole_checkpoint_a_run_never_starts_over(config, tmp_path):
    job = exact.make_job(config, tmp_path / "run")
    with pytest.raises(KilledError):
        job.run(tmp_path / "run", {"type": "InterruptHook", "save_at": 2, "stop_at": 4})
    for name in ("last.pth", "previous.pth"):
        (tmp_path / "run" / name).write_bytes(b"PK nothing")
    output = run_cli("train", "-c", str(config), "--work-dir", str(tmp_path / "run"), code=1).splitlines()
    assert [line.split(": ")[0] for line in output if line.startswith(str(tmp_path))] == [
        str(tmp_path / "run" / name) for name in ("last.pth", "previous.pth")
    ]
