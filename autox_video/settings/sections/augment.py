"""The section `augment` of `config.yaml`."""

# ruff: noqa: RUF009 -- `setting` is `dataclasses.field` with metadata
from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from autox_video.settings.key import AUTO, Auto, setting


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
    transforms: tuple[dict[str, Any], ...] = setting(
        (),
        "parts",
        "Transforms of MMAction2 or of your `plugins` that the frames of a training clip (uint8, RGB) pass after all "
        "others.",
        none=True,
        example=[{"type": "MyNoise", "sigma": 4}],
    )
