"""Changes of pixels, drawn once a clip, and the crop at several scales; `strong` in a whole pipeline."""

from __future__ import annotations

import dataclasses
import random

import numpy as np
import pytest
import samples
import torch
from mmengine.registry import DATASETS, TRANSFORMS, DefaultScope
from videos import write_video

from autox_video.plan.rules.augmentation import ALL_OPS
from autox_video.render.augmentation import MEAN_COLOR
from autox_video.render.config import render_config
from autox_video.runner import components  # noqa: F401  (registers the transforms)
from autox_video.runner.draws import Draw
from autox_video.runner.transforms.augmentation import OPS, ClipColorJitter, ClipRandAugment
from autox_video.runner.transforms.video import _whole_pixels as whole_pixels

FRAMES, HEIGHT, WIDTH = 3, 24, 32


@pytest.fixture
def clip() -> np.ndarray:
    """Smooth pictures of all colors, each frame a bit further on."""
    down, across = np.mgrid[:HEIGHT, :WIDTH]
    frames = [np.stack([8 * across, 10 * down, 4 * (across + down) + 5 * t], axis=2) for t in range(FRAMES)]
    return np.clip(np.stack(frames), 0, 250).astype(np.uint8)


def changed(transform, clip: np.ndarray, seed: int = 0) -> np.ndarray:
    np.random.seed(seed)
    imgs = transform({"imgs": list(clip.copy())})["imgs"]
    assert {(img.shape, str(img.dtype)) for img in imgs} == {(clip.shape[1:], "uint8")}
    return np.stack(imgs)


def test_the_ops_that_a_plan_may_name_are_those_there_are():
    assert set(ALL_OPS) == set(OPS)


@pytest.mark.parametrize("name", ALL_OPS)
def test_equal_frames_stay_equal(name, clip):
    still = np.repeat(clip[:1], FRAMES, axis=0)
    for level in (-0.7, 0.7):
        got = OPS[name](still.copy(), level)
        assert (got == got[:1]).all()
        if name != "identity":
            assert (got != still).mean() > 0.05


@pytest.mark.parametrize(
    ("name", "level", "expected"),
    [
        ("brightness", -1.0, lambda clip: clip * 0.1),
        ("contrast", -1.0, lambda clip: 0.1 * clip + 0.9 * (clip.mean(axis=(0, 1, 2)) @ [0.299, 0.587, 0.114])),
        ("saturation", -1.0, lambda clip: 0.1 * clip + 0.9 * (clip @ [0.299, 0.587, 0.114])[..., None]),
        ("posterize", 1.0, lambda clip: clip.astype(int) // 16 * 16),
        ("solarize", 0.5, lambda clip: np.where(clip < 128, clip, 255 - clip.astype(int))),
        ("sharpness", 0.0, lambda clip: clip),
        ("rotate", 0.0, lambda clip: clip),
    ],
)
def test_an_op_does_what_it_is_called(name, level, expected, clip):
    assert np.abs(OPS[name](clip.copy(), level) - np.clip(expected(clip), 0, 255)).max() <= 1.01


def test_autocontrast_and_equalize_use_the_whole_range_by_one_table_for_all_frames(clip):
    dull = 60 + clip // 4
    for name in ("autocontrast", "equalize"):
        got = OPS[name](dull.copy(), 0.7)
        assert got.max() == 255
        assert got.min() <= 5
        for color in range(3):
            pairs = {(int(a), int(b)) for a, b in zip(dull[..., color].flat, got[..., color].flat, strict=True)}
            assert len(pairs) == len(set(dull[..., color].flat))
    flat = np.full_like(clip, 7)
    assert (OPS["autocontrast"](flat, 0.7) == flat).all()


def test_a_picture_is_moved_by_a_share_of_its_side_and_the_rest_has_the_mean_color(clip):
    got = OPS["translate_x"](clip, 0.5)
    shift = 0.45 * 0.5 * WIDTH
    assert (got[:, :, : int(shift)] == MEAN_COLOR).all()
    assert np.abs(got[:, :, 10:].astype(float) - (clip[:, :, 10:] - [8 * shift, 0, 4 * shift])).max() <= 20
    assert (OPS["translate_y"](clip, -1.0)[:, -10:] == MEAN_COLOR).all()


def test_a_clip_is_turned_about_its_middle():
    clip = np.zeros((1, 21, 21, 3), np.uint8)
    clip[:, 10, 10:] = 255
    turned = OPS["rotate"](clip, 1.0)[0, :, :, 0]
    assert turned[10, 10] == 255
    assert turned[5, 19] > 150  # 30 degrees against the clock


def test_colors_are_jittered_by_one_draw_for_all_frames(clip):
    transform = ClipColorJitter(0.4)
    still = np.repeat(clip[:1], FRAMES, axis=0)
    got = changed(transform, still)
    assert (got == got[:1]).all()
    assert (changed(transform, still) == got).all()
    assert (changed(transform, still, seed=1) != got).any()
    assert (changed(ClipColorJitter(0.0), clip) == clip).all()


def test_jittered_colors_are_those_of_one_step_after_the_other():
    grey = np.full((2, 4, 4, 3), (100, 120, 140), np.uint8)
    got = [changed(ClipColorJitter(0.4), grey, seed)[0, 0, 0] for seed in range(40)]
    # One color has no contrast: what is left are brightness and saturation, which keep the order of the colors.
    assert all(red <= green <= blue for red, green, blue in got)
    assert min(color[1] for color in got) < 85
    assert max(color[1] for color in got) > 155


def test_two_changes_are_drawn_from_the_given_ones(clip):
    assert (changed(ClipRandAugment(9, ["identity"]), clip) == clip).all()
    twice = OPS["posterize"](OPS["posterize"](clip.copy(), 0.9), 0.9)
    assert (changed(ClipRandAugment(9, ["posterize"]), clip) == twice).all()
    assert len({changed(ClipRandAugment(9, ALL_OPS), clip, seed).tobytes() for seed in range(8)}) > 5


def test_frames_that_lie_apart_are_changed_as_those_of_one_piece(clip):
    together, apart = list(clip.copy()), [frame.copy() for frame in clip]
    for transform in (ClipColorJitter(0.5), ClipRandAugment(9, ALL_OPS)):
        got = []
        for imgs in (together, apart):
            np.random.seed(0)
            got.append(transform({"imgs": imgs})["imgs"])
        together, apart = got
        assert all((one == other).all() for one, other in zip(together, apart, strict=True))


@pytest.mark.parametrize("size", [(48, 64), (31, 40), (111, 120)])
def test_a_multi_scale_crop_lies_inside_the_frame_and_has_one_of_the_scales(size):
    # 111 and 31: MMAction2 takes a crop that is almost as large as the network's input for one that is as large.
    height, width = size
    plan, preset = samples.plan(model="video_swin_nano", clip={"input_size": 112}, augment={"multi_scale_crop": True})
    steps = render_config(plan, preset, samples.RUN).train_dataloader.dataset.pipeline
    (crop,) = (step for step in steps if step["type"] == "MultiScaleCrop")
    transform = TRANSFORMS.build({**crop, "type": "mmaction.MultiScaleCrop"})
    sides = set()
    for seed in range(30):
        random.seed(seed)
        results = transform({"img_shape": size, "original_shape": size})
        left, top, right, bottom = whole_pixels(results["lazy"]["crop_bbox"], width, height)
        sides.add(round((right - left) / min(size), 2))
        assert 0 <= left < right <= width
        assert 0 <= top < bottom <= height
    assert 0.6 < min(sides) < 0.68
    assert 0.95 < max(sides) < 1.05


@pytest.fixture(scope="module")
def listed(tmp_path_factory):
    root = tmp_path_factory.mktemp("videos")
    write_video(root / "a.mp4", frames=8, size=48)
    (root / "train.txt").write_text("a.mp4\t0\tpyav\n" * 2)
    return root


def drawn(root, count: int, **augment) -> list[torch.Tensor]:
    values = {"model": {"name": "video_swin_nano", "load_from": "none"}, "clip": {"clip_len": 4, "input_size": 32}}
    plan, preset = samples.plan(**values, videos_per_gpu=4, augment=augment)
    plan = dataclasses.replace(plan, ann_files={"train": str(root / "train.txt")}, data_root=str(root))
    with DefaultScope.overwrite_default_scope("mmaction"):
        data = DATASETS.build(render_config(plan, preset, root).train_dataloader.dataset)
    samples_of = [data[Draw(0, 0, 0, position)] for position in range(count)]
    return [view["inputs"] for sample in samples_of for view in (sample if isinstance(sample, list) else [sample])]


def test_a_draw_follows_from_its_place_in_the_epoch_whatever_is_switched_on(listed):
    switches = {"level": "strong", "color_jitter": 0.4, "random_erasing": 1}
    clips = drawn(listed, 4, **switches)
    torch.manual_seed(5)
    np.random.seed(5)
    assert all(torch.equal(one, other) for one, other in zip(clips, drawn(listed, 4, **switches), strict=True))
    assert not torch.equal(clips[0], clips[1])


def test_views_of_one_decoding_are_changed_each_by_itself(listed):
    views = drawn(listed, 1, level="none", color_jitter=0.8, num_repeats=4)
    assert len(views) == 4
    assert not any(torch.equal(views[0], other) for other in views[1:])


def test_level_none_gives_the_middle_of_the_frame_as_it_is(listed):
    plain, other = drawn(listed, 1, level="none"), drawn(listed, 1, min_crop_area=1, flip=0)
    assert torch.equal(plain[0], other[0])


def test_a_box_is_erased_in_all_frames_alike(listed):
    (plain,), (erased,) = drawn(listed, 1, level="none"), drawn(listed, 1, level="none", random_erasing=1)
    where = (plain != erased).any(dim=(0, 1, 2))
    assert where.any()
    box = erased[..., where]
    assert (box == torch.tensor(MEAN_COLOR, dtype=torch.uint8)[None, :, None, None]).all()
