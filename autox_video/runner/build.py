"""An MMEngine Runner from a rendered config: quiet, on the planned device, with the planned threads."""

from __future__ import annotations

import logging
import math
import os
import platform
import pprint
import sys
import uuid
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import cv2
import torch
from mmengine.config import Config
from mmengine.device import get_device
from mmengine.dist import barrier, is_distributed, is_main_process
from mmengine.logging import MMLogger
from mmengine.model import MMDistributedDataParallel
from mmengine.runner import Runner
from mmengine.visualization import Visualizer

from autox_video.errors import Problem, RunError
from autox_video.plan.schema import Plan
from autox_video.processes import own_place
from autox_video.runner import components  # noqa: F401  (registers our parts and applies the upstream fixes)
from autox_video.runner.allocation import keep_freed_memory

# What a training may depend on, by the name it is installed under.
LOGGED_VERSIONS = (
    "torch",
    "torchvision",
    "mmengine",
    "mmaction2",
    "mmcv-lite",
    "numpy",
    "opencv-python",
    "decord",
    "av",
)


class WorkDirRunner(Runner):
    """MMEngine's Runner, except where its habits do not fit a command line.

    It logs to one file and not to the console, leaves `config_rendered.py` as it was written,
    stays on the CPU when the plan says so, and is built without what takes seconds and no training needs.

    Args:
        log_file: Everything MMEngine logs is appended here.
        device: `cpu` or `cuda`.
        sharded: Whether several processes train with a share of the network each.
        **parts: As MMEngine's Runner.
    """

    def __init__(self, log_file: Path, device: str, sharded: bool, **parts: Any) -> None:
        self._log_file = log_file
        self._device = device
        self._sharded = sharded
        super().__init__(**parts)
        # MMEngine makes a folder a run for logs that are kept elsewhere here.
        barrier()  # Every process makes it.
        if is_main_process() and not os.listdir(self.log_dir):
            os.rmdir(self.log_dir)

    def build_logger(self, log_level: int | str = "INFO", log_file: str | None = None, **kwargs: Any) -> MMLogger:
        """A logger without a console handler."""
        logger = super().build_logger(log_level, str(self._log_file), **kwargs)
        for handler in [h for h in logger.handlers if type(h) is logging.StreamHandler]:
            logger.removeHandler(handler)
        return logger

    def dump_config(self) -> None:
        """The config has been written, durably, by the stage that rendered it."""

    def _log_env(self, env_cfg: dict[str, Any]) -> None:
        """Log versions and config. MMEngine's own asks compilers, and imports torchvision for its version: seconds."""
        gpus = [torch.cuda.get_device_name(number) for number in range(torch.cuda.device_count())]
        found = {
            "platform": platform.platform(),
            "python": sys.version.replace("\n", " "),
            **{name: _version(name) for name in LOGGED_VERSIONS},
            "GPUs": ", ".join(gpus) or "none",
            "environment": {**env_cfg, **self._randomness_cfg, "processes": self.world_size},
        }
        self.logger.info("Environment:\n    %s", "\n    ".join(f"{name}: {value}" for name, value in found.items()))
        self.logger.info("PyTorch:\n%s", torch.__config__.show())
        self.logger.info("Config:\n%s", self.cfg.pretty_text)

    def build_visualizer(self, visualizer: Visualizer | dict[str, Any] | None = None) -> Any:
        """None where it has nothing to write to: MMEngine's first draws an empty figure, which takes a second."""
        # A hook of `cfg_options` may draw by itself.
        drawn = "VisualizationHook" in self.cfg.pretty_text
        if isinstance(visualizer, dict) and not visualizer.get("vis_backends") and not drawn:
            return NoVisualizer()
        return super().build_visualizer(visualizer)

    def wrap_model(self, model_wrapper_cfg: dict[str, Any] | None, model: torch.nn.Module) -> Any:
        """Stay on the CPU of a machine with a GPU when the plan says so, and join gradients only in training."""
        on_cpu = self._device == "cpu"
        if self._sharded and self._train_loop is not None:
            return model  # whole in main memory, until `ShardingHook` divides it
        if self.distributed and self._train_loop is None:
            return model if on_cpu else model.to(get_device())
        if not self.distributed:
            return model if on_cpu else super().wrap_model(model_wrapper_cfg, model)
        # MMEngine's way takes the GPU's number from torchrun alone.
        own = None if on_cpu else [torch.cuda.current_device()]
        unused = bool(self.cfg.get("find_unused_parameters", False))
        model = model if on_cpu else model.to(get_device())
        return MMDistributedDataParallel(model, device_ids=own, broadcast_buffers=False, find_unused_parameters=unused)

    def _build_param_scheduler(self, scheduler: Any, optim_wrapper: Any) -> list[Any]:
        """Schedules count steps of the optimizer, of which an epoch has fewer where batches are added up."""
        epoch = math.ceil(len(self.train_dataloader) / optim_wrapper._accumulative_counts)
        given = scheduler if isinstance(scheduler, Sequence) else [scheduler]
        counted = [
            {"epoch_length": epoch, "end": self.max_epochs * (1 if one.get("by_epoch", True) else epoch), **one}
            if isinstance(one, dict)
            else one
            for one in given
        ]
        schedulers: list[Any] = super()._build_param_scheduler(counted, optim_wrapper)
        return schedulers

    def resume(
        self,
        filename: str,
        resume_optimizer: bool = True,
        resume_param_scheduler: bool = True,
        map_location: str | Callable[..., Any] = "cpu",
    ) -> None:
        """Read the file into main memory; its tensors are copied to where the model's are."""
        super().resume(filename, resume_optimizer, resume_param_scheduler, map_location)


class NoVisualizer:
    """Stands in for a visualizer that has nothing to write to."""

    dataset_meta: Any = None

    def __getattr__(self, name: str) -> Callable[..., None]:
        if not name.startswith(("add_", "draw_", "set_", "show", "close")):
            raise AttributeError(name)
        return lambda *args, **kwargs: None


class RenderedConfig(Config):
    """A config that formats its text once and quickly: MMEngine asks for it at each save, and takes 0.2 s.

    The text is Python that loads to an equal config, as MMEngine's is.
    """

    @property
    def pretty_text(self) -> str:
        """See `Config.pretty_text`."""
        if "_formatted" not in self.__dict__:
            parts = self.to_dict().items()
            lines = (f"{key} = {pprint.pformat(value, width=120, sort_dicts=False)}" for key, value in parts)
            self.__dict__["_formatted"] = "\n".join(lines) + "\n"
        text: str = self.__dict__["_formatted"]
        return text


def build_runner(config: Config, plan: Plan, log_file: Path) -> WorkDirRunner:
    """Build a Runner for one training or one test.

    Args:
        config: As `render_config` returns it, with `load_from` and `resume` decided.
        plan: Its plan, for device and threads.
        log_file: Where MMEngine logs.

    Raises:
        RunError: The plan is for a GPU and PyTorch cannot use it.
    """
    check_device(plan)
    log_file.parent.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(plan.threads.value)
    if plan.device.value == "cpu":
        keep_freed_memory()
    cv2.setNumThreads(0)
    parts = {
        key: config.get(key)
        for key in (
            *("model", "work_dir", "train_dataloader", "val_dataloader", "test_dataloader"),
            *("train_cfg", "val_cfg", "test_cfg", "optim_wrapper", "param_scheduler"),
            *("val_evaluator", "test_evaluator", "default_hooks", "custom_hooks", "load_from"),
            *("log_processor", "log_level", "visualizer", "default_scope"),
        )
    }
    return WorkDirRunner(
        log_file=log_file,
        device=plan.device.value,
        sharded=is_distributed() and plan.strategy.value == "fsdp",
        **parts,
        resume=config.get("resume", False),
        launcher="pytorch" if is_distributed() else "none",
        env_cfg=config.get("env_cfg"),
        randomness=config.get("randomness"),
        # Runners that share a name share MMEngine's global message hub.
        experiment_name=uuid.uuid4().hex,
        cfg=RenderedConfig(config.to_dict()),
    )


def check_device(plan: Plan) -> None:
    """See to it that PyTorch can use what the plan computes on.

    Raises:
        RunError: The plan is for a GPU and PyTorch cannot use it.
    """
    if plan.device.value == "cuda" and not torch.cuda.is_available():
        wrong = "the driver shows a GPU that PyTorch cannot use"
        cure = "Run `autox-video doctor`, or write runtime: {device: cpu}"
        raise RunError(Problem("runtime.device", wrong, cure, f"torch {torch.__version__}"))


@contextmanager
def quiet_libraries(log_file: Path) -> Iterator[None]:
    """While the block runs, Python warnings go to the log file and not to the console."""
    log_file.parent.mkdir(parents=True, exist_ok=True)
    handler: logging.Handler = logging.NullHandler()
    if own_place().is_first:
        handler = logging.FileHandler(log_file, encoding="utf-8")
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    listener = logging.getLogger("py.warnings")
    propagate, listener.propagate = listener.propagate, False
    # A log line that a full disk does not take is lost without a traceback; the next file that is written says why.
    raising, logging.raiseExceptions = logging.raiseExceptions, False
    listener.addHandler(handler)
    logging.captureWarnings(True)
    try:
        with warnings.catch_warnings():
            yield
    finally:
        logging.captureWarnings(False)
        listener.removeHandler(handler)
        listener.propagate = propagate
        logging.raiseExceptions = raising
        handler.close()


@contextmanager
def quiet_mmengine() -> Iterator[None]:
    """While the block runs, libraries say nothing but errors: without a Runner they would speak to the console."""
    library = MMLogger.get_current_instance()
    level = library.level
    library.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        library.setLevel(level)


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"
