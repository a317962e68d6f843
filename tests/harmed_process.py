"""`AutoTrain.py` as one of several processes, one of which a signal meets after a step of the first attempt.

torchrun ... tests/harmed_process.py SIGNAL RANK STEP train -c config.yaml ...
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import Any

sys.path[:0] = [str(Path(__file__).resolve().parent.parent)]

from mmengine.hooks import Hook  # noqa: E402

from autox_video import cli  # noqa: E402
from autox_video.runner import build  # noqa: E402


class HarmHook(Hook):
    """Sends this process a signal."""

    def __init__(self, name: str, step: int) -> None:
        self.name, self.step = name, step

    def after_train_iter(self, runner: Any, *args: Any, **kwargs: Any) -> None:
        if runner.iter + 1 == self.step:
            os.kill(os.getpid(), signal.Signals[self.name])


def main(name: str, rank: str, step: str, *arguments: str) -> int:
    register = build.WorkDirRunner.register_hooks

    def register_harm(self: Any, *args: Any, **kwargs: Any) -> None:
        register(self, *args, **kwargs)
        self.register_hook(HarmHook(name, int(step)))

    if (os.environ["RANK"], os.environ["TORCHELASTIC_RESTART_COUNT"]) == (rank, "0"):
        build.WorkDirRunner.register_hooks = register_harm
    return cli.main(list(arguments))


if __name__ == "__main__":
    raise SystemExit(main(*sys.argv[1:]))
