"""Tells somebody outside the runner of each validation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from mmengine.hooks import Hook

from autox_video.runner.hooks.checkpoint import LastAndBestCheckpointHook


@dataclass(frozen=True)
class Listeners:
    """Whom the runner calls; only in the first process.

    Attributes:
        validated: Takes the epoch of a validation, its figures, and whether they are the best so far.
        stalled: Takes what a run that makes no progress waits for, right before it is ended.
    """

    validated: Callable[[int, dict[str, float], bool], None]
    stalled: Callable[[str], None]


class ListeningHook(Hook):
    """Calls a listener after each validation, when what came of it is saved.

    Args:
        listeners: Whom.
    """

    priority = "LOWEST"

    def __init__(self, listeners: Listeners) -> None:
        self._listeners = listeners

    def after_val_epoch(self, runner, metrics: dict[str, float] | None = None) -> None:  # type: ignore[no-untyped-def]
        """Tell."""
        (checkpoints,) = (hook for hook in runner.hooks if isinstance(hook, LastAndBestCheckpointHook))
        metrics = metrics or {}
        is_best = metrics.get(checkpoints.best_metric) == checkpoints.best_score
        self._listeners.validated(runner.epoch, metrics, is_best)
