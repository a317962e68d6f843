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

LIMIT_SECONDS = 60


def in_processes(
    count: int, function: Callable[..., Any], *arguments: object, mute: tuple[int, ...] = ()
) -> list[tuple[Any, str]]:
    """Call a function in `count` processes at once, each placed as torchrun would.

    Args:
        count: How many.
        function: Called in each of them.
        *arguments: Handed to it.
        mute: Ranks that end without an answer.

    Returns:
        What each call returned, or the text of its exception, and what it printed; by rank, without the mute.
    """
    fork = multiprocessing.get_context("fork")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    pipes = [fork.Pipe(duplex=False) for _ in range(count)]
    started = [
        fork.Process(target=_place_and_call, args=(rank, count, port, pipes[rank][1], function, arguments))
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


def _answer(pipe: Any, rank: int) -> tuple[Any, str]:
    assert pipe.poll(LIMIT_SECONDS), f"process {rank} gives no answer"
    answer: tuple[Any, str] = pipe.recv()
    return answer


def _place_and_call(rank: int, count: int, port: int, pipe: Any, function: Callable[..., Any], arguments: Any) -> None:
    place = {"RANK": rank, "LOCAL_RANK": rank, "WORLD_SIZE": count, "LOCAL_WORLD_SIZE": count}
    os.environ |= {name: str(value) for name, value in place.items()}
    os.environ |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
    text = io.StringIO()
    with contextlib.redirect_stdout(text), contextlib.redirect_stderr(text):
        try:
            answer = function(*arguments)
        except Exception:
            answer = traceback.format_exc()
    pipe.send((answer, text.getvalue()))
    # Without the clean-up that belongs to the process it was forked from.
    os._exit(0)
