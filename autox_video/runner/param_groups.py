"""Which parameters the optimizer treats alike: weight decay and learning rate."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from mmengine.logging import MMLogger
from mmengine.model import is_model_wrapper
from mmengine.optim import DefaultOptimWrapperConstructor
from mmengine.registry import OPTIM_WRAPPER_CONSTRUCTORS
from torch import nn

from autox_video.runner.models.stages import Stages, stages_of

BACKBONE = "backbone."


@OPTIM_WRAPPER_CONSTRUCTORS.register_module()
class TransferOptimWrapperConstructor(DefaultOptimWrapperConstructor):
    """Sorts the parameters that learn into a few groups, one for each pair of learning rate and weight decay.

    `paramwise_cfg` has `backbone_lr_mult`, the learning rate of the backbone relative to that of the rest, and
    `layer_decay`: with it, each layer of the backbone learns so many times as fast as the one after it, and the last
    so many times as fast as the head (as in BEiT, arXiv:2106.08254).
    """

    def _validate_cfg(self) -> None:
        """The words of `paramwise_cfg` are ours."""

    def add_params(self, params: list[dict[str, Any]], module: nn.Module, **kwargs: Any) -> None:
        """Append the groups.

        Args:
            params: Groups of a torch optimizer.
            module: The model.
            **kwargs: Of other constructors.
        """
        model = module.module if is_model_wrapper(module) else module
        mult, decay = self.paramwise_cfg["backbone_lr_mult"], self.paramwise_cfg["layer_decay"]
        stages = stages_of(model.backbone) if decay is not None else None
        groups: dict[tuple[float, float], dict[str, Any]] = {}
        for name, parameter, decays in learned_parameters(model):
            rate = _rate(name, mult, decay, stages)
            values = {"lr": self.base_lr * rate, "weight_decay": (self.base_wd or 0.0) * decays}
            groups.setdefault((rate, float(decays)), {"params": [], **values})["params"].append(parameter)
        params.extend(groups[key] for key in sorted(groups, reverse=True))
        logger = MMLogger.get_current_instance()
        for group in params:
            parts = len(group["params"])
            logger.info(f"{parts} parameters: learning rate {group['lr']:g}, weight decay {group['weight_decay']:g}")


def learned_parameters(model: nn.Module) -> Iterator[tuple[str, nn.Parameter, bool]]:
    """Name, parameter and whether it decays, of all that learn, each once.

    Weight decay is for what multiplies its input: weights of two or more dimensions of linear layers, convolutions and
    attention. Biases, norms, scales, position tables (embeddings too), class tokens and queries are not shrunk.

    Args:
        model: Any.
    """
    seen: set[int] = set()
    for prefix, module in model.named_modules():
        for name, parameter in module.named_parameters(recurse=False):
            if not parameter.requires_grad or id(parameter) in seen:
                continue
            seen.add(id(parameter))
            decays = parameter.ndim > 1 and name.endswith("weight") and not isinstance(module, nn.Embedding)
            yield (f"{prefix}.{name}" if prefix else name), parameter, decays


def _rate(name: str, mult: float, decay: float | None, stages: Stages | None) -> float:
    if not name.startswith(BACKBONE):
        return 1.0
    if decay is None or stages is None:
        return mult
    rate: float = decay ** (stages.num_layers + 1 - stages.layer(name.removeprefix(BACKBONE)))
    return rate
