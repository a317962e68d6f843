"""One test, from a checkpoint to the results. Several processes score together; the first one decides and writes."""

from __future__ import annotations

import logging
from pathlib import Path

from autox_video.dataset.annotations import read_rows
from autox_video.dataset.fingerprint import fingerprint_dataset
from autox_video.dataset.leaks import known_groups
from autox_video.deciding import find_hardware, log_processes
from autox_video.errors import Problem, RequestError
from autox_video.log_lines import log_fingerprint, log_uncalibrated
from autox_video.plan.jobs import ScoringJob
from autox_video.plan.make_test_plan import make_test_plan
from autox_video.predictions import Predictions, mark_leaks, mark_recordings
from autox_video.presets import load_preset
from autox_video.processes import own_place
from autox_video.render.config import render_config
from autox_video.report.html.writing import write_report
from autox_video.report.outcome import AnyResults, make_outcome
from autox_video.report.writers import write_results
from autox_video.runner.distributed import decided_by_first
from autox_video.settings.schema import Settings
from autox_video.work_dir import WorkDir
from autox_video.writing import clear_leftovers

logger = logging.getLogger(__name__)


def score(
    settings: Settings, work_dir: WorkDir, path: Path, *, whole_folder: bool = False, fold: int | None = None
) -> Predictions:
    """Score the test split with a checkpoint.

    Args:
        settings: What the user asked.
        work_dir: Of the run.
        path: The checkpoint.
        whole_folder: Score every video in `data_root`, whatever it held when the model was trained.
        fold: With `test.folds`, which fold is the test split.
    """
    if settings.plugins:
        from autox_video.runner.plugins import import_plugins

        import_plugins(settings.plugins)
    job = decided_by_first(lambda: _prepare(settings, work_dir, path, whole_folder, fold), ScoringJob)
    from autox_video.runner.test import test as run_test

    config = render_config(job.plan, load_preset(job.plan.model.value), work_dir.root)
    rows = read_rows(work_dir.annotations("test"))
    predictions = run_test(config, job.plan, work_dir, path, rows, job.fingerprint.bad_videos)
    if fold in (None, 1):
        log_uncalibrated(path, predictions.calibration)
    known = known_groups([work_dir.groups])
    return mark_recordings(mark_leaks(predictions, job.fingerprint.leaks_of_test()), known)


def report(settings: Settings, predictions: Predictions) -> AnyResults:
    """Turn what a test found into results, and write them where the user asked for them."""
    results = make_outcome(predictions)
    if own_place().is_first:
        write_results(results, settings.test_results_path, settings.test.results_format)
        _write_page(settings, results)
    return results


def _write_page(settings: Settings, results: AnyResults) -> None:
    """Write the report; the results, which are there already, do not depend on it."""
    try:
        work_dir = WorkDir(settings.work_dir)
        write_report(work_dir, results, work_dir.report_of(settings.test_results_path))
    except Exception as error:  # whatever it is: figures that took hours do not fail because of a picture
        logger.warning("warning  no report.html: %r; `autox-video report` writes it anew", error)


def _prepare(settings: Settings, work_dir: WorkDir, path: Path, whole_folder: bool, fold: int | None) -> ScoringJob:
    """Look at the test videos and decide how to score them."""
    clear_leftovers(*work_dir.folders, settings.test_results_path.parent)
    if not path.is_file():
        cure = "Train first, or name a checkpoint of an earlier run"
        raise RequestError(Problem(str(path), "there is no such checkpoint", cure))
    from autox_video.runner.checkpoints import read_checkpoint_record

    record = read_checkpoint_record(path)
    if record is None:
        raise RequestError(Problem(str(path), "was not written by autox_video", "Name a best.pth or last.pth of a run"))
    fingerprint = fingerprint_dataset(
        settings,
        work_dir,
        splits=("test",),
        classes=record.plan.classes,
        task=record.plan.task,
        whole_folder=whole_folder,
        fold=fold,
    )
    if fold is None:
        log_fingerprint(fingerprint)
    preset = load_preset(record.plan.model.value)
    if fold in (None, 1):
        log_processes(settings)
    hardware = find_hardware(settings, own_place())
    decided = make_test_plan(record.plan, settings, fingerprint, preset, hardware)
    # What cannot be rendered is refused here, once.
    render_config(decided, preset, work_dir.root)
    logger.info("testing  %s (epoch %d) on %d videos", path, record.epoch, decided.num_videos["test"])
    return ScoringJob(decided, fingerprint)
