"""The product of this stage: every concrete value of a run with its source and reason, in `plan.json`."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from autox_video.dataset.facts import DecodeCost

T = TypeVar("T")


@dataclass(frozen=True)
class Decision(Generic[T]):
    """One value of a run.

    Attributes:
        value: The value. Never `auto`.
        source: Who decided: a place in the settings (`config.yaml:12`), `data`, `hardware`, `/dev/shm`, `preset`,
            `default`, `trial` (measured on the GPU), or `run`, which got over a trouble.
        why: The reason, one sentence without a full stop.
    """

    value: T
    source: str
    why: str


def in_words(value: object) -> str:
    """The value of a decision as one would write it into `config.yaml`: `none` and `true`, not `None` and `True`."""
    if value is None or value == ():
        return "none"
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:.4g}" if isinstance(value, float) else str(value)


@dataclass(frozen=True)
class Hardware:
    """The machine a plan is for.

    Attributes:
        num_gpus: GPUs the run uses, on all machines; 0 means the CPU.
        gpu_name: As the driver names it; empty without one.
        gpu_memory_gib: Memory of the smallest GPU.
        bfloat16: Whether the GPU computes bfloat16 natively (compute capability 8.0 and up).
        num_cpus: Cores that the processes on one machine may use.
        memory_gib: Main memory that they may use.
        shm_gib: Free shared memory, which batches pass through.
        num_processes: Training processes: one on each GPU, or several that share the CPU.
        num_machines: Machines they run on.
        cpu_bfloat16: Whether the processor multiplies bfloat16 in hardware (AVX-512 BF16 or AMX).
    """

    num_gpus: int
    gpu_name: str
    gpu_memory_gib: float
    bfloat16: bool
    num_cpus: int
    memory_gib: float
    shm_gib: float
    num_processes: int = 1
    num_machines: int = 1
    cpu_bfloat16: bool = False

    @property
    def num_devices(self) -> int:
        """What trains side by side, each on its share of a batch: GPUs, or processes on the CPU."""
        return self.num_gpus or self.num_processes

    @property
    def devices_per_machine(self) -> int:
        """How many of them share the cores and the memory of one machine."""
        return math.ceil(self.num_devices / self.num_machines)


@dataclass(frozen=True)
class Estimates:
    """What a training will take, reckoned before it begins; it decides nothing.

    Attributes:
        num_parameters: Of the network with the classes of the run.
        flops: Multiply-adds of one view at the clip of the run.
        learning_rates: Epochs, and the highest rate of all parameters then; None where the schedule is not known.
        step_gib: Memory of a training step on one device.
        is_step_measured: Whether that was measured.
        epoch_seconds: Time of an epoch; with proxies, of one that reads them.
        total_seconds: Of all epochs and validations.
        is_time_lower_bound: Whether no GPU that is known today would need less.
        checkpoint_bytes: Room that the checkpoints take.
        download_bytes: Pretrained weights, if they are downloaded.
        proxy_bytes: Proxies, if none is there yet.
    """

    num_parameters: int
    flops: float
    learning_rates: tuple[tuple[float, float], ...] | None
    step_gib: float
    is_step_measured: bool
    epoch_seconds: float
    total_seconds: float
    is_time_lower_bound: bool
    checkpoint_bytes: int
    download_bytes: int
    proxy_bytes: int


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Every value of a run. Units are in the names; `Decision` carries source and reason.

    Attributes beside the decisions:
        version: Of the layout of `plan.json`.
        task: The module in `autox_video.tasks`.
        data_root: Folder that relative paths in the lists start from.
        classes: Class names; the position is the class id.
        ann_files: Canonical list of each split.
        num_videos: Readable videos of each split.
        cfg_options: The user's own words for MMEngine, merged last.
        hardware: The machine the plan is for.
        decode_cost: What decoding the training videos takes on it; None where that was not measured.
        estimates: What it will take; None where nobody has asked yet.
    """

    version: int
    task: str
    data_root: str
    classes: tuple[str, ...]
    ann_files: dict[str, str]
    num_videos: dict[str, int]
    cfg_options: dict[str, Any]
    hardware: Hardware
    decode_cost: DecodeCost | None = None
    estimates: Estimates | None = None

    # What has a default is newer than the plan in some checkpoints.
    preset: Decision[str] = Decision("balanced", "default", "not planned")  # fast, balanced or best: chooses the model
    model: Decision[str]
    load_from: Decision[str]  # a URL, an absolute path, or "none"
    num_classes: Decision[int]
    input_format: Decision[str] = Decision("NCTHW", "default", "not planned")  # NCTHW: clips; NCHW: frames

    sampling: Decision[str] = Decision("dense", "default", "not planned")  # dense, segments or uniform
    clip_len: Decision[int]
    frame_interval: Decision[int]
    target_fps: Decision[float | None] = Decision(None, "default", "not planned")  # of a clip; None: frame_interval
    input_size: Decision[int]

    augment: Decision[str] = Decision("default", "default", "not planned")  # none, light, default or strong
    flip: Decision[float]
    flip_pairs: Decision[tuple[tuple[int, int], ...]]  # class ids that a mirrored clip exchanges
    min_crop_area: Decision[float]
    multi_scale_crop: Decision[bool] = Decision(False, "default", "not planned")
    color_jitter: Decision[float] = Decision(0.0, "default", "not planned")
    rand_augment: Decision[float] = Decision(0.0, "default", "not planned")
    rand_augment_ops: Decision[tuple[str, ...]] = Decision((), "default", "not planned")
    random_erasing: Decision[float] = Decision(0.0, "default", "not planned")
    mixup: Decision[float] = Decision(0.0, "default", "not planned")
    cutmix: Decision[float] = Decision(0.0, "default", "not planned")
    num_repeats: Decision[int] = Decision(1, "default", "not planned")  # views of one decoding in a batch
    transforms: Decision[tuple[dict[str, Any], ...]] = Decision((), "default", "not planned")

    device: Decision[str]
    amp: Decision[str]  # off, float16 or bfloat16
    compile: Decision[str] = Decision("off", "default", "not planned")  # on or off
    strategy: Decision[str] = Decision("ddp", "default", "not planned")  # ddp or fsdp
    videos_per_gpu: Decision[int]
    accumulation: Decision[int]
    total_batch_size: Decision[int]

    optimizer: Decision[str] = Decision("adamw", "default", "not planned")  # adamw or sgd
    learning_rate: Decision[float]
    # What is left of the learning rate after losses that were no finite numbers.
    lr_scale: Decision[float] = Decision(1.0, "default", "halved where the loss is no finite number")
    backbone_lr_mult: Decision[float]
    layer_decay: Decision[float | None] = Decision(None, "default", "not planned")
    freeze: Decision[str] = Decision("none", "default", "not planned")  # none, head_only or stages:N
    norm_eval: Decision[bool] = Decision(False, "default", "not planned")
    weight_decay: Decision[float]
    clip_grad: Decision[float | None] = Decision(None, "default", "not planned")
    label_smoothing: Decision[float] = Decision(0.0, "default", "not planned")
    ema: Decision[float | None] = Decision(None, "default", "not planned")  # decay a step

    epochs: Decision[int]
    schedule: Decision[str] = Decision("cosine", "default", "not planned")
    schedule_by: Decision[str] = Decision("iteration", "default", "not planned")  # or epoch
    milestones: Decision[tuple[float, ...]] = Decision((), "default", "counts for schedule: step only")  # epochs
    restart_epochs: Decision[tuple[float, ...]] = Decision((), "default", "counts for schedule: restarts only")
    warmup_epochs: Decision[float]
    val_interval: Decision[int]
    best_metric: Decision[str]
    patience: Decision[int | None] = Decision(None, "default", "not planned")  # validations without improvement
    save_every_seconds: Decision[float | None]  # inside an epoch; None: only at its end

    balance: Decision[str]  # none, sampler or weights
    class_weights: Decision[tuple[float, ...] | None]

    probe: Decision[str] = Decision("all", "default", "every video was opened")  # all or sample
    cache: Decision[str] = Decision("off", "default", "not planned")  # off or proxy
    proxies_from_epoch: Decision[int] = Decision(2, "default", "counts only where there are proxies")
    workers: Decision[int]
    prefetch: Decision[int] = Decision(2, "default", "not planned")  # batches that each worker makes ahead
    threads: Decision[int]  # of the training process

    test_num_clips: Decision[int]
    test_num_crops: Decision[int]
    test_videos_per_gpu: Decision[int]
    motion_probe: Decision[bool] = Decision(False, "default", "not planned")  # test.probe
    scoring_amp: Decision[str] = Decision("off", "default", "not planned")  # of validation and test
    scoring_threads: Decision[int] = Decision(1, "default", "not planned")  # batches scored at a time

    hooks: Decision[tuple[dict[str, Any], ...]] = Decision((), "default", "not planned")  # in MMEngine's words
    loggers: Decision[tuple[str, ...]] = Decision((), "default", "not planned")
    plugins: Decision[tuple[str, ...]] = Decision((), "default", "not planned")  # by the names they are imported by
    seed: Decision[int]
    deterministic: Decision[bool]
    stall_minutes: Decision[float]

    def identity(self) -> dict[str, Any]:
        """What a checkpoint is bound to: a run that changes any of it is another run."""
        return {
            "task": self.task,
            "model.name": self.model.value,
            "num_class": self.num_classes.value,
            "classes": list(self.classes),
            "clip.clip_len": self.clip_len.value,
            "clip.frame_interval": self.frame_interval.value,
            "clip.sampling": self.sampling.value,
            "clip.target_fps": self.target_fps.value,
            "clip.input_size": self.input_size.value,
        }

    def decisions(self) -> dict[str, Decision[Any]]:
        """The decisions by field name, in the order of the class."""
        values = ((field.name, getattr(self, field.name)) for field in dataclasses.fields(self))
        return {name: value for name, value in values if isinstance(value, Decision)}
