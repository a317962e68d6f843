"""What may change between two runs of one training, and what may not."""

from __future__ import annotations

import dataclasses
from typing import Any

from autox_video.errors import Problem, RequestError
from autox_video.plan import measured, recovery
from autox_video.plan.rules.clip import repeats_problem
from autox_video.plan.schema import Decision, Plan

WAYS_OUT = "Put it back, or start anew: --fresh archives this run, another work_dir keeps both"
# Decided by the user, these would make one training out of two halves that do not belong together.
FIXED = (
    "total_batch_size",
    "learning_rate",
    "backbone_lr_mult",
    "weight_decay",
    *("optimizer", "layer_decay", "freeze", "norm_eval", "clip_grad", "ema", "label_smoothing", "schedule"),
    "best_metric",
    "balance",
    "num_repeats",
    "transforms",
    "seed",
    *("augment", "flip", "min_crop_area", "multi_scale_crop", "color_jitter", "rand_augment", "random_erasing"),
    *("mixup", "cutmix"),
)
# A decision from one of these sources was not asked for, so the first run's value goes on.
OURS = ("data", "hardware", "preset", "default", "plan", measured.SOURCE, recovery.SOURCE)
# The machine may be another one, and test views are chosen anew at each test. When a state is saved changes nothing.
OF_THE_MACHINE = (
    *("device", "amp", "compile", "strategy", "workers", "prefetch", "deterministic"),
    # Left out it means that training is not to stop early, whatever the first run was asked for.
    "patience",
    *("test_num_clips", "test_num_crops", "test_videos_per_gpu", "scoring_amp", "scoring_threads"),
    *("save_every_seconds", "stall_minutes"),
    # Left out they are not wanted any more.
    *("hooks", "loggers"),
)


def continue_plan(first: Plan, now: Plan) -> Plan:
    """The plan of a run that goes on where an earlier one stopped.

    What the user did not ask for, and what the run changed to get over a trouble, keeps the value
    of the first run, even where the data or the machine would now suggest another. `epochs` may change.

    Args:
        first: The plan in the checkpoint.
        now: The plan that the settings, the data and the machine make today.

    Raises:
        RequestError: The model, classes, clip or recipe would change; each is named with both values.
    """
    merged = dataclasses.replace(now, **_kept(first, now))
    problems = [
        Problem(key, f"was {_short(value)} when this run began and is now {_short(merged.identity()[key])}", WAYS_OUT)
        for key, value in first.identity().items()
        if merged.identity()[key] != value
    ]
    for name in FIXED:
        before, after = getattr(first, name), getattr(merged, name)
        if before.value != after.value:
            wrong = f"was {_short(before.value)} when this run began and is now {_short(after.value)}"
            problems.append(Problem(f"{after.source}: {name}", wrong, WAYS_OUT))
    if not problems and (problem := repeats_problem(merged.num_repeats, merged.videos_per_gpu)):
        problems.append(problem)
    if problems:
        raise RequestError(problems)
    return merged


def stays_stopped(waited: int | None, first: Plan, now: Plan) -> bool:
    """Whether a training that stopped early would stop again at once.

    Args:
        waited: Validations without improvement after which it stopped; None when it did not.
        first: The plan in the checkpoint.
        now: The plan to go on with.
    """
    if waited is None or now.patience.value is None:
        return False
    return now.patience.value <= waited and now.epochs.value <= first.epochs.value


def _kept(first: Plan, now: Plan) -> dict[str, Any]:
    kept = {
        name: getattr(first, name)
        for name, decision in now.decisions().items()
        if (decision.source in OURS or getattr(first, name).source == recovery.SOURCE) and name not in OF_THE_MACHINE
    }
    if kept.get("epochs", now.epochs).value != first.epochs.value:
        # Shares of the run, of which there is another length now.
        for name in (
            "milestones",
            "restart_epochs",
            *(["warmup_epochs"] if first.schedule.value == "one_cycle" else []),
        ):
            kept.pop(name, None)
    if first.hardware.num_cpus != now.hardware.num_cpus:
        # On the same machine they stay, whatever becomes of the workers: sums over another number round otherwise.
        kept.pop("threads")
    if {"videos_per_gpu", "accumulation"} - kept.keys():
        # One of them was asked for anew: the total follows from both and is compared as such.
        kept.pop("total_batch_size", None)
        kept.pop("learning_rate", None)
    elif first.hardware.num_devices != now.hardware.num_devices:
        kept |= _shared_out(first, now)
    # A class that vanished from the data, or a new one, is never papered over.
    kept.pop("num_classes", None)
    return kept


def _shared_out(first: Plan, now: Plan) -> dict[str, Any]:
    """The first run's total batch, on another number of GPUs or processes.

    A share no larger than what has fitted before or fits now, and as few rounds of it as that takes.
    """
    total, devices = first.total_batch_size.value, now.hardware.num_devices
    views = first.num_repeats.value
    share, rest = divmod(total, devices)
    if rest or share % views:
        wrong = f"was {total} when this run began, which {devices} processes cannot share out evenly"
        raise RequestError(
            Problem("total_batch_size", wrong, f"Start a number of processes that divides {total // views}")
        )
    fits = max(first.videos_per_gpu.value, now.videos_per_gpu.value)
    shares = ((rounds, share // rounds) for rounds in range(1, share // views + 1) if share // views % rounds == 0)
    rounds = next(rounds for rounds, batch in shares if batch <= max(fits, views))
    why = f"{total} videos a step as when this run began, on {devices} device(s)"
    return {
        "videos_per_gpu": Decision(share // rounds, "plan", why),
        "accumulation": Decision(rounds, "plan", why),
    }


def _short(value: Any) -> str:
    text = ", ".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value)
    return text if len(text) <= 80 else text[:77] + "..."
