"""Which frames of a video a clip has: by count, by time, or one from each part."""

from __future__ import annotations

import dataclasses
from typing import Any

from autox_video.dataset.facts import SplitFacts
from autox_video.errors import Problem, RequestError
from autox_video.plan.rules.clip import choose_frame_interval
from autox_video.plan.rules.common import asked
from autox_video.plan.schema import Decision
from autox_video.presets import Card, Preset
from autox_video.settings.schema import Settings

# Of the fastest and the slowest videos but for a twentieth of each. A clip of 25 and 30 frames a second lasts about as
# long; one of 15 and 30 shows the same motion twice as fast.
VARIED_RATIO = 1.5


def sampled_as_asked(settings: Settings, preset: Preset) -> Preset:
    """The preset, with the sampling that the user asks for in place of its own."""
    decision = asked(settings, "clip.sampling")
    if decision is None:
        return preset
    return dataclasses.replace(preset, card=dataclasses.replace(preset.card, sampling=decision.value))


def choose_sampling(settings: Settings, preset: Preset, train: SplitFacts, clip_len: Decision[int]) -> dict[str, Any]:
    """Every decision on which frames are drawn, by its field in the plan.

    Args:
        settings: What the user asked.
        preset: As `sampled_as_asked` gives it.
        train: The training videos.
        clip_len: Frames of a clip.

    Raises:
        RequestError: `clip.target_fps` is asked for together with what leaves it no meaning.
    """
    card = preset.card
    interval = choose_frame_interval(settings, card, train, clip_len.value)
    target = choose_target_fps(settings, card, train, interval.value)
    if asked(settings, "clip.target_fps"):
        value = max(1, round(train.fps.p50 / (target.value or train.fps.p50)))
        interval = Decision(value, "plan", f"about, in a video of {train.fps.p50:.4g} frames a second: see target_fps")
    frames = "each frame by itself" if preset.input_format == "NCHW" else "the frames of a clip together"
    return {
        "sampling": asked(settings, "clip.sampling")
        or Decision(card.sampling, "preset", "the way the network was trained"),
        "clip_len": clip_len,
        "frame_interval": interval,
        "target_fps": target,
        "input_format": Decision(preset.input_format, "preset", f"the network takes {frames}"),
    }


def choose_target_fps(settings: Settings, card: Card, train: SplitFacts, interval: int) -> Decision[float | None]:
    """Frames a second of a clip; None where frames are counted.

    Raises:
        RequestError: It is asked for, and frames are not taken at a rate, or at another one.
    """
    decision, counted = asked(settings, "clip.target_fps"), asked(settings, "clip.frame_interval")
    if decision is not None:
        where, got = f"{decision.source}: clip.target_fps", f"{decision.value:g}"
        if card.sampling != "dense":
            wrong = f"has no meaning with {card.sampling} sampling, which takes one frame from each part of a video"
            raise RequestError(Problem(where, wrong, "Remove the key, or set clip.sampling to dense", got))
        if counted is not None:
            wrong = f"contradicts clip.frame_interval, which is {counted.value}"
            raise RequestError(Problem(where, wrong, "Keep one of the two", got))
        return decision
    if card.sampling != "dense":
        return Decision(None, "preset", "frames are spread over the whole video, whatever its rate")
    if counted is not None:
        return Decision(None, counted.source, "clip.frame_interval counts frames")
    slow, fast = train.fps.p5, train.fps.p95
    if fast < VARIED_RATIO * slow:
        rates = f"{slow:.4g}" if f"{slow:.4g}" == f"{fast:.4g}" else f"{slow:.4g} to {fast:.4g}"
        return Decision(None, "data", f"videos have {rates} frames a second: frames are counted")
    why = f"of {slow:.4g} and {fast:.4g} frames a second, as videos have, clips by count would not last equally long"
    return Decision(train.fps.p50 / interval, "data", why)
