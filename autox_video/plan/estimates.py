"""The figures people ask for before training: size and work of the network, memory, time, disk. Pure and torch-free."""

from __future__ import annotations

import math
from collections.abc import Sequence
from urllib.parse import urlparse

from autox_video.dataset.facts import Fingerprint
from autox_video.plan.measured import Measured
from autox_video.plan.room import checkpoint_bytes, download_bytes, size_in_words
from autox_video.plan.rules.batch import training_memory_gib
from autox_video.plan.rules.cache import duration, side_for
from autox_video.plan.rules.costs import SCORING_PASSES, TRAINING_PASSES, ClipShape, network_seconds, prepare_seconds
from autox_video.plan.rules.strategy import shards_of
from autox_video.plan.schema import Estimates, Plan
from autox_video.presets import Preset
from autox_video.proxies.sizes import ASPECT, BITS_PER_PIXEL

BARS = "▁▂▃▄▅▆▇█"
CURVE_WIDTH = 40
# What goes into the last layer of a head that has another one before it, and cannot be told its width.
MID_CHANNELS = {"X3DHead": 2048}


def estimate(
    plan: Plan,
    preset: Preset,
    fingerprint: Fingerprint,
    learning_rates: Sequence[tuple[float, float]] | None,
    measured: Measured | None = None,
) -> Estimates:
    """Reckon what a training will take.

    Args:
        plan: Every value of it, with the splits `train` and `val`.
        preset: Its model.
        fingerprint: The data.
        learning_rates: Of the epochs, as `render.learning_rates` makes them of the rendered config.
        measured: A training step on the GPU of the plan, if one was measured.
    """
    numbers = (plan.clip_len.value, plan.frame_interval.value, plan.input_size.value)
    shape = ClipShape.planned(plan.sampling.value, *numbers, fingerprint.splits["train"])
    num_parameters = parameters(preset, plan.num_classes.value)
    shards = shards_of(plan.strategy.value, plan.hardware)
    memory = training_memory_gib(preset.card, *shape.size, plan.videos_per_gpu.value, shards)
    epoch, validation, first = _seconds(plan, preset, shape, measured)
    is_proxied = plan.cache.value == "proxy"
    late = plan.proxies_from_epoch.value - 1 if is_proxied else 0
    validations = math.ceil(plan.epochs.value / plan.val_interval.value)
    frames = sum(facts.num_videos * facts.num_frames.p50 for facts in fingerprint.splits.values() if facts.labelled)
    return Estimates(
        num_parameters=num_parameters,
        flops=preset.card.flops * shape.share_of(preset.card),
        learning_rates=None if learning_rates is None else tuple(learning_rates),
        step_gib=measured.used_gib if measured else memory,
        is_step_measured=measured is not None,
        epoch_seconds=epoch,
        total_seconds=late * first + (plan.epochs.value - late) * epoch + validations * validation,
        is_time_lower_bound=plan.hardware.num_gpus > 0 and measured is None,
        checkpoint_bytes=checkpoint_bytes(num_parameters),
        download_bytes=download_bytes(num_parameters) if urlparse(plan.load_from.value).scheme else 0,
        proxy_bytes=int(frames * ASPECT * side_for(plan) ** 2 * BITS_PER_PIXEL / 8) if is_proxied else 0,
    )


def parameters(preset: Preset, num_classes: int) -> int:
    """Of a model with another number of classes than its card counts: the last layer has a row and a bias for each."""
    head = preset.model["cls_head"]
    width = MID_CHANNELS.get(head["type"]) or head.get("mid_channels") or head["in_channels"]
    return int(preset.card.num_parameters + (num_classes - preset.card.reference_num_classes) * (width + 1))


def estimate_lines(found: Estimates, device: str) -> list[str]:
    """For the console, a line a figure.

    Args:
        found: The figures.
        device: `cuda` or `cpu`.
    """
    place = "GPU" if device == "cuda" else "machine"
    memory = f"{found.step_gib:.2g} GiB of the {place} in a training step"
    disk = [f"{size_in_words(found.checkpoint_bytes)} of checkpoints"]
    disk += [f"{size_in_words(found.proxy_bytes)} of proxies at most"] if found.proxy_bytes else []
    disk += [f"{size_in_words(found.download_bytes)} of weights, downloaded once"] if found.download_bytes else []
    rows = [
        ("network", f"{found.num_parameters / 1e6:.3g} M parameters, {found.flops / 1e9:.3g} GFLOPs a view"),
        ("rate", curve_line(found.learning_rates)),
        ("memory", f"{memory}, {'measured' if found.is_step_measured else 'estimated'}"),
        ("time", time_line(found)),
        ("disk", ", ".join(disk)),
    ]
    return [f"{name:8} {text}" for name, text in rows]


def time_line(found: Estimates) -> str:
    """How long it will take, in a sentence without a full stop."""
    epoch, whole = duration(found.epoch_seconds), duration(found.total_seconds)
    if found.is_time_lower_bound:
        return f"at least {epoch} an epoch, {whole} in all, were it the fastest GPU; a step is measured before training"
    known = "a step was measured" if found.is_step_measured else "estimated"
    return f"about {epoch} an epoch, {whole} in all with validations; {known}"


def curve_line(rates: Sequence[tuple[float, float]] | None) -> str:
    """The learning rate from the first step to the last, in one line."""
    if not rates:
        return "of a schedule of its own, which is not foreseen here"
    peak = max(rate for _, rate in rates)
    picked = [rates[round(n * (len(rates) - 1) / (CURVE_WIDTH - 1))][1] for n in range(CURVE_WIDTH)]
    bars = "".join(BARS[round(rate / peak * (len(BARS) - 1))] if peak else BARS[0] for rate in picked)
    when = next(epoch for epoch, rate in rates if rate == peak)
    return f"{bars} {rates[0][1]:.1e} at first, {peak:.1e} after {when:.3g} epochs, {rates[-1][1]:.1e} at the end"


def _seconds(plan: Plan, preset: Preset, shape: ClipShape, measured: Measured | None) -> tuple[float, float, float]:
    """Of an epoch, of a validation, and of an epoch that reads the videos where later ones read proxies."""
    side = side_for(plan) if plan.cache.value == "proxy" else None
    views = plan.num_repeats.value
    learn, score = (
        network_seconds(preset.card, plan.hardware, shape, passes) for passes in (TRAINING_PASSES, SCORING_PASSES)
    )
    if measured:
        learn = measured.step_seconds / measured.videos_per_gpu
        score = learn * SCORING_PASSES / TRAINING_PASSES

    def decoding(num_views: int, proxy_side: int | None) -> float:
        cost = plan.decode_cost
        return 0.0 if cost is None else prepare_seconds(cost, shape, views=num_views, proxy_side=proxy_side)

    clips = plan.num_videos["train"] * views
    epoch, first = (clips * _clip_seconds(plan, decoding(views, one), learn) for one in (side, None))
    return epoch, plan.num_videos["val"] * _clip_seconds(plan, decoding(1, side), score), first


def _clip_seconds(plan: Plan, prepare: float, compute: float) -> float:
    """What a clip adds to a run, where all devices, and all processes that decode for them, work side by side."""
    hardware, workers = plan.hardware, plan.workers.value
    if hardware.num_gpus:
        each = max(prepare / workers, compute) if workers else prepare + compute
        return each / hardware.num_devices
    compute_alone = compute / plan.threads.value
    if workers == 0:
        return (prepare + compute_alone) / hardware.num_devices
    cores = max(1.0, hardware.num_cpus / hardware.devices_per_machine)
    return max(compute_alone, prepare / workers, (prepare + compute) / cores) / hardware.num_devices
