"""What a checkpoint of ours says of itself, and which one a run goes on from."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autox_video.errors import Problem, RequestError, RunError
from autox_video.plan.schema import Plan
from autox_video.records import build_record
from autox_video.runner.checkpoints.reading import load_checkpoint_file
from autox_video.runner.hooks.early_stopping import validations_waited
from autox_video.work_dir import WorkDir

logger = logging.getLogger(__name__)
# Under this key of a checkpoint's `meta` stands what the other stages need to know of it.
RECORD_KEY = "autox_video"


@dataclass(frozen=True)
class CheckpointRecord:
    """What a checkpoint of ours says of itself.

    Attributes:
        path: The file.
        epoch: Finished epochs.
        position: Videos that were drawn of the epoch after those; 0 between two epochs.
        plan: The plan it was trained with.
        metrics: Validation figures of that epoch; empty where it was not validated.
        best_metric: The figure that decides which checkpoint is best.
        validated_epochs: Finished epochs at the last validation.
        waited: Validations without improvement after which the training stopped early; None when it did not.
    """

    path: Path
    epoch: int
    position: int
    plan: Plan
    metrics: dict[str, float]
    best_metric: str
    validated_epochs: int
    waited: int | None

    def is_finished(self, epochs: int) -> bool:
        """Whether a run of so many epochs has nothing left to do."""
        return self.epoch >= epochs and self.validated_epochs >= self.epoch

    def place(self, epochs: int) -> str:
        """Where a run of so many epochs stands, in words."""
        if not self.position:
            return f"after epoch {self.epoch} of {epochs}"
        videos = self.plan.num_videos["train"]
        return f"inside epoch {self.epoch + 1} of {epochs}, after {self.position} of {videos} videos"


def read_checkpoint_record(path: Path) -> CheckpointRecord | None:
    """The record in a checkpoint, or None when it is not one of ours.

    Raises:
        RunError: The file cannot be read, or its record is of another version of this package.
    """
    return _record_in(load_checkpoint_file(path), path)


def find_newest_checkpoint(work_dir: WorkDir) -> CheckpointRecord | None:
    """The newest state of a run that is whole, or None where nothing was saved yet.

    Files that are damaged are named and passed over.

    Raises:
        RequestError: A file is whole, but was not written by this package.
        RunError: All files are damaged, or one is of another version of this package.
    """
    problems: list[Problem] = []
    # `best.pth` is as complete as the others, only older.
    for path in (work_dir.last_checkpoint, work_dir.previous_checkpoint, work_dir.best_checkpoint):
        if not path.exists():
            continue
        try:
            checkpoint = load_checkpoint_file(path)
        except RunError as error:
            problems += error.problems
            continue
        record = _record_in(checkpoint, path)
        if record is None:
            wrong, cure = "was not written by autox_video", "Choose another work_dir, or archive it with --fresh"
            raise RequestError(Problem(str(path), wrong, cure))
        for problem in problems:
            logger.warning("skipped  %s: %s", problem.where, problem.wrong)
        return record
    if problems:
        raise RunError(problems)
    return None


def _record_in(checkpoint: dict[str, Any], path: Path) -> CheckpointRecord | None:
    meta: dict[str, Any] = checkpoint.get("meta") or {}
    record = meta.get(RECORD_KEY)
    if record is None:
        return None
    try:
        return CheckpointRecord(
            path=path,
            epoch=meta["epoch"],
            position=record["position"],
            plan=build_record(record["plan"], Plan),
            metrics=record["metrics"],
            best_metric=record["best_metric"],
            validated_epochs=record["validated_epochs"],
            waited=validations_waited(record["hooks"]),
        )
    except (KeyError, TypeError, ValueError) as error:
        wrong, cure = "was written by another version of autox_video", "Train anew with --fresh, or in another work_dir"
        raise RunError(Problem(str(path), wrong, cure, f"a record that lacks {error}")) from error
