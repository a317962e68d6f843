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

# Mean absolute difference, of 255; docs/data.md has those of real videos.
TOLERANCE = 2.5
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


@pytest.mark.parametrize("size", ["small", "large"])
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
    for seed in range(4):
        one, two = run(ours, str(videos[size]), seed), run(stock, str(videos[size]), seed)
        assert np.array_equal(one["frame_inds"], two["frame_inds"])
        assert np.array_equal(one.get("crop_quadruple"), two.get("crop_quadruple"))
        assert (one["img_shape"], one.get("flip")) == (two["img_shape"], two.get("flip"))
        first, second = one["inputs"].numpy(), two["inputs"].numpy()
        assert (first.shape, first.dtype) == (second.shape, np.uint8)
        assert np.abs(first.astype(int) - second).mean() < TOLERANCE
