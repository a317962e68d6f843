"""`last.pth`, `previous.pth` and `best.pth`: fixed names, each whole at any moment."""

from __future__ import annotations

import dataclasses
import logging
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mmengine.dist import master_only
from mmengine.hooks import Hook
from mmengine.registry import HOOKS

from autox_video.errors import RunError
from autox_video.plan.schema import Plan
from autox_video.records import read_record
from autox_video.runner.checkpoints import RECORD_KEY, from_plain, load_checkpoint_file, to_plain
from autox_video.runner.checkpoints.card import write_weights_with_card
from autox_video.runner.course import planned_otherwise, rebuild_schedule, refuse_other_groups, scale_learning_rate
from autox_video.runner.sharding import is_sharded, whole_state
from autox_video.stopping import later
from autox_video.work_dir import WorkDir
from autox_video.writing import replacing

logger = logging.getLogger(__name__)


@HOOKS.register_module()
class LastAndBestCheckpointHook(Hook):
    """Saves the state of a training, and the best by its score on the validation split.

    The last state is written at the end of every epoch, before its validation and again after it, and whenever a
    hook asks for it between two steps. Besides what MMEngine saves it holds where in the epoch the run stands, and
    the state of every hook that has `state_dict()` and `load_state_dict(state)`.

    Args:
        best_metric: The validation figure to maximise; a checkpoint with a higher one replaces `best.pth`.
    """

    priority = "VERY_LOW"

    def __init__(self, best_metric: str) -> None:
        self.best_metric = best_metric
        self.best_score = -math.inf
        self.plan: dict[str, Any] = {}
        self.thresholds: tuple[float, ...] | None = None
        self.calibration: dict[str, Any] | None = None
        self.resumed: dict[str, Any] | None = None
        self.saving: dict[str, Any] = {}
        self.schedule_is_stale = False

    def before_run(self, runner) -> None:  # type: ignore[no-untyped-def]
        """Remember the plan, to write it into every checkpoint."""
        if runner._train_loop is not None:
            self.plan = dataclasses.asdict(read_record(WorkDir(Path(runner.work_dir)).plan, Plan))

    def before_train(self, runner) -> None:  # type: ignore[no-untyped-def]
        """Go on from the state that was read, and rebuild a schedule of another length."""
        if self.resumed is not None:
            record = self.resumed
            runner.train_loop.go_on(record["position"], record["validated_epochs"])
            self._go_on_from_best(WorkDir(Path(runner.work_dir)).best_checkpoint, record["best_score"])
            # An epoch that is not validated hands on what the last validation said.
            self.thresholds, self.calibration = record.get("thresholds"), record.get("calibration")
        if self.schedule_is_stale:
            rebuild_schedule(runner)

    def after_train_epoch(self, runner) -> None:  # type: ignore[no-untyped-def]
        """Save the last state of an epoch that is not validated."""
        if not runner.train_loop.validation_is_due(runner.epoch + 1):
            self._save(runner, "last.pth", metrics={}, epoch=runner.epoch + 1, position=0)

    def before_val(self, runner) -> None:  # type: ignore[no-untyped-def]
        """Save what the epoch has learned: a validation may take long, and be stopped."""
        self.save_last(runner)

    def after_val_epoch(self, runner, metrics: dict[str, float] | None = None) -> None:  # type: ignore[no-untyped-def]
        """Save the best state, then the last."""
        metrics = metrics or {}
        runner.train_loop.validated_epochs = runner.epoch
        evaluated = runner.val_evaluator.metrics[0]
        calibration = evaluated.calibration()
        self.thresholds = evaluated.thresholds
        self.calibration = None if calibration is None else dataclasses.asdict(calibration)
        score = metrics[self.best_metric]
        if score > self.best_score:
            self.best_score = score
            self._save(runner, "best.pth", metrics)
        self._save(runner, "last.pth", metrics)

    def out_of_memory(self, runner) -> None:  # type: ignore[no-untyped-def]
        """Save the state of the last step: the run goes on with smaller batches. Of shares one process has no whole."""
        if not is_sharded(runner.model):
            self.save_last(runner)

    def save_last(self, runner) -> None:  # type: ignore[no-untyped-def]
        """Save the state between two steps, or between an epoch and its validation."""
        self._save(runner, "last.pth", metrics={})

    def before_save_checkpoint(self, runner, checkpoint: dict[str, Any]) -> None:  # type: ignore[no-untyped-def]
        """Leave only tensors and plain Python values, which load without unpickling objects."""
        to_plain(checkpoint)
        self.saving = checkpoint

    def after_load_checkpoint(self, runner, checkpoint: dict[str, Any]) -> None:  # type: ignore[no-untyped-def]
        """Undo `before_save_checkpoint`, restore the hooks, and drop a schedule that was planned otherwise."""
        from_plain(checkpoint)
        self.resumed = record = checkpoint["meta"][RECORD_KEY]
        refuse_other_groups(checkpoint, runner.optim_wrapper.optimizer)
        scale_learning_rate(checkpoint, self.plan["lr_scale"]["value"] / record["plan"]["lr_scale"]["value"])
        for name, hook in _hooks_with_state(runner):
            if name in record["hooks"]:
                hook.load_state_dict(record["hooks"][name])
        if planned_otherwise(checkpoint.get("param_schedulers", []), runner.param_schedulers):
            del checkpoint["param_schedulers"]
            self.schedule_is_stale = True

    def _go_on_from_best(self, path: Path, score: float) -> None:
        """Keep the best of the run where it is whole; where it is not, the next validation writes another."""
        try:
            best = load_checkpoint_file(path)
        except RunError as error:
            if score > -math.inf:
                (problem,) = error.problems
                logger.warning("warning  %s: %s; the next validation writes it anew", problem.where, problem.wrong)
            return
        self.best_score = score
        write_weights_with_card(path, best)

    def _save(  # type: ignore[no-untyped-def]
        self, runner, name: str, metrics: dict[str, float], epoch: int | None = None, position: int | None = None
    ) -> None:
        loop = runner.train_loop
        record: dict[str, Any] = {
            "plan": self.plan,
            "metrics": metrics,
            "best_metric": self.best_metric,
            "best_score": self.best_score,
            "position": loop.position if position is None else position,
            "validated_epochs": loop.validated_epochs,
            "hooks": {name: hook.state_dict() for name, hook in _hooks_with_state(runner)},
        }
        if self.thresholds is not None:
            record["thresholds"] = list(self.thresholds)
        if self.calibration is not None:
            record["temperature"] = self.calibration["temperature"]
            record["calibration"] = self.calibration
        meta = {"epoch": loop.epoch if epoch is None else epoch, "iter": loop.iter, RECORD_KEY: record}
        work_dir = WorkDir(Path(runner.work_dir))
        final = work_dir.root / name
        keep = work_dir.previous_checkpoint if final == work_dir.last_checkpoint else None
        with later(), whole_state(runner.model, runner.optim_wrapper.optimizer):
            self._write(runner, final, keep, meta)
        self.saving = {}

    @master_only
    def _write(self, runner, final: Path, keep: Path | None, meta: dict[str, Any]) -> None:  # type: ignore[no-untyped-def]
        with replacing(final, keep) as temporary:
            runner.save_checkpoint(str(final.parent), temporary.name, meta=meta)
        if final == WorkDir(Path(runner.work_dir)).best_checkpoint:
            write_weights_with_card(final, self.saving)


def _hooks_with_state(runner) -> Iterator[tuple[str, Any]]:  # type: ignore[no-untyped-def]
    for hook in runner.hooks:
        if hasattr(hook, "state_dict") and hasattr(hook, "load_state_dict"):
            yield type(hook).__name__, hook
