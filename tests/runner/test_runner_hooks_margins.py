"""What a training notes of its labels: the margins, added up step by step."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from mmaction.structures import ActionDataSample
from mmengine.dist import all_gather
from several import in_processes
from test_runner_distributed import GLOO
from torch import nn

from autox_video.processes import own_place
from autox_video.runner.checkpoints.record import RECORD_KEY
from autox_video.runner.distributed import joined
from autox_video.runner.hooks import margins
from autox_video.runner.hooks.margins import MarginsHook, read_margins


class Head(nn.Module):
    """Gives back what it is given."""

    def forward(self, logits):
        return logits


def make_runner():
    """Of three videos, in batches of up to three; two batches are a step."""
    loader = SimpleNamespace(dataset=range(3), batch_size=3)
    model = nn.Module()
    model.cls_head = Head()
    wrapper = SimpleNamespace(_accumulative_counts=2)
    return SimpleNamespace(train_dataloader=loader, model=model, optim_wrapper=wrapper)


@pytest.fixture
def runner():
    return make_runner()


def batch_of(*pairs: tuple[int, int]):
    samples = [ActionDataSample(gt_label=torch.tensor([label]), metainfo={"place": place}) for place, label in pairs]
    return {"data_samples": samples}


def step(hook, runner, logits, batch, counts: bool = True) -> None:
    runner.model.cls_head(torch.tensor(logits))
    hook.after_train_iter(runner, 0, batch)
    if counts:
        hook.between_steps(runner)


def read(hook, tmp_path) -> list[float]:
    torch.save({"meta": {RECORD_KEY: {"hooks": {"MarginsHook": hook.state_dict()}}}}, tmp_path / "last.pth")
    found = read_margins(tmp_path / "last.pth")
    return np.round(found, 4).tolist()


def test_margins_are_means_of_probabilities_and_belong_to_whole_steps(runner, tmp_path):
    hook = MarginsHook()
    hook.before_train(runner)
    even = [0.0, 0.0]
    sure = [float(np.log(3)), 0.0]  # 0.75 and 0.25
    step(hook, runner, [sure, sure], batch_of((2, 0), (0, 1)))
    assert str(read(hook, tmp_path)) == "[-0.5, nan, 0.5]"
    step(hook, runner, [even], batch_of((2, 1)))
    assert str(read(hook, tmp_path)) == "[-0.5, nan, 0.25]"
    # Batches that are added up count when the step is done; those of a step that did not fit into memory never.
    step(hook, runner, [sure], batch_of((1, 0)), counts=False)
    assert str(read(hook, tmp_path)) == "[-0.5, nan, 0.25]"
    hook.out_of_memory(runner)
    step(hook, runner, [sure], batch_of((1, 1)), counts=False)
    step(hook, runner, [sure], batch_of((1, 1)))
    assert read(hook, tmp_path) == [-0.5, -0.5, 0.25]


def test_a_run_that_goes_on_adds_to_what_it_had(runner, tmp_path):
    hook, resumed = MarginsHook(), MarginsHook()
    hook.before_train(runner)
    step(hook, runner, [[2.0, 0.0]] * 3, batch_of((0, 0), (1, 0), (2, 1)))
    hook.after_train(runner)
    resumed.load_state_dict(hook.state_dict())
    resumed.before_train(runner)
    step(resumed, runner, [[0.0, 0.0]], batch_of((0, 0)))
    before, after = read(hook, tmp_path), read(resumed, tmp_path)
    assert after == [round(before[0] / 2, 4), *before[1:]]


def test_what_validation_scores_and_heads_of_another_kind_are_left_out(runner, tmp_path):
    hook = MarginsHook()
    hook.before_train(runner)
    runner.model.eval()
    step(hook, runner, [[2.0, 0.0]], batch_of((0, 0)))
    runner.model.train()
    step(hook, runner, [[[2.0, 0.0]]], batch_of((0, 0)))
    step(hook, runner, [[2.0, 0.0]] * 4, batch_of((0, 0)))
    assert str(read(hook, tmp_path)) == "[nan, nan, nan]"


def test_a_run_that_kept_none_has_none(tmp_path):
    torch.save({"meta": {RECORD_KEY: {"hooks": {}}}}, tmp_path / "last.pth")
    assert read_margins(tmp_path / "last.pth") is None


def steps_of_two() -> tuple[list[float], list[int], list[int]]:
    """Two steps of two processes: the second process has less in the first, and nothing in the last."""
    runner, hook, told = make_runner(), MarginsHook(), []
    first = own_place().is_first

    def counted(own):
        told.append(own.numel())
        return all_gather(own)

    margins.all_gather = counted
    with joined(GLOO, "cpu"):
        hook.before_train(runner)
        step(hook, runner, [[0.0, 0.0]] * 3, batch_of((0, 0), (1, 0), (2, 0)), counts=False)
        sure = [float(np.log(3)), 0.0]  # 0.75 and 0.25
        step(
            hook,
            runner,
            *(([[0.0, 0.0]] * 3, batch_of((0, 0), (1, 0), (2, 0))) if first else ([sure], batch_of((1, 1)))),
        )
        if first:
            step(hook, runner, [sure], batch_of((2, 0)))
        else:
            hook.between_steps(runner)
    state = hook.state_dict()
    return state["sums"].tolist(), state["counts"].tolist(), told


def test_processes_tell_each_other_once_a_step_and_all_know_the_same():
    # 2 + 1, 2 + 2 and 2 + 1 + 1 margins; a tensor of two batches of three, with a place and a margin each.
    expected = (pytest.approx([0.0, -0.5, 0.5], abs=1e-7), [3, 4, 4], [12, 12])
    assert [answer for answer, _ in in_processes(2, steps_of_two)] == [expected] * 2
