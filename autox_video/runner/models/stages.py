"""The stages and layers of any backbone, found by the order and the names of its modules."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from torch import nn

# Children that are stages by their names: ResNet's and MobileNet's `layer3`, UniFormer's `blocks3`.
STAGE = re.compile(r"(layer|stage|block|blocks)_?[0-9]+")


@dataclass(frozen=True)
class Stages:
    """What belongs where, by the dotted names of modules and parameters; what they hold belongs there too.

    Attributes:
        number: Stages: those of a ResNet or a Swin, the blocks of a plain transformer, the layers of a plain CNN.
        stage_of: 0 for what comes before the first. What comes after the last belongs to it.
        num_layers: Layers: as stages, but each block of a transformer's stage is one.
        layer_of: 0 for what comes before the first, `num_layers + 1` for what comes after the last.
    """

    number: int = 0
    stage_of: dict[str, int] = field(default_factory=dict)
    num_layers: int = 0
    layer_of: dict[str, int] = field(default_factory=dict)

    def layer(self, parameter: str) -> int:
        """The layer of a parameter, by its dotted name in the backbone."""
        return next(self.layer_of[name] for name in _upwards(parameter) if name in self.layer_of)


def stages_of(backbone: nn.Module) -> Stages:
    """Find the stages.

    They are, whichever comes first: children with numbered names; the same of two pathways that run side by side
    (SlowFast); the elements of the longest of the outermost lists of modules; each child that has parameters.

    Args:
        backbone: Any.
    """
    paths = {name: child for name, child in backbone.named_children() if _numbered(child)}
    if _numbered(backbone) or len(paths) < 2:
        return _one_path(backbone)
    found: list[Stages] = []
    for name, child in paths.items():
        path = _one_path(child)
        stage_of = {f"{name}.{inner}": stage for inner, stage in path.stage_of.items()}
        layer_of = {f"{name}.{inner}": layer for inner, layer in path.layer_of.items()}
        found.append(Stages(path.number, stage_of, path.num_layers, layer_of))
    stage_of = {inner: stage for path in found for inner, stage in path.stage_of.items()}
    layer_of = {inner: layer for path in found for inner, layer in path.layer_of.items()}
    number, num_layers = max(path.number for path in found), max(path.num_layers for path in found)
    return Stages(number, stage_of, num_layers, layer_of)


def _one_path(root: nn.Module) -> Stages:
    chain = _numbered(root) or _longest_list(root) or _learning_children(root)
    number = len(chain)
    starts, num_layers = _layers(chain)
    stage_of: dict[str, int] = {}
    # What is outside of the chain: its stage, and whether it comes after all of them.
    outside: dict[str, tuple[int, bool]] = {name: (0, False) for name, _ in root.named_parameters(recurse=False)}
    order = {name: place for place, name in enumerate(chain, start=1)}
    tops = {name.partition(".")[0] for name in chain}
    begun = False
    for name, _ in root.named_children():
        if name in order:
            begun = True
        elif name in tops:
            begun = True
            # A list, or what holds it and something that comes after.
            outside[name] = (number, True)
        elif (sibling := _continued(name, root)) is not None:
            outside[name] = (order[sibling], False) if sibling in order else outside[sibling]
        elif begun:
            outside[name] = (number, True)
        else:
            digits = re.search(r"[0-9]+$", name)
            place = int(digits[0]) if digits else 0
            # `patch_embed2` comes before the second stage, `conv1` and `patch_embed1` before the first.
            outside[name] = (place if 1 < place <= number else 0, False)
    stage_of = {**{name: stage for name, (stage, _) in outside.items()}, **order}
    layer_of = {
        name: num_layers + 1 if after else (starts[stage - 1] if stage else 0)
        for name, (stage, after) in outside.items()
    }
    for (name, module), start in zip(chain.items(), starts, strict=True):
        blocks = _blocks(module)
        # What a stage has beside its blocks learns as the last of them.
        layer_of[name] = start + max(len(blocks), 1) - 1
        layer_of |= {f"{name}.{block}": start + place for place, block in enumerate(blocks)}
    return Stages(number, stage_of, num_layers, layer_of)


def _layers(chain: Mapping[str, nn.Module]) -> tuple[list[int], int]:
    """The first layer of each stage, and how many layers there are."""
    starts, layers = [], 0
    for module in chain.values():
        starts.append(layers + 1)
        layers += max(len(_blocks(module)), 1)
    return starts, layers


def _blocks(stage: nn.Module) -> list[str]:
    """Names of the blocks of a transformer's stage, within it; none where it is a layer as a whole."""
    if isinstance(stage, nn.ModuleList):
        return [name for name, _ in stage.named_children()]
    if isinstance(blocks := getattr(stage, "blocks", None), nn.ModuleList):
        return [f"blocks.{name}" for name, _ in blocks.named_children()]
    return []


def _numbered(root: nn.Module) -> dict[str, nn.Module]:
    found = [(name, child) for name, child in root.named_children() if STAGE.fullmatch(name) and _learns(child)]
    return dict(sorted(found, key=lambda item: int(re.findall("[0-9]+", item[0])[-1])))


def _longest_list(root: nn.Module) -> dict[str, nn.Module]:
    """The elements of the longest of the lists of modules that are fewest levels below."""
    level = [("", root)]
    while level:
        lists = [
            {f"{name}.{inner}": element for inner, element in module.named_children() if _learns(element)}
            for name, module in level
            if isinstance(module, nn.ModuleList)
        ]
        if any(lists):
            return max(lists, key=len)
        level = [
            (f"{name}.{inner}" if name else inner, child)
            for name, module in level
            for inner, child in module.named_children()
        ]
    return {}


def _learning_children(root: nn.Module) -> dict[str, nn.Module]:
    return {name: child for name, child in root.named_children() if _learns(child)}


def _learns(module: nn.Module) -> bool:
    return next(module.parameters(), None) is not None


def _continued(name: str, root: nn.Module) -> str | None:
    """The sibling whose name this one continues: `layer1` of `layer1_lateral`."""
    siblings = [other for other, _ in root.named_children() if name.startswith(f"{other}_")]
    return max(siblings, key=len, default=None)


def _upwards(name: str) -> Iterator[str]:
    """`a.b.c`, `a.b`, `a`."""
    while name:
        yield name
        name = name.rpartition(".")[0]
