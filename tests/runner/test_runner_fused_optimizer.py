"""A run that was begun with torch's default AdamW goes on with the fused one, and the other way round."""

from __future__ import annotations

import copy

import pytest
import torch


@pytest.mark.parametrize(("before", "after"), [(None, True), (True, None), (True, True)])
def test_the_state_of_the_optimizer_fits_the_other_implementation(before, after):
    torch.manual_seed(0)
    straight = torch.nn.Linear(6, 6)
    resumed = copy.deepcopy(straight)
    clips = torch.randn(4, 6)

    def step(model, optimizer):
        optimizer.zero_grad()
        model(clips).square().sum().backward()
        optimizer.step()

    optimizer = torch.optim.AdamW(straight.parameters(), lr=0.1, fused=before)
    step(straight, optimizer)
    other = torch.optim.AdamW(resumed.parameters(), lr=0.1, fused=after)
    resumed.load_state_dict(straight.state_dict())
    other.load_state_dict(copy.deepcopy(optimizer.state_dict()))
    for _ in range(3):
        step(straight, optimizer)
        step(resumed, other)
    # A checkpoint names the implementation it was written by, and that one goes on: the very same bits.
    assert torch.equal(resumed.weight, straight.weight)
