"""From settings and facts to a plan for this machine."""

from __future__ import annotations

from autox_video.dataset.facts import Fingerprint
from autox_video.plan.hardware import detect_hardware, divided
from autox_video.plan.make_plan import make_plan
from autox_video.plan.rules.model import choose_model
from autox_video.plan.schema import Hardware, Plan
from autox_video.presets import Preset, load_preset
from autox_video.processes import own_place
from autox_video.settings.schema import Settings


def find_hardware(settings: Settings) -> Hardware:
    """What this machine has for the run."""
    return divided(detect_hardware(settings.runtime.device), own_place())


def decide(settings: Settings, fingerprint: Fingerprint, hardware: Hardware | None = None) -> tuple[Plan, Preset]:
    """Every value of a run, and its model; for this machine unless another is given."""
    hardware = hardware or find_hardware(settings)
    preset = load_preset(choose_model(settings, hardware).value)
    return make_plan(settings, fingerprint, preset, hardware), preset
