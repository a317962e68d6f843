"""What it costs that nothing is lost: training throughput, ours against stock.

Stock is MMAction2's own tools/train.py: once on the config that `render` writes for the same run, with MMEngine's loop
and hooks in the place of ours, so that only those differ; and once on that of `render --stock`, which reads videos in
MMAction2's way too. All train a few epochs, validate after each and save as they do by themselves; every validation is
the best so far, the case with most to write. The first epoch only warms up. Runs alternate; figures are medians over
all epochs.

    autox-video demo-data data/demo
    python benchmarks/reliability_cost.py [-c config.yaml] [--repeats 5] [--epochs 4]
"""

from __future__ import annotations

import argparse
import itertools
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

from killing import live, spawn
from stacks import Stack, our_stack, stock_stack

ROOT = Path(__file__).resolve().parent.parent
RESULT = ROOT / "benchmarks" / "results" / "reliability_cost.json"


# After a rendered config: MMEngine's loop and hooks instead of ours.
STOCK_LOOP = """
train_cfg = dict(max_epochs=train_cfg['max_epochs'], val_interval=1, type='EpochBasedTrainLoop')
default_hooks['checkpoint'] = dict(
    interval=1, max_keep_ckpts=2, save_best='top1', rule='greater', type='CheckpointHook')
custom_hooks = []
"""


def epoch_seconds(events: list[str]) -> tuple[list[float], list[float]]:
    """Of every epoch but the first: from the end of the last validation to the last step, and to the next validation.

    Args:
        events: As `victim.py` tells them, each with its time.
    """
    timed = [(line.split()[0], float(line.split()[-1])) for line in events]
    ends = [seconds for kind, seconds in timed if kind == "best"]
    steps, whole = [], []
    for begin, end in itertools.pairwise(ends):
        saved = min(seconds for kind, seconds in timed if kind == "write" and seconds > begin)
        steps.append(saved - begin)
        whole.append(end - begin)
    return steps, whole


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("-c", "--config", type=Path, default=ROOT / "config.yaml")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--epochs", type=int, default=4)
    arguments = parser.parse_args()
    load = [os.getloadavg()[0]]
    steps: dict[str, list[float]] = {"ours": [], "stock_loop": [], "stock": []}
    whole: dict[str, list[float]] = {name: [] for name in steps}
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        options = ["--set", f"epoch={arguments.epochs}", "--set", "train.val_interval=1"]
        words = ["-c", str(arguments.config.resolve()), "--work-dir", str(folder / "render"), *options]
        render = [sys.executable, "-m", "autox_video", "render", *words, "-o"]
        for more in ([str(folder / "loop.py")], [str(folder / "stock.py"), "--stock"]):
            subprocess.run([*render, *more], check=True, cwd=ROOT, stdout=subprocess.DEVNULL)
        with (folder / "loop.py").open("a") as file:
            file.write(STOCK_LOOP)
        stacks: dict[str, Stack] = {
            "ours": our_stack(arguments.config.resolve(), *options),
            "stock_loop": stock_stack(folder / "loop.py", arguments.epochs),
            "stock": stock_stack(folder / "stock.py", arguments.epochs),
        }
        for repeat in range(arguments.repeats):
            # Who goes first alternates too.
            for name in list(stacks)[:: 1 if repeat % 2 else -1]:
                stack, place = stacks[name], folder / f"{name}-{repeat}"
                life = live(spawn, stack.command(place / "run", None), place, None)
                found = epoch_seconds(life.events)
                if len(found[0]) != arguments.epochs - 1:
                    raise SystemExit(f"{name} did not end well\n{life.output[-3000:]}")
                steps[name] += found[0]
                whole[name] += found[1]
                print(f"{name:10}  {statistics.median(found[0]):6.3f} s  {statistics.median(found[1]):6.3f} s")
        videos = json.loads((folder / "ours-0" / "run" / "plan.json").read_text())["num_videos"]["train"]
    load.append(os.getloadavg()[0])
    record = {
        "videos_an_epoch": videos,
        "videos_per_second": {name: videos / statistics.median(values) for name, values in steps.items()},
        "ratio": {name: _ratio(steps, name) for name in ("stock_loop", "stock")},
        "ratio_with_validation_and_saving": {name: _ratio(whole, name) for name in ("stock_loop", "stock")},
        "seconds_to_the_last_step": steps,
        "seconds_to_the_end_of_the_validation": whole,
        "date": time.strftime("%Y-%m-%d"),
        "cores": os.cpu_count(),
        "load_before_and_after": load,
        "python": platform.python_version(),
        "versions": {name: version(name) for name in ("torch", "mmengine", "mmaction2", "numpy")},
    }
    print(json.dumps({key: record[key] for key in ("videos_per_second", "ratio", "ratio_with_validation_and_saving")}))
    RESULT.parent.mkdir(parents=True, exist_ok=True)
    RESULT.write_text(json.dumps(record, indent=2) + "\n")


def _ratio(seconds: dict[str, list[float]], peer: str) -> float:
    return statistics.median(seconds[peer]) / statistics.median(seconds["ours"])


if __name__ == "__main__":
    main()
