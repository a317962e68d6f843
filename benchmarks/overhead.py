"""What the thin layer costs: seconds from the command to the first training iteration, ours against stock.

Stock is MMAction2's own tools/train.py on the config that `render --stock` writes for the same
run. Both log every iteration; the clock stops when the first one is logged. The probe cache and
the page cache are warm. Runs alternate; the figure is the difference of the medians.

    python benchmarks/overhead.py [-c config.yaml] [--repeats 5]
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from importlib.metadata import version
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
RESULT = ROOT / "benchmarks" / "results" / "overhead.json"
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
    spec = importlib.util.find_spec("mmaction")
    assert spec is not None and spec.origin is not None
    stock_script = Path(spec.origin).parent / ".mim" / "tools" / "train.py"
    times: dict[str, list[float]] = {"ours": [], "stock": []}
    with tempfile.TemporaryDirectory() as temporary:
        folder, run = Path(temporary), Path(temporary) / "run"
        config = ["-c", str(arguments.config.resolve()), "--work-dir", str(run), *EVERY_ITERATION]
        ours = [sys.executable, str(ROOT / "AutoTrain.py"), *config]
        render = [sys.executable, "-m", "autox_video", "render", *config, "--stock", "-o", str(folder / "stock.py")]
        subprocess.run(render, check=True, cwd=ROOT, stdout=subprocess.DEVNULL)
        stock = [sys.executable, str(stock_script), str(folder / "stock.py"), "--work-dir", str(folder / "stock")]
        for repeat in range(arguments.repeats + 1):
            for name, command, log in (("ours", ours, run / "train.log"), ("stock", stock, None)):
                (run / "train.log").unlink(missing_ok=True)
                seconds = seconds_to_first_iteration(command, log, folder)
                # The first round only warms the caches.
                if repeat:
                    times[name].append(seconds)
                    print(f"{name:5}  {seconds:6.2f} s", flush=True)
    medians = {name: statistics.median(values) for name, values in times.items()}
    difference = medians["ours"] - medians["stock"]
    print(f"median: ours {medians['ours']:.2f} s, stock {medians['stock']:.2f} s")
    print(f"overhead: {difference:+.2f} s (goal: at most +1.5 s)")
    RESULT.parent.mkdir(parents=True, exist_ok=True)
    record = {
        "seconds": times,
        "median": medians,
        "overhead_seconds": difference,
        "ratio": medians["ours"] / medians["stock"],
        "date": time.strftime("%Y-%m-%d"),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "versions": {name: version(name) for name in ("torch", "mmengine", "mmaction2", "numpy")},
    }
    RESULT.write_text(json.dumps(record, indent=2) + "\n")


if __name__ == "__main__":
    main()
