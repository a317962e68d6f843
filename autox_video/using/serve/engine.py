"""The process that holds the model and opens what was uploaded, and the handle that the server has on it.

A video that crashes the decoder, hangs it or fills the memory ends that process and nothing else: another one is begun,
by a fork of a process that has imported everything already, and only the weights are read anew.
"""

from __future__ import annotations

import contextlib
import json
import logging
import multiprocessing
import os
import signal
import threading
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from autox_video.errors import Problem, RequestError, RunError
from autox_video.sockets import make_folder_of_sockets
from autox_video.stopping import end_with

logger = logging.getLogger(__name__)
START_SECONDS = 300.0
STOPS = "is not answered any more: the server stops"
# Asked otherwise how many GPUs there are, as MMEngine does when it is imported, CUDA cannot be used after a fork: see
# "CUDA in multiprocessing" in torch's notes.
COUNTED_WITHOUT_CUDA = "PYTORCH_NVML_BASED_CUDA_CHECK"
# What the process that forks imports beforehand.
PRELOADED = ("autox_video.using.serve.answers", "autox_video.runner.predictor", "autox_video.runner.occlusion")


@dataclass(frozen=True)
class Source:
    """What the engine opens: the arguments of `open_predictor`."""

    model: Path
    device: str = "auto"
    views: tuple[int, int] | None = None
    plugins: tuple[str, ...] = ()


class EngineError(Exception):
    """The engine had to be ended; the message completes a sentence that begins with the name of the video."""


class Engine:
    """One process with the model; one question at a time. Methods block, and may be called by any thread.

    Attributes:
        about: What it says of the model.

    Args:
        source: What it opens.
    """

    def __init__(self, source: Source) -> None:
        make_folder_of_sockets()
        # The process that forks is begun with these variables; this one never imports torch.
        os.environ[COUNTED_WITHOUT_CUDA] = "1"
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload(list(PRELOADED))
        self._source = source
        self._asking = threading.Lock()
        self._closed = False
        self.about: dict[str, Any] = {}
        self._start()

    @property
    def is_alive(self) -> bool:
        """Whether it can be asked without a start before."""
        return self._process.is_alive()

    def ask(self, task: str, name: str, path: str, options: dict[str, Any], limit_seconds: float) -> tuple[int, Any]:
        """The answer of `answers.answer`.

        Raises:
            EngineError: The process did not survive the question, or took too long.
            RunError: It cannot be begun anew.
        """
        with self._asking:
            if not self._process.is_alive():
                self._start()
            try:
                self._connection.send_bytes(json.dumps([task, name, path, options]).encode("utf-8"))
                said = self._receive(limit_seconds)
            except (EOFError, OSError):
                if self._closed:
                    raise EngineError(STOPS) from None
                self._process.join(1.0)
                reason = _reason(self._process.exitcode)
                self._end()
                raise EngineError(reason) from None
            if said is None:
                self._end()
                raise EngineError(f"takes longer than {limit_seconds:g} s")
            status, content = said
            return status, content

    def restart(self) -> None:
        """Begin another process where the last one was ended, so that the next question need not wait for it.

        Raises:
            RunError: It does not start.
        """
        with self._asking:
            if not self._closed and not self._process.is_alive():
                self._start()

    def close(self) -> None:
        """End the process, whatever it does; who waits for an answer gets an error."""
        self._closed = True
        self._process.kill()
        # By itself it takes seconds to go, with all that it has imported.
        with contextlib.suppress(ProcessLookupError):
            os.kill(self._forks, signal.SIGKILL)

    def _start(self) -> None:
        if self._closed:
            raise EngineError(STOPS)
        self._connection, theirs = self._context.Pipe()
        arguments = (theirs, self._source)
        process = self._context.Process(target=_run, args=arguments, name="autox-video engine", daemon=True)
        process.start()
        # Only one that has been started can be killed, and `close` may come at any time.
        self._process = process
        theirs.close()
        if self._closed:
            # `close` may have ended the one before.
            self._process.kill()
        try:
            said = self._receive(START_SECONDS)
        except (EOFError, OSError):
            said = None
        if said is None or "problems" in said:
            self._end()
            problems = [Problem(**one) for one in said["problems"]] if said else []
            cure = "Run `autox-video doctor`"
            problems = problems or [Problem("the engine", "does not start: its process has ended", cure)]
            raise (RequestError if said and said["code"] == RequestError.exit_code else RunError)(problems)
        self.about, self._forks = said["ready"], said["forked_by"]

    def _receive(self, limit_seconds: float) -> Any:
        """What it says; None where that takes too long."""
        return json.loads(self._connection.recv_bytes()) if self._connection.poll(limit_seconds) else None

    def _end(self) -> None:
        self._process.kill()
        self._process.join()
        self._connection.close()


def _reason(code: int | None) -> str:
    if code == -signal.SIGKILL:
        return "cannot be read: the process that tried was ended, perhaps for lack of memory"
    return f"ends the process that reads it (status {code})"


def _run(connection: Connection, source: Source) -> None:
    """The process: open the model, then answer until the connection ends."""
    # Ctrl-C goes to all processes of a terminal; the server ends this one.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    end_with(os.getppid())
    _first_to_go()
    from autox_video.errors import AutoXVideoError
    from autox_video.runner.predictor import open_predictor
    from autox_video.using.serve.answers import about, answer, warm_up

    try:
        predictor = open_predictor(source.model, source.device, source.views, source.plugins)
    except AutoXVideoError as error:
        problems = [vars(problem) for problem in error.problems]
        _send(connection, {"problems": problems, "code": error.exit_code})
        return
    warm_up(predictor)
    _send(connection, {"ready": about(predictor), "forked_by": os.getppid()})
    while True:
        try:
            asked = json.loads(connection.recv_bytes())
        except EOFError:
            return
        _send(connection, answer(predictor, *asked))


def _send(connection: Connection, value: Any) -> None:
    connection.send_bytes(json.dumps(value, allow_nan=False).encode("utf-8"))


def _first_to_go() -> None:
    """Where memory runs out, the kernel ends this process and no other; a crash leaves no image of the memory."""
    import resource

    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000")
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
