"""The section `augment` of `config.yaml`."""

# ruff: noqa: RUF009 -- `setting` is `dataclasses.field` with metadata
from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from autox_video.settings.key import AUTO, Auto, setting


@dataclass(frozen=True)
class AugmentSettings:
    """How training clips are varied."""

    level: str | Auto = setting(
        AUTO,
        "str",
        "How much, where the other keys do not say: `none`, `light` (large crops, mirrored), `default` (crops of the "
        "preset, mirrored), or `strong` (RandAugment, random erasing, mixup and cutmix too).",
        choices=("none", "light", "default", "strong"),
        example="strong",
    )
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
    multi_scale_crop: bool = setting(
        False,
        "bool",
        "Crop the corners or the middle, at 1, 7/8, 3/4 or 2/3 of the short side, as TSN is trained, in place of "
        "anywhere at any size.",
        example=True,
    )
    color_jitter: float | Auto = setting(
        AUTO,
        "float",
        "Largest change of brightness, contrast and saturation, as a share; 0 changes none.",
        minimum=0,
        maximum=1,
        example=0.4,
    )
    rand_augment: float | Auto = setting(
        AUTO,
        "float",
        "Magnitude of RandAugment, which changes a clip in two ways drawn from a list; 0 leaves it out.",
        minimum=0,
        maximum=10,
        example=7,
    )
    random_erasing: float | Auto = setting(
        AUTO,
        "float",
        "Probability of covering a box of the clip with the mean color.",
        minimum=0,
        maximum=1,
        example=0.25,
    )
    mixup: float | Auto = setting(
        AUTO,
        "float",
        "Mix each clip of a batch and its label with another one; the share is drawn from Beta(mixup, mixup). 0 does "
        "not.",
        minimum=0,
        maximum=10,
        example=0.8,
    )
    cutmix: float | Auto = setting(
        AUTO,
        "float",
        "Replace a box of each clip by that of another one, and as much of its label; the share is drawn from "
        "Beta(cutmix, cutmix). With mixup each batch draws one of the two. 0 does not.",
        minimum=0,
        maximum=10,
        example=1,
    )
    num_repeats: int = setting(
        1,
        "int",
        "Views of one decoding in a batch, cropped and mirrored each by itself: cheaper than as many videos.",
        minimum=1,
        maximum=64,
        example=2,
    )
    transforms: tuple[dict[str, Any], ...] = setting(
        (),
        "parts",
        "Transforms of MMAction2 or of your `plugins` that the frames of a training clip (uint8, RGB) pass after all "
        "others.",
        none=True,
        example=[{"type": "MyNoise", "sigma": 4}],
    )
