"""One training, from the facts to the best checkpoint. Several processes train together; the first one decides."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from autox_video.caching import prepare_cache
from autox_video.dataset.facts import Fingerprint
from autox_video.dataset.run_lists import continue_lists, keep_lists
from autox_video.deciding import decide, find_hardware, log_processes, with_estimates
from autox_video.errors import Problem, RequestError, RunError
from autox_video.extras import check_extras
from autox_video.lock import only_run
from autox_video.log_lines import log_plan
from autox_video.notifying import Messenger, begun, telling, told_figures
from autox_video.plan.jobs import TrainingJob
from autox_video.plan.recovery import GpuMemoryError, NonFiniteLossError, recover, told
from autox_video.plan.resume import WAYS_OUT, continue_plan, stays_stopped
from autox_video.plan.room import checkpoint_need, download_need
from autox_video.plan.rules.own_code import refuse_unnamed_plugins
from autox_video.plan.schema import Plan
from autox_video.presets import load_preset
from autox_video.processes import own_place
from autox_video.records import write_record
from autox_video.render.config import config_text, render_config
from autox_video.report.curves import write_curves
from autox_video.runner.distributed import decided_by_first
from autox_video.settings.schema import Settings
from autox_video.trying import with_tried_batch
from autox_video.work_dir import WorkDir
from autox_video.writing import write_text

if TYPE_CHECKING:
    from autox_video.runner.checkpoints import CheckpointRecord

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class TrainOutcome:
    """What a training left behind.

    Attributes:
        work_dir: Folder of the run.
        best_checkpoint: The file to test or deploy.
        best_epoch: The epoch it was written after.
        best_metrics: Its validation figures, by their names in `metrics.csv`.
        epochs: Epochs the run has behind it.
    """

    work_dir: Path
    best_checkpoint: Path
    best_epoch: int
    best_metrics: dict[str, float]
    epochs: int


def only_training(work_dir: WorkDir) -> AbstractContextManager[None]:
    """While the block runs, no other run trains in this work dir; the first process sees to it."""
    return only_run(work_dir.root) if own_place().is_first else nullcontext()


def train_run(
    settings: Settings, work_dir: WorkDir, look: Callable[[], Fingerprint], like: Plan | None = None
) -> TrainOutcome:
    """Train, or go on.

    Args:
        settings: What the user asked.
        work_dir: Of the run.
        look: Looks at the data; called in the first process only.
        like: A plan whose values go before those that this data alone would suggest.
    """
    check_extras(settings)
    if settings.plugins or settings.train.hooks or settings.augment.transforms:
        from autox_video.runner.plugins import prepare_parts

        prepare_parts(settings)
    with telling(settings.notify if own_place().is_first else (), work_dir) as messenger:
        job = decided_by_first(lambda: _prepare(settings, work_dir, look(), like), TrainingJob)
        if job.finished_epochs is not None:
            return _outcome(work_dir, job.finished_epochs)
        messenger.tell(*begun(job.plan, work_dir, goes_on=job.resume_from is not None))
        outcome = _outcome(work_dir, _carry_out(job, work_dir, messenger))
        if settings.notify and own_place().is_first:
            write_curves(work_dir.metrics, work_dir.curves)
            best = told_figures(outcome.best_epoch, job.plan.epochs.value, outcome.best_metrics)
            messenger.tell("finished", f"{outcome.epochs} epochs are done. Best: {best}", work_dir.curves)
        return outcome


def _carry_out(job: TrainingJob, work_dir: WorkDir, messenger: Messenger) -> int:
    """Train to the end, whatever can be got over; returns the epochs that lie behind then."""
    from autox_video.runner.hooks.listening import Listeners
    from autox_video.runner.train import train as run_training

    epochs = job.plan.epochs.value

    def better(epoch: int, metrics: Mapping[str, float], best: bool) -> None:
        messenger.better(told_figures(epoch, epochs, _of_validation(metrics)) if best else None)

    listeners = Listeners(better, lambda problem: messenger.tell("stalled", problem))
    while True:
        config = render_config(job.plan, load_preset(job.plan.model.value), work_dir.root)
        trouble: NonFiniteLossError | GpuMemoryError
        try:
            resume_from = None if job.resume_from is None else Path(job.resume_from)
            return run_training(config, job.plan, work_dir, resume_from, listeners if messenger.listens else None)
        except NonFiniteLossError as error:
            trouble = error
        except GpuMemoryError as error:
            if not own_place().is_alone:
                raise  # the others know nothing of it, and wait in the middle of the step
            trouble = error
        job = _get_over(trouble, job.plan, work_dir)


def _prepare(settings: Settings, work_dir: WorkDir, fingerprint: Fingerprint, like: Plan | None) -> TrainingJob:
    """Decide every value, find where to go on, and write it down."""
    log_processes(settings)
    from autox_video.runner.checkpoints import find_newest_checkpoint
    from autox_video.runner.weights import download_target, fetch_weights

    saved = find_newest_checkpoint(work_dir)
    begun = like or (saved.plan if saved else None)
    decided, preset = decide(settings, fingerprint, find_hardware(settings, own_place()), begun=begun)
    if like is not None:
        decided = continue_plan(like, decided)
    elif saved is None:
        decided = with_tried_batch(settings, fingerprint, decided, preset, work_dir)
    if saved is not None:
        decided = _continue(saved, decided, settings, work_dir, fingerprint)
        if stays_stopped(saved.waited, saved.plan, decided):
            logger.info("nothing to do: stopped early after epoch %d. Raise `train.patience` or `epoch`.", saved.epoch)
            return TrainingJob(decided, None, saved.epoch)
        if saved.is_finished(decided.epochs.value):
            done = f"{saved.epoch} of {decided.epochs.value} epochs are done"
            logger.info("nothing to do: %s. Raise `epoch` to train on.", done)
            return TrainingJob(decided, None, saved.epoch)
    needs = [checkpoint_need(work_dir, preset.card.num_parameters)]
    if saved is None and (target := download_target(decided.load_from.value)):
        needs.append(download_need(target, preset.card.num_parameters))
    decided = prepare_cache(decided, work_dir, None if saved is None else saved.plan, needs)
    decided = with_estimates(settings, fingerprint, decided, preset)
    log_plan(decided, work_dir)
    if saved is None or not work_dir.list_of_run("train").is_file():
        keep_lists(work_dir)
    if saved is None:
        # Before any long work: a wrong path or a dead network is found here.
        fetch_weights(decided.load_from.value)
    return _job(decided, work_dir, saved)


def _continue(
    saved: CheckpointRecord, decided: Plan, settings: Settings, work_dir: WorkDir, fingerprint: Fingerprint
) -> Plan:
    """The plan of a run that goes on, on its own lists.

    Raises:
        RequestError: Something of it would change that must not.
    """
    problems = continue_lists(work_dir, fingerprint, WAYS_OUT)
    try:
        refuse_unnamed_plugins(saved.plan, settings)
        decided = continue_plan(saved.plan, decided)
    except RequestError as error:
        problems += error.problems
    if problems:
        raise RequestError(problems)
    counts = {split: saved.plan.num_videos[split] for split in ("train", "val")}
    return dataclasses.replace(decided, num_videos={**decided.num_videos, **counts})


def _get_over(trouble: NonFiniteLossError | GpuMemoryError, plan: Plan, work_dir: WorkDir) -> TrainingJob:
    """How to go on from the last good state."""

    def recovered() -> TrainingJob:
        changed = recover(plan, trouble)
        logger.warning("warning  %s", told(changed, trouble))
        from autox_video.runner.checkpoints import find_newest_checkpoint

        return _job(changed, work_dir, find_newest_checkpoint(work_dir))

    return decided_by_first(recovered, TrainingJob)


def _job(decided: Plan, work_dir: WorkDir, saved: CheckpointRecord | None) -> TrainingJob:
    """Write down a plan that is to be carried out, from a checkpoint on."""
    if saved is not None:
        logger.info("resume   %s, from %s", saved.place(decided.epochs.value), saved.path)
    write_record(work_dir.plan, decided)
    config = render_config(decided, load_preset(decided.model.value), work_dir.root)
    write_text(work_dir.config_rendered, config_text(config))
    return TrainingJob(decided, None if saved is None else str(saved.path), None)


def _outcome(work_dir: WorkDir, epochs: int) -> TrainOutcome:
    from autox_video.runner.checkpoints import read_checkpoint_record

    if not work_dir.best_checkpoint.is_file():
        wrong = "is missing although the run is finished"
        raise RunError(Problem(str(work_dir.best_checkpoint), wrong, "Put it back, or start anew with --fresh"))
    record = read_checkpoint_record(work_dir.best_checkpoint)
    assert record is not None, "best.pth is written by this package"
    metrics = _of_validation(record.metrics)
    shown = ", ".join(f"{name} {value:.3f}" for name, value in metrics.items())
    logger.info("best     epoch %d: %s -> %s", record.epoch, shown, work_dir.best_checkpoint)
    return TrainOutcome(work_dir.root, work_dir.best_checkpoint, record.epoch, metrics, epochs)


def _of_validation(metrics: Mapping[str, float]) -> dict[str, float]:
    """Figures by their names in `metrics.csv`, so that nobody takes them for those of a test."""
    return {f"val_{name}": value for name, value in metrics.items()}
