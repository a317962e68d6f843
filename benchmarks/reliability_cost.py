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
import statistics
import tempfile
from pathlib import Path
from typing import Any

from killing import live, spawn
from measuring import ROOT, goal, markdown, ratio, turns, write_result
from stacks import Stack, our_stack, render, render_stock, stock_stack

GOAL_RATIO = 0.97
PEERS = {"stock": "MMAction2's tools/train.py", "stock_loop": "MMEngine's loop and hooks, our config"}
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
    steps: dict[str, list[float]] = {"ours": [], "stock_loop": [], "stock": []}
    whole: dict[str, list[float]] = {name: [] for name in steps}
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        options = ["--set", f"epoch={arguments.epochs}", "--set", "train.val_interval=1"]
        words = ["-c", str(arguments.config.resolve()), "--work-dir", str(folder / "render"), *options]
        render(words, folder / "loop.py")
        render_stock(words, folder / "stock.py")
        with (folder / "loop.py").open("a") as file:
            file.write(STOCK_LOOP)
        stacks: dict[str, Stack] = {
            "ours": our_stack(arguments.config.resolve(), *options),
            "stock_loop": stock_stack(folder / "loop.py", arguments.epochs),
            "stock": stock_stack(folder / "stock.py", arguments.epochs),
        }
        for number, name in turns(list(stacks), arguments.repeats):
            place = folder / f"{name}-{number}"
            life = live(spawn, stacks[name].command(place / "run", None), place, None)
            found = epoch_seconds(life.events)
            if len(found[0]) != arguments.epochs - 1:
                raise SystemExit(f"{name} did not end well\n{life.output[-3000:]}")
            steps[name] += found[0]
            whole[name] += found[1]
            print(f"{name:10}  {statistics.median(found[0]):6.3f} s  {statistics.median(found[1]):6.3f} s", flush=True)
        videos = json.loads((folder / "ours-0" / "run" / "plan.json").read_text())["num_videos"]["train"]
    figures = {
        "videos_an_epoch": videos,
        "seconds_to_the_last_step": steps,
        "seconds_to_the_end_of_the_validation": whole,
    }
    print(table(write_result("reliability_cost", figures)))


def table(record: dict[str, Any]) -> str:
    """Videos a second of ours and of each peer, without and with validation and saving."""
    kinds = {"steps alone": "seconds_to_the_last_step", "with all saving": "seconds_to_the_end_of_the_validation"}
    rows = []
    for kind, key in kinds.items():
        rates = {name: record["videos_an_epoch"] / statistics.median(found) for name, found in record[key].items()}
        for peer, words in PEERS.items():
            times = ratio(record[key], peer, "ours")
            cells = [f"{rates[side]:.1f} videos/s" for side in ("ours", peer)]
            rows.append([f"{kind}, against {words}", *cells, f"{times:.2f}", goal(times, at_least=GOAL_RATIO)])
    return markdown(["training", "ours", "stock", "ratio", "goal"], rows)


if __name__ == "__main__":
    main()
