"""What training steps were measured to take on a GPU: one JSON file for all runs of a user, in their cache folder."""

from __future__ import annotations

import dataclasses
import json
import logging
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from autox_video.errors import RunError
from autox_video.plan.schema import Plan
from autox_video.records import build_record
from autox_video.writing import cache_folder, write_json

logger = logging.getLogger(__name__)

# Of a decision that follows from a measurement.
SOURCE = "trial"
# What decides on memory and seconds, of a plan and of the user's own words for MMEngine. Not every plan has all.
DECIDING = ("model", "clip_len", "input_size", "amp", "compile")
DECIDING_OPTIONS = ("model", "optim_wrapper", "compile")
# Of the GPU's memory; CUDA itself takes half a GiB.
MAX_SHARE_BEFORE = 0.15


@dataclass(frozen=True)
class Measured:
    """A training step that was tried out on the GPU of a plan.

    Attributes:
        videos_per_gpu: The largest batch that fits, of those that make the total batch without a rest.
        step_seconds: What a step with it takes; the median.
        used_gib: Memory in use at its peak, with all that CUDA itself takes.
        total_gib: Memory of the GPU.
        before_gib: Memory that was in use before, by CUDA itself and by other programs.
    """

    videos_per_gpu: int
    step_seconds: float
    used_gib: float
    total_gib: float
    before_gib: float

    @property
    def is_lasting(self) -> bool:
        """Whether it holds for the next run too: other programs had not taken much of the memory."""
        return self.before_gib <= MAX_SHARE_BEFORE * self.total_gib


def measured_file() -> Path:
    """Where they are remembered."""
    return cache_folder() / "measured_batches.json"


def key_of(plan: Plan, needed: int) -> str:
    """What a measurement is remembered under: all that its result depends on, as a person can read it.

    Args:
        plan: The plan.
        needed: Videos that one GPU has to take for a step of the optimizer, at once or one batch after the other.
    """
    decisions, hardware = plan.decisions(), plan.hardware
    parts: dict[str, Any] = {name: decisions[name].value for name in DECIDING if name in decisions}
    options = {name: value for name, value in plan.cfg_options.items() if name.split(".")[0] in DECIDING_OPTIONS}
    if options:
        parts["cfg_options"] = json.dumps(options, sort_keys=True, default=str)
    parts |= {"videos": needed, "gpus": hardware.num_gpus, "torch": version("torch")}
    parts["gpu"] = f"{hardware.gpu_name} {hardware.gpu_memory_gib:.2f} GiB"
    return ", ".join(f"{name} {value}" for name, value in parts.items())


def remembered(plan: Plan, needed: int) -> Measured | None:
    """What was measured for this plan on such a GPU before. A file that cannot be read counts as none, and is named.

    Args:
        plan: The plan.
        needed: As in `key_of`.
    """
    try:
        entry = _entries().get(key_of(plan, needed))
        if entry is None:
            return None
        found: Measured = build_record(entry, Measured)
        if needed % found.videos_per_gpu or not found.step_seconds > 0:
            raise ValueError(f"{found.videos_per_gpu} videos in {found.step_seconds} s")
    except (OSError, ValueError, KeyError, TypeError, AttributeError, ZeroDivisionError) as error:
        logger.warning("note     %s is damaged and ignored: batches are measured anew (%s)", measured_file(), error)
        return None
    return found


def remember(plan: Plan, needed: int, measured: Measured) -> None:
    """Keep a measurement for the next run. That it cannot be kept is said, and changes nothing for this run.

    Args:
        plan: The plan that was tried out.
        needed: As in `key_of`.
        measured: What came of it.
    """
    try:
        entries = _entries()
    except (OSError, ValueError):  # said when it was read
        entries = {}
    try:
        write_json(measured_file(), {**entries, key_of(plan, needed): dataclasses.asdict(measured)})
    except RunError as error:
        logger.warning("note     the measured batch will not be remembered: %s", error.problems[0].wrong)


def _entries() -> dict[str, Any]:
    try:
        entries = json.loads(measured_file().read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    if not isinstance(entries, dict):
        raise ValueError("it is no table")
    return entries
