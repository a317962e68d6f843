"""One part of each kind, registered under its name: what `plugins: [my_parts]` in a config.yaml makes known."""

from __future__ import annotations

import logging

import numpy as np
import torch
from mmaction.models import BaseWeightedLoss
from mmaction.registry import MODELS, TRANSFORMS
from mmcv.transforms import BaseTransform
from mmengine.hooks import Hook
from mmengine.registry import HOOKS, OPTIMIZERS

logger = logging.getLogger("autox_video")


@MODELS.register_module()
class TinyConv3D(torch.nn.Module):
    """A model: clips of shape (N, 3, T, H, W) in, features of shape (N, channels, T', H', W') out."""

    def __init__(self, channels: int = 16) -> None:
        super().__init__()
        self.layers = torch.nn.Sequential(
            torch.nn.Conv3d(3, channels, 3, stride=2, padding=1),
            torch.nn.ReLU(),
            torch.nn.Conv3d(channels, channels, 3, stride=2, padding=1),
        )

    def forward(self, clips: torch.Tensor) -> torch.Tensor:
        return self.layers(clips)


@TRANSFORMS.register_module()
class FrameNoise(BaseTransform):
    """A transform: noise on the frames of a training clip, the same on all of them.

    Whatever is drawn from `np.random` or `random` is drawn again when an interrupted run goes on: both are seeded for
    each sample. A generator with a seed of its own would break that.
    """

    def __init__(self, sigma: float = 4.0) -> None:
        self.sigma = sigma

    def transform(self, results: dict) -> dict:
        noise = np.random.normal(0, self.sigma, results["imgs"][0].shape)
        results["imgs"] = [np.clip(frame + noise, 0, 255).astype(np.uint8) for frame in results["imgs"]]
        return results


@MODELS.register_module()
class FocalLoss1(BaseWeightedLoss):
    """A loss: cross entropy that heeds sure predictions less (focal loss, arXiv:1708.02002, gamma 1)."""

    def _forward(self, cls_score: torch.Tensor, label: torch.Tensor, **rest: object) -> torch.Tensor:
        entropy = torch.nn.functional.cross_entropy(cls_score, label, reduction="none")
        return ((1 - torch.exp(-entropy)) * entropy).mean()


@OPTIMIZERS.register_module()
class SignSGD(torch.optim.Optimizer):
    """An optimizer: steps of one length in the direction of each gradient's sign."""

    def __init__(self, params, lr: float = 1e-3, weight_decay: float = 0.0) -> None:
        super().__init__(params, {"lr": lr, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self, closure=None) -> None:
        for group in self.param_groups:
            for weights in group["params"]:
                if weights.grad is not None:
                    weights.mul_(1 - group["lr"] * group["weight_decay"])
                    weights.add_(weights.grad.sign(), alpha=-group["lr"])


@HOOKS.register_module()
class LargestWeightHook(Hook):
    """A hook: says after each epoch how large the largest weight has become.

    A hook with `state_dict()` and `load_state_dict(state)` has its state in every checkpoint.
    """

    def after_train_epoch(self, runner) -> None:
        largest = max(float(weights.detach().abs().max()) for weights in runner.model.parameters())
        logger.info("plugin   largest weight %.3f", largest)
