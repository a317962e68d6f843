"""Attention within the windows of a feature map, by what is fastest where it is computed."""

from __future__ import annotations

import math

import torch
from mmaction.models.backbones.swin import WindowAttention3D
from torch import Tensor
from torch.nn.functional import scaled_dot_product_attention

from autox_video.runner.models.blocked_attention import blocked_attention
from autox_video.runner.models.windows import MASKED, Windows

# From here on FlexAttention gives gradients of a bias that its `score_mod` captures.
HAS_FLEX = torch.torch_version.TorchVersion(torch.__version__) >= (2, 6)


def attend(qkv: Tensor, module: WindowAttention3D, windows: Windows) -> Tensor:
    """Softmax attention with relative position bias.

    Args:
        qkv: (B, tokens of the padded map, 3, heads, channels of a head).
        module: Owner of the bias, the scale and the dropout.
        windows: Of the padded map.

    Returns:
        (B, tokens, heads x channels).
    """
    dropout = module.attn_drop.p if module.training else 0.0
    # A network that is exported is traced; torch.export says that it compiles.
    compiling = torch.compiler.is_compiling() or torch.jit.is_tracing()
    if qkv.device.type == "cuda" and compiling and not dropout and HAS_FLEX:
        # Fused with the position bias and the mask; nothing of a window's size squared is written. Not compiled it
        # would write all of it, in float32.
        return flexible(qkv, module, windows)
    if qkv.device.type == "cpu" and not compiling and not dropout:
        return _blocked(qkv, module, windows)
    # torch's own kernels take a bias that learns: on CUDA the memory-efficient one; on the CPU, in several steps.
    return _dense(qkv, module, windows, dropout)


def position_bias(module: WindowAttention3D, size: int) -> Tensor:
    """(heads, tokens, tokens) of a window. Of a window that the map has cut short it is a corner, as in MMAction2."""
    table = module.relative_position_bias_table
    index = module.relative_position_index[:size, :size].reshape(-1)
    return table[index].view(size, size, -1).permute(2, 0, 1)


def _logit_bias(module: WindowAttention3D, windows: Windows) -> Tensor:
    """(kinds, heads, tokens, tokens): position bias and, where windows straddle the border, the mask."""
    bias, mask = position_bias(module, windows.num_tokens)[None], windows.mask()
    return bias if mask is None else bias + mask[:, None]


def _rows(batch: int, tokens: int, windows: Windows) -> tuple[Tensor, tuple[int, ...]]:
    """Positions in (batch x tokens) of the windows of all clips, and their number, kind by kind."""
    starts = torch.arange(0, batch * tokens, tokens, device=windows.tokens.device)[:, None, None]
    rows = torch.cat([(starts + part).flatten(0, 1) for part in windows.tokens.split(list(windows.counts))])
    return rows, tuple(batch * count for count in windows.counts)


def _blocked(qkv: Tensor, module: WindowAttention3D, windows: Windows) -> Tensor:
    rows, counts = _rows(qkv.shape[0], qkv.shape[1], windows)
    return blocked_attention(qkv.flatten(0, 1), _logit_bias(module, windows), rows, counts, module.scale)


def _dense(qkv: Tensor, module: WindowAttention3D, windows: Windows, dropout: float) -> Tensor:
    """All windows of a kind at once; they share a bias, which is not copied for each.

    Nothing here counts clips: of a network that is exported their number is open.
    """
    batch, _, _, heads, channels = qkv.shape
    bias = _logit_bias(module, windows).to(qkv.dtype)
    # The usual scale is torch's own: left out, torch 2.4 can write it as ONNX, which a number it cannot.
    scale = None if math.isclose(module.scale, channels**-0.5) else module.scale
    outs = []
    for kind, block in enumerate(windows.tokens.split(list(windows.counts))):
        own = qkv.index_select(1, block.reshape(-1)).view(-1, windows.num_tokens, 3, heads, channels)
        query, key, value = own.permute(2, 0, 3, 1, 4).unbind(0)
        shared = bias[kind].expand(query.shape[0], -1, -1, -1)
        found = scaled_dot_product_attention(query, key, value, shared, dropout, scale=scale)
        outs.append(found.transpose(1, 2).reshape(batch, -1, heads * channels))
    out = torch.cat(outs, 1)
    return torch.empty_like(out).index_copy(1, windows.tokens.reshape(-1), out)


def flexible(qkv: Tensor, module: WindowAttention3D, windows: Windows) -> Tensor:
    """One FlexAttention kernel for all windows; bias and mask are found by index arithmetic. As `attend`."""
    # Here and not above: it takes seconds, and torch 2.4 has none.
    from torch.nn.attention.flex_attention import flex_attention

    batch, tokens, _, heads, channels = qkv.shape
    count, size = windows.tokens.shape
    order = windows.tokens.reshape(-1)
    own = qkv.index_select(1, order).view(batch * count, size, 3, heads, channels)
    query, key, value = own.permute(2, 0, 3, 1, 4).unbind(0)
    bias, regions, kind_of = position_bias(module, size).contiguous(), windows.regions, windows.kind_of

    def biased(score: Tensor, window: Tensor, head: Tensor, to: Tensor, source: Tensor) -> Tensor:
        score = score + bias[head, to, source]
        if regions is None:
            return score
        kind = kind_of[window % count]
        return torch.where(regions[kind, to] == regions[kind, source], score, score + MASKED)

    found = flex_attention(query, key, value, score_mod=biased, scale=module.scale)
    found = found.transpose(1, 2).reshape(batch, tokens, heads * channels)
    return torch.empty_like(found).index_copy(1, order, found)
