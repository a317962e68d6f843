"""How training clips are varied, in MMAction2's words: their geometry, their pixels, and what mixes a batch."""

from __future__ import annotations

from typing import Any

from autox_video.plan.rules.augmentation import SMALLEST_SCALE
from autox_video.plan.schema import Plan

Transforms = list[dict[str, Any]]
# Of the short side, as TSN has them (arXiv:1608.00859).
SCALES = (1, 0.875, 0.75, SMALLEST_SCALE)
# What is erased, or comes into sight where a picture is moved: that of ImageNet, of which normalisation makes zero.
MEAN_COLOR = (124, 116, 104)


def random_crop(plan: Plan) -> Transforms:
    """A part of the frame, at the size that the network sees; nothing where the middle is to be taken."""
    size = plan.input_size.value
    if plan.multi_scale_crop.value:
        crop: dict[str, Any] = {"type": "MultiScaleCrop", "input_size": size, "scales": SCALES, "max_wh_scale_gap": 1}
    elif plan.min_crop_area.value < 1:
        crop = {"type": "RandomResizedCrop", "area_range": (float(plan.min_crop_area.value), 1.0)}
    else:
        return []
    return [crop, {"type": "Resize", "scale": (size, size), "keep_ratio": False}]


def mirroring(plan: Plan) -> Transforms:
    """A flip with the planned probability, which exchanges the classes that it turns into each other."""
    if not plan.flip.value:
        return []
    flip = {"type": "Flip", "flip_ratio": plan.flip.value}
    if plan.flip_pairs.value:
        pairs = plan.flip_pairs.value
        flip["flip_label_map"] = dict(sorted([*pairs, *((other, one) for one, other in pairs)]))
    return [flip]


def pixels(plan: Plan, *, stock: bool) -> Transforms:
    """What changes the pixels of a decoded clip.

    Args:
        plan: Every value of the run.
        stock: With MMAction2's own transforms.
    """
    steps: Transforms = []
    if strength := plan.color_jitter.value:
        stocks = {"type": "ColorJitter", **dict.fromkeys(("brightness", "contrast", "saturation"), strength), "hue": 0}
        steps.append(stocks if stock else {"type": "ClipColorJitter", "strength": strength})
    if plan.rand_augment.value:
        ops = list(plan.rand_augment_ops.value)
        steps.append({"type": "ClipRandAugment", "magnitude": plan.rand_augment.value, "ops": ops})
    if plan.random_erasing.value:
        prob = float(plan.random_erasing.value)
        steps.append({"type": "RandomErasing", "erase_prob": prob, "mode": "const", "fill_color": MEAN_COLOR})
    return steps


def blending(plan: Plan) -> dict[str, Any] | None:
    """What mixes the clips of a batch and their labels, or None. Of two, each batch draws one."""
    kinds = {"MixupBlending": plan.mixup.value, "CutmixBlending": plan.cutmix.value}
    num_classes = plan.num_classes.value
    used = [{"type": kind, "num_classes": num_classes, "alpha": float(alpha)} for kind, alpha in kinds.items() if alpha]
    if len(used) < 2:
        return used[0] if used else None
    return {"type": "RandomBatchAugment", "augments": used}
