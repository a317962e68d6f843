"""The sections of `config.yaml`, each with its keys; `schema` puts them together."""

# ruff: noqa: RUF009 -- `setting` is `dataclasses.field` with metadata
from __future__ import annotations

from dataclasses import dataclass

from autox_video.settings.key import AUTO, Auto, setting


@dataclass(frozen=True)
class DataSettings:
    """How the videos are divided and drawn."""

    group_pattern: str = setting(
        AUTO,
        "str",
        "Which videos come from one recording, and so never stand in two splits: a regular expression, of which the "
        "part in parentheses names the recording. `auto` knows the names of UCF101 and of YouTube clips, and folders "
        "and numbers that divide every class; `none` looks at no name.",
        none=True,
        example="^(subject[0-9]+)_",
    )
    balance: str | Auto = setting(
        AUTO,
        "str",
        "What is done about classes of different size: `sampler` draws each class equally often, `weights` weighs the "
        "loss of a class by the inverse of its number of videos. `auto` weighs where classes are very uneven.",
        choices=("none", "sampler", "weights"),
        example="sampler",
    )
    image_fps: float = setting(
        25.0,
        "float",
        "Frames a second of videos that are folders of numbered images, which state none.",
        above=0,
        maximum=1000,
        example=12,
    )
    probe: str | Auto = setting(
        AUTO,
        "str",
        "Which videos are opened before training: `all`, or with `auto` of more than 20000 a sample of 2000 from every "
        "class of every split.",
        choices=("all",),
        example="all",
    )
    cache: str | Auto = setting(
        AUTO,
        "str",
        "`proxy` writes small copies of the videos of train and val beside the work dir while the first epoch trains, "
        "and reads those from then on; `off` reads the videos. `auto` writes them where that makes the run shorter.",
        choices=("off", "proxy"),
        example="proxy",
    )


@dataclass(frozen=True)
class ModelSettings:
    """Which network, and what it starts from."""

    name: str | Auto = setting(
        AUTO, "str", "The preset: a file name in configs/models, without .py.", example="video_swin_tiny"
    )
    load_from: str = setting(
        AUTO,
        "weights",
        "Pretrained weights: `auto` (the preset's own, downloaded once), the name of another file on the preset's card "
        "such as `kinetics700`, a path, a URL, or `none` to train from scratch.",
        none=True,
        example="kinetics400",
    )


@dataclass(frozen=True)
class ClipSettings:
    """What the network sees of a video."""

    clip_len: int | Auto = setting(AUTO, "int", "Frames in a clip.", minimum=1, maximum=512, example=32)
    frame_interval: int | Auto = setting(
        AUTO, "int", "Distance between two frames of a clip, in frames of the video.", minimum=1, maximum=512, example=2
    )
    input_size: int | Auto = setting(
        AUTO,
        "int",
        "Side of the square the network sees, in pixels; a multiple of 16.",
        minimum=32,
        maximum=1024,
        multiple_of=16,
        example=224,
    )


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


@dataclass(frozen=True)
class AugmentSettings:
    """How training clips are varied."""

    flip: float | Auto = setting(
        AUTO, "float", "Probability of mirroring a training clip.", minimum=0, maximum=1, example=0.5
    )
    min_crop_area: float | Auto = setting(
        AUTO,
        "float",
        "Smallest share of the frame that a random training crop keeps.",
        above=0,
        maximum=1,
        example=0.08,
    )
    num_repeats: int = setting(
        1,
        "int",
        "Views of one decoding in a batch, cropped and mirrored each by itself: cheaper than as many videos.",
        minimum=1,
        maximum=64,
        example=2,
    )


@dataclass(frozen=True)
class TestSettings:
    """How a video is scored at test time, and how scores are written."""

    num_clips: int | Auto = setting(
        AUTO, "int", "Clips sampled evenly from a video; their scores are averaged.", minimum=1, maximum=100, example=4
    )
    num_crops: int | Auto = setting(
        AUTO, "int", "Crops of each clip: 1 (centre) or 3 (along the longer side).", choices=(1, 3), example=3
    )
    results_format: str = setting(
        "full",
        "str",
        "`full` writes the documented results; `scores` the original tool's bare list of score vectors.",
        choices=("full", "scores"),
        example="full",
    )
    folds: int | None = setting(
        None,
        "int",
        "Divide the videos into so many folds by class and recording, train one model a fold without it, and test each "
        "on its fold: every video is tested once.",
        none=True,
        minimum=2,
        maximum=100,
        example=5,
    )


@dataclass(frozen=True)
class RuntimeSettings:
    """The machine."""

    device: str | Auto = setting(AUTO, "str", "Where to compute.", choices=("cpu", "cuda"), example="cpu")
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
