"""Saves between two steps: when a signal asks the run to stop, and every so many minutes."""

from __future__ import annotations

import time
from pathlib import Path
from signal import Signals

import torch
from mmengine.dist import all_reduce, barrier
from mmengine.hooks import Hook
from mmengine.registry import HOOKS

from autox_video.errors import StoppedError
from autox_video.runner.hooks.checkpoint import LastAndBestCheckpointHook
from autox_video.stopping import asked_to_stop, stop_later, stop_now
from autox_video.work_dir import WorkDir


@HOOKS.register_module()
class PreemptionHook(Hook):
    """Keeps a training from losing more than a step to a signal, and more than some minutes to a crash.

    In an epoch a signal is heeded after the step that it meets. In a validation it is heeded at once: the state was
    saved before. Among several processes a signal to any of them stops all, after the same step.

    Args:
        save_every_seconds: Time between two saves inside an epoch; None: none but the one at its end.
    """

    # After everything that works on a step.
    priority = "LOWEST"

    def __init__(self, save_every_seconds: float | None = None) -> None:
        self.save_every_seconds = save_every_seconds
        self._saved_at = time.monotonic()

    def before_train_epoch(self, runner) -> None:  # type: ignore[no-untyped-def]
        """The end of an epoch has just been saved, or read."""
        self._saved_at = time.monotonic()
        stop_later()

    def between_steps(self, runner) -> None:  # type: ignore[no-untyped-def]
        """Save when it is time, save and stop when it was asked.

        Raises:
            StoppedError: A signal came, and the state is saved.
        """
        is_due = self.save_every_seconds is not None and time.monotonic() - self._saved_at >= self.save_every_seconds
        signal, is_due = _agreed(runner, asked_to_stop() or 0, is_due)
        if not signal and not is_due:
            return
        (checkpoints,) = (hook for hook in runner.hooks if isinstance(hook, LastAndBestCheckpointHook))
        checkpoints.save_last(runner)
        self._saved_at = time.monotonic()
        if signal:
            # The first process to end takes the others with it: none before the state is saved.
            barrier()
            name = WorkDir(Path(runner.work_dir)).last_checkpoint.name
            told = f" after step {runner.iter}: saved to {name}; the same command goes on"
            raise StoppedError(Signals(signal), told)

    def before_val_epoch(self, runner) -> None:  # type: ignore[no-untyped-def]
        """A validation may be stopped anywhere."""
        stop_now()

    def after_val_epoch(self, runner, metrics: dict[str, float] | None = None) -> None:  # type: ignore[no-untyped-def]
        """Its result is saved."""
        stop_later()

    def after_train(self, runner) -> None:  # type: ignore[no-untyped-def]
        """Everything is saved."""
        stop_now()


def _agreed(runner, signal: int, is_due: bool) -> tuple[int, bool]:  # type: ignore[no-untyped-def]
    """What all processes do after this step: what any of them is asked to."""
    if runner.world_size == 1:
        return signal, is_due
    asked = torch.tensor([signal, int(is_due)])
    all_reduce(asked, op="max")
    return int(asked[0]), bool(asked[1])
