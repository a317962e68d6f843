"""MMAction2's lists of transforms for training, validation and test."""

from __future__ import annotations

from typing import Any

from autox_video.plan.schema import Plan

Transforms = list[dict[str, Any]]
# Carried with each clip: without `filename` a score could not be told whose it is.
META_KEYS = ("img_shape", "num_clips", "clip_len", "filename")


def train_pipeline(plan: Plan, *, stock: bool) -> Transforms:
    """One clip at a random time, randomly cropped and mirrored."""
    size = plan.input_size.value
    crop: Transforms = [
        {"type": "RandomResizedCrop", "area_range": (float(plan.min_crop_area.value), 1.0)},
        {"type": "Resize", "scale": (size, size), "keep_ratio": False},
    ]
    if plan.min_crop_area.value == 1:
        crop = _centre(size)
    return [*_frames(plan, 1, test_mode=False, stock=stock), *crop, *_flip(plan), *_pack()]


def val_pipeline(plan: Plan, *, stock: bool) -> Transforms:
    """One clip from the middle, the whole short side of the frame."""
    return [*_frames(plan, 1, test_mode=True, stock=stock), *_centre(plan.input_size.value), *_pack()]


def test_pipeline(plan: Plan, *, stock: bool) -> Transforms:
    """The planned number of clips and crops."""
    size = plan.input_size.value
    crop = _centre(size)
    if plan.test_num_crops.value == 3:
        crop = [{"type": "Resize", "scale": (-1, size)}, {"type": "ThreeCrop", "crop_size": size}]
    return [*_frames(plan, plan.test_num_clips.value, test_mode=True, stock=stock), *crop, *_pack()]


def _frames(plan: Plan, num_clips: int, *, test_mode: bool, stock: bool) -> Transforms:
    sample = {
        "type": "SampleFrames",
        "clip_len": plan.clip_len.value,
        "frame_interval": plan.frame_interval.value,
        "num_clips": num_clips,
        # MMAction2's default starts over at the first frame: a jump that no class has.
        "out_of_bound_opt": "repeat_last",
        "test_mode": test_mode,
    }
    if stock:
        return [{"type": "DecordInit", "io_backend": "disk"}, sample, {"type": "DecordDecode"}]
    return [{"type": "VideoOpen"}, sample, {"type": "VideoDecode"}]


def _flip(plan: Plan) -> Transforms:
    if not plan.flip.value:
        return []
    flip = {"type": "Flip", "flip_ratio": plan.flip.value}
    if plan.flip_pairs.value:
        pairs = plan.flip_pairs.value
        flip["flip_label_map"] = dict(sorted([*pairs, *((other, one) for one, other in pairs)]))
    return [flip]


def _centre(size: int) -> Transforms:
    return [{"type": "Resize", "scale": (-1, size)}, {"type": "CenterCrop", "crop_size": size}]


def _pack() -> Transforms:
    return [{"type": "FormatShape", "input_format": "NCTHW"}, {"type": "PackActionInputs", "meta_keys": META_KEYS}]
