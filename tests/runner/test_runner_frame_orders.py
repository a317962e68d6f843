from __future__ import annotations

import numpy as np
import pytest
import torch
from mmaction.structures import ActionDataSample

from autox_video.errors import RunError
from autox_video.predictions import FRAME_ORDERS
from autox_video.runner.frame_orders import FrameOrders, field_of, random_order


def numbered(crops: int, clips: int, frames: int) -> torch.Tensor:
    """A video whose every pixel is the number of its frame, and of its crop in the hundreds."""
    numbers = torch.arange(clips * frames).reshape(clips, frames) + 100 * torch.arange(crops)[:, None, None]
    return numbers[:, :, None, :, None, None].expand(crops, clips, 3, frames, 2, 2).flatten(0, 1)


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        # Two crops of two clips of four frames: 0 to 3 and 4 to 7.
        ("still", [[2, 2, 2, 2], [2, 2, 2, 2], [102, 102, 102, 102], [102, 102, 102, 102]]),
        ("reversed", [[3, 2, 1, 0], [7, 6, 5, 4], [103, 102, 101, 100], [107, 106, 105, 104]]),
    ],
)
def test_frames_are_stopped_and_reversed_in_each_crop_and_clip(order, expected):
    clips = numbered(2, 2, 4)
    changed = FrameOrders(2, 4, "NCTHW").reorder(clips, order, "a.mp4")
    assert changed.shape == clips.shape
    assert changed[:, 0, :, 0, 0].tolist() == expected
    # The same video as the frames that a network for pictures is given.
    frames = FrameOrders(2, 4, "NCHW").reorder(clips.transpose(1, 2).flatten(0, 1), order, "a.mp4")
    assert frames.shape == (16, 3, 2, 2)
    assert frames[:, 0, 0, 0].reshape(4, 4).tolist() == expected


def test_all_clips_of_a_video_are_shuffled_alike_and_each_time():
    orders = FrameOrders(3, 8, "NCTHW")
    clips = numbered(3, 3, 8)
    shuffled = orders.reorder(clips, "shuffled", "a.mp4")
    order = random_order(8, "a.mp4")
    assert shuffled[:, 0, :, 0, 0].tolist() == clips[:, 0, :, 0, 0][:, order.tolist()].tolist()
    assert torch.equal(shuffled, orders.reorder(clips, "shuffled", "a.mp4"))
    assert {tuple(random_order(8, name)) for name in ("a.mp4", "b.mp4", "跳\udcff.mp4")} != {tuple(order)}


@pytest.mark.parametrize("length", [3, 4, 16])
def test_a_random_order_is_neither_forward_nor_backward(length):
    for number in range(50):
        order = random_order(length, f"{number}.mp4")
        assert sorted(order) == [*range(length)]
        assert set(np.diff(order)) not in ({1}, {-1})


def test_each_video_is_scored_in_every_order_and_as_it_is_only_once():
    seen = []

    def score(batch):
        seen.append(batch["inputs"])
        for sample, clips in zip(batch["data_samples"], batch["inputs"], strict=True):
            sample.set_pred_score(clips[0, 0, :, 0, 0].float())
        return batch["data_samples"]

    videos = [ActionDataSample(metainfo={"filename": name}) for name in ("a.mp4", "b.mp4")]
    batch = {"inputs": torch.stack([numbered(1, 1, 4), numbered(1, 1, 4) + 10]), "data_samples": videos}
    first = score(batch)
    outputs = FrameOrders(1, 4, "NCTHW").score_too(score, batch, first)
    assert len(seen) == 1 + len(FRAME_ORDERS)
    assert [one.pred_score.tolist() for one in outputs] == [[0, 1, 2, 3], [10, 11, 12, 13]]
    assert [one.get(field_of("still")).tolist() for one in outputs] == [[2] * 4, [12] * 4]
    assert [one.get(field_of("reversed")).tolist() for one in outputs] == [[3, 2, 1, 0], [13, 12, 11, 10]]


def test_clips_that_are_not_the_planned_ones_are_refused():
    with pytest.raises(RunError) as caught:
        FrameOrders(2, 8, "NCTHW").reorder(numbered(1, 2, 4), "still", "a.mp4")
    assert str(caught.value) == (
        "test_dataloader.dataset.pipeline: makes clips of shape (2, 3, 4, 2, 2), not 2 clips of 8 frames. "
        "Take what changes the clips out of cfg_options, or leave test.probe out."
    )
