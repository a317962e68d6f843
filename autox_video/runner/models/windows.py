"""Which tokens stand in which window of Video Swin, and which windows are alike."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import torch

# What MMAction2's Swin adds to a logit of two tokens that only the cyclic shift has brought together.
MASKED = -100.0
Size = tuple[int, ...]


@dataclass(frozen=True)
class Windows:
    """The windows of a feature map, one kind after another; windows of a kind have the same mask.

    Attributes:
        size: Depth, height and width of a window.
        shift: What the map is rolled back by before it is divided.
        padded: The map's size, as a multiple of the window's.
        tokens: (windows, tokens of one) positions in the flattened padded map.
        counts: Windows of each kind.
        kind_of: (windows,) the kind of each.
        regions: (kinds, tokens of one) number of the region that a token comes from: tokens of different regions
            are no neighbours in the map and do not see each other. None where no window has more than one.
    """

    size: Size
    shift: Size
    padded: Size
    tokens: torch.Tensor
    counts: tuple[int, ...]
    kind_of: torch.Tensor
    regions: torch.Tensor | None

    @property
    def num_tokens(self) -> int:
        """Of one window."""
        return self.tokens.shape[1]

    def mask(self) -> torch.Tensor | None:
        """(kinds, tokens, tokens): what is added to the logits; None where there is nothing to add."""
        if self.regions is None:
            return None
        apart = self.regions[:, :, None] != self.regions[:, None, :]
        return apart.to(torch.float32) * MASKED


def find_windows(map_size: Size, window_size: Size, shifted: bool, device: torch.device) -> Windows:
    """Divide a feature map.

    Args:
        map_size: Depth, height and width, in tokens.
        window_size: As the model has it; no larger than the map where the map is smaller.
        shifted: Whether windows are moved by half their size, where the map is larger than one.
        device: Where the tensors are to be.
    """
    size = tuple(min(own, wanted) for own, wanted in zip(map_size, window_size, strict=True))
    shift = tuple(
        wanted // 2 if shifted and own > wanted else 0 for own, wanted in zip(map_size, window_size, strict=True)
    )
    padded = tuple(-(-own // side) * side for own, side in zip(map_size, size, strict=True))
    volume = torch.arange(padded[0] * padded[1] * padded[2]).view(padded)
    tokens = _divided(volume.roll([-step for step in shift], (0, 1, 2)), size)
    if not any(shift):
        alike = torch.zeros(len(tokens), dtype=torch.int64, device=device)
        return Windows(size, shift, padded, tokens.to(device), (len(tokens),), alike, None)
    regions = _divided(_regions(padded, size, shift), size)
    # Windows are alike where their regions lie alike; which regions those are makes no difference.
    patterns = regions - regions.min(1, keepdim=True).values
    kinds, kind_of, counts = patterns.unique(dim=0, return_inverse=True, return_counts=True)
    order = kind_of.argsort(stable=True)
    own = (tokens[order].to(device), tuple(counts.tolist()), kind_of[order].to(device), kinds.to(device))
    return Windows(size, shift, padded, *own)


def _divided(volume: torch.Tensor, size: Size) -> torch.Tensor:
    """(windows, tokens of one), both in the order of the map."""
    depth, height, width = (own // side for own, side in zip(volume.shape, size, strict=True))
    parts = volume.view(depth, size[0], height, size[1], width, size[2])
    return parts.permute(0, 2, 4, 1, 3, 5).reshape(depth * height * width, -1)


def _regions(padded: Size, size: Size, shift: Size) -> torch.Tensor:
    """Number of the region of each token of the rolled map: before the last window, in it, and rolled into it.

    MMAction2 slices by `-shift:`, which with no shift is everything: the last number written counts. So a direction
    without a shift is one region there too.
    """
    volume = torch.zeros(padded, dtype=torch.int64)
    cuts = [
        (slice(-side), slice(-side, -step), slice(-step, None)) if step else (slice(None),)
        for side, step in zip(size, shift, strict=True)
    ]
    for number, place in enumerate(itertools.product(*cuts)):
        volume[place] = number
    return volume
