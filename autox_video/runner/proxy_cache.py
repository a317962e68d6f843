"""The proxies of a training: written while its first epoch reads the originals, waited for before they are read."""

from __future__ import annotations

import dataclasses
import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from mmengine.dist import is_main_process
from mmengine.hooks import Hook
from mmengine.runner import Runner

from autox_video.dataset.messages import plural
from autox_video.plan.rules.cache import side_for
from autox_video.plan.schema import Plan
from autox_video.progress import progress_bar
from autox_video.proxies.background import Writing
from autox_video.proxies.listing import list_proxies, read_originals, write_originals
from autox_video.runner.distributed import decided_by_first
from autox_video.runner.watchdog import ProgressHook
from autox_video.stopping import at_once
from autox_video.work_dir import WorkDir

logger = logging.getLogger(__name__)
POLL_SECONDS = 0.05
# Of more videos the log has the names.
MAX_NAMED = 3
GONE = "no proxy: the processes that write them were ended"


@contextmanager
def proxies_written(runner: Runner, plan: Plan) -> Iterator[None]:
    """While the block trains, the proxies that are missing are written by processes of the first process.

    Args:
        runner: The Runner that trains in the block, with a `ProgressHook`.
        plan: Its plan; nothing is done where it has no proxies.
    """
    if plan.cache.value == "off":
        yield
        return
    hook = ProxyHook(plan, WorkDir(Path(runner.work_dir)))
    runner.register_hook(hook)
    try:
        if is_main_process():
            hook.start()
        yield
    finally:
        hook.writing.end()


@dataclasses.dataclass(frozen=True)
class _Written:
    """What the first process tells the others: that they may read proxies."""


class ProxyHook(Hook):
    """Lets a run go on to the first epoch or validation that reads proxies only when all are there.

    It waits where the state has just been saved, or read. A proxy that cannot be written is told once, and remembered
    with the run.

    Args:
        plan: Of the run.
        work_dir: Of the run.
    """

    # After the state is saved.
    priority = "LOWEST"

    def __init__(self, plan: Plan, work_dir: WorkDir) -> None:
        self.plan, self.work_dir = plan, work_dir
        self.writing = Writing()
        self.are_there = False
        self.lost: set[str] = set()

    def start(self) -> None:
        """Begin to write what is missing."""
        listing = list_proxies(self.work_dir, self.plan.data_root, side_for(self.plan))
        self.writing.start(listing.to_write(self.work_dir), self.plan.hardware.num_cpus)

    def before_train(self, runner) -> None:  # type: ignore[no-untyped-def]
        """A run may go on where proxies are read."""
        self._wait(runner, runner.epoch + 1)

    def after_train_epoch(self, runner) -> None:  # type: ignore[no-untyped-def]
        """The next epoch may read them."""
        if not runner.train_loop.validation_is_due(runner.epoch + 1):
            self._wait(runner, runner.epoch + 2)

    def before_val(self, runner) -> None:  # type: ignore[no-untyped-def]
        """Every validation reads them, so that their figures can be compared."""
        self._wait(runner, self.plan.proxies_from_epoch.value)

    def after_train_iter(self, runner, batch_idx: int, data_batch: Any = None, outputs: Any = None) -> None:  # type: ignore[no-untyped-def]
        """Name proxies that could not be read."""
        for sample in data_batch["data_samples"]:
            self._tell_lost(runner, sample.metainfo.get("without_proxy", ()))

    def after_val_iter(self, runner, batch_idx: int, data_batch: Any = None, outputs: Any = None) -> None:  # type: ignore[no-untyped-def]
        """Name proxies that could not be read."""
        for sample in outputs:
            self._tell_lost(runner, sample.metainfo.get("without_proxy", ()))

    def _wait(self, runner, epoch: int) -> None:  # type: ignore[no-untyped-def]
        if self.are_there or epoch < self.plan.proxies_from_epoch.value:
            return
        (progress,) = (hook for hook in runner.hooks if isinstance(hook, ProgressHook))
        stage, steps = progress.stage, progress.steps
        progress.enter("", 0)  # the others wait for the first process, which has a watchdog of its own
        with at_once():
            decided_by_first(lambda: self._finish(runner, progress), _Written)
        progress.enter(stage, steps)
        self.are_there = True

    def _finish(self, runner, progress: ProgressHook) -> _Written:  # type: ignore[no-untyped-def]
        self._see_through(progress)
        if self.writing.waiting:
            # Ended from outside, perhaps for lack of memory: once more, one at a time.
            self.writing.start(list(self.writing.waiting.values()), 1)
            self._see_through(progress)
        failed = {**self.writing.failed, **dict.fromkeys(self.writing.waiting, GONE)}
        if failed:
            write_originals(
                self.work_dir.read_as_they_are, {**read_originals(self.work_dir.read_as_they_are), **failed}
            )
            _warn(runner, f"{plural(len(failed), 'video')} without a proxy: the run reads the original to its end")
        for number, (proxy, reason) in enumerate(sorted(failed.items())):
            (_warn if number < MAX_NAMED else _log)(runner, f"{self.writing.files[proxy]} {reason}")
        return _Written()

    def _see_through(self, progress: ProgressHook) -> None:
        left = sum(one.frames for one in self.writing.waiting.values())
        with progress_bar(left, "writing proxies") as bar:
            done = 0
            progress.enter("writing proxies", done)
            while self.writing.is_running():
                if frames := self.writing.look():
                    done += frames
                    progress.enter("writing proxies", done)
                    bar.advance(frames)
                time.sleep(POLL_SECONDS)

    def _tell_lost(self, runner, lost: tuple[tuple[str, str], ...]) -> None:  # type: ignore[no-untyped-def]
        for proxy, reason in lost:
            if proxy in self.lost:
                continue
            self.lost.add(proxy)
            told = f"{proxy} {reason}: the original is read; the next start of the run writes what is missing"
            (_warn if len(self.lost) <= MAX_NAMED else _log)(runner, told)


def _warn(runner, message: str) -> None:  # type: ignore[no-untyped-def]
    logger.warning("warning  %s", message)
    _log(runner, message)


def _log(runner, message: str) -> None:  # type: ignore[no-untyped-def]
    runner.logger.warning(message)
