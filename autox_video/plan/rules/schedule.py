"""How long the network learns, at a rate that changes how, what is validated, and what counts as best."""

from __future__ import annotations

import math
from typing import Any

from autox_video.dataset.facts import SplitFacts
from autox_video.errors import Problem, RequestError
from autox_video.plan.rules.common import asked, given
from autox_video.plan.schema import Decision
from autox_video.presets import Card
from autox_video.settings.schema import Settings

# A largest class this many times the smallest makes plain accuracy misleading, and rare classes ignored.
UNEVEN_RATIO = 5.0
MAX_EPOCHS = 200
VAL_INTERVAL = 2
SAVE_EVERY_SECONDS = 600.0
# Of the recipe's epochs and steps: one layer on fixed features converges sooner. (Measured with tsm_mobilenetv2 on 150
# videos: of 400 steps, training accuracy is 0.9 after 60.)
HEAD_ONLY_SHARE = 1 / 3
# Where MMAction2's recipes of 50, 100 and 150 epochs divide their learning rates.
STEP_SHARES = (0.4, 0.8)
# As PyTorch's OneCycleLR has it.
ONE_CYCLE_RISE = 0.3


def choose_epochs(settings: Settings, card: Card, num_train_videos: int, total_batch_size: int) -> Decision[int]:
    """Passes over the training videos: the recipe's, or more where that makes too few steps."""
    if decision := asked(settings, "epoch"):
        return decision
    steps = math.ceil(num_train_videos / total_batch_size)
    wanted, least, source, note = card.epochs, card.min_steps, "preset", ""
    if settings.train.freeze == "head_only":
        wanted, least = math.ceil(card.epochs * HEAD_ONLY_SHARE), math.ceil(card.min_steps * HEAD_ONLY_SHARE)
        source, note = "default", ": a head alone is learned in a third of the recipe"
    if wanted * steps >= least:
        return Decision(wanted, source, f"{wanted * steps} steps of {total_batch_size} videos{note}")
    value = min(MAX_EPOCHS, math.ceil(least / steps))
    return Decision(value, "data", f"{steps} steps an epoch; {least} in all are wanted{note}")


def choose_warmup_epochs(settings: Settings, card: Card, epochs: int, schedule: str = "cosine") -> Decision[float]:
    """Epochs over which the learning rate rises."""
    if decision := asked(settings, "train.warmup_epochs"):
        return decision
    if schedule == "one_cycle":
        return Decision(ONE_CYCLE_RISE * epochs, "default", f"one_cycle rises for {ONE_CYCLE_RISE:.0%} of the run")
    if card.warmup_epochs <= epochs / 5:
        return Decision(card.warmup_epochs, "preset", "the recipe of the preset")
    return Decision(epochs / 5, "default", f"a fifth of {epochs} epochs")


def choose_schedule(settings: Settings, epochs: int) -> dict[str, Decision[Any]]:
    """How the learning rate goes on after its warm-up, and the epochs at which that changes it by leaps.

    Raises:
        RequestError: A leap is to come after the end, or belongs to another schedule.
    """
    schedule = asked(settings, "train.schedule") or Decision(
        "cosine", "default", "falls smoothly to zero, whatever the length of the run"
    )
    steps = asked(settings, "train.milestones")
    restarts = asked(settings, "train.restart_epochs")
    for decision, name, kind in ((steps, "milestones", "step"), (restarts, "restart_epochs", "restarts")):
        if decision is None:
            continue
        where, got = f"{decision.source}: train.{name}", ", ".join(f"{epoch:g}" for epoch in decision.value)
        if schedule.value != kind:
            wrong = f"counts for train.schedule: {kind} only, and it is {schedule.value}"
            raise RequestError(Problem(where, wrong, "Change one of the two", got))
        if decision.value[-1] >= epochs:
            wrong = f"must lie within the {epochs} epochs of the run"
            raise RequestError(Problem(where, wrong, f"Choose epochs below {epochs}, or raise `epoch`", got))
    if steps is None and schedule.value == "step":
        value = tuple(share * epochs for share in STEP_SHARES)
        steps = Decision(
            value, "default", " and ".join(f"{share:.0%}" for share in STEP_SHARES) + f" of {epochs} epochs"
        )
    if restarts is None and schedule.value == "restarts":
        why = "three cosines, each twice as long as the one before (arXiv:1608.03983)"
        restarts = Decision((epochs / 7, epochs * 3 / 7), "default", why)
    found: dict[str, Decision[Any]] = {"schedule": schedule, "schedule_by": given(settings, "train.schedule_by")}
    if steps is not None:
        found["milestones"] = steps
    if restarts is not None:
        found["restart_epochs"] = restarts
    return found


def choose_val_interval(settings: Settings) -> Decision[int]:
    """Epochs between two validations; the last epoch is always validated."""
    return asked(settings, "train.val_interval") or Decision(VAL_INTERVAL, "default", "and always after the last epoch")


def choose_patience(settings: Settings) -> Decision[int | None]:
    """Validations without improvement after which training stops; None never stops it.

    Never, unless it is asked for: the learning rate falls to zero over the planned epochs, and the score of a
    training that works still rises at their end.
    """
    decision = asked(settings, "train.patience")
    if decision is None or decision.value is None:
        return Decision(None, "default", "the learning rate falls to its end as planned")
    return decision


def choose_save_every(settings: Settings) -> Decision[float | None]:
    """Seconds between two saves inside an epoch."""
    why = "a crash loses no more than ten minutes"
    return asked(settings, "train.save_every") or Decision(SAVE_EVERY_SECONDS, "default", why)


def unevenness(train: SplitFacts) -> float:
    """Videos of the largest class for each video of the smallest; classes without a video are left out."""
    counts = [count for count in train.class_counts.values() if count]
    return max(counts) / min(counts)


def choose_balance(settings: Settings, train: SplitFacts) -> Decision[str]:
    """What is done about classes of different size: `none`, `sampler` or `weights`."""
    if decision := asked(settings, "data.balance"):
        return decision
    ratio = unevenness(train)
    if ratio >= UNEVEN_RATIO:
        why = f"the largest class has {ratio:.1f} times the videos of the smallest; from {UNEVEN_RATIO:g} on it matters"
        return Decision("weights", "data", why)
    return Decision("none", "data", f"largest to smallest class is {ratio:.1f}; balancing begins at {UNEVEN_RATIO:g}")


def choose_best_metric(settings: Settings, train: SplitFacts) -> Decision[str]:
    """The validation figure that decides which checkpoint is best."""
    if decision := asked(settings, "train.best_metric"):
        return decision
    balance, ratio = choose_balance(settings, train).value, unevenness(train)
    if balance != "none":
        return Decision("mean_class_accuracy", "data", f"each class counts the same in training too: {balance}")
    if ratio >= UNEVEN_RATIO:
        why = f"the largest class has {ratio:.1f} times the videos of the smallest"
        return Decision("mean_class_accuracy", "data", why)
    return Decision("top1", "data", f"classes are even: largest to smallest is {ratio:.1f}")


def choose_class_weights(train: SplitFacts, balance: str) -> Decision[tuple[float, ...] | None]:
    """One weight a class for the loss, inverse to its number of videos, or None."""
    if balance != "weights":
        return Decision(None, "data", f"data.balance is {balance}")
    counts = list(train.class_counts.values())
    mean = sum(counts) / sum(1 for count in counts if count)
    # A class without a training video never enters the loss as a target.
    weights = tuple(round(mean / count, 6) if count else 1.0 for count in counts)
    return Decision(weights, "data", "inverse to the number of videos of a class")
