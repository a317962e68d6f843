"""`data.cache: auto` writes proxies where that makes the run shorter."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
import samples

from autox_video.dataset.facts import DecodeCost, Percentiles
from autox_video.plan.make_plan import make_plan
from autox_video.plan.measured import Measured
from autox_video.plan.rules.cache import duration
from autox_video.plan.schema import Decision
from autox_video.presets import load_preset

# 1080p with long groups of pictures: 350 ms for a clip of 32 frames at interval 2.
SLOW = DecodeCost(seconds_per_frame=0.0055, height_px=1080, num_videos=8)


def decided(
    cost: DecodeCost | None, *, side: int = 1080, videos: int = 1000, frames: int = 300, **given: Any
) -> Decision[str]:
    unopened, step_seconds = given.pop("unopened", 0), given.pop("step_seconds", None)
    splits = {
        split: dataclasses.replace(
            samples.split_facts(split),
            num_videos=count,
            num_frames=Percentiles(frames, frames, frames, frames, frames),
            short_side_px=Percentiles(side, side, side, side, side),
            num_unopened=unopened,
        )
        for split, count in (("train", videos), ("val", videos // 5))
    }
    facts = dataclasses.replace(samples.fingerprint(), splits=splits, decode_cost=cost)
    settings = samples.settings(clip={"clip_len": 32, "frame_interval": 2, "input_size": 224}, **{"epoch": 30, **given})
    measured = step_seconds and Measured(8, step_seconds, 20.0, 24.0, 0.5)
    return make_plan(settings, facts, load_preset("video_swin_tiny"), samples.GPU, measured).cache


@pytest.mark.parametrize(
    ("given", "value", "why"),
    [
        ({"cost": SLOW}, "proxy", "a clip takes 352 ms of a core, from a proxy about 25; over 29 epochs that saves"),
        # The first epoch reads the originals, and then there is none left.
        ({"cost": SLOW, "epoch": 1}, "off", "over 0 epochs that saves 1 s"),
        # Of an hour of video a clip sees two seconds.
        ({"cost": SLOW, "frames": 108_000}, "off", "writing the proxies takes about"),
        ({"cost": SLOW, "videos": 10}, "off", "over 29 epochs that saves"),
        # Sixteen cores decode a clip in 22 ms: of one network eight take 50 ms, of another a second.
        ({"cost": SLOW, "step_seconds": 0.05}, "proxy", "over 29 epochs that saves 7.6 min of 11 min"),
        ({"cost": SLOW, "step_seconds": 1.0}, "off", "over 29 epochs that saves 1 s of 1.0 h"),
        ({"cost": SLOW, "side": 256}, "off", "half of the videos have a short side of at most 256 pixels, a proxy 256"),
        ({"cost": None}, "off", "what decoding takes was not measured"),
        ({"cost": SLOW, "unopened": 3}, "off", "only a sample of the videos was opened"),
        ({"cost": None, "data": {"cache": "proxy"}}, "proxy", "as asked"),
        ({"cost": SLOW, "data": {"cache": "off"}}, "off", "as asked"),
    ],
)
def test_proxies_are_written_where_they_make_the_run_shorter(given, value, why):
    found = decided(**given)
    assert (found.value, why in found.why) == (value, True), found


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.2, "1 s"), (59, "59 s"), (60, "1.0 min"), (1500, "25 min"), (5400, "1.5 h"), (3.6e6, "1000 h")],
)
def test_a_time_is_told_roughly(seconds, words):
    assert duration(seconds) == words
