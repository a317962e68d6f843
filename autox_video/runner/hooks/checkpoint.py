"""`last.pth` and `best.pth`: two fixed names, each whole at any moment."""

from __future__ import annotations

import dataclasses
import logging
import math
from pathlib import Path
from typing import Any

from mmengine.dist import master_only
from mmengine.hooks import Hook
from mmengine.registry import HOOKS

from autox_video.plan.schema import Plan
from autox_video.runner.checkpoints import from_plain, load_checkpoint_file, to_plain
from autox_video.work_dir import WorkDir, read_record, replacing

logger = logging.getLogger(__name__)
# Under this key of a checkpoint's `meta` stands what the other stages need to know of it.
RECORD_KEY = "autox_video"


@HOOKS.register_module()
class LastAndBestCheckpointHook(Hook):
    """Saves the last state after every epoch, and the best by its score on the validation split.

    The last state is written after the validation of its epoch, so that a resumed run never
    misses one, and so that the best score it carries is up to date.

    Args:
        best_metric: The validation figure to maximise; a checkpoint with a higher one replaces `best.pth`.
    """

    priority = "VERY_LOW"

    def __init__(self, best_metric: str) -> None:
        self.best_metric = best_metric
        self.best_score = -math.inf
        self.plan: dict[str, Any] = {}
        self.thresholds: tuple[float, ...] | None = None
        self.schedule_is_stale = False

    def before_run(self, runner) -> None:  # type: ignore[no-untyped-def]
        """Remember the plan, to write it into every checkpoint."""
        if runner._train_loop is not None:
            self.plan = _plain_plan(WorkDir(Path(runner.work_dir)).plan)

    def before_train(self, runner) -> None:  # type: ignore[no-untyped-def]
        """Go on from the best score of the run, and rebuild a schedule of another length."""
        work_dir = WorkDir(Path(runner.work_dir))
        if runner.epoch > 0 and work_dir.last_checkpoint.is_file():
            record = load_checkpoint_file(work_dir.last_checkpoint)["meta"][RECORD_KEY]
            # An epoch that is not validated hands on the thresholds of the last that was.
            self.thresholds = record.get("thresholds")
            for name, hook in hooks_with_state(runner).items():
                if name in record.get("hooks", {}):
                    hook.load_state_dict(record["hooks"][name])
        if runner.epoch > 0 and work_dir.best_checkpoint.is_file():
            record = load_checkpoint_file(work_dir.best_checkpoint)["meta"][RECORD_KEY]
            self.best_score = record["metrics"][self.best_metric]
        if self.schedule_is_stale:
            rebuild_schedule(runner)

    def after_train_epoch(self, runner) -> None:  # type: ignore[no-untyped-def]
        """Save the last state of an epoch that is not validated."""
        if not validation_is_due(runner):
            self._save(runner, "last.pth", epoch=runner.epoch + 1, metrics={})

    def after_val_epoch(self, runner, metrics: dict[str, float] | None = None) -> None:  # type: ignore[no-untyped-def]
        """Save the best state, then the last."""
        metrics = metrics or {}
        self.thresholds = runner.val_evaluator.metrics[0].thresholds
        score = metrics[self.best_metric]
        if score > self.best_score:
            self.best_score = score
            self._save(runner, "best.pth", epoch=runner.epoch, metrics=metrics)
        self._save(runner, "last.pth", epoch=runner.epoch, metrics=metrics)

    def before_save_checkpoint(self, runner, checkpoint: dict[str, Any]) -> None:  # type: ignore[no-untyped-def]
        """Leave only tensors and plain Python values, which load without unpickling objects."""
        to_plain(checkpoint)

    def after_load_checkpoint(self, runner, checkpoint: dict[str, Any]) -> None:  # type: ignore[no-untyped-def]
        """Undo `before_save_checkpoint`, and drop the schedule of a run that was planned to end elsewhere."""
        from_plain(checkpoint)
        saved = [state["end"] for state in checkpoint.get("param_schedulers", [])]
        if saved and saved != [scheduler.end for scheduler in runner.param_schedulers]:
            del checkpoint["param_schedulers"]
            self.schedule_is_stale = True

    @master_only
    def _save(self, runner, name: str, epoch: int, metrics: dict[str, float]) -> None:  # type: ignore[no-untyped-def]
        final = Path(runner.work_dir) / name
        record: dict[str, Any] = {
            "plan": self.plan,
            "metrics": metrics,
            "best_metric": self.best_metric,
            "best_score": self.best_score,
            "hooks": {name: hook.state_dict() for name, hook in hooks_with_state(runner).items()},
        }
        if self.thresholds is not None:
            record["thresholds"] = list(self.thresholds)
        meta = {"epoch": epoch, "iter": runner.train_loop.iter, RECORD_KEY: record}
        with replacing(final) as temporary:
            runner.save_checkpoint(str(final.parent), temporary.name, meta=meta)


def hooks_with_state(runner) -> dict[str, Any]:  # type: ignore[no-untyped-def]
    """The hooks that a checkpoint carries the state of, by the name of their class."""
    found = {type(hook).__name__: hook for hook in runner.hooks}
    return {name: hook for name, hook in found.items() if hasattr(hook, "state_dict")}


def validation_is_due(runner) -> bool:  # type: ignore[no-untyped-def]
    """Whether MMEngine validates after the epoch that is ending; see `EpochBasedTrainLoop.run`."""
    epoch = runner.epoch + 1
    return epoch % runner.val_interval == 0 or epoch == runner.max_epochs


def rebuild_schedule(runner) -> None:  # type: ignore[no-untyped-def]
    """Build the learning-rate schedule for the new number of epochs and move it to where the run stands.

    A resumed schedule keeps the length it was saved with and leaves the rate at its old end.
    """
    optimizer = runner.optim_wrapper.optimizer
    for group in optimizer.param_groups:
        group["lr"] = group["initial_lr"]
    # Schedulers warn when they are stepped before the optimizer, which has its steps behind it here.
    runner.param_schedulers = runner.build_param_scheduler(runner.cfg.param_scheduler)
    optimizer._global_step = runner.iter
    for _ in range(runner.iter):
        for scheduler in runner.param_schedulers:
            scheduler.step()
    logger.info("the learning-rate schedule now ends after epoch %d", runner.max_epochs)


def _plain_plan(path: Path) -> dict[str, Any]:
    return dataclasses.asdict(read_record(path, Plan))
