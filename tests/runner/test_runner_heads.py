"""Heads of MMAction2 for another number of classes, and with a smoothed target."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from mmaction.registry import MODELS
from mmaction.structures import ActionDataSample

from autox_video.runner import components  # noqa: F401
from autox_video.runner.checkpoints import load_pretrained

_PLAIN = {"in_channels": 8, "dropout_ratio": 0.0}
_AVERAGE = {"consensus": {"type": "AvgConsensus", "dim": 1}, "spatial_type": "avg"}
# Name: head, and features as its backbone gives them for two videos.
HEADS: dict[str, tuple[dict[str, Any], Any]] = {
    "I3DHead": ({**_PLAIN}, torch.rand(2, 8, 2, 3, 3)),
    "SlowFastHead": ({**_PLAIN}, (torch.rand(2, 6, 2, 3, 3), torch.rand(2, 2, 4, 3, 3))),
    "TSNHead": ({**_PLAIN, **_AVERAGE}, torch.rand(8, 8, 3, 3)),
    "TSMHead": ({**_PLAIN, **_AVERAGE, "num_segments": 4}, torch.rand(8, 8, 3, 3)),
    "TRNHead": ({**_PLAIN, "num_segments": 4, "hidden_dim": 8}, torch.rand(8, 8, 3, 3)),
    "TPNHead": ({**_PLAIN}, torch.rand(2, 8, 2, 3, 3)),
    "X3DHead": ({**_PLAIN, "fc1_bias": False}, torch.rand(2, 8, 2, 3, 3)),
    "TimeSformerHead": ({**_PLAIN}, torch.rand(2, 8)),
    "MViTHead": ({**_PLAIN}, [[torch.rand(2, 8, 2, 2, 2), torch.rand(2, 8)]]),
    "UniFormerHead": ({**_PLAIN}, torch.rand(2, 8)),
}


class Recognizer(torch.nn.Module):
    def __init__(self, kind: str, num_classes: int, **options: Any) -> None:
        super().__init__()
        torch.manual_seed(num_classes)
        self.backbone = torch.nn.Linear(2, 2)
        self.cls_head = MODELS.build({"type": kind, **HEADS[kind][0], "num_classes": num_classes, **options})


@pytest.mark.parametrize("kind", HEADS)
def test_every_head_is_initialised_anew_for_another_number_of_classes(kind, tmp_path):
    torch.save({"state_dict": Recognizer(kind, 400).state_dict()}, tmp_path / "weights.pth")
    model = Recognizer(kind, 7)
    report = load_pretrained(model, tmp_path / "weights.pth", 7)
    assert report.reinitialised
    assert not report.other_shape
    assert "the head is initialised anew for 7 classes (the file has 400)" in report.summary


@pytest.mark.parametrize("kind", HEADS)
def test_every_head_smooths_its_target(kind):
    features = HEADS[kind][1]
    samples = [ActionDataSample().set_gt_label(label) for label in (1, 3)]
    head = Recognizer(kind, 5, label_smooth_eps=0.2).cls_head.eval()
    options = {"num_segs": 4} if kind in ("TSNHead", "TSMHead", "TRNHead") else {}
    scores = head(features, **options).detach()
    smoothed = float(head.loss_by_feat(scores, samples)["loss_cls"])
    target = torch.full((2, 5), 0.04)
    target[0, 1] = target[1, 3] = 0.84
    logs = torch.log_softmax(scores, 1)
    assert smoothed == pytest.approx(float(-(target * logs).sum(1).mean()), rel=1e-5)
