"""What the plan makes of several processes."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
import samples

from autox_video.errors import RequestError
from autox_video.plan.hardware import divided
from autox_video.plan.resume import continue_plan
from autox_video.plan.rules.gpus import choose_processes
from autox_video.plan.schema import Hardware, Plan
from autox_video.processes import Place

MANY = samples.fingerprint(counts={"a": 500, "b": 500})


def planned(hardware: Hardware, processes: int = 1, **values: Any) -> Plan:
    return samples.plan(divided(hardware, Place(0, processes, 0, processes)), MANY, **values)[0]


@pytest.mark.parametrize(
    ("gpus", "place", "expected"),
    [
        (0, Place(), (0, 1, 1, 1, 1)),
        (0, Place(0, 2, 0, 2), (0, 2, 1, 2, 2)),
        (0, Place(0, 8, 0, 4), (0, 8, 2, 8, 4)),
        # One process uses one GPU, however many there are.
        (4, Place(), (1, 1, 1, 1, 1)),
        (4, Place(0, 4, 0, 4), (4, 4, 1, 4, 4)),
        (4, Place(3, 8, 3, 4), (8, 8, 2, 8, 4)),
    ],
)
def test_every_process_has_a_gpu_or_a_share_of_the_cpu(gpus, place, expected):
    found = divided(dataclasses.replace(samples.GPU, num_gpus=gpus), place)
    counts = (found.num_gpus, found.num_processes, found.num_machines, found.num_devices, found.devices_per_machine)
    assert counts == expected


def test_what_a_batch_system_gives_each_process_by_itself_is_counted_together():
    task = Place(3, 4, 3, 4, launcher="srun", gpus_on_machine=4, cores_each=16)
    found = divided(samples.GPU, task)
    assert (found.num_gpus, found.num_processes, found.num_cpus) == (4, 4, 64)
    # Tasks that are not bound to cores all see those of the job.
    assert divided(samples.GPU, dataclasses.replace(task, cores_each=4)).num_cpus == 16


@pytest.mark.parametrize(
    ("gpus", "values", "expected"),
    [
        (0, {}, 1),
        (1, {}, 1),
        (4, {}, 4),
        (4, {"gpus": 1}, 1),
        (4, {"gpus": 3}, 3),
        (0, {"device": "cpu", "gpus": 2}, 2),
    ],
)
def test_a_run_takes_all_visible_gpus_or_as_many_as_asked(gpus, values, expected):
    found = dataclasses.replace(samples.GPU, num_gpus=gpus)
    assert choose_processes(samples.settings(runtime=values), found) == expected


@pytest.mark.parametrize("gpus", [0, 2])
def test_more_gpus_than_are_visible_are_refused(gpus):
    with pytest.raises(RequestError) as caught:
        choose_processes(samples.settings(runtime={"gpus": 4}), dataclasses.replace(samples.GPU, num_gpus=gpus))
    assert str(caught.value) == (
        f"fit(): runtime.gpus: asks for more GPUs than the {gpus} that are visible (got 4). "
        "Write auto, or with runtime.device: cpu as many processes on the processor."
    )


def test_more_processes_than_gpus_are_refused():
    with pytest.raises(RequestError) as caught:
        divided(samples.GPU, Place(0, 2, 0, 2))
    assert str(caught.value) == (
        "torchrun: are started on a machine with 1 GPU(s), and each trains on one of its own (got 2 processes). "
        "Start 1 (torchrun --nproc-per-node), or write runtime: {device: cpu}."
    )


@pytest.mark.parametrize("hardware", [samples.CPU, dataclasses.replace(samples.GPU, num_gpus=4)])
def test_processes_share_the_total_batch_and_change_no_rate(hardware):
    one, four = planned(hardware, model="video_swin_nano"), planned(hardware, 4, model="video_swin_nano")
    for name in ("total_batch_size", "learning_rate", "epochs", "warmup_epochs"):
        assert getattr(four, name).value == getattr(one, name).value
    assert four.videos_per_gpu.value * four.accumulation.value * 4 == four.total_batch_size.value


def test_a_total_that_the_processes_cannot_share_out_evenly_is_made_smaller_and_said():
    plan = planned(samples.CPU, 3, model="video_swin_nano")
    assert (plan.videos_per_gpu.value, plan.total_batch_size.value) == (2, 6)
    assert plan.total_batch_size.why == "the recipe of the preset; of 8 videos 3 device(s) share out 6 evenly"
    assert plan.learning_rate.value == pytest.approx(
        planned(samples.CPU, model="video_swin_nano").learning_rate.value * 6 / 8
    )


@pytest.mark.parametrize(
    ("cpus", "processes", "workers", "threads"),
    # More threads than cores wait for each other: training is then five times slower.
    [(2, 1, 1, 1), (2, 2, 1, 1), (16, 1, 4, 12), (16, 2, 2, 6), (16, 16, 1, 1), (8, 16, 1, 1)],
)
def test_processes_share_the_cores(cpus, processes, workers, threads):
    plan = planned(dataclasses.replace(samples.CPU, num_cpus=cpus), processes)
    assert (plan.workers.value, plan.threads.value) == (workers, threads)


@pytest.mark.parametrize(("processes", "memory", "shared"), [(1, "16", "42.9"), (2, "8", "21.5")])
def test_processes_share_memory_and_shared_memory(processes, memory, shared):
    small = dataclasses.replace(samples.CPU, num_cpus=64, memory_gib=32.0, shm_gib=0.05)
    plan = planned(small, processes, model="video_swin_tiny")
    assert plan.videos_per_gpu.why.endswith(f"; {memory} GiB of the machine may be used")
    assert plan.prefetch.why.endswith(f"through /dev/shm, where {shared} MB may be used")
    assert plan.total_batch_size.value == 64


def test_a_run_goes_on_with_another_number_of_processes():
    first = planned(samples.CPU)
    assert (first.videos_per_gpu.value, first.accumulation.value) == (8, 1)
    for processes, share in ((2, 4), (4, 2), (8, 1)):
        merged = continue_plan(first, planned(samples.CPU, processes))
        assert (merged.videos_per_gpu.value, merged.accumulation.value) == (share, 1)
        assert merged.total_batch_size == first.total_batch_size
        assert merged.learning_rate == first.learning_rate
    back = continue_plan(planned(samples.CPU, 8), planned(samples.CPU))
    assert (back.videos_per_gpu.value, back.accumulation.value) == (8, 1)


def test_processes_that_cannot_share_the_batch_of_the_run_are_refused():
    with pytest.raises(RequestError) as caught:
        continue_plan(planned(samples.CPU), planned(samples.CPU, 3))
    assert str(caught.value) == (
        "total_batch_size: was 8 when this run began, which 3 processes cannot share out evenly. "
        "Start a number of processes that divides 8."
    )


def test_a_batch_asked_for_each_gpu_grows_with_the_processes_and_so_cannot_go_on():
    with pytest.raises(RequestError) as caught:
        continue_plan(planned(samples.CPU, videos_per_gpu=4), planned(samples.CPU, 2, videos_per_gpu=4))
    assert "total_batch_size: was 4 when this run began and is now 8." in str(caught.value)
