"""A small backbone of MMAction2 of each kind, and clips for it."""

from __future__ import annotations

from typing import Any

import torch

_SLOW = {"type": "resnet3d", "depth": 50, "pretrained": None, "base_channels": 8, "norm_eval": False}
_SLOW |= {"conv1_stride_t": 1, "pool1_stride_t": 1, "conv1_kernel": (1, 7, 7)}
FRAMES_2D = torch.rand(8, 3, 32, 32)
CLIPS = torch.rand(2, 3, 4, 32, 32)
# Name: backbone, stages, layers.
KINDS: dict[str, tuple[dict[str, Any], int, int]] = {
    "ResNet": ({"type": "ResNet", "depth": 18, "norm_eval": False}, 4, 4),
    "MobileNetV2": ({"type": "MobileNetV2TSM", "num_segments": 4, "shift_div": 8, "widen_factor": 0.25}, 7, 7),
    "SlowFast": (
        {
            "type": "ResNet3dSlowFast",
            "pretrained": None,
            "resample_rate": 2,
            "speed_ratio": 2,
            "channel_ratio": 2,
            "slow_pathway": {**_SLOW, "lateral": True, "channel_ratio": 2, "speed_ratio": 2},
            "fast_pathway": {**_SLOW, "lateral": False, "base_channels": 4},
        },
        4,
        4,
    ),
    "X3D": ({"type": "X3D", "gamma_w": 1.0, "gamma_b": 1.0, "gamma_d": 1.0}, 4, 4),
    "VideoMAE": (
        {"type": "VisionTransformer", "img_size": 32, "embed_dims": 24, "depth": 3, "num_heads": 2, "num_frames": 4}
        | {"norm_cfg": {"type": "LN", "eps": 1e-6}, "qkv_bias": True},
        3,
        3,
    ),
    "MViT": (
        {
            "type": "MViT",
            "arch": {"embed_dims": 8, "num_layers": 4, "num_heads": 1, "downscale_indices": [1, 3]},
            **{"spatial_size": 32, "temporal_size": 4, "drop_path_rate": 0.1},
        },
        4,
        4,
    ),
    "UniFormer": ({"type": "UniFormer", "depth": [1, 2, 2, 1], "embed_dim": [16, 32, 32, 64], "head_dim": 16}, 4, 6),
    "Swin": (
        {
            "type": "FastSwinTransformer3D",
            "arch": {"embed_dims": 16, "depths": [1, 2], "num_heads": [2, 4]},
            **{"pretrained": None, "pretrained2d": False, "patch_size": (2, 8, 8), "window_size": (2, 2, 2)},
            **{"out_indices": (1,), "drop_path_rate": 0.2},
        },
        2,
        3,
    ),
}


def clips_for(kind: str) -> torch.Tensor:
    """Two clips, or the frames of two videos."""
    return FRAMES_2D if kind in ("ResNet", "MobileNetV2") else CLIPS


def total(features: Any) -> torch.Tensor:
    """All that a backbone returns, added up."""
    if isinstance(features, torch.Tensor):
        return features.sum()
    return sum((total(part) for part in features), torch.zeros(()))
