"""The section `clip` of `config.yaml`."""

# ruff: noqa: RUF009 -- `setting` is `dataclasses.field` with metadata
from __future__ import annotations

from dataclasses import dataclass

from autox_video.settings.key import AUTO, Auto, setting


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
