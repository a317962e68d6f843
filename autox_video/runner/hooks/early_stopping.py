"""Stops a training that has not become better for a while."""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping
from typing import Any

from mmengine.hooks import Hook
from mmengine.registry import HOOKS

logger = logging.getLogger(__name__)


@HOOKS.register_module()
class PatienceHook(Hook):
    """Ends the training after so many validations in a row without improvement.

    Rises smaller than `min_delta` add up: the score is compared with the last that counted as an
    improvement. A score that is no number never counts. All ranks see the same scores and so stop together.

    Args:
        best_metric: The validation figure that is to rise.
        patience: Validations without improvement after which training stops.
        min_delta: The least rise that counts.
    """

    # After the line of the epoch is printed, before its state is saved: that carries what is decided here.
    priority = 80

    def __init__(self, best_metric: str, patience: int, min_delta: float) -> None:
        self.best_metric = best_metric
        self.patience = patience
        self.min_delta = min_delta
        self.best = -math.inf
        self.waited = 0
        self.stopped = False

    def after_val_epoch(self, runner, metrics: dict[str, float] | None = None) -> None:  # type: ignore[no-untyped-def]
        """Count, and stop when it is enough."""
        score = float((metrics or {})[self.best_metric])
        if score >= self.best + self.min_delta:
            self.best, self.waited = score, 0
            return
        self.waited += 1
        if self.waited >= self.patience and runner.epoch < runner.max_epochs:
            self.stopped = runner.train_loop.stop_training = True
            logger.info(
                "stopped early: %s has not risen above %.3f in %d validation(s) (train.patience)",
                *(self.best_metric, self.best, self.waited),
            )

    def state_dict(self) -> dict[str, Any]:
        """What a checkpoint carries."""
        return {"best": self.best, "waited": self.waited, "stopped": self.stopped}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on counting; a training that had stopped and goes on after all is given its patience anew."""
        self.best = state["best"]
        self.waited = 0 if state["stopped"] else state["waited"]


def validations_waited(states: Mapping[str, Mapping[str, Any]]) -> int | None:
    """After how many validations without improvement a training stopped early.

    Args:
        states: The states of its hooks, by the name of their class.

    Returns:
        None when it did not stop early.
    """
    state = states.get(PatienceHook.__name__)
    return state["waited"] if state is not None and state["stopped"] else None
