"""`test.folds`: the spine, once for each fold. A fold is a run like any other, in `work_dir/folds/<number>`."""

from __future__ import annotations

import dataclasses
import gc
import logging
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from autox_video.archive import archive_run
from autox_video.dataset.entries import Content
from autox_video.dataset.facts import Fingerprint
from autox_video.dataset.fingerprint import fingerprint_dataset
from autox_video.dataset.folds import KEY, read_folds, row_key
from autox_video.dataset.messages import in_short, plural, setting_place
from autox_video.errors import Problem, RequestError
from autox_video.log_lines import log_fingerprint
from autox_video.plan.schema import Plan
from autox_video.predictions import Prediction, Predictions, pool_folds
from autox_video.processes import own_place
from autox_video.records import read_record
from autox_video.report.outcome import AnyResults
from autox_video.runner.distributed import decided_by_first
from autox_video.scoring import report, score
from autox_video.settings.schema import Settings
from autox_video.training import TrainOutcome, only_training, train_run
from autox_video.work_dir import WorkDir
from autox_video.writing import clear_leftovers, write_text

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class FoldsOutcome:
    """What the trainings of all folds left behind.

    Attributes:
        work_dir: Folder of all of them.
        folds: One a fold.
        best_metrics: Mean over the folds of the validation figures of their best checkpoints.
    """

    work_dir: Path
    folds: tuple[TrainOutcome, ...]
    best_metrics: dict[str, float]


def train(settings: Settings, *, fresh: bool = False) -> FoldsOutcome:
    """Train one model a fold, or go on in the fold and after the epoch where the last run stopped.

    Args:
        settings: What the user asked.
        fresh: Move an earlier run in this work dir into its `archive` and start anew.
    """
    work_dir = WorkDir(settings.work_dir)
    with only_training(work_dir):
        return _train(settings, work_dir, fresh)


def _train(settings: Settings, work_dir: WorkDir, fresh: bool) -> FoldsOutcome:
    number_of_folds = _number(settings)
    decided_by_first(lambda: _prepare(settings, work_dir, fresh), _Ready)
    outcomes: list[TrainOutcome] = []
    like: Plan | None = None
    for number in range(1, number_of_folds + 1):
        outcomes.append(train_run(settings, work_dir.fold(number), partial(_look, settings, work_dir, number), like))
        # Models that learned by different recipes would not be compared by their videos.
        like = like or read_record(work_dir.fold(number).plan, Plan)
        gc.collect()  # the network of this fold, before there is another one on the GPU
    figures = {name: [outcome.best_metrics[name] for outcome in outcomes] for name in outcomes[0].best_metrics}
    means = {name: float(np.mean(values)) for name, values in figures.items()}
    spread = ", ".join(f"{name} {means[name]:.3f} +- {np.std(values, ddof=1):.3f}" for name, values in figures.items())
    logger.info("folds    all %d are trained; validation, mean +- standard deviation: %s", number_of_folds, spread)
    return FoldsOutcome(work_dir.root, tuple(outcomes), means)


def test(settings: Settings, *, checkpoint: Path | None = None) -> AnyResults:
    """Test the model of each fold on the videos it did not learn, and write the results of all together.

    Args:
        settings: What the user asked.
        checkpoint: Refused: each fold has its own.
    """
    work_dir = WorkDir(settings.work_dir)
    number_of_folds = _number(settings)
    if checkpoint is not None:
        wrong = f"is one checkpoint, and {KEY} tests that of each fold on the videos it did not learn"
        cure = f"Leave it out, or test it by itself without {KEY}"
        raise RequestError(Problem("checkpoint", wrong, cure, str(checkpoint)))
    decided_by_first(lambda: _prepare_test(settings, work_dir, number_of_folds), _Ready)
    found: list[Predictions] = []
    for number in range(1, number_of_folds + 1):
        logger.info("fold     %d of %d", number, number_of_folds)
        of_fold = work_dir.fold(number)
        found.append(score(settings, of_fold, of_fold.best_checkpoint, fold=number))
        # Every fold is looked at as the first one is.
        views = dataclasses.replace(settings.test, num_clips=found[0].num_clips, num_crops=found[0].num_crops)
        settings = dataclasses.replace(settings, test=views)
        gc.collect()
    places = {row: place for place, row in enumerate(read_folds(work_dir.folds_trained))}
    return report(settings, pool_folds(found, lambda row: places[_key(row)]))


def for_new_videos(settings: Settings, checkpoint: Path | None) -> Settings:
    """The settings under which one checkpoint scores videos that belong to no fold.

    Raises:
        RequestError: None is named.
    """
    if checkpoint is None:
        where, work_dir = setting_place(settings, KEY), WorkDir(settings.work_dir)
        wrong = "gives a model for each fold, and none of them is the one for new videos"
        name = work_dir.fold(1).best_checkpoint
        cure = f"Name a checkpoint, such as {name}, or train without {KEY} in another work_dir"
        raise RequestError(Problem(where, wrong, cure, str(settings.test.folds)))
    return dataclasses.replace(settings, test=dataclasses.replace(settings.test, folds=None))


@dataclass(frozen=True)
class _Ready:
    """What the first process tells the others before the first fold: that they may begin."""


def _prepare(settings: Settings, work_dir: WorkDir, fresh: bool) -> _Ready:
    clear_leftovers(*work_dir.folders)
    log_fingerprint(fingerprint_dataset(settings, work_dir))
    if fresh and not own_place().restarts:
        archive_run(work_dir)
    if any(work_dir.folds.glob("*/*.pth")):
        _refuse_other_folds(settings, work_dir)
    else:
        write_text(work_dir.folds_trained, work_dir.folds_list.read_text(encoding="utf-8"))
    return _Ready()


def _prepare_test(settings: Settings, work_dir: WorkDir, number_of_folds: int) -> _Ready:
    _refuse_untrained(work_dir, number_of_folds)
    log_fingerprint(fingerprint_dataset(settings, work_dir))
    _refuse_other_folds(settings, work_dir)
    return _Ready()


def _number(settings: Settings) -> int:
    assert settings.test.folds is not None, "the caller looks"
    return settings.test.folds


def _look(settings: Settings, work_dir: WorkDir, number: int) -> Fingerprint:
    """The data of one fold."""
    clear_leftovers(*work_dir.fold(number).folders)
    fingerprint = fingerprint_dataset(settings, work_dir.fold(number), fold=number)
    counts = ", ".join(f"{facts.num_videos} {split}" for split, facts in fingerprint.splits.items())
    logger.info("fold     %d of %d: %s videos", number, _number(settings), counts)
    return fingerprint


def _key(row: Prediction) -> Content:
    return row_key(row.path, row.start_seconds, row.end_seconds)


def _refuse_other_folds(settings: Settings, work_dir: WorkDir) -> None:
    """Refuse to go on with folds that are divided otherwise than the trained ones: models would know their tests."""
    then, now = read_folds(work_dir.folds_trained), read_folds(work_dir.folds_list)
    if then == now:
        return
    number = max(then.values())
    if number != settings.test.folds:
        wrong, got = f"was {number} when training began", str(settings.test.folds)
    else:
        new, gone = len(now.keys() - then.keys()), len(then.keys() - now.keys())
        moved = sum(now[row] != fold for row, fold in then.items() if row in now)
        counts = f"{plural(new, 'video')} came, {gone} went, {moved} would be in another fold"
        wrong, got = f"would divide the videos otherwise than when training began: {counts}", ""
    cure = f"Put it back as it was (see {work_dir.folds_trained}), or start anew: --fresh archives these folds"
    raise RequestError(Problem(setting_place(settings, KEY), wrong, cure, got or None))


def _refuse_untrained(work_dir: WorkDir, number_of_folds: int) -> None:
    """Refuse to test before every fold is trained to its end: the figures would be of unequal models."""
    from autox_video.runner.checkpoints import read_checkpoint_record

    missing = []
    for number in range(1, number_of_folds + 1):
        of_fold = work_dir.fold(number)
        record = read_checkpoint_record(of_fold.last_checkpoint) if of_fold.last_checkpoint.is_file() else None
        if record is None or not of_fold.best_checkpoint.is_file():
            missing.append(f"fold {number}")
        elif record.waited is None and not record.is_finished(record.plan.epochs.value):
            missing.append(f"fold {number} (epoch {record.epoch} of {record.plan.epochs.value})")
    if missing:
        wrong = f"{len(missing)} of {number_of_folds} folds are not trained: {in_short(missing)}"
        raise RequestError(
            Problem(str(work_dir.folds), wrong, "Train first: a stopped training goes on with the same command")
        )
