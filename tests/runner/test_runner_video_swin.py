"""Our Video Swin computes what MMAction2's does, forward and backward, on every kind of input."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from autox_video.runner import components  # noqa: F401
from autox_video.runner.models import blocked_attention
from autox_video.runner.models.video_swin import FastSwinTransformer3D
from autox_video.runner.models.window_attention import HAS_FLEX, attend, flexible
from autox_video.runner.models.windows import find_windows

# Both must do the same at the same rate; rounding differs with the order of sums.
TOLERANCE = 1e-5
SMALL: dict[str, Any] = {
    "arch": {"embed_dims": 16, "depths": [2, 2], "num_heads": [2, 4]},
    "pretrained2d": False,
    "patch_size": (2, 4, 4),
    "window_size": (4, 4, 4),
    "drop_path_rate": 0.2,
    "out_indices": (1,),
}
# Name: shape of the clips, what differs from SMALL.
CASES: dict[str, tuple[tuple[int, ...], dict[str, Any]]] = {
    "windows that divide the map": ((2, 3, 8, 32, 32), {}),
    "shifted in time too": ((2, 3, 16, 32, 32), {}),
    "padded windows": ((1, 3, 8, 36, 44), {"window_size": (4, 3, 4)}),
    "padded in time too, patches cut off, odd sizes": ((3, 3, 11, 30, 45), {"window_size": (4, 4, 4)}),
    "windows larger than the map": ((2, 3, 4, 8, 8), {"window_size": (8, 7, 7)}),
    "windows larger in time only": ((2, 3, 8, 56, 56), {"window_size": (8, 7, 7)}),
    "recomputed in the backward pass": ((2, 3, 8, 32, 32), {"with_cp": True}),
    "features of every stage": ((2, 3, 8, 32, 32), {"out_indices": (0, 1)}),
    "features after merging": ((2, 3, 8, 32, 32), {"out_indices": (0, 1), "out_after_downsample": True}),
    "without a norm of patches": ((2, 3, 8, 32, 32), {"patch_norm": False, "qkv_bias": False, "qk_scale": 0.3}),
    "one square patch size": ((2, 3, 8, 32, 32), {"patch_size": (4, 4, 4)}),
    "a first stage that does not learn": ((2, 3, 8, 32, 32), {"frozen_stages": 1}),
}


def pair(**options: Any) -> tuple[torch.nn.Module, torch.nn.Module]:
    """MMAction2's backbone and ours with the same weights, none of them at a value that hides a mistake."""
    from mmaction.models.backbones.swin import SwinTransformer3D

    torch.manual_seed(0)
    stock, ours = SwinTransformer3D(**{**SMALL, **options}), FastSwinTransformer3D(**{**SMALL, **options})
    for parameter in stock.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    ours.load_state_dict(stock.state_dict())
    return stock, ours


def computed(model: torch.nn.Module, clips: torch.Tensor) -> tuple[list[torch.Tensor], list[torch.Tensor | None]]:
    """Outputs, and gradients of the input and all parameters."""
    clips = clips.clone().requires_grad_()
    torch.manual_seed(1)
    model.train()
    outs = model(clips)
    outs = list(outs) if isinstance(outs, tuple) else [outs]
    sum((out * torch.linspace(-1, 1, out.numel()).view_as(out)).sum() for out in outs).backward()
    return outs, [clips.grad, *(parameter.grad for parameter in model.parameters())]


def assert_close(got: torch.Tensor | None, wanted: torch.Tensor | None) -> None:
    assert (got is None) == (wanted is None)
    if got is not None and wanted is not None:
        got, wanted = got.detach(), wanted.detach()
        assert (got - wanted).abs().max() <= TOLERANCE * max(1.0, float(wanted.abs().max()))


def test_the_state_dict_is_mmaction2s():
    stock, ours = pair()
    assert [(key, value.shape) for key, value in ours.state_dict().items()] == [
        (key, value.shape) for key, value in stock.state_dict().items()
    ]


@pytest.mark.parametrize("case", CASES)
def test_outputs_and_gradients_are_mmaction2s(case):
    shape, options = CASES[case]
    stock, ours = pair(**options)
    clips = torch.randn(shape)
    (wanted, wanted_grads), (got, got_grads) = computed(stock, clips), computed(ours, clips)
    for one, other in [*zip(got, wanted, strict=True), *zip(got_grads, wanted_grads, strict=True)]:
        assert_close(one, other)


def test_scoring_is_mmaction2s():
    stock, ours = pair()
    for model in (stock, ours):
        model.eval()  # which returns nothing
    clips = torch.randn(5, 3, 8, 32, 32)
    with torch.no_grad():
        assert_close(ours(clips), stock(clips))


@pytest.mark.parametrize("options", [{}, {"window_size": (4, 3, 4)}], ids=["divided", "padded"])
def test_the_dense_way_of_other_devices_and_of_compilation_is_the_same(options, monkeypatch):
    stock, ours = pair(**options)
    clips = torch.randn(2, 3, 8, 36, 36)
    wanted, wanted_grads = computed(stock, clips)
    monkeypatch.setattr(torch.compiler, "is_compiling", lambda: True)
    got, got_grads = computed(ours, clips)
    for one, other in [*zip(got, wanted, strict=True), *zip(got_grads, wanted_grads, strict=True)]:
        assert_close(one, other)


@pytest.mark.parametrize("options", [{"attn_drop_rate": 0.5}, {"drop_rate": 0.5}])
def test_what_is_dropped_is_dropped_in_training_only(options):
    _, ours = pair(drop_path_rate=0.0, **options)
    clips = torch.randn(1, 3, 8, 16, 16)
    assert not torch.equal(ours(clips), ours(clips))
    ours.eval()
    assert torch.equal(ours(clips), ours(clips))


def test_small_blocks_change_nothing(monkeypatch):
    _, ours = pair()
    clips = torch.randn(2, 3, 8, 32, 32)
    wanted, wanted_grads = computed(ours, clips)
    ours.zero_grad(set_to_none=True)
    monkeypatch.setattr(blocked_attention, "BLOCK_BYTES", 1)
    got, got_grads = computed(ours, clips)
    for one, other in [*zip(got, wanted, strict=True), *zip(got_grads, wanted_grads, strict=True)]:
        assert_close(one, other)


def test_bfloat16_is_near():
    stock, ours = pair(drop_path_rate=0.0)
    for model in (stock, ours):
        for parameter in model.parameters():
            parameter.data *= 0.3
    clips = torch.randn(2, 3, 8, 32, 32)
    wanted = stock(clips)
    with torch.autocast("cpu", torch.bfloat16):
        got = ours(clips)
    assert got.dtype == torch.bfloat16
    assert 0 < (got - wanted).abs().max() < 0.03 * wanted.abs().max()


@pytest.mark.parametrize(
    ("map_size", "window", "shifted", "padded", "counts"),
    [
        ((4, 8, 8), (4, 4, 4), False, (4, 8, 8), (4,)),
        ((4, 8, 8), (4, 4, 4), True, (4, 8, 8), (1, 1, 1, 1)),
        ((4, 28, 28), (8, 7, 7), True, (4, 28, 28), (9, 3, 3, 1)),
        ((16, 56, 56), (8, 7, 7), True, (16, 56, 56), (49, 7, 7, 1, 49, 7, 7, 1)),
        ((4, 4, 4), (8, 7, 7), True, (4, 4, 4), (1,)),
        ((5, 9, 4), (4, 4, 4), False, (8, 12, 4), (6,)),
    ],
)
def test_windows_that_are_alike_are_counted_together(map_size, window, shifted, padded, counts):
    found = find_windows(map_size, window, shifted, torch.device("cpu"))
    assert (found.padded, sorted(found.counts)) == (padded, sorted(counts))
    assert sorted(found.tokens.flatten().tolist()) == list(range(padded[0] * padded[1] * padded[2]))


@pytest.mark.skipif(not HAS_FLEX, reason="there is no FlexAttention that learns a bias before 2.6")
@pytest.mark.parametrize(("map_size", "shifted"), [((2, 8, 8), False), ((2, 8, 8), True), ((4, 6, 8), True)])
def test_the_kernel_for_cuda_finds_bias_and_mask_by_index(map_size, shifted):
    _, ours = pair(arch={"embed_dims": 32, "depths": [2, 2], "num_heads": [2, 4]}, window_size=(2, 4, 4))
    module = ours.layers[0].blocks[0].attn
    windows = find_windows(map_size, (2, 4, 4), shifted, torch.device("cpu"))
    qkv = torch.randn(2, windows.tokens.numel(), 3, 2, 16)
    with torch.no_grad():
        assert_close(flexible(qkv, module, windows), attend(qkv, module, windows).view(2, -1, 32))
