"""The spine: settings -> fingerprint -> plan -> config -> predictions -> results. Read this first.

Each function is one sub-command. Stages are called here, in `training.py` and in `scoring.py`, and nowhere
else; a stage reads only the product of the one before. `runner` is imported where it is used, as is what draws:
they pull in torch and OpenCV, which the commands that only look at data and plans need not wait for.
"""

from __future__ import annotations

import dataclasses
import logging
from pathlib import Path

from autox_video.archive import archive_run
from autox_video.dataset.facts import Fingerprint
from autox_video.dataset.fingerprint import fingerprint_dataset
from autox_video.dataset.preflight import Check, add_findings, short_videos, table
from autox_video.dataset.stock_lists import write_stock_list
from autox_video.deciding import decide, find_hardware, with_estimates
from autox_video.errors import Problem, RequestError
from autox_video.log_lines import log_fingerprint, log_lines
from autox_video.plan.schema import Plan
from autox_video.processes import own_place
from autox_video.records import read_record, write_record
from autox_video.render.config import config_text, render_config
from autox_video.report.bench import bench_lines, judge, other_steps
from autox_video.report.outcome import AnyResults
from autox_video.scoring import report, score
from autox_video.settings.schema import Settings
from autox_video.stopping import stoppable
from autox_video.training import TrainOutcome, only_training, train_run
from autox_video.trying import with_tried_batch
from autox_video.work_dir import WorkDir
from autox_video.writing import clear_leftovers, write_text

logger = logging.getLogger(__name__)


def check(settings: Settings) -> Fingerprint:
    """Read the lists, probe every video, say what is wrong, and refuse what training would stumble over."""
    work_dir = WorkDir(settings.work_dir)
    try:
        fingerprint = fingerprint_dataset(settings, work_dir)
    except RequestError:
        log_lines(table(read_record(work_dir.check, Check)))
        raise
    log_fingerprint(fingerprint)
    decided = decide(settings, fingerprint)[0]
    span = (decided.clip_len.value - 1) * decided.frame_interval.value + 1
    lists = [Path(file) for file in decided.ann_files.values()]
    short = short_videos(lists, settings.data_root, work_dir.probe_cache, span, settings.data.image_fps)
    found = add_findings(read_record(work_dir.check, Check), short)
    write_record(work_dir.check, found)
    log_lines(table(found))
    return fingerprint


def plan(settings: Settings, num_gpus: int | None = None, gpu_memory_gib: float | None = None) -> Plan:
    """Decide every value, for this machine or for one that is described.

    Args:
        settings: What the user asked.
        num_gpus: Plan for so many GPUs (0: a CPU) instead of what this machine has.
        gpu_memory_gib: Memory of each.
    """
    hardware = find_hardware(settings)
    if num_gpus is not None:
        memory = gpu_memory_gib or hardware.gpu_memory_gib
        if num_gpus and not memory:
            problem = Problem("--gpus", "the memory of the GPUs is not known", "Add --gpu-memory-gib", str(num_gpus))
            raise RequestError(problem)
        # A GPU that one plans for today computes bfloat16: every one since 2020 does.
        hardware = dataclasses.replace(
            hardware,
            num_gpus=num_gpus,
            num_processes=max(1, num_gpus),
            gpu_memory_gib=memory,
            bfloat16=num_gpus > 0,
            gpu_name=f"{memory:g} GiB GPU",
        )
    fingerprint = _look_at(settings, WorkDir(settings.work_dir))
    return with_estimates(settings, fingerprint, *decide(settings, fingerprint, hardware))


def render(settings: Settings, output: Path | None = None, *, stock: bool = False) -> Path:
    """Write the MMEngine config of the run; `stock` leaves out this package's own modules."""
    work_dir = WorkDir(settings.work_dir)
    fingerprint = _look_at(settings, work_dir)
    decided, preset = decide(settings, fingerprint)
    path = output or (work_dir.root / "config_stock.py" if stock else work_dir.config_rendered)
    config = render_config(decided, preset, work_dir.root, stock=stock)
    if stock:
        for split, file in decided.ann_files.items():
            if left_out := write_stock_list(Path(file), fingerprint.data_root, work_dir.probe_cache):
                some = "; ".join(left_out[:3]), len(left_out)
                logger.info(
                    "note     %d %s videos left out, only this package reads them: %s", len(left_out), split, some
                )
    write_text(path, config_text(config, stock=stock))
    return path


def preview(settings: Settings, num_videos: int = 2, num_draws: int = 3) -> Path:
    """Draw what the network will see of each class; returns the page to open.

    Args:
        settings: What the user asked.
        num_videos: Videos of each class, of train and of test.
        num_draws: Random draws of each training video.
    """
    work_dir = WorkDir(settings.work_dir)
    fingerprint = _look_at(settings, work_dir)
    decided, preset = decide(settings, fingerprint)
    config = render_config(decided, preset, work_dir.root)
    from autox_video.report.contact_sheets import write_contact_sheets
    from autox_video.runner.plugins import prepare_parts
    from autox_video.runner.preview import preview as draw_clips

    prepare_parts(settings)

    clips = draw_clips(config, decided, num_videos, num_draws)
    return write_contact_sheets(clips, work_dir.preview, decided.classes, preset.name)


def bench(settings: Settings, seconds: float = 10.0) -> list[str]:
    """Measure what a training would wait for, on this data and this machine; returns what to show of it.

    Args:
        settings: What the user asked.
        seconds: For each of three measurements.
    """
    from autox_video.runner.plugins import prepare_parts

    prepare_parts(settings)
    work_dir = WorkDir(settings.work_dir)
    fingerprint = _look_at(settings, work_dir)
    decided, preset = decide(settings, fingerprint)
    decided = with_tried_batch(settings, fingerprint, decided, preset, work_dir)
    from autox_video.runner.bench import measure

    others = {name: (render_config(one, preset, work_dir.root), one) for name, one in other_steps(decided).items()}
    timings = measure(render_config(decided, preset, work_dir.root), decided, seconds, others)
    found = judge(timings, decided, fingerprint)
    write_record(work_dir.bench, found)
    return bench_lines(found, decided.num_videos["train"])


@stoppable()
def train(settings: Settings, *, fresh: bool = False) -> TrainOutcome:
    """Train, or go on where the last run in this work dir stopped.

    Args:
        settings: What the user asked.
        fresh: Move an earlier run in this work dir into its `archive` and start anew.
    """
    work_dir = WorkDir(settings.work_dir)

    def look() -> Fingerprint:
        clear_leftovers(*work_dir.folders)
        fingerprint = fingerprint_dataset(settings, work_dir)
        log_fingerprint(fingerprint)
        if fresh and not own_place().restarts:
            archive_run(work_dir)
        return fingerprint

    with only_training(work_dir):
        return train_run(settings, work_dir, look)


@stoppable()
def test(settings: Settings, *, checkpoint: Path | None = None, whole_folder: bool = False) -> AnyResults:
    """Score the test split with the best checkpoint and write the results.

    Args:
        settings: What the user asked.
        checkpoint: Another checkpoint than `best.pth` of the work dir.
        whole_folder: Score every video in `data_root`, whatever it held when the model was trained.
    """
    work_dir = WorkDir(settings.work_dir)
    predictions = score(settings, work_dir, checkpoint or work_dir.best_checkpoint, whole_folder=whole_folder)
    return report(settings, predictions)


def _look_at(settings: Settings, work_dir: WorkDir) -> Fingerprint:
    fingerprint = fingerprint_dataset(settings, work_dir)
    if settings.test.folds:
        logger.info("note     this is fold 1 of %d; the others differ in their videos only", settings.test.folds)
    return fingerprint
