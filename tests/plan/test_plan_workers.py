from __future__ import annotations

import dataclasses

import pytest
import samples

from autox_video.plan.rules.workers import batch_bytes, choose_workers, cut_note, shm_bytes
from autox_video.plan.schema import Hardware

DOCKER_GIB = 64 / 1024


def machine(shm_gib: float, num_gpus: int = 1) -> Hardware:
    return dataclasses.replace(samples.GPU, shm_gib=shm_gib, num_gpus=num_gpus)


def test_a_batch_is_its_clips_and_their_labels_in_whole_pages():
    assert batch_bytes(8, 32, 224) == 8 * (32 * 3 * 224 * 224 + 4096)
    assert batch_bytes(1, 4, 32) == 3 * 4096 + 4096
    assert batch_bytes(1, 1, 32) == 4096 + 4096


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
