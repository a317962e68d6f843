"""Mixup and cutmix by MMAction2, of our batches: labels that are shares of classes, in the loss and in the report."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
import samples
import torch
from mmaction.registry import MODELS
from mmaction.structures import ActionDataSample
from mmengine.registry import DefaultScope

from autox_video.render.config import render_config
from autox_video.runner import components  # noqa: F401  (registers the preprocessor)
from autox_video.runner.batches import stack_clips
from autox_video.runner.hooks.epoch_report import EpochReportHook
from autox_video.runner.randomness import seed_step
from autox_video.tasks import load_task

CLASSES = 3
BOTH = {"mixup": 0.8, "cutmix": 1.0}


def parts(augment: dict[str, float]):
    """The preprocessor that a plan with these switches has."""
    data = samples.fingerprint(counts=dict.fromkeys("abc", 100))
    plan, preset = samples.plan(samples.CPU, data, model="video_swin_nano", videos_per_gpu=4, augment=augment)
    with DefaultScope.overwrite_default_scope("mmaction"):
        return MODELS.build(render_config(plan, preset, samples.RUN).model.data_preprocessor)


def batch(labels) -> dict:
    """Clips of one value each, its place in the batch."""
    made = []
    for place, label in enumerate(labels):
        clip = torch.full((1, 3, 2, 8, 8), 40 * place, dtype=torch.uint8)
        sample = ActionDataSample().set_gt_label(torch.tensor(label))
        made.append({"inputs": clip, "data_samples": sample})
    return stack_clips(made)


def blended(augment: dict[str, float], labels, step: int = 0):
    seed_step(0, 0, step)
    got = parts(augment)(batch(labels), training=True)
    return got["inputs"], torch.stack([sample.gt_label for sample in got["data_samples"]])


@pytest.mark.parametrize("augment", [{"mixup": 0.8}, {"cutmix": 1.0}, BOTH])
def test_a_step_draws_its_own_mixture_and_a_repeated_one_the_same(augment):
    one, labels = blended(augment, [[0], [1], [2], [1]], step=3)
    again, same = blended(augment, [[0], [1], [2], [1]], step=3)
    assert torch.equal(one, again)
    assert torch.equal(labels, same)
    others = [blended(augment, [[0], [1], [2], [1]], step=step)[1] for step in range(6)]
    assert len({tuple(other.ravel().tolist()) for other in others}) > 4
    assert torch.allclose(labels.sum(dim=1), torch.ones(4))


def test_with_both_each_step_draws_one_of_them():
    kinds = set()
    for step in range(8):
        clips, _ = blended(BOTH, [[0], [1], [2], [1]], step)
        # Mixup leaves a clip of one value even, cutmix does not.
        kinds.add(max(float(clip[:, 0].max() - clip[:, 0].min()) for clip in clips) > 0.01)
    assert kinds == {True, False}


def test_a_label_has_as_much_of_a_class_as_the_clip_of_its_video():
    clips, labels = blended({"cutmix": 1.0}, [[0], [1], [2], [1]], step=3)
    mean, std = 123.675, 58.395
    for place, own in enumerate([0, 1, 2, 1]):
        kept = torch.isclose(clips[place, 0, 0] * std + mean, torch.tensor(40.0 * place), atol=0.5).float().mean()
        if kept < 1:
            assert float(labels[place, own]) == pytest.approx(float(kept), abs=1e-6)
        assert (clips[place, 0, :, 0] == clips[place, 0, :, 1]).all()  # all frames alike


def test_nothing_is_mixed_in_validation():
    clips = parts(BOTH)(batch([[0], [1]]), training=False)
    assert [sample.gt_label.tolist() for sample in clips["data_samples"]] == [[0], [1]]


@pytest.mark.parametrize("count", [1, 3])
@pytest.mark.parametrize("weights", [None, (1.0, 2.0, 4.0)])
@pytest.mark.parametrize("smoothing", [0.0, 0.1])
@pytest.mark.parametrize("task", ["single_label", "multi_label"])
def test_the_loss_takes_shares_of_classes(task, smoothing, weights, count):
    labels = [[0], [1], [2]] if task == "single_label" else [[1.0, 0.0, 1.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]
    _, shares = blended({"mixup": 0.8}, labels[:count], step=1)
    settings = load_task(task).head_settings(CLASSES, weights)
    with DefaultScope.overwrite_default_scope("mmaction"):
        head = MODELS.build(
            {"type": "I3DHead", "in_channels": 8, "average_clips": "prob", "label_smooth_eps": smoothing, **settings}
        )
    described = [ActionDataSample().set_gt_label(share) for share in shares]
    scores = torch.randn(count, CLASSES, generator=torch.Generator().manual_seed(0))
    losses = head.loss_by_feat(scores, described)
    targets = (1 - smoothing) * shares + smoothing / CLASSES
    weight = torch.tensor(weights or (1.0,) * CLASSES)
    if task == "single_label":
        expected = -(targets * weight * scores.log_softmax(1)).sum() / (weight * targets).sum()
    else:
        expected = torch.nn.functional.binary_cross_entropy_with_logits(scores, targets, weight)
    assert float(losses["loss_cls"]) == pytest.approx(float(expected), rel=1e-5)
    assert not any(name.startswith("top") for name in losses)


@pytest.mark.parametrize(("blending", "figures"), [(None, {"top1"}), ("mixes", set())])
def test_training_top1_is_told_where_a_clip_has_one_class_and_left_out_where_it_has_not(blending, figures):
    metric = SimpleNamespace(task=load_task("single_label"))
    runner = SimpleNamespace(
        model=SimpleNamespace(data_preprocessor=SimpleNamespace(blending=blending)),
        val_evaluator=SimpleNamespace(metrics=[metric]),
        train_dataloader=[1],
        message_hub=SimpleNamespace(get_scalar=lambda name: SimpleNamespace(current=lambda: 0.5)),
        train_loop=SimpleNamespace(validation_is_due=lambda epoch: True),
        optim_wrapper=SimpleNamespace(get_lr=lambda: {"lr": [0.1]}),
        **{"epoch": 0, "max_epochs": 1, "iter": 1, "world_size": 1},
    )
    hook = EpochReportHook()
    hook.before_train_epoch(runner)
    outputs = {"loss": torch.tensor(2.0)} | ({} if blending else {"top1_acc": torch.tensor(0.5)})
    hook.after_train_iter(runner, 0, {"data_samples": [0, 1]}, outputs)
    hook.after_train_epoch(runner)
    (row,) = hook.rows
    assert {name for name in ("top1",) if f"train_{name}" in row} == figures
    assert np.isclose(row["train_loss"], 2.0)
