"""Our Video Swin on CUDA: the same function, eagerly and compiled, in less memory."""

from __future__ import annotations

import pytest
import torch

from autox_video.runner import components  # noqa: F401
from autox_video.runner.hooks.compiling import compile_in_place
from autox_video.runner.models.video_swin import FastSwinTransformer3D

pytestmark = pytest.mark.gpu
OPTIONS = {
    "arch": {"embed_dims": 64, "depths": [2, 2], "num_heads": [2, 4]},
    "pretrained2d": False,
    "window_size": (8, 7, 7),
    "drop_path_rate": 0.0,
    "out_indices": (1,),
}


def gradients(model: torch.nn.Module, clips: torch.Tensor) -> list[torch.Tensor]:
    model.zero_grad(set_to_none=True)
    out = model(clips)
    (out * torch.linspace(-1, 1, out.numel(), device=out.device).view_as(out)).sum().backward()
    return [out.detach(), *(parameter.grad for parameter in model.parameters())]


@pytest.mark.parametrize("compiled", [False, True])
def test_outputs_and_gradients_on_cuda_are_mmaction2s(compiled, monkeypatch):
    from mmaction.models.backbones.swin import SwinTransformer3D

    monkeypatch.setattr(torch.backends.cuda.matmul, "allow_tf32", False)
    monkeypatch.setattr(torch.backends.cudnn, "allow_tf32", False)
    torch.manual_seed(0)
    stock, ours = SwinTransformer3D(**OPTIONS).cuda(), FastSwinTransformer3D(**OPTIONS).cuda()
    ours.load_state_dict(stock.state_dict())
    clips = torch.randn(2, 3, 32, 56, 56, device="cuda")
    wanted = gradients(stock, clips)
    if compiled:
        compile_in_place(ours, 2)
        gradients(ours, clips)  # the first batch is not compiled
    for got, other in zip(gradients(ours, clips), wanted, strict=True):
        assert (got - other).abs().max() <= 1e-4 * max(1.0, float(other.abs().max()))


def test_a_step_keeps_less_memory_than_mmaction2s():
    from mmaction.models.backbones.swin import SwinTransformer3D

    peaks = []
    clips = torch.randn(2, 3, 32, 112, 112, device="cuda")
    for kind in (SwinTransformer3D, FastSwinTransformer3D):
        model = kind(**OPTIONS).cuda()
        torch.cuda.reset_peak_memory_stats()
        with torch.autocast("cuda", torch.bfloat16):
            out = model(clips)
        out.float().sum().backward()
        peaks.append(torch.cuda.max_memory_allocated())
        del model, out
    assert peaks[1] < peaks[0]
