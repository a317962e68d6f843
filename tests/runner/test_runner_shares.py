from __future__ import annotations

import math

import pytest
import torch

from autox_video.runner.shares import Shares, only_first


@pytest.mark.parametrize(
    ("shares", "rank", "number", "expected"),
    [
        # Everything divides: nothing changes, bit for bit.
        (Shares(16, 2, 4, 1), 1, 1, (4, 1.0)),
        (Shares(16, 1, 4, 2), 0, 3, (4, 1.0)),
        # A last batch that is smaller in all processes alike.
        (Shares(12, 2, 4, 1), 1, 1, (2, 1.0)),
        # 7 = 4 + 3: the second process repeats a video to have as many.
        (Shares(15, 2, 4, 1), 0, 1, (4, 8 / 7)),
        (Shares(15, 2, 4, 1), 1, 1, (3, 6 / 7)),
        # 4 + 1 added up: the mean over 5.
        (Shares(13, 1, 4, 2), 0, 2, (4, 8 / 5)),
        (Shares(13, 1, 4, 2), 0, 3, (1, 2 / 5)),
        # Its only video is one that fills up.
        (Shares(9, 2, 4, 1), 1, 1, (0, 0.0)),
        (Shares(9, 2, 4, 1), 0, 1, (1, 2.0)),
    ],
)
def test_each_video_counts_alike(shares, rank, number, expected):
    count, weight = shares.of_batch(rank, number)
    assert (count, weight) == (expected[0], pytest.approx(expected[1]))
    assert (weight == 1) == (expected[1] == 1)


@pytest.mark.parametrize("draws", range(1, 30))
@pytest.mark.parametrize(("world_size", "batch_size", "accumulation"), [(1, 4, 3), (2, 2, 2), (3, 2, 1), (4, 1, 3)])
def test_the_shares_of_a_step_make_one_mean_and_none_is_left_out(draws, world_size, batch_size, accumulation):
    shares = Shares(draws, world_size, batch_size, accumulation)
    batches = math.ceil(math.ceil(draws / world_size) / batch_size)
    steps = [range(first, min(first + accumulation, batches)) for first in range(0, batches, accumulation)]
    total = 0
    for step in steps:
        parts = [shares.of_batch(rank, number) for rank in range(world_size) for number in step]
        total += sum(count for count, _ in parts)
        # What DDP and MMEngine make of it: a mean over the processes, and one over the batches.
        assert sum(weight for _, weight in parts) / world_size / len(step) == pytest.approx(1)
    assert total == draws


def test_draws_that_fill_up_are_left_out_with_all_their_clips():
    batch = {"inputs": torch.arange(6), "data_samples": list(range(6)), "more": "kept"}
    found = only_first(batch, 3, 2)
    assert (found["inputs"].tolist(), found["data_samples"], found["more"]) == ([0, 1, 2, 3], [0, 1, 2, 3], "kept")
    assert only_first(batch, 3, 3) is batch
    assert [len(part) for part in only_first(batch, 3, 0).values()] == [0, 0, 4]
