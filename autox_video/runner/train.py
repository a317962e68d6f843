"""Train: MMEngine's Runner on the rendered config, from the start or from `last.pth`."""

from __future__ import annotations

import copy
from pathlib import Path

from mmengine.config import Config

from autox_video.plan.schema import Plan
from autox_video.runner.build import build_runner, quiet_libraries
from autox_video.runner.loading import loaders_end, release
from autox_video.runner.watchdog import watched
from autox_video.work_dir import WorkDir


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
    with quiet_libraries(work_dir.train_log), loaders_end():
        runner = build_runner(config, plan, work_dir.train_log)
        with watched(runner, plan.stall_minutes.value, work_dir.train_log):
            runner.train()
        release(runner.train_dataloader, runner.val_dataloader)
