"""Optimizer, learning-rate schedule and loops in MMEngine's words."""

from __future__ import annotations

from typing import Any

from autox_video.plan.schema import Plan
from autox_video.render.param_schedulers import ONE_CYCLE_MOMENTUM, param_scheduler
from autox_video.render.stock_transfer import stock_groups

# Of SGD, and the first beta of AdamW.
MOMENTUM = 0.9

# What MMAction2's own evaluator calls the figures.
STOCK_METRICS = {
    "top1": "acc/top1",
    "mean_class_accuracy": "acc/mean1",
    "mean_average_precision": "acc/mean_average_precision",
}


def optim_wrapper(plan: Plan, model: dict[str, Any], *, stock: bool = False) -> dict[str, Any]:
    """The optimizer, which parameters it treats how, and what becomes of gradients before a step.

    Args:
        plan: Every value of the run.
        model: The network as it is rendered.
        stock: As MMAction2's configs have it: torch's default implementation, its own ways of sorting parameters, and
            no mixed precision on the CPU, which MMEngine's wrapper refuses.

    Raises:
        RequestError: MMAction2 alone cannot do what is planned.
    """
    wrapper: dict[str, Any] = {
        "type": "OptimWrapper",
        "optimizer": _optimizer(plan),
        **(stock_groups(plan, model) if stock else _groups(plan)),
        "accumulative_counts": plan.accumulation.value,
    }
    if plan.clip_grad.value is not None:
        wrapper["clip_grad"] = {"max_norm": plan.clip_grad.value}
    if not stock:
        # The same update in one pass over memory.
        wrapper["optimizer"]["fused"] = True
    if plan.amp.value == "off" or (stock and plan.device.value == "cpu"):
        return wrapper
    if plan.device.value == "cpu":
        wrapper["type"] = "CpuAmpOptimWrapper"
    else:
        # bfloat16 has the exponents of float32: its losses need no scaling.
        scale = "dynamic" if plan.amp.value == "float16" else 1.0
        wrapper |= {"type": "AmpOptimWrapper", "dtype": plan.amp.value, "loss_scale": scale}
    return wrapper


def _optimizer(plan: Plan) -> dict[str, Any]:
    common = {"lr": plan.learning_rate.value * plan.lr_scale.value, "weight_decay": plan.weight_decay.value}
    momentum = ONE_CYCLE_MOMENTUM[0] if plan.schedule.value == "one_cycle" else MOMENTUM
    if plan.optimizer.value == "sgd":
        return {"type": "SGD", **common, "momentum": momentum, "nesterov": True}
    return {"type": "AdamW", **common, "betas": (momentum, 0.999)}


def _groups(plan: Plan) -> dict[str, Any]:
    rates = {"backbone_lr_mult": plan.backbone_lr_mult.value, "layer_decay": plan.layer_decay.value}
    return {"constructor": "TransferOptimWrapperConstructor", "paramwise_cfg": rates}


def course(plan: Plan, *, stock: bool = False) -> list[dict[str, Any]]:
    """The schedule of the learning rate, and of momentum where that changes too.

    Args:
        plan: Every value of the run.
        stock: Under MMAction2's own evaluator.
    """
    best = plan.best_metric.value
    return param_scheduler(plan, STOCK_METRICS[best] if stock else best, least_rise(plan), stock=stock)


def averaging(plan: Plan, *, stock: bool) -> list[dict[str, Any]]:
    """The hook that averages the weights, where that is planned."""
    if plan.ema.value is None:
        return []
    # MMEngine calls momentum what the newest weights count for.
    hook: dict[str, Any] = {"type": "EMAHook" if stock else "AveragedWeightsHook", "momentum": 1 - plan.ema.value}
    if stock and plan.accumulation.value > 1:
        # It counts batches.
        hook["interval"] = plan.accumulation.value
    return [hook]


def train_loop(plan: Plan, *, stock: bool = False) -> dict[str, Any]:
    """Epochs with validation at the planned interval; both loops validate after the last one anyway.

    Args:
        plan: Every value of the run.
        stock: MMEngine's own loop, which cannot go on inside an epoch.
    """
    loop = {"max_epochs": plan.epochs.value, "val_begin": 1, "val_interval": plan.val_interval.value}
    if stock:
        return {"type": "EpochBasedTrainLoop", **loop}
    return {"type": "ResumableTrainLoop", **loop, "seed": plan.seed.value}


def early_stopping(plan: Plan, *, stock: bool) -> dict[str, Any]:
    """The hook that stops a training which has not improved for the planned number of validations.

    Args:
        plan: Every value of the run.
        stock: MMEngine's own hook.
    """
    if stock:
        which = {"type": "EarlyStoppingHook", "monitor": STOCK_METRICS[plan.best_metric.value], "rule": "greater"}
    else:
        which = {"type": "PatienceHook", "best_metric": plan.best_metric.value}
    return {**which, "patience": plan.patience.value, "min_delta": least_rise(plan)}


def least_rise(plan: Plan) -> float:
    """Half a video: less than what one more right video makes of `top1`, and more than what rounding, or a shift of one
    score among many, makes of a figure that is no plain share."""
    return 0.5 / plan.num_videos["val"]
