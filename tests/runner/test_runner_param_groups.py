"""Which parameters have weight decay, and how fast each learns, for each kind of network."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import samples
import torch
from mmaction.registry import MODELS
from mmengine.optim import build_optim_wrapper
from mmengine.registry import DefaultScope
from small_backbones import KINDS

from autox_video.errors import RequestError
from autox_video.render.stock_transfer import stock_groups
from autox_video.runner import components  # noqa: F401


class Recognizer(torch.nn.Module):
    """As much of one as an optimizer sees."""

    def __init__(self, backbone: torch.nn.Module) -> None:
        super().__init__()
        self.backbone = backbone
        self.cls_head = torch.nn.Linear(4, 2)


def built(model: torch.nn.Module, constructor: dict[str, Any]) -> tuple[list[Any], dict[str, tuple[float, float]]]:
    """The groups of an optimizer, and (learning rate, weight decay) by the name of each parameter."""
    config = {"type": "OptimWrapper", "optimizer": {"type": "SGD", "lr": 1.0, "weight_decay": 0.5}, **constructor}
    with DefaultScope.overwrite_default_scope("mmaction"):
        found = build_optim_wrapper(model, config).optimizer.param_groups
    names = {id(parameter): name for name, parameter in model.named_parameters()}
    values = {names[id(one)]: (group["lr"], group["weight_decay"]) for group in found for one in group["params"]}
    assert sum(len(group["params"]) for group in found) == len(values)
    return found, values


def groups(kind: str, *, mult: float = 1.0, decay: float | None = None, freeze: str = "none"):
    backbone = dict(copy.deepcopy(KINDS[kind][0]))
    kept = {"freeze": freeze, "keep_statistics": False, "backbone_type": backbone.pop("type")}
    model = Recognizer(MODELS.build({**backbone, **kept, "type": "PartlyFrozen"}))
    rates = {"backbone_lr_mult": mult, "layer_decay": decay}
    return *built(model, {"constructor": "TransferOptimWrapperConstructor", "paramwise_cfg": rates}), model


# Of parameters with two dimensions or more.
NO_DECAY = {
    "VideoMAE": [],
    "MViT": ["cls_token", "rel_pos_h", "rel_pos_t", "rel_pos_w"],
    "Swin": ["relative_position_bias_table"],
}


@pytest.mark.parametrize("kind", KINDS)
def test_biases_norms_position_tables_and_class_tokens_do_not_decay(kind):
    found, values, model = groups(kind, mult=0.1)
    assert len(found) == 4
    assert values["cls_head.weight"] == (1.0, 0.5)
    assert values["cls_head.bias"] == (1.0, 0.0)
    large = {name for name, parameter in model.named_parameters() if parameter.ndim > 1}
    assert {name for name, (_, decay) in values.items() if decay} <= large
    kept = sorted({name.rpartition(".")[2] for name in large if not values[name][1]})
    assert kept == NO_DECAY.get(kind, [])
    assert {rate for name, (rate, _) in values.items() if name.startswith("backbone.")} == {0.1}


RATES = {
    "ResNet": {"conv1.conv.weight": 5, "layer1.0.conv1.conv.weight": 4, "layer4.1.conv2.bn.bias": 1},
    "MobileNetV2": {"conv1.conv.weight": 8, "layer7.0.conv.0.conv.weight": 1, "conv2.conv.weight": 0},
    "SlowFast": {
        "slow_path.conv1.conv.weight": 5,
        "fast_path.conv1.conv.weight": 5,
        "slow_path.conv1_lateral.conv.weight": 5,
        "slow_path.layer2_lateral.conv.weight": 3,
        "fast_path.layer4.0.conv1.conv.weight": 1,
    },
    "VideoMAE": {"patch_embed.projection.weight": 4, "blocks.0.norm1.weight": 3, "blocks.2.mlp.layers.1.weight": 1},
    "UniFormer": {"patch_embed1.norm.weight": 7, "blocks1.0.norm2.weight": 6, "patch_embed2.norm.weight": 5},
    "Swin": {"patch_embed.proj.weight": 4, "layers.0.blocks.0.norm1.weight": 3, "layers.1.blocks.1.norm1.weight": 1},
}


@pytest.mark.parametrize("kind", RATES)
def test_each_layer_learns_so_many_times_as_fast_as_the_next(kind):
    found, values, _ = groups(kind, decay=0.5)
    layers = KINDS[kind][2]
    # With and without decay, for each layer, what comes before them, and the head.
    assert len(found) <= 2 * (layers + 2)
    rates = {name: values[f"backbone.{name}"][0] for name in RATES[kind]}
    assert rates == {name: 0.5**below for name, below in RATES[kind].items()}
    assert values["cls_head.weight"][0] == 1.0
    assert min(rate for rate, _ in values.values()) == 0.5 ** (layers + 1)


@pytest.mark.parametrize("kind", KINDS)
def test_the_optimizer_holds_only_what_learns(kind):
    _, values, model = groups(kind, freeze="head_only")
    assert sorted(values) == ["cls_head.bias", "cls_head.weight"]
    _, values, model = groups(kind, freeze="stages:1", decay=0.5)
    assert set(values) == {name for name, parameter in model.named_parameters() if parameter.requires_grad}


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "UniFormer"])
def test_a_stock_config_gives_each_parameter_the_same_rate_and_decay(kind):
    """But for UniFormer: to MMAction2 alone the convolutions named `pos_embed` look like tables."""
    _, ours, model = groups(kind, mult=0.1)
    plan, _ = samples.plan(model={"load_from": "/weights.pth"}, train={"backbone_lr_mult": 0.1})
    _, theirs = built(model, stock_groups(plan, {"backbone": KINDS[kind][0]}))
    assert theirs == {name: pytest.approx(values) for name, values in ours.items()}


@pytest.mark.parametrize("kind", ["VideoMAE", "MViT"])
def test_a_stock_config_decays_layers_where_mmaction2_can(kind):
    plan, _ = samples.plan(model={"load_from": "/weights.pth"}, train={"layer_decay": 0.75})
    backbone, _, depth = KINDS[kind]
    constructor = stock_groups(plan, {"backbone": backbone})
    assert constructor["paramwise_cfg"]["num_layers"] == depth
    _, ours, _ = groups(kind, decay=0.75)
    model = Recognizer(MODELS.build(copy.deepcopy(backbone)))
    _, theirs = built(model, constructor)
    assert {name: rate for name, (rate, _) in theirs.items()} == {
        name: pytest.approx(rate) for name, (rate, _) in ours.items()
    }


def test_a_stock_config_refuses_layers_that_mmaction2_does_not_know():
    plan, _ = samples.plan(model={"load_from": "/weights.pth"}, train={"layer_decay": 0.75})
    with pytest.raises(RequestError) as caught:
        stock_groups(plan, {"backbone": KINDS["ResNet"][0]})
    assert str(caught.value) == (
        "train.layer_decay: MMAction2 cannot decay layers of a ResNet by itself (got 0.75). "
        "Leave it out for this config."
    )
