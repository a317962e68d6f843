"""The original Video Swin Transformer, restated from its source: the names of its tensors, and what it computes.

SwinTransformer/Video-Swin-Transformer, mmaction/models/backbones/swin_transformer.py (2021). The forward pass
is restated for clips that are no larger than one window at any stage: nothing is shifted and nothing masked.
"""

from __future__ import annotations

import itertools

import torch
from torch import Tensor
from torch.nn import functional

PATCH = (2, 4, 4)


def old_shapes(width: int, depths: list[int], heads: list[int], window: tuple[int, int, int], classes: int) -> dict:
    """Shape of every tensor of a recognizer, by name."""
    volume = window[0] * window[1] * window[2]
    table = (2 * window[0] - 1) * (2 * window[1] - 1) * (2 * window[2] - 1)
    shapes: dict[str, tuple[int, ...]] = {
        "backbone.patch_embed.proj.weight": (width, 3, *PATCH),
        "backbone.patch_embed.proj.bias": (width,),
        "backbone.patch_embed.norm.weight": (width,),
        "backbone.patch_embed.norm.bias": (width,),
    }
    for stage, depth in enumerate(depths):
        channels = width * 2**stage
        for block in range(depth):
            at = f"backbone.layers.{stage}.blocks.{block}."
            for norm in ("norm1", "norm2"):
                shapes |= {f"{at}{norm}.weight": (channels,), f"{at}{norm}.bias": (channels,)}
            shapes |= {
                f"{at}attn.relative_position_bias_table": (table, heads[stage]),
                f"{at}attn.relative_position_index": (volume, volume),
            }
            for layer, out, into in (
                ("attn.qkv", 3 * channels, channels),
                ("attn.proj", channels, channels),
                ("mlp.fc1", 4 * channels, channels),
                ("mlp.fc2", channels, 4 * channels),
            ):
                shapes |= {f"{at}{layer}.weight": (out, into), f"{at}{layer}.bias": (out,)}
        if stage < len(depths) - 1:
            at = f"backbone.layers.{stage}.downsample."
            shapes |= {f"{at}reduction.weight": (2 * channels, 4 * channels)}
            shapes |= {f"{at}norm.weight": (4 * channels,), f"{at}norm.bias": (4 * channels,)}
    # The one norm after the last stage.
    shapes |= {"backbone.norm.weight": (channels,), "backbone.norm.bias": (channels,)}
    return shapes | {"cls_head.fc_cls.weight": (classes, channels), "cls_head.fc_cls.bias": (classes,)}


def old_state(width: int, depths: list[int], heads: list[int], window: tuple[int, int, int], classes: int) -> dict:
    """Random weights under the old names."""
    generator = torch.Generator().manual_seed(3)
    shapes = old_shapes(width, depths, heads, window, classes)
    state = {name: 0.2 * torch.randn(shape, generator=generator) for name, shape in shapes.items()}
    index = position_index(window)
    return {name: index if name.endswith("_index") else tensor for name, tensor in state.items()}


def position_index(window: tuple[int, int, int]) -> Tensor:
    """For each pair of places in a window the row of the bias table: their distance, counted in mixed radix."""
    places = list(itertools.product(*map(range, window)))
    index = torch.empty(len(places), len(places), dtype=torch.long)
    for row, one in enumerate(places):
        for column, other in enumerate(places):
            value = 0
            for a, b, size in zip(one, other, window, strict=True):
                value = value * (2 * size - 1) + (a - b + size - 1)
            index[row, column] = value
    return index


def old_scores(state: dict[str, Tensor], clips: Tensor, depths: list[int], heads: list[int]) -> Tensor:
    """Scores of clips (N, 3, T, H, W)."""

    def part(name: str) -> tuple[Tensor, Tensor | None]:
        return state[f"{name}.weight"], state.get(f"{name}.bias")

    def norm(x: Tensor, name: str) -> Tensor:
        return functional.layer_norm(x, x.shape[-1:], *part(name))

    x = functional.conv3d(clips, *part("backbone.patch_embed.proj"), stride=PATCH)
    x = norm(x.permute(0, 2, 3, 4, 1), "backbone.patch_embed.norm")
    for stage, depth in enumerate(depths):
        for block in range(depth):
            at = f"backbone.layers.{stage}.blocks.{block}."
            tokens = norm(x, f"{at}norm1").flatten(1, 3)
            qkv = functional.linear(tokens, *part(f"{at}attn.qkv")).unflatten(-1, (3, heads[stage], -1))
            query, key, value = qkv.permute(2, 0, 3, 1, 4)
            count = tokens.shape[1]
            index = state[f"{at}attn.relative_position_index"][:count, :count]
            bias = state[f"{at}attn.relative_position_bias_table"][index].permute(2, 0, 1)
            attention = (query @ key.mT * query.shape[-1] ** -0.5 + bias).softmax(-1)
            tokens = (attention @ value).transpose(1, 2).flatten(2)
            x = x + functional.linear(tokens, *part(f"{at}attn.proj")).view_as(x)
            hidden = functional.gelu(functional.linear(norm(x, f"{at}norm2"), *part(f"{at}mlp.fc1")))
            x = x + functional.linear(hidden, *part(f"{at}mlp.fc2"))
        if stage < len(depths) - 1:
            at = f"backbone.layers.{stage}.downsample."
            corners = [x[:, :, row::2, column::2] for column in (0, 1) for row in (0, 1)]
            x = functional.linear(norm(torch.cat(corners, -1), f"{at}norm"), *part(f"{at}reduction"))
    return functional.linear(norm(x, "backbone.norm").mean((1, 2, 3)), *part("cls_head.fc_cls"))
