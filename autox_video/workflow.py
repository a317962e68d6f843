"""The spine: settings -> fingerprint -> plan -> config -> predictions -> results. Read this first.

Each function is one sub-command. Every stage is called here and nowhere else; a stage reads only
the product of the one before. `runner` is imported where it is used: it pulls in torch, which the
commands that only look at data and plans need not wait for.
"""

from __future__ import annotations

import dataclasses
import logging
import time
from dataclasses import dataclass
from pathlib import Path

from autox_video.dataset.annotations import read_rows, write_stock_list
from autox_video.dataset.facts import Fingerprint
from autox_video.dataset.fingerprint import fingerprint_dataset
from autox_video.dataset.preflight import Check, short_videos, table
from autox_video.errors import Problem, RequestError, RunError
from autox_video.plan.hardware import detect_hardware
from autox_video.plan.make_plan import make_plan, make_test_plan
from autox_video.plan.resume import continue_plan
from autox_video.plan.rules.model import choose_model
from autox_video.plan.schema import Hardware, Plan
from autox_video.predictions import mark_leaks
from autox_video.presets import Preset, load_preset
from autox_video.render.config import config_text, render_config
from autox_video.report.contact_sheets import write_contact_sheets
from autox_video.report.outcome import AnyResults, make_outcome
from autox_video.report.writers import write_results
from autox_video.settings.schema import Settings
from autox_video.stopping import stoppable
from autox_video.work_dir import WorkDir, read_record, write_record, write_text

logger = logging.getLogger(__name__)
# What `train --fresh` moves out of the way: everything that belongs to one run and not to the data.
FILES_OF_A_RUN = (
    *("last.pth", "previous.pth", "best.pth"),
    *("plan.json", "config_rendered.py", "metrics.csv", "train.log", "test.log"),
)


@dataclass(frozen=True)
class TrainOutcome:
    """What a training left behind.

    Attributes:
        work_dir: Folder of the run.
        best_checkpoint: The file to test or deploy.
        best_epoch: The epoch it was written after.
        best_metrics: Its validation figures.
        epochs: Epochs the run has behind it.
    """

    work_dir: Path
    best_checkpoint: Path
    best_epoch: int
    best_metrics: dict[str, float]
    epochs: int


def check(settings: Settings) -> Fingerprint:
    """Read the lists, probe every video, say what is wrong, and refuse what training would stumble over."""
    work_dir = WorkDir(settings.work_dir)
    try:
        fingerprint = fingerprint_dataset(settings, work_dir)
    except RequestError:
        _log_table(table(read_record(work_dir.check, Check)))
        raise
    log_fingerprint(fingerprint)
    decided = _plan(settings, fingerprint, _hardware(settings))[0]
    span = (decided.clip_len.value - 1) * decided.frame_interval.value + 1
    lists = [Path(file) for file in decided.ann_files.values()]
    short = short_videos(lists, settings.data_root, work_dir.probe_cache, span)
    _log_table(table(read_record(work_dir.check, Check), short))
    return fingerprint


def plan(settings: Settings, num_gpus: int | None = None, gpu_memory_gib: float | None = None) -> Plan:
    """Decide every value, for this machine or for one that is described.

    Args:
        settings: What the user asked.
        num_gpus: Plan for so many GPUs (0: a CPU) instead of what this machine has.
        gpu_memory_gib: Memory of each.
    """
    hardware = _hardware(settings)
    if num_gpus is not None:
        memory = gpu_memory_gib or hardware.gpu_memory_gib
        if num_gpus and not memory:
            problem = Problem("--gpus", "the memory of the GPUs is not known", "Add --gpu-memory-gib", str(num_gpus))
            raise RequestError(problem)
        # A GPU that one plans for today computes bfloat16: every one since 2020 does.
        hardware = dataclasses.replace(
            hardware, num_gpus=num_gpus, gpu_memory_gib=memory, bfloat16=num_gpus > 0, gpu_name=f"{memory:g} GiB GPU"
        )
    fingerprint = fingerprint_dataset(settings, WorkDir(settings.work_dir))
    return _plan(settings, fingerprint, hardware)[0]


def render(settings: Settings, output: Path | None = None, *, stock: bool = False) -> Path:
    """Write the MMEngine config of the run; `stock` leaves out this package's own modules."""
    work_dir = WorkDir(settings.work_dir)
    fingerprint = fingerprint_dataset(settings, work_dir)
    decided, preset = _plan(settings, fingerprint, _hardware(settings))
    path = output or (work_dir.root / "config_stock.py" if stock else work_dir.config_rendered)
    config = render_config(decided, preset, work_dir.root, stock=stock)
    if stock:
        for split, file in decided.ann_files.items():
            if left_out := write_stock_list(Path(file)):
                logger.info("note     %d %s videos left out: only this package reads them", left_out, split)
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
    fingerprint = fingerprint_dataset(settings, work_dir)
    decided, preset = _plan(settings, fingerprint, _hardware(settings))
    config = render_config(decided, preset, work_dir.root)
    from autox_video.runner.preview import preview as draw_clips

    clips = draw_clips(config, decided, num_videos, num_draws)
    return write_contact_sheets(clips, work_dir.preview, decided.classes, preset.name)


@stoppable()
def train(settings: Settings, *, fresh: bool = False) -> TrainOutcome:
    """Train, or go on where the last run in this work dir stopped.

    Args:
        settings: What the user asked.
        fresh: Move an earlier run in this work dir into its `archive` and start anew.
    """
    work_dir = WorkDir(settings.work_dir)
    fingerprint = fingerprint_dataset(settings, work_dir)
    log_fingerprint(fingerprint)
    if fresh:
        _archive(work_dir)
    decided, preset = _plan(settings, fingerprint, _hardware(settings))
    from autox_video.runner.checkpoints import find_newest_checkpoint
    from autox_video.runner.train import train as run_training
    from autox_video.runner.weights import fetch_weights

    saved = find_newest_checkpoint(work_dir)
    if saved is not None:
        decided = continue_plan(saved.plan, decided)
        if saved.epoch >= decided.epochs.value and saved.validated_epochs >= saved.epoch:
            done = f"{saved.epoch} of {decided.epochs.value} epochs are done"
            logger.info("nothing to do: %s. Raise `epoch` to train on.", done)
            return _outcome(work_dir, saved.epoch)
    _log_plan(decided, work_dir)
    if saved is None:
        # Before any long work: a wrong path or a dead network is found here.
        fetch_weights(decided.load_from.value)
    else:
        logger.info("resume   %s, from %s", saved.place(decided.epochs.value), saved.path)
    config = render_config(decided, preset, work_dir.root)
    write_record(work_dir.plan, decided)
    write_text(work_dir.config_rendered, config_text(config))
    run_training(config, decided, work_dir, saved.path if saved else None)
    return _outcome(work_dir, decided.epochs.value)


@stoppable()
def test(settings: Settings, *, checkpoint: Path | None = None, whole_folder: bool = False) -> AnyResults:
    """Score the test split with the best checkpoint and write the results.

    Args:
        settings: What the user asked.
        checkpoint: Another checkpoint than `best.pth` of the work dir.
        whole_folder: Score every video in `data_root`, whatever it held when the model was trained.
    """
    work_dir = WorkDir(settings.work_dir)
    path = checkpoint or work_dir.best_checkpoint
    if not path.is_file():
        cure = "Train first, or name a checkpoint of an earlier run"
        raise RequestError(Problem(str(path), "there is no such checkpoint", cure))
    from autox_video.runner.checkpoints import read_checkpoint_record
    from autox_video.runner.test import test as run_test

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
    )
    log_fingerprint(fingerprint)
    preset = load_preset(record.plan.model.value)
    decided = make_test_plan(record.plan, settings, fingerprint, preset, _hardware(settings))
    config = render_config(decided, preset, work_dir.root)
    rows = read_rows(work_dir.annotations("test"))
    logger.info("testing  %s (epoch %d) on %d videos", path, record.epoch, len(rows))
    predictions = run_test(config, decided, work_dir, path, rows, fingerprint.bad_videos)
    results = make_outcome(mark_leaks(predictions, fingerprint.leaks_of_test()))
    write_results(results, settings.test_results_path, settings.test.results_format)
    return results


def log_fingerprint(fingerprint: Fingerprint) -> None:
    """Say in a few lines what the data is and what is wrong with it."""
    counts = ", ".join(f"{facts.num_videos} {name}" for name, facts in fingerprint.splits.items())
    logger.info("data     %s videos of %d classes", counts, len(fingerprint.classes))
    for video in fingerprint.bad_videos[:20]:
        logger.info("left out %s: %s %s", video.where, video.path, video.reason)
    if len(fingerprint.bad_videos) > 20:
        logger.info("left out %d more: see fingerprint.json", len(fingerprint.bad_videos) - 20)
    for note in fingerprint.notes:
        logger.info("note     %s", note)


def _log_table(lines: list[str]) -> None:
    for line in lines:
        logger.info("%s", line)


def _log_plan(decided: Plan, work_dir: WorkDir) -> None:
    values = {name: decision.value for name, decision in decided.decisions().items()}
    logger.info(
        "plan     %s on %s: clips of %d frames, every %d, at %d px; %d videos a step, learning rate %.1e, %d epochs",
        *(values[name] for name in ("model", "device", "clip_len", "frame_interval", "input_size")),
        *(values[name] for name in ("total_batch_size", "learning_rate", "epochs")),
    )
    logger.info("         %s", decided.load_from.why)
    logger.info("         every value and its reason: %s", work_dir.plan)


def _hardware(settings: Settings) -> Hardware:
    found = detect_hardware(settings.runtime.device)
    # One process drives one device.
    return dataclasses.replace(found, num_gpus=min(found.num_gpus, 1))


def _plan(settings: Settings, fingerprint: Fingerprint, hardware: Hardware) -> tuple[Plan, Preset]:
    preset = load_preset(choose_model(settings, hardware).value)
    return make_plan(settings, fingerprint, preset, hardware), preset


def _outcome(work_dir: WorkDir, epochs: int) -> TrainOutcome:
    from autox_video.runner.checkpoints import read_checkpoint_record

    if not work_dir.best_checkpoint.is_file():
        wrong = "is missing although the run is finished"
        raise RunError(Problem(str(work_dir.best_checkpoint), wrong, "Put it back, or start anew with --fresh"))
    record = read_checkpoint_record(work_dir.best_checkpoint)
    assert record is not None, "best.pth is written by this package"
    metrics = ", ".join(f"{name} {value:.3f}" for name, value in record.metrics.items())
    logger.info("best     epoch %d: %s -> %s", record.epoch, metrics, work_dir.best_checkpoint)
    return TrainOutcome(work_dir.root, work_dir.best_checkpoint, record.epoch, record.metrics, epochs)


def _archive(work_dir: WorkDir) -> None:
    files = [path for name in FILES_OF_A_RUN if (path := work_dir.root / name).exists()]
    if not files:
        return
    folder = work_dir.archive / time.strftime("%Y%m%d_%H%M%S")
    while folder.exists():
        folder = folder.with_name(folder.name + "_")
    folder.mkdir(parents=True)
    for path in files:
        path.rename(folder / path.name)
    logger.info("archived the earlier run: %s", folder)
