"""What `--help`, and `check` of 200 known videos cost: seconds, beside Python alone and importing torch.

The runs alternate; the figures are medians. Bytecode, the page cache and the probe's cache are warm.

    python benchmarks/startup.py [--repeats 10]
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from measuring import ROOT, goal, markdown, medians, turns, write_result

from autox_video.demo_data import write_demo_data

CHECK = "autox-video check"
GOALS_SECONDS = {"autox-video --help": 0.5, CHECK: 1.0}
# Of the demo's 800 videos every fourth.
EVERY = 4
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
    with tempfile.TemporaryDirectory() as folder:
        commands = {**COMMANDS, CHECK: ["-m", "autox_video", "check", *_data(Path(folder))]}
        times: dict[str, list[float]] = {name: [] for name in commands}
        for number, name in turns(list(commands), arguments.repeats, warm_up=1):
            started = time.perf_counter()
            subprocess.run([sys.executable, *commands[name]], check=True, cwd=ROOT, stdout=subprocess.DEVNULL)
            if number >= 0:
                times[name].append(time.perf_counter() - started)
    print(table(write_result("startup", {"seconds": times, "median": medians(times)}, ("torch",))))


def table(record: dict[str, Any]) -> str:
    """Seconds of each command."""
    found = record["median"]
    goals = {name: goal(found[name], at_most=most) for name, most in GOALS_SECONDS.items() if name in found}
    rows = [[f"`{name}`", f"{seconds:.3f} s", goals.get(name, "")] for name, seconds in found.items()]
    return markdown(["command", "median", "goal, seconds"], rows)


def _data(folder: Path) -> list[str]:
    """Make 200 videos with lists; returns the options that name them and a work dir."""
    data = write_demo_data(folder / "data")
    options = ["--set", f"data_root={data.data_root}", "--work-dir", str(folder / "run")]
    for split, file in data.ann_files.items():
        file.write_text("".join(file.read_text().splitlines(keepends=True)[::EVERY]))
        options += ["--set", f"ann_file_{split}={file}"]
    return options


if __name__ == "__main__":
    main()
