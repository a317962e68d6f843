"""Several processes of one run, forked from this one: they need not import torch and MMAction2 anew."""

from __future__ import annotations

import contextlib
import io
import multiprocessing
import os
import socket
import traceback
from collections.abc import Callable
from typing import Any

import torch

LIMIT_SECONDS = 180


def in_processes(
    count: int, function: Callable[..., Any], *arguments: object, mute: tuple[int, ...] = (), srun: bool = False
) -> list[tuple[Any, str]]:
    """Call a function in `count` processes at once, each placed as torchrun would, or srun.

    Args:
        count: How many.
        function: Called in each of them.
        *arguments: Handed to it.
        mute: Ranks that end without an answer.
        srun: Whether they are tasks of a job of Slurm, on one machine.

    Returns:
        What each call returned, or the text of its exception, and what it printed; by rank, without the mute.
    """
    fork = multiprocessing.get_context("fork")
    port = free_port(*((10_000, 30_000) if srun else ()))
    pipes = [fork.Pipe(duplex=False) for _ in range(count)]
    started = [
        fork.Process(target=_place_and_call, args=(rank, count, port, srun, pipes[rank][1], function, arguments))
        for rank in range(count)
    ]
    for process in started:
        process.start()
    try:
        return [_answer(pipe, rank) for rank, (pipe, _) in enumerate(pipes) if rank not in mute]
    finally:
        for process in started:
            process.kill()
            process.join()


def free_port(first: int = 0, end: int = 1) -> int:
    """A port that nobody listens on: any, or one of a range."""
    for port in range(first, end):
        with socket.socket() as free, contextlib.suppress(OSError):
            free.bind(("127.0.0.1", port))
            return int(free.getsockname()[1])
    raise AssertionError("every port is taken")


def _answer(pipe: Any, rank: int) -> tuple[Any, str]:
    assert pipe.poll(LIMIT_SECONDS), f"process {rank} gives no answer"
    answer: tuple[Any, str] = pipe.recv()
    return answer


def _place_and_call(
    rank: int, count: int, port: int, srun: bool, pipe: Any, function: Callable[..., Any], arguments: Any
) -> None:
    place = {"RANK": rank, "LOCAL_RANK": rank, "WORLD_SIZE": count, "LOCAL_WORLD_SIZE": count}
    place |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}
    if srun:
        place = {"SLURM_JOB_ID": port - 10_000, "SLURM_STEP_ID": 0, "SLURM_STEP_NODELIST": "localhost"}
        place |= {"SLURM_STEP_NUM_TASKS": count, "SLURM_STEP_TASKS_PER_NODE": count, "SLURM_NODEID": 0}
        place |= {"SLURM_PROCID": rank, "SLURM_LOCALID": rank}
    os.environ |= {name: str(value) for name, value in place.items()}
    # Threads that an earlier test has started are not there after a fork, and would be waited for.
    torch.set_num_threads(1)
    torch.set_num_threads = lambda number: None  # type: ignore[assignment]
    text = io.StringIO()
    with contextlib.redirect_stdout(text), contextlib.redirect_stderr(text):
        try:
            answer = function(*arguments)
        except Exception:
            answer = traceback.format_exc()
    pipe.send((answer, text.getvalue()))
    # Without the clean-up that belongs to the process it was forked from.
    os._exit(0)
