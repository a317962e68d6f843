"""Several processes for one command: one for each GPU, begun again after a failure."""

from __future__ import annotations

import json
import logging
import os
import signal
import sys
from itertools import count as counting
from pathlib import Path

from autox_video.deciding import processes_of_run
from autox_video.errors import STALLED_EXIT_CODE, RequestError
from autox_video.processes import LAUNCHER_VARIABLE, own_place
from autox_video.settings.schema import Settings
from autox_video.work_dir import WorkDir

logger = logging.getLogger(__name__)
# As often as a queue does it. Whoever has failed four times needs a person.
MAX_RESTARTS = 3
# Done, or refused: the same again would end alike.
FINAL = (0, RequestError.exit_code)
# What a started process runs: this package as this process has found it.
CODE = """
import json, sys
sys.path[:] = json.loads(sys.argv[1])
sys.argv[:2] = ["autox-video"]
from autox_video.cli import main
raise SystemExit(main())
"""


def launched(settings: Settings, command_line: list[str]) -> int | None:
    """Do a command in several processes, where the settings and the machine ask for them and nobody has started any.

    Args:
        settings: What the user asked.
        command_line: The command with its arguments.

    Returns:
        The exit code; None where this process is to do it itself.
    """
    if own_place().launcher:
        return None
    number = processes_of_run(settings)
    return _launch(number, command_line, WorkDir(settings.work_dir)) if number > 1 else None


def _launch(number: int, command_line: list[str], work_dir: WorkDir) -> int:
    from autox_video.runner.elastic import run_processes

    logger.info("start    %d processes, which train or test together", number)
    before, begun_again = _runs(work_dir), 0
    for restarts in counting():
        # To begin again is to go on, also with --fresh, once the earlier run is out of the way.
        begun_again = restarts if _runs(work_dir) != before else 0
        os.environ[LAUNCHER_VARIABLE] = f"{os.getpid()} {begun_again}"
        try:
            ended = run_processes(number, ["-c", CODE, json.dumps(sys.path), *command_line])
        finally:
            del os.environ[LAUNCHER_VARIABLE]
        code = ended.code if ended.code >= 0 else 128 - ended.code
        if ended.signal is not None and code:
            return 128 + ended.signal
        # A process that ended by itself with 128 + n was asked to.
        if code in FINAL or ended.code > 128:
            return code
        if restarts == MAX_RESTARTS:
            logger.error("failed   process %d %s, after %d restarts", ended.rank, _how(ended.code), restarts)
            return code
        told = "going on from what is saved" if command_line[0] == "train" else "beginning again"
        logger.warning(
            "restart  process %d %s; %s (%d of %d)", ended.rank, _how(ended.code), told, restarts + 1, MAX_RESTARTS
        )
    raise AssertionError("counting ends by itself")


def _how(code: int) -> str:
    if code < 0:
        return f"was ended by {signal.Signals(-code).name}"
    return "made no progress" if code == STALLED_EXIT_CODE else f"failed with code {code}"


def _runs(work_dir: WorkDir) -> list[tuple[int, int] | None]:
    """What shows that a run has begun in a work dir, or was moved out of it."""
    return [_identity(path) for path in (work_dir.plan, work_dir.folds_trained)]


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        facts = path.stat()
    except FileNotFoundError:
        return None
    return facts.st_ino, facts.st_mtime_ns
