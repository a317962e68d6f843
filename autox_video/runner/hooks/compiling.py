"""Compiles the network in place; where that cannot be done the run goes on without."""

from __future__ import annotations

import logging
from typing import Any

import torch
from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper
from mmengine.registry import HOOKS

logger = logging.getLogger(__name__)


@HOOKS.register_module()
class CompileHook(Hook):
    """Trains with the compiled backbone. Its name, its parameters and its state dict stay as they are.

    Args:
        batch: Clips of a full batch. Another number, the last of an epoch, is computed without compiling: each new
            shape would take the warm-up once more. So is validation.
    """

    def __init__(self, batch: int) -> None:
        self._batch = batch

    def before_train(self, runner) -> None:  # type: ignore[no-untyped-def]
        """Prepare; what takes minutes happens in the first step."""
        model = runner.model.module if is_model_wrapper(runner.model) else runner.model
        compile_in_place(model.backbone, self._batch)


def compile_in_place(module: torch.nn.Module, batch: int) -> None:
    """Let `module` compute batches of one size by compiled code while it trains.

    Args:
        module: Its input is a tensor whose first dimension is the batch.
        batch: Their size.
    """
    # Here and not above: it takes seconds.
    from torch._dynamo.exc import TorchDynamoException

    module.compile(dynamic=False)
    # What `compile` sets, and `deepcopy` (of an averaged model) leaves out.
    compiled: Any = module._compiled_call_impl
    # The first batch is computed without compiling: what depends on its shape alone is then found, and stays.
    known, usable = False, True

    def call(clips: torch.Tensor) -> Any:
        nonlocal known, usable
        known, first = True, not known
        if first or not (usable and module.training and len(clips) == batch):
            return module._call_impl(clips)
        try:
            return compiled(clips)
        except TorchDynamoException as error:
            usable = False
            reason = str(error).strip().partition("\n")[0]
            logger.warning("torch.compile cannot be used here, the run goes on without it: %s", reason)
            return module._call_impl(clips)

    module._compiled_call_impl = call
