"""The curve in plan.json is the one that MMEngine's own schedulers draw."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
import samples
import torch
from mmengine.optim import scheduler as mmengine_schedulers

from autox_video.render.config import render_config
from autox_video.render.learning_rates import learning_rates
from autox_video.render.param_schedulers import steps_an_epoch

EPOCHS, EPOCH, BASE = 10, 5, 0.2
BY_ITERATION = {"by_epoch": False}
WARM_UP = {"type": "LinearLR", "start_factor": 0.1, "begin": 0, "end": 7, **BY_ITERATION}


def drawn(*schedulers: dict[str, Any]) -> list[tuple[float, float]] | None:
    plan, _ = samples.plan(epoch=EPOCHS, videos_per_gpu=8)
    plan = dataclasses.replace(plan, num_videos={"train": 8 * EPOCH - 3, "val": 8})
    config = {"optim_wrapper": {"optimizer": {"lr": BASE}}, "param_scheduler": list(schedulers)}
    return learning_rates(config, plan)


def stepped(*settings: dict[str, Any]) -> list[float]:
    """The rate of each iteration, as MMEngine's schedulers set it."""
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=BASE)
    schedulers = []
    for one in settings:
        rest = dict(one)
        kind = getattr(mmengine_schedulers, rest.pop("type"))
        schedulers.append(kind(optimizer, **rest))
    rates = []
    for iteration in range(EPOCHS * EPOCH):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        is_last_of_epoch = (iteration + 1) % EPOCH == 0
        for scheduler in schedulers:
            if is_last_of_epoch or not scheduler.by_epoch:
                scheduler.step()
    return rates


@pytest.mark.parametrize(
    "schedulers",
    [
        [WARM_UP, {"type": "CosineAnnealingLR", "eta_min": 0.0, "begin": 7, "end": 50, **BY_ITERATION}],
        [WARM_UP, {"type": "CosineAnnealingLR", "eta_min_ratio": 0.01, "T_max": 40, "begin": 7, "end": 47, **BY_ITERATION}],
        [{"type": "CosineAnnealingLR", "T_max": 10, "eta_min": 0.02, "by_epoch": True, "begin": 0, "end": 10}],
        [{"type": "LinearLR"} | {"end": 4, "by_epoch": True}, {"type": "MultiStepLR", "milestones": [5, 8], "by_epoch": True}],
        [{"type": "MultiStepLR", "milestones": [4, 7], "gamma": 0.3, "begin": 1, "end": 10, "by_epoch": True}],
        [{"type": "ConstantLR", "factor": 0.2, "begin": 0, "end": 9, **BY_ITERATION}],
        [{"type": "CosineRestartLR", "periods": [4, 6], "restart_weights": [1, 0.5], "eta_min": 0.001, "by_epoch": True}],
        [
            WARM_UP,
            {"type": "CosineRestartLR", "periods": [13, 30], "restart_weights": [1, 0.5], "eta_min": 0.0, "begin": 7, "end": 50, **BY_ITERATION},
        ],
    ],
)  # fmt: skip
def test_the_curve_is_that_of_the_schedulers(schedulers: list[dict[str, Any]]) -> None:
    found, rates = drawn(*schedulers), stepped(*schedulers)
    assert found is not None
    assert [epoch for epoch, _ in found] == [iteration / EPOCH for iteration in range(EPOCHS * EPOCH)]
    assert [rate for _, rate in found] == pytest.approx(rates, rel=1e-6, abs=1e-12)


def test_a_plateau_is_flat_and_what_is_not_known_has_no_curve() -> None:
    flat = drawn({"type": "ReduceOnPlateauLR", "monitor": "top1"})
    assert flat is not None
    assert {rate for _, rate in flat} == {BASE}
    for foreign in ({"type": "MyOwnLR"}, {"type": "LinearLR", "end": 2, "convert_to_iter_based": True}):
        assert drawn(foreign) is None
    plan, _ = samples.plan()
    assert learning_rates({"optim_wrapper": {}}, plan) is None


def test_the_curve_of_a_plan_is_that_of_its_rendered_config() -> None:
    plan, preset = samples.plan(epoch=40, train={"warmup_epochs": 4, "learning_rate": 0.01})
    found = learning_rates(render_config(plan, preset, samples.RUN), plan)
    assert found is not None
    assert len(found) == 101
    assert found[0] == (0.0, pytest.approx(0.001))
    peak = max(found, key=lambda point: point[1])
    assert peak == (pytest.approx(4, abs=0.3), pytest.approx(0.01, rel=0.01))
    last = 40 - 1 / steps_an_epoch(plan)
    assert found[-1] == (pytest.approx(last), pytest.approx(0, abs=1e-6))
