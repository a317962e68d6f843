"""Train: MMEngine's Runner on the rendered config, from the start or from `last.pth`."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mmengine.config import Config

from autox_video.errors import Problem, RunError
from autox_video.plan.schema import Plan
from autox_video.runner.build import build_runner, quiet_libraries
from autox_video.runner.checkpoints import load_checkpoint_file
from autox_video.runner.hooks.checkpoint import RECORD_KEY
from autox_video.runner.hooks.early_stopping import validations_waited
from autox_video.work_dir import WorkDir, build_record


@dataclass(frozen=True)
class CheckpointRecord:
    """What a checkpoint of ours says of itself.

    Attributes:
        epoch: Finished epochs.
        plan: The plan it was trained with.
        metrics: Validation figures of that epoch; empty where it was not validated.
        best_metric: The figure that decides which checkpoint is best.
        waited: Validations without improvement after which the training stopped early; None when it did not.
    """

    epoch: int
    plan: Plan
    metrics: dict[str, float]
    best_metric: str
    waited: int | None = None


def read_checkpoint_record(path: Path) -> CheckpointRecord | None:
    """The record in a checkpoint, or None when it is not one of ours.

    Raises:
        RunError: The file cannot be read, or its record is of another version of this package.
    """
    meta: dict[str, Any] = load_checkpoint_file(path).get("meta") or {}
    record = meta.get(RECORD_KEY)
    if record is None:
        return None
    try:
        plan = build_record(record["plan"], Plan)
        waited = validations_waited(record.get("hooks", {}))
        return CheckpointRecord(meta["epoch"], plan, record["metrics"], record["best_metric"], waited)
    except (KeyError, TypeError, ValueError) as error:
        wrong, cure = "was written by another version of autox_video", "Train anew with --fresh, or in another work_dir"
        raise RunError(Problem(str(path), wrong, cure, f"a record that lacks {error}")) from error


def train(config: Config, plan: Plan, work_dir: WorkDir, resume_from: Path | None) -> None:
    """Train to the last epoch of the plan; `last.pth` and `best.pth` are kept up to date.

    Args:
        config: As `render_config` returns it.
        plan: Its plan; `plan.json` in the work dir must be the same.
        work_dir: Where everything is written.
        resume_from: The checkpoint to go on from, or None to start.
    """
    config = copy.deepcopy(config)
    # MMEngine takes `load_from` for the file to resume when both are set: never leave it a choice.
    config.load_from = None if resume_from is None else str(resume_from)
    config.resume = resume_from is not None
    # Testing is a run of its own, on the best checkpoint.
    for key in ("test_dataloader", "test_cfg", "test_evaluator"):
        config.pop(key, None)
    with quiet_libraries(work_dir.train_log):
        build_runner(config, plan, work_dir.train_log).train()
