"""Start a training and kill it at a moment: tools of `torture.py`."""

from __future__ import annotations

import io
import multiprocessing
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import victim
from measuring import ROOT

LIMIT_SECONDS = 180
LOOK_EVERY_SECONDS = 0.002
# For the other processes of a training of which one has ended.
LAST_SECONDS = 5


class Started(Protocol):
    """A training that was started: a process of its own, at the head of its own group."""

    @property
    def pid(self) -> int | None: ...

    def ended(self) -> bool: ...


@dataclass
class Forked:
    """Forks of this process, which has the libraries imported already: that saves seconds a life."""

    processes: list[Any]

    @property
    def pid(self) -> int | None:
        pid: int | None = self.processes[0].pid
        return pid

    def ended(self) -> bool:
        ended = [process.exitcode is not None for process in self.processes]
        if any(ended) and not all(ended):  # as torchrun does
            self.processes[ended.index(False)].join(LAST_SECONDS)
            for process in self.processes:
                process.kill()
                process.join()
        return any(ended)


@dataclass
class Spawned:
    """A process of the shell's kind."""

    process: subprocess.Popen[bytes]

    @property
    def pid(self) -> int | None:
        return self.process.pid

    def ended(self) -> bool:
        return self.process.poll() is not None


def fork(words: list[str], output: Path) -> Started:
    """Start `victim.py` with these words as a fork of this process."""
    return _fork([{}], words, output)


def fork_two(words: list[str], output: Path) -> Started:
    """The same as two processes of one training, placed as torchrun would."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    shared = {"WORLD_SIZE": "2", "LOCAL_WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}
    return _fork([{"RANK": rank, "LOCAL_RANK": rank, **shared} for rank in ("0", "1")], words, output)


def _fork(places: list[dict[str, str]], words: list[str], output: Path) -> Started:
    context = multiprocessing.get_context("fork")
    processes = [context.Process(target=_be_victim, args=(place, words, output)) for place in places]
    for process in processes:
        process.start()
    return Forked(processes)


def _be_victim(place: dict[str, str], words: list[str], output: Path) -> None:
    os.setsid()
    os.environ |= place
    file = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    for descriptor in (1, 2):
        os.dup2(file, descriptor)
    sys.stdout, sys.stderr = (io.TextIOWrapper(io.FileIO(number, "w"), line_buffering=True) for number in (1, 2))
    victim.main(words)


def spawn(words: list[str], output: Path, *before: str) -> Started:
    """Start `victim.py` with these words anew; `before` stands between the interpreter and it, as torchrun does.

    It computes with one thread, unless OMP_NUM_THREADS says otherwise.
    """
    command = [sys.executable, *before, str(ROOT / "benchmarks" / "victim.py"), *words]
    environment = {"OMP_NUM_THREADS": "1", **os.environ, "PYTHONPATH": str(ROOT)}
    with output.open("ab") as file:
        return Spawned(
            subprocess.Popen(command, stdout=file, stderr=file, start_new_session=True, env=environment, cwd=ROOT)
        )


def torchrun(words: list[str], output: Path) -> Started:
    """Two processes."""
    return spawn(words, output, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2")


@dataclass(frozen=True)
class Moment:
    """When a training is killed.

    Attributes:
        event: Begins with this; an empty text is the start of the process.
        number: The how manieth such event of this life, from 1.
        seconds: How long after it.
        target: `main` process, its whole `group`, or for several: a rank, or `all`.
    """

    event: str
    number: int
    seconds: float
    target: str = "group"


@dataclass
class Life:
    """One life of a training.

    Attributes:
        killed: False when it ended before its moment came.
        events: As `victim.py` told them.
        output: What it printed.
    """

    killed: bool
    events: list[str] = field(default_factory=list)
    output: str = ""

    @property
    def in_write(self) -> bool:
        """Whether the kill fell into the writing of a checkpoint."""
        writing = [event.split()[0] for event in self.events if event.startswith(("write ", "wrote "))]
        return self.killed and writing[-1:] == ["write"]

    def numbers(self, event: str) -> list[int]:
        """The numbers of all events of a kind."""
        return [int(line.split()[1]) for line in self.events if line.startswith(f"{event} ")]


def live(
    start: Callable[[list[str], Path], Started],
    words: list[str],
    folder: Path,
    moment: Moment | None,
    limit_seconds: float = LIMIT_SECONDS,
) -> Life:
    """Start a training and kill it at a moment, or let it end.

    Args:
        start: `fork`, `spawn` or `torchrun`.
        words: For `victim.py`, without `--events`.
        folder: Where events and output are kept.
        moment: None lets it end.
        limit_seconds: It is given up after this long.
    """
    folder.mkdir(parents=True, exist_ok=True)
    events, output = folder / "events.txt", folder / "output.txt"
    for path in (events, output):
        path.unlink(missing_ok=True)
    started = start(["--events", str(events), *words], output)
    began = time.monotonic()
    came: float | None = None
    killed = False
    while not started.ended():
        now = time.monotonic()
        if moment is not None and came is None and _count(events, moment.event) >= moment.number:
            came = now
        if came is not None and moment is not None and now - came >= moment.seconds:
            _kill(started, moment.target, _lines(events))
            killed = True
            break
        if now - began > limit_seconds:
            _kill(started, "all", _lines(events))
            raise SystemExit(f"no end within {limit_seconds} s\n{output.read_text()[-3000:]}")
        time.sleep(LOOK_EVERY_SECONDS)
    while not started.ended():  # torchrun ends the other processes first
        if time.monotonic() - began > limit_seconds:
            raise SystemExit(f"did not end after it was killed\n{output.read_text()[-3000:]}")
        time.sleep(LOOK_EVERY_SECONDS)
    return Life(killed, _lines(events), output.read_text(errors="replace"))


def _count(events: Path, event: str) -> int:
    return sum(line.startswith(event) for line in _lines(events)) if event else 1


def _lines(events: Path) -> list[str]:
    return events.read_text().splitlines() if events.exists() else []


def _kill(started: Started, target: str, events: list[str]) -> None:
    assert started.pid is not None
    processes = [int(line.split()[1]) for line in events if line.startswith("pid ")]
    if target == "main":
        os.kill(started.pid, signal.SIGKILL)
    elif target == "group":
        os.killpg(started.pid, signal.SIGKILL)
    else:
        chosen = [started.pid, *processes] if target == "all" else [processes[int(target)]]
        for pid in chosen:
            with suppress(ProcessLookupError):  # torchrun may have been faster
                os.kill(pid, signal.SIGKILL)
