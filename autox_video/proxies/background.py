"""The proxies of a run being written while something else goes on."""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from typing import Any

from autox_video.proxies.listing import Proxied

MAX_PROCESSES = 16


class Writing:
    """Processes that write proxies; nothing waits for them but `look`, which does not wait either.

    Attributes:
        waiting: What is not yet written, by the file of its proxy.
        failed: Why a proxy was not written, by its file.
        files: The originals, by the file of the proxy.
    """

    def __init__(self) -> None:
        self.waiting: dict[str, Proxied] = {}
        self.failed: dict[str, str] = {}
        self.files: dict[str, str] = {}
        self._process: subprocess.Popen[bytes] | None = None
        self._output: Any = None
        self._read = 0

    def start(self, proxied: Sequence[Proxied], num_cpus: int) -> None:
        """Begin to write them, on so many cores."""
        self.waiting = {one.proxy: one for one in proxied}
        self.files |= {one.proxy: one.file for one in proxied}
        if not self.waiting:
            return
        # Files, and not pipes: no one is there to read them while an epoch trains.
        self._output, self._read = tempfile.TemporaryFile(), 0  # noqa: SIM115 -- closed when the process has ended
        with tempfile.TemporaryFile() as jobs:
            for one in self.waiting.values():
                jobs.write(json.dumps(dataclasses.asdict(one)).encode("ascii") + b"\n")
            jobs.seek(0)
            self._process = subprocess.Popen(
                [sys.executable, "-m", "autox_video.proxies.worker", str(os.getpid()), str(num_processes(num_cpus))],
                stdin=jobs,
                stdout=self._output,
                stderr=subprocess.DEVNULL,
                env={**os.environ, "PYTHONPATH": os.pathsep.join(os.path.abspath(path) for path in sys.path)},
            )

    def look(self) -> int:
        """See what has been done since the last look: the number of frames."""
        if self._output is None:
            return 0
        # Asked first: what a process says before its end is read after it.
        ended = self._process is None or self._process.poll() is not None
        text = os.pread(self._output.fileno(), os.fstat(self._output.fileno()).st_size - self._read, self._read)
        lines, end, _ = text.rpartition(b"\n")
        self._read += len(lines) + len(end)
        frames = 0
        for line in lines.splitlines():
            said = json.loads(line)
            frames += said.get("frames", 0)
            if "proxy" in said:
                self.waiting.pop(said["proxy"])
                if said["reason"]:
                    self.failed[said["proxy"]] = said["reason"]
        if ended:
            self._close()
        return frames

    def is_running(self) -> bool:
        """Whether there is more to be seen."""
        return self._process is not None

    def end(self) -> None:
        """End the processes; what is half written is cleared away by the next run."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._close()

    def _close(self) -> None:
        self._output.close()
        self._output = self._process = None


def num_processes(num_cpus: int) -> int:
    """How many proxies are written at a time. They have only what the training leaves of the cores: see `worker`."""
    return max(1, min(num_cpus, MAX_PROCESSES))
