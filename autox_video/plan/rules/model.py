"""Which network, and what it starts from."""

from __future__ import annotations

import os
from urllib.parse import urlparse

from autox_video.errors import Problem, RequestError
from autox_video.plan.rules.common import asked
from autox_video.plan.schema import Decision, Hardware
from autox_video.presets import Preset, load_preset, preset_names
from autox_video.settings.schema import AUTO, Settings

# Smallest GPU, in GiB, on which each model trains at a batch that its recipe still suits. Largest first.
MODEL_BY_GPU_MEMORY_GIB = ((40.0, "video_swin_base"), (22.0, "video_swin_small"), (0.0, "video_swin_tiny"))


def choose_model(settings: Settings, hardware: Hardware) -> Decision[str]:
    """The preset: the user's, else the largest Video Swin that the machine trains comfortably.

    Raises:
        RequestError: There is no preset of the name the user gave.
    """
    if decision := asked(settings, "model.name"):
        if decision.value not in preset_names():
            # It may be one of MMAction2's; load_preset words the error with its did-you-mean.
            load_preset(decision.value)
        return decision
    if hardware.num_gpus == 0:
        return Decision("video_swin_nano", "hardware", "no GPU: the one Video Swin that trains on a CPU in minutes")
    name = next(name for least, name in MODEL_BY_GPU_MEMORY_GIB if hardware.gpu_memory_gib >= least)
    return Decision(name, "hardware", f"the largest Video Swin that suits a GPU of {hardware.gpu_memory_gib:.0f} GiB")


def choose_load_from(settings: Settings, preset: Preset) -> Decision[str]:
    """A URL, an absolute path, or `none`.

    Raises:
        RequestError: The value is neither a path, a URL nor the name of weights on the preset's card.
    """
    value, card = settings.model.load_from, preset.card
    source = settings.origins.get("model.load_from", "preset")
    if value == AUTO:
        if card.default_weights is None:
            return Decision("none", "preset", f"{preset.name} has no pretrained weights: it trains from scratch")
        weights = card.weights[card.default_weights]
        return Decision(weights.url, source, f"pretrained on {weights.trained_on}")
    if value == "none":
        return Decision("none", source, "as asked: trains from scratch, without pretrained weights")
    if value in card.weights:
        return Decision(card.weights[value].url, source, f"as asked: pretrained on {card.weights[value].trained_on}")
    if urlparse(value).scheme in ("http", "https") or os.path.isabs(value):
        return Decision(value, source, "as asked")
    names = ", ".join(card.weights) or "it has none"
    raise RequestError(
        Problem(
            f"{source}: model.load_from",
            f"is neither auto, none, a path, a URL nor weights that {preset.name} knows",
            f"Its weights are: {names}",
            repr(value),
        )
    )
