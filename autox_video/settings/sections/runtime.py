"""The section `runtime` of `config.yaml`."""

# ruff: noqa: RUF009 -- `setting` is `dataclasses.field` with metadata
from __future__ import annotations

from dataclasses import dataclass

from autox_video.settings.key import AUTO, Auto, setting


@dataclass(frozen=True)
class RuntimeSettings:
    """The machine."""

    device: str | Auto = setting(AUTO, "str", "Where to compute.", choices=("cpu", "cuda"), example="cpu")
    gpus: int | Auto = setting(
        AUTO,
        "int",
        "GPUs that train and test together, a process each. `auto`: all that are visible. With `device: cpu`, so many "
        "processes on the processor (`auto`: one).",
        minimum=1,
        maximum=1024,
        example=2,
    )
    strategy: str | Auto = setting(
        AUTO,
        "str",
        "How several processes train one network: each holds all of it (`ddp`), or a share of its parameters, "
        "gradients and optimizer state (`fsdp`). `auto`: shares for networks as large as "
        "video_swin_large, and where the whole does not fit on a GPU.",
        choices=("ddp", "fsdp"),
        example="fsdp",
    )
    workers: int | Auto = setting(AUTO, "int", "Processes that decode videos.", minimum=0, maximum=256, example=4)
    seed: int = setting(0, "int", "Seed of everything random.", minimum=0, maximum=2**31 - 1, example=0)
    deterministic: bool = setting(
        False, "bool", "Only kernels that give the same result each time (slower on CUDA).", example=False
    )
    compile: str | Auto = setting(
        AUTO,
        "str",
        "Compile the network with torch.compile. `auto` does where a long run on a GPU earns the minutes it takes; "
        "where it cannot be done the run goes on without.",
        choices=("on", "off"),
        example="off",
    )
    stall_minutes: float = setting(
        30,
        "float",
        "A run that makes no progress for so long is ended, and says what it was waiting for.",
        above=0,
        maximum=10_080,
        example=60,
    )
