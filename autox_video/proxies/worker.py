"""The process that writes proxies in the background, one child a video: one that crashes a decoder costs only itself.

Started by `background`, with the id of its parent and the number of children at a time. It reads one JSON line a
video, `{"file": ..., "proxy": ..., "side": ..., "frames": ...}`, and appends to its standard output lines
`{"frames": ...}`, frames that are done, and one a video, `{"proxy": ..., "reason": ...}` (null: it is written).
"""

from __future__ import annotations

import json
import os
import random
import resource
import signal
import sys
from pathlib import Path
from typing import Any

from autox_video.decoding import DecodingError, in_words
from autox_video.errors import AutoXVideoError
from autox_video.proxies.writing import write_proxy
from autox_video.stopping import SIGNALS, end_with

# Of a core: more than a hundred times what a frame of 1080p takes.
START_SECONDS, FRAME_SECONDS = 60, 1
NICENESS = 19
FULL = 3  # the exit status of a child that found the disk full


def main() -> None:
    """Write all proxies that are asked for."""
    parent, num_children = int(sys.argv[1]), int(sys.argv[2])
    signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)  # they are the parent's to heed
    end_with(parent)
    os.nice(NICENESS)
    import av  # noqa: F401  # once, and not in every child

    jobs = [json.loads(line) for line in sys.stdin]
    # Two runs that share the folder meet each other's files instead of writing the same ones at the same time.
    random.shuffle(jobs)
    running: dict[int, dict[str, Any]] = {}
    full = False
    while running or (jobs and not full):
        while jobs and not full and len(running) < num_children:
            job = jobs.pop()
            running[_start(job)] = job
        process, status = os.wait()
        full |= _finish(running.pop(process), os.waitstatus_to_exitcode(status))
    for job in jobs:
        _answer(job, "no proxy: the disk is full")


def _start(job: dict[str, Any]) -> int:
    own = os.getpid()
    process = os.fork()
    if process:
        return process
    status = 1
    try:
        end_with(own)
        limit = START_SECONDS + round(FRAME_SECONDS * job["frames"])
        resource.setrlimit(resource.RLIMIT_CPU, (limit, limit))
        status = _write(job)
    finally:
        os._exit(status)


def _write(job: dict[str, Any]) -> int:
    """Write one and say so; the exit status."""
    told = 0

    def tell(frames: int) -> None:
        nonlocal told
        _say({"frames": frames - told})
        told = frames

    try:
        if not os.path.exists(job["proxy"]):
            write_proxy(job["file"], Path(job["proxy"]), job["side"], tell)
        tell(job["frames"])
        _answer(job, None)
    except DecodingError as error:
        _answer(job, str(error))
    except AutoXVideoError as error:
        (problem,) = error.problems
        _answer(job, f"no proxy: it {problem.wrong}")
        return FULL if "No space left" in problem.wrong or "quota" in problem.wrong else 0
    except OSError as error:
        _answer(job, f"cannot be read: {error.strerror}")
    except Exception as error:
        _answer(job, f"no proxy: {in_words(str(error))}")
    return 0


def _finish(job: dict[str, Any], code: int) -> bool:
    """Answer for a child that could not; whether it found the disk full."""
    if code == -signal.SIGXCPU:
        _answer(job, "no proxy: it takes too long to write")
    elif code not in (0, FULL):
        _answer(job, "no proxy: writing it ends the process that does")
    return code == FULL


def _answer(job: dict[str, Any], reason: str | None) -> None:
    _say({"proxy": job["proxy"], "reason": reason})


def _say(what: dict[str, Any]) -> None:
    # In one piece: several processes append to the same file.
    os.write(1, json.dumps(what).encode("ascii") + b"\n")


if __name__ == "__main__":
    main()
