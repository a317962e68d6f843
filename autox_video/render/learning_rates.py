"""The learning rate over a training, of what the rendered config says of schedulers: MMEngine's, without torch."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from itertools import accumulate
from typing import Any

from autox_video.plan.schema import Plan
from autox_video.render.param_schedulers import steps_an_epoch

NUM_POINTS = 100
# What a scheduler makes of the rate, of its settings, its own step, its length in steps, and the rate that is planned.
Curve = Callable[[Mapping[str, Any], int, int, float], float]


def learning_rates(config: Mapping[str, Any], plan: Plan) -> list[tuple[float, float]] | None:
    """The highest rate of all groups at points that lie evenly over the training, each with its epoch.

    Args:
        config: As rendered.
        plan: Of the run.

    Returns:
        None where the config has none, or one that no plan writes (of `cfg_options`). A plateau is taken for flat: how
        long it lasts nobody knows.
    """
    epoch = steps_an_epoch(plan)
    end = plan.epochs.value * epoch
    points = sorted({round(n * (end - 1) / NUM_POINTS) for n in range(NUM_POINTS + 1)})
    try:
        base = float(config["optim_wrapper"]["optimizer"]["lr"])
        schedulers = config["param_scheduler"]
        schedulers = schedulers if isinstance(schedulers, Sequence) else [schedulers]
        return [(point / epoch, _rate(schedulers, base, point, epoch, end)) for point in points]
    except (KeyError, TypeError, ValueError, ArithmeticError):  # the user's own words may say anything
        return None


def _rate(schedulers: Sequence[Mapping[str, Any]], base: float, iteration: int, epoch: int, last: int) -> float:
    """Each scheduler changes the rate that those before it leave, from its begin on, and keeps it after its end."""
    rate = base
    for one in schedulers:
        if one["type"].endswith("Momentum"):
            continue
        curve = CURVES[one["type"]]
        if one.get("convert_to_iter_based"):
            raise ValueError("no plan writes it")
        now, whole = (n // epoch if one.get("by_epoch", True) else n for n in (iteration, last))
        begin = one.get("begin", 0)
        if now < begin:
            continue
        length = min(one.get("end", whole), whole) - begin
        step = min(now - begin, length - 1)
        if curve is _cosine:
            # From wherever the rate is: up, too.
            low = base * _low(one, base)
            rate = low + (rate - low) * _cosine(one, step, length, base)
            continue
        rate *= curve(one, step, length, base)
    return rate


def _linear(one: Mapping[str, Any], step: int, length: int, base: float) -> float:
    start, end = one.get("start_factor", 1 / 3), one.get("end_factor", 1.0)
    return float(start + (end - start) * min(1.0, step / max(1, length - 1)))


def _constant(one: Mapping[str, Any], step: int, length: int, base: float) -> float:
    # A single step is not followed by the one that would take it back.
    return float(one.get("factor", 1 / 3)) if step < length - 1 or length == 1 else 1.0


def _cosine(one: Mapping[str, Any], step: int, length: int, base: float) -> float:
    period = one.get("T_max") or length
    return (1 + math.cos(math.pi * step / period)) / 2


def _low(one: Mapping[str, Any], base: float) -> float:
    """The rate at the end, as a share of the first one."""
    ratio = one.get("eta_min_ratio")
    return float((one.get("eta_min") or 0.0) / base if ratio is None else ratio)


def _multi_steps(one: Mapping[str, Any], step: int, length: int, base: float) -> float:
    return float(one.get("gamma", 0.1) ** sum(step >= milestone for milestone in one["milestones"]))


def _restarts(one: Mapping[str, Any], step: int, length: int, base: float) -> float:
    periods = one["periods"]
    weights = one.get("restart_weights", [1])
    ends = list(accumulate(periods))
    now = next((n for n, end in enumerate(ends) if step < end), len(periods) - 1)
    low = _low(one, base)
    share = min(1.0, (step - ends[now] + periods[now]) / periods[now])
    return low + (weights[now] - low) * (1 + math.cos(math.pi * share)) / 2


def _flat(one: Mapping[str, Any], step: int, length: int, base: float) -> float:
    return 1.0


CURVES: dict[str, Curve] = {
    "LinearLR": _linear,
    "ConstantLR": _constant,
    "CosineAnnealingLR": _cosine,
    "MultiStepLR": _multi_steps,
    "CosineRestartLR": _restarts,
    "ReduceOnPlateauLR": _flat,
}
