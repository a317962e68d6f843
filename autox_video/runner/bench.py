"""Bench: time the pipeline, the loader and the training step of a rendered config, each by itself."""

from __future__ import annotations

import logging
import statistics
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import cv2
import torch
from mmengine.config import Config
from mmengine.registry import DATASETS, DefaultScope
from mmengine.runner import Runner

from autox_video.plan.schema import Plan
from autox_video.progress import progress_bar
from autox_video.runner import components  # noqa: F401  (registers our parts and applies the upstream fixes)
from autox_video.runner.build import check_device, quiet_mmengine
from autox_video.runner.loading import loaders_end
from autox_video.runner.trial import WARM_STEPS, memory_errors, trial_steps
from autox_video.timings import Stage, Timings

logger = logging.getLogger(__name__)

# By what the name of a transform contains; any other changes the frames.
STAGES = (
    ("open", ("Open", "Init")),
    ("sample", ("Sample",)),
    ("decode", ("Decode",)),
    ("pack", ("Format", "Pack")),
)
GEOMETRY, OTHER = "geometry", "other"
MAX_CLIPS = 64
# A step that would take more of the time is tried with fewer videos.
LEAST_STEPS = 3


def measure(
    config: Config, plan: Plan, seconds: float, others: Mapping[str, tuple[Config, Plan]] | None = None
) -> Timings:
    """Time what a training would do, without training.

    Args:
        config: As `render_config` returns it for a plan with the split `train`.
        plan: Its plan.
        seconds: For each of the three measurements; one that is slow takes as long as its least takes.
        others: Config and plan of other ways to make a step, by what would be changed.

    Raises:
        RunError: The plan is for a GPU and PyTorch cannot use it.
        GpuMemoryError: A step does not fit into the memory of the GPU.
    """
    check_device(plan)
    with DefaultScope.overwrite_default_scope("mmaction"), quiet_mmengine():
        logger.info("bench    making clips of training videos, on one core")
        with _one_thread():
            clips, stages = time_stages(config, seconds)
        logger.info("bench    loading with %d process(es), as planned", plan.workers.value)
        videos, rate = time_loader(config, plan, seconds)
        logger.info("bench    training steps on made-up clips")
        batch, step = time_step(config, plan, seconds)
        rates = {}
        for change, other in (others or {}).items():
            logger.info("bench    training steps with %s", change)
            other_batch, other_step = time_step(*other, seconds)
            rates[change] = other_batch / other_step
    return Timings(clips, stages, videos, rate, batch, step, rates)


def time_stages(config: Config, seconds: float) -> tuple[int, tuple[Stage, ...]]:
    """Make clips of videos from all over the training list, and time each transform of the pipeline.

    Args:
        config: As in `measure`.
        seconds: After so many no further clip is begun.

    Returns:
        The number of clips, and the stages.
    """
    dataset = DATASETS.build(config.train_dataloader.dataset)
    dataset[0]  # the first imports the decoder
    spent: dict[str, float] = {}
    dataset.pipeline.transforms = [_timed(transform, spent) for transform in dataset.pipeline.transforms]
    most = min(MAX_CLIPS, len(dataset))
    started, clips = time.perf_counter(), 0
    with progress_bar(most, "making clips") as bar:
        while clips < most and (clips == 0 or time.perf_counter() - started < seconds):
            dataset[len(dataset) * clips // most]
            clips += 1
            bar.advance()
    total = time.perf_counter() - started
    spent[OTHER] = max(0.0, total - sum(spent.values()))
    total = sum(spent.values())
    return clips, tuple(Stage(name, one / clips, one / total) for name, one in spent.items())


def time_loader(config: Config, plan: Plan, seconds: float) -> tuple[int, float]:
    """Take batches from the planned training loader, epoch after epoch.

    Args:
        config: As in `measure`.
        plan: Its plan.
        seconds: After so many no further batch is waited for.

    Returns:
        The videos that came, and how many a second.
    """
    # What is ready when the clock starts took its time before.
    ahead = max(1, plan.workers.value)
    with loaders_end(), _one_thread(), progress_bar(seconds, "loading") as bar:
        batches = _without_end(Runner.build_dataloader(config.train_dataloader, seed=plan.seed.value))
        for _ in range(ahead):
            next(batches)
        videos, started, now = 0, time.perf_counter(), 0.0
        while now < seconds or videos == 0:
            videos += len(next(batches)["data_samples"])
            before, now = now, time.perf_counter() - started
            bar.advance(now - before)
    return videos, videos / now


def time_step(config: Config, plan: Plan, seconds: float) -> tuple[int, float]:
    """Make training steps of the planned batch on made-up clips.

    Args:
        config: As in `measure`.
        plan: Its plan.
        seconds: What they may take together; a batch that would take longer is made smaller.

    Returns:
        The videos of a step, and its seconds.

    Raises:
        GpuMemoryError: The planned batch does not fit into the memory of the GPU.
    """
    with trial_steps(config, plan) as steps:
        one = min(steps(1, WARM_STEPS + 2)[WARM_STEPS:])
        batch = max(1, min(plan.videos_per_gpu.value, int(seconds / (LEAST_STEPS + WARM_STEPS) / one)))
        times: list[float] = []
        with memory_errors(batch), progress_bar(seconds, "training steps") as bar:
            steps(batch, WARM_STEPS)
            while len(times) < LEAST_STEPS or sum(times) < seconds / 2:
                times += steps(batch, 1)
                bar.advance(times[-1])
    return batch, statistics.median(times)


def _stage_of(transform: Any) -> str:
    name = type(transform).__name__
    return next((stage for stage, parts in STAGES if any(part in name for part in parts)), GEOMETRY)


def _timed(transform: Any, spent: dict[str, float]) -> Any:
    stage = _stage_of(transform)
    spent.setdefault(stage, 0.0)

    def timed(results: dict[str, Any]) -> Any:
        started = time.perf_counter()
        try:
            return transform(results)
        finally:
            spent[stage] += time.perf_counter() - started

    return timed


def _without_end(loader: Any) -> Iterator[Any]:
    while True:
        yield from loader


@contextmanager
def _one_thread() -> Iterator[None]:
    """As in a process that loads videos."""
    threads, pictures = torch.get_num_threads(), cv2.getNumThreads()
    torch.set_num_threads(1)
    cv2.setNumThreads(0)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
        cv2.setNumThreads(pictures)
