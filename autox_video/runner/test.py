"""Test: score every video of the test split with one checkpoint."""

from __future__ import annotations

import copy
from pathlib import Path

from mmengine.config import Config

from autox_video.dataset.annotations import Row
from autox_video.dataset.facts import BadVideo
from autox_video.plan.schema import Plan
from autox_video.predictions import Calibration, Prediction, Predictions
from autox_video.records import build_record
from autox_video.runner.build import build_runner, quiet_libraries
from autox_video.runner.checkpoints import RECORD_KEY, load_checkpoint_file, sha256_of
from autox_video.runner.distributed import joined
from autox_video.runner.loading import loaders_end, release
from autox_video.runner.watchdog import watched
from autox_video.work_dir import WorkDir

# What MMEngine has of a split.
PARTS = ("dataloader", "cfg", "evaluator")


def test(
    config: Config,
    plan: Plan,
    work_dir: WorkDir,
    checkpoint: Path,
    rows: list[Row],
    bad: tuple[BadVideo, ...],
) -> Predictions:
    """Score the test split.

    Args:
        config: As `render_config` returns it for a plan with the split `test`.
        plan: Its plan.
        work_dir: Where the log goes.
        checkpoint: The weights.
        rows: The lines of the canonical test list.
        bad: Videos of the split that were left out; they become rows with their error.
    """
    config = copy.deepcopy(config)
    config.load_from, config.resume = None, False
    # `cfg_options` for the training would be the whole of these here, and MMEngine takes them whole or not at all.
    for key in (
        *(f"{split}_{part}" for split in ("train", "val") for part in PARTS),
        "optim_wrapper",
        "param_scheduler",
    ):
        config.pop(key, None)
    loaded = load_checkpoint_file(checkpoint)
    with quiet_libraries(work_dir.test_log), joined(config, plan.device.value), loaders_end():
        runner = build_runner(config, plan, work_dir.test_log)
        runner.model.load_state_dict(loaded["state_dict"])
        with watched(runner, plan.stall_minutes.value, work_dir.test_log):
            runner.test()
        release(runner.test_dataloader)
    evaluated = runner.test_evaluator.metrics[0]
    scored = evaluated.rows
    assert len(scored) == len(rows), "the evaluator returns one score vector for each line of the list"
    record = loaded["meta"][RECORD_KEY]
    thresholds, calibration = record.get("thresholds"), record.get("calibration")
    predictions = [
        Prediction(
            *(row.path, row.label, scores, error, row.start_seconds, row.end_seconds),
            single_view_scores=single,
            order_scores=orders,
        )
        for row, (_, _, scores, error), single, orders in zip(
            rows, scored, evaluated.single_view_scores, evaluated.order_scores, strict=True
        )
    ]
    for video in sorted(bad, key=lambda video: video.position):
        row = Prediction(video.path, video.label, None, video.reason, video.start_seconds, video.end_seconds)
        predictions.insert(video.position, row)
    return Predictions(
        task=plan.task,
        model=plan.model.value,
        classes=plan.classes,
        checkpoint=str(checkpoint),
        checkpoint_sha256=sha256_of(checkpoint),
        epoch=loaded["meta"]["epoch"],
        data_root=plan.data_root,
        num_clips=plan.test_num_clips.value,
        num_crops=plan.test_num_crops.value,
        rows=tuple(predictions),
        thresholds=None if thresholds is None else tuple(thresholds),
        calibration=None if calibration is None else build_record(calibration, Calibration),
    )
