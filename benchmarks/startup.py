"""What `autox-video --help` costs: seconds until it ends, beside Python alone and beside importing torch.

The runs alternate; the figures are medians. Bytecode and the page cache are warm.

    python benchmarks/startup.py [--repeats 10]
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from typing import Any

from measuring import ROOT, goal, markdown, medians, turns, write_result

GOAL_SECONDS = 0.5
COMMANDS = {
    "python -c pass": ["-c", "pass"],
    "autox-video --help": ["-m", "autox_video", "--help"],
    "AutoTrain.py --help": [str(ROOT / "AutoTrain.py"), "--help"],
    "import torch": ["-c", "import torch"],
}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=10)
    arguments = parser.parse_args()
    times: dict[str, list[float]] = {name: [] for name in COMMANDS}
    for number, name in turns(list(COMMANDS), arguments.repeats, warm_up=1):
        started = time.perf_counter()
        subprocess.run([sys.executable, *COMMANDS[name]], check=True, cwd=ROOT, stdout=subprocess.DEVNULL)
        if number >= 0:
            times[name].append(time.perf_counter() - started)
    print(table(write_result("startup", {"seconds": times, "median": medians(times)}, ("torch",))))


def table(record: dict[str, Any]) -> str:
    """Seconds of each command."""
    goals = {"autox-video --help": goal(record["median"]["autox-video --help"], at_most=GOAL_SECONDS)}
    rows = [[f"`{name}`", f"{seconds:.3f} s", goals.get(name, "")] for name, seconds in record["median"].items()]
    return markdown(["command", "median", "goal, seconds"], rows)


if __name__ == "__main__":
    main()
