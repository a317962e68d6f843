"""Parameters, gradients and the state of the optimizer in shards, one a process, by torch's `fully_shard`.

MMEngine's wrapper is torch's first way, which hands the optimizer flat pieces of many parameters. Here each parameter
stays one, under its name, of which a process holds some rows: groups of parameters, clipping by the norm of all
gradients and checkpoints are then what they are without.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import torch
from mmengine.dist import get_world_size, is_main_process
from torch import nn

from autox_video.runner.models.stages import stages_of


def shard(model: nn.Module, optimizer: torch.optim.Optimizer, device: str) -> None:
    """Divide a whole model, and what its optimizer knows of it, among the processes.

    Each block of the backbone is gathered while it computes, and the rest of the model for the whole of a step.

    Args:
        model: On any device, the same in all processes: new or resumed.
        optimizer: Of its parameters; may have made steps.
        device: `cpu` or `cuda`, where the shards are to be.
    """
    from torch.distributed.device_mesh import init_device_mesh
    from torch.distributed.fsdp import fully_shard  # not in every torch that runs without shards

    if device == "cuda":
        torch.cuda.init()  # a mesh would else choose the GPU by itself
    mesh = init_device_mesh(device, (get_world_size(),))
    names = {id(parameter): name for name, parameter in model.named_parameters()}
    for block in blocks_of(model):
        fully_shard(block, mesh=mesh)
    fully_shard(model, mesh=mesh)
    model.to(mesh.device_type)  # what is no parameter
    own = dict(model.named_parameters())
    for group in optimizer.param_groups:
        group["params"] = [
            _sharded_state(optimizer, whole, own[names[id(whole)]], on_device=bool(group.get("fused")))
            for whole in group["params"]
        ]


def blocks_of(model: nn.Module) -> list[nn.Module]:
    """The layers of the backbone that compute one after the other, each called as a module.

    Args:
        model: A recognizer.
    """
    backbone = getattr(model, "backbone", None)
    if not isinstance(backbone, nn.Module):
        return []
    stages = stages_of(backbone)
    layers = [name for name, layer in stages.layer_of.items() if 1 <= layer <= stages.num_layers]
    innermost = [name for name in layers if not any(other.startswith(f"{name}.") for other in layers)]
    modules = dict(backbone.named_modules())
    found = [modules[name] for name in innermost if name in modules]
    return [one for one in found if not isinstance(one, nn.ModuleList) and next(one.parameters(), None) is not None]


def gather_blocks(model: nn.Module) -> None:
    """Let each process hold the whole network until `release_blocks`: it may score as many batches as it likes."""
    for module in _sharded_modules(model):
        module.set_reshard_after_forward(False, recurse=False)
        module.unshard()


def release_blocks(model: nn.Module) -> None:
    """Undo `gather_blocks`."""
    for module in _sharded_modules(model):
        module.set_reshard_after_forward(module is not model, recurse=False)
        module.reshard()


@contextmanager
def whole_state(model: nn.Module, optimizer: torch.optim.Optimizer) -> Iterator[None]:
    """While the block runs, the state of model and optimizer is whole in the first process, as if there were no shards.

    All processes take part; of a model without shards nothing changes.

    Args:
        model: Of the run.
        optimizer: Of the run.
    """
    if not is_sharded(model):
        yield
        return
    weights = model.state_dict()  # keeps the versions of modules, beside its tensors
    for name, value in weights.items():
        weights[name] = _whole(value)
    states = ((model, weights), (optimizer, _whole(optimizer.state_dict())))
    if is_main_process():
        for part, state in states:
            part.__dict__["state_dict"] = partial(_same, state)
    try:
        yield
    finally:
        for part, _ in states:
            part.__dict__.pop("state_dict", None)


def is_sharded(model: nn.Module) -> bool:
    """Whether a process holds only its share of the model.

    Args:
        model: Of the run.
    """
    return bool(_sharded_modules(model))


def _sharded_modules(model: nn.Module) -> list[Any]:
    return [module for module in model.modules() if hasattr(module, "set_reshard_after_forward")]


def _sharded_state(optimizer: torch.optim.Optimizer, whole: Any, own: Any, *, on_device: bool) -> Any:
    """The shard of a parameter, under which the optimizer finds what it knew of the whole."""
    from torch.distributed.tensor import distribute_tensor

    if (state := optimizer.state.pop(whole, None)) is not None:
        optimizer.state[own] = {
            name: value
            if not isinstance(value, torch.Tensor)
            else distribute_tensor(value, own.device_mesh, own.placements)
            if value.shape == own.shape
            else value.to(own.device)
            if on_device
            else value
            for name, value in state.items()
        }
    return own


def _same(state: Any) -> Any:
    return state


def _whole(value: Any) -> Any:
    """The same with whole tensors in main memory, in the first process; the others only take part."""
    if isinstance(value, dict):
        return {name: _whole(part) for name, part in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(map(_whole, value))
    if not isinstance(value, torch.Tensor):
        return value
    tensor = value.full_tensor() if hasattr(value, "full_tensor") else value
    return tensor.cpu() if is_main_process() else None
