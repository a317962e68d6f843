"""The section `train` of `config.yaml`."""

# ruff: noqa: RUF009 -- `setting` is `dataclasses.field` with metadata
from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from autox_video.settings.key import AUTO, Auto, setting


@dataclass(frozen=True)
class TrainSettings:
    """How the network learns."""

    learning_rate: float | Auto = setting(
        AUTO,
        "float",
        "Peak learning rate at the total batch; not scaled any further.",
        above=0,
        maximum=100,
        example=1e-3,
    )
    weight_decay: float | Auto = setting(AUTO, "float", "Weight decay of AdamW.", minimum=0, maximum=10, example=0.02)
    warmup_epochs: float | Auto = setting(
        AUTO,
        "float",
        "Epochs over which the learning rate rises linearly to its peak.",
        minimum=0,
        maximum=100_000,
        example=2.5,
    )
    accumulation: int | Auto = setting(
        AUTO,
        "int",
        "Batches whose gradients are added up before one step of the optimizer.",
        minimum=1,
        maximum=4096,
        example=1,
    )
    amp: str | Auto = setting(
        AUTO,
        "str",
        "Number format of mixed precision. `auto`: `bfloat16` where the GPU or the processor has it in hardware, else "
        "`float16` on a GPU and `off` on a processor.",
        choices=("off", "float16", "bfloat16"),
        example="off",
    )
    val_interval: int | Auto = setting(
        AUTO,
        "int",
        "Validate every so many epochs; the last epoch is always validated.",
        minimum=1,
        maximum=100_000,
        example=2,
    )
    best_metric: str | Auto = setting(
        AUTO,
        "str",
        "The validation figure that decides which checkpoint is best.",
        choices=("top1", "mean_class_accuracy", "mean_average_precision"),
        example="top1",
    )
    patience: int | None = setting(
        None,
        "int",
        "Stop early after so many validations in a row in which `best_metric` did not rise by at least half a video. "
        "`none` trains every epoch.",
        none=True,
        minimum=1,
        maximum=100_000,
        example=5,
    )
    save_every: float | Auto | None = setting(
        AUTO,
        "duration",
        "How often the state is saved inside an epoch: what a crash may lose. `none` saves at its end only.",
        none=True,
        example="30min",
    )
    hooks: tuple[dict[str, Any], ...] = setting(
        (),
        "parts",
        "Hooks of MMEngine or of your `plugins`, added to those of the training.",
        none=True,
        example=[{"type": "MyHook", "interval": 5}],
    )
