"""A loss that is no number, a batch that does not fit: the same command gets over it, or says why it cannot."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest
import torch
import videos
from mmengine.hooks import Hook
from mmengine.registry import HOOKS
from runs import FAST, run_cli


@HOOKS.register_module(force=True)
class PoisonHook(Hook):
    """Makes a weight NaN before a step, as long as the learning rate is above a limit."""

    def __init__(self, at: int, above: float) -> None:
        self.at, self.above = at, above

    def before_train_iter(self, runner: Any, batch_idx: int, data_batch: Any = None) -> None:
        if runner.iter == self.at and runner.optim_wrapper.param_groups[0]["initial_lr"] > self.above:
            runner.model.cls_head.fc_cls.weight.data[0, 0] = math.nan


@HOOKS.register_module(force=True)
class SmallGpuHook(Hook):
    """Raises what CUDA raises, for batches of more than so many videos, from a step on."""

    def __init__(self, room: int, since: int) -> None:
        self.room, self.since = room, since

    def before_train_iter(self, runner: Any, batch_idx: int, data_batch: Any = None) -> None:
        if runner.iter >= self.since and len(data_batch["data_samples"]) > self.room:
            raise torch.cuda.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has ...")


@pytest.fixture(scope="module")
def job(tmp_path_factory) -> Path:
    """Sixteen videos in four batches; two epochs."""
    folder = tmp_path_factory.mktemp("recovery")
    lists = videos.write_dataset(folder)
    options: dict[str, Any] = {**FAST, "epoch": 2, "train": {"learning_rate": 1e-3, "val_interval": 1}}
    return videos.write_config(folder / "config.yaml", **lists, **options)


def train(job: Path, folder: Path, *more: str, code: int = 0, **hook: Any) -> list[str]:
    option = ("--set", f"cfg_options.default_hooks.trouble={json.dumps(hook)}") if hook else ()
    return run_cli("train", "-c", str(job), "--work-dir", str(folder), *option, *more, code=code).splitlines()


def planned(folder: Path) -> dict[str, Any]:
    return {key: entry for key, entry in json.loads((folder / "plan.json").read_text()).items()}


def finite(path: Path) -> bool:
    state = torch.load(path, weights_only=True)["state_dict"]
    return all(bool(torch.isfinite(tensor).all()) for tensor in state.values() if tensor.is_floating_point())


def epochs(folder: Path) -> list[str]:
    return [line.split(",")[0] for line in (folder / "metrics.csv").read_text().splitlines()[1:]]


def test_a_loss_that_is_no_number_goes_back_and_is_tried_at_half_the_rate(job, tmp_path):
    output = train(job, tmp_path, type="PoisonHook", at=5, above=3e-4)
    (first, second) = [line for line in output if line.startswith("warning  epoch 2, step 6: the loss became nan")]
    assert "with the videos" in first
    assert ".mp4, " in first
    assert first.endswith("; the run goes back and tries again at learning rate 0.0005")
    assert second.endswith("; the run goes back and tries again at learning rate 0.00025")
    assert f"resume   after epoch 1 of 2, from {tmp_path / 'last.pth'}" in output
    assert planned(tmp_path)["lr_scale"]["value"] == 0.25
    assert planned(tmp_path)["lr_scale"]["why"].startswith("halved for the second time: epoch 2, step 6: the loss")
    assert epochs(tmp_path) == ["1", "2"]
    assert finite(tmp_path / "last.pth")
    assert finite(tmp_path / "best.pth")
    # The rate it was brought to stays with the run.
    longer = train(job, tmp_path, "--set", "epoch=3")
    assert any(line.startswith("epoch 3/3") for line in longer)
    assert planned(tmp_path)["lr_scale"]["value"] == 0.25
    state = torch.load(tmp_path / "last.pth", weights_only=True)
    assert max(group["initial_lr"] for group in state["optimizer"]["param_groups"]) == pytest.approx(2.5e-4)


@pytest.mark.slow
def test_half_the_rate_is_half_of_every_step_that_follows(job, tmp_path):
    train(job, tmp_path / "whole")
    train(job, tmp_path / "halved", type="PoisonHook", at=5, above=6e-4)

    def rates(folder: Path) -> list[float]:
        state = torch.load(folder / "last.pth", weights_only=True)
        return [row["learning_rate"] for row in state["meta"]["autox_video"]["hooks"]["EpochReportHook"]["rows"]]

    whole, halved = rates(tmp_path / "whole"), rates(tmp_path / "halved")
    assert halved[0] == whole[0]
    assert halved[1] == pytest.approx(whole[1] / 2)


@pytest.mark.slow
def test_after_three_times_it_gives_up_with_the_last_good_state(job, tmp_path):
    output = train(job, tmp_path, code=1, type="PoisonHook", at=5, above=0)
    assert len([line for line in output if line.startswith("warning  epoch 2, step 6: the loss became nan")]) == 3
    assert output[-1].startswith("epoch 2, step 6: the loss became nan with the videos ")
    assert output[-1].endswith(
        ", at an eighth of the learning rate too. "
        "Look at these videos with `autox-video preview`, or choose a lower train.learning_rate or train.amp: off."
    )
    assert epochs(tmp_path) == ["1"]
    assert torch.load(tmp_path / "last.pth", weights_only=True)["meta"]["epoch"] == 1
    assert finite(tmp_path / "last.pth")


def test_a_loss_that_is_no_number_at_once_starts_again(job, tmp_path):
    output = train(job, tmp_path, type="PoisonHook", at=0, above=6e-4)
    assert not any(line.startswith("resume") for line in output)
    assert epochs(tmp_path) == ["1", "2"]


def test_weights_that_are_no_numbers_are_never_written(job, tmp_path):
    # After the last step before a save: no loss has shown it yet.
    @HOOKS.register_module(force=True)
    class LatePoisonHook(Hook):
        def after_train_epoch(self, runner: Any) -> None:
            if runner.optim_wrapper.param_groups[0]["initial_lr"] > 6e-4:
                runner.model.backbone.patch_embed.proj.bias.data[0] = math.inf

    output = train(job, tmp_path, type="LatePoisonHook")
    assert any("state_dict.backbone.patch_embed.proj.bias is not finite any more" in line for line in output)
    assert finite(tmp_path / "last.pth")
    assert epochs(tmp_path) == ["1", "2"]


def test_a_batch_that_does_not_fit_is_halved_and_the_total_stays(job, tmp_path):
    output = train(job, tmp_path, type="SmallGpuHook", room=1, since=6)
    warnings = [line for line in output if line.startswith("warning  training: the GPU has not the memory for")]
    assert warnings == [
        "warning  training: the GPU has not the memory for 4 videos at a time; the run goes on with 2 videos at a time, "
        "2 times a step",
        "warning  training: the GPU has not the memory for 2 videos at a time; the run goes on with 1 videos at a time, "
        "4 times a step",
    ]
    goes_on = f"resume   inside epoch 2 of 2, after 8 of 16 videos, from {tmp_path / 'last.pth'}"
    assert output.count(goes_on) == 2
    plan = planned(tmp_path)
    assert [plan[key]["value"] for key in ("videos_per_gpu", "accumulation", "total_batch_size")] == [1, 4, 4]
    assert plan["videos_per_gpu"]["source"] == "run"
    assert epochs(tmp_path) == ["1", "2"]
    state = torch.load(tmp_path / "last.pth", weights_only=True)
    rows = state["meta"]["autox_video"]["hooks"]["EpochReportHook"]["rows"]
    # Sixteen videos an epoch, in four steps as before; the learning rate is that of the last step of eight.
    assert [round(row["videos_per_second"] * row["seconds"]) for row in rows] == [16, 16]
    assert rows[-1]["iter"] == 32
    assert rows[-1]["learning_rate"] == pytest.approx(1e-3 * (1 + math.cos(math.pi * 5 / 6)) / 2)
    train(job, tmp_path, "--set", "epoch=3")
    assert planned(tmp_path)["videos_per_gpu"]["value"] == 1


def test_a_gpu_too_small_for_one_video_is_said(job, tmp_path):
    output = train(job, tmp_path, code=1, type="SmallGpuHook", room=0, since=0)
    assert output[-1] == (
        "training: not even one video at a time fits into the memory of the GPU (got CUDA out of memory). "
        "Choose a smaller model, clip_len or input_size; `autox-video plan` shows them."
    )
