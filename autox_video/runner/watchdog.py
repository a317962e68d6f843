"""Ends a run that makes no progress, and says what it was waiting for."""

from __future__ import annotations

import faulthandler
import logging
import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from mmengine.hooks import Hook
from mmengine.runner import Runner

from autox_video.errors import STALLED_EXIT_CODE, Problem
from autox_video.runner.loading import files_being_read, stopped_processes
from autox_video.runner.signs_of_life import give_sign, others_wait_for

logger = logging.getLogger(__name__)
# Looks so many times before it gives up.
LOOKS = 20
LONGEST_WAIT_SECONDS = 5.0
# Of more files the first ones are enough.
MAX_FILES = 4
# The message, too, may go to something that is stuck.
MESSAGE_SECONDS = 5.0


class ProgressHook(Hook):
    """Tells a watchdog what the run is at, and of every step."""

    priority = "VERY_HIGH"

    def __init__(self) -> None:
        self.stage = ""
        self.steps = 0
        self.waited_seconds = 0.0

    def before_train(self, runner) -> None:  # type: ignore[no-untyped-def]
        """The steps begin."""
        self.enter("training", runner.iter)

    def before_train_epoch(self, runner) -> None:  # type: ignore[no-untyped-def]
        """The next epoch begins."""
        self.enter("training", runner.iter)

    def before_train_iter(self, runner, batch_idx: int, data_batch: Any = None) -> None:  # type: ignore[no-untyped-def]
        """A batch has come."""
        self.waited_seconds = 0.0

    def after_train_iter(self, runner, batch_idx: int, data_batch: Any = None, outputs: Any = None) -> None:  # type: ignore[no-untyped-def]
        """A step is done."""
        self.enter("training", runner.iter + 1)

    def before_val_epoch(self, runner) -> None:  # type: ignore[no-untyped-def]
        """A validation begins."""
        self.enter("validation", 0)

    def after_val_iter(self, runner, batch_idx: int, data_batch: Any = None, outputs: Any = None) -> None:  # type: ignore[no-untyped-def]
        """A batch is scored."""
        self.enter("validation", batch_idx + 1)

    def after_val_epoch(self, runner, metrics: Any = None) -> None:  # type: ignore[no-untyped-def]
        """A validation is done."""
        self.waited_seconds = 0.0

    def before_test_epoch(self, runner) -> None:  # type: ignore[no-untyped-def]
        """A test begins."""
        self.enter("test", 0)

    def after_test_iter(self, runner, batch_idx: int, data_batch: Any = None, outputs: Any = None) -> None:  # type: ignore[no-untyped-def]
        """A batch is scored."""
        self.enter("test", batch_idx + 1)

    def enter(self, stage: str, steps: int) -> None:
        """The run is at this stage, and that far in it; at none, nobody waits for a step."""
        self.stage, self.steps, self.waited_seconds = stage, steps, 0.0


@contextmanager
def watched(
    runner: Runner, stall_minutes: float, log_file: Path, listener: Callable[[str], None] | None = None
) -> Iterator[None]:
    """From the first stage of a Runner on, the process ends with code 75 when it does no step for so long.

    What is on disk is whole at any moment, so nothing has to be cleared up. Time in which the process is suspended
    does not count.

    Args:
        runner: The Runner that trains or tests in the block.
        stall_minutes: The longest time without progress.
        log_file: Gets what every thread is doing then, for whoever looks for the cause.
        listener: Is told what the run waits for.
    """
    progress, ended = ProgressHook(), threading.Event()
    arguments = (progress, ended, 60 * stall_minutes, log_file, listener)
    watcher = threading.Thread(target=_watch, args=arguments, name="watchdog", daemon=True)
    runner.register_hook(progress)
    watcher.start()
    try:
        yield
    finally:
        ended.set()
        watcher.join()


def _watch(
    progress: ProgressHook,
    ended: threading.Event,
    limit_seconds: float,
    log_file: Path,
    listener: Callable[[str], None] | None,
) -> None:
    wait = min(limit_seconds / LOOKS, LONGEST_WAIT_SECONDS)
    before = time.monotonic()
    while not ended.wait(wait):
        now = time.monotonic()
        # Of a longer pause the process itself was suspended, or the machine.
        progress.waited_seconds += min(now - before, 2 * wait) if progress.stage else 0.0
        before = now
        give_sign(" and ".join(_waits()))
        if progress.waited_seconds >= limit_seconds:
            # Each process looks once in this time, however it was started.
            problem = _problem(progress, limit_seconds, [*_waits(), *others_wait_for(2 * wait)])
            _end(problem, log_file, listener)


def _end(problem: Problem, log_file: Path, listener: Callable[[str], None] | None) -> None:
    teller = threading.Thread(target=_tell, args=(problem, log_file, listener), daemon=True)
    teller.start()
    teller.join(MESSAGE_SECONDS)
    for child in multiprocessing.active_children():
        if child.pid:
            os.kill(child.pid, signal.SIGKILL)
    # Before the main thread comes to complain that they have died.
    os._exit(STALLED_EXIT_CODE)


def _tell(problem: Problem, log_file: Path, listener: Callable[[str], None] | None) -> None:
    logger.error("stalled  %s", problem)
    if listener is not None:
        listener(str(problem))
    with log_file.open("a", encoding="utf-8") as file:
        file.write(f"stalled: {problem}\n")
        file.flush()
        faulthandler.dump_traceback(file)


def _waits() -> list[str]:
    """What this process waits for, as far as is known: the files that are being read, the longest first."""
    now = time.monotonic()
    files = [f"{one.file} (read for {now - one.since:.0f} s by process {one.process})" for one in files_being_read()]
    return [*files[:MAX_FILES], *(f"process {number}, which is suspended" for number in stopped_processes())]


def _problem(progress: ProgressHook, limit_seconds: float, waits: list[str]) -> Problem:
    what = f", waiting for {' and '.join(waits)}" if waits else ""
    done = "before the first step" if progress.steps == 0 else f"after step {progress.steps}"
    wrong = f"no progress for {limit_seconds / 60:g} minutes {done}{what}"
    cure = "Look at what holds it up" if waits else "The log says where each thread stands"
    return Problem(progress.stage, wrong, f"{cure}; the same command goes on. runtime.stall_minutes is the limit")
