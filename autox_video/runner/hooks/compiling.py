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
        batch: Clips of a full batch; frames, where the network takes them singly. Another number, the last of an epoch,
            is computed without compiling: each new shape would take the warm-up once more. So is validation.
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
    module.compile(dynamic=False)
    # What `compile` sets, and `deepcopy` (of an averaged model) leaves out.
    compiled: Any = module._compiled_call_impl
    # The first batch is computed without compiling: what depends on its shape alone is then found, and stays.
    known, tried, usable = False, False, True

    def give_up(error: Exception) -> None:
        nonlocal usable
        usable = False
        reason = str(error).strip().partition("\n")[0]
        logger.warning("torch.compile cannot be used here, the run goes on without it: %s", reason)

    def call(clips: torch.Tensor) -> Any:
        nonlocal known, tried
        known, first = True, not known
        if first or not (usable and module.training and len(clips) == batch):
            return module._call_impl(clips)
        try:
            if not tried:
                tried = True
                _try_out(module, compiled, clips)
            return compiled(clips)
        except torch.cuda.OutOfMemoryError:
            raise  # which is no fault of compiling, and has a cure
        except Exception as error:  # a backend raises what it likes
            give_up(error)
            return module._call_impl(clips)

    module._compiled_call_impl = call


def _try_out(module: torch.nn.Module, compiled: Any, clips: torch.Tensor) -> None:
    """Pass forward and backward once: what computes gradients is compiled only when the first are asked for.

    No gradient is kept, and no random number of the run is used up.
    """
    learned = [parameter for parameter in module.parameters() if parameter.requires_grad]
    gpus = [clips.device] if clips.device.type == "cuda" else []
    with torch.random.fork_rng(gpus):
        found = compiled(clips)
        parts = found if isinstance(found, (list, tuple)) else [found]
        torch.autograd.grad(sum(part.float().sum() for part in parts), learned, allow_unused=True)
