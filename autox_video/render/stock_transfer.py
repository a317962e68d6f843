"""Parameters and frozen parts in the words of MMAction2's own models and optimizer constructors."""

from __future__ import annotations

import re
from typing import Any

from autox_video.errors import Problem, RequestError
from autox_video.plan.schema import Plan

# Fragments of the names of parameters that have no weight decay: biases, norms, position tables, class tokens.
NO_DECAY = (
    *(".bias", "_bias", "norm", "bn", "ln_", "gamma_"),
    *("pos_embed", "time_embed", "position", "rel_pos_", "cls_token", "class_embedding"),
)
# Backbones with arguments `frozen_stages` and `norm_eval`, of the same meaning as ours.
FREEZING = (
    *("ResNet", "ResNetTSM", "ResNet3d", "ResNet3dSlowOnly", "ResNet3dCSN", "ResNet2Plus1d"),
    *("MobileNetV2", "MobileNetV2TSM", "X3D", "TANet", "C2D", "SwinTransformer3D"),
)
NUM_STAGES = {"MobileNetV2": 7, "MobileNetV2TSM": 7}
# Blocks of a VisionTransformer that names no depth, and of an MViT by its `arch`.
NUM_BLOCKS = {"": 12, "tiny": 10, "small": 16, "base": 24, "large": 48}


def stock_groups(plan: Plan, model: dict[str, Any]) -> dict[str, Any]:
    """A constructor of MMAction2 that decays and slows down what is planned to be.

    Args:
        plan: Every value of the run.
        model: The network as it is rendered.

    Raises:
        RequestError: MMAction2 has no layer decay for such a network.
    """
    decay, backbone = plan.layer_decay.value, model["backbone"]
    if decay is None:
        # It multiplies what all matching fragments say; MMEngine's own heeds one alone.
        fragments: dict[str, dict[str, float]] = {fragment: {"decay_mult": 0.0} for fragment in NO_DECAY}
        fragments["backbone"] = {"lr_mult": plan.backbone_lr_mult.value}
        return {"constructor": "SwinOptimWrapperConstructor", "paramwise_cfg": fragments}
    if backbone["type"] not in ("VisionTransformer", "MViT"):
        raise _cannot("train.layer_decay", f"decay layers of a {backbone['type']}", decay)
    rates = {"decay_type": "layer_wise", "decay_rate": decay, "num_layers": _blocks(backbone)}
    return {"constructor": "LearningRateDecayOptimizerConstructor", "paramwise_cfg": rates}


def stock_freezing(plan: Plan, backbone: dict[str, Any]) -> dict[str, Any]:
    """What freezes the planned stages of a backbone, as arguments of its own.

    Args:
        plan: Every value of the run.
        backbone: As the preset has it.

    Raises:
        RequestError: MMAction2's backbone cannot.
    """
    freeze, kind = plan.freeze.value, backbone["type"]
    found: dict[str, Any] = {}
    if freeze != "none":
        if kind not in FREEZING:
            raise _cannot("train.freeze", f"freeze stages of a {kind}", freeze)
        if freeze == "head_only" and kind == "X3D":
            raise _cannot("train.freeze", "freeze what an X3D has after its stages", freeze)
        number = re.search(r"[0-9]+", freeze)
        stages = int(number[0]) if number else _all_stages(backbone)
        # What comes after the last stage counts as one more there, and as part of it here.
        extra = kind in NUM_STAGES and stages == NUM_STAGES[kind]
        found["frozen_stages"] = stages + extra
    if plan.norm_eval.value:
        if kind not in FREEZING or kind == "SwinTransformer3D":
            raise _cannot("train.norm_eval", f"keep the statistics of a {kind}", True)
        found["norm_eval"] = True
    return found


def _blocks(transformer: dict[str, Any]) -> int:
    arch = transformer.get("arch", "")
    number: int = arch["num_layers"] if isinstance(arch, dict) else transformer.get("depth", NUM_BLOCKS[arch])
    return number


def _all_stages(backbone: dict[str, Any]) -> int:
    kind = backbone["type"]
    if kind == "SwinTransformer3D":
        arch = backbone["arch"]
        return len(arch["depths"]) if isinstance(arch, dict) else 4
    return NUM_STAGES.get(kind) or backbone.get("num_stages", 4)


def _cannot(key: str, wrong: str, got: Any) -> RequestError:
    return RequestError(Problem(key, f"MMAction2 cannot {wrong} by itself", "Leave it out for this config", str(got)))
