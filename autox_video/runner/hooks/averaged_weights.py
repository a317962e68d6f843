"""An exponential moving average of the weights, which is validated, tested and kept as best."""

from __future__ import annotations

from typing import Any

from mmengine.hooks import EMAHook
from mmengine.registry import HOOKS


@HOOKS.register_module()
class AveragedWeightsHook(EMAHook):
    """MMEngine's hook, updated after each step of the optimizer and not after each batch.

    So an average over so many steps stays one when batches are added up. The rest is MMEngine's: in `state_dict` of a
    checkpoint stands the average, in `ema_state_dict` what the training goes on from; buffers are those of the last
    step.

    Args:
        momentum: What the newest weights count for.
    """

    def __init__(self, momentum: float) -> None:
        super().__init__(momentum=momentum)

    def after_train_iter(self, runner: Any, batch_idx: int, data_batch: Any = None, outputs: Any = None) -> None:
        """Nothing: the weights may still be those of the last step."""

    def between_steps(self, runner: Any) -> None:
        """Take the new weights into the average."""
        self.ema_model.update_parameters(self.src_model)
