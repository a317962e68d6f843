"""MMAction2's lists of transforms for training, validation and test."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

from autox_video.plan.schema import Plan
from autox_video.render.augmentation import Transforms, mirroring, pixels, random_crop

# Carried with each clip: without `filename` a score could not be told whose it is.
META_KEYS = ("img_shape", "num_clips", "clip_len", "filename")


def train_pipeline(plan: Plan, *, stock: bool) -> Transforms:
    """One clip at a random time, varied as planned."""
    geometry = [*(random_crop(plan) or _centre(plan.input_size.value)), *mirroring(plan)]
    changed = [*pixels(plan, stock=stock), *copy.deepcopy(plan.transforms.value)]
    return _pipeline(plan, geometry, changed, test_mode=False, stock=stock)


def val_pipeline(plan: Plan, *, stock: bool) -> Transforms:
    """One clip from the middle, the whole short side of the frame."""
    return _pipeline(plan, _centre(plan.input_size.value), test_mode=True, stock=stock)


def test_pipeline(plan: Plan, *, stock: bool) -> Transforms:
    """The planned number of clips and crops."""
    size, num_clips = plan.input_size.value, plan.test_num_clips.value
    if plan.test_num_crops.value != 3:
        return _pipeline(plan, _centre(size), num_clips=num_clips, test_mode=True, stock=stock)
    crops: Transforms = [{"type": "ThreeCrop", "crop_size": size}]
    return _pipeline(plan, [_short_side(size)], crops, num_clips=num_clips, test_mode=True, stock=stock)


def centre_view(plan: Plan) -> int:
    """The place of the view that is nearest to what validation sees, among those of `test_pipeline`.

    Clips of the first crop come first. `ThreeCrop` begins with the ends, and the middle is the last; of an even number
    of clips the one before the middle of the video is taken. Of two clips of TSN's frames the first is of the middles.
    """
    num_clips, num_crops = plan.test_num_clips.value, plan.test_num_crops.value
    return (num_crops - 1) * num_clips + (num_clips - 1) // 2


def _pipeline(
    plan: Plan,
    geometry: Transforms,
    decoded: Sequence[dict[str, Any]] = (),
    *,
    num_clips: int = 1,
    test_mode: bool,
    stock: bool,
) -> Transforms:
    """The transforms in order; `geometry` becomes one step with the decoding, but for MMAction2's own.

    What takes decoded frames is `decoded`.
    """
    sample = _sample(plan, num_clips, test_mode)
    pack = {"type": "PackActionInputs", "meta_keys": META_KEYS}
    if stock:
        shape = {"type": "FormatShape", "input_format": plan.input_format.value}
        opened = {"type": "DecordInit", "io_backend": "disk"}
        return [opened, sample, {"type": "DecordDecode"}, *geometry, *decoded, shape, pack]
    noted = [{**step, "lazy": True} for step in geometry]
    together: dict[str, Any] = {
        "type": "FormatClips",
        "clip_len": plan.clip_len.value,
        "input_format": plan.input_format.value,
    }
    return [{"type": "VideoOpen"}, sample, *noted, {"type": "VideoDecode"}, *decoded, together, pack]


def _sample(plan: Plan, num_clips: int, test_mode: bool) -> dict[str, Any]:
    """Which frames are taken: those of so many clips, one clip after the other."""
    clip_len, sampling = plan.clip_len.value, plan.sampling.value
    # MMAction2's default starts over at the first frame: a jump that no class has.
    rest = {"out_of_bound_opt": "repeat_last", "test_mode": test_mode}
    if plan.target_fps.value is not None:
        return {
            "type": "SampleAtRate",
            "clip_len": clip_len,
            "target_fps": plan.target_fps.value,
            "num_clips": num_clips,
            "test_mode": test_mode,
        }
    if sampling == "dense":
        interval = plan.frame_interval.value
        return {
            "type": "SampleFrames",
            "clip_len": clip_len,
            "frame_interval": interval,
            "num_clips": num_clips,
            **rest,
        }
    if sampling == "segments" and num_clips <= 2 and plan.input_format.value == "NCHW":
        # TSN's frames are clips of their own; a second clip is made of the first frames of the parts (TSM's protocol).
        twice = {"twice_sample": True} if num_clips == 2 else {}
        return {"type": "SampleFrames", "clip_len": 1, "frame_interval": 1, "num_clips": clip_len, **twice, **rest}
    return {"type": "UniformSample", "clip_len": clip_len, "num_clips": num_clips, "test_mode": test_mode}


def _short_side(size: int) -> dict[str, Any]:
    return {"type": "Resize", "scale": (-1, size)}


def _centre(size: int) -> Transforms:
    return [_short_side(size), {"type": "CenterCrop", "crop_size": size}]
