"""What of a recipe stands in the rendered config, and in the one for MMAction2 alone."""

from __future__ import annotations

from typing import Any

import pytest
import samples

from autox_video.errors import RequestError
from autox_video.render.config import render_config

WEIGHTS = {"name": "video_swin_tiny", "load_from": "/weights.pth"}


def rendered(stock: bool, **values: Any) -> Any:
    return render_config(*samples.plan(samples.GPU, model=WEIGHTS, **values), samples.RUN, stock=stock)


@pytest.mark.parametrize("stock", [False, True], ids=["ours", "stock"])
def test_optimizer_clipping_and_smoothing_are_in_both(stock):
    train = {"optimizer": "sgd", "learning_rate": 0.1, "weight_decay": 1e-4, "clip_grad": 20, "label_smoothing": 0.1}
    config = rendered(stock, train=train)
    fused = {} if stock else {"fused": True}
    expected = {"type": "SGD", "lr": 0.1, "weight_decay": 1e-4, "momentum": 0.9, "nesterov": True, **fused}
    assert config.optim_wrapper.optimizer.to_dict() == expected
    assert config.optim_wrapper.clip_grad.to_dict() == {"max_norm": 20}
    assert config.model.cls_head.label_smooth_eps == 0.1


@pytest.mark.parametrize(("stock", "kind"), [(False, "AveragedWeightsHook"), (True, "EMAHook")])
def test_the_weights_are_averaged_over_steps_in_both(stock, kind):
    config = rendered(stock, train={"ema": 0.99, "accumulation": 4}, videos_per_gpu=2)
    (hook,) = (hook for hook in config.custom_hooks if hook.type == kind)
    assert hook.momentum == pytest.approx(0.01)
    assert hook.get("interval") == (4 if stock else None)


@pytest.mark.parametrize(
    ("freeze", "stages", "ours"), [("stages:2", 2, "stages:2"), ("head_only", 4, "head_only"), ("none", None, None)]
)
def test_stages_are_frozen_by_mmaction2_itself_in_a_stock_config(freeze, stages, ours):
    config = rendered(False, train={"freeze": freeze})
    assert config.model.backbone.get("freeze") == ours
    assert config.model.backbone.type == ("FastSwinTransformer3D" if ours is None else "PartlyFrozen")
    assert config.model.backbone.get("backbone_type") == (None if ours is None else "FastSwinTransformer3D")
    config = rendered(True, train={"freeze": freeze})
    assert config.model.backbone.type == "SwinTransformer3D"
    assert config.model.backbone.get("frozen_stages") == stages


@pytest.mark.parametrize("schedule", ["cosine", "step", "plateau", "restarts", "one_cycle", "constant"])
def test_the_schedule_is_the_same_in_a_stock_config(schedule):
    ours, stock = (
        rendered(stock, train={"schedule": schedule}, videos_per_gpu=8).param_scheduler for stock in (False, True)
    )
    assert [one.type for one in ours] == [one.type for one in stock]
    if schedule == "plateau":
        assert (ours[-1].pop("monitor"), stock[-1].pop("monitor")) == ("top1", "acc/top1")
    assert [one.to_dict() for one in ours] == [one.to_dict() for one in stock]


def test_what_mmaction2_alone_cannot_is_refused():
    with pytest.raises(RequestError) as caught:
        rendered(True, train={"norm_eval": True})
    assert str(caught.value) == (
        "train.norm_eval: MMAction2 cannot keep the statistics of a SwinTransformer3D by itself (got True). "
        "Leave it out for this config."
    )
    with pytest.raises(RequestError) as caught:
        rendered(True, train={"layer_decay": 0.8})
    assert str(caught.value) == (
        "train.layer_decay: MMAction2 cannot decay layers of a SwinTransformer3D by itself (got 0.8). "
        "Leave it out for this config."
    )
