"""Trainings that are interrupted at a given step, and what of two trainings must be the same."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from mmengine.config import Config
from mmengine.hooks import Hook
from mmengine.registry import HOOKS

from autox_video import workflow
from autox_video.plan.schema import Plan
from autox_video.presets import load_preset
from autox_video.records import write_record
from autox_video.render.config import render_config
from autox_video.runner.checkpoints import find_newest_checkpoint
from autox_video.runner.hooks.checkpoint import LastAndBestCheckpointHook
from autox_video.runner.train import train
from autox_video.settings.load import load_settings
from autox_video.work_dir import WorkDir

# Of a row of metrics.csv: what a clock decides.
CLOCKED = ("seconds", "videos_per_second", "data_wait")


class KilledError(Exception):
    """A run that was stopped on purpose."""


@HOOKS.register_module(force=True)
class InterruptHook(Hook):
    """Saves and stops after a step, or saves at one and stops at a later one without saving, as a kill does."""

    priority = "LOWEST"

    def __init__(self, save_at: int, stop_at: int) -> None:
        self.save_at, self.stop_at = save_at, stop_at

    def between_steps(self, runner: Any) -> None:
        if runner.iter == self.save_at:
            (hook,) = (hook for hook in runner.hooks if isinstance(hook, LastAndBestCheckpointHook))
            hook.save_last(runner)
        if runner.iter == self.stop_at:
            raise KilledError


@HOOKS.register_module(force=True)
class InterruptValidationHook(Hook):
    """Stops inside the first validation after so many epochs."""

    def __init__(self, epochs: int) -> None:
        self.epochs = epochs

    def after_val_iter(self, runner: Any, batch_idx: int, data_batch: Any = None, outputs: Any = None) -> None:
        if runner.epoch == self.epochs:
            raise KilledError


@dataclass(frozen=True)
class Job:
    """A rendered training."""

    plan: Plan
    config: Config

    def run(self, folder: Path, *hooks: dict[str, Any], workers: int = 0) -> None:
        """Train in `folder`, or go on there; `hooks` may stop it."""
        work_dir = WorkDir(folder)
        folder.mkdir(parents=True, exist_ok=True)
        write_record(work_dir.plan, self.plan)
        config = copy.deepcopy(self.config)
        config.work_dir = str(folder)
        loading = {"num_workers": workers, "persistent_workers": workers > 0, "prefetch_factor": 2 if workers else None}
        config.train_dataloader |= loading
        config.custom_hooks = [*config.custom_hooks, *hooks]
        saved = find_newest_checkpoint(work_dir)
        train(config, self.plan, work_dir, saved.path if saved else None)


def make_job(config: Path, work_dir: Path, **values: Any) -> Job:
    """Plan and render; `values` are settings over those of the file."""
    settings = load_settings(config, work_dir=work_dir, values=values)
    plan = workflow.plan(settings)
    return Job(plan, render_config(plan, load_preset(plan.model.value), work_dir))


def last_state(folder: Path) -> dict[str, Any]:
    """All of `last.pth` that must not depend on interruptions, flat, by name."""
    return _flat(_comparable(torch.load(folder / "last.pth", weights_only=True)))


def _comparable(checkpoint: dict[str, Any]) -> dict[str, Any]:
    meta = checkpoint["meta"]
    record = meta["autox_video"]
    report = record["hooks"]["EpochReportHook"]
    rows = [{key: value for key, value in row.items() if key not in CLOCKED} for row in report["rows"]]
    kept = {
        name: checkpoint[name]
        for name in ("state_dict", "optimizer", "param_schedulers", "ema_state_dict")
        if name in checkpoint
    }
    others = {name: record[name] for name in ("best_score", "position", "validated_epochs", "metrics")}
    others["margins"] = record["hooks"].get("MarginsHook")
    return {**kept, **others, "epoch": meta["epoch"], "iter": meta["iter"], "rows": rows}


def _flat(value: Any, name: str = "") -> dict[str, Any]:
    if isinstance(value, dict):
        return {k: v for key, item in value.items() for k, v in _flat(item, f"{name}.{key}").items()}
    if isinstance(value, (list, tuple)):
        return {k: v for key, item in enumerate(value) for k, v in _flat(item, f"{name}.{key}").items()}
    return {name: value.tolist() if isinstance(value, torch.Tensor) else value}


def differences(one: dict[str, Any], other: dict[str, Any]) -> list[str]:
    """Names under which two states differ; NaN equals itself."""
    names = [*one, *(name for name in other if name not in one)]
    return [name for name in names if name not in one or name not in other or repr(one[name]) != repr(other[name])]
