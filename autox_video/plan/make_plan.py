"""Settings, facts and machine in; every value of the run out. Pure: it reads and writes nothing."""

from __future__ import annotations

import dataclasses
from typing import Any

from autox_video.dataset.facts import Fingerprint
from autox_video.plan.measured import Measured
from autox_video.plan.rules import (
    augmentation,
    batch,
    by_task,
    cache,
    clip,
    compiling,
    model,
    own_code,
    probing,
    sampling,
    schedule,
    testing,
    transfer,
)
from autox_video.plan.rules.auto_model import choose_level
from autox_video.plan.rules.common import asked, given
from autox_video.plan.rules.costs import ClipShape, clip_cost
from autox_video.plan.rules.strategy import choose_strategy, shards_of
from autox_video.plan.schema import Decision, Hardware, Plan
from autox_video.plan.working import choose_loading, choose_scoring
from autox_video.presets import Card, Preset
from autox_video.settings.schema import Settings

PLAN_VERSION = 1


def make_plan(
    settings: Settings,
    fingerprint: Fingerprint,
    preset: Preset,
    hardware: Hardware,
    measured: Measured | None = None,
    chosen: Decision[str] | None = None,
) -> Plan:
    """Decide every value of a run.

    Args:
        settings: What the user asked.
        fingerprint: What the data is; with the splits `train` and `val`.
        preset: The model that `rules.model.choose_model` chose.
        hardware: The machine; `num_gpus` is what the run will use.
        measured: What a training step was measured to take there, if it was.
        chosen: Why it is this model.

    Raises:
        RequestError: Something asked for cannot be done.
    """
    preset = sampling.sampled_as_asked(settings, preset)
    card, train, val = preset.card, fingerprint.splits["train"], fingerprint.splits["val"]
    device = batch.choose_device(settings, hardware)
    if device.value == "cpu":
        hardware = dataclasses.replace(hardware, num_gpus=0)
    load_from = model.choose_load_from(settings, preset)
    clip_len = clip.choose_clip_len(settings, card, train)
    frames = sampling.choose_sampling(settings, preset, train, clip_len)
    frame_interval = frames["frame_interval"]
    input_size = clip.choose_input_size(settings, card, train, pretrained=load_from.value != "none")
    clip.check_clip(preset, clip_len, frame_interval, input_size)
    devices = hardware.num_devices
    wanted = batch.choose_total_batch_size(settings, card, train.num_videos, devices)
    shape = ClipShape.planned(card.sampling, clip_len.value, frame_interval.value, input_size.value, train)
    strategy = choose_strategy(settings, hardware, card, *shape.size)
    shards = shards_of(strategy.value, hardware)
    videos_per_gpu = batch.choose_videos_per_gpu(settings, hardware, card, *shape.size, wanted.value, measured, shards)
    repeats = clip.choose_num_repeats(settings, videos_per_gpu)
    drawn = train.num_videos * repeats.value  # clips of an epoch
    accumulation = batch.choose_accumulation(settings, wanted.value, videos_per_gpu.value * devices, drawn)
    total = videos_per_gpu.value * devices * accumulation.value
    epochs = schedule.choose_epochs(settings, card, drawn, total)
    scored = fingerprint.splits.get("test", val)
    num_clips = testing.choose_test_num_clips(settings, card, scored, shape.span / train.fps.p50)
    num_crops = testing.choose_test_num_crops(settings, card, scored)
    views = num_clips.value * num_crops.value
    scoring = choose_scoring(settings, hardware, card, shape, videos_per_gpu.value, views, fingerprint.task)
    step_seconds = measured.step_seconds / measured.videos_per_gpu if measured else None
    cost = clip_cost(card, hardware, fingerprint.decode_cost, shape, views=repeats.value, step_seconds=step_seconds)
    plan = Plan(
        version=PLAN_VERSION,
        **_data(fingerprint),
        cfg_options=dict(settings.cfg_options),
        hardware=hardware,
        model=chosen or Decision(preset.name, "default", "given"),
        preset=choose_level(settings),
        load_from=load_from,
        num_classes=_num_classes(settings, fingerprint),
        **frames,
        input_size=input_size,
        **augmentation.choose_augmentation(settings, card, fingerprint, videos_per_gpu.value // repeats.value),
        device=device,
        compile=compiling.choose_compile(
            settings, card, device.value, *shape.size, epochs.value * drawn // devices, strategy.value
        ),
        strategy=strategy,
        videos_per_gpu=videos_per_gpu,
        accumulation=accumulation,
        total_batch_size=batch.shared_total(wanted, total, devices),
        **_learning(settings, card, total, epochs, pretrained=load_from.value != "none"),
        **_transfer(settings, card, videos_per_gpu.value, fingerprint.task, pretrained=load_from.value != "none"),
        **_balancing(settings, fingerprint),
        **choose_loading(settings, hardware, videos_per_gpu.value, shape, cost, scoring["scoring_threads"].value),
        num_repeats=repeats,
        test_num_clips=num_clips,
        test_num_crops=num_crops,
        motion_probe=testing.choose_motion_probe(settings, clip_len.value),
        **scoring,
        **_running(settings),
        probe=probing.choose_probe(settings, fingerprint.splits.values()),
    )
    plan = dataclasses.replace(plan, cache=cache.choose_cache(settings, fingerprint, plan, cost))
    return _reading_proxies(plan, settings, card, shape) if plan.cache.value == "proxy" else plan


def _data(fingerprint: Fingerprint) -> dict[str, Any]:
    return {
        "task": fingerprint.task,
        "data_root": fingerprint.data_root,
        "classes": fingerprint.classes,
        "ann_files": {name: facts.ann_file for name, facts in fingerprint.splits.items()},
        "num_videos": {name: facts.num_videos for name, facts in fingerprint.splits.items()},
        "decode_cost": fingerprint.decode_cost,
    }


def _learning(settings: Settings, card: Card, total: int, epochs: Decision[int], *, pretrained: bool) -> dict[str, Any]:
    optimizer = transfer.choose_optimizer(settings, card)
    course = schedule.choose_schedule(settings, epochs.value)
    return {
        "optimizer": optimizer,
        "learning_rate": transfer.choose_learning_rate(settings, card, optimizer.value, total),
        **transfer.choose_rates(settings, card, pretrained=pretrained),
        "weight_decay": transfer.choose_weight_decay(settings, card, optimizer.value),
        "epochs": epochs,
        **course,
        "warmup_epochs": schedule.choose_warmup_epochs(settings, card, epochs.value, course["schedule"].value),
        "val_interval": schedule.choose_val_interval(settings),
        "save_every_seconds": schedule.choose_save_every(settings),
        "patience": schedule.choose_patience(settings),
    }


def _transfer(settings: Settings, card: Card, batch: int, task: str, *, pretrained: bool) -> dict[str, Any]:
    return {
        "freeze": transfer.choose_freeze(settings, pretrained=pretrained),
        "norm_eval": transfer.choose_norm_eval(settings, card, batch, pretrained=pretrained),
        "clip_grad": transfer.choose_clip_grad(settings, card),
        "ema": transfer.choose_ema(settings),
        "label_smoothing": transfer.choose_label_smoothing(settings, card, task),
    }


def _balancing(settings: Settings, fingerprint: Fingerprint) -> dict[str, Any]:
    train, task = fingerprint.splits["train"], fingerprint.task
    balance = by_task.choose_balance(settings, train, task)
    return {
        "best_metric": by_task.choose_best_metric(settings, train, task),
        "balance": balance,
        "class_weights": schedule.choose_class_weights(train, balance.value),
    }


def _running(settings: Settings) -> dict[str, Any]:
    return {
        **{name: given(settings, f"runtime.{name}") for name in ("seed", "deterministic", "stall_minutes")},
        **own_code.choose_own_code(settings),
    }


def _reading_proxies(plan: Plan, settings: Settings, card: Card, shape: ClipShape) -> Plan:
    """On a CPU more cores are left for the network then; for a GPU the first epoch decides, which reads the videos."""
    if plan.hardware.num_gpus:
        return plan
    views, side = plan.num_repeats.value, cache.side_for(plan)
    cost = clip_cost(card, plan.hardware, plan.decode_cost, shape, views=views, proxy_side=side)
    clips, threads = plan.videos_per_gpu.value, plan.scoring_threads.value
    return dataclasses.replace(plan, **choose_loading(settings, plan.hardware, clips, shape, cost, threads))


def _num_classes(settings: Settings, fingerprint: Fingerprint) -> Decision[int]:
    decision = asked(settings, "num_class")
    return decision or Decision(len(fingerprint.classes), "data", "the classes found in the data")
