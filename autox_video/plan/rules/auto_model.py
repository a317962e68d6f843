"""Which preset `model: auto` is: the cards, the data, the machine and the key `preset` decide; there is no list.

A card says at which levels of `preset` its model is considered, on a CPU and on a GPU of how much memory. Of those
considered, `fast` takes the one with the least work; `balanced` and `best` take the highest published accuracy, among
those that train in the hours of the level.
"""

from __future__ import annotations

import os
from functools import cache
from urllib.parse import urlparse

from autox_video.dataset.facts import SplitFacts
from autox_video.plan.rules import batch, clip, schedule
from autox_video.plan.rules.cache import duration
from autox_video.plan.rules.common import asked
from autox_video.plan.rules.costs import TRAINING_PASSES, ClipShape, network_seconds
from autox_video.plan.schema import Decision, Hardware
from autox_video.presets import Card, Preset, load_preset, preset_names
from autox_video.settings.schema import AUTO, Settings

# Hours that a training may take: a night; two days. `fast` takes the least there is. On a GPU they are reckoned for the
# fastest of today, so only data that no GPU could manage counts there.
HOURS = {"balanced": 12.0, "best": 48.0}


def choose_level(settings: Settings) -> Decision[str]:
    """What the key `preset` asks for: fast, balanced or best."""
    return asked(settings, "preset") or Decision("balanced", "default", "accuracy and time both count")


def pick(settings: Settings, train: SplitFacts, hardware: Hardware) -> Decision[str]:
    """The preset that suits.

    Args:
        settings: What the user asked, with no name of a model.
        train: The training videos.
        hardware: The machine; `num_gpus` is what the run will use.
    """
    level = choose_level(settings)
    considered = _considered(settings, train, hardware, level.value)
    hours = {preset.name: training_hours(settings, preset.card, train, hardware) for preset in considered}
    limit = HOURS.get(level.value, 0.0)
    in_time = [preset for preset in considered if hours[preset.name] <= limit]
    source = level.source if level.why == "as asked" else "hardware"
    place = f"a GPU of {hardware.gpu_memory_gib:.0f} GiB" if hardware.num_gpus else f"{hardware.num_cpus} CPU cores"
    group = f"what `preset: {level.value}` considers on {place}"
    if hardware.num_gpus == 0 and not _starts_from_ours(settings):
        best = min(considered, key=lambda preset: hours[preset.name])
        why = "no GPU, and no weights of a preset are to be loaded"
    elif level.value not in HOURS:
        best = min(considered, key=lambda preset: (preset.card.flops, preset.name))
        why = f"the least work of {group}"
    elif not in_time:
        best, source = min(considered, key=lambda preset: hours[preset.name]), "data"
        why = f"of {group} nothing learns from {train.num_videos} videos in {limit:g} h, and this takes least"
    else:
        best = max(in_time, key=lambda preset: (_top1(preset.card), -preset.card.flops, preset.name))
        figure = f"the highest published top-1 ({_top1(best.card):.3f})" if _top1(best.card) else "all there is"
        why = f"{figure} of {group}"
        if len(in_time) < len(considered):
            why += f", of those that learn from {train.num_videos} videos in {limit:g} h"
    if not hardware.num_gpus:
        why += f"; about {duration(3600 * hours[best.name])} of computing"
    return Decision(best.name, source, why)


def training_hours(settings: Settings, card: Card, train: SplitFacts, hardware: Hardware) -> float:
    """What the network of a card takes for all epochs, roughly; on a GPU at the rate of the fastest."""
    total = batch.choose_total_batch_size(settings, card, train.num_videos, hardware.num_devices).value
    epochs = schedule.choose_epochs(settings, card, train.num_videos, total).value
    clip_len = clip.choose_clip_len(settings, card, train).value
    side = clip.choose_input_size(settings, card, train, pretrained=bool(card.weights)).value
    each = network_seconds(card, hardware, ClipShape(clip_len, 1, side), TRAINING_PASSES)
    # Without a GPU one core decodes.
    computing = hardware.num_gpus or max(1, hardware.num_cpus - 1) * hardware.num_machines
    return train.num_videos * epochs * each / computing / 3600


def _considered(settings: Settings, train: SplitFacts, hardware: Hardware, level: str) -> list[Preset]:
    presets = _presets(preset_names())
    if hardware.num_gpus:
        fitting = [one for one in presets if one.card.gpu_levels.get(level, float("inf")) <= hardware.gpu_memory_gib]
    else:
        fitting = [one for one in presets if level in one.card.cpu_levels]
        if not _starts_from_ours(settings):
            # What has weights of its own is worth little without them.
            return [one for one in fitting if not one.card.weights]
    named = [one for one in fitting if settings.model.load_from in one.card.weights]
    fitting = named or fitting
    return [one for one in fitting if _takes_clips(settings, one.card, train)] or fitting


@cache
def _presets(names: tuple[str, ...]) -> tuple[Preset, ...]:
    """Their files are read once in a process: a plan asks several times."""
    return tuple(load_preset(name) for name in names)


def _takes_clips(settings: Settings, card: Card, train: SplitFacts) -> bool:
    """Whether the clips that are asked for, or that the videos have frames for, are what the network takes."""
    is_asked = settings.video_length != AUTO or settings.clip.clip_len not in (AUTO, card.clip_len)
    if card.fixed_clip_len and (is_asked or train.num_frames.p50 < card.clip_len):
        return False
    if card.sampling != "dense" and settings.clip.frame_interval not in (AUTO, 1):
        return False
    return not card.fixed_input_size or settings.clip.input_size in (AUTO, card.input_size)


def _starts_from_ours(settings: Settings) -> bool:
    """Whether weights of the preset are loaded, and not none, or a file of the user's."""
    value = settings.model.load_from
    return value != "none" and not os.path.isabs(value) and urlparse(value).scheme not in ("http", "https")


def _top1(card: Card) -> float:
    return (card.weights[card.default_weights].top1 or 0.0) if card.default_weights else 0.0
