"""What `autox-video --help` costs: seconds until it ends, beside Python alone and beside importing torch.

The runs alternate; the figures are medians. Bytecode and the page cache are warm.

    python benchmarks/startup.py [--repeats 10]
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from importlib.metadata import version
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
RESULT = ROOT / "benchmarks" / "results" / "startup.json"
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
    for repeat in range(arguments.repeats + 1):
        for name, command in COMMANDS.items():
            started = time.perf_counter()
            subprocess.run([sys.executable, *command], check=True, cwd=ROOT, stdout=subprocess.DEVNULL)
            # The first round only warms the caches.
            if repeat:
                times[name].append(time.perf_counter() - started)
    medians = {name: statistics.median(values) for name, values in times.items()}
    for name, seconds in medians.items():
        print(f"{name:20}  {seconds:6.3f} s")
    print(f"goal: autox-video --help within {GOAL_SECONDS} s")
    RESULT.parent.mkdir(parents=True, exist_ok=True)
    record = {
        "seconds": times,
        "median": medians,
        "ratio": medians["autox-video --help"] / medians["import torch"],
        "date": time.strftime("%Y-%m-%d"),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "versions": {"torch": version("torch")},
    }
    RESULT.write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
