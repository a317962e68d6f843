"""A training that tells what it does and may be slow to write: what `torture.py` kills.

    python benchmarks/victim.py --events FILE [--bytes-per-second N] [--save-every STEPS] SCRIPT [ARGUMENT ...]

SCRIPT is `AutoTrain.py` or MMAction2's `tools/train.py`, run as it stands with its own arguments. The same three
things are changed in both, from outside:

- Each line of FILE is an event and the seconds of a clock: `step 12` and `done 12` around a step, `write NAME` and
  `wrote NAME` around the bytes of a checkpoint, `saved 3` when the state after epoch 3 has been saved, `best 3` when
  its validation and all that follows from it are over; in a test `tested 8` after a batch of so many videos.
- The file system takes so many bytes a second of a checkpoint.
- Every validation is the best so far, which rewrites most files.

Of ours, the state is also saved every so many steps, as `save_last` offers it to any hook.
"""

from __future__ import annotations

import argparse
import os
import runpy
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any

PIECE = 64 * 1024


def main(argv: Sequence[str]) -> None:
    """Run the script; returns or raises SystemExit as it does."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--events", type=Path, required=True)
    parser.add_argument("--bytes-per-second", type=float)
    parser.add_argument("--save-every", type=int)
    parser.add_argument("script")
    parser.add_argument("arguments", nargs=argparse.REMAINDER)
    options = parser.parse_args(argv)
    # Of several processes the first tells; all name themselves, so that any can be killed.
    rank = int(os.environ.get("RANK", "0"))
    descriptor = os.open(options.events, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)

    def tell(event: str, by: int = 0) -> None:
        if rank == by:
            os.write(descriptor, f"{event} {time.monotonic():.6f}\n".encode())

    tell(f"pid {os.getpid()}", by=rank)
    _slow_down(tell, options.bytes_per_second)
    _tell_of_training(tell, options.save_every)
    # As Python does for a script.
    sys.argv = [options.script, *options.arguments]
    sys.path.insert(0, str(Path(options.script).resolve().parent))
    runpy.run_path(options.script, run_name="__main__")


def write_slowly(file: IO[bytes], content: bytes, bytes_per_second: float | None) -> None:
    """Write as a file system does that takes so many bytes a second."""
    if bytes_per_second is None:
        file.write(content)
        return
    started = time.monotonic()
    for begin in range(0, len(content), PIECE):
        file.write(content[begin : begin + PIECE])
        file.flush()
        ahead = (begin + PIECE) / bytes_per_second - (time.monotonic() - started)
        time.sleep(max(0.0, ahead))


def _slow_down(tell: Any, bytes_per_second: float | None) -> None:
    """Both stacks write a checkpoint with MMEngine's `save_checkpoint`, and it with this method."""
    from mmengine.fileio import LocalBackend

    def put(self: Any, content: bytes, path: str | Path) -> None:
        tell(f"write {Path(path).name}")
        with open(path, "wb") as file:
            write_slowly(file, content, bytes_per_second)
        tell(f"wrote {Path(path).name}")

    LocalBackend.put = put


def _tell_of_training(tell: Any, save_every: int | None) -> None:
    from mmengine.runner import Runner

    call_hook = Runner.call_hook

    def telling_call_hook(self: Any, fn_name: str, **given: Any) -> None:
        if fn_name == "after_val_epoch":
            given["metrics"] = {name: rising_score(self.epoch) for name in given["metrics"]}
        if fn_name == "before_train_iter":
            tell(f"step {self.iter}")
        call_hook(self, fn_name, **given)
        if fn_name == "after_train_iter":
            tell(f"done {self.iter}")
        if fn_name == "after_test_iter":
            tell(f"tested {len(given['outputs'])}")
        if fn_name == "before_val":
            tell(f"saved {self.epoch}")
        if fn_name == "after_val_epoch":
            tell(f"best {self.epoch}")
        if fn_name == "between_steps" and save_every and self.iter % save_every == 0:
            (hook,) = (hook for hook in self.hooks if type(hook).__name__ == "LastAndBestCheckpointHook")
            hook.save_last(self)

    Runner.call_hook = telling_call_hook


def rising_score(epoch: int) -> float:
    """What a validation after so many epochs gives."""
    return epoch / 1000


if __name__ == "__main__":
    main(sys.argv[1:])
