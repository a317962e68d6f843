from __future__ import annotations

import dataclasses
import json
import re

import pytest
import samples

from autox_video.deciding import decide, videos_to_try
from autox_video.plan import measured
from autox_video.plan.measured import Measured, measured_file, remember, remembered
from autox_video.plan.resume import continue_plan
from autox_video.plan.schema import Plan

TINY = {"model": "video_swin_tiny"}
FOUND = Measured(videos_per_gpu=8, step_seconds=0.25, used_gib=17.5, total_gib=24.0, before_gib=0.5)


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("AUTOX_VIDEO_CACHE", str(tmp_path))


def tiny(hardware=samples.GPU, **values) -> Plan:
    return decide(samples.settings(**TINY, **values), samples.fingerprint(), hardware)[0]


def test_a_batch_is_estimated_until_it_is_measured():
    plan = tiny()
    assert (plan.videos_per_gpu.value, plan.accumulation.value, plan.total_batch_size.value) == (4, 4, 16)
    assert plan.videos_per_gpu.source == "hardware"
    assert plan.videos_per_gpu.why.endswith("GiB of the GPU may be used; estimated, measured when training begins")


def test_what_was_measured_is_planned_with_and_the_total_stays():
    remember(tiny(), 16, FOUND)
    plan = tiny()
    assert plan.videos_per_gpu == measured_decision(8)
    assert (plan.accumulation.value, plan.total_batch_size.value) == (2, 16)


def measured_decision(videos: int) -> object:
    why = f"measured on this GPU: {videos} videos take 17.5 of 24 GiB"
    return type(tiny().videos_per_gpu)(videos, "trial", why)


@pytest.mark.parametrize(
    "other",
    [
        {"gpu_name": "Other GPU"},
        {"gpu_memory_gib": 16.0},
        {"num_gpus": 2},
    ],
)
def test_another_gpu_is_measured_anew(other):
    remember(tiny(), 16, FOUND)
    assert tiny(dataclasses.replace(samples.GPU, **other)).videos_per_gpu.source != "trial"


@pytest.mark.parametrize(
    "other",
    [
        {"clip": {"clip_len": 16}},
        {"clip": {"input_size": 192}},
        {"train": {"amp": "off"}},
        {"train": {"accumulation": 2}},
        {"cfg_options": {"model.backbone.with_cp": True}},
    ],
)
def test_another_step_is_measured_anew(other):
    remember(tiny(), 16, FOUND)
    assert tiny(**other).videos_per_gpu.source != "trial"


def test_options_that_change_no_step_are_left_out_of_account():
    remember(tiny(), 16, FOUND)
    assert tiny(cfg_options={"log_level": "DEBUG"}).videos_per_gpu.source == "trial"


def test_another_pytorch_is_measured_anew(monkeypatch):
    remember(tiny(), 16, FOUND)
    monkeypatch.setattr(measured, "version", lambda name: "9.9")
    assert tiny().videos_per_gpu.source != "trial"


def test_measurements_are_kept_beside_each_other():
    other = tiny(train={"amp": "off"})
    remember(tiny(), 16, FOUND)
    remember(other, 16, dataclasses.replace(FOUND, videos_per_gpu=2))
    assert remembered(tiny(), 16) == FOUND
    found = remembered(other, 16)
    assert found is not None
    assert found.videos_per_gpu == 2
    (key, _) = json.loads(measured_file().read_text())
    assert re.fullmatch(
        r"model video_swin_tiny, clip_len 32, input_size 224, amp bfloat16, .*videos 16, gpus 1, torch \S+, "
        r"gpu Test GPU 24.00 GiB",
        key,
    )


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "null", '{"KEY": 3}', '{"KEY": {}}', '{"KEY": {"videos_per_gpu": "x"}}', '{"KEY": ZERO}', "\xff"],
)
def test_a_damaged_file_is_ignored_with_a_sentence_and_mended(text, caplog):
    plan = tiny()
    zero = json.dumps({**dataclasses.asdict(FOUND), "videos_per_gpu": 0})
    text = text.replace("KEY", measured.key_of(plan, 16)).replace("ZERO", zero)
    measured_file().write_bytes(text.encode("latin1"))
    assert remembered(plan, 16) is None
    (said,) = [record.getMessage() for record in caplog.records]
    assert said.startswith(f"note     {measured_file()} is damaged and ignored: batches are measured anew (")
    remember(plan, 16, FOUND)
    assert remembered(plan, 16) == FOUND


def test_a_cache_that_cannot_be_written_is_no_reason_to_stop(tmp_path, monkeypatch, caplog):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("AUTOX_VIDEO_CACHE", str(tmp_path / "file"))
    remember(tiny(videos_per_gpu=4), 16, FOUND)
    (said,) = [record.getMessage() for record in caplog.records]
    assert said.startswith("note     the measured batch will not be remembered: cannot be written: ")


@pytest.mark.parametrize(
    ("hardware", "values", "needed"),
    [
        (samples.GPU, {}, 16),
        (dataclasses.replace(samples.GPU, num_gpus=4), {}, 4),
        (samples.GPU, {"train": {"accumulation": 2}}, 8),
        (samples.GPU, {"videos_per_gpu": 4}, None),
        (samples.CPU, {}, None),
    ],
)
def test_what_there_is_to_try(hardware, values, needed):
    asked = samples.settings(**TINY, **values)
    plan, preset = decide(asked, samples.fingerprint(), hardware)
    assert videos_to_try(asked, plan, preset) == needed


def test_a_run_that_goes_on_keeps_its_batch_whatever_was_measured_since():
    first = tiny()
    remember(first, 16, FOUND)
    assert continue_plan(first, tiny()).videos_per_gpu == first.videos_per_gpu
    assert continue_plan(tiny(), first).videos_per_gpu == measured_decision(8)


def test_a_gpu_that_others_use_is_measured_anew_next_time():
    assert FOUND.is_lasting
    assert not dataclasses.replace(FOUND, before_gib=6.0).is_lasting
