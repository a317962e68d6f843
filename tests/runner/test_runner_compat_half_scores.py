from __future__ import annotations

from typing import Any

import pytest
import torch

from autox_video.runner.compat import half_scores


@pytest.fixture(scope="module")
def head() -> Any:
    half_scores.apply()
    from mmaction.models.heads import I3DHead
    from mmengine.registry import init_default_scope

    init_default_scope("mmaction")
    return I3DHead(num_classes=3, in_channels=4, dropout_ratio=0.0)


def samples() -> list[Any]:
    from mmaction.structures import ActionDataSample

    return [ActionDataSample().set_gt_label(label) for label in (2, 0)]


SCORES = torch.tensor([[0.0, 1.0, 2.0], [0.5, 1.0, 0.0]])


def test_stock_stumbles_over_bfloat16(head):
    stock = type(head).loss_by_feat.__wrapped__
    with pytest.raises(TypeError, match="BFloat16"):
        stock(head, SCORES.bfloat16(), samples())


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float32])
def test_loss_and_accuracy_are_computed_in_float32(head, dtype):
    scores = SCORES.to(dtype).requires_grad_()
    losses = head.loss_by_feat(scores, samples())
    assert losses["top1_acc"] == 0.5
    assert losses["loss_cls"].dtype == torch.float32
    assert losses["loss_cls"].item() == torch.nn.functional.cross_entropy(SCORES, torch.tensor([2, 0])).item()
    losses["loss_cls"].backward()
    assert scores.grad.dtype == dtype
    assert scores.grad.abs().sum() > 0


def test_a_step_under_autocast_trains(head):
    with torch.autocast("cpu", dtype=torch.bfloat16):
        losses = head.loss(torch.randn(2, 4, 1, 2, 2), samples())
    losses["loss_cls"].backward()
    assert head.fc_cls.weight.grad.abs().sum() > 0


def test_applying_again_wraps_once(head):
    wrapped = type(head).loss_by_feat
    half_scores.apply()
    assert type(head).loss_by_feat is wrapped
    assert not hasattr(wrapped.__wrapped__, "__wrapped__")
