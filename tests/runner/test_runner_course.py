"""What MMEngine's schedulers really do, step by step, is what the plan's curve says."""

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

from autox_video.plan.curve import course_of, learning_rate_at
from autox_video.plan.schema import Plan
from autox_video.render.config import render_config
from autox_video.runner import components  # noqa: F401

# Name: settings of train, beside two hundred videos in steps of 8: an epoch of 25 steps.
COURSES: dict[str, dict[str, Any]] = {
    "cosine": {},
    "cosine without warm-up": {"warmup_epochs": 0},
    "cosine after one step of warm-up": {"warmup_epochs": 0.04},
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
    epoch = course_of(plan).epoch
    runner = SimpleNamespace(cfg=config, _train_loop=None, train_dataloader=range(epoch), max_epochs=plan.epochs.value)
    runner.optim_wrapper = OptimWrapper(kind(rates, **options))
    runner.build_param_scheduler = lambda given: Runner._build_param_scheduler(runner, given, runner.optim_wrapper)
    runner.param_schedulers = runner.build_param_scheduler(config.param_scheduler)
    return runner


@pytest.mark.parametrize("optimizer", ["adamw", "sgd"])
@pytest.mark.parametrize("name", COURSES)
def test_mmengine_follows_the_curve_of_the_plan(name, optimizer):
    given = {"learning_rate": 0.5, "optimizer": optimizer, **COURSES[name]}
    plan, preset = samples.plan(epoch=10, videos_per_gpu=8, train=given)
    config = render_config(plan, preset, samples.RUN)
    course = course_of(plan)
    assert (course.epoch, course.end) == (25, 250)
    seen, expected = [], []
    with DefaultScope.overwrite_default_scope("mmaction"), warnings.catch_warnings():
        warnings.simplefilter("error")
        runner = runner_with(plan, config)
        optim = runner.optim_wrapper.optimizer
        for step in range(course.end):
            expected.append(learning_rate_at(plan, step / course.epoch))
            seen.append(tuple(group["lr"] for group in optim.param_groups))
            runner.optim_wrapper.step()
            for scheduler in runner.param_schedulers:
                if not scheduler.by_epoch or (step + 1) % course.epoch == 0:
                    scheduler.step()
    assert [rate for rate, _ in seen] == pytest.approx(expected, rel=1e-6, abs=1e-9)
    assert [rate for _, rate in seen] == pytest.approx([rate / 10 for rate in expected], rel=1e-6, abs=1e-9)
