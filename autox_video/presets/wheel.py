"""A preset made from a model of MMAction2's index: its network with our head and input, and a card from its recipe."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from autox_video.presets.card import Preset
from autox_video.presets.wheel_card import SINGLE_FRAMES, card_of, clip_of
from autox_video.presets.wheel_index import PREFIX, Entry, find_entry, refused

# Parts of a config that are there to find weights: here they come through `model.load_from` alone.
PRETRAINED_SWITCHES = ("pretrained2d", "clip_pretrained")
# They load weights for images when they are initialised unless they are told not to.
SWITCHED_OFF = {"UniFormer": {"pretrained2d": False}, "UniFormerV2": {"clip_pretrained": False}}
# What belongs to a training and not to a network, or is decided by us.
DROPPED = {"blending", "channel_map", "label_smooth_eps", "pretrained_type"}
# They are told how many frames a clip has, or assume eight.
COUNTING_FRAMES = {"backbone": ("ResNetTSM",), "cls_head": ("TSMHead",)}
OF_A_PACKAGE = "its backbone comes from the package {}, which is not among those this tool works with"
REFUSED_BACKBONES = {
    "ResNetTIN": "it shifts features with an operator that the full mmcv compiles and mmcv-lite lacks",
    "OmniResNet": "it learns from images and videos at the same time",
    "MobileOneTSM": OF_A_PACKAGE.format("mmpretrain"),
}
FOREIGN_PACKAGES = {"mmcls": "mmpretrain", "mmpretrain": "mmpretrain", "timm": "timm"}


def wheel_preset(name: str, size: Mapping[str, float] | None = None) -> Preset:
    """Make the preset of a model in the index.

    Args:
        name: With the prefix.
        size: Its parameters, multiply-adds and activations, in place of those that were measured.

    Raises:
        RequestError: The index has no such model, or it cannot be trained here.
    """
    entry, config = _usable(name)
    size = size or measured_sizes().get(entry.name)
    if size is None:
        raise refused(name, "it is of another version of MMAction2 than the 1.2.0 this tool works with")
    clip = clip_of(entry, config)
    card = card_of(entry, config, clip, size)
    return Preset(f"{PREFIX}{entry.name}", card, _prepared(config["model"], clip.clip_len))


def _usable(name: str) -> tuple[Entry, dict[str, Any]]:
    """The entry of a model that can be trained here, and its config as MMAction2 has it."""
    from mmengine.config import Config

    entry = find_entry(name)
    if entry.config is None:
        raise refused(name, "it has no config in the installed MMAction2")
    # Python of the wheel, which runs as the rest of that package does.
    config: dict[str, Any] = Config.fromfile(entry.config, import_custom_modules=False).to_dict()
    if why := _refusal(entry, config["model"]):
        raise refused(name, why)
    return entry, config


@lru_cache(maxsize=1)
def measured_sizes() -> dict[str, dict[str, float]]:
    """Parameters, multiply-adds and activations of each model, as `benchmarks/measure_wheel.py` measured them."""
    from autox_video.presets import shared_folder

    sizes: dict[str, dict[str, float]] = json.loads(
        (shared_folder("resources") / "wheel_models.json").read_text(encoding="utf-8")
    )
    return sizes


def _refusal(entry: Entry, model: dict[str, Any]) -> str | None:
    """Why a model cannot be trained here, or None."""
    if entry.facts.get("Modality") != "RGB":
        return f"it takes {entry.facts.get('Modality')} and not the frames of a video"
    if "neck" in model and model["type"] in SINGLE_FRAMES:
        return "it joins the views of a video in time, so that a test of several would mix them"
    backbone = model["backbone"]["type"]
    package = FOREIGN_PACKAGES.get(backbone.partition(".")[0])
    return OF_A_PACKAGE.format(package) if package else REFUSED_BACKBONES.get(backbone)


def _prepared(model: dict[str, Any], clip_len: int) -> dict[str, Any]:
    """The `model` of a config as presets have it: nothing that downloads, our input, probabilities as output."""
    ready: dict[str, Any] = _without_weights(model)
    backbone, head = ready["backbone"], ready["cls_head"]
    backbone |= SWITCHED_OFF.get(backbone["type"], {})
    for part, kinds in COUNTING_FRAMES.items():
        if ready[part]["type"] in kinds:
            ready[part]["num_segments"] = clip_len
    head["average_clips"] = "prob"
    if "neck" in ready:
        # A second classifier that only training has, of the classes it was trained with.
        ready["neck"].pop("aux_head_cfg", None)
    if ready["type"] in SINGLE_FRAMES:
        ready["data_preprocessor"]["format_shape"] = "NCHW"
    # How many views are scored at a time is planned; nothing else stands in these.
    return {key: value for key, value in ready.items() if key not in ("train_cfg", "test_cfg")}


def _without_weights(part: Any) -> Any:
    if isinstance(part, (list, tuple)):
        return type(part)(_without_weights(one) for one in part)
    if not isinstance(part, dict):
        return part
    kept: dict[str, Any] = {}
    for key, value in part.items():
        if key == "pretrained":
            # torchvision's own networks know only yes and no.
            kept[key] = False if isinstance(value, bool) else None
        elif key in PRETRAINED_SWITCHES:
            kept[key] = False
        elif key in DROPPED or (key == "init_cfg" and _loads(value)):
            continue
        else:
            kept[key] = _without_weights(value)
    return kept


def _loads(init_cfg: Any) -> bool:
    return isinstance(init_cfg, dict) and init_cfg.get("type") == "Pretrained"
