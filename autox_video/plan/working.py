"""How the machine works on a run: what makes clips and what scores them. Groups of decisions for training and test."""

from __future__ import annotations

from typing import Any

from autox_video.plan.rules import batch, testing, workers
from autox_video.plan.rules.costs import ClipCost, ClipShape
from autox_video.plan.schema import Hardware
from autox_video.presets import Card
from autox_video.settings.schema import Settings


def choose_scoring(
    settings: Settings, hardware: Hardware, card: Card, shape: ClipShape, videos_per_gpu: int, views: int, task: str
) -> dict[str, Any]:
    """How clips are scored, and the number format, of which that of scoring follows."""
    device = "cuda" if hardware.num_gpus else "cpu"
    amp = batch.choose_amp(settings, hardware, device)
    memory = [batch.training_memory_gib(card, *shape.size, videos) for videos in (0, 1)]
    # A network that scores keeps less than one that learns.
    threads = testing.choose_scoring_threads(hardware, views, memory[1] - memory[0])
    return {
        "amp": amp,
        "scoring_amp": testing.choose_scoring_amp(amp, device, task),
        "scoring_threads": threads,
        "test_videos_per_gpu": testing.choose_test_videos_per_gpu(videos_per_gpu, views, threads.value),
    }


def choose_loading(
    settings: Settings,
    hardware: Hardware,
    clips: int,
    shape: ClipShape,
    cost: ClipCost | None,
    scoring_threads: int,
    *,
    only_scoring: bool = False,
) -> dict[str, Any]:
    """The processes that decode, and the threads left to the one that computes.

    Args:
        settings: What the user asked.
        hardware: The machine.
        clips: Of a batch on one device.
        shape: Of a clip.
        cost: What a clip costs; None where that is not known.
        scoring_threads: Batches scored at a time.
        only_scoring: Whether nothing is trained.
    """
    processes, prefetch = workers.choose_workers(
        settings, hardware, clips, *shape.size, cost, scoring_threads=scoring_threads, only_scoring=only_scoring
    )
    threads = batch.choose_threads(hardware, processes.value)
    return {"workers": processes, "prefetch": prefetch, "threads": threads}
