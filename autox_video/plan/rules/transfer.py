"""What is learned of a network that has learned before, at which rate, and how its gradients are treated."""

from __future__ import annotations

from typing import Any

from autox_video.errors import Problem, RequestError
from autox_video.plan.rules.by_task import ONE_LABEL
from autox_video.plan.rules.common import asked, given
from autox_video.plan.schema import Decision
from autox_video.presets import Card
from autox_video.settings.schema import Settings

# Videos on one device below which statistics of a batch are poor: errors rise steeply from there on down
# (arXiv:1803.08494, figure 1: 23.6 % at 32 images, 24.8 % at 8, 27.3 % at 4, 34.7 % at 2).
FEW_FOR_BATCH_NORM = 8
# Where a user chooses another optimizer than the recipe's: learning rate at 64 videos, and weight decay.
COMMON_RECIPES = {"adamw": (1e-3, 0.02), "sgd": (1e-2, 1e-4)}
COMMON_BATCH = 64


def choose_optimizer(settings: Settings, card: Card) -> Decision[str]:
    """`adamw` or `sgd`."""
    return asked(settings, "train.optimizer") or Decision(card.optimizer, "preset", "the recipe of the preset")


def choose_learning_rate(settings: Settings, card: Card, optimizer: str, total_batch_size: int) -> Decision[float]:
    """Peak learning rate: the recipe's, scaled linearly with the total batch (arXiv:1706.02677, section 2.1)."""
    if decision := asked(settings, "train.learning_rate"):
        return decision
    rate, batch, source = card.base_learning_rate, card.base_total_batch_size, "preset"
    if optimizer != card.optimizer:
        rate, batch, source = COMMON_RECIPES[optimizer][0], COMMON_BATCH, "default"
    why = f"{rate:g} at {batch} videos a step, scaled to {total_batch_size}"
    if optimizer != card.optimizer:
        why += f"; common for {optimizer}, the recipe of the preset is for {card.optimizer}"
    return Decision(rate * total_batch_size / batch, source, why)


def choose_weight_decay(settings: Settings, card: Card, optimizer: str) -> Decision[float]:
    """Weight decay of the optimizer."""
    if decision := asked(settings, "train.weight_decay"):
        return decision
    if optimizer != card.optimizer:
        why = f"common for {optimizer}; the recipe of the preset is for {card.optimizer}"
        return Decision(COMMON_RECIPES[optimizer][1], "default", why)
    return Decision(card.weight_decay, "preset", "the recipe of the preset")


def choose_rates(settings: Settings, card: Card, *, pretrained: bool) -> dict[str, Decision[Any]]:
    """Learning rates within the network: `backbone_lr_mult` and `layer_decay`, of which one is in use.

    Raises:
        RequestError: Both are asked for.
    """
    mult, decay = asked(settings, "train.backbone_lr_mult"), asked(settings, "train.layer_decay")
    if mult and decay and decay.value is not None:
        wrong, cure = "takes the place of train.backbone_lr_mult, which is given too", "Remove one of the two"
        raise RequestError(Problem(f"{decay.source}: train.layer_decay", wrong, cure, str(decay.value)))
    if decay is None:
        decay = Decision(card.layer_decay, "preset", "the recipe of the preset")
        if mult is not None:
            decay = Decision(None, "default", "backbone_lr_mult was asked for")
        elif not pretrained:
            decay = Decision(None, "default", "nothing is pretrained")
    if mult is None:
        mult = Decision(card.backbone_lr_mult, "preset", "a pretrained backbone moves less than the new head")
        if decay.value is not None:
            mult = Decision(1.0, "default", "layer_decay takes its place")
        elif not pretrained:
            mult = Decision(1.0, "default", "nothing is pretrained")
    return {"backbone_lr_mult": mult, "layer_decay": decay}


def choose_freeze(settings: Settings, *, pretrained: bool) -> Decision[str]:
    """`none`, `head_only` or `stages:N`.

    Raises:
        RequestError: Weights that nobody has trained are to be kept.
    """
    decision = given(settings, "train.freeze")
    if decision.value != "none" and not pretrained:
        wrong = "would keep weights that nothing has trained: model.load_from is none"
        cure = "Choose weights to start from, or remove train.freeze"
        raise RequestError(Problem(f"{decision.source}: train.freeze", wrong, cure, decision.value))
    if decision.value == "none" and decision.source == "default":
        return Decision("none", "default", "all weights learn; a slower backbone keeps what it knows well enough")
    return decision


def choose_norm_eval(settings: Settings, card: Card, videos_per_gpu: int, *, pretrained: bool) -> Decision[bool]:
    """Whether batch norm keeps its statistics in training.

    Raises:
        RequestError: Statistics that nothing has measured are to be kept.
    """
    decision = asked(settings, "train.norm_eval")
    if decision and decision.value and not pretrained:
        wrong = "would keep statistics that nothing has measured: model.load_from is none"
        raise RequestError(
            Problem(f"{decision.source}: train.norm_eval", wrong, "Remove it, or choose weights", "true")
        )
    if decision:
        return decision
    if not card.batch_norm:
        return Decision(False, "preset", "the network has no batch norm")
    if videos_per_gpu >= FEW_FOR_BATCH_NORM:
        return Decision(False, "plan", f"{videos_per_gpu} videos at a time suffice for statistics of their own")
    few = f"{videos_per_gpu} videos at a time, fewer than {FEW_FOR_BATCH_NORM}, give poor statistics"
    if not pretrained:
        return Decision(False, "default", f"{few}, but nothing is pretrained: there are no others")
    return Decision(True, "plan", f"{few}; those of the pretrained network are kept")


def choose_clip_grad(settings: Settings, card: Card) -> Decision[float | None]:
    """Largest norm of the gradient."""
    return asked(settings, "train.clip_grad") or Decision(card.clip_grad, "preset", "the recipe of the preset")


def choose_ema(settings: Settings) -> Decision[float | None]:
    """Decay of the moving average of the weights; None for none."""
    decision = given(settings, "train.ema")
    if decision.value is None:
        return Decision(None, "default", "the learning rate falls to its end, which averages as well")
    return decision


def choose_label_smoothing(settings: Settings, card: Card, task: str) -> Decision[float]:
    """Share of the target that is spread over all classes.

    Raises:
        RequestError: It is asked for where a video has several labels.
    """
    decision = asked(settings, "train.label_smoothing")
    if task == ONE_LABEL:
        return decision or Decision(card.label_smoothing, "preset", "the recipe of the preset")
    if decision and decision.value:
        wrong = "spreads one label over all classes, and here each label is a yes or no of its own"
        raise RequestError(
            Problem(f"{decision.source}: train.label_smoothing", wrong, "Remove it", str(decision.value))
        )
    return Decision(0.0, "data", "a video has several labels, each a yes or no of its own")
