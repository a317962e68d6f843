"""The filmstrips of a page: asked for by its sections, drawn at its end by processes of their own.

A video that crashes or stalls the decoder costs its own strip, which stays grey, and nothing else.
"""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

# Of all strips on a page; in base64 they are a third more, and the rest of a page may be 9 MB.
MAX_BYTES = 8_000_000
# Drawing all strips takes no longer than this, and one video no longer than that.
MAX_SECONDS, VIDEO_SECONDS = 60.0, 10.0
MAX_PROCESSES = 8
# From so many strips on they are smaller: height in pixels and quality.
MANY = 150
LARGE, SMALL = (96, 70), (80, 50)


@dataclass(frozen=True)
class Film:
    """A video, or a piece of one. `path` is as listed."""

    path: str
    start_seconds: float | None = None
    end_seconds: float | None = None


class Films:
    """Filmstrips by what they are of; one that two sections show is drawn once.

    Args:
        data_root: Folder that relative paths start from.
        decoders: By path, what reads a video; absent where what lies there says it.
        max_bytes: Of all strips together.
        max_seconds: For drawing them.
    """

    def __init__(
        self,
        data_root: str = "",
        decoders: Mapping[str, str] | None = None,
        max_bytes: int = MAX_BYTES,
        max_seconds: float = MAX_SECONDS,
    ) -> None:
        self._root, self._decoders = data_root, decoders or {}
        self._max_bytes, self._max_seconds = max_bytes, max_seconds
        self._asked: dict[Film, int] = {}
        self._drawn: dict[Film, bytes] = {}

    def number(self, film: Film) -> int:
        """Ask for a strip; those that are asked for first are drawn first. Its number on the page."""
        return self._asked.setdefault(film, len(self._asked))

    def __len__(self) -> int:
        """How many were asked for."""
        return len(self._asked)

    def draw(self) -> dict[int, bytes]:
        """The strips by their number, as far as room and time allow; those of an earlier call are remembered."""
        deadline = time.monotonic() + self._max_seconds
        height, quality = SMALL if len(self._asked) > MANY else LARGE
        missing = iter([film for film in self._asked if film not in self._drawn])
        lock = threading.Lock()

        def work() -> None:
            with _Drawer() as drawer:
                while time.monotonic() < deadline and sum(map(len, self._drawn.values())) < self._max_bytes:
                    with lock:
                        film = next(missing, None)
                    if film is None:
                        return
                    strip = drawer.draw({**self._job(film), "height": height, "quality": quality})
                    with lock:
                        self._drawn[film] = strip

        waiting, missing = itertools.tee(missing)
        count = min(MAX_PROCESSES, len(os.sched_getaffinity(0)), sum(1 for _ in waiting))
        if count:
            with ThreadPoolExecutor(count) as pool:
                try:
                    for done in [pool.submit(work) for _ in range(count)]:
                        done.result()
                except BaseException:
                    # Who asks it to stop is not to wait for all the others.
                    deadline = 0.0
                    raise
        return {self._asked[film]: strip for film, strip in self._drawn.items() if film in self._asked}

    def _job(self, film: Film) -> dict[str, object]:
        path = os.path.abspath(os.path.join(self._root, film.path))
        piece = {"start_seconds": film.start_seconds, "end_seconds": film.end_seconds}
        return {"path": path, **piece, "decoder": self._decoders.get(film.path)}


class _Drawer:
    """A process that draws one strip after another, and is begun anew when one has ended it."""

    def __enter__(self) -> _Drawer:
        self._process: subprocess.Popen[bytes] | None = None
        return self

    def __exit__(self, *error: object) -> None:
        self._end()

    def draw(self, job: Mapping[str, object]) -> bytes:
        """One strip; empty where the process did not survive it, or took too long."""
        process = self._process = self._process or subprocess.Popen(
            [sys.executable, "-m", "autox_video.report.filmstrips"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            # Modules are imported from where it is begun: what lies in the user's folder may have any name.
            cwd=os.sep,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(os.path.abspath(path) for path in sys.path)},
        )
        assert process.stdin and process.stdout
        limit = threading.Timer(VIDEO_SECONDS, process.kill)
        limit.start()
        try:
            process.stdin.write(json.dumps(job).encode("ascii") + b"\n")
            process.stdin.flush()
            length = process.stdout.read(4)
            strip = process.stdout.read(int.from_bytes(length, "big"))
        except OSError:
            strip = b""
        finally:
            limit.cancel()
        if not strip:
            self._end()
        return strip

    def _end(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None
