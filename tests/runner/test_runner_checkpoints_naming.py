"""Weights of other networks and of networks for images, in MMAction2's recognizers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
import torchvision
import zoo
from mmengine.registry import DefaultScope
from torch import nn

from autox_video.presets import load_preset
from autox_video.runner import components  # noqa: F401  (before MMAction2, which it makes importable)
from autox_video.runner.build import quiet_mmengine
from autox_video.runner.checkpoints import load_pretrained

from mmaction.registry import MODELS  # isort: skip

# Stages that the small model has not.
DEEP = ("layer3", "layer4")


def built(config: dict[str, Any]) -> nn.Module:
    with DefaultScope.overwrite_default_scope("mmaction"), quiet_mmengine():
        return MODELS.build(config)


def saved(path: Path, state: dict[str, Any]) -> Path:
    torch.save({"state_dict": state}, path)
    return path


def preset_model(name: str, num_classes: int, **backbone: Any) -> nn.Module:
    model = zoo.smaller(load_preset(name)).model
    model["backbone"] |= backbone
    model["cls_head"]["num_classes"] = num_classes
    return built(model)


def test_a_mobilenet_for_images_is_loaded_into_tsm(tmp_path):
    images = built({"type": "MobileNetV2", "widen_factor": 0.125})
    model = preset_model("tsm_mobilenetv2", 5)
    report = load_pretrained(model, saved(tmp_path / "images.pth", images.state_dict()), 5)
    assert report.missing == ("cls_head.fc_cls.weight", "cls_head.fc_cls.bias")
    assert not report.unexpected + report.reinitialised + report.other_shape + report.inflated
    shifted = model.backbone.layer2[1].conv[0].net.conv.weight
    assert torch.equal(shifted, images.layer2[1].conv[0].conv.weight)


@pytest.mark.parametrize("name", ["tsn_r50", "tsm_r50"])
def test_a_resnet_of_torchvision_is_loaded_into_tsn_and_tsm(name, tmp_path):
    images = torchvision.models.resnet18()
    two = {"num_stages": 2, "out_indices": (1,), "strides": (1, 2), "dilations": (1, 1)}
    model = preset_model(name, 5, **(two if name == "tsn_r50" else {}))
    report = load_pretrained(model, saved(tmp_path / "resnet18.pth", images.state_dict()), 5)
    assert report.missing == ("cls_head.fc_cls.weight", "cls_head.fc_cls.bias")
    own, there = model.state_dict(), images.state_dict()
    wrapped = ".net" if name == "tsm_r50" else ""
    assert torch.equal(own[f"backbone.layer2.1.conv1.conv{wrapped}.weight"], there["layer2.1.conv1.weight"])
    assert torch.equal(own["backbone.layer2.0.downsample.bn.running_var"], there["layer2.0.downsample.1.running_var"])
    assert torch.equal(own["backbone.conv1.bn.bias"], there["bn1.bias"])
    assert set(report.unexpected) >= {"fc.weight", "fc.bias"}


def test_a_resnet_for_images_is_spread_over_time(tmp_path):
    images = torchvision.models.resnet18()
    two = {key: (1, 1) for key in ("inflate", "temporal_strides", "dilations")} | {"spatial_strides": (1, 2)}
    small = {"depth": 18, "base_channels": 64, "conv1_kernel": (3, 7, 7), "num_stages": 2, "out_indices": (1,)}
    model = preset_model("i3d_r50", 5, **small, **two)
    report = load_pretrained(model, saved(tmp_path / "resnet18.pth", images.state_dict()), 5)
    assert report.missing == ("cls_head.fc_cls.weight", "cls_head.fc_cls.bias")
    layers = [name for name, weight in images.state_dict().items() if weight.ndim == 4 and not name.startswith(DEEP)]
    assert len(report.inflated) == len(layers) == 10
    inflated, flat = model.backbone.conv1.conv.weight, images.conv1.weight
    assert inflated.shape[2] == 3
    assert torch.allclose(inflated.sum(2), flat, atol=1e-6)
    assert "10 of them, of a network for images, are spread over time" in report.summary


def test_the_last_layer_of_any_head_is_initialised_anew_for_other_classes(tmp_path):
    published, model = preset_model("x3d_s", 11), preset_model("x3d_s", 5)
    report = load_pretrained(model, saved(tmp_path / "x3d.pth", published.state_dict()), 5)
    assert report.reinitialised == ("cls_head.fc2.weight", "cls_head.fc2.bias")
    assert "cls_head.fc1.weight" in report.loaded
    assert "the head is initialised anew for 5 classes (the file has 11)" in report.summary


def test_a_layer_for_classes_outside_the_head_is_no_part_of_another_model(tmp_path):
    class Branched(nn.Module):
        def __init__(self, classes: int) -> None:
            super().__init__()
            self.backbone, self.cls_head = nn.Linear(4, 3), nn.Linear(3, classes)
            self.neck = nn.ModuleDict({"aux": nn.Linear(3, classes), "level": nn.Linear(3, 6)})

    model, published = Branched(5), Branched(11)
    published.neck["level"] = nn.Linear(2, 6)
    report = load_pretrained(model, saved(tmp_path / "branched.pth", published.state_dict()), 5)
    assert set(report.reinitialised) == {
        *("cls_head.weight", "cls_head.bias"),
        *("neck.aux.weight", "neck.aux.bias"),
    }
    assert report.other_shape == ("neck.level.weight",)
    assert report.file_num_classes == 11
