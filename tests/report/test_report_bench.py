from __future__ import annotations

import dataclasses

import pytest
import samples

from autox_video.report.bench import Advice, advice, bench_lines, judge, other_steps
from autox_video.timings import Stage, Timings


def timings(loader: float, step: float, *, decode: float = 0.8, clip_seconds: float = 0.05) -> Timings:
    """Of a loader and a step that do so many videos a second."""
    parts = {"open": 0.5, "decode": decode, "geometry": 0.5}
    shares = {name: part if name == "decode" else (1 - decode) * part for name, part in parts.items()}
    stages = tuple(Stage(name, share * clip_seconds, share) for name, share in shares.items())
    return Timings(20, stages, 100, loader, 8, 8 / step, {})


def told(hardware, found: Timings, *, size: tuple[int, int] = (128, 128), cache: str = "off", **values) -> list[str]:
    data = samples.fingerprint(size=size)
    plan, _ = samples.plan(hardware, data, model="video_swin_nano", **values)
    plan = dataclasses.replace(plan, cache=dataclasses.replace(plan.cache, value=cache))
    return [f"{one.change} {one.gain:.1f}" for one in advice(found, plan, data)]


MANY = dataclasses.replace(samples.CPU, num_cpus=8)


@pytest.mark.parametrize(
    ("hardware", "found", "values", "expected"),
    [
        # two cores: one loads, one computes, and neither can be spared
        (samples.CPU, timings(loader=60, step=20), {}, ["a GPU 2.0"]),
        # six processes load three times what the step takes: half of them give their cores to it
        (MANY, timings(loader=120, step=20), {"runtime": {"workers": 6}}, ["a GPU 8.0", "runtime.workers: 3 instead of 6, which leaves 5 of 8 cores to the step 2.5"]),
        # the other way round
        (MANY, timings(loader=10, step=90, clip_seconds=0.1), {"runtime": {"workers": 1}}, ["a GPU 8.0", "runtime.workers: 4 instead of 1, which leaves 4 of 8 cores to the step 4.0"]),
        (samples.GPU, timings(loader=10, step=200), {"runtime": {"workers": 2}}, ["runtime.workers: 15 instead of 2 7.5"]),
        (samples.GPU, timings(loader=500, step=100), {"runtime": {"workers": 15}}, []),
    ],
)  # fmt: skip
def test_what_would_make_an_epoch_shorter(hardware, found, values, expected):
    assert told(hardware, found, **values) == expected


def test_workers_that_found_no_shared_memory_are_told_where_to_get_it():
    small = dataclasses.replace(samples.GPU, shm_gib=0.03)
    (change,) = told(small, timings(loader=10, step=200))
    assert "with more of /dev/shm (docker run --shm-size=8g)" in change


def test_small_copies_are_proposed_where_decoding_large_videos_binds():
    slow = timings(loader=10, step=1000, decode=0.95)
    asked = {"runtime": {"workers": 15}}
    # Of 50 ms decoding takes 47.5; of 48 frames with 146 of 1080 lines it takes 6.
    assert told(samples.GPU, slow, size=(1920, 1080), **asked) == ["data.cache: proxy 5.9"]
    assert told(samples.GPU, slow, size=(170, 128), **asked) == []
    assert told(samples.GPU, timings(loader=1000, step=10), size=(1920, 1080), **asked) == []
    assert told(samples.GPU, slow, size=(1920, 1080), cache="proxy", **asked) == []


def test_another_number_format_is_compared_where_it_was_turned_off():
    for native in (samples.GPU, dataclasses.replace(samples.CPU, cpu_bfloat16=True)):
        plan, _ = samples.plan(native, train={"amp": "off"})
        assert {name: one.amp.value for name, one in other_steps(plan).items()} == {"train.amp: bfloat16": "bfloat16"}
        assert other_steps(samples.plan(native)[0]) == {}
    for old in (samples.CPU, dataclasses.replace(samples.GPU, bfloat16=False)):
        assert other_steps(samples.plan(old, train={"amp": "off"})[0]) == {}


def test_what_was_measured_otherwise_is_proposed_as_far_as_the_loader_can_feed_it():
    asked = {"runtime": {"workers": 15}}
    found = dataclasses.replace(timings(loader=30, step=10), others_videos_per_second={"train.amp: bfloat16": 25.0})
    assert told(samples.GPU, found, **asked) == ["train.amp: bfloat16 2.5"]
    starved = dataclasses.replace(timings(loader=10, step=10), others_videos_per_second={"train.amp: bfloat16": 25.0})
    assert told(samples.GPU, starved, **asked) == []


def judged(found: Timings, hardware=samples.CPU, **values):
    data = samples.fingerprint(size=(128, 128))
    plan, _ = samples.plan(hardware, data, model="video_swin_nano", **values)
    return judge(found, plan, data)


def test_loader_and_step_go_side_by_side_or_one_after_the_other():
    both = judged(timings(loader=60, step=20))
    assert (both.binds, both.training_videos_per_second, both.waiting_share) == ("step", 20, 0)
    assert both.epoch_seconds == 10
    alone = judged(timings(loader=60, step=20), runtime={"workers": 0})
    assert alone.training_videos_per_second == pytest.approx(15)
    assert alone.waiting_share == pytest.approx(0.25)
    starved = judged(timings(loader=5, step=20))
    assert (starved.binds, starved.training_videos_per_second, starved.waiting_share) == ("data", 5, 0.75)


def test_the_console_says_what_binds_and_what_to_change():
    bench = judged(timings(loader=5, step=20, clip_seconds=0.2))
    assert bench_lines(bench, 200) == [
        "clip     8 frames, every 6, at 128 px; the mean of 20",
        "           ms a clip   share",
        "  open          20.0     10%",
        "  decode       160.0     80%",
        "  geometry      20.0     10%",
        "  together     200.0",
        "           videos/s",
        "  loader         5.0   1 process(es), as planned",
        "  step          20.0   video_swin_nano on cpu, 8 video(s) in 0.4 s",
        "  both           5.0   at most; an epoch of 200 videos takes 40 s",
        "binds    data: training waits for it 75% of the time, and decode is 80% of a clip; to keep up with the step takes 4 core(s)",
        "change   a GPU: an epoch 2.0 times shorter (at most: then loading on 2 core(s) binds)",
    ]
    calm = dataclasses.replace(bench, advice=(), binds="step", epoch_seconds=61.0)
    assert bench_lines(calm, 200)[-3:] == [
        "  both           5.0   at most; an epoch of 200 videos takes 1 min 1 s",
        "binds    the training step; the loader could feed 0.2 times as many videos",
        "change   nothing that would make an epoch a tenth shorter",
    ]


def test_advice_has_the_largest_gain_first():
    found = judged(timings(loader=120, step=20), MANY, runtime={"workers": 6}).advice
    assert [type(one) for one in found] == [Advice, Advice]
    assert found[0].gain > found[1].gain
