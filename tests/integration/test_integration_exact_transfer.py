"""The state of optimizers, schedules, averages and frozen parts survives an interruption bit for bit."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import exact
import pytest
import torch
import videos
from exact import KilledError, differences, last_state
from runs import FAST

from autox_video.runner.checkpoints import load_checkpoint_file
from autox_video.work_dir import WorkDir

# Steps of the optimizer lie after iterations 2 and 3 of an epoch of three.
ONE_CYCLE = {"optimizer": "sgd", "schedule": "one_cycle", "ema": 0.5, "accumulation": 2, "clip_grad": 1.0}
PLATEAU = {"schedule": "plateau", "label_smoothing": 0.1, "val_interval": 1, "freeze": "stages:1", "warmup_epochs": 0.8}
RESTARTS = {"schedule": "restarts", "restart_epochs": [1, 2], "schedule_by": "epoch", "freeze": "head_only"}
# Name: settings, and after which iterations the run is saved and killed.
CASES: dict[str, tuple[dict[str, Any], list[tuple[int, int]]]] = {
    "SGD in one cycle, averaged, with clipped gradients": ({"train": ONE_CYCLE}, [(2, 3), (5, 5)]),
    "a plateau, with frozen stages": (
        # No validation is so much better: the second and the third lower the rate.
        {"train": PLATEAU, "cfg_options": {"param_scheduler.1.patience": 0, "param_scheduler.1.threshold": 2}},
        [(-1, 4), (7, 8)],
    ),
    "restarts by epoch, of the head only": ({"train": RESTARTS}, [(4, 5)]),
}


@pytest.fixture(scope="module")
def config(tmp_path_factory) -> Path:
    """Sixteen videos in batches of six, the last of four; three epochs."""
    folder = tmp_path_factory.mktemp("exact")
    lists = videos.write_dataset(folder)
    options: dict[str, Any] = {**FAST, "videos_per_gpu": 6, "epoch": 3}
    return videos.write_config(folder / "config.yaml", **lists, **options)


@pytest.fixture(scope="module")
def pretrained(config, tmp_path_factory) -> Path:
    """The network as it is initialised; to be started from."""
    folder = tmp_path_factory.mktemp("pretrained")
    job = exact.make_job(config, folder / "plan")
    with pytest.raises(KilledError):
        job.run(folder / "run", {"type": "InterruptHook", "save_at": 1, "stop_at": 1})
    path = folder / "weights.pth"
    torch.save({"state_dict": load_checkpoint_file(folder / "run" / "last.pth")["state_dict"]}, path)
    return path


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES)
def test_a_killed_training_ends_with_the_same_bits(case, config, pretrained, tmp_path):
    options, kills = CASES[case]
    model = {"name": "video_swin_nano", "load_from": str(pretrained)}
    job = exact.make_job(config, tmp_path / "plan", model=model, **options)
    job.run(tmp_path / "straight")
    for number, (save_at, stop_at) in enumerate(kills):
        interrupt = {"type": "InterruptHook", "save_at": save_at, "stop_at": stop_at}
        with pytest.raises(KilledError):
            job.run(tmp_path / "run", interrupt, workers=number % 3)
    job.run(tmp_path / "run", workers=1)
    straight = last_state(tmp_path / "straight")
    assert differences(last_state(tmp_path / "run"), straight) == []
    best = [load_checkpoint_file(tmp_path / run / "best.pth")["state_dict"] for run in ("straight", "run")]
    assert all(torch.equal(one, best[1][name]) for name, one in best[0].items())
    _check(case, WorkDir(tmp_path / "straight"), load_checkpoint_file(pretrained)["state_dict"])


def _check(case: str, work_dir: WorkDir, first: dict[str, torch.Tensor]) -> None:
    """What was asked for took place."""
    last = load_checkpoint_file(work_dir.last_checkpoint)
    changed = {name for name, tensor in last["state_dict"].items() if not torch.equal(tensor, first[name])}
    rates = [group["lr"] for group in last["optimizer"]["param_groups"]]
    if "frozen" in case:
        assert not any(name.startswith(("backbone.patch_embed", "backbone.layers.0")) for name in changed)
        assert any(name.startswith("backbone.layers.1") for name in changed)
        firsts = [group["initial_lr"] for group in last["optimizer"]["param_groups"]]
        assert rates == pytest.approx([rate / 100 for rate in firsts])
    elif "head" in case:
        assert changed == {"cls_head.fc_cls.weight", "cls_head.fc_cls.bias"}
        assert len(last["optimizer"]["state"]) == 2
        assert len(last["state_dict"]) == len(first)
    else:
        ours = last["ema_state_dict"]
        assert ours["steps"] == 6
        assert any(not torch.equal(ours[f"module.{name}"], tensor) for name, tensor in last["state_dict"].items())
        # What is tested and handed on is the average.
        best = load_checkpoint_file(work_dir.best_checkpoint)
        handed_on = load_checkpoint_file(work_dir.best_checkpoint.with_suffix(".safetensors"))["state_dict"]
        assert all(torch.equal(handed_on[name], tensor) for name, tensor in best["state_dict"].items())
        assert any(not torch.equal(best["ema_state_dict"][f"module.{name}"], handed_on[name]) for name in handed_on)
        # On its way back from 0.85 at the peak of the rate.
        assert all(0.9 < group["momentum"] < 0.95 for group in last["optimizer"]["param_groups"])
