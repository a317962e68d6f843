"""Video Swin with MMAction2's parameters and a forward pass of its own: the same function, computed with less work."""

from __future__ import annotations

from typing import Any

import torch
from mmaction.models.backbones.swin import (
    PatchMerging,
    SwinTransformer3D,
    SwinTransformerBlock3D,
    WindowAttention3D,
)
from mmengine.registry import MODELS
from torch import Tensor
from torch.nn.functional import linear, pad
from torch.utils.checkpoint import checkpoint

from autox_video.runner.models.window_attention import attend
from autox_video.runner.models.windows import Size, Windows, find_windows


@MODELS.register_module()
class FastSwinTransformer3D(SwinTransformer3D):
    """MMAction2's `SwinTransformer3D`: arguments, parameters, buffers and checkpoints are its own.

    What differs is how `forward` comes to the same result (within rounding): tokens stay in one (B, D, H, W, C) tensor
    instead of changing between two layouts; rolling, dividing into windows and splitting into heads are one copy;
    logits are neither kept nor masked window by window; patches are embedded by a matrix product. Under autocast the
    first stage adds up in float32 and the others in autocast's format, on every device, as MMAction2's does on CUDA.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._windows: dict[tuple[Size, torch.device], list[list[Windows]]] = {}
        for layer in self.layers:
            for block in layer.blocks:
                block.__class__ = FastBlock

    def forward(self, x: Tensor) -> Tensor | tuple[Tensor, ...]:
        """Features of each stage in `out_indices`.

        Args:
            x: (B, channels, D, H, W) normalised clips.

        Returns:
            (B, C, D, H, W) of each stage; the tensor itself where it is one stage.
        """
        stages = self._divided(_sizes(x, 2), x.device)
        x = self.pos_drop(self._embed(x))
        outs = []
        for number, (layer, stage) in enumerate(zip(self.layers, stages, strict=True)):
            for block, windows in zip(layer.blocks, stage, strict=True):
                x = block(x, windows)
            before = x
            if layer.downsample is not None:
                x = _merge(layer.downsample, x)
            if number in self.out_indices:
                own = x if self.out_after_downsample else before
                outs.append(getattr(self, f"norm{number}")(own).permute(0, 4, 1, 2, 3))
        return outs[0] if len(outs) == 1 else tuple(outs)

    def _embed(self, x: Tensor) -> Tensor:
        """(B, D, H, W, C) tokens. Patches do not overlap: their convolution is one matrix product."""
        embed = self.patch_embed
        patch = embed.proj.kernel_size
        own = _sizes(x, 2)[::-1]
        x = pad(x, [fill for full, side in zip(own, patch[::-1], strict=True) for fill in (0, -full % side)])
        batch, (channels, *size) = x.shape[0], _sizes(x, 1)
        depth, height, width = (own // side for own, side in zip(size, patch, strict=True))
        x = x.reshape(batch, channels, depth, patch[0], height, patch[1], width, patch[2])
        x = x.permute(0, 2, 4, 6, 1, 3, 5, 7).reshape(batch, depth, height, width, -1)
        x = linear(x, embed.proj.weight.flatten(1), embed.proj.bias)
        return x.float() if embed.norm is None else embed.norm(x.float())

    def _divided(self, size: Size, device: torch.device) -> list[list[Windows]]:
        """Windows of each block of each stage. They depend on the size of the clips alone, and are found once."""
        found = self._windows.get((size, device))
        if found is None:
            found = self._windows[size, device] = self._divide(size, device)
        return found

    def _divide(self, size: Size, device: torch.device) -> list[list[Windows]]:
        size = tuple(-(-own // side) for own, side in zip(size, self.patch_embed.proj.kernel_size, strict=True))
        stages = []
        for layer in self.layers:
            own = [(tuple(block.window_size), any(block.shift_size)) for block in layer.blocks]
            stages.append([find_windows(size, window_size, shifted, device) for window_size, shifted in own])
            size = (size[0], -(-size[1] // 2), -(-size[2] // 2))
        return stages


def _sizes(x: Tensor, first: int) -> Size:
    """The sizes from the dimension `first` on, as plain numbers: where a network is traced they are not."""
    return tuple(int(size) for size in x.shape[first:])


class FastBlock(SwinTransformerBlock3D):
    """A block that is told its windows. It is called as a module: what gathers sharded parameters hooks onto that."""

    def forward(self, x: Tensor, windows: Windows) -> Tensor:
        """(B, D, H, W, C) in and out."""
        if self.with_cp and torch.is_grad_enabled():
            x = x + self.drop_path(checkpoint(_attention, self, x, windows, use_reentrant=False))
            return x + checkpoint(self.forward_part2, x, use_reentrant=False)
        x = x + self.drop_path(_attention(self, x, windows))
        return x + self.forward_part2(x)


def _attention(block: SwinTransformerBlock3D, x: Tensor, windows: Windows) -> Tensor:
    """Norm and window attention of a block; (B, D, H, W, C) in and out."""
    own: WindowAttention3D = block.attn
    x = block.norm1(x)
    batch, (depth, height, width, channels) = x.shape[0], _sizes(x, 1)
    padding = [full - side for full, side in zip(windows.padded, (depth, height, width), strict=True)]
    if any(padding):
        x = pad(x, (0, 0, 0, padding[2], 0, padding[1], 0, padding[0]))
    qkv = own.qkv(x).view(batch, -1, 3, own.num_heads, channels // own.num_heads)
    x = attend(qkv, own, windows).view(batch, *windows.padded, channels)
    if any(padding):
        x = x[:, :depth, :height, :width]
    return own.proj_drop(own.proj(x))


def _merge(merging: PatchMerging, x: Tensor) -> Tensor:
    """Four neighbours become one token, as `PatchMerging` does, by one copy."""
    batch, (depth, height, width, channels) = x.shape[0], _sizes(x, 1)
    if height % 2 or width % 2:
        x = pad(x, (0, 0, 0, width % 2, 0, height % 2))
    x = x.reshape(batch, depth, -(-height // 2), 2, -(-width // 2), 2, channels).permute(0, 1, 2, 4, 5, 3, 6)
    return merging.reduction(merging.norm(x.flatten(4)))
