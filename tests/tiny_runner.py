"""A real MMEngine Runner on a model of one layer, in well under a second."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmengine.evaluator import BaseMetric
from mmengine.logging import MMLogger
from mmengine.model import BaseModel
from mmengine.runner import Runner
from torch.utils.data import Dataset


class Rows(Dataset):
    """Eight rows of numbers; the label is whether they sum to more than nothing."""

    metainfo = {"classes": ("less", "more")}  # noqa: RUF012

    def __len__(self) -> int:
        return 8

    def __getitem__(self, index: int) -> dict[str, torch.Tensor]:
        row = torch.linspace(-1, 1, 8)[index] * torch.ones(4)
        return {"row": row, "label": (row.sum() > 0).long()}


class OneLayer(BaseModel):
    def __init__(self) -> None:
        super().__init__()
        self.layer = torch.nn.Linear(4, 2)

    def forward(self, row: torch.Tensor, label: torch.Tensor, mode: str = "tensor") -> Any:
        scores = self.layer(row)
        if mode == "loss":
            return {"loss": torch.nn.functional.cross_entropy(scores, label)}
        return [(scores, label)]


class Accuracy(BaseMetric):
    """Returns a numpy number, as MMAction2's metrics do."""

    def process(self, data_batch: Any, data_samples: Any) -> None:
        self.results += [(scores.argmax(1) == label).float() for scores, label in data_samples]

    def compute_metrics(self, results: list[torch.Tensor]) -> dict[str, Any]:
        return {"accuracy": np.float64(torch.cat(results).mean().item()), "least": np.float32(0.5)}


def tiny_runner(work_dir: Path, *, epochs: int = 2, **parts: Any) -> Runner:
    """Train on two steps an epoch, with EMA, accumulation, a schedule and validation."""
    loader = {"dataset": Rows(), "batch_size": 4, "sampler": {"type": "DefaultSampler", "shuffle": True}}
    loader["collate_fn"] = {"type": "default_collate"}
    runner = Runner(
        model=OneLayer(),
        work_dir=str(work_dir),
        train_dataloader=loader,
        val_dataloader={**loader, "sampler": {"type": "DefaultSampler", "shuffle": False}},
        train_cfg={"by_epoch": True, "max_epochs": epochs},
        val_cfg={},
        val_evaluator=[Accuracy()],
        optim_wrapper={"optimizer": {"type": "AdamW", "lr": 0.1}, "accumulative_counts": 2},
        param_scheduler=[{"type": "CosineAnnealingLR", "T_max": 8, "by_epoch": False}],
        custom_hooks=[{"type": "EMAHook"}, *parts.pop("custom_hooks", [])],
        randomness={"seed": 1},
        experiment_name=uuid.uuid4().hex,
        default_scope="mmengine",
        **parts,
    )
    for logger in MMLogger._instance_dict.values():
        logger.handlers = [handler for handler in logger.handlers if hasattr(handler, "baseFilename")]
    return runner
