"""Mixed precision on the CPU."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from mmengine.optim import OptimWrapper
from mmengine.registry import OPTIM_WRAPPERS


@OPTIM_WRAPPERS.register_module()
class CpuAmpOptimWrapper(OptimWrapper):
    """MMEngine's optimizer wrapper with bfloat16 autocast; its own `AmpOptimWrapper` refuses a machine without a GPU.

    Weights, gradients of weights and the optimizer's moments stay float32. bfloat16 has the exponents of float32: the
    loss is not scaled.
    """

    @contextmanager
    def optim_context(self, model: torch.nn.Module) -> Iterator[None]:
        """Forward passes of `model` inside the block compute in bfloat16 where torch deems it safe."""
        with super().optim_context(model), torch.autocast("cpu", torch.bfloat16):
            yield
