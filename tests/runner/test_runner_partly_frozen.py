"""What of a backbone is frozen, for each kind of network."""

from __future__ import annotations

import copy

import pytest
import samples
import torch
from mmaction.registry import MODELS
from mmengine.model import MMDistributedDataParallel
from several import in_processes
from small_backbones import KINDS, clips_for, total

from autox_video.errors import RequestError
from autox_video.render.stock_transfer import stock_freezing
from autox_video.runner import components  # noqa: F401
from autox_video.runner.models.stages import stages_of


def frozen(kind: str, freeze: str, *, keep_statistics: bool = False) -> torch.nn.Module:
    torch.manual_seed(0)
    backbone = dict(KINDS[kind][0])
    kept = {"freeze": freeze, "keep_statistics": keep_statistics, "backbone_type": backbone.pop("type")}
    return MODELS.build({**copy.deepcopy(backbone), **kept, "type": "PartlyFrozen"})


@pytest.mark.parametrize("kind", KINDS)
def test_stages_and_layers_of_every_kind_of_network_are_found(kind):
    config, number, num_layers = KINDS[kind]
    backbone = MODELS.build(copy.deepcopy(config))
    stages = stages_of(backbone)
    assert (stages.number, stages.num_layers) == (number, num_layers)
    # Each layer has parameters, and so has what comes before them.
    layers = {stages.layer(name) for name, _ in backbone.named_parameters()}
    assert layers - {num_layers + 1} == set(range(num_layers + 1))


@pytest.mark.parametrize("kind", KINDS)
def test_frozen_stages_learn_nothing_and_need_no_gradient(kind):
    stages = KINDS[kind][1]
    backbone = frozen(kind, f"stages:{stages - 1}").train()
    before = {name: tensor.clone() for name, tensor in backbone.state_dict().items()}
    first_input: list[bool] = []
    names = [name for name, stage in stages_of(backbone).stage_of.items() if stage == stages and name != "blocks"]
    for name in names:
        for module in backbone.get_submodule(name).modules() if name not in dict(backbone.named_parameters()) else ():
            if next(module.parameters(recurse=False), None) is not None:
                module.register_forward_hook(lambda _, given, __: first_input.append(given[0].requires_grad))
    total(backbone(clips_for(kind))).backward()
    learned = [name for name, parameter in backbone.named_parameters() if parameter.requires_grad]
    # Every one that learns has a gradient: several processes need not look for unused ones.
    assert learned
    assert [name for name in learned if backbone.get_parameter(name).grad is None] == []
    # What enters the first stage that learns has no history.
    assert first_input[0] is False
    changed = [name for name, tensor in backbone.state_dict().items() if not torch.equal(tensor, before[name])]
    of_last = tuple(f"{name}." for name in names)
    assert [name for name in changed if not name.startswith(of_last)] == []


@pytest.mark.parametrize("kind", KINDS)
def test_with_head_only_the_backbone_is_that_of_a_test(kind):
    backbone = frozen(kind, "head_only").train()
    state = {name: tensor.clone() for name, tensor in backbone.state_dict().items()}
    found = total(backbone(clips_for(kind)))
    assert not found.requires_grad
    assert not any(parameter.requires_grad for parameter in backbone.parameters())
    assert not any(module.training for module in backbone.modules())
    assert [name for name, tensor in backbone.state_dict().items() if not torch.equal(tensor, state[name])] == []
    backbone.eval()
    assert total(backbone(clips_for(kind))) == found


@pytest.mark.parametrize("kind", ["ResNet", "MobileNetV2", "SlowFast", "X3D"])
def test_kept_statistics_do_not_change_while_scales_learn(kind):
    backbone = frozen(kind, "none", keep_statistics=True).train()
    statistics = {name: tensor.clone() for name, tensor in backbone.named_buffers()}
    total(backbone(clips_for(kind))).backward()
    assert [name for name, tensor in backbone.named_buffers() if not torch.equal(tensor, statistics[name])] == []
    assert all(parameter.grad is not None for parameter in backbone.parameters())


def test_names_of_parameters_are_those_of_the_network_and_copies_are_independent():
    backbone = frozen("Swin", "stages:1")
    plain = MODELS.build(copy.deepcopy(KINDS["Swin"][0]))
    assert list(backbone.state_dict()) == list(plain.state_dict())
    other = copy.deepcopy(backbone)
    backbone.train()
    other.eval()
    assert backbone.layers[1].training
    assert not backbone.layers[0].training
    assert not other.layers[1].training


@pytest.mark.parametrize("kind", ["ResNet", "SlowFast", "VideoMAE"])
def test_too_many_stages_are_refused_by_their_number(kind):
    stages = KINDS[kind][1]
    with pytest.raises(RequestError) as caught:
        frozen(kind, "stages:40")
    assert str(caught.value) == (
        f"train.freeze: the backbone has {stages} stage(s) (got stages:40). Choose as many at most, or head_only."
    )


@pytest.mark.parametrize("kind", ["ResNet", "MobileNetV2", "SlowFast", "X3D", "Swin"])
@pytest.mark.parametrize("freeze", ["stages:1", "head_only"])
def test_a_stock_config_freezes_the_same(kind, freeze):
    """With MMAction2's own arguments, where its backbone has them."""
    config = copy.deepcopy(KINDS[kind][0])
    config["type"] = config["type"].removeprefix("Fast")
    plan, _ = samples.plan(model={"load_from": "/weights.pth"}, train={"freeze": freeze})
    if kind == "SlowFast" or (kind, freeze) == ("X3D", "head_only"):
        with pytest.raises(RequestError) as caught:
            stock_freezing(plan, config)
        assert str(caught.value).startswith("train.freeze: MMAction2 cannot freeze ")
        return
    ours, theirs = frozen(kind, freeze).train(), MODELS.build({**config, **stock_freezing(plan, config)})
    theirs.train()
    learned = [
        {name for name, parameter in one.named_parameters() if parameter.requires_grad} for one in (ours, theirs)
    ]
    # MMAction2's Swin leaves its last norm free.
    assert learned[1] - learned[0] <= {"norm1.weight", "norm1.bias"}
    assert learned[0] <= learned[1]


def learn_together(kind: str) -> tuple[list[str], list[float]]:
    """Two steps in one of several processes; the parameters that changed, and a figure of all."""
    torch.set_num_threads(1)
    torch.distributed.init_process_group("gloo")
    backbone = frozen(kind, "stages:1")
    before = {name: tensor.clone() for name, tensor in backbone.named_parameters()}
    model = MMDistributedDataParallel(backbone, broadcast_buffers=False)
    model.train()
    optimizer = torch.optim.SGD([one for one in backbone.parameters() if one.requires_grad], lr=0.01)
    for step in range(2):
        torch.manual_seed(10 * step + torch.distributed.get_rank())
        optimizer.zero_grad()
        total(model(torch.rand_like(clips_for(kind)))).backward()
        optimizer.step()
    changed = [name for name, tensor in backbone.named_parameters() if not torch.equal(tensor, before[name])]
    figures = [float(tensor.double().sum()) for tensor in backbone.parameters()]
    torch.distributed.destroy_process_group()
    return changed, figures


def test_several_processes_learn_the_rest_together():
    answers = [answer for answer, _ in in_processes(2, learn_together, "MobileNetV2")]
    (changed, figures), other = answers
    assert (changed, figures) == other
    assert changed
    assert not any(name.startswith(("conv1.", "layer1.")) for name in changed)
