from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch
from mmengine.model import BaseModel

from autox_video.runner.hooks.averaged_weights import AveragedWeightsHook


class OneWeight(BaseModel):
    def __init__(self) -> None:
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(1))
        self.register_buffer("seen", torch.zeros(1))

    def forward(self, *_: object) -> None:
        """Never called."""


def test_the_average_is_over_steps_validated_and_saved_in_place_of_the_weights():
    runner = SimpleNamespace(model=OneWeight(), _resume=False)
    hook = AveragedWeightsHook(momentum=0.25)
    hook.before_run(runner)
    for weight, average in ((1.0, 1.0), (2.0, 1.25), (6.0, 2.4375)):
        # Two batches are added up; the first changes nothing.
        for _ in range(2):
            hook.after_train_iter(runner, 0)
        runner.model.weight.data.fill_(weight)
        runner.model.seen.fill_(weight)
        hook.between_steps(runner)
        assert hook.ema_model.module.weight.item() == pytest.approx(average)
    hook.before_val_epoch(runner)
    assert (runner.model.weight.item(), runner.model.seen.item()) == (pytest.approx(2.4375), 6.0)
    hook.after_val_epoch(runner)
    assert runner.model.weight.item() == 6.0
    checkpoint = {"state_dict": runner.model.state_dict()}
    hook.before_save_checkpoint(runner, checkpoint)
    assert checkpoint["state_dict"]["weight"].item() == pytest.approx(2.4375)
    assert checkpoint["ema_state_dict"]["module.weight"].item() == 6.0
    assert runner.model.weight.item() == 6.0
