"""The model of a preset, made to fit the clips of a run."""

from __future__ import annotations

from typing import Any

# A network that shifts features between the frames of a clip, or averages over them, is told their number.
CLIP_LEN_KEYS = ("num_segments", "t_size")


def fit_to_clip(model: dict[str, Any], clip_len: int) -> None:
    """Change, in place, what depends on the frames of a clip.

    Args:
        model: The `model` of an MMAction2 config.
        clip_len: Frames that the network sees of a video at a time.
    """
    for part in ("backbone", "neck", "cls_head"):
        for key in CLIP_LEN_KEYS:
            if key in model.get(part, {}):
                model[part][key] = clip_len
