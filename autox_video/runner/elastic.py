"""torch.distributed's elastic launcher, for the processes of one machine."""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import sys
import tempfile
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from torch.distributed.elastic.agent.server.api import WorkerGroup, WorkerSpec
from torch.distributed.elastic.agent.server.local_elastic_agent import LocalElasticAgent
from torch.distributed.elastic.multiprocessing import DefaultLogsSpecs, SignalException
from torch.distributed.elastic.multiprocessing.errors import ProcessFailure
from torch.distributed.elastic.rendezvous import RendezvousParameters
from torch.distributed.elastic.rendezvous.registry import get_rendezvous_handler

from autox_video.errors import STALLED_EXIT_CODE
from autox_video.stopping import SIGNALS, handed_on

LOCALHOST = "127.0.0.1"


@dataclass(frozen=True)
class Ended:
    """How the processes ended.

    Attributes:
        rank: The process that failed first; 0 when none did.
        code: Its exit code, negative where a signal ended it.
        signal: What the launcher was asked to stop with, and has handed on; None when it was not.
    """

    rank: int
    code: int
    signal: signal.Signals | None = None


def run_processes(count: int, arguments: list[str]) -> Ended:
    """Start Python so many times on this machine, as one run, and wait until all have ended.

    The processes meet on a port that is free. When one fails, the others are ended. Signals are handed on to all of
    them, each of which does with it what it does alone.

    Args:
        count: Processes.
        arguments: What Python is called with.
    """
    with tempfile.TemporaryDirectory(prefix="autox_video_") as folder, _quiet():
        agent = _agent(count, arguments, folder)
        with handed_on(agent.hand_on):
            try:
                failures = dict(agent.run().failures)
            except SignalException as error:  # it came in the moment in which the processes are started
                return Ended(0, -error.sigval, signal.Signals(error.sigval))
    asked = agent.received[0] if agent.received else None
    if not failures:
        return Ended(0, 0, asked)
    rank = _first(failures)
    return Ended(rank, failures[rank].exitcode, asked)


class _Agent(LocalElasticAgent):
    """Starts processes and hands signals on to them: torch's own handlers end everything after half a minute."""

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self.received: list[signal.Signals] = []
        self._pids: list[int] = []

    def hand_on(self, number: int) -> None:
        """Send the processes a signal, as soon as there are any."""
        self.received.append(signal.Signals(number))
        self._send(number)

    def _start_workers(self, worker_group: WorkerGroup) -> dict[int, Any]:
        before = {number: signal.getsignal(number) for number in (*SIGNALS, signal.SIGQUIT)}
        try:
            started: dict[int, Any] = super()._start_workers(worker_group)
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
        self._pids = list(started.values())
        for received in self.received:
            self._send(received)
        return started

    def _send(self, number: int) -> None:
        for pid in self._pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)


def _agent(count: int, arguments: list[str], folder: str) -> _Agent:
    # A host name that nothing resolves is no trouble to processes of one machine.
    meeting = RendezvousParameters(
        backend="c10d",
        endpoint=f"{LOCALHOST}:0",
        run_id=uuid.uuid4().hex,
        min_nodes=1,
        max_nodes=1,
        local_addr=LOCALHOST,
    )
    spec = WorkerSpec(
        role="autox_video",
        local_world_size=count,
        entrypoint=sys.executable,
        args=tuple(arguments),
        rdzv_handler=get_rendezvous_handler(meeting),
        # Whether it is worth to begin again depends on why it ended: our caller decides.
        max_restarts=0,
        monitor_interval=0.1,
        local_addr=LOCALHOST,
    )
    return _Agent(spec, DefaultLogsSpecs(log_dir=folder))


def _first(failures: dict[int, ProcessFailure]) -> int:
    """The process whose end was the cause of the others'.

    Of several that ended in the same second, one that was killed or gave up waiting goes before those that miss it,
    and last come those that the launcher itself has ended for that.
    """

    def order(rank: int) -> tuple[int, int]:
        code = failures[rank].exitcode
        if code in (-signal.SIGTERM, 128 + signal.SIGTERM):
            likely = 3
        else:
            likely = 0 if code < 0 else 1 if code == STALLED_EXIT_CODE else 2
        return failures[rank].timestamp, likely

    return min(failures, key=order)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """What torch says of processes that end, with lines of its source, we say in a sentence."""
    names = [name for name in logging.root.manager.loggerDict if name.startswith("torch.distributed.elastic")]
    loggers = [logging.getLogger(name) for name in names]
    before = [logger.disabled for logger in loggers]
    for logger in loggers:
        logger.disabled = True
    try:
        yield
    finally:
        for logger, disabled in zip(loggers, before, strict=True):
            logger.disabled = disabled
