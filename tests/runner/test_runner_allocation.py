"""Memory that a training process keeps is not kept by those that it forks off."""

from __future__ import annotations

import multiprocessing
import os
from pathlib import Path

import torch
from several import in_processes

from autox_video.runner.allocation import keep_freed_memory

MIB = 2**20


def resident() -> int:
    """Bytes of this process in main memory."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def fork_after_a_step() -> tuple[int, int]:
    assert keep_freed_memory()
    activations = [torch.ones(4 * MIB) for _ in range(20)]  # 320 MiB
    kept = torch.ones(MIB)
    del activations
    fork = multiprocessing.get_context("fork")
    ours, theirs = fork.Pipe()
    process = fork.Process(target=lambda: theirs.send((resident(), float(kept.sum()))))
    process.start()
    in_child, total = ours.recv()
    process.join()
    assert total == MIB
    return resident(), in_child


def test_a_forked_process_gives_back_what_its_parent_keeps_for_the_next_step() -> None:
    ((answer, _),) = in_processes(1, fork_after_a_step)
    parent, child = answer
    assert parent - child > 250 * MIB
