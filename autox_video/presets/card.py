"""What a preset is: a card and an MMAction2 `model`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Weights:
    """One file of pretrained weights.

    Attributes:
        url: Where it is downloaded from. A name ending in `-<8 hex digits>.pth` carries the beginning of its sha256.
        trained_on: The data set.
        num_classes: Classes of its head.
        top1: Published top-1 accuracy on that data set, in [0, 1]; None where none is published.
        source: Where the figures come from.
    """

    url: str
    trained_on: str
    num_classes: int
    top1: float | None
    source: str


@dataclass(frozen=True)
class Card:
    """What a preset says of itself.

    Attributes:
        summary: One line for a table.
        paper: URL.
        licence: Of code and weights, as their authors state it.
        weights: By name, e.g. `kinetics400`; empty when the model has none.
        default_weights: The name that `load_from: auto` takes; None trains from scratch.
        num_parameters: Trainable parameters with `reference_num_classes` classes (measured).
        flops: Multiply-adds of one view at the card's clip (measured or published; see `flops_source`).
        clip_len: Frames in a clip.
        clip_seconds: Longest stretch of video that one clip is spread over.
        clip_len_multiple: `clip_len` must be a multiple of this.
        input_size: Side of the square the network sees, in pixels.
        base_learning_rate: At `base_total_batch_size`.
        base_total_batch_size: Videos a step.
        weight_decay: Of the optimizer.
        backbone_lr_mult: Learning rate of the pretrained backbone, relative to the head's.
        epochs: Passes that suffice on a data set of `min_steps` or more steps.
        min_steps: Optimizer steps below which a run is extended to more epochs.
        warmup_epochs: Linear warm-up.
        test_num_clips: Clips a video at test time.
        test_num_crops: Crops a clip at test time.
        min_crop_area: Smallest share of the frame that a random training crop keeps.
        activation_gib: Memory autograd keeps for one training clip of the card's size in float32 (measured).
        sampling: How frames are drawn. `dense`: `clip_len` frames, `frame_interval` apart. `segments`: one from each of
            `clip_len` equal parts of the video (TSN, arXiv:1608.00859). `uniform`: as `segments`, with MMAction2's
            `UniformSample`.
        fixed_clip_len: Whether the network has a table of positions, or the like, for the card's `clip_len` only.
        fixed_input_size: The same of `input_size`.
        optimizer: `adamw`, or `sgd` with Nesterov momentum.
        layer_decay: Each layer learns so many times as fast as the one after it, in place of `backbone_lr_mult`; None
            for one rate for all of the backbone.
        clip_grad: Largest norm of the gradient; None for no limit.
        label_smoothing: Share of the target that is spread over all classes.
        batch_norm: Whether the network normalises by statistics of the batch.
        gpu_levels: Levels of the key `preset` at which `model: auto` considers the model on a GPU, each with the memory
            in GiB that the GPU must have.
        cpu_levels: Those at which it does on a CPU.
        core_rate: Multiply-adds a second that it reaches in training on a core of a server (measured).
    """

    summary: str
    paper: str
    licence: str
    weights: dict[str, Weights]
    default_weights: str | None
    num_parameters: int
    reference_num_classes: int
    flops: float
    flops_source: str
    clip_len: int
    clip_seconds: float
    clip_len_multiple: int
    input_size: int
    base_learning_rate: float
    base_total_batch_size: int
    weight_decay: float
    backbone_lr_mult: float
    epochs: int
    min_steps: int
    warmup_epochs: float
    test_num_clips: int
    test_num_crops: int
    min_crop_area: float
    activation_gib: float
    sampling: str = "dense"
    fixed_clip_len: bool = False
    fixed_input_size: bool = False
    optimizer: str = "adamw"
    layer_decay: float | None = None
    clip_grad: float | None = None
    label_smoothing: float = 0.0
    batch_norm: bool = False
    gpu_levels: dict[str, float] = field(default_factory=dict)
    cpu_levels: tuple[str, ...] = ()
    core_rate: float = 25e9


@dataclass(frozen=True)
class Preset:
    """A model one can name: its card and the `model` part of an MMAction2 config."""

    name: str
    card: Card
    model: dict[str, Any]

    @property
    def input_format(self) -> str:
        """What the network takes, in the words of MMAction2: `NCTHW`, clips, or `NCHW`, single frames."""
        preprocessor: dict[str, Any] = self.model.get("data_preprocessor") or {}
        return str(preprocessor.get("format_shape", "NCHW"))
