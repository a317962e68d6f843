from __future__ import annotations

from collections import Counter

import pytest
from mmengine.registry import DATA_SAMPLERS

from autox_video.runner import components  # noqa: F401  (registers the sampler)


class Labels:
    """What the sampler sees of a dataset."""

    def __init__(self, *labels: object) -> None:
        self.labels = labels

    def __len__(self) -> int:
        return len(self.labels)

    def get_data_info(self, position: int) -> dict[str, object]:
        return {"label": self.labels[position]}


def drawn(dataset: Labels, epoch: int = 0, seed: int = 0, rank: int = 0, world_size: int = 1) -> list[int]:
    sampler = DATA_SAMPLERS.build({"type": "ClassBalancedSampler"}, default_args={"dataset": dataset, "seed": seed})
    sampler.rank, sampler.world_size = rank, world_size
    sampler.set_epoch(epoch)
    draws = list(sampler)
    assert len(draws) == len(sampler)
    return draws


UNEVEN = Labels(*[0] * 20, *[1] * 3, *[7] * 1)


def test_each_class_is_drawn_equally_often():
    draws = drawn(UNEVEN)
    assert Counter(UNEVEN.labels[position] for position in draws) == {0: 8, 1: 8, 7: 8}


def test_over_epochs_every_video_of_a_class_comes_equally_often():
    counts = Counter(position for epoch in range(5) for position in drawn(UNEVEN, epoch))
    assert sorted(counts) == list(range(24))
    assert {counts[position] for position in range(20)} == {2}
    assert {counts[position] for position in (20, 21, 22)} == {13, 14}
    assert counts[23] == 40


@pytest.mark.parametrize("epochs", [1, 2, 3, 6])
def test_classes_that_do_not_divide_the_epoch_take_turns(epochs):
    dataset = Labels(0, 0, 0, 0, 0, 1, 2)
    counts = Counter(dataset.labels[position] for epoch in range(epochs) for position in drawn(dataset, epoch))
    assert max(counts.values()) - min(counts.values()) == (0 if epochs % 3 == 0 else 1)


def test_the_draws_depend_on_seed_and_epoch_alone():
    assert drawn(UNEVEN, epoch=3) == drawn(UNEVEN, epoch=3)
    assert drawn(UNEVEN, epoch=3) != drawn(UNEVEN, epoch=4)
    assert drawn(UNEVEN, epoch=3) != drawn(UNEVEN, epoch=3, seed=1)


@pytest.mark.parametrize(("world_size", "each"), [(2, 12), (5, 5), (24, 1)])
def test_ranks_share_what_one_would_draw(world_size, each):
    ranks = [drawn(UNEVEN, rank=rank, world_size=world_size) for rank in range(world_size)]
    assert [len(rank) for rank in ranks] == [each] * world_size
    together = [position for turn in zip(*ranks, strict=True) for position in turn]
    alone = drawn(UNEVEN)
    assert together == alone + alone[: len(together) - len(alone)]


def test_a_video_with_several_labels_counts_for_its_rarest():
    dataset = Labels([0], [0], [0, 1], [0], [0], [0])
    assert Counter(drawn(dataset))[2] == 3
