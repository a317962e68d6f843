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
    sampling: str | Auto = setting(
        AUTO,
        "str",
        "How frames are drawn: `dense` (clip_len of them, frame_interval apart), `segments` or `uniform` (one from "
        "each of clip_len equal parts of the video). `auto` does as the preset was trained.",
        choices=("dense", "segments", "uniform"),
        example="uniform",
    )
    target_fps: float | Auto = setting(
        AUTO,
        "float",
        "Frames a second that a clip has, whatever the video has: in place of frame_interval. `auto` takes them so "
        "where the frame rates of the videos differ much.",
        above=0,
        maximum=1000,
        example=15,
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
