"""What the stages found and decided, in a few lines for the console."""

from __future__ import annotations

import logging
from pathlib import Path

from autox_video.dataset.facts import Fingerprint
from autox_video.plan.estimates import time_line
from autox_video.plan.rules.workers import cut_note
from autox_video.plan.schema import Plan
from autox_video.predictions import Calibration
from autox_video.work_dir import WorkDir

logger = logging.getLogger(__name__)


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


def log_uncalibrated(path: Path | str, calibration: Calibration | None) -> None:
    """Say it where a model's confidences are its scores, because its file is older than any calibration."""
    if calibration is None:
        told = "keeps no temperature, so confidences are not calibrated; train again to have one (docs/trust.md)"
        logger.info("note     %s %s", path, told)


def log_lines(lines: list[str]) -> None:
    """Say each line."""
    for line in lines:
        logger.info("%s", line)


def log_plan(decided: Plan, work_dir: WorkDir) -> None:
    """Say in a few lines what was decided, and where the reasons are."""
    values = {name: decision.value for name, decision in decided.decisions().items()}
    logger.info(
        "plan     %s on %s: clips of %d frames, every %d, at %d px; %d videos a step, learning rate %.1e, %d epochs",
        *(values[name] for name in ("model", "device", "clip_len", "frame_interval", "input_size")),
        *(values[name] for name in ("total_batch_size", "learning_rate", "epochs")),
    )
    if decided.model.why != "as asked":
        logger.info("         %s: %s", decided.model.value, decided.model.why)
    logger.info("         %s", decided.load_from.why)
    if decided.estimates:
        logger.info("         %s", time_line(decided.estimates))
    if decided.target_fps.value is not None and decided.target_fps.source == "data":
        logger.info("note     clips have %.4g frames a second: %s", decided.target_fps.value, decided.target_fps.why)
    if note := cut_note(decided.workers, decided.prefetch):
        logger.info("note     %s", note)
    logger.info("         every value and its reason: %s", work_dir.plan)
