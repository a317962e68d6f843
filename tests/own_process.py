"""Command lines in processes of their own, as a queue or a person runs them, and what befalls them at a given place.

    python tests/own_process.py

reads lists of requests, a line of JSON each, and answers with a list of exit codes. It forks off the processes, so that
all of them together import torch once; each then lives and ends like one that was started by itself, in its own session.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

sys.path[:0] = [str(Path(__file__).resolve().parent.parent)]

# These two are imported only when they are needed, which is always.
import matplotlib.pyplot  # noqa: E402, F401
import torchvision  # noqa: E402, F401
from mmengine.hooks import Hook  # noqa: E402

from autox_video import cli, workflow  # noqa: E402, F401
from autox_video.runner import build, predicting, test, train  # noqa: E402, F401
from autox_video.stopping import REPEAT_SECONDS  # noqa: E402
from autox_video.using.predict import journal  # noqa: E402


class HarmHook(Hook):
    """Sends a signal after so many calls of one of its methods, or puts a pipe in the place of a file.

    Args:
        place: The method.
        calls: How often it is called before.
        name: The signal.
        target: `process`, `group`, `worker` (one that loads videos), or `twice` (the process, and then it stands still).
        fifo: The file.
    """

    priority = "HIGHEST"

    def __init__(self, place: str, calls: int = 1, name: str = "", target: str = "process", fifo: str = "") -> None:
        self.calls, self.name, self.target, self.fifo = calls, name, target, fifo
        setattr(self, place, self.count)

    def count(self, runner: Any, *args: Any, **kwargs: Any) -> None:
        self.calls -= 1
        if self.calls == 0 and self.fifo:
            os.remove(self.fifo)
            os.mkfifo(self.fifo)
        elif self.calls == 0:
            self.send()
            if self.target == "twice":
                time.sleep(REPEAT_SECONDS + 0.5)
                self.send()
                time.sleep(600)

    def send(self) -> None:
        number = signal.Signals[self.name]
        if self.target == "group":
            os.killpg(os.getpgrp(), number)
        elif self.target == "worker":
            os.kill(multiprocessing.active_children()[0].pid or 0, number)
        else:
            os.kill(os.getpid(), number)


def signal_after_rows(calls: int, name: str) -> None:
    """Let this process have a signal when a prediction has kept so many rows."""
    add = journal.Journal.add

    def count(kept: Any, *args: Any) -> None:
        nonlocal calls
        add(kept, *args)
        calls -= 1
        if calls == 0:
            os.kill(os.getpid(), signal.Signals[name])

    journal.Journal.add = count  # type: ignore[method-assign]


def serve() -> dict[str, Any] | None:
    """Answer requests; returns one in the process that is to carry it out, and None at the end."""
    for line in sys.stdin:
        processes = []
        for request in json.loads(line):
            processes.append(os.fork())
            if processes[-1] == 0:
                return dict(request)
        codes = [os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]) for process in processes]
        print(json.dumps({"processes": processes, "codes": codes}), flush=True)
    return None


def carry_out(request: dict[str, Any]) -> int:
    os.setsid()
    output = os.open(request["output"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for taken, descriptor in ((nothing, 0), (output, 1), (output, 2)):
        os.dup2(taken, descriptor)
    if request["harm"].get("place") == "row":
        signal_after_rows(request["harm"]["calls"], request["harm"].get("name", "SIGKILL"))
    elif request["harm"]:
        hook = HarmHook(**request["harm"])
        register = build.WorkDirRunner.register_hooks

        def register_hooks(runner: Any, *args: Any, **kwargs: Any) -> None:
            register(runner, *args, **kwargs)
            runner.register_hook(hook)

        build.WorkDirRunner.register_hooks = register_hooks  # type: ignore[method-assign]
    return cli.main(request["arguments"])


if __name__ == "__main__":
    # What the process that starts this one ignores is ignored here too, and would be in the commands.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    if (todo := serve()) is not None:
        raise SystemExit(carry_out(todo))
