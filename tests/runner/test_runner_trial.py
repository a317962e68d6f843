from __future__ import annotations

import dataclasses
import logging
from typing import Any

import pytest
import samples
import torch

from autox_video import trying
from autox_video.deciding import decide
from autox_video.plan.measured import Measured, measured_file
from autox_video.plan.recovery import GpuMemoryError
from autox_video.render.config import render_config
from autox_video.runner import trial
from autox_video.runner.trial import largest_batch, try_batches
from autox_video.work_dir import WorkDir


def memory(fixed: int, each: int, room: int):
    """A GPU of so many bytes, and what was tried on it."""
    tried: list[int] = []

    def measure(batch: int) -> int:
        tried.append(batch)
        if fixed + each * batch > room:
            raise GpuMemoryError(())
        return fixed + each * batch

    return measure, tried


@pytest.mark.parametrize(
    ("fixed", "each", "needed", "batch", "tried"),
    [
        (10, 10, 64, 8, [1, 2, 8]),  # 9 would fit, and does not divide 64
        (10, 1, 64, 64, [1, 2, 64]),
        (10, 1, 1, 1, [1]),
        (10, 1, 2, 2, [1, 2]),
        (10, 10, 7, 7, [1, 2, 7]),
        (10, 10, 11, 1, [1, 2]),  # a prime number of videos, at once or one by one
        (10, 10, 12, 6, [1, 2, 6]),
        (60, 30, 4, 1, [1, 2]),  # two fit, and take more than their share
        (60, 35, 4, 1, [1, 2]),  # two do not fit at all
        (65, 35, 4, 1, [1, 2]),  # one takes more than its share: there is nothing smaller
    ],
)
def test_the_largest_batch_within_the_share_is_found(fixed, each, needed, batch, tried):
    measure, seen = memory(fixed, each, room=100)
    assert largest_batch(measure, needed, limit=90) == (batch, fixed + each * batch)
    assert seen == tried


def test_a_batch_that_takes_more_than_was_drawn_on_is_halved():
    taken = {1: 10, 2: 12, 64: 95, 32: 91, 16: 50}
    assert largest_batch(taken.__getitem__, 64, limit=90) == (16, 50)


def test_not_even_one_video_is_an_error():
    measure, _ = memory(95, 10, room=100)
    with pytest.raises(GpuMemoryError):
        largest_batch(measure, 8, limit=90)


@pytest.mark.parametrize("task", ["single_label", "multi_label"])
def test_a_real_step_is_tried_on_the_planned_model(task, tmp_path):
    data = dataclasses.replace(samples.fingerprint(), task=task)
    plan, preset = samples.plan(samples.CPU, data, model="video_swin_nano", clip={"clip_len": 4})
    state = torch.get_rng_state()
    found = try_batches(render_config(plan, preset, tmp_path), plan, 2)
    assert (found.videos_per_gpu, found.used_gib, found.total_gib) == (2, 0.0, 0.0)
    assert found.step_seconds > 0
    assert torch.equal(torch.get_rng_state(), state)


def test_a_lack_of_memory_is_told_from_other_errors(tmp_path, monkeypatch):
    plan, preset = samples.plan(samples.CPU, model="video_swin_nano", clip={"clip_len": 4})

    def full(*_: Any) -> None:
        raise torch.cuda.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB.")

    monkeypatch.setattr("mmaction.models.Recognizer3D.train_step", full)
    with pytest.raises(GpuMemoryError) as caught:
        try_batches(render_config(plan, preset, tmp_path), plan, 2)
    assert str(caught.value) == (
        "trying a training step: the GPU has not the memory for 1 video(s) at a time (got CUDA out of memory). "
        "Choose a smaller model, clip_len or input_size; `autox-video plan` shows them."
    )


@pytest.fixture
def asked(tmp_path, monkeypatch):
    monkeypatch.setenv("AUTOX_VIDEO_CACHE", str(tmp_path / "cache"))
    settings, fingerprint = samples.settings(model="video_swin_tiny"), samples.fingerprint()
    return settings, fingerprint, WorkDir(tmp_path)


def test_training_plans_with_what_was_tried_and_remembers_it(asked, monkeypatch, caplog):
    settings, fingerprint, work_dir = asked
    caplog.set_level(logging.INFO)
    needs = []

    def found(config: Any, plan: Any, needed: int) -> Measured:
        needs.append(needed)
        return Measured(8, 0.25, 17.5, 24.0, 0.5)

    monkeypatch.setattr(trial, "try_batches", found)
    decided, preset = decide(settings, fingerprint, samples.GPU)
    plan = trying.with_tried_batch(settings, fingerprint, decided, preset, work_dir)
    assert (plan.videos_per_gpu.value, plan.accumulation.value, plan.total_batch_size.value) == (8, 2, 16)
    assert decide(settings, fingerprint, samples.GPU)[0] == plan
    assert trying.with_tried_batch(settings, fingerprint, plan, preset, work_dir) == plan
    assert needs == [16]
    assert [record.getMessage() for record in caplog.records] == [
        "batch    trying training steps on the GPU, once for such a model, clip and GPU",
        "         measured on this GPU: 8 videos take 17.5 of 24 GiB, 0.25 s a step",
    ]


def test_what_cannot_be_tried_stays_as_estimated(asked, monkeypatch, caplog):
    settings, fingerprint, work_dir = asked

    def fails(*_: Any) -> None:
        raise ValueError("this model takes no clips")

    monkeypatch.setattr(trial, "try_batches", fails)
    decided, preset = decide(settings, fingerprint, samples.GPU)
    assert trying.with_tried_batch(settings, fingerprint, decided, preset, work_dir) == decided
    assert [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING] == [
        "note     the batch stays as estimated: a step on made-up clips fails (ValueError('this model takes no clips'))"
    ]
    assert not measured_file().exists()


@pytest.mark.gpu
@pytest.mark.parametrize("amp", ["off", "float16", "bfloat16"])
def test_the_memory_of_a_gpu_is_measured_and_given_back(amp, tmp_path):
    hardware = decide(samples.settings(), samples.fingerprint())[0].hardware
    plan, preset = samples.plan(hardware, model="video_swin_tiny", train={"amp": amp}, clip={"clip_len": 8})
    before = torch.cuda.memory_allocated()
    found = try_batches(render_config(plan, preset, tmp_path), plan, 4)
    assert 0 < found.used_gib <= 0.9 * found.total_gib
    assert found.videos_per_gpu in (1, 2, 4)
    # cuBLAS keeps its workspace.
    assert torch.cuda.memory_allocated() < before + 2**27


@pytest.mark.gpu
def test_a_gpu_of_which_little_may_be_used_gets_a_smaller_batch(tmp_path):
    hardware = decide(samples.settings(), samples.fingerprint())[0].hardware
    plan, preset = samples.plan(hardware, model="video_swin_tiny", train={"amp": "off"}, clip={"clip_len": 8})
    share = 8 * 2**30 / torch.cuda.mem_get_info()[1]
    torch.cuda.set_per_process_memory_fraction(min(1.0, share))
    try:
        found = try_batches(render_config(plan, preset, tmp_path), plan, 64)
    finally:
        torch.cuda.set_per_process_memory_fraction(1.0)
    assert found.videos_per_gpu < 64
    assert found.used_gib < 10
