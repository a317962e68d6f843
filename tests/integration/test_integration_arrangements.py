"""One total batch, shared out in several ways: by processes, by batches that are added up, or not at all."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
import torch
from mmengine.hooks import Hook
from several import in_processes

from autox_video import cli
from autox_video.runner import build

# What each arrangement has besides: processes, videos of a batch, batches added up, and how processes share a network.
ARRANGEMENTS = {
    "one": (1, 8, 1, "ddp"),
    "processes": (2, 4, 1, "ddp"),
    "accumulation": (1, 4, 2, "ddp"),
    "shards": (2, 2, 2, "fsdp"),
}
# Two steps an epoch: a whole one, and one of five videos. One process in shares has a batch that only fills up.
VIDEOS, EPOCHS = 13, 10
VALUES = (
    # No noise but that of the clips, which is the same for a draw whoever reads it.
    *("cfg_options.model.backbone.drop_path_rate=0.0", "cfg_options.model.cls_head.dropout_ratio=0.0", "train.amp=off"),
    *("cfg_options.model.backbone.arch.embed_dims=16", "cfg_options.model.cls_head.in_channels=32", "clip.clip_len=2"),
    *(f"epoch={EPOCHS}", "train.val_interval=100", "train.learning_rate=0.01"),
    # A norm of all gradients, and groups of parameters that learn at other rates.
    *("train.clip_grad=1.0", "train.layer_decay=0.8"),
)


class LossHook(Hook):
    """Notes the loss of each batch, and how many videos it has."""

    def __init__(self) -> None:
        self.losses: list[tuple[float, int]] = []

    def after_train_iter(self, runner: Any, batch_idx: int, data_batch: Any = None, outputs: Any = None) -> None:
        self.losses.append((float(outputs["loss"].detach()), len(data_batch["data_samples"])))


def losses_of(arguments: list[str]) -> list[tuple[float, int]]:
    """Train in this process, which ends afterwards."""
    hook, register = LossHook(), build.WorkDirRunner.register_hooks

    def register_hooks(self: Any, *given: Any, **more: Any) -> None:
        register(self, *given, **more)
        self.register_hook(hook)

    build.WorkDirRunner.register_hooks = register_hooks  # type: ignore[method-assign]
    assert cli.main(arguments) == 0
    return hook.losses


def by_step(found: list[list[tuple[float, int]]], batches: int, accumulation: int) -> list[float]:
    """The mean over the videos of each step; `batches` are those of an epoch."""
    groups = [
        range(epoch + first, epoch + min(first + accumulation, batches))
        for epoch in range(0, len(found[0]), batches)
        for first in range(0, batches, accumulation)
    ]
    parts = [[rank[number] for rank in found for number in group] for group in groups]
    return [sum(loss * count for loss, count in part) / sum(count for _, count in part) for part in parts]


@pytest.fixture(scope="module")
def runs(made_data, tmp_path_factory) -> dict[str, tuple[Path, list[float]]]:
    """The work dir of each training, and the loss of each of its steps."""
    folder = tmp_path_factory.mktemp("arranged")
    lines = (made_data / "train_list.txt").read_text().splitlines()
    (folder / "train.txt").write_text("\n".join(lines[:VIDEOS]))
    done = {}
    for name, (processes, batch, accumulation, strategy) in ARRANGEMENTS.items():
        values = (*VALUES, f"ann_file_train={folder / 'train.txt'}", f"videos_per_gpu={batch}")
        values = (*values, f"train.accumulation={accumulation}", f"runtime.strategy={strategy}")
        options = [part for value in values for part in ("--set", value)]
        arguments = ["train", "-c", str(made_data / "config.yaml"), "--work-dir", str(folder / name), *options]
        answers = in_processes(processes, losses_of, arguments)
        assert [answer for answer, _ in answers if isinstance(answer, str)] == []
        batches = math.ceil(math.ceil(VIDEOS / processes) / batch)
        done[name] = (folder / name, by_step([answer for answer, _ in answers], batches, accumulation))
    return done


@pytest.mark.parametrize("name", [*ARRANGEMENTS][1:])
def test_the_losses_of_each_step_are_those_of_one_process_with_the_whole_batch(runs, name):
    expected, found = runs["one"][1], runs[name][1]
    assert len(found) == len(expected) == 2 * EPOCHS
    assert found == pytest.approx(expected, abs=1e-5)
    assert max(expected) - min(expected) > 0.1


@pytest.mark.parametrize("name", [*ARRANGEMENTS][1:])
def test_so_are_the_losses_of_epochs(runs, name):
    expected, found = ([row["train_loss"] for row in _rows(runs[key][0])] for key in ("one", name))
    assert found == pytest.approx(expected, abs=1e-5)


def _rows(work_dir: Path) -> list[dict[str, float]]:
    record = torch.load(work_dir / "last.pth", weights_only=True)["meta"]["autox_video"]
    return record["hooks"]["EpochReportHook"]["rows"]


@pytest.mark.parametrize("name", [*ARRANGEMENTS][1:])
def test_so_are_the_weights_at_the_end(runs, name):
    expected, found = (torch.load(runs[key][0] / "last.pth", weights_only=True)["state_dict"] for key in ("one", name))
    assert found.keys() == expected.keys()
    furthest = max(float((found[key].double() - value.double()).abs().max()) for key, value in expected.items())
    assert furthest < 1e-4
