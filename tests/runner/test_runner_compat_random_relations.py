from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from autox_video.runner.compat import random_relations


@pytest.fixture
def relations() -> Any:
    random_relations.apply()
    from mmaction.models.heads.trn_head import RelationModuleMultiScale

    torch.manual_seed(0)
    return RelationModuleMultiScale(4, 6, 3)


FRAMES = torch.linspace(-1, 1, 2 * 6 * 4).sin().view(2, 6, 4)


def scored(forward: Any, relations: Any, seed: int) -> torch.Tensor:
    np.random.seed(seed)
    with torch.no_grad():
        return forward(relations, FRAMES.clone())


def test_stock_scores_a_video_by_chance(relations):
    stock = type(relations).forward.__wrapped__
    relations.eval()
    assert not torch.equal(scored(stock, relations, 0), scored(stock, relations, 1))


def test_a_test_scores_a_video_always_the_same(relations):
    relations.eval()
    one, other = (scored(type(relations).forward, relations, seed) for seed in (0, 1))
    assert one.shape == (2, 3)
    assert torch.equal(one, other)


def test_what_is_taken_is_one_of_the_choices_that_stock_might_draw(relations, monkeypatch):
    def spread(number: int, count: int, replace: bool) -> list[int]:
        return [(2 * position + 1) * number // (2 * count) for position in range(count)]

    relations.eval()
    monkeypatch.setattr(np.random, "choice", spread)
    stock = scored(type(relations).forward.__wrapped__, relations, 0)
    assert torch.allclose(scored(type(relations).forward, relations, 0), stock, atol=1e-6)


def test_training_draws_as_ever(relations):
    relations.train()
    stock = type(relations).forward.__wrapped__
    assert torch.equal(scored(type(relations).forward, relations, 5), scored(stock, relations, 5))


def test_applying_again_wraps_once(relations):
    wrapped = type(relations).forward
    random_relations.apply()
    assert type(relations).forward is wrapped
