"""What one view says, kept beside what all say: the right view, for every kind of head."""

from __future__ import annotations

import dataclasses
from typing import Any

import cv2
import numpy as np
import pytest
import samples
import torch
from mmaction.registry import MODELS
from mmaction.structures import ActionDataSample
from mmengine.registry import DATASETS, DefaultScope

from autox_video.errors import RunError
from autox_video.presets import load_preset
from autox_video.render.config import render_config
from autox_video.render.pipelines import centre_view
from autox_video.runner import components  # noqa: F401  (registers what the configs name)
from autox_video.runner.single_view import SINGLE_VIEW_SCORE, keeping_single_view

VIDEOS, VIEWS, FRAMES, CHANNELS, CLASSES = 2, 6, 4, 8, 3
ROWS = VIDEOS * VIEWS


def rows(*shape: int) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(0))


CLIPS = rows(ROWS, CHANNELS, 2, 3, 3)
# Head, its settings, the features of all views, how many rows are a view, what the recognizer tells the head.
HEADS: dict[str, tuple[dict[str, Any], Any, int, dict[str, Any]]] = {
    "I3DHead": ({"in_channels": CHANNELS}, CLIPS, 1, {}),
    "I3DHead, logits averaged": (
        {"in_channels": CHANNELS, "average_clips": "score", "multi_class": True},
        CLIPS,
        1,
        {},
    ),
    "X3DHead": ({"in_channels": CHANNELS}, CLIPS, 1, {}),
    "SlowFastHead": ({"in_channels": 2 * CHANNELS}, (CLIPS, CLIPS.flip(1)), 1, {}),
    "TimeSformerHead": ({"in_channels": CHANNELS}, rows(ROWS, CHANNELS), 1, {}),
    "MViTHead": ({"in_channels": CHANNELS}, ([CLIPS, rows(ROWS, CHANNELS)],), 1, {}),
    "TSNHead": ({"in_channels": CHANNELS}, rows(ROWS * FRAMES, CHANNELS, 3, 3), FRAMES, {"num_segs": VIEWS * FRAMES}),
    "TSMHead": (
        {"in_channels": CHANNELS, "num_segments": FRAMES},
        rows(ROWS * FRAMES, CHANNELS, 3, 3),
        FRAMES,
        {"num_segs": VIEWS * FRAMES},
    ),
}


def only(features: Any, view: int, frames: int) -> Any:
    """The features of one view of each video, written out."""
    if isinstance(features, (tuple, list)):
        return type(features)(only(part, view, frames) for part in features)
    starts = [(video * VIEWS + view) * frames for video in range(VIDEOS)]
    return torch.cat([features[start : start + frames] for start in starts])


@pytest.mark.parametrize("name", HEADS)
def test_one_view_is_told_as_if_it_had_been_the_only_one(name):
    settings, features, frames, how = HEADS[name]
    torch.manual_seed(0)
    with DefaultScope.overwrite_default_scope("mmaction"):
        kind = name.partition(",")[0]
        head = MODELS.build({"type": kind, "num_classes": CLASSES, "average_clips": "prob", **settings}).eval()
    for parameter in head.parameters():
        torch.nn.init.normal_(parameter)

    def scores(features: Any, **how: Any) -> list[torch.Tensor]:
        return [one.pred_score for one in head.predict(features, [ActionDataSample() for _ in range(VIDEOS)], **how)]

    with torch.no_grad():
        every = scores(features, **how)
        for view in (0, 4):
            alone = scores(only(features, view, frames), **({"num_segs": frames} if how else {}))
            with keeping_single_view(head, VIEWS, view):
                both = head.predict(features, [ActionDataSample() for _ in range(VIDEOS)], **how)
            assert all(torch.equal(one.pred_score, other) for one, other in zip(both, every, strict=True))
            assert all(torch.equal(one.get(SINGLE_VIEW_SCORE), other) for one, other in zip(both, alone, strict=True))
            assert not torch.equal(alone[0], every[0])
    assert "predict" not in vars(head)


def test_views_that_are_not_those_of_the_plan_are_an_error():
    head = MODELS.build({"type": "mmaction.I3DHead", "num_classes": 3, "in_channels": CHANNELS}).eval()
    with (
        pytest.raises(RunError, match="gives 12 clips or frames of 2 video") as caught,
        keeping_single_view(head, 5, 2),
    ):
        head.predict(CLIPS, [ActionDataSample() for _ in range(VIDEOS)])
    assert "test.views" in str(caught.value)


def write_moving(path, *, width: int, height: int) -> None:
    """A video whose every place and time looks otherwise."""
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"mp4v"), 12, (width, height))
    down, across = np.mgrid[:height, :width]
    for number in range(41):
        writer.write(np.stack([2 * across, 2 * down, np.full_like(down, 6 * number)], axis=2).astype(np.uint8))
    writer.release()


@pytest.mark.parametrize("portrait", [False, True])
@pytest.mark.parametrize(
    ("name", "views"),
    [*(("video_swin_nano", views) for views in ("3x3", "3x1", "1x3", "5x3")), ("tsn_r50", "1x3"), ("tsn_r50", "2x1")],
)
def test_the_view_nearest_to_the_middle_is_that_of_validation(name, views, portrait, tmp_path):
    write_moving(tmp_path / "a.mp4", width=48 if portrait else 96, height=96 if portrait else 48)
    (tmp_path / "list.txt").write_text("a.mp4\t0\tpyav\n")
    clip = {"clip_len": 4, "input_size": 32}
    plan, _ = samples.plan(model={"name": name, "load_from": "none"}, clip=clip, test={"views": views})
    lists = dict.fromkeys(("val", "test"), str(tmp_path / "list.txt"))
    plan = dataclasses.replace(plan, ann_files=lists, data_root=str(tmp_path))
    config = render_config(plan, load_preset(name), tmp_path)
    with DefaultScope.overwrite_default_scope("mmaction"):
        tested, validated = (
            DATASETS.build(config[f"{split}_dataloader"].dataset)[0]["inputs"].numpy() for split in ("test", "val")
        )
    if name == "tsn_r50":
        tested = tested.reshape(-1, 4, *tested.shape[1:])
        validated = validated.reshape(-1, 4, *validated.shape[1:])
    number = centre_view(plan)
    assert len(tested) == np.prod([int(part) for part in views.split("x")])
    nearest = [np.abs(view.astype(int) - validated[0]).mean() for view in tested]
    # Three crops are scaled and cut in two steps, one is in one.
    assert np.argmin(nearest) == number
    assert nearest[number] < 2
