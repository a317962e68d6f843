from __future__ import annotations

import dataclasses

import pytest
import samples

from autox_video.errors import RequestError
from autox_video.plan.make_plan import make_plan
from autox_video.plan.schema import Plan
from autox_video.presets import load_preset
from autox_video.render.config import render_config


def several(**values) -> Plan:
    facts = dataclasses.replace(samples.fingerprint(counts={"run": 300, "jump": 10}), task="multi_label")
    return make_plan(samples.settings(**values), facts, load_preset("video_swin_nano"), samples.CPU)


def test_several_labels_are_judged_by_average_precision_and_not_weighed():
    plan = several()
    assert (plan.best_metric.value, plan.best_metric.why) == ("mean_average_precision", "a video has several labels")
    assert (plan.balance.value, plan.balance.why) == ("none", "a rare label has a threshold of its own instead")
    assert plan.class_weights.value is None
    assert several(data={"balance": "weights"}).class_weights.value == (0.516667, 15.5)


def test_a_video_with_several_labels_is_not_drawn_for_one_of_them():
    with pytest.raises(RequestError) as caught:
        several(data={"balance": "sampler"})
    assert str(caught.value) == (
        "fit(): data.balance: a video with several labels cannot be drawn for one of them alone (got sampler). "
        "Choose none or weights."
    )


@pytest.mark.parametrize(
    ("task", "metric", "known"),
    [
        ("multi_label", "top1", "mean_average_precision"),
        ("single_label", "mean_average_precision", "top1 or mean_class_accuracy"),
    ],
)
def test_a_figure_of_another_task_is_refused(task, metric, known):
    data = dataclasses.replace(samples.fingerprint(), task=task)
    with pytest.raises(RequestError) as caught:
        samples.plan(data=data, train={"best_metric": metric})
    assert str(caught.value) == f"fit(): train.best_metric: is no figure of {task} (got {metric}). Choose {known}."


@pytest.mark.parametrize("stock", [False, True], ids=["ours", "stock"])
def test_the_rendered_config_learns_each_label_on_its_own(stock):
    data = dataclasses.replace(samples.fingerprint(), task="multi_label")
    config = render_config(*samples.plan(data=data), samples.RUN, stock=stock)
    head = config.model.cls_head
    assert (head.multi_class, head.average_clips, head.loss_cls.type) == (True, "score", "BCELossWithLogits")
    for split in ("train", "val", "test"):
        dataset = config[f"{split}_dataloader"].dataset
        assert (dataset.multi_class, dataset.num_classes) == (True, 2)
