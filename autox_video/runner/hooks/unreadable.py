"""Names the videos that turn out in the run to be unreadable: changed since they were opened, or never opened."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from typing import Any

from mmengine.dist import all_gather_object, is_main_process
from mmengine.hooks import Hook
from mmengine.registry import HOOKS

logger = logging.getLogger(__name__)


@HOOKS.register_module()
class UnreadableVideosHook(Hook):
    """Warns of each such video once, on the console and in the log, and counts them at the end.

    `VideoListDataset` marks the samples; the hook reads the marks, so it does not matter in which
    process a video was read.
    """

    def __init__(self) -> None:
        self.lost: dict[str, str] = {}

    def after_train_iter(self, runner, batch_idx: int, data_batch: Any = None, outputs: Any = None) -> None:  # type: ignore[no-untyped-def]
        """Name what was replaced in this batch."""
        for sample in data_batch["data_samples"]:
            self._tell(runner, sample.metainfo.get("replaced", ()), "another video of its class takes its place")

    def after_val_iter(self, runner, batch_idx: int, data_batch: Any = None, outputs: Any = None) -> None:  # type: ignore[no-untyped-def]
        """Name what is missing from this batch."""
        self._tell(runner, _errors(outputs), "the validation figures leave it out")

    def after_test_iter(self, runner, batch_idx: int, data_batch: Any = None, outputs: Any = None) -> None:  # type: ignore[no-untyped-def]
        """Name what is missing from this batch."""
        self._tell(runner, _errors(outputs), "its row in the results says so")

    def after_train(self, runner) -> None:  # type: ignore[no-untyped-def]
        """Count, in all processes together."""
        lost = {file: reason for share in all_gather_object(self.lost) for file, reason in share.items()}
        if is_main_process():
            for file in sorted(lost.keys() - self.lost.keys()):  # other processes have no log file
                runner.logger.warning(f"{file} {lost[file]}")
        if lost and is_main_process():
            _warn(runner, f"{len(lost)} of the videos could not be read during training; the log names them")

    def _tell(self, runner, lost: Iterable[tuple[str, str]], remedy: str) -> None:  # type: ignore[no-untyped-def]
        for file, reason in lost:
            if file not in self.lost:
                self.lost[file] = reason
                _warn(runner, f"{file} {reason}: {remedy}")


def _errors(outputs: Sequence[Any]) -> list[tuple[str, str]]:
    return [(sample.filename, sample.error) for sample in outputs if "error" in sample]


def _warn(runner, message: str) -> None:  # type: ignore[no-untyped-def]
    logger.warning("warning  %s", message)
    runner.logger.warning(message)
