"""Starts command lines in processes of their own (tests/own_process.py) and looks at what they leave behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from runs import ROOT


@dataclass(frozen=True)
class Ended:
    """A process that has ended.

    Attributes:
        code: Its exit code; negative when a signal killed it.
        output: The lines it printed.
        left: Processes that it left running.
    """

    code: int
    output: list[str]
    left: list[int]


@dataclass(frozen=True)
class Request:
    """A command line, and what a `HarmHook` does to it."""

    arguments: tuple[str, ...]
    harm: dict[str, Any]


class Starter:
    """Starts them."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._process = subprocess.Popen(
            [sys.executable, str(ROOT / "tests" / "own_process.py")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def run(self, *arguments: str, **harm: Any) -> Ended:
        """Run a command line."""
        return self.run_together(Request(arguments, harm))[0]

    def run_together(self, *requests: Request) -> list[Ended]:
        """Run command lines at the same time."""
        outputs = [self._folder / f"{number}.txt" for number in range(len(requests))]
        asked = [{**vars(one), "output": str(file)} for one, file in zip(requests, outputs, strict=True)]
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(asked) + "\n")
        self._process.stdin.flush()
        answer = json.loads(self._process.stdout.readline())
        ended = []
        for file, process, code in zip(outputs, answer["processes"], answer["codes"], strict=True):
            left = still_alive(process)
            for one in left:
                os.kill(one, signal.SIGKILL)
            ended.append(Ended(code, file.read_text().splitlines(), left))
        return ended

    def close(self) -> None:
        """End the process that starts them, though a process that a failed test left behind holds its pipes open."""
        self._process.kill()
        self._process.wait()


def still_alive(session: int) -> list[int]:
    """Processes of a session that do not end within some seconds; one that is killed takes a moment."""
    for _ in range(100):
        if not (left := alive_in_session(session)):
            break
        time.sleep(0.1)
    return left


def alive_in_session(session: int) -> list[int]:
    """Processes of a session that are not about to vanish."""
    found = []
    for file in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, _, _, of_session = file.read_text().rpartition(")")[2].split()[:4]
        except OSError:
            continue
        if int(of_session) == session and state != "Z":
            found.append(int(file.parent.name))
    return found
