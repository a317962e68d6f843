"""From settings and facts to a plan for this machine."""

from __future__ import annotations

import dataclasses
import logging

from autox_video.dataset.facts import Fingerprint
from autox_video.plan.estimates import estimate
from autox_video.plan.hardware import detect_hardware, divided
from autox_video.plan.make_plan import make_plan
from autox_video.plan.measured import SOURCE, Measured, remembered
from autox_video.plan.rules.batch import choose_total_batch_size, share_of_device
from autox_video.plan.rules.common import asked
from autox_video.plan.rules.gpus import choose_processes
from autox_video.plan.rules.model import choose_model
from autox_video.plan.schema import Hardware, Plan
from autox_video.presets import Preset, load_preset
from autox_video.processes import Place, own_place
from autox_video.render.config import render_config
from autox_video.render.learning_rates import learning_rates
from autox_video.settings.schema import Settings

logger = logging.getLogger(__name__)


def processes_of_run(settings: Settings) -> int:
    """Processes that `train` and `test` start on this machine."""
    return choose_processes(settings, detect_hardware(settings.runtime.device))


def find_hardware(settings: Settings, place: Place | None = None) -> Hardware:
    """What this machine has for a run.

    Args:
        settings: What the user asked.
        place: Of this process in the run; None for the run that `train` would start.
    """
    found = detect_hardware(settings.runtime.device)
    if place is None:
        place = own_place()
        if not place.launcher:
            number = choose_processes(settings, found)
            place = Place(0, number, 0, number)
    return divided(found, place)


def log_processes(settings: Settings) -> None:
    """Say where a run has not as many processes as the settings ask for: whoever started it has decided that."""
    place = own_place()
    wanted = asked(settings, "runtime.gpus")
    if place.launcher:
        if wanted and wanted.value != place.local_world_size:
            started = f"{place.launcher} has started {place.local_world_size} on this machine"
            logger.info("note     %s: runtime.gpus: %d is left aside, %s", wanted.source, wanted.value, started)
    elif (number := processes_of_run(settings)) > 1:
        logger.info("note     this is one process, and %d could work together: see docs/several_gpus.md", number)


def decide(
    settings: Settings,
    fingerprint: Fingerprint,
    hardware: Hardware | None = None,
    measured: Measured | None = None,
    begun: Plan | None = None,
) -> tuple[Plan, Preset]:
    """Every value of a run, and its model.

    Args:
        settings: What the user asked.
        fingerprint: What the data is.
        hardware: The machine; this one when None.
        measured: What a training step was measured to take there; when None, what is remembered of an earlier run.
        begun: The plan of a run that goes on: it keeps its model.
    """
    hardware = hardware or find_hardware(settings)
    chosen = choose_model(settings, fingerprint.splits["train"], hardware, begun)
    preset = load_preset(chosen.value)
    decided = make_plan(settings, fingerprint, preset, hardware, measured, chosen)
    if measured is None and (needed := videos_to_try(settings, decided, preset)):
        measured = remembered(decided, needed)
        if measured is not None:
            decided = make_plan(settings, fingerprint, preset, hardware, measured, chosen)
    return decided, preset


def with_estimates(settings: Settings, fingerprint: Fingerprint, decided: Plan, preset: Preset) -> Plan:
    """The plan with the figures people ask for before training.

    Args:
        settings: What the user asked.
        fingerprint: What the data is.
        decided: Every value of the run.
        preset: Its model.
    """
    config = render_config(decided, preset, settings.work_dir)
    needed = videos_to_try(settings, decided, preset) if decided.videos_per_gpu.source == SOURCE else None
    measured = None if needed is None else remembered(decided, needed)
    found = estimate(decided, preset, fingerprint, learning_rates(config, decided), measured)
    return dataclasses.replace(decided, estimates=found)


def videos_to_try(settings: Settings, decided: Plan, preset: Preset) -> int | None:
    """Videos that each GPU has to take for a step of the optimizer; None where it is not ours to choose the batch."""
    if decided.device.value != "cuda" or asked(settings, "videos_per_gpu"):
        return None
    if decided.strategy.value == "fsdp":
        return None  # a trial is one process, which would hold the whole network
    devices = decided.hardware.num_devices
    total = choose_total_batch_size(settings, preset.card, decided.num_videos["train"], devices)
    return share_of_device(settings, total.value, devices)
