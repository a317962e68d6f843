"""The figures people ask for before training."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import pytest
import samples

from autox_video.dataset.facts import DecodeCost
from autox_video.deciding import with_estimates
from autox_video.plan.estimates import curve_line, estimate, estimate_lines, parameters, time_line
from autox_video.plan.measured import Measured
from autox_video.plan.rules.costs import GPU_RATE
from autox_video.plan.schema import Decision, Estimates, Hardware, Plan
from autox_video.presets import load_preset
from autox_video.records import build_record, read_record, write_record

DATA = samples.fingerprint(counts={"run": 160, "jump": 160})


def estimated(hardware: Hardware = samples.CPU, measured: Measured | None = None, **values: Any) -> Estimates:
    plan, preset = samples.plan(hardware, DATA, **values)
    return estimate(plan, preset, DATA, None, measured)


def test_the_work_of_a_view_follows_the_clip() -> None:
    card = load_preset("video_swin_nano").card
    assert estimated(model="video_swin_nano", clip={"input_size": 128}).flops == card.flops
    half = estimated(model="video_swin_nano", clip={"clip_len": 4, "input_size": 128})
    assert half.flops == card.flops / 2
    assert estimated(model="video_swin_nano", clip={"input_size": 64}).flops == card.flops / 4


@pytest.mark.parametrize(("name", "width"), [("video_swin_nano", 128), ("video_swin_tiny", 768)])
def test_the_head_has_a_row_for_each_class(name: str, width: int) -> None:
    preset = load_preset(name)
    same = parameters(preset, preset.card.reference_num_classes)
    assert same == preset.card.num_parameters
    assert parameters(preset, preset.card.reference_num_classes + 10) - same == 10 * (width + 1)


def test_an_epoch_on_a_cpu_takes_what_the_network_takes_of_all_its_cores() -> None:
    plan, preset = samples.plan(samples.CPU, DATA, model="video_swin_nano", clip={"input_size": 128}, epoch=4)
    assert plan.decode_cost is None
    found = estimate(
        dataclasses.replace(plan, workers=Decision(0, "", ""), threads=Decision(2, "", "")), preset, DATA, None
    )
    alone = 320 * 3 * preset.card.flops / preset.card.core_rate / 2
    assert found.epoch_seconds == pytest.approx(alone)
    # Two validations, in which the network goes forward only.
    assert found.total_seconds == pytest.approx(4 * alone + 2 * alone / 3)
    assert not found.is_time_lower_bound


def test_slow_videos_make_an_epoch_long() -> None:
    plan, preset = samples.plan(samples.CPU, DATA, model="video_swin_nano")
    slow = dataclasses.replace(plan, decode_cost=DecodeCost(1.0, 1080, 1), workers=Decision(1, "", ""))
    decoding = 320 * plan.clip_len.value * plan.frame_interval.value
    assert estimate(slow, preset, DATA, None).epoch_seconds == pytest.approx(decoding, rel=0.01)
    both = dataclasses.replace(slow, workers=Decision(2, "", ""))
    assert estimate(both, preset, DATA, None).epoch_seconds == pytest.approx(decoding / 2, rel=0.01)


def test_more_gpus_make_an_epoch_shorter_and_what_is_not_measured_is_a_lower_bound() -> None:
    one = estimated(samples.GPU, model="video_swin_tiny")
    four = estimated(dataclasses.replace(samples.GPU, num_gpus=4), model="video_swin_tiny")
    assert one.epoch_seconds == pytest.approx(4 * four.epoch_seconds)
    assert one.epoch_seconds == pytest.approx(320 * 3 * one.flops / GPU_RATE)
    assert one.is_time_lower_bound
    assert time_line(one).startswith("at least ")


def test_a_step_that_was_measured_says_time_and_memory() -> None:
    found = estimated(samples.GPU, Measured(8, 0.8, 17.5, 24.0, 0.5), model="video_swin_tiny")
    assert found.epoch_seconds == pytest.approx(32.0)
    assert (found.step_gib, found.is_step_measured, found.is_time_lower_bound) == (17.5, True, False)
    lines = estimate_lines(found, "cuda")
    assert "memory   18 GiB of the GPU in a training step, measured" in lines
    assert any(
        line.startswith("time     about 32 s an epoch, ") and line.endswith("; a step was measured") for line in lines
    )


def test_proxies_cost_room_and_save_time_from_their_epoch_on() -> None:
    plan, preset = samples.plan(samples.CPU, DATA, model="video_swin_nano", epoch=10)
    large = dataclasses.replace(plan, decode_cost=DecodeCost(0.01, 1080, 6))
    proxied = dataclasses.replace(large, cache=Decision("proxy", "data", ""))
    without, found = (estimate(one, preset, DATA, None) for one in (large, proxied))
    assert without.proxy_bytes == 0
    assert found.proxy_bytes > 0
    assert found.epoch_seconds < without.epoch_seconds
    assert without.epoch_seconds + 9 * found.epoch_seconds < found.total_seconds < without.total_seconds
    assert any("of proxies at most" in line for line in estimate_lines(found, "cpu"))


def test_weights_that_come_from_the_network_count_and_those_of_a_file_do_not() -> None:
    assert estimated(samples.GPU, model="video_swin_tiny").download_bytes == pytest.approx(4.4 * 28e6, rel=0.05)
    assert estimated(samples.GPU, model={"name": "video_swin_tiny", "load_from": "/a/b.pth"}).download_bytes == 0
    assert estimated(samples.GPU, model={"name": "video_swin_tiny", "load_from": "none"}).download_bytes == 0


def test_the_curve_is_one_line_of_forty_bars() -> None:
    rates = [(n / 10, min(n / 20, 1 - (n - 20) / 80)) for n in range(101)]
    bars, words = curve_line(rates).split(" ", 1)
    assert len(bars) == 40
    assert (bars[0], bars[8], bars[-1]) == ("▁", "█", "▁")
    assert words == "0.0e+00 at first, 1.0e+00 after 2 epochs, 0.0e+00 at the end"
    assert curve_line(None) == "of a schedule of its own, which is not foreseen here"


def test_plan_json_holds_the_estimates_and_a_plan_without_them_is_read(tmp_path) -> None:
    asked = samples.settings(model="video_swin_nano", work_dir=str(tmp_path))
    plan = with_estimates(asked, DATA, *samples.plan(samples.CPU, DATA, model="video_swin_nano"))
    assert plan.estimates is not None
    assert plan.estimates.learning_rates is not None
    write_record(tmp_path / "plan.json", plan)
    assert read_record(tmp_path / "plan.json", Plan) == plan
    older = json.loads((tmp_path / "plan.json").read_text())
    del older["estimates"]
    assert build_record(older, Plan).estimates is None


def test_estimates_decide_nothing() -> None:
    plan, preset = samples.plan(samples.CPU, DATA, model="video_swin_nano")
    told = with_estimates(samples.settings(model="video_swin_nano"), DATA, plan, preset)
    assert told.decisions() == plan.decisions()
    assert dataclasses.replace(told, estimates=None) == plan
