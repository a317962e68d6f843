"""Every recognition model of the index in MMAction2's wheel has a card, or is refused with a sentence."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import samples
import yaml

from autox_video.errors import RequestError
from autox_video.plan.make_plan import make_plan
from autox_video.presets import Preset, load_preset
from autox_video.presets.wheel import measured_sizes
from autox_video.presets.wheel_card import DATASETS
from autox_video.presets.wheel_index import PREFIX, entry_names
from autox_video.render.config import render_config

SLOWFAST = "mmaction::slowfast_r50_8xb8-4x16x1-256e_kinetics400-rgb"
COMPILED = "it shifts features with an operator that the full mmcv compiles and mmcv-lite lacks"
MIXING = "it joins the views of a video in time, so that a test of several would mix them"
PACKAGE = "its backbone comes from the package {}, which is not among those this tool works with"
REFUSED = {
    "slowonly_r50_8xb16-8x8x1-256e_imagenet-kinetics400-rgb": "it learns from images and videos at the same time",
    "tin_imagenet-pretrained-r50_8xb6-1x1x8-40e_sthv1-rgb": COMPILED,
    "tin_imagenet-pretrained-r50_8xb6-1x1x8-40e_sthv2-rgb": COMPILED,
    "tin_kinetics400-pretrained-tsm-r50_1x1x8-50e_kinetics400-rgb": COMPILED,
    "tpn-tsm_imagenet-pretrained-r50_8xb8-1x1x8-150e_sthv1-rgb": MIXING,
    "tsm_imagenet-pretrained-mobileone-s4_8xb16-1x1x16-50e_kinetics400-rgb": PACKAGE.format("mmpretrain"),
    "tsn_imagenet-pretrained-mobileone-s4_8xb32-1x1x8-100e_kinetics400-rgb": PACKAGE.format("mmpretrain"),
    "tsn_imagenet-pretrained-rn101-32x4d_8xb32-1x1x3-100e_kinetics400-rgb": PACKAGE.format("mmpretrain"),
    "tsn_imagenet-pretrained-swin-transformer_32xb8-1x1x8-50e_kinetics400-rgb": PACKAGE.format("timm"),
    "tsn_imagenet-pretrained-swin-transformer_8xb32-1x1x3-100e_kinetics400-rgb": PACKAGE.format("timm"),
}


def indexed() -> set[str]:
    """Names of the recognition models, as the index has them."""
    folder = Path(importlib.util.find_spec("mmaction").origin).parent / ".mim" / "configs" / "recognition"
    files = [yaml.safe_load(path.read_text()) for path in folder.glob("*/metafile.yml")]
    return {model["Name"] for file in files for model in file["Models"]}


@pytest.fixture(scope="module")
def loaded() -> dict[str, Preset | str]:
    """Preset or error of each entry."""
    found: dict[str, Preset | str] = {}
    for name in entry_names():
        try:
            found[name.removeprefix(PREFIX)] = load_preset(name)
        except RequestError as error:
            found[name.removeprefix(PREFIX)] = str(error)
    return found


@pytest.fixture(scope="module")
def usable(loaded) -> dict[str, Preset]:
    return {name: preset for name, preset in loaded.items() if isinstance(preset, Preset)}


def test_every_entry_of_the_index_has_a_card_or_is_refused_with_a_sentence(loaded, usable):
    assert set(loaded) == indexed()
    refused = {name: text for name, text in loaded.items() if isinstance(text, str)}
    assert refused == {
        name: f"model.name: cannot be trained here: {why} (got '{PREFIX}{name}'). Choose another model."
        for name, why in REFUSED.items()
    }
    assert set(usable) == indexed() - set(REFUSED) == set(measured_sizes())


def test_every_card_is_complete(usable):
    for name, preset in usable.items():
        card = preset.card
        assert preset.name == f"{PREFIX}{name}"
        assert card.sampling in ("dense", "segments", "uniform"), name
        assert card.optimizer in ("adamw", "sgd"), name
        assert card.paper.startswith("http"), name
        assert card.licence, name
        assert card.clip_len % card.clip_len_multiple == 0, name
        assert 112 <= card.input_size <= 336, name
        assert 1e-5 < card.base_learning_rate / card.base_total_batch_size * 256 < 0.5, name
        assert 0.05 <= card.min_crop_area <= 1, name
        (weights,) = card.weights.values()
        assert weights.url.startswith("https://download.openmmlab.com/mmaction/"), name
        assert weights.num_classes == preset.model["cls_head"]["num_classes"], name
        assert weights.trained_on.startswith(DATASETS[card.default_weights]), name
        assert weights.top1 is None or 0.3 < weights.top1 < 0.95, name


def test_building_one_downloads_nothing_and_leaves_classes_and_views_to_the_plan(usable):
    def walk(part: Any, name: str) -> None:
        if isinstance(part, (list, tuple)):
            for one in part:
                walk(one, name)
        elif isinstance(part, dict):
            assert not any(part.get(key) for key in ("pretrained", "pretrained2d", "clip_pretrained")), name
            assert part.get("type") != "Pretrained", name
            assert not {"blending", "channel_map", "aux_head_cfg", "label_smooth_eps", "test_cfg"} & set(part), name
            walk(list(part.values()), name)

    for name, preset in usable.items():
        walk(preset.model, name)
        # Where it is left out MMAction2 takes it for True, and fails for want of a file.
        backbone = preset.model["backbone"]
        if backbone["type"] in ("ResNet3dCSN", "ResNetTSM", "SwinTransformer3D", "UniFormer"):
            assert backbone["pretrained2d"] is False, name
        if backbone["type"] == "UniFormerV2":
            assert backbone["clip_pretrained"] is False, name
        assert preset.model["cls_head"]["average_clips"] == "prob"
        expected = "NCHW" if preset.model["type"] == "Recognizer2D" else "NCTHW"
        assert preset.model["data_preprocessor"]["format_shape"] == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        # `Config:` without `.py`, with `.py.py`, of another model, and of a name that has no file.
        ("c2d_r50-in1k-pre_8xb32-16x4x1-100e_kinetics400-rgb", {"clip_len": 16}),
        ("swin-base-p244-w877_in1k-pre_8xb8-amp-32x2x1-30e_kinetics400-rgb", {"weight_decay": 0.05}),
        ("mvit-small-p244_k400-pre_16xb16-u16-100e_sthv2-rgb", {"sampling": "uniform", "reference_num_classes": 174}),
        ("uniformerv2-base-p16-res224_clip-pre_8xb32-u8_kinetics700-rgb", {"reference_num_classes": 700}),
        # Of two entries of this name the first has the figures of a MobileNetV2.
        ("tsm_imagenet-pretrained-r101_8xb16-1x1x8-50e_sthv2-rgb", {"num_parameters": 42856686}),
        # Frames each by itself, of parts of a video or close together; a table for one size; a batch from the name.
        ("tsn_imagenet-pretrained-r50_8xb32-1x1x3-100e_kinetics400-rgb", {"sampling": "segments", "clip_len": 3}),
        ("tsm_imagenet-pretrained-r50_8xb16-dense-1x1x8-50e_kinetics400-rgb", {"sampling": "dense", "clip_len": 8}),
        ("uniformerv2-large-p14-res336_clip-kinetics710-pre_u32_kinetics400-rgb", {"input_size": 336}),
        ("slowfast_r50_8xb8-4x16x1-256e_kinetics400-rgb", {"base_total_batch_size": 64, "clip_len_multiple": 8}),
        # The rate of a pretrained backbone: a new head learns ten times as fast.
        ("ipcsn_r152_32x2x1-180e_kinetics400-rgb", {"base_learning_rate": 5e-3, "base_total_batch_size": 96}),
        ("mvit-small-p244_k400-maskfeat-pre_8xb32-16x4x1-100e_kinetics400-rgb", {"layer_decay": 0.75}),
        ("vit-large-p16_videomae-k400-pre_16x4x1_kinetics-400", {"layer_decay": 0.75, "fixed_clip_len": True}),
        ("x3d_s_13x6x1_facebook-kinetics400-rgb", {"optimizer": "sgd", "input_size": 160}),
    ],
)
def test_a_card_says_what_config_and_index_say(usable, name, expected):
    card = usable[name].card
    assert {field: getattr(card, field) for field in expected} == expected


def test_the_weights_of_the_small_videomaev2_are_not_those_of_the_base_model(usable):
    urls = {
        size: usable[f"vit-{size}-p16_videomaev2-vit-g-dist-k710-pre_16x4x1_kinetics-400"].card.weights["kinetics400"]
        for size in ("small", "base")
    }
    assert all(f"vit-{size}-p16_videomaev2" in weights.url for size, weights in urls.items())
    assert urls["small"].url == load_preset("videomaev2_s").card.weights["kinetics400"].url


def test_weights_that_are_not_for_commercial_use_are_marked(usable):
    marked = {name for name, preset in usable.items() if "not for commercial use" in preset.card.licence}
    assert marked == {name for name in usable if "videomae" in name}


def test_every_one_is_planned_and_rendered(usable):
    asked, data = samples.settings(), samples.fingerprint()
    for name, preset in usable.items():
        plan = make_plan(asked, data, preset, samples.GPU)
        config = render_config(plan, preset, samples.RUN)
        assert config.model.cls_head.num_classes == 2, name
        assert plan.clip_len.value % preset.card.clip_len_multiple == 0, name
        assert plan.load_from.value == preset.card.weights[preset.card.default_weights].url, name


def test_it_is_chosen_like_a_preset():
    plan, preset = samples.plan(model={"name": SLOWFAST})
    assert (plan.model.value, preset.name) == (SLOWFAST, SLOWFAST)
    assert plan.identity()["model.name"] == SLOWFAST


def test_planning_one_needs_neither_torch_nor_mmaction():
    code = (
        "import sys, samples; from autox_video.render.config import render_config;"
        f"render_config(*samples.plan(model={{'name': {SLOWFAST!r}}}), samples.RUN);"
        "print({'torch', 'mmaction', 'mmcv'} & set(sys.modules))"
    )
    root = Path(__file__).parent
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, env=_path(root))
    assert done.stdout == "set()\n", done.stderr


def _path(folder: Path) -> dict[str, str]:
    return {"PYTHONPATH": f"{folder.parent}:{folder}"}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        (
            "mmaction::slowfast_r50_8xb8-4x16x1-256e_kinetics400",
            "model.name: is not in the index of the installed MMAction2 (got "
            f"'mmaction::slowfast_r50_8xb8-4x16x1-256e_kinetics400'). Did you mean '{SLOWFAST}'.",
        ),
        (
            "mmaction::../../../../etc/passwd",
            "model.name: is not in the index of the installed MMAction2 (got 'mmaction::../../../../etc/passwd'). "
            "Run `autox-video models mmaction::` to see which there are.",
        ),
        (
            "mmaction::bmn_2xb8-400x100-9e_activitynet-feature",
            "model.name: cannot be trained here: it finds actions in the features of a long video (got "
            "'mmaction::bmn_2xb8-400x100-9e_activitynet-feature'). Choose another model.",
        ),
    ],
)
def test_a_name_that_cannot_be_used_is_refused_by_name(name, text):
    with pytest.raises(RequestError) as caught:
        load_preset(name)
    assert str(caught.value) == text
