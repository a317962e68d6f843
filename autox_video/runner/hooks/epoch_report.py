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
from mmengine.dist import all_reduce, is_main_process
from mmengine.hooks import Hook
from mmengine.registry import HOOKS

from autox_video.progress import Bar, progress_bar
from autox_video.runner.hooks.checkpoint import validation_is_due
from autox_video.work_dir import WorkDir, write_text

logger = logging.getLogger(__name__)


@HOOKS.register_module()
class EpochReportHook(Hook):
    """Tells a person how the training goes.

    `data_wait` is the share of the epoch's time that was spent waiting for the data loader.
    """

    # Before the checkpoint hook: a row is written before the state it describes.
    priority = "LOW"

    def __init__(self) -> None:
        self.rows: list[dict[str, Any]] = []
        self._stack = ExitStack()
        self._bar = Bar()
        self._sums: dict[str, float] = {}

    def before_train(self, runner) -> None:  # type: ignore[no-untyped-def]
        """Keep the rows of the epochs that a resumed run has behind it."""
        if runner.epoch > 0:
            self.rows = [
                row for row in _read_rows(WorkDir(Path(runner.work_dir)).metrics) if int(row["epoch"]) <= runner.epoch
            ]

    def before_train_epoch(self, runner) -> None:  # type: ignore[no-untyped-def]
        """Open the bar and the sums of an epoch."""
        figures = dict.fromkeys(_task(runner).TRAIN_FIGURES, 0.0)
        self._sums = {"loss": 0.0, "videos": 0.0, "wait": 0.0, **figures}
        self._started = time.perf_counter()
        self._open_bar(len(runner.train_dataloader), f"epoch {runner.epoch + 1}/{runner.max_epochs}")

    def after_train_iter(self, runner, batch_idx: int, data_batch: Any = None, outputs: Any = None) -> None:  # type: ignore[no-untyped-def]
        """Add one batch; every figure of an epoch is the mean over its videos."""
        count = len(data_batch["data_samples"])
        loss = float(outputs["loss"].detach())
        self._sums["videos"] += count
        self._sums["loss"] += count * loss
        for name in _task(runner).TRAIN_FIGURES:
            self._sums[name] += count * float(outputs[f"{name}_acc"])
        self._sums["wait"] += runner.message_hub.get_scalar("train/data_time").current()
        self._bar.advance(note=f"loss {loss:.3f}")

    def after_train_epoch(self, runner) -> None:  # type: ignore[no-untyped-def]
        """Close the sums, of all processes together; the row waits for its validation where one is due."""
        self._close_bar()
        seconds = time.perf_counter() - self._started
        sums = torch.tensor(list(self._sums.values()), dtype=torch.float64)
        all_reduce(sums)
        self._sums = dict(zip(self._sums, sums.tolist(), strict=True))
        videos = self._sums["videos"]
        self.rows.append(
            {
                "epoch": runner.epoch + 1,
                "iter": runner.iter,
                # The highest of all groups: a pretrained backbone learns more slowly than the head.
                "learning_rate": max(runner.optim_wrapper.get_lr()["lr"]),
                "train_loss": self._sums["loss"] / videos,
                **{f"train_{name}": self._sums[name] / videos for name in _task(runner).TRAIN_FIGURES},
                "seconds": seconds,
                "videos_per_second": videos / seconds,
                "data_wait": self._sums["wait"] / runner.world_size / seconds,
            }
        )
        if not validation_is_due(runner):
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

    def _open_bar(self, total: int, label: str) -> None:
        if is_main_process():
            self._bar = self._stack.enter_context(progress_bar(total, label))

    def _close_bar(self) -> None:
        self._stack.close()
        self._bar = Bar()

    def _publish(self, runner) -> None:  # type: ignore[no-untyped-def]
        if not is_main_process():
            return
        task = _task(runner)
        logger.info("%s", _line(self.rows[-1], runner.max_epochs, self.rows, *task.SHOWN))
        table = io.StringIO()
        writer = csv.DictWriter(table, _columns(task), restval="", extrasaction="ignore", lineterminator="\n")
        writer.writeheader()
        writer.writerows({key: _short(value) for key, value in row.items()} for row in self.rows)
        write_text(WorkDir(Path(runner.work_dir)).metrics, table.getvalue())


def _task(runner) -> ModuleType:  # type: ignore[no-untyped-def]
    task: ModuleType = runner.val_evaluator.metrics[0].task
    return task


def _columns(task: ModuleType) -> tuple[str, ...]:
    train = [f"train_{name}" for name in ("loss", *task.TRAIN_FIGURES)]
    val = [f"val_{name}" for name in ("loss", *task.VAL_FIGURES)]
    return ("epoch", "iter", "learning_rate", *train, *val, "seconds", "videos_per_second", "data_wait")


def _read_rows(path: Path) -> list[dict[str, Any]]:
    if not path.is_file():
        return []
    with path.open(encoding="utf-8", newline="") as file:
        return [{key: value for key, value in row.items() if value != ""} for row in csv.DictReader(file)]


def _short(value: Any) -> Any:
    return f"{value:.6g}" if isinstance(value, float) else value


def _line(row: Mapping[str, Any], max_epochs: int, rows: list[dict[str, Any]], figure: str, heading: str) -> str:
    left = (max_epochs - row["epoch"]) * sum(float(r["seconds"]) for r in rows) / len(rows)
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
