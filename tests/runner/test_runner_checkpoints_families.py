"""Published weights of each family: all of the backbone is loaded, and only what tells classes apart is made anew."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import torch
import zoo
from torch import nn

from autox_video.presets import load_preset
from autox_video.presets.wheel_index import PREFIX
from autox_video.runner.checkpoints import load_pretrained
from autox_video.runner.compat import apply_all

FC = {"cls_head.fc_cls.weight", "cls_head.fc_cls.bias"}
# TRN has a classifier for each number of frames that it relates, of 8 to 2.
RELATIONS = {f"cls_head.consensus.fc_fusion_scales.{kind}.3.{part}" for kind in range(7) for part in ("weight", "bias")}
HEADS = {
    "mvit_s": FC,
    "timesformer_b": FC,
    "uniformer_s": FC,
    "uniformerv2_b": FC,
    "videomae_b": FC,
    "videomaev2_s": FC,
    f"{PREFIX}c2d_r50-in1k-pre_8xb32-8x8x1-100e_kinetics400-rgb": FC,
    f"{PREFIX}tanet_imagenet-pretrained-r50_8xb8-1x1x8-50e_sthv1-rgb": FC,
    f"{PREFIX}tpn-slowonly_r50_8xb8-8x8x1-150e_kinetics400-rgb": FC,
    f"{PREFIX}trn_imagenet-pretrained-r50_8xb16-1x1x8-50e_sthv2-rgb": RELATIONS,
}


def small(name: str, num_classes: int, seed: int, **neck: Any) -> nn.Module:
    apply_all()
    from mmaction.registry import MODELS
    from mmengine.registry import init_default_scope

    init_default_scope("mmaction")
    model = copy.deepcopy(zoo.smaller(load_preset(name)).model)
    model["cls_head"]["num_classes"] = num_classes
    if neck:
        model["neck"] |= neck
    torch.manual_seed(seed)
    return MODELS.build(model)


@pytest.mark.parametrize("name", HEADS)
def test_only_what_tells_classes_apart_is_initialised_anew(name, tmp_path):
    published, model = small(name, 11, seed=1), small(name, 5, seed=2)
    path = tmp_path / "published.pth"
    torch.save({"meta": {}, "state_dict": published.state_dict()}, path)
    report = load_pretrained(model, path, 5)
    assert set(report.reinitialised) == HEADS[name]
    assert (report.missing, report.unexpected, report.other_shape) == ((), (), ())
    assert "the head is initialised anew for 5 classes (the file has 11)" in report.summary
    own, there = model.state_dict(), published.state_dict()
    assert all(torch.equal(own[key], there[key]) for key in own if key not in HEADS[name])


def test_the_second_classifier_of_a_published_tpn_is_not_used_and_named(tmp_path):
    name = f"{PREFIX}tpn-slowonly_r50_8xb8-8x8x1-150e_kinetics400-rgb"
    published = small(name, 5, seed=1, aux_head_cfg={"out_channels": 5, "loss_weight": 0.5})
    path = tmp_path / "published.pth"
    torch.save({"state_dict": published.state_dict()}, path)
    report = load_pretrained(small(name, 5, seed=2), path, 5)
    assert report.unexpected
    assert all(key.startswith("neck.aux_head.") for key in report.unexpected)
    assert (report.missing, report.other_shape, report.reinitialised) == ((), (), ())


def test_weights_in_half_precision_are_loaded_as_float32(tmp_path):
    """As those of VideoMAE V2 are published."""
    published, model = small("videomaev2_s", 5, seed=1), small("videomaev2_s", 5, seed=2)
    path = tmp_path / "published.pth"
    torch.save({"state_dict": {key: tensor.half() for key, tensor in published.state_dict().items()}}, path)
    report = load_pretrained(model, path, 5)
    assert len(report.loaded) == len(model.state_dict())
    assert {parameter.dtype for parameter in model.parameters()} == {torch.float32}
    assert torch.allclose(model.cls_head.fc_cls.weight, published.cls_head.fc_cls.weight, atol=1e-3)
