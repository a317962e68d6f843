"""Backbones of which a part is not trained."""

from __future__ import annotations

import re
from typing import Any

import torch
from mmaction.registry import MODELS
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from autox_video.errors import Problem, RequestError
from autox_video.runner.models.stages import Stages, stages_of


@MODELS.register_module(name="PartlyFrozen")
def partly_frozen(backbone_type: str, freeze: str, keep_statistics: bool, **arguments: Any) -> nn.Module:
    """Build a backbone, and keep part of it as it is.

    Frozen weights ask for no gradient, so that neither the optimizer nor a data-parallel wrapper knows of them, and
    none is computed below the first stage that learns. Frozen parts stay in evaluation mode: statistics, dropout and
    drop path are those of a test.

    Args:
        backbone_type: The type in MMAction2's registry. Names of parameters, and what the forward pass returns, are
            those of that type.
        freeze: `none`, `head_only` (the whole backbone), or `stages:N` (N stages and what comes before them).
        keep_statistics: Batch norms keep their statistics in training; their scales and shifts learn.
        **arguments: Of the backbone.

    Raises:
        RequestError: There are not so many stages.
    """
    backbone: nn.Module = MODELS.build({"type": backbone_type, **arguments})
    frozen: list[str] = []
    if freeze != "none":
        frozen = [""] if freeze == "head_only" else _first(stages_of(backbone), freeze)
    _keeps(backbone, tuple(frozen), keep_statistics)
    return backbone


def _first(stages: Stages, freeze: str) -> list[str]:
    """Names of the modules and parameters to freeze."""
    (number,) = map(int, re.findall("[0-9]+", freeze))
    if number > stages.number:
        wrong, cure = f"the backbone has {stages.number} stage(s)", "Choose as many at most, or head_only"
        raise RequestError(Problem("train.freeze", wrong, cure, freeze))
    return [name for name, stage in stages.stage_of.items() if stage <= number]


def _keeps(backbone: nn.Module, frozen: tuple[str, ...], keep_statistics: bool) -> None:
    parameters = dict(backbone.named_parameters())
    for name in frozen:
        part = parameters[name] if name in parameters else backbone.get_submodule(name)
        part.requires_grad_(False)
    # A class of its own, and not a changed method of the object: copies of the model stay independent.
    backbone.__class__ = _with_kept_parts(type(backbone))
    backbone.frozen_parts = tuple(name for name in frozen if name not in parameters)
    backbone.keeps_statistics = keep_statistics


def _with_kept_parts(kind: type[nn.Module]) -> type[nn.Module]:
    def train(self: Any, mode: bool = True) -> nn.Module:
        # Some backbones of MMAction2 return nothing here.
        kind.train(self, mode)
        if mode:
            for name in self.frozen_parts:
                # `eval()` would come back here for the backbone itself.
                nn.Module.train(self.get_submodule(name), False)
            for module in self.modules() if self.keeps_statistics else ():
                if isinstance(module, _BatchNorm) or "BatchNorm" in type(module).__name__:
                    module.eval()
        result: nn.Module = self
        return result

    def forward(self: Any, *inputs: Any, **options: Any) -> Any:
        # Nothing in it learns: not even the bookkeeping of a graph is needed.
        with torch.set_grad_enabled(torch.is_grad_enabled() and "" not in self.frozen_parts):
            return kind.forward(self, *inputs, **options)

    return type(kind.__name__, (kind,), {"train": train, "forward": forward})
