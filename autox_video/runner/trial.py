"""Try a planned training step on made-up clips: the batch that a GPU has the memory for, and the seconds of a step."""

from __future__ import annotations

import copy
import gc
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from mmaction.registry import MODELS
from mmaction.structures import ActionDataSample
from mmengine.config import Config
from mmengine.optim import build_optim_wrapper
from mmengine.registry import FUNCTIONS, DefaultScope

from autox_video.errors import Problem
from autox_video.plan.measured import Measured
from autox_video.plan.recovery import GpuMemoryError
from autox_video.plan.schema import Plan
from autox_video.runner import components  # noqa: F401  (registers our parts and applies the upstream fixes)
from autox_video.runner.allocation import keep_freed_memory
from autox_video.runner.build import check_device, quiet_mmengine
from autox_video.tasks import load_task

GIB = 2**30
# Of the GPU's memory: the rest is for what one run, and not every step, needs.
MEMORY_SHARE = 0.9
# Not counted: cuDNN and the allocator find their ways in the first, and the optimizer makes its moments.
WARM_STEPS = 1
TIMED_STEPS = 3
# A batch that does not fit, to be compared with ones that do.
NEVER_FITS = 2**63

# Takes a number of videos and a number of steps; returns the seconds of each step.
Steps = Callable[[int, int], list[float]]


def try_batches(config: Config, plan: Plan, needed: int) -> Measured:
    """Find the largest batch that the planned device has the memory for, and what a step with it takes.

    The random state of the process is left as it was. `torch.compile` is left out: it would take minutes, and a
    compiled step needs no more memory. On the CPU no memory is measured, so every batch fits.

    Args:
        config: As `render_config` returns it for a plan with the split `train`.
        plan: Its plan.
        needed: Videos that a device has to take for a step of the optimizer; the batch divides them.

    Raises:
        GpuMemoryError: Not even one video fits.
        RunError: The plan is for a GPU and PyTorch cannot use it.
    """
    check_device(plan)
    seconds: dict[int, float] = {}
    _forget()
    before = _used_bytes(plan)
    with trial_steps(config, plan) as steps:
        extra, total = _room(config, plan)

        def measure(batch: int) -> int:
            with memory_errors(batch):
                times = steps(batch, WARM_STEPS + TIMED_STEPS)
                seconds[batch] = statistics.median(times[WARM_STEPS:])
                return _used_bytes(plan) + extra

        batch, used = largest_batch(measure, needed, int(MEMORY_SHARE * total))
    return Measured(batch, seconds[batch], used / GIB, total / GIB, before / GIB)


def largest_batch(measure: Callable[[int], int], needed: int, limit: int) -> tuple[int, int]:
    """The largest divisor of `needed` whose step stays within a limit, and the bytes it took.

    One and two videos are measured, what they take is drawn on as a line, and the batch found on it is measured
    itself; where it does not fit after all, half of it is tried next.

    Args:
        measure: Takes a number of videos, returns the bytes that a step takes; raises `GpuMemoryError`.
        needed: Videos for a step of the optimizer.
        limit: Bytes that may be used. One video may take more: there is no smaller batch.

    Raises:
        GpuMemoryError: Not even one video fits.
    """
    taken = {1: measure(1)}

    def bytes_of(batch: int) -> int:
        if batch not in taken:
            try:
                taken[batch] = measure(batch)
            except GpuMemoryError:
                taken[batch] = NEVER_FITS
        return taken[batch]

    if needed == 1:
        return 1, taken[1]
    sizes = [size for size in range(1, needed + 1) if needed % size == 0]
    each = max(0, bytes_of(2) - taken[1])
    batch = max((size for size in sizes if taken[1] + (size - 1) * each <= limit), default=1)
    while batch > 1 and bytes_of(batch) > limit:
        batch = max(size for size in sizes if size <= batch // 2)
    return batch, taken[batch]


@contextmanager
def trial_steps(config: Config, plan: Plan) -> Iterator[Steps]:
    """While the block runs, steps of the planned model and optimizer can be made on made-up clips.

    Args:
        config: As `render_config` returns it for a plan with the split `train`.
        plan: Its plan.

    Yields:
        Takes a number of videos and a number of steps; returns the seconds of each step.
    """
    device = torch.device(plan.device.value)
    parts: dict[str, Any] = copy.deepcopy({key: config[key] for key in ("model", "optim_wrapper")})
    # Each step is to make and use the moments, and none may be left out for a gradient too large to scale.
    parts["optim_wrapper"]["accumulative_counts"] = 1
    if "loss_scale" in parts["optim_wrapper"]:
        parts["optim_wrapper"]["loss_scale"] = 1.0
    gpus = [torch.cuda.current_device()] if device.type == "cuda" else []
    if device.type == "cpu":
        keep_freed_memory()
    threads = torch.get_num_threads()
    torch.set_num_threads(plan.threads.value)
    with DefaultScope.overwrite_default_scope("mmaction"), quiet_mmengine(), torch.random.fork_rng(gpus):
        model = MODELS.build(parts["model"]).to(device).train()
        # Emptied at the end: whoever still has `steps` then holds no memory of the GPU.
        held = [model, build_optim_wrapper(model, parts["optim_wrapper"])]
        del model

        def steps(batch: int, number: int) -> list[float]:
            data = made_up_batch(config, plan, batch)
            network, wrapper = held
            times = []
            for _ in range(number):
                started = time.perf_counter()
                network.train_step(copy.copy(data), wrapper)
                if device.type == "cuda":
                    torch.cuda.synchronize()
                times.append(time.perf_counter() - started)
            return times

        try:
            yield steps
        finally:
            torch.set_num_threads(threads)
            held.clear()
            _forget()


def made_up_batch(config: Config, plan: Plan, num_videos: int) -> Any:
    """A batch of noise as the training loader makes it.

    Args:
        config: As in `trial_steps`.
        plan: Its plan.
        num_videos: How many.
    """
    named = dict(config.train_dataloader.get("collate_fn") or {"type": "pseudo_collate"})
    collate = FUNCTIONS.get(named.pop("type"))
    return collate([_clip(plan, index) for index in range(num_videos)], **named)


def _clip(plan: Plan, index: int) -> dict[str, Any]:
    """A sample as the training pipeline packs it: noise, and one class after the other."""
    size, num_classes = plan.input_size.value, plan.num_classes.value
    label: Any = index % num_classes
    if load_task(plan.task).dataset_settings(num_classes).get("multi_class"):
        label = torch.nn.functional.one_hot(torch.tensor(label), num_classes).float()
    length = plan.clip_len.value
    shape = (length, 3, size, size) if plan.input_format.value == "NCHW" else (1, 3, length, size, size)
    frames = torch.randint(0, 256, shape, dtype=torch.uint8)
    return {"inputs": frames, "data_samples": ActionDataSample().set_gt_label(label)}


def _room(config: Config, plan: Plan) -> tuple[int, int]:
    """Bytes that a run needs beside what a trial alone uses, and bytes of the smallest GPU; none on the CPU."""
    if plan.device.value == "cpu":
        return 0, 0
    total = min(torch.cuda.mem_get_info()[1], int(plan.hardware.gpu_memory_gib * GIB))
    if plan.hardware.num_devices == 1:
        return 0, total
    # Gradients that several processes exchange are kept twice.
    parameters = MODELS.build(copy.deepcopy(config.model)).parameters()
    return sum(one.numel() * one.element_size() for one in parameters), total


def _used_bytes(plan: Plan) -> int:
    """Memory of the GPU in use when most was: by PyTorch, by CUDA itself, and by other programs."""
    if plan.device.value == "cpu":
        return 0
    free, total = torch.cuda.mem_get_info()
    return torch.cuda.max_memory_reserved() + max(0, total - free - torch.cuda.memory_reserved())


@contextmanager
def memory_errors(batch: int) -> Iterator[None]:
    """While the block runs, steps are tried whose lack of memory leaves none in use.

    Args:
        batch: Videos of a step.

    Raises:
        GpuMemoryError: They do not fit.
    """
    _forget()
    try:
        yield
        return
    except torch.cuda.OutOfMemoryError as error:
        got = str(error).partition(".")[0]
    # The error, with all that its frames hold, is gone here.
    _forget()
    raise GpuMemoryError(
        Problem(
            "trying a training step",
            f"the GPU has not the memory for {batch} video(s) at a time",
            "Choose a smaller model, clip_len or input_size; `autox-video plan` shows them",
            got,
        )
    )


def _forget() -> None:
    gc.collect()
    if torch.cuda.is_available() and torch.cuda.is_initialized():
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()
