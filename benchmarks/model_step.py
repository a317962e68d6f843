"""Seconds of a training step of the model alone, ours against MMAction2's: forward, backward and optimizer.

Both are called as MMEngine calls them (`train_step` with an optimizer wrapper), on the same random clips, alternating
in one process; the figure is the ratio of the medians. On the CPU stock computes in float32, as MMEngine does; on CUDA
it computes under AMP. FLOP/s count the multiply-adds of the preset's card three times (forward once, backward twice).

    python benchmarks/model_step.py [--compile] [--seconds 25]
    python benchmarks/model_step.py --device cuda
"""

from __future__ import annotations

import argparse
import copy
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from measuring import goal, markdown, write_result

from autox_video.presets import Preset, load_preset
from autox_video.runner import components  # noqa: F401  (registers our parts)
from autox_video.runner.allocation import keep_freed_memory
from autox_video.runner.hooks.compiling import compile_in_place

VIDEOS = 8
STEP_GOAL, MFU_GOAL, MEMORY_GOAL = 1.5, 0.40, 0.7
# Dense bfloat16 without sparsity, from the vendors' data sheets; TFLOP/s.
PEAKS = {"H100": 989.0, "H200": 989.0, "A100": 312.0, "B200": 2250.0}
OURS = {"SwinTransformer3D": "FastSwinTransformer3D"}


@dataclass
class Variant:
    """A model with its optimizer."""

    name: str
    model: Any
    wrapper: Any

    def step(self, clips: list[torch.Tensor]) -> None:
        """As MMEngine's loop does it."""
        self.model.train()
        self.model.train_step(_batch(clips), self.wrapper)

    def forward(self, clips: list[torch.Tensor]) -> None:
        """Score the clips; under autocast as in training."""
        self.model.eval()
        with torch.no_grad(), self.wrapper.optim_context(self.model):
            self.model.test_step(_batch(clips))


def make(preset: Preset, name: str, device: str, *, ours: bool, amp: bool, compiled: bool = False) -> Variant:
    """The stock model or ours, with the optimizer that the rendered config would have."""
    from mmaction.registry import MODELS
    from mmengine.registry import OPTIM_WRAPPERS

    config = copy.deepcopy(preset.model)
    if ours:
        config["backbone"]["type"] = OURS[config["backbone"]["type"]]
    torch.manual_seed(0)
    model = MODELS.build(config).to(device)
    if compiled:
        compile_in_place(model.backbone, VIDEOS)
    kinds = {"cpu": {"type": "CpuAmpOptimWrapper"}, "cuda": {"type": "AmpOptimWrapper", "dtype": "bfloat16"}}
    wrapper = dict(kinds[device]) if amp else {"type": "OptimWrapper"}
    if amp and device == "cuda":
        wrapper["loss_scale"] = 1.0
    wrapper["optimizer"] = torch.optim.AdamW(model.parameters(), lr=1e-4, fused=True if ours else None)
    return Variant(name, model, OPTIM_WRAPPERS.build(wrapper))


def _batch(clips: list[torch.Tensor]) -> dict[str, Any]:
    from mmaction.structures import ActionDataSample

    samples = [ActionDataSample().set_gt_label(number % 8) for number in range(len(clips))]
    return {"inputs": list(clips), "data_samples": samples}


def timed(work: Callable[[], None], device: str) -> float:
    """Seconds of one call, with what it started on the GPU."""
    started = time.perf_counter()
    work()
    if device == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter() - started


def measure(variants: list[Variant], clips: list[torch.Tensor], device: str, seconds: float) -> dict[str, Any]:
    """Alternate the variants for about so many seconds; medians and ratios to the first one."""
    peaks = {}
    for variant in variants:
        if device == "cuda":
            torch.cuda.empty_cache()
            torch.cuda.reset_peak_memory_stats()
        for _ in range(3):  # of a compiled model the second one compiles
            timed(lambda variant=variant: variant.step(clips), device)  # type: ignore[misc]
        if device == "cuda":
            peaks[variant.name] = torch.cuda.max_memory_allocated() / 2**30
    steps: dict[str, list[float]] = {variant.name: [] for variant in variants}
    forwards: dict[str, list[float]] = {variant.name: [] for variant in variants}
    until = time.perf_counter() + seconds
    while len(steps[variants[0].name]) < 3 or time.perf_counter() < until:
        for variant in variants:
            steps[variant.name].append(timed(lambda variant=variant: variant.step(clips), device))  # type: ignore[misc]
            forwards[variant.name].append(timed(lambda variant=variant: variant.forward(clips), device))  # type: ignore[misc]
    step = {name: statistics.median(values) for name, values in steps.items()}
    forward = {name: statistics.median(values) for name, values in forwards.items()}
    base = variants[0].name
    return {
        name: {
            "step_seconds": step[name],
            "forward_seconds": forward[name],
            "step_ratio": step[base] / step[name],
            "forward_ratio": forward[base] / forward[name],
            "repeats": len(steps[name]),
            **({"peak_gib": peaks[name], "memory_ratio": peaks[name] / peaks[base]} if peaks else {}),
        }
        for name in step
    }


def measure_preset(name: str, size: int, frames: int, device: str, seconds: float, *, compiled: bool) -> dict[str, Any]:
    """Stock and all our variants of one preset at one clip."""
    preset = load_preset(name)
    amp = device == "cuda"
    stock = make(preset, "stock AMP" if amp else "stock", device, ours=False, amp=amp)
    variants = [stock]
    if not amp:
        variants.append(make(preset, "ours float32", device, ours=True, amp=False))
    variants.append(make(preset, "ours bfloat16", device, ours=True, amp=True))
    if compiled or amp:
        variants.append(make(preset, "ours bfloat16 compiled", device, ours=True, amp=True, compiled=True))
    for variant in variants[1:]:
        variant.model.load_state_dict(stock.model.state_dict())
    generator = torch.Generator().manual_seed(0)
    shape = (VIDEOS, 1, 3, frames, size, size)
    clips = list(torch.randint(0, 256, shape, generator=generator, dtype=torch.uint8).unbind(0))
    found = measure(variants, clips, device, seconds)
    tokens = frames * size**2 / (preset.card.clip_len * preset.card.input_size**2)
    flops = 3 * 2 * preset.card.flops * tokens * VIDEOS
    gpu = torch.cuda.get_device_name() if amp else ""
    peak = next((value for key, value in PEAKS.items() if key in gpu), None)
    for row in found.values():
        row["tflops"] = flops / row["step_seconds"] / 1e12
        row |= {"mfu": row["tflops"] / peak} if peak else {}
    return found


def main() -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--seconds", type=float, default=20, help="of each model and number of threads")
    parser.add_argument("--threads", type=int, nargs="*", default=[1, 2])
    parser.add_argument("--compile", action="store_true", help="also the compiled model: minutes more")
    arguments = parser.parse_args()
    from mmengine.registry import init_default_scope

    init_default_scope("mmaction")
    rows: list[dict[str, Any]] = []
    if arguments.device == "cuda":
        jobs = [("video_swin_base", 224, 32, 0)]
    else:
        keep_freed_memory()
        models = (("video_swin_nano", 112), ("video_swin_nano", 128), ("video_swin_tiny", 112))
        jobs = [(name, size, 8, threads) for threads in arguments.threads for name, size in models]
    print("model, clip, threads, variant: step ms (ratio to stock), forward ms (ratio), TFLOP/s")
    for name, size, frames, threads in jobs:
        if threads:
            torch.set_num_threads(threads)
        found = measure_preset(name, size, frames, arguments.device, arguments.seconds, compiled=arguments.compile)
        for variant, row in found.items():
            rows.append({"model": name, "clip": [frames, size, size], "threads": threads, "variant": variant, **row})
            step, forward = 1e3 * row["step_seconds"], 1e3 * row["forward_seconds"]
            more = "".join(f", {key} {row[key]:.2f}" for key in ("mfu", "peak_gib", "memory_ratio") if key in row)
            print(
                f"{name}, {frames}x{size}x{size}, {threads}, {variant}: {step:.0f} ({row['step_ratio']:.2f}), "
                f"{forward:.0f} ({row['forward_ratio']:.2f}), {row['tflops']:.3f}{more}"
            )
    on_gpu = arguments.device == "cuda"
    figures = {"videos": VIDEOS, "device": torch.cuda.get_device_name() if on_gpu else None, "rows": rows}
    print(table(write_result("model_step_cuda" if on_gpu else "model_step", figures)))


def table(record: dict[str, Any]) -> str:
    """A training step and a forward pass of each variant beside stock's; of a GPU how busy it was, and its memory."""
    lines = []
    for row in record["rows"]:
        if row["variant"].startswith("stock"):
            stock = row
            continue
        shape = "x".join(str(side) for side in row["clip"])
        threads = f", {row['threads']} thread(s)" if row["threads"] else ""
        ours = [f"{1e3 * row['step_seconds']:.0f} ms", f"{1e3 * stock['step_seconds']:.0f} ms"]
        aim = goal(row["step_ratio"], at_least=STEP_GOAL)
        if "mfu" in row:
            aim += f"; MFU {row['mfu']:.2f}, {goal(row['mfu'], at_least=MFU_GOAL)}"
        if "memory_ratio" in row:
            aim += (
                f"; peak memory {row['memory_ratio']:.2f} of stock's, {goal(row['memory_ratio'], at_most=MEMORY_GOAL)}"
            )
        what = f"`{row['model']}`, {shape}{threads}, {row['variant'].removeprefix('ours ')}"
        forward = f"{row['forward_ratio']:.2f}"
        lines.append([what, *ours, f"{row['step_ratio']:.2f}", aim, forward, f"{row['tflops']:.3f}"])
    heads = ["a step of 8 clips", "ours", "stock", "times as fast", "goal", "forward alone, times as fast", "TFLOP/s"]
    return markdown(heads, lines)


if __name__ == "__main__":
    main()
