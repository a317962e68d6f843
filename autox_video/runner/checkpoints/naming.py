"""Weights of a backbone under the names, and in the shapes, that a recognizer of MMAction2 has for them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from torch import Tensor

BACKBONE = "backbone."
# TSM puts a layer into another one that shifts its input, a non-local block a whole one into itself.
WRAPPERS = re.compile(r"\.(?:net|block)(?=\.)")
# A convolution with its norm: how MMAction2 names it, and how torchvision's ResNet does.
TORCHVISION = (
    (re.compile(r"\bconv(\d)\.conv\."), r"conv\1."),
    (re.compile(r"\bconv(\d)\.bn\."), r"bn\1."),
    (re.compile(r"\bdownsample\.conv\."), "downsample.0."),
    (re.compile(r"\bdownsample\.bn\."), "downsample.1."),
)


def named_as(state: Mapping[str, Tensor], own: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Name the tensors of a file as the model does.

    A file of a backbone alone leaves out `backbone.`; one of a network for images also the names of layers that TSM
    puts around its convolutions; torchvision numbers its norms beside the convolutions.

    Args:
        state: Tensors of the file by name; one that nothing in the model is named like keeps its name.
        own: Those of the model.
    """
    ours = [name for name in own if name.startswith(BACKBONE)]
    known = {other: name for name in reversed(ours) for other in _other_names(name)}
    named: dict[str, Tensor] = {}
    for name, tensor in state.items():
        found = name if name in own else known.get(name.removeprefix(BACKBONE), name)
        named[found] = tensor
    return named


def _other_names(name: str) -> Iterator[str]:
    plain = WRAPPERS.sub("", name.removeprefix(BACKBONE))
    yield plain
    for pattern, replacement in TORCHVISION:
        other, changed = pattern.subn(replacement, plain)
        if changed:
            yield other


def inflate(state: dict[str, Tensor], own: Mapping[str, Tensor]) -> tuple[dict[str, Tensor], tuple[str, ...]]:
    """Spread the convolutions of a network for images over time: what they answer to a still video stays the same.

    https://arxiv.org/abs/1705.07750, section 2.4.

    Args:
        state: Tensors by the names of the model.
        own: Those of the model.

    Returns:
        All tensors, and the names of those that were changed.
    """
    spread: dict[str, Tensor] = {}
    for name, tensor in state.items():
        shape = tuple(own[name].shape) if name in own else ()
        if len(shape) == 5 and tensor.ndim == 4 and (*shape[:2], *shape[3:]) == tuple(tensor.shape):
            spread[name] = tensor.unsqueeze(2).expand(shape).div(shape[2])
    return {**state, **spread}, tuple(spread)
