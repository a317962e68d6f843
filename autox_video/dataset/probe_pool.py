"""Worker processes that open videos one at a time, each under a time limit."""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import signal
import subprocess
import sys
import time
from collections import deque
from collections.abc import Generator, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

from autox_video.errors import Problem, RunError

Answer = dict[str, Any]

WORKER = Path(__file__).with_name("probe_worker.py")
START_LIMIT_SECONDS = 120.0
CRASHES = {-signal.SIGSEGV, -signal.SIGABRT, -signal.SIGBUS, -signal.SIGFPE, -signal.SIGILL}


def read_videos(
    files: Sequence[str], num_workers: int, limit_seconds: float
) -> Generator[tuple[str, Answer], None, None]:
    """Open videos in child processes.

    Args:
        files: Absolute paths, each once.
        num_workers: Processes at most.
        limit_seconds: Time a video may take.

    Yields:
        A path and the answer of `probe_worker.read_video`, as they arrive.

    Raises:
        RunError: The processes do not start.
    """
    waiting = deque(files)
    pool = _Pool(limit_seconds)
    try:
        for _ in range(min(num_workers, len(waiting))):
            pool.start()
        while waiting or pool.is_busy():
            for worker in pool.workers:
                if worker.ready and worker.file is None and waiting:
                    worker.give(waiting.popleft())
            yield from pool.next_answers()
    finally:
        pool.close()


def time_videos(decoders: Mapping[str, str], limit_seconds: float) -> Generator[tuple[str, Answer], None, None]:
    """Measure what decoding takes, in one child process, so that nothing of ours runs beside it.

    Args:
        decoders: The decoder of each file, by absolute path.
        limit_seconds: Time a video may take.

    Yields:
        A path and the answer of `probe_worker.time_video`, in the order given; where there is none, a `reason`.

    Raises:
        RunError: The process does not start.
    """
    waiting = deque(decoders.items())
    pool = _Pool(limit_seconds)
    try:
        pool.start()
        while waiting or pool.is_busy():
            (worker,) = pool.workers
            if worker.ready and worker.file is None:
                file, decoder = waiting.popleft()
                worker.give(file, timed=decoder)
            yield from pool.next_answers()
    finally:
        pool.close()


class _Pool:
    """The processes that run, and one selector over what they say."""

    def __init__(self, limit_seconds: float) -> None:
        self.workers: list[_Worker] = []
        self._limit_seconds = limit_seconds
        self._selector = selectors.DefaultSelector()

    def start(self) -> None:
        """Start a process."""
        worker = _Worker(self._limit_seconds)
        self.workers.append(worker)
        self._selector.register(worker.stdout, selectors.EVENT_READ, worker)

    def is_busy(self) -> bool:
        """Whether an answer is still to come."""
        return any(worker.file for worker in self.workers)

    def next_answers(self) -> list[tuple[str, Answer]]:
        """Sleep until a process speaks, ends or has had its time."""
        deadline = min((worker.deadline for worker in self.workers if worker.is_timed()), default=0.0)
        events = self._selector.select(max(0.0, deadline - time.monotonic()))
        answers = [self._listen(key.data) for key, _ in events]
        now = time.monotonic()
        for worker in [worker for worker in self.workers if worker.is_timed() and worker.deadline < now]:
            reason = f"takes longer than {self._limit_seconds:g} s to read"
            answers.append(self._replace(worker, {"reason": reason, "lasting": False}))
        return [answer for answer in answers if answer is not None]

    def close(self) -> None:
        """End all processes."""
        for worker in self.workers:
            worker.end()
        self._selector.close()

    def _listen(self, worker: _Worker) -> tuple[str, Answer] | None:
        try:
            said = worker.receive()
        except EOFError:
            return self._replace(worker, None)
        if said is None:
            return None
        if not worker.ready:
            if not said["ready"]:
                raise _no_start(said["reason"])
            worker.ready = True
            return None
        file, worker.file = worker.file, None
        return (file, said) if file else None

    def _replace(self, worker: _Worker, answer: Answer | None) -> tuple[str, Answer] | None:
        """End a process and start another; the answer for the video it was reading."""
        self._selector.unregister(worker.stdout)
        self.workers.remove(worker)
        status = worker.end()
        if not worker.ready:
            raise _no_start(f"the process ends with status {status}" if answer is None else "no answer")
        self.start()
        if answer is None:
            crash = status in CRASHES
            ended = "cannot be read: the process that tried was ended, perhaps for lack of memory"
            answer = {"reason": "crashes the decoder" if crash else ended, "lasting": crash}
        return (worker.file, answer) if worker.file else None


class _Worker:
    """One process: first starting, then ready, and busy with `file` until `deadline`."""

    def __init__(self, limit_seconds: float) -> None:
        self._process = subprocess.Popen(
            [sys.executable, str(WORKER), str(limit_seconds)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=_environment(),
            bufsize=0,
        )
        self._limit_seconds = limit_seconds
        self._received = b""
        self.file: str | None = None
        self.ready = False
        self.deadline = time.monotonic() + START_LIMIT_SECONDS

    @property
    def stdout(self) -> int:
        """The descriptor of what it says."""
        return cast(Any, self._process.stdout).fileno()

    def is_timed(self) -> bool:
        """Whether it has something to do, be it only to start."""
        return not self.ready or self.file is not None

    def give(self, file: str, *, timed: str | None = None) -> None:
        """Let it read a video, or measure what that takes with the decoder named."""
        self.file = file
        self.deadline = time.monotonic() + self._limit_seconds
        with contextlib.suppress(BrokenPipeError):  # that it has died shows in what it says: nothing
            cast(Any, self._process.stdin).write(_line(file, timed))

    def receive(self) -> Answer | None:
        """What it says; None while the line is incomplete.

        Raises:
            EOFError: It has ended.
        """
        received = os.read(self.stdout, 65536)
        if not received:
            raise EOFError
        self._received += received
        line, end, rest = self._received.partition(b"\n")
        if not end:
            return None
        self._received = rest
        return cast(Answer, json.loads(line))

    def end(self) -> int:
        """Kill the process if it still runs; its exit status."""
        if self._process.poll() is None:
            self._process.kill()
        status = self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            cast(Any, pipe).close()
        return status


def _line(file: str, timed: str | None) -> bytes:
    return json.dumps({"file": file, "timed": timed}).encode("ascii") + b"\n"


def _environment() -> dict[str, str]:
    return {
        **os.environ,
        # The worker finds the same packages as this process, however that came to know them.
        "PYTHONPATH": os.pathsep.join(os.path.abspath(folder) for folder in sys.path),
        "OMP_NUM_THREADS": "1",
        # Whether reading past the end of memory crashes is a matter of chance; with every large block in a
        # mapping of its own (glibc) it does so here, and not only in training.
        "MALLOC_MMAP_THRESHOLD_": "4096",
    }


def _no_start(reason: str) -> RunError:
    cure = "Run `autox-video doctor`, which names what is missing"
    return RunError(Problem("reading videos", "the process that opens them does not start", cure, reason))
