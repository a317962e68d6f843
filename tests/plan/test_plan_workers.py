from __future__ import annotations

import dataclasses

import pytest
import samples

from autox_video.dataset.facts import DecodeCost
from autox_video.plan.rules.batch import choose_threads
from autox_video.plan.rules.costs import ClipCost, ClipShape, clip_cost
from autox_video.plan.rules.workers import (
    batch_bytes,
    best_share,
    choose_workers,
    cut_note,
    needed_beside,
    shm_bytes,
)
from autox_video.plan.schema import Hardware

DOCKER_GIB = 64 / 1024


def machine(shm_gib: float, num_gpus: int = 1) -> Hardware:
    return dataclasses.replace(samples.GPU, shm_gib=shm_gib, num_gpus=num_gpus)


def cpu(num_cpus: int, num_processes: int = 1) -> Hardware:
    return dataclasses.replace(samples.CPU, num_cpus=num_cpus, num_processes=num_processes)


def test_a_batch_is_its_clips_in_one_piece_of_whole_pages():
    assert batch_bytes(8, 32, 224) == 8 * 32 * 3 * 224 * 224
    assert batch_bytes(1, 1, 32) == 4096
    assert batch_bytes(3, 1, 32) == 3 * 4096
    assert batch_bytes(3, 1, 20) == 4096


# What Docker gives unless it is asked; 4 clips of 8 frames at 224 px are 4.8 MB, 8 of 32 are 38.6 MB.
@pytest.mark.parametrize(
    ("asked", "shm_gib", "clips", "clip_len", "expected"),
    [
        (4, DOCKER_GIB, 4, 8, (4, 2)),
        (5, DOCKER_GIB, 4, 8, (5, 1)),
        (16, DOCKER_GIB, 4, 8, (9, 1)),
        (2, DOCKER_GIB, 8, 32, (0, 1)),
        (2, 0.001, 4, 8, (0, 1)),
        (2, 0.0, 1, 1, (0, 1)),
        (0, 0.0, 1, 1, (0, 2)),
        (16, 64.0, 8, 32, (16, 2)),
    ],
)
def test_batches_ahead_are_cut_before_processes_until_it_fits(asked, shm_gib, clips, clip_len, expected):
    settings = samples.settings(runtime={"workers": asked})
    workers, prefetch = choose_workers(settings, machine(shm_gib), clips, clip_len, 224)
    assert (workers.value, prefetch.value) == expected
    if workers.value:
        needed = shm_bytes(batch_bytes(clips, clip_len, 224), workers.value, prefetch.value)
        assert needed <= 0.8 * shm_gib * 2**30


def test_what_is_cut_is_said_with_both_sizes():
    settings = samples.settings(runtime={"workers": 16})
    workers, prefetch = choose_workers(settings, machine(DOCKER_GIB), 4, 8, 224)
    assert (workers.source, prefetch.source) == ("/dev/shm", "/dev/shm")
    assert workers.why == ("16 decoding processes would pass 164 MB through /dev/shm, where 53.7 MB may be used")
    assert cut_note(workers, prefetch) == (
        "16 decoding processes would pass 164 MB through /dev/shm, where 53.7 MB may be used: "
        "9 of them, each one batch ahead. More: docker run --shm-size=8g"
    )


def test_nothing_is_said_where_shared_memory_suffices():
    workers, prefetch = choose_workers(samples.settings(), machine(64.0), 8, 32, 224)
    assert cut_note(workers, prefetch) is None
    assert (workers.source, prefetch.source) == ("hardware", "default")


def test_gpus_share_the_shared_memory():
    settings = samples.settings(runtime={"workers": 4})
    assert choose_workers(settings, machine(DOCKER_GIB, num_gpus=2), 4, 8, 224)[0].value == 3


# Seconds of a core to decode a clip, and to compute on it.
@pytest.mark.parametrize(
    ("cores", "decode", "compute", "decoding", "processes"),
    [
        (1, 0.1, 0.1, 0, 0),
        # The one core that computes has time to decode as well.
        (2, 10.0, 0.01, 1, 2),
        (2, 0.1, 0.1, 1, 1),
        (2, 0.01, 10.0, 1, 1),
        (4, 0.1, 0.1, 2, 2),
        (16, 0.1, 0.1, 8, 8),
        (16, 0.3, 0.1, 12, 12),
        (16, 0.001, 10.0, 1, 1),
        (16, 10.0, 0.001, 15, 16),
    ],
)
def test_cores_are_shared_so_that_the_slower_of_both_is_as_fast_as_can_be(cores, decode, compute, decoding, processes):
    cost = ClipCost(decode, compute)
    assert best_share(cores, cost) == decoding
    workers, _ = choose_workers(samples.settings(), cpu(cores), 8, 8, 112, cost)
    assert (workers.value, choose_threads(cpu(cores), workers.value).value) == (processes, cores - decoding)
    assert choose_workers(samples.settings(), cpu(2 * cores, 2), 8, 8, 112, cost)[0].value == processes


@pytest.mark.parametrize(
    ("hardware", "cost", "why"),
    [
        (cpu(16), (0.41, 0.205), "a clip takes a core 410 ms to decode and about 205 ms to compute on: 10 of 16 cores decode"),
        (cpu(1), (0.002, 0.03), "a clip takes a core 2 ms to decode and about 30 ms to compute on: "
                                "the only one does both in turn"),
        (samples.GPU, (0.0208, 0.004), "a clip takes a core 21 ms to decode and the GPU 4 ms at the fastest: "
                                       "7 processes keep it busy"),
        (samples.GPU, (0.62, 0.01, True), "a clip takes a core 620 ms to decode and the GPU 10 ms: "
                                          "78 processes keep it busy, and there are cores for 15"),
    ],
)  # fmt: skip
def test_the_reason_has_the_figures(hardware, cost, why):
    workers, _ = choose_workers(samples.settings(), hardware, 8, 32, 224, ClipCost(*cost))
    assert (workers.source, workers.why) == ("hardware", why)


def test_what_was_asked_for_goes_before_what_was_measured():
    asked = samples.settings(runtime={"workers": 3})
    assert choose_workers(asked, cpu(16), 8, 8, 112, ClipCost(1.0, 1.0))[0].value == 3


def test_a_gpu_is_given_no_more_processes_than_it_needs():
    workers, _ = choose_workers(samples.settings(), machine(64.0), 8, 8, 112, ClipCost(0.001, 0.1, measured=True))
    assert workers.value == 1


def test_a_clip_costs_what_its_frames_pixels_and_the_network_take():
    card, cost = samples.plan()[1].card, DecodeCost(1e-3, 1080, 6)
    clip = ClipShape(card.clip_len, 2, card.input_size)
    pixels = card.clip_len * card.input_size**2
    one = clip_cost(card, samples.CPU, cost, clip)
    assert one.prepare_seconds == pytest.approx(card.clip_len * 2e-3 + pixels * 3e-9)
    assert one.compute_seconds == pytest.approx(3 * card.flops / 25e9)
    shared = clip_cost(card, samples.CPU, cost, clip, views=2)
    assert one.prepare_seconds - shared.prepare_seconds == pytest.approx(card.clip_len * 1e-3)
    half = clip_cost(card, samples.CPU, cost, ClipShape(card.clip_len // 2, 2, card.input_size))
    assert half.compute_seconds == pytest.approx(one.compute_seconds / 2)
    measured = clip_cost(card, samples.GPU, cost, clip, step_seconds=0.5)
    assert (measured.compute_seconds, measured.measured) == (0.5, True)
    assert clip_cost(card, samples.GPU, None, clip) is None


def test_a_plan_is_made_from_what_was_measured_and_carries_it():
    data = dataclasses.replace(samples.fingerprint(), decode_cost=DecodeCost(10e-3, 1080, 6))
    plan, _ = samples.plan(cpu(8), data, clip={"input_size": 224})
    assert (plan.workers.value, plan.threads.value, plan.decode_cost) == (7, 1, data.decode_cost)
    plan, _ = samples.plan(cpu(2), data)
    assert (plan.workers.value, plan.threads.value) == (1, 1)


# Two cores: a clip that is decoded in no time, in as much as it is scored, in much more; and eight cores.
@pytest.mark.parametrize(
    ("cores", "prepare", "compute", "decoding"),
    [(2, 1, 10, 1), (2, 5, 5, 1), (2, 50, 5, 2), (8, 1, 3, 2), (1, 1, 9, 1)],
)
def test_in_a_test_a_core_does_either_and_as_many_decode_as_have_to(cores, prepare, compute, decoding):
    cost = ClipCost(prepare / 1000, compute / 1000)
    assert needed_beside(cores, cost) == decoding
    how = {"scoring_threads": cores + 1, "only_scoring": True}
    workers, _ = choose_workers(samples.settings(), cpu(cores), 8, 8, 112, cost, **how)
    assert workers.value == decoding


def test_batches_that_wait_to_be_scored_take_shared_memory_too():
    settings, batch = samples.settings(runtime={"workers": 2}), batch_bytes(4, 8, 224)
    for threads, waiting in ((1, 0), (4, 4)):
        fits = (batch * (2 * 2 + 2 + waiting)) / 0.8 / 2**30
        for room, prefetched in ((fits * 1.001, 2), (fits * 0.999, 1)):
            _, prefetch = choose_workers(settings, machine(room), 4, 8, 224, scoring_threads=threads)
            assert prefetch.value == prefetched, (threads, room)
