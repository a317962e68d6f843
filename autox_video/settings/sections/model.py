"""The section `model` of `config.yaml`."""

# ruff: noqa: RUF009 -- `setting` is `dataclasses.field` with metadata
from __future__ import annotations

from dataclasses import dataclass

from autox_video.settings.key import AUTO, Auto, setting


@dataclass(frozen=True)
class ModelSettings:
    """Which network, and what it starts from."""

    name: str | Auto = setting(
        AUTO,
        "str",
        "The model: a file name in configs/models, without .py (`autox-video models`), or one of MMAction2's index "
        "(`autox-video models mmaction::`). `auto` chooses by data, machine and the key `preset`.",
        example="video_swin_tiny",
    )
    load_from: str = setting(
        AUTO,
        "weights",
        "Pretrained weights: `auto` (the preset's own, downloaded once), the name of another file on the preset's card "
        "such as `kinetics700`, a path, a URL, or `none` to train from scratch.",
        none=True,
        example="kinetics400",
    )
