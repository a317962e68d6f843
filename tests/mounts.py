"""Real small file systems for tests: a tmpfs that only commands of the test see."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import pytest

ROOT = Path(__file__).parent.parent
# Without root the user becomes root of a namespace of his own, where that is allowed.
UNSHARE = ("unshare", "-m") if os.geteuid() == 0 else ("unshare", "-rm")


@dataclass(frozen=True)
class SmallDisk:
    """A file system of a few megabytes, mounted where only `run` and `start` see it.

    Attributes:
        folder: Where it is mounted, for the commands that run there.
        view: The same, as this process sees it.
        pid: A process that lives there.
    """

    folder: Path
    view: Path
    pid: int

    def start(
        self, *arguments: str, module: str = "autox_video", stdin: IO[str] | None = None
    ) -> subprocess.Popen[str]:
        """Start a sub-command of the command line there, or another module; both of its outputs are one pipe."""
        enter = [
            "nsenter",
            "-t",
            str(self.pid),
            *(["-m"] if os.geteuid() == 0 else ["-U", "-m", "--preserve-credentials"]),
        ]
        command = [*enter, f"--wd={ROOT}", sys.executable, "-m", module, *arguments]
        environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONUNBUFFERED": "1"}
        return subprocess.Popen(
            command, stdin=stdin, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment
        )

    def run(self, *arguments: str, code: int = 0) -> str:
        """Run one to its end; returns what it printed."""
        process = self.start(*arguments)
        output = process.communicate()[0]
        assert process.returncode == code, output
        return output


@contextlib.contextmanager
def small_disk(folder: Path, megabytes: int) -> Iterator[SmallDisk]:
    """Mount a tmpfs over a folder; skips the test where the system allows no mount at all."""
    script = 'mount -t tmpfs -o "size=$1m" tmpfs "$0" && echo mounted && exec sleep 600'
    command = [*UNSHARE, "sh", "-c", script, str(folder), str(megabytes)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        if process.stdout.readline().strip() != "mounted":
            pytest.skip(f"no tmpfs can be mounted here: {process.stderr.read().strip()}")
        try:
            yield SmallDisk(folder, Path(f"/proc/{process.pid}/root{folder}"), process.pid)
        finally:
            process.kill()
