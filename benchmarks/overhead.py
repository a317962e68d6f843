"""What the thin layer costs: seconds from the command to the first training iteration, ours against stock.

Stock is MMAction2's own tools/train.py on the config that `render --stock` writes for the same
run. Both log every iteration; the clock stops when the first one is logged. The probe cache and
the page cache are warm. Runs alternate; the figure is the difference of the medians.

    python benchmarks/overhead.py [-c config.yaml] [--repeats 5]
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from measuring import ROOT, goal, markdown, medians, turns, write_result
from stacks import render_stock, stock_tool

GOAL_SECONDS = 1.5
EVERY_ITERATION = ("--set", "cfg_options.default_hooks.logger.interval=1")
LIMIT_SECONDS = 120


def seconds_to_first_iteration(command: list[str], log: Path | None, folder: Path) -> float:
    """Run a command until the first training iteration stands in `log`, or in its output when `log` is None."""
    output = folder / "output.txt"
    with output.open("wb") as file:
        started = time.perf_counter()
        process = subprocess.Popen(command, stdout=file, stderr=subprocess.STDOUT, cwd=folder)
        try:
            while time.perf_counter() - started < LIMIT_SECONDS:
                text = (log or output).read_bytes() if (log or output).exists() else b""
                if b"Epoch(train)" in text:
                    return time.perf_counter() - started
                if process.poll() is not None:
                    raise SystemExit(f"{command}: ended before its first iteration\n{output.read_text()[-2000:]}")
                time.sleep(0.005)
            raise SystemExit(f"{command}: no iteration within {LIMIT_SECONDS} s")
        finally:
            process.kill()
            process.wait()


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("-c", "--config", type=Path, default=ROOT / "config.yaml")
    parser.add_argument("--repeats", type=int, default=5)
    arguments = parser.parse_args()
    os.environ.setdefault("OMP_NUM_THREADS", str(os.cpu_count()))
    times: dict[str, list[float]] = {"ours": [], "stock": []}
    with tempfile.TemporaryDirectory() as temporary:
        folder, run = Path(temporary), Path(temporary) / "run"
        config = ["-c", str(arguments.config.resolve()), "--work-dir", str(run), *EVERY_ITERATION]
        render_stock(config, folder / "stock.py")
        stock = [sys.executable, stock_tool("train"), str(folder / "stock.py"), "--work-dir", str(folder / "stock")]
        commands: dict[str, tuple[list[str], Path | None]] = {
            "ours": ([sys.executable, str(ROOT / "AutoTrain.py"), *config], run / "train.log"),
            "stock": (stock, None),
        }
        for number, name in turns(list(commands), arguments.repeats, warm_up=1):
            (run / "train.log").unlink(missing_ok=True)
            seconds = seconds_to_first_iteration(*commands[name], folder)
            if number >= 0:
                times[name].append(seconds)
                print(f"{name:5}  {seconds:6.2f} s", flush=True)
    print(table(write_result("overhead", {"seconds": times, "median": medians(times)})))


def table(record: dict[str, Any]) -> str:
    """Seconds to the first iteration, ours and stock."""
    ours, stock = (record["median"][side] for side in ("ours", "stock"))
    more = goal(ours - stock, at_most=GOAL_SECONDS)
    row = ["command to first iteration", f"{ours:.2f} s", f"{stock:.2f} s", f"{ours - stock:+.2f} s", more]
    return markdown(["what", "ours", "stock", "more than stock", "goal, seconds more"], [row])


if __name__ == "__main__":
    main()
