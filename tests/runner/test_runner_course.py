"""What MMEngine's schedulers really do, step by step, is the curve in plan.json."""

from __future__ import annotations

import warnings
from types import SimpleNamespace
from typing import Any

import pytest
import samples
import torch
from mmengine.optim import OptimWrapper
from mmengine.registry import DefaultScope
from mmengine.runner import Runner

from autox_video.plan.schema import Plan
from autox_video.render.config import render_config
from autox_video.render.learning_rates import learning_rates
from autox_video.render.param_schedulers import steps_an_epoch
from autox_video.runner import components  # noqa: F401

# Name: settings of train, beside 80 videos in steps of 8: ten epochs of ten steps, each of which is drawn.
COURSES: dict[str, dict[str, Any]] = {
    "cosine": {},
    "cosine without warm-up": {"warmup_epochs": 0},
    "cosine after one step of warm-up": {"warmup_epochs": 0.1},
    "cosine after half an epoch of warm-up": {"warmup_epochs": 0.5},
    "cosine by epoch": {"schedule_by": "epoch", "warmup_epochs": 1.4},
    "steps": {"schedule": "step", "milestones": [3, 6.48]},
    "steps of our choice by epoch": {"schedule": "step", "schedule_by": "epoch"},
    "restarts": {"schedule": "restarts", "restart_epochs": [4, 7.2]},
    "restarts of our choice": {"schedule": "restarts", "warmup_epochs": 0},
    "restarts by epoch": {"schedule": "restarts", "schedule_by": "epoch", "restart_epochs": [5]},
    "one cycle": {"schedule": "one_cycle"},
    "one cycle by epoch": {"schedule": "one_cycle", "schedule_by": "epoch"},
    "constant": {"schedule": "constant"},
    "plateau": {"schedule": "plateau"},
}


def runner_with(plan: Plan, config: Any) -> Any:
    """As much of a Runner as builds schedulers: two parameters, of which one learns at a tenth."""
    parameters = [torch.nn.Parameter(torch.ones(1)) for _ in range(2)]
    options = dict(config.optim_wrapper.optimizer)
    kind = getattr(torch.optim, options.pop("type"))
    rates = [{"params": [one], "lr": options["lr"] * rate} for one, rate in zip(parameters, (1.0, 0.1), strict=True)]
    epoch = steps_an_epoch(plan)
    runner = SimpleNamespace(cfg=config, _train_loop=None, train_dataloader=range(epoch), max_epochs=plan.epochs.value)
    runner.optim_wrapper = OptimWrapper(kind(rates, **options))
    runner.build_param_scheduler = lambda given: Runner._build_param_scheduler(runner, given, runner.optim_wrapper)
    runner.param_schedulers = runner.build_param_scheduler(config.param_scheduler)
    return runner


@pytest.mark.parametrize("optimizer", ["adamw", "sgd"])
@pytest.mark.parametrize("name", COURSES)
def test_mmengine_follows_the_curve_of_every_schedule(name, optimizer):
    given = {"learning_rate": 0.5, "optimizer": optimizer, **COURSES[name]}
    data = samples.fingerprint(counts={"run": 40, "jump": 40})
    plan, preset = samples.plan(data=data, epoch=10, videos_per_gpu=8, train=given)
    config = render_config(plan, preset, samples.RUN)
    expected = learning_rates(config, plan)
    assert expected is not None
    assert [epoch for epoch, _ in expected] == pytest.approx([step / 10 for step in range(100)])
    seen = []
    with DefaultScope.overwrite_default_scope("mmaction"), warnings.catch_warnings():
        warnings.simplefilter("error")
        runner = runner_with(plan, config)
        for step in range(1, 101):
            seen.append(tuple(group["lr"] for group in runner.optim_wrapper.optimizer.param_groups))
            runner.optim_wrapper.step()
            for scheduler in runner.param_schedulers:
                if not scheduler.by_epoch or step % 10 == 0:
                    scheduler.step()
    assert [rate for rate, _ in seen] == pytest.approx([rate for _, rate in expected], rel=1e-6, abs=1e-9)
    assert [rate for _, rate in seen] == pytest.approx([rate / 10 for _, rate in expected], rel=1e-6, abs=1e-9)
