"""Whether the faster step learns as the stock one does: loss curves of both over some hundred steps, several seeds.

Stock is MMAction2's model with the optimizer of `render --stock`, in float32; ours is what a run would use on this
machine (backbone, number format, optimizer). Both get the same augmented batches of the demo data, in the same order,
and the same schedule. Of each the mean loss of the steps before a checkpoint is averaged over the seeds. Ours lies
within the spread when the difference of the means is no larger than the difference that seeds alone make.

    autox-video demo-data data/demo
    python benchmarks/loss_curves.py [--data data/demo] [--steps 200] [--seeds 3]
"""

from __future__ import annotations

import argparse
import copy
import statistics
import time
from pathlib import Path
from typing import Any

import torch
from measuring import markdown, write_result
from mmengine.config import Config

from autox_video.dataset.fingerprint import fingerprint_dataset
from autox_video.deciding import decide
from autox_video.presets import load_preset
from autox_video.render.config import render_config
from autox_video.runner import components  # noqa: F401  (registers our parts)
from autox_video.runner.allocation import keep_freed_memory
from autox_video.runner.randomness import seed_sample, seed_step
from autox_video.settings.load import load_settings
from autox_video.work_dir import WorkDir

WARMUP_STEPS = 20
Batch = dict[str, list[Any]]


def load_batches(config: Config, steps: int, size: int, seed: int) -> list[Batch]:
    """Augmented clips for all steps, as the training pipeline of the rendered config makes them."""
    from mmaction.registry import DATASETS

    dataset = DATASETS.build(copy.deepcopy(config.train_dataloader.dataset))
    order: list[int] = []
    generator = torch.Generator().manual_seed(seed)
    while len(order) < steps * size:
        order += torch.randperm(len(dataset), generator=generator).tolist()
    samples = []
    for position, index in enumerate(order[: steps * size]):
        seed_sample(seed, 0, position)
        samples.append(dataset[index])
    return [
        {key: [sample[key] for sample in samples[start : start + size]] for key in ("inputs", "data_samples")}
        for start in range(0, steps * size, size)
    ]


def train(config: Config, batches: list[Batch], seed: int) -> tuple[list[float], float]:
    """Losses of all steps, and seconds."""
    from mmaction.registry import MODELS
    from mmengine.optim import build_optim_wrapper

    seed_step(seed, 0, 0)
    model = MODELS.build(copy.deepcopy(config.model))
    model.init_weights()
    model.train()
    wrapper = build_optim_wrapper(model, copy.deepcopy(config.optim_wrapper))
    rates = [group["lr"] for group in wrapper.optimizer.param_groups]
    losses = []
    started = time.perf_counter()
    for number, batch in enumerate(batches):
        for group, rate in zip(wrapper.optimizer.param_groups, rates, strict=True):
            group["lr"] = rate * min(1.0, (number + 1) / WARMUP_STEPS)
        seed_step(seed, 0, number)
        found = model.train_step({key: list(value) for key, value in batch.items()}, wrapper)
        losses.append(float(found["loss"]))
    return losses, time.perf_counter() - started


def compare(curves: dict[str, list[list[float]]], every: int) -> list[dict[str, Any]]:
    """A row a checkpoint: means over the seeds, spreads between them, and whether the means lie within the spread."""
    rows = []
    for end in range(every, len(curves["stock"][0]) + 1, every):
        parts = {name: [statistics.mean(curve[end - every : end]) for curve in own] for name, own in curves.items()}
        means = {name: statistics.mean(values) for name, values in parts.items()}
        spreads = {name: max(values) - min(values) for name, values in parts.items()}
        difference = means["ours"] - means["stock"]
        within = abs(difference) <= max(spreads.values())
        rows.append({"step": end, "mean": means, "spread": spreads, "difference": difference, "within": within})
    return rows


def main() -> None:
    """Train all, print and write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=Path("data/demo"), help="what `autox-video demo-data` made")
    parser.add_argument("--work-dir", type=Path, default=Path("work_dirs/loss_curves"))
    parser.add_argument("--model", default="video_swin_nano")
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--seeds", type=int, default=3)
    arguments = parser.parse_args()
    from mmengine.logging import MMLogger
    from mmengine.registry import init_default_scope

    init_default_scope("mmaction")
    MMLogger.get_instance("mmengine", log_level="ERROR")
    keep_freed_memory()
    lists = {f"ann_file_{name}": str(arguments.data / "annotations" / f"{name}_list.txt") for name in ("train", "val")}
    options = {"model": {"name": arguments.model, "load_from": "none"}, "work_dir": str(arguments.work_dir), **lists}
    settings = load_settings(None, values={"data_root": str(arguments.data / "videos"), **options})
    work_dir = WorkDir(arguments.work_dir)
    plan, preset = decide(settings, fingerprint_dataset(settings, work_dir))
    configs = {
        name: render_config(plan, load_preset(preset.name), work_dir.root, stock=name == "stock")
        for name in ("stock", "ours")
    }
    curves: dict[str, list[list[float]]] = {"stock": [], "ours": []}
    seconds: dict[str, list[float]] = {"stock": [], "ours": []}
    for seed in range(arguments.seeds):
        batches = load_batches(configs["ours"], arguments.steps, plan.videos_per_gpu.value, seed)
        for name, config in configs.items():
            losses, took = train(config, batches, seed)
            curves[name].append(losses)
            seconds[name].append(took)
            print(f"seed {seed}, {name}: {took:.0f} s, last loss {losses[-1]:.3f}", flush=True)
    rows = compare(curves, max(1, arguments.steps // 10))
    facts = {"model": preset.name, "amp": plan.amp.value, "videos_per_step": plan.videos_per_gpu.value}
    print(table(write_result("loss_curves", {**facts, "rows": rows, "seconds": seconds, "curves": curves})))


def table(record: dict[str, Any]) -> str:
    """Mean losses up to each step and their spread over the seeds."""
    rows = []
    for row in record["rows"]:
        cells = [f"{row['mean'][name]:.3f} ({row['spread'][name]:.3f})" for name in ("ours", "stock")]
        rows.append([str(row["step"]), *cells, f"{row['difference']:+.3f}", "yes" if row["within"] else "no"])
    heads = ["up to step", "ours (spread)", "stock (spread)", "difference", "within the spread of the seeds"]
    return markdown(heads, rows)


if __name__ == "__main__":
    main()
