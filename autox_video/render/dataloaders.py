"""MMEngine's data loaders over the canonical lists."""

from __future__ import annotations

from typing import Any

from autox_video.plan.schema import Plan
from autox_video.render.pipelines import test_pipeline, train_pipeline, val_pipeline


def dataloaders(plan: Plan) -> dict[str, Any]:
    """A loader for each split that the plan has a list of, by its key in an MMEngine config."""
    train_batch, test_batch = plan.videos_per_gpu.value, plan.test_videos_per_gpu.value
    makers = {
        "train": lambda: _dataloader(plan, "train", train_batch, train_pipeline(plan)),
        "val": lambda: _dataloader(plan, "val", train_batch, val_pipeline(plan)),
        "test": lambda: _dataloader(plan, "test", test_batch, test_pipeline(plan)),
    }
    return {f"{split}_dataloader": makers[split]() for split in plan.ann_files}


def _dataloader(plan: Plan, split: str, batch_size: int, pipeline: list[dict[str, Any]]) -> dict[str, Any]:
    training = split == "train"
    return {
        "batch_size": batch_size,
        "num_workers": plan.workers.value,
        "persistent_workers": plan.workers.value > 0,
        "pin_memory": plan.device.value == "cuda",
        "sampler": _sampler(plan, training),
        "dataset": {
            "type": "VideoDataset",
            "ann_file": plan.ann_files[split],
            "data_prefix": {"video": plan.data_root},
            "pipeline": pipeline,
            # Tabs cannot stand in a listed name, blanks can.
            "delimiter": "\t",
            "test_mode": not training,
        },
    }


def _sampler(plan: Plan, training: bool) -> dict[str, Any]:
    if training and plan.balance.value == "sampler":
        return {"type": "ClassBalancedSampler"}
    return {"type": "DefaultSampler", "shuffle": training}
