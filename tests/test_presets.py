"""Conformance of every file in configs/models: the card is complete and true, the model can be built."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from measured import measure_activation
from mmengine.config import Config

from autox_video.errors import RequestError
from autox_video.presets import Preset, load_preset, preset_names, shared_folder

PAPER_MODELS = ("video_swin_tiny", "video_swin_small", "video_swin_base", "video_swin_large")


# The config of MMAction2 that a preset is the model of, by its beginning.
UPSTREAM = {
    "csn_r50": "csn/ircsn_ig65m-pretrained-r50-bnfrozen_8xb12",
    "i3d_r50": "i3d/i3d_imagenet-pretrained-r50-heavy_8xb8",
    "r2plus1d_r34": "r2plus1d/r2plus1d_r34_8xb8-32x2x1",
    "slowfast_r50": "slowfast/slowfast_r50_8xb8-8x8x1-256e",
    "slowonly_r50": "slowonly/slowonly_imagenet-pretrained-r50_8xb16-8x8x1",
    "tsm_mobilenetv2": "tsm/tsm_imagenet-pretrained-mobilenetv2_8xb16",
    "tsm_r50": "tsm/tsm_imagenet-pretrained-r50_8xb16-1x1x16-50e_kinetics400",
    "tsn_r50": "tsn/tsn_imagenet-pretrained-r50_8xb32-1x1x8-100e",
    "x3d_m": "x3d/x3d_m",
    "x3d_s": "x3d/x3d_s",
}


def index_folder(family: str = "swin") -> Path:
    """The configs and the metafile of a family that MMAction2 ships."""
    package = Path(importlib.util.find_spec("mmaction").origin).parent
    return package / ".mim" / "configs" / "recognition" / family


def index_models(family: str = "swin") -> list[dict[str, Any]]:
    return yaml.safe_load((index_folder(family) / "metafile.yml").read_text())["Models"]


@pytest.fixture(scope="module", params=preset_names())
def preset(request) -> Preset:
    return load_preset(request.param)


@pytest.fixture(scope="module")
def model(preset) -> torch.nn.Module:
    """The model of a preset without memory for its weights, with seven classes."""
    return measure_activation.build_on_meta(preset.model, 7).eval()


def test_the_presets_of_the_readme_exist():
    assert preset_names() == (
        "csn_r50",
        "i3d_r50",
        "mvit_s",
        "r2plus1d_r34",
        "slowfast_r50",
        "slowonly_r50",
        "timesformer_b",
        "tsm_mobilenetv2",
        "tsm_r50",
        "tsn_r50",
        "uniformer_s",
        "uniformerv2_b",
        "video_swin_base",
        "video_swin_large",
        "video_swin_nano",
        "video_swin_small",
        "video_swin_tiny",
        "videomae_b",
        "videomaev2_s",
        "x3d_m",
        "x3d_s",
    )


def test_every_card_is_complete(preset):
    card = preset.card
    for field in ("summary", "paper", "licence", "flops_source"):
        assert isinstance(getattr(card, field), str), field
        assert getattr(card, field), field
    positive = (
        *("num_parameters", "reference_num_classes", "flops", "clip_len", "clip_seconds", "clip_len_multiple"),
        *("input_size", "base_learning_rate", "base_total_batch_size", "backbone_lr_mult", "epochs", "min_steps"),
        *("test_num_clips", "test_num_crops", "min_crop_area", "activation_gib"),
    )
    for field in positive:
        assert getattr(card, field) > 0, field
    assert card.min_crop_area <= 1
    assert card.clip_len % card.clip_len_multiple == 0
    assert card.sampling in ("dense", "segments", "uniform")
    assert card.optimizer in ("adamw", "sgd")
    assert card.test_num_crops in (1, 3)
    assert 0 <= card.warmup_epochs < card.epochs
    assert card.weight_decay >= 0


def test_every_weight_of_a_card_is_usable(preset):
    card = preset.card
    assert (card.default_weights is None) == (not card.weights)
    assert card.default_weights is None or card.default_weights in card.weights
    for name, weights in card.weights.items():
        assert re.fullmatch(r"https://[\w./-]+\.pth", weights.url), name
        classes = "1000" if name == "imagenet" else name.removeprefix("kinetics")
        assert ("ImageNet-1K" if name == "imagenet" else classes) in weights.trained_on
        assert weights.num_classes == int(classes)
        assert 0 < weights.top1 < 1
        assert weights.source


@pytest.mark.parametrize("name", [name for name in preset_names() if name.startswith("video_swin")])
def test_the_input_fits_the_patches_and_the_merging_of_every_video_swin(name):
    preset = load_preset(name)
    card, backbone = preset.card, preset.model["backbone"]
    stages = len(backbone["arch"]["depths"]) if isinstance(backbone["arch"], dict) else 4
    assert card.input_size % (backbone["patch_size"][1] * 2 ** (stages - 1)) == 0
    assert card.clip_len_multiple % backbone["patch_size"][0] == 0


def test_building_a_preset_downloads_nothing(preset):
    def look(part: Any) -> None:
        if isinstance(part, dict):
            assert not part.get("pretrained")
            assert not part.get("init_cfg")
            list(map(look, part.values()))

    look(preset.model)
    # Where it is left out MMAction2 takes it for True.
    if preset.model["backbone"]["type"] in (
        "SwinTransformer3D",
        "MobileNetV2TSM",
        "ResNetTSM",
        "ResNet3dCSN",
        "UniFormer",
    ):
        assert preset.model["backbone"]["pretrained2d"] is False


def test_the_figures_of_every_card_are_those_of_its_model(preset):
    size, card = measure_activation.measure(preset), preset.card
    again = f"run `python benchmarks/measure_activation.py --write {preset.name}`"
    assert size.num_parameters == card.num_parameters, again
    assert card.activation_gib == pytest.approx(size.activation_gib, rel=0.02), again
    assert size.flops == pytest.approx(card.flops, rel=0.01 if card.flops_source == "measured" else 0.03), again


def test_the_head_of_every_preset_takes_what_its_backbone_gives(preset, model):
    clip = measure_activation.one_clip(preset, "meta")
    with torch.no_grad():
        scores = model(torch.cat([clip, clip]), stage="head")
    assert scores.shape == (2, 7)


def test_nano_scores_a_real_clip():
    preset = load_preset("video_swin_nano")
    measure_activation.apply_all()
    from mmaction.registry import MODELS
    from mmengine.registry import init_default_scope

    init_default_scope("mmaction")
    torch.manual_seed(0)
    model = MODELS.build(preset.model)
    model.init_weights()
    model.eval()
    with torch.no_grad():
        features = model.extract_feat(torch.rand(1, 2, 3, 4, 32, 32))[0]
        scores = model.cls_head(features)
    assert scores.shape == (2, preset.card.reference_num_classes)
    assert bool(torch.isfinite(scores).all())
    assert not torch.equal(scores[0], scores[1])


def test_a_preset_that_normalises_by_the_batch_says_so(preset, model):
    norms = [module for module in model.modules() if isinstance(module, torch.nn.modules.batchnorm._BatchNorm)]
    assert preset.card.batch_norm == bool(norms)
    assert not any(isinstance(norm, torch.nn.SyncBatchNorm) for norm in norms)  # which a CPU has not


def test_the_memory_counted_without_a_device_is_what_the_cpu_keeps():
    layers = torch.nn.Sequential(torch.nn.Linear(64, 128), torch.nn.GELU(), torch.nn.Linear(128, 8))

    def saved(device: str) -> int:
        model, rows = layers.to_empty(device=device), torch.empty(16, 64, device=device)
        return measure_activation.saved_bytes(lambda: model(rows).sum(), [*model.parameters()])

    # Kept for backward: the input, and what goes into and comes out of the GELU.
    assert saved("cpu") == 4 * 16 * (64 + 128 + 128)
    assert saved("meta") == saved("cpu")


@pytest.mark.parametrize("name", PAPER_MODELS)
def test_the_weights_and_figures_are_those_of_the_model_index(name):
    card = load_preset(name).card
    indexed = {model["Weights"]: model for model in index_models()}
    for key, weights in card.weights.items():
        if weights.source != "MMAction2 model index":
            continue
        row = indexed[weights.url]
        result = row["Results"][0]
        assert weights.top1 == pytest.approx(result["Metrics"]["Top 1 Accuracy"] / 100)
        assert weights.trained_on == f"{result['Dataset']}, after {row['Metadata']['Pretrained']}"
        # The row of the small model on Kinetics-710 repeats the figures of the large one.
        if (name, key) != ("video_swin_small", "kinetics710"):
            published = float(row["Metadata"]["Parameters"].rstrip("M")) * 1e6
            assert card.num_parameters == pytest.approx(published, rel=0.03)
            assert card.flops == float(row["Metadata"]["FLOPs"].rstrip("G")) * 1e9


@pytest.mark.parametrize("name", UPSTREAM)
def test_a_convolutional_network_is_upstreams_and_so_are_its_figures(name):
    preset, (family, start) = load_preset(name), UPSTREAM[name].split("/")
    (path,) = index_folder(family).glob(f"{start}*.py")
    upstream = Config.fromfile(path).model.to_dict()
    for key in ("train_cfg", "test_cfg"):
        upstream.pop(key, None)
    for model in (preset.model, upstream):
        model["data_preprocessor"].setdefault("format_shape", "NCHW")
        for key in ("pretrained", "pretrained2d"):
            model["backbone"].pop(key, None)
        if name == "r2plus1d_r34":
            # The same norm of one process.
            assert model["backbone"]["norm_cfg"].pop("type") in ("SyncBN", "BN3d")
    assert preset.model == upstream
    indexed = {model["Weights"]: model for model in index_models(family) if "Weights" in model}
    for weights in preset.card.weights.values():
        if weights.source != "MMAction2 model index":
            continue
        row = indexed[weights.url]
        result, facts = row["Results"][0], row["Metadata"]
        assert weights.top1 == pytest.approx(result["Metrics"]["Top 1 Accuracy"] / 100)
        before = "" if facts.get("Pretrained", "None") == "None" else f", after {facts['Pretrained']}"
        assert weights.trained_on == result["Dataset"] + before
        published = float(str(facts["Parameters"]).rstrip("M"))
        published *= 1e6 if published < 1e6 else 1
        assert preset.card.num_parameters == pytest.approx(published, rel=0.03)


def test_every_swin_of_the_model_index_is_on_a_card():
    urls = {weights.url for name in PAPER_MODELS for weights in load_preset(name).card.weights.values()}
    assert {model["Weights"] for model in index_models()} <= urls


def test_the_weights_of_the_original_tool_are_on_the_card_of_base():
    weights = load_preset("video_swin_base").card.weights["kinetics600"]
    assert weights.url.endswith("/v1.0.4/swin_base_patch244_window877_kinetics600_22k.pth")
    assert (weights.num_classes, weights.top1, weights.source) == (600, 0.84, "Video-Swin-Transformer model zoo")


@pytest.mark.parametrize("name", PAPER_MODELS)
def test_architecture_and_recipe_are_upstreams(name):
    preset = load_preset(name)
    (path,) = index_folder().glob(f"swin-{name.removeprefix('video_swin_')}-*_kinetics400-rgb.py")
    upstream = Config.fromfile(path).to_dict()
    for part in ("pretrained", "pretrained2d"):
        del upstream["model"]["backbone"][part], preset.model["backbone"][part]
    assert preset.model == upstream["model"]

    card, wrapper = preset.card, upstream["optim_wrapper"]
    assert card.base_learning_rate == wrapper["optimizer"]["lr"]
    assert card.weight_decay == wrapper["optimizer"]["weight_decay"]
    assert card.backbone_lr_mult == wrapper["paramwise_cfg"]["backbone"]["lr_mult"]
    assert card.base_total_batch_size == upstream["auto_scale_lr"]["base_batch_size"]
    assert card.epochs == upstream["train_cfg"]["max_epochs"]
    assert card.warmup_epochs == upstream["param_scheduler"][0]["end"]
    sampling = upstream["test_pipeline"][1]
    assert (card.clip_len, card.test_num_clips) == (sampling["clip_len"], sampling["num_clips"])
    assert card.clip_seconds == pytest.approx(sampling["clip_len"] * sampling["frame_interval"] / 30)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        (
            "video_swin_bse",
            "model.name: there is no such preset (got 'video_swin_bse'). Did you mean 'video_swin_base'.",
        ),
        (
            "resnet",
            f"model.name: there is no such preset (got 'resnet'). Choose one of {', '.join(preset_names())}.",
        ),
    ],
)
def test_an_unknown_preset_is_refused_by_name(name, text):
    with pytest.raises(RequestError) as caught:
        load_preset(name)
    assert str(caught.value) == text


def test_measured_figures_are_written_into_a_card(tmp_path):
    path = tmp_path / "video_swin_nano.py"
    path.write_text((shared_folder("configs") / "models" / path.name).read_text())
    measure_activation.write_card(path, measure_activation.Size(12345, 2.5e9, 0.03461), flops=True)
    written = Config.fromfile(path).preset
    assert (written.num_parameters, written.flops, written.activation_gib) == (12345, 2.5e9, 0.0347)
    measure_activation.write_card(path, measure_activation.Size(9, 7e9, 12.341), flops=False)
    written = Config.fromfile(path).preset
    assert (written.num_parameters, written.flops, written.activation_gib) == (9, 2.5e9, 12.4)
