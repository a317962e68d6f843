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
    optimizer: str | Auto = setting(
        AUTO,
        "str",
        "`adamw`, or `sgd` with Nesterov momentum. `auto`: what the model's recipe has.",
        choices=("adamw", "sgd"),
        example="adamw",
    )
    weight_decay: float | Auto = setting(
        AUTO,
        "float",
        "Weight decay of the optimizer; biases, norms, position tables and class tokens have none.",
        minimum=0,
        maximum=10,
        example=0.02,
    )
    backbone_lr_mult: float | Auto = setting(
        AUTO,
        "float",
        "Learning rate of the backbone, relative to that of the head.",
        above=0,
        maximum=100,
        example=0.1,
    )
    layer_decay: float | Auto | None = setting(
        AUTO,
        "float",
        "Each layer of the backbone learns so many times as fast as the one after it, in place of `backbone_lr_mult`. "
        "`none`: all at one rate.",
        none=True,
        above=0,
        maximum=1,
        example=0.75,
    )
    freeze: str = setting(
        "none",
        "freeze",
        "What of the backbone keeps its weights: `none`, `head_only` (all of it: only the head learns), or `stages:2` "
        "(its first two stages and what comes before them).",
        example="head_only",
    )
    norm_eval: bool | Auto = setting(
        AUTO,
        "bool",
        "Batch norm keeps the statistics it has, in training too. `auto`: where the network is pretrained and a batch "
        "on one device has fewer than 8 videos.",
        example=True,
    )
    clip_grad: float | Auto | None = setting(
        AUTO,
        "float",
        "Largest norm of the gradient of a step; a larger one is scaled down. `none`: no limit.",
        none=True,
        above=0,
        maximum=1e6,
        example=20.0,
    )
    ema: float | None = setting(
        None,
        "float",
        "Decay of an exponential moving average of the weights over steps, which is then validated, tested and kept as "
        "best; `none` uses the weights as they are.",
        none=True,
        above=0,
        maximum=0.999999,
        example=0.999,
    )
    label_smoothing: float | Auto = setting(
        AUTO,
        "float",
        "Share of the target that is spread evenly over all classes.",
        minimum=0,
        maximum=0.9,
        example=0.1,
    )
    schedule: str | Auto = setting(
        AUTO,
        "str",
        "How the learning rate goes on after its warm-up: `cosine` to zero, `step` (a tenth at each of `milestones`), "
        "`plateau` (a tenth after 5 validations without a better `best_metric`), `restarts` (a cosine again from each "
        "of `restart_epochs`), `one_cycle` (up and down once, momentum the other way), `constant`.",
        choices=("cosine", "step", "plateau", "restarts", "one_cycle", "constant"),
        example="cosine",
    )
    schedule_by: str = setting(
        "iteration",
        "str",
        "Whether the learning rate changes with every `iteration` or once an `epoch`; its warm-up is by iteration.",
        choices=("iteration", "epoch"),
        example="epoch",
    )
    milestones: tuple[float, ...] | Auto = setting(
        AUTO,
        "epochs",
        "Epochs after which `schedule: step` divides the learning rate by ten. `auto`: 40 % and 80 % of the run.",
        example=[20, 40],
    )
    restart_epochs: tuple[float, ...] | Auto = setting(
        AUTO,
        "epochs",
        "Epochs after which `schedule: restarts` begins again. `auto`: two, each cosine twice as long as the one "
        "before.",
        example=[10, 30],
    )
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
