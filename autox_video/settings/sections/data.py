"""The section `data` of `config.yaml`."""

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
