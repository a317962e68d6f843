"""MMEngine's data loaders over the canonical lists."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from autox_video.dataset.stock_lists import stock_list
from autox_video.plan.schema import Plan
from autox_video.render.pipelines import test_pipeline, train_pipeline, val_pipeline
from autox_video.tasks import load_task


def dataloaders(plan: Plan, *, stock: bool = False) -> dict[str, Any]:
    """A loader for each split that the plan has a list of, by its key in an MMEngine config.

    Args:
        plan: Every value of the run.
        stock: Read the lists that MMAction2 reads without this package, with its own transforms.
    """
    # Each draw of a video makes so many clips of the batch.
    draws = plan.videos_per_gpu.value // plan.num_repeats.value
    train_batch, test_batch = plan.videos_per_gpu.value, plan.test_videos_per_gpu.value
    makers = {
        "train": lambda: _dataloader(plan, "train", draws, train_pipeline(plan, stock=stock), stock),
        "val": lambda: _dataloader(plan, "val", train_batch, val_pipeline(plan, stock=stock), stock),
        "test": lambda: _dataloader(plan, "test", test_batch, test_pipeline(plan, stock=stock), stock),
    }
    return {f"{split}_dataloader": makers[split]() for split in plan.ann_files}


def _dataloader(plan: Plan, split: str, batch_size: int, pipeline: list[dict[str, Any]], stock: bool) -> dict[str, Any]:
    training = split == "train"
    dataset: dict[str, Any] = {
        "type": "VideoListDataset",
        "ann_file": plan.ann_files[split],
        "data_prefix": {"video": plan.data_root},
        "pipeline": pipeline,
        "test_mode": not training,
        **load_task(plan.task).dataset_settings(plan.num_classes.value),
    }
    if plan.cache.value == "proxy" and split != "test" and not stock:
        dataset["proxies"] = str(Path(plan.ann_files[split]).with_name("proxies.tsv"))
        if training:
            dataset["proxies_from_epoch"] = plan.proxies_from_epoch.value
    if training and plan.num_repeats.value > 1:
        dataset["num_repeats"] = plan.num_repeats.value
    if stock:
        # Tabs cannot stand in a listed name, blanks can.
        dataset |= {"type": "VideoDataset", "delimiter": "\t"}
        dataset["ann_file"] = str(stock_list(Path(plan.ann_files[split])))
    loader: dict[str, Any] = {
        "batch_size": batch_size,
        "num_workers": plan.workers.value,
        # PyTorch takes no number where nobody makes anything ahead.
        "prefetch_factor": plan.prefetch.value if plan.workers.value else None,
        "persistent_workers": plan.workers.value > 0,
        "pin_memory": plan.device.value == "cuda",
        "sampler": _sampler(plan, training),
        "dataset": dataset,
    }
    if not stock:
        loader["collate_fn"] = {"type": "stack_clips"}
    return loader


def _sampler(plan: Plan, training: bool) -> dict[str, Any]:
    if not training:
        return {"type": "DefaultSampler", "shuffle": False}
    # Left to itself, a sampler takes its seed from wherever the random numbers of the process stand.
    seed = plan.seed.value
    if plan.balance.value == "sampler":
        return {"type": "ClassBalancedSampler", "seed": seed}
    return {"type": "DefaultSampler", "shuffle": True, "seed": seed}
