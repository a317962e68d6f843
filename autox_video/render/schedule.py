"""Optimizer, learning-rate schedule and loops in MMEngine's words."""

from __future__ import annotations

import math
from typing import Any

from autox_video.plan.schema import Plan

# What MMAction2's own evaluator calls the figures.
STOCK_METRICS = {
    "top1": "acc/top1",
    "mean_class_accuracy": "acc/mean1",
    "mean_average_precision": "acc/mean_average_precision",
}


def optim_wrapper(plan: Plan, *, stock: bool = False) -> dict[str, Any]:
    """AdamW as Video Swin is trained: no decay on norms and position tables, a slower pretrained backbone.

    Args:
        plan: Every value of the run.
        stock: As MMAction2's configs have it: torch's default implementation, and no mixed precision on the CPU, which
            MMEngine's wrapper refuses.
    """
    wrapper: dict[str, Any] = {
        "type": "OptimWrapper",
        "optimizer": {
            "type": "AdamW",
            "lr": plan.learning_rate.value * plan.lr_scale.value,
            "betas": (0.9, 0.999),
            "weight_decay": plan.weight_decay.value,
        },
        "constructor": "SwinOptimWrapperConstructor",
        "paramwise_cfg": {
            "absolute_pos_embed": {"decay_mult": 0.0},
            "relative_position_bias_table": {"decay_mult": 0.0},
            "norm": {"decay_mult": 0.0},
            "backbone": {"lr_mult": plan.backbone_lr_mult.value},
        },
        "accumulative_counts": plan.accumulation.value,
    }
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


def param_scheduler(plan: Plan) -> list[dict[str, Any]]:
    """Linear warm-up, then a cosine to zero, both in iterations: a warm-up may be a fraction of an epoch."""
    epoch = iterations_an_epoch(plan)
    end = plan.epochs.value * epoch
    warmup = min(round(plan.warmup_epochs.value * epoch), end - 1)
    rise = {"type": "LinearLR", "start_factor": 0.1, "begin": 0, "end": warmup, "by_epoch": False}
    fall = {"type": "CosineAnnealingLR", "eta_min": 0.0, "begin": warmup, "end": end, "by_epoch": False}
    return [rise, fall] if warmup else [fall]


def iterations_an_epoch(plan: Plan) -> int:
    """Batches that each device sees."""
    draws = plan.videos_per_gpu.value // plan.num_repeats.value * plan.hardware.num_devices
    return math.ceil(plan.num_videos["train"] / draws)


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

    Half a video is the least rise that counts: less than what one more right video makes of `top1`, and more than
    what rounding, or a shift of one score among many, makes of a figure that is no plain share.
    """
    delta = 0.5 / plan.num_videos["val"]
    if stock:
        which = {"type": "EarlyStoppingHook", "monitor": STOCK_METRICS[plan.best_metric.value], "rule": "greater"}
    else:
        which = {"type": "PatienceHook", "best_metric": plan.best_metric.value}
    return {**which, "patience": plan.patience.value, "min_delta": delta}
