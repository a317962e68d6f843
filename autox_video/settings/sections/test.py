"""The section `test` of `config.yaml`."""

# ruff: noqa: RUF009 -- `setting` is `dataclasses.field` with metadata
from __future__ import annotations

from dataclasses import dataclass

from autox_video.settings.key import AUTO, Auto, setting


@dataclass(frozen=True)
class TestSettings:
    """How a video is scored at test time, and how scores are written."""

    views: str | Auto = setting(
        AUTO,
        "views",
        "Views of a video at test time, clips x crops: `4x3` is short for num_clips 4 and num_crops 3.",
        example="10x3",
    )
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
    probe: bool = setting(
        False,
        "bool",
        "Score each test video stopped, shuffled and backwards too, which says of each class whether a still frame is "
        "enough or it needs motion, or the direction of time.",
        example=True,
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
