"""Train: MMEngine's Runner on the rendered config, from the start or from `last.pth`."""

from __future__ import annotations

import copy
import gc
from contextlib import closing
from pathlib import Path

import torch
from mmengine.config import Config

from autox_video.errors import Problem
from autox_video.plan.recovery import GpuMemoryError, NonFiniteLossError
from autox_video.plan.schema import Plan
from autox_video.runner.build import build_runner, quiet_libraries
from autox_video.runner.distributed import joined
from autox_video.runner.hooks.listening import Listeners, ListeningHook
from autox_video.runner.loading import loaders_end, release
from autox_video.runner.lost_videos import lost_videos_end_the_run
from autox_video.runner.proxy_cache import proxies_written
from autox_video.runner.watchdog import watched
from autox_video.work_dir import WorkDir


def train(
    config: Config, plan: Plan, work_dir: WorkDir, resume_from: Path | None, listeners: Listeners | None = None
) -> int:
    """Train to the last epoch of the plan; `last.pth` and `best.pth` are kept up to date.

    Args:
        config: As `render_config` returns it.
        plan: Its plan; `plan.json` in the work dir must be the same.
        work_dir: Where everything is written.
        resume_from: The checkpoint to go on from, or None to start.
        listeners: Who is told of validations and of a standstill.

    Returns:
        The epochs that lie behind now; fewer than planned where it stopped early.

    Raises:
        NonFiniteLossError: The loss is not a finite number any more; what is saved is from before.
        GpuMemoryError: A step did not fit into the GPU's memory; the state of the step before is saved.
    """
    config = copy.deepcopy(config)
    # MMEngine takes `load_from` for the file to resume when both are set: never leave it a choice.
    config.load_from = None if resume_from is None else str(resume_from)
    config.resume = resume_from is not None
    # Testing is a run of its own, on the best checkpoint.
    for key in ("test_dataloader", "test_cfg", "test_evaluator"):
        config.pop(key, None)
    trouble: NonFiniteLossError | GpuMemoryError
    with quiet_libraries(work_dir.train_log), lost_videos_end_the_run():
        try:
            with joined(config, plan.device.value), loaders_end():
                runner = build_runner(config, plan, work_dir.train_log)
                if listeners is not None:
                    runner.register_hook(ListeningHook(listeners))
                stalled = None if listeners is None else listeners.stalled
                with (
                    closing(runner.visualizer),
                    watched(runner, plan.stall_minutes.value, work_dir.train_log, stalled),
                    proxies_written(runner, plan),
                ):
                    runner.train()
                release(runner.train_dataloader, runner.val_dataloader)
            return runner.epoch
        except NonFiniteLossError as error:
            trouble = NonFiniteLossError(error.problems)
        except torch.cuda.OutOfMemoryError as error:
            wrong = f"the GPU has not the memory for {plan.videos_per_gpu.value} videos at a time"
            cure = "Lower videos_per_gpu"
            trouble = GpuMemoryError(Problem("training", wrong, cure, str(error).partition(".")[0]))
    # The errors, with all that their frames hold, are gone here; what is in a circle goes now.
    gc.collect()
    torch.cuda.empty_cache()
    raise trouble
