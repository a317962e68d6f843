"""Attention within the windows of a feature map, by what is fastest where it is computed."""

from __future__ import annotations

import torch
from mmaction.models.backbones.swin import WindowAttention3D
from torch import Tensor
from torch.nn.functional import scaled_dot_product_attention

from autox_video.runner.models.blocked_attention import blocked_attention
from autox_video.runner.models.windows import Windows


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
    if qkv.device.type == "cpu" and not dropout and not torch.compiler.is_compiling():
        return _blocked(qkv, module, windows)
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


def _blocked(qkv: Tensor, module: WindowAttention3D, windows: Windows) -> Tensor:
    batch, tokens, _, _, _ = qkv.shape
    # Windows of a kind together, of all clips.
    parts = windows.tokens.split(list(windows.counts))
    starts = torch.arange(0, batch * tokens, tokens, device=qkv.device)[:, None, None]
    rows = torch.cat([(starts + part).flatten(0, 1) for part in parts])
    counts = tuple(batch * count for count in windows.counts)
    return blocked_attention(qkv.flatten(0, 1), _logit_bias(module, windows), rows, counts, module.scale)


def _dense(qkv: Tensor, module: WindowAttention3D, windows: Windows, dropout: float) -> Tensor:
    """All windows at once, through torch's own kernel."""
    batch, tokens, _, heads, channels = qkv.shape
    count, size = windows.tokens.shape
    own = qkv.index_select(1, windows.tokens.reshape(-1)).view(batch, count, size, 3, heads, channels)
    bias = _logit_bias(module, windows).to(qkv.dtype)
    if len(windows.counts) > 1:
        bias = bias.repeat_interleave(torch.tensor(windows.counts, device=bias.device), 0, output_size=count)
    query, key, value = own.permute(3, 0, 1, 4, 2, 5).unbind(0)
    found = scaled_dot_product_attention(query, key, value, bias, dropout, scale=module.scale)
    found = found.transpose(2, 3).reshape(batch, tokens, heads * channels)
    return torch.empty_like(found).index_copy(1, windows.tokens.reshape(-1), found)
