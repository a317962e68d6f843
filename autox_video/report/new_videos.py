"""The figures over the test videos that are new: in neither train nor val, under whatever name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from autox_video.report.common import numbers

if TYPE_CHECKING:
    from autox_video.report.results import Results


def leaks_note(num_used: int, num_new: int) -> str | None:
    """What the figures over new videos leave out.

    Args:
        num_used: Labelled and scored videos.
        num_new: Those of them that are new.
    """
    if num_used == num_new:
        return None
    if not num_new:
        return f"all {num_used} test videos also stand in train or val: there is no figure for new videos"
    return f"without the {num_used - num_new} of {num_used} test videos that also stand in train or val"


def leak_lines(results: Results) -> list[str]:
    """The figures over new videos for the console; nothing where all videos are new."""
    new = results.metrics_without_leaks
    if new is None:
        return [f"note     {results.leaks_note}"] if results.leaks_note else []
    return [f"new      {figures_line(numbers(new))}  ({results.leaks_note})"]


def figures_line(figures: dict[str, float]) -> str:
    """The figures of videos with one label each, for the console."""
    mean = figures["mean_class_accuracy"]
    return f"top-1 {figures['top1']:.3f}  top-5 {figures['top5']:.3f}  mean class accuracy {mean:.3f}"
