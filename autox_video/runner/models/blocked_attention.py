"""Window attention on the CPU, some windows at a time, so that their logits stay in the cache."""

from __future__ import annotations

from typing import Any

import torch
from torch.autograd.function import once_differentiable

# Logits of the windows that are computed together by one thread. They stay in its caches; much less, and Python's part
# of each round shows. (Measured on Zen 4 with 1 MiB of second-level cache: flat from 1 to 2 MiB.)
BLOCK_BYTES = 2**21


def blocked_attention(
    qkv: torch.Tensor, bias: torch.Tensor, rows: torch.Tensor, counts: tuple[int, ...], scale: float
) -> torch.Tensor:
    """Softmax attention within windows.

    Args:
        qkv: (tokens, 3, heads, channels of a head), in any order of tokens.
        bias: (kinds or 1, heads, tokens of a window, the same), added to the logits.
        rows: (windows, tokens of a window): where their tokens stand in `qkv`, each token in one window; windows of
            a kind together.
        counts: Windows of each kind.
        scale: Of the logits.

    Returns:
        (tokens, heads x channels), in the order of `qkv`.
    """
    out: torch.Tensor = _BlockedAttention.apply(qkv, bias.to(qkv.dtype).contiguous(), rows, counts, scale)
    return out


class _BlockedAttention(torch.autograd.Function):
    """Keeps queries, keys, values and shares of attention, in the number format they come in."""

    @staticmethod
    def forward(
        ctx: Any, qkv: torch.Tensor, bias: torch.Tensor, rows: torch.Tensor, counts: tuple[int, ...], scale: float
    ) -> torch.Tensor:
        tokens, _, heads, channels = qkv.shape
        size = rows.shape[1]
        out = qkv.new_empty(tokens, heads * channels)
        blocks = _blocks(qkv, rows, counts)
        kept = []
        with torch.autocast(qkv.device.type, enabled=False):
            for kind, block in blocks:
                own = qkv.index_select(0, block.reshape(-1)).view(-1, size, 3, heads, channels)
                own = own.permute(2, 0, 3, 1, 4).reshape(3, -1, size, channels)
                query, key, value = own
                logits = torch.bmm(query.mul_(scale), key.transpose(1, 2)).view(-1, heads, size, size)
                share = logits.add_(bias[kind]).softmax(-1).view(-1, size, size)
                found = torch.bmm(share, value).view(-1, heads, size, channels)
                out.index_copy_(0, block.reshape(-1), found.transpose(1, 2).reshape(block.numel(), -1))
                if ctx.needs_input_grad[0]:
                    kept += [own, share]
        ctx.save_for_backward(*kept)
        ctx.blocks, ctx.shape, ctx.bias_shape, ctx.scale = blocks, qkv.shape, bias.shape, scale
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        tokens, _, heads, channels = ctx.shape
        kept = ctx.saved_tensors
        grad = grad.reshape(tokens, heads * channels)
        grad_qkv = grad.new_empty(ctx.shape)
        # In float32: it is a sum over all windows.
        grad_bias = torch.zeros(ctx.bias_shape, dtype=torch.float32, device=grad.device)
        for (kind, block), own, share in zip(ctx.blocks, kept[::2], kept[1::2], strict=True):
            query, key, value = own
            size = block.shape[1]
            outer = grad.index_select(0, block.reshape(-1)).view(-1, size, heads, channels)
            outer = outer.transpose(1, 2).reshape(-1, size, channels)
            found = torch.empty_like(own)
            torch.bmm(share.transpose(1, 2), outer, out=found[2])
            logits = torch._softmax_backward_data(torch.bmm(outer, value.transpose(1, 2)), share, -1, share.dtype)
            grad_bias[kind] += logits.view(-1, heads, size, size).sum(0, dtype=torch.float32)
            torch.bmm(logits, key, out=found[0]).mul_(ctx.scale)
            torch.bmm(logits.transpose(1, 2), query, out=found[1])
            found = found.view(3, -1, heads, size, channels).permute(1, 3, 0, 2, 4)
            grad_qkv.index_copy_(0, block.reshape(-1), found.reshape(block.numel(), 3, heads, channels))
        return grad_qkv, grad_bias.to(grad.dtype), None, None, None


def _blocks(qkv: torch.Tensor, rows: torch.Tensor, counts: tuple[int, ...]) -> list[tuple[int, torch.Tensor]]:
    """Windows of one kind that are computed together, with the number of the kind."""
    of_one = qkv.shape[2] * rows.shape[1] ** 2 * qkv.element_size()
    together = max(1, BLOCK_BYTES * torch.get_num_threads() // of_one)
    return [(kind, block) for kind, windows in enumerate(rows.split(list(counts))) for block in windows.split(together)]
