"""One line an epoch on the console, one row in `metrics.csv`, a progress bar in between."""

from __future__ import annotations

import csv
import io
import logging
import time
from collections.abc import Mapping
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from types import ModuleType
from typing import Any

import torch
from mmengine.dist import all_reduce, is_main_process, master_only
from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper
from mmengine.registry import HOOKS

from autox_video.plan.rules.bottleneck import LEAST_WAIT, bottleneck
from autox_video.plan.schema import Plan
from autox_video.progress import Bar, progress_bar
from autox_video.records import read_record
from autox_video.runner.loggers import FiguresVisualizer
from autox_video.work_dir import WorkDir
from autox_video.writing import write_text

logger = logging.getLogger(__name__)

# A shorter epoch says little of what holds it up: processes start, and the first batch is always waited for.
LEAST_SECONDS = 5.0


@HOOKS.register_module()
class EpochReportHook(Hook):
    """Tells a person how the training goes.

    `data_wait` is the share of the epoch's time that was spent waiting for the data loader. Where that becomes much, a
    sentence says what holds the training up and what would help; another one at its end says it of all epochs.
    """

    # Before the checkpoint hook: a row is written before the state it describes.
    priority = "LOW"

    def __init__(self) -> None:
        self.rows: list[dict[str, Any]] = []
        self._stack = ExitStack()
        self._bar = Bar()
        self._sums: dict[str, float] = {}
        self._at_step: dict[str, float] = {}
        self._seconds_before = 0.0
        self._has_waited = False

    def state_dict(self) -> dict[str, Any]:
        """The rows so far, and what the epoch has added up between two of its steps."""
        return {"rows": self.rows, "sums": self._at_step, "seconds": self._seconds() if self._sums else 0.0}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from what `state_dict` gave."""
        self.rows, self._sums, self._seconds_before = state["rows"], state["sums"], state["seconds"]
        self._at_step = dict(self._sums)

    def before_train(self, runner) -> None:  # type: ignore[no-untyped-def]
        """Take back the rows of epochs that a killed run had not saved."""
        if self.rows:
            self._write(runner)
        if is_main_process() and _train_figures(runner) != _task(runner).TRAIN_FIGURES:
            logger.info("note     training top-1 is left out: a clip that is mixed of two has no class of its own")

    def before_train_epoch(self, runner) -> None:  # type: ignore[no-untyped-def]
        """Open the bar and the sums of an epoch."""
        figures = dict.fromkeys(_train_figures(runner), 0.0)
        self._sums = {"loss": 0.0, "videos": 0.0, "wait": 0.0, **figures} | self._sums
        self._started = time.perf_counter()
        self._open_bar(len(runner.train_dataloader), f"epoch {runner.epoch + 1}/{runner.max_epochs}")

    def after_train_iter(self, runner, batch_idx: int, data_batch: Any = None, outputs: Any = None) -> None:  # type: ignore[no-untyped-def]
        """Add one batch of each process; every figure of an epoch is the mean over its videos."""
        count = len(data_batch["data_samples"])
        loss = float(outputs["loss"].detach())
        wait = runner.message_hub.get_scalar("train/data_time").current() / runner.world_size
        figures = {name: count * float(outputs[f"{name}_acc"]) for name in _train_figures(runner)}
        # At once, and not at the end of the epoch: the state between two steps holds what all have added up.
        for name, value in _over_all_processes({"loss": count * loss, "videos": count, "wait": wait, **figures}):
            self._sums[name] += value
        self._bar.advance(note=f"loss {loss:.3f}{self._rest(runner)}")

    def after_train(self, runner) -> None:  # type: ignore[no-untyped-def]
        """Say what has taken the time: of all epochs, or of those that read proxies, as the next run would."""
        if not self.rows or not is_main_process():
            return
        plan = _plan(runner)
        first = plan.proxies_from_epoch.value if plan.cache.value == "proxy" else 1
        rows = [row for row in self.rows if row["epoch"] >= first] or self.rows
        seconds = sum(row["seconds"] for row in rows)
        wait = sum(row["data_wait"] * row["seconds"] for row in rows) / seconds
        logger.info("speed    %s", bottleneck(plan, wait))

    def between_steps(self, runner) -> None:  # type: ignore[no-untyped-def]
        """What is saved belongs to the last step, not to batches that are being added up for the next."""
        self._at_step = dict(self._sums)

    def after_train_epoch(self, runner) -> None:  # type: ignore[no-untyped-def]
        """Close the sums; the row waits for its validation where one is due."""
        self._close_bar()
        seconds, sums = self._seconds(), self._sums
        self.rows.append(
            {
                "epoch": runner.epoch + 1,
                "iter": runner.iter,
                # The highest of all groups: a pretrained backbone learns more slowly than the head.
                "learning_rate": max(runner.optim_wrapper.get_lr()["lr"]),
                "train_loss": sums["loss"] / sums["videos"],
                **{f"train_{name}": sums[name] / sums["videos"] for name in _train_figures(runner)},
                "seconds": seconds,
                "videos_per_second": sums["videos"] / seconds,
                "data_wait": sums["wait"] / seconds,
            }
        )
        self._sums, self._at_step, self._seconds_before = {}, {}, 0.0
        if not runner.train_loop.validation_is_due(runner.epoch + 1):
            self._publish(runner)

    def before_val_epoch(self, runner) -> None:  # type: ignore[no-untyped-def]
        """Open the bar of a validation."""
        self._open_bar(len(runner.val_dataloader), "validating")

    def after_val_iter(self, runner, batch_idx: int, data_batch: Any = None, outputs: Any = None) -> None:  # type: ignore[no-untyped-def]
        """Advance the bar."""
        self._bar.advance()

    def after_val_epoch(self, runner, metrics: Mapping[str, float] | None = None) -> None:  # type: ignore[no-untyped-def]
        """Complete the row of the epoch."""
        self._close_bar()
        if self.rows:
            self.rows[-1] |= {f"val_{name}": value for name, value in (metrics or {}).items()}
            self._publish(runner)

    def before_test_epoch(self, runner) -> None:  # type: ignore[no-untyped-def]
        """Open the bar of a test."""
        self._open_bar(len(runner.test_dataloader), "testing")

    def after_test_iter(self, runner, batch_idx: int, data_batch: Any = None, outputs: Any = None) -> None:  # type: ignore[no-untyped-def]
        """Advance the bar."""
        self._bar.advance()

    def after_test_epoch(self, runner, metrics: Mapping[str, float] | None = None) -> None:  # type: ignore[no-untyped-def]
        """Close the bar."""
        self._close_bar()

    def _rest(self, runner) -> str:  # type: ignore[no-untyped-def]
        """How long all that is left of the run will take, as soon as an epoch is done."""
        if not self.rows:
            return ""
        each = sum(row["seconds"] for row in self.rows) / len(self.rows)
        left = (runner.max_epochs - runner.epoch) * each - self._seconds()
        return f", all epochs done in {timedelta(seconds=max(0, round(left)))}"

    def _open_bar(self, total: int, label: str) -> None:
        if is_main_process():
            self._bar = self._stack.enter_context(progress_bar(total, label))

    def _close_bar(self) -> None:
        self._stack.close()
        self._bar = Bar()

    def _seconds(self) -> float:
        """Time the epoch has taken, in every run that worked on it."""
        return self._seconds_before + time.perf_counter() - self._started

    def _publish(self, runner) -> None:  # type: ignore[no-untyped-def]
        if is_main_process():
            logger.info("%s", _line(self.rows[-1], runner.max_epochs, self.rows, *_task(runner).SHOWN))
            self._write(runner)
            if isinstance(runner.visualizer, FiguresVisualizer):
                planned = _plan(runner).decisions()
                runner.visualizer.add_row(self.rows[-1], {name: decision.value for name, decision in planned.items()})
            self.tell_of_waiting(runner, self.rows[-1])

    def tell_of_waiting(self, runner, row: Mapping[str, Any]) -> None:  # type: ignore[no-untyped-def]
        """Say what holds the training up where that is new; after the last epoch it is said anyway."""
        waits = row["data_wait"] >= LEAST_WAIT and row["seconds"] >= LEAST_SECONDS
        if waits and not self._has_waited and row["epoch"] < runner.max_epochs:
            logger.info("note     %s", bottleneck(_plan(runner), row["data_wait"]))
        self._has_waited = waits

    @master_only
    def _write(self, runner) -> None:  # type: ignore[no-untyped-def]
        table = io.StringIO()
        writer = csv.DictWriter(table, _columns(_task(runner)), restval="", extrasaction="ignore", lineterminator="\n")
        writer.writeheader()
        writer.writerows({key: _short(value) for key, value in row.items()} for row in self.rows)
        write_text(WorkDir(Path(runner.work_dir)).metrics, table.getvalue())


def _over_all_processes(values: Mapping[str, float]) -> list[tuple[str, float]]:
    sums = torch.tensor(list(values.values()), dtype=torch.float64)
    all_reduce(sums)
    return list(zip(values, sums.tolist(), strict=True))


def _plan(runner) -> Plan:  # type: ignore[no-untyped-def]
    return read_record(WorkDir(Path(runner.work_dir)).plan, Plan)


def _task(runner) -> ModuleType:  # type: ignore[no-untyped-def]
    task: ModuleType = runner.val_evaluator.metrics[0].task
    return task


def _train_figures(runner) -> tuple[str, ...]:  # type: ignore[no-untyped-def]
    """What a training tells besides its loss: nothing where mixup and cutmix leave no clip a class of its own."""
    model = runner.model.module if is_model_wrapper(runner.model) else runner.model
    mixes = getattr(model.data_preprocessor, "blending", None) is not None
    figures: tuple[str, ...] = () if mixes else _task(runner).TRAIN_FIGURES
    return figures


def _columns(task: ModuleType) -> tuple[str, ...]:
    train = [f"train_{name}" for name in ("loss", *task.TRAIN_FIGURES)]
    val = [f"val_{name}" for name in ("loss", *task.VAL_FIGURES)]
    return ("epoch", "iter", "learning_rate", *train, *val, "seconds", "videos_per_second", "data_wait")


def _short(value: Any) -> Any:
    return f"{value:.6g}" if isinstance(value, float) else value


def _line(row: Mapping[str, Any], max_epochs: int, rows: list[dict[str, Any]], figure: str, heading: str) -> str:
    left = (max_epochs - row["epoch"]) * sum(r["seconds"] for r in rows) / len(rows)
    parts = [
        f"epoch {row['epoch']:{len(str(max_epochs))}d}/{max_epochs}",
        f"loss {row['train_loss']:.3f}",
    ]
    if f"train_{figure}" in row:
        parts.append(f"{heading} {row[f'train_{figure}']:.3f}")
    if f"val_{figure}" in row:
        parts += [f"val loss {row['val_loss']:.3f}", f"val {heading} {row[f'val_{figure}']:.3f}"]
    parts += [
        f"lr {row['learning_rate']:.1e}",
        f"{row['videos_per_second']:.1f} videos/s",
        f"data wait {row['data_wait']:.0%}",
        f"eta {timedelta(seconds=round(left))}",
    ]
    return "  ".join(parts)
