from __future__ import annotations

import dataclasses

import pytest
import samples

from autox_video.dataset.facts import Percentiles
from autox_video.errors import RequestError
from autox_video.plan.resume import continue_plan
from autox_video.plan.schema import Plan
from autox_video.render.config import render_config


def mixed(slow: float, fast: float) -> object:
    """Half of the videos have the one rate, half the other."""
    data = samples.fingerprint()
    train = dataclasses.replace(data.splits["train"], fps=Percentiles(slow, slow, fast, fast, fast))
    return dataclasses.replace(data, splits={**data.splits, "train": train})


def planned(data=None, **values) -> Plan:
    return samples.plan(samples.GPU, data, model="video_swin_tiny", **values)[0]


@pytest.mark.parametrize(
    ("slow", "fast", "by_time"), [(24, 24, False), (25, 30, False), (15, 30, True), (10, 60, True)]
)
def test_frames_are_taken_by_time_where_rates_differ_much(slow, fast, by_time):
    plan = planned(mixed(slow, fast))
    assert (plan.target_fps.value is not None) == by_time
    assert f"{slow}" in plan.target_fps.why
    assert f"{slow} to {slow}" not in plan.target_fps.why
    if by_time:
        assert plan.target_fps.value == pytest.approx(fast / plan.frame_interval.value)
    assert planned(mixed(slow, fast), clip={"frame_interval": 2}).target_fps.value is None


def test_a_rate_that_is_asked_for_gives_the_interval_only_for_what_is_estimated():
    plan, preset = samples.plan(samples.GPU, model="video_swin_tiny", clip={"target_fps": 8})
    assert (plan.target_fps.value, plan.frame_interval.value) == (8, 3)
    assert plan.frame_interval.why == "about, in a video of 24 frames a second: see target_fps"
    config = render_config(plan, preset, samples.RUN)
    for split in ("train", "val", "test"):
        step = config[f"{split}_dataloader"].dataset.pipeline[1]
        assert (step.type, step.target_fps, step.test_mode) == ("SampleAtRate", 8, split != "train")
    with pytest.raises(RequestError) as caught:
        render_config(plan, preset, samples.RUN, stock=True)
    assert str(caught.value) == (
        "clip.target_fps: MMAction2's own sampling by frame rate spreads the frames wider than asked for (got 8). "
        "Set clip.frame_interval for this config."
    )


@pytest.mark.parametrize("sampling", ["segments", "uniform"])
def test_a_network_that_takes_clips_can_be_given_frames_from_all_over_the_video(sampling):
    plan, preset = samples.plan(samples.GPU, mixed(10, 60), model="video_swin_tiny", clip={"sampling": sampling})
    assert (plan.sampling.value, plan.frame_interval.value, plan.target_fps.value) == (sampling, 1, None)
    step = render_config(plan, preset, samples.RUN).train_dataloader.dataset.pipeline[1]
    assert (step.type, step.clip_len) == ("UniformSample", plan.clip_len.value)


def test_a_network_that_takes_frames_can_be_given_a_clip():
    plan, preset = samples.plan(samples.GPU, model="tsm_r50", clip={"sampling": "dense"})
    step = render_config(plan, preset, samples.RUN).train_dataloader.dataset.pipeline[1]
    assert (step.type, step.clip_len, step.frame_interval) == (
        "SampleFrames",
        plan.clip_len.value,
        plan.frame_interval.value,
    )
    assert plan.frame_interval.value > 1


@pytest.mark.parametrize(
    ("clip", "message"),
    [
        (
            {"target_fps": 8, "frame_interval": 2},
            "fit(): clip.target_fps: contradicts clip.frame_interval, which is 2 (got 8). Keep one of the two.",
        ),
        (
            {"target_fps": 8, "sampling": "uniform"},
            "fit(): clip.target_fps: has no meaning with uniform sampling, which takes one frame from each part of a "
            "video (got 8). Remove the key, or set clip.sampling to dense.",
        ),
    ],
)
def test_what_contradicts_each_other_is_refused(clip, message):
    with pytest.raises(RequestError) as caught:
        planned(clip=clip)
    assert str(caught.value) == message


@pytest.mark.parametrize("clip", [{"sampling": "uniform"}, {"target_fps": 8}])
def test_a_run_goes_on_with_the_sampling_it_began_with(clip):
    begun = planned(mixed(10, 60))
    assert continue_plan(begun, planned(mixed(24, 24))).target_fps == begun.target_fps
    with pytest.raises(RequestError, match=f"clip.{next(iter(clip))}: was "):
        continue_plan(begun, planned(clip=clip))
