"""Our pipelines against MMAction2's two steps: the same draws, nearly the same pixels."""

from __future__ import annotations

import random

import numpy as np
import pytest
import samples
from mmaction.registry import TRANSFORMS
from mmengine.registry import DefaultScope
from moving import write_moving

from autox_video.render.config import render_config
from autox_video.runner import components  # noqa: F401

# Mean absolute difference, of 255, by the size of the video: the large one shrinks by more than half, and stock's bilinear
# resize leaves out pixels. docs/architecture.md has those of real videos.
TOLERANCE = {"small": 0.01, "large": 2.5}
VALUES = {
    "crop": {},
    "whole": {"augment": {"min_crop_area": 1.0}},
    "mirrored": {"augment": {"flip": 1.0}},
    "three": {"test": {"num_crops": 3, "num_clips": 2}},
}


@pytest.fixture(scope="module")
def videos(tmp_path_factory):
    root = tmp_path_factory.mktemp("videos")
    small = write_moving(root / "small.avi", "plain.avi", 240, 128)
    return {"small": small, "large": write_moving(root / "large.mp4", "pyramid.mp4", 640, 362)}


def run(transforms: list[dict], path: str, seed: int) -> dict:
    """Everything that a pipeline notes on the way."""
    random.seed(seed)
    np.random.seed(seed)
    results = {"filename": path, "decoder": "pyav", "label": 1, "modality": "RGB", "start_index": 0}
    noted: dict = {}
    with DefaultScope.overwrite_default_scope("mmaction"):
        for transform in transforms:
            results = TRANSFORMS.build(transform)(results)
            noted |= results
    return noted


@pytest.mark.parametrize("size", TOLERANCE)
@pytest.mark.parametrize(
    ("split", "case"),
    [("train", "crop"), ("train", "whole"), ("train", "mirrored"), ("val", "crop"), ("test", "three")],
)
def test_one_step_gives_what_two_give(videos, split, case, size):
    values = {"model": {"load_from": "none"}, "clip": {"clip_len": 8, "input_size": 96}, **VALUES[case]}
    plan, preset = samples.plan(**values)
    ours, stock = (
        render_config(plan, preset, samples.RUN, stock=stock)[f"{split}_dataloader"].dataset.pipeline
        for stock in (False, True)
    )
    for seed in range(2):
        one, two = run(ours, str(videos[size]), seed), run(stock, str(videos[size]), seed)
        assert np.array_equal(one["frame_inds"], two["frame_inds"])
        assert np.array_equal(one.get("crop_quadruple"), two.get("crop_quadruple"))
        assert (one["img_shape"], one.get("flip")) == (two["img_shape"], two.get("flip"))
        first, second = one["inputs"].numpy(), two["inputs"].numpy()
        assert (first.shape, first.dtype) == (second.shape, np.uint8)
        assert np.abs(first.astype(int) - second).mean() <= TOLERANCE[size]


@pytest.mark.parametrize("input_format", ["NCTHW", "NCHW"])
@pytest.mark.parametrize("num_crops", [1, 3])
@pytest.mark.parametrize("mirrored", [False, True])
def test_clips_are_put_together_as_format_shape_does(num_crops, mirrored, input_format):
    large = np.random.default_rng(0).integers(0, 255, (num_crops * 2 * 4, 20, 30, 3)).astype(np.uint8)
    frames = [frame[2:14, 3:25] for frame in large]  # views, as three crops leave them
    if mirrored:
        frames = [frame[:, ::-1] for frame in frames]
    results = {"imgs": frames, "num_clips": 2, "clip_len": 4}
    ours, stock = (
        TRANSFORMS.build(step)(dict(results))
        for step in (
            {"type": "FormatClips", "clip_len": 4, "input_format": input_format},
            {"type": "mmaction.FormatShape", "input_format": input_format},
        )
    )
    assert np.array_equal(ours["imgs"], stock["imgs"])
    shape = (2 * num_crops, 3, 4, 12, 22) if input_format == "NCTHW" else (2 * num_crops * 4, 3, 12, 22)
    assert ours["input_shape"] == stock["input_shape"] == shape
    assert ours["imgs"].flags.c_contiguous


@pytest.mark.parametrize("direction", ["horizontal", "vertical"])
def test_a_mirrored_clip_is_the_other_mirrored(videos, direction):
    resize = {"type": "Resize", "scale": (64, 48), "keep_ratio": False, "lazy": True}
    sample = {"type": "SampleFrames", "clip_len": 2, "num_clips": 1, "test_mode": True}
    clips = []
    for ratio in (0.0, 1.0):
        flip = {"type": "Flip", "flip_ratio": ratio, "direction": direction, "lazy": True}
        steps = [{"type": "VideoOpen"}, sample, resize, flip, {"type": "VideoDecode"}]
        clips.append(np.stack(run(steps, str(videos["small"]), 0)["imgs"]))
    assert np.array_equal(clips[1], clips[0][:, :, ::-1] if direction == "horizontal" else clips[0][:, ::-1])
    assert not np.array_equal(clips[1], clips[0])


def test_what_is_noted_and_not_carried_out_leaves_nothing_behind(videos):
    steps = [{"type": "VideoOpen"}, {"type": "SampleFrames", "clip_len": 2}, {"type": "VideoDecode"}]
    noted = run(steps, str(videos["small"]), 0)
    assert [picture.shape for picture in noted["imgs"]] == [(128, 240, 3)] * 2
    assert noted["img_shape"] == noted["original_shape"] == (128, 240)
