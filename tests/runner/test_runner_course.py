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
from autox_video.runner.course import planned_otherwise, rebuild_schedule, scale_learning_rate

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


def steps(runner: Any, number: int) -> list[float]:
    """Learning rate and momentum of so many steps, as the hook of MMEngine moves them."""
    seen = []
    for _ in range(number):
        group = runner.optim_wrapper.optimizer.param_groups[0]
        seen.append((group["lr"], group.get("momentum", group.get("betas", (None,))[0])))
        runner.optim_wrapper.step()
        runner.iter += 1
        for scheduler in runner.param_schedulers:
            if not scheduler.by_epoch or runner.iter % len(runner.train_dataloader) == 0:
                scheduler.step()
    return [value for pair in seen for value in pair]


def planned(epochs: int, **train: Any) -> Any:
    data = samples.fingerprint(counts={"run": 40, "jump": 40})
    plan, preset = samples.plan(data=data, epoch=epochs, videos_per_gpu=8, train={"learning_rate": 0.5, **train})
    runner = runner_with(plan, render_config(plan, preset, samples.RUN))
    runner.iter = 0
    return runner


@pytest.mark.parametrize("optimizer", ["adamw", "sgd"])
def test_in_one_cycle_momentum_falls_while_the_rate_rises(optimizer):
    values = steps(planned(10, schedule="one_cycle", optimizer=optimizer), 100)
    rates, momenta = values[::2], values[1::2]
    assert (rates[0], max(rates), rates.index(max(rates))) == (pytest.approx(0.02), pytest.approx(0.5), 30)
    assert rates[-1] < 0.001
    assert [momenta[step] for step in (0, 30)] == pytest.approx([0.95, 0.85])
    assert momenta[-1] == pytest.approx(0.95, abs=0.001)


@pytest.mark.parametrize("name", [name for name in COURSES if name != "plateau"])
def test_a_schedule_of_another_length_goes_on_where_it_would_stand(name):
    """As after a resume: the optimizer and the schedulers have steps of the old length behind them."""
    given = COURSES[name]
    old, new = planned(10, **given), planned(14, **given)
    with DefaultScope.overwrite_default_scope("mmaction"), warnings.catch_warnings():
        warnings.simplefilter("error")
        steps(old, 37)
        states = [dict(scheduler.state_dict()) for scheduler in old.param_schedulers]
        assert planned_otherwise(states, planned(14, **given).param_schedulers)
        assert not planned_otherwise(states, planned(10, **given).param_schedulers)
        old.cfg, old.max_epochs = new.cfg, 14
        rebuild_schedule(old)
        steps(new, 37)
        assert steps(old, 103) == pytest.approx(steps(new, 103), rel=1e-6, abs=1e-9)


def test_a_longer_run_leaves_a_plateau_as_it_is():
    states = [dict(scheduler.state_dict()) for scheduler in planned(10, schedule="plateau").param_schedulers]
    assert not planned_otherwise(states, planned(14, schedule="plateau").param_schedulers)


@pytest.mark.parametrize("schedule", ["one_cycle", "plateau", "restarts"])
def test_a_halved_rate_leaves_momentum_alone(schedule):
    whole, half = planned(10, schedule=schedule), planned(10, schedule=schedule)
    steps(whole, 20)
    steps(half, 20)
    schedulers = [dict(scheduler.state_dict()) for scheduler in half.param_schedulers]
    checkpoint = {"optimizer": half.optim_wrapper.state_dict(), "param_schedulers": schedulers}
    scale_learning_rate(checkpoint, 0.5)
    half.optim_wrapper.load_state_dict(checkpoint["optimizer"])
    for scheduler, state in zip(half.param_schedulers, schedulers, strict=True):
        scheduler.load_state_dict(state)
    one, other = steps(whole, 80), steps(half, 80)
    assert other[::2] == pytest.approx([rate / 2 for rate in one[::2]])
    assert other[1::2] == pytest.approx(one[1::2])
