"""What a bench means: what a training waits for, and what would make it faster."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass

from autox_video.dataset.facts import Fingerprint
from autox_video.plan.rules.cache import side_for
from autox_video.plan.rules.costs import ClipShape
from autox_video.plan.rules.workers import SHM
from autox_video.plan.schema import Decision, Plan
from autox_video.proxies.sizes import ASPECT, READ_SECONDS, is_worthwhile
from autox_video.timings import Timings

VERSION = 1
DATA, STEP = "data", "step"
# A smaller gain is lost in what such measurements differ by.
LEAST_GAIN = 1.1
MAX_ADVICE = 3


@dataclass(frozen=True)
class Advice:
    """One thing to change.

    Attributes:
        change: What, as a person would do it.
        gain: How many times shorter an epoch is expected to be.
        why: What the expectation is drawn from.
    """

    change: str
    gain: float
    why: str


@dataclass(frozen=True)
class Bench:
    """What `bench.json` holds.

    Attributes:
        version: Of this layout.
        model: Name of the preset.
        device: `cpu` or `cuda`.
        clip_len: Frames of a clip.
        frame_interval: Distance of two.
        input_size: Side of a frame in pixels.
        videos_per_gpu: The planned batch.
        workers: Processes that load, as planned.
        threads: Of the training process on the CPU, as planned.
        num_cpus: Cores that may be used.
        timings: What was measured.
        training_videos_per_second: What a training makes of both at most: loader and step run side by side.
        epoch_seconds: Of an epoch, without its validation.
        binds: `data` or `step`: what a training waits for.
        waiting_share: Of the time, in which the step waits for data.
        advice: What to change; the largest gain first.
    """

    version: int
    model: str
    device: str
    clip_len: int
    frame_interval: int
    input_size: int
    videos_per_gpu: int
    workers: int
    threads: int
    num_cpus: int
    timings: Timings
    training_videos_per_second: float
    epoch_seconds: float
    binds: str
    waiting_share: float
    advice: tuple[Advice, ...]


def other_steps(plan: Plan) -> dict[str, Plan]:
    """The plan with what may make its step faster and is no longer its own to decide, by what would be changed."""
    native = plan.hardware.bfloat16 if plan.device.value == "cuda" else plan.hardware.cpu_bfloat16
    if plan.amp.value != "off" or not native:
        return {}
    return {"train.amp: bfloat16": dataclasses.replace(plan, amp=Decision("bfloat16", "bench", "to be compared"))}


def judge(timings: Timings, plan: Plan, fingerprint: Fingerprint) -> Bench:
    """What the measurements of a plan mean.

    Args:
        timings: What was measured.
        plan: The plan that was measured.
        fingerprint: What the data is.
    """
    step, workers = timings.step_videos_per_second, plan.workers.value
    rate = _together(timings.loader_videos_per_second, step, workers)
    return Bench(
        version=VERSION,
        model=plan.model.value,
        device=plan.device.value,
        clip_len=plan.clip_len.value,
        frame_interval=plan.frame_interval.value,
        input_size=plan.input_size.value,
        videos_per_gpu=plan.videos_per_gpu.value,
        workers=workers,
        threads=plan.threads.value,
        num_cpus=plan.hardware.num_cpus,
        timings=timings,
        training_videos_per_second=rate,
        epoch_seconds=plan.num_videos["train"] / rate,
        binds=DATA if timings.loader_videos_per_second < step else STEP,
        waiting_share=1 - rate / step,
        advice=advice(timings, plan, fingerprint),
    )


def advice(timings: Timings, plan: Plan, fingerprint: Fingerprint) -> tuple[Advice, ...]:
    """What would make an epoch shorter, and how much, as far as it follows from what was measured."""
    found = [_workers(timings, plan), _proxy(timings, plan, fingerprint), _gpu(timings, plan), *_others(timings, plan)]
    worth = [one for one in found if one is not None and one.gain >= LEAST_GAIN]
    return tuple(sorted(worth, key=lambda one: -one.gain)[:MAX_ADVICE])


def _together(loader: float, step: float, workers: int) -> float:
    """Videos a second of both: side by side, or one after the other where the training process loads itself."""
    return min(loader, step) if workers else 1 / (1 / loader + 1 / step)


def _workers(timings: Timings, plan: Plan) -> Advice | None:
    """Another number of processes; on the CPU they take their cores from the step."""
    now, cores = plan.workers.value, plan.hardware.num_cpus // plan.hardware.devices_per_machine
    loader, step = timings.loader_videos_per_second, timings.step_videos_per_second
    rate = _together(loader, step, now)

    def expected(workers: int) -> float:
        share = (cores - workers) / plan.threads.value if plan.device.value == "cpu" else 1.0
        return _together(loader * workers / max(1, now), step * share, workers)

    best = max(range(1, cores), key=expected, default=now)
    if best == now:
        return None
    change = f"runtime.workers: {best} instead of {now}"
    if best > now and plan.workers.source == SHM:
        change += f", with more of {SHM} (docker run --shm-size=8g)"
    elif plan.device.value == "cpu":
        change += f", which leaves {cores - best} of {cores} cores to the step"
    return Advice(change, expected(best) / rate, "expected, with a core each")


def _proxy(timings: Timings, plan: Plan, fingerprint: Fingerprint) -> Advice | None:
    """Small copies of the videos, where none are planned."""
    side = side_for(plan)
    if plan.cache.value == "proxy" or not is_worthwhile(fingerprint.splits["train"].short_side_px.p50, side):
        return None
    numbers = (plan.clip_len.value, plan.frame_interval.value, plan.input_size.value)
    span = ClipShape.planned(plan.sampling.value, *numbers, fingerprint.splits["train"]).span
    expected = READ_SECONDS * side * side * ASPECT * span
    decode = next((stage.seconds for stage in timings.stages if stage.name == "decode"), 0.0)
    now, step = timings.loader_videos_per_second, timings.step_videos_per_second
    later = now * timings.clip_seconds / (timings.clip_seconds - decode + min(decode, expected))
    gain = _together(later, step, plan.workers.value) / _together(now, step, plan.workers.value)
    return Advice("data.cache: proxy", gain, f"expected from the second on: decoding {1000 * expected:.0f} ms a clip")


def _others(timings: Timings, plan: Plan) -> list[Advice]:
    """Other ways to make a step, as measured."""
    loader, workers = timings.loader_videos_per_second, plan.workers.value
    now = _together(loader, timings.step_videos_per_second, workers)
    return [
        Advice(change, _together(loader, step, workers) / now, "the step was measured with it")
        for change, step in timings.others_videos_per_second.items()
    ]


def _gpu(timings: Timings, plan: Plan) -> Advice | None:
    """What a GPU would be good for: the step no longer binds."""
    if plan.device.value != "cpu":
        return None
    rate = _together(timings.loader_videos_per_second, timings.step_videos_per_second, plan.workers.value)
    cores = plan.hardware.num_cpus // plan.hardware.devices_per_machine
    return Advice("a GPU", cores / timings.clip_seconds / rate, f"at most: then loading on {cores} core(s) binds")


def bench_lines(bench: Bench, num_videos: int) -> list[str]:
    """A table and a few sentences for the console.

    Args:
        bench: What was found.
        num_videos: Training videos.
    """
    timings = bench.timings
    clip = f"{bench.clip_len} frames, every {bench.frame_interval}, at {bench.input_size} px"
    rows = [f"clip     {clip}; the mean of {timings.clips}", "           ms a clip   share"]
    rows += [f"  {one.name:9}{one.seconds * 1000:9.1f}   {one.share:5.0%}" for one in timings.stages]
    rows += [f"  {'together':9}{timings.clip_seconds * 1000:9.1f}", "           videos/s"]
    side = f"{bench.workers} process(es), as planned" if bench.workers else "the training process itself, as planned"
    step = f"{bench.model} on {bench.device}, {timings.step_videos} video(s) in {timings.step_seconds:.3g} s"
    rates = [
        ("loader", timings.loader_videos_per_second, side),
        ("step", timings.step_videos_per_second, step),
        ("both", bench.training_videos_per_second, _epoch(bench, num_videos)),
    ]
    rows += [f"  {name:9}{rate:9.1f}   {what}" for name, rate, what in rates]
    rows.append(f"binds    {_binding(bench)}")
    for one in bench.advice:
        rows.append(f"change   {one.change}: an epoch {one.gain:.1f} times shorter ({one.why})")
    if not bench.advice:
        rows.append("change   nothing that would make an epoch a tenth shorter")
    return rows


def _binding(bench: Bench) -> str:
    timings = bench.timings
    if bench.binds == STEP:
        ahead = timings.loader_videos_per_second / timings.step_videos_per_second
        return f"the training step; the loader could feed {ahead:.1f} times as many videos"
    part = max(timings.stages, key=lambda one: one.seconds)
    cores = math.ceil(timings.step_videos_per_second * timings.clip_seconds)
    return (
        f"data: training waits for it {bench.waiting_share:.0%} of the time, and {part.name} is {part.share:.0%} "
        f"of a clip; to keep up with the step takes {cores} core(s)"
    )


def _epoch(bench: Bench, num_videos: int) -> str:
    minutes, seconds = divmod(round(bench.epoch_seconds), 60)
    time = f"{minutes} min {seconds} s" if minutes else f"{bench.epoch_seconds:.3g} s"
    return f"at most; an epoch of {num_videos} videos takes {time}"
