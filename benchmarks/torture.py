"""What `kill -9` costs: a training is killed at random moments and started again, ours and stock MMEngine alike.

Stock is MMAction2's own `tools/train.py --resume` on the config that `render --stock` writes for the same run. On
PyTorch 2.6 and later it cannot read its own checkpoints; that is shown once, and then it is allowed to read them
unsafely (TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD=1), so that it can be measured at all.

    python benchmarks/torture.py [--kills 60] [--chains 2] [--only random-ours random-stock ...]

`victim.py` says how a training is made to tell what it does and to write slowly. Figures are written to
benchmarks/results/torture.json, those of each experiment when it ends; docs/reliability.md explains them.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import killing
from chains import (
    COUNTS,
    Chain,
    Start,
    at_epoch_ends,
    ended_well,
    final_state,
    inside_epochs,
    kill_chain,
    random_kills,
)
from killing import Moment
from measuring import RESULTS, ROOT, machine, markdown
from stacks import Stack, our_stack, render_stock, stock_stack

RESULT = RESULTS / "torture.json"
EPOCHS = 14
Moments = Callable[[random.Random], list[Moment]]
UNSAFE = "TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD"
# The experiments, in the order of the table.
TITLES = {
    "random-ours": "any moment: autox_video",
    "random-stock": "any moment: stock",
    "epoch-ends-ours": "ends of epochs: autox_video",
    "epoch-ends-stock": "ends of epochs: stock",
    "inside-epochs-ours": "inside epochs: autox_video",
    "inside-epochs-stock": "inside epochs: stock",
    "two-processes-ours": "inside epochs, two processes: autox_video",
    "as-it-is-stock": "after an epoch: stock, not allowed to read unsafely",
}


@dataclass(frozen=True)
class Place:
    """Where the experiments run: data, and the two stacks."""

    folder: Path
    ours: Stack
    two: Stack
    stock: Stack


def make_place(folder: Path, epochs: int = EPOCHS) -> Place:
    """Sixteen small videos in two classes, a training with augmentation and dropout in epochs of `STEPS` steps."""
    sys.path[:0] = [str(ROOT), str(ROOT / "tests")]
    import videos

    lists = videos.write_dataset(folder / "data")
    settings = {
        "model": {"name": "video_swin_nano", "load_from": "none"},
        "clip": {"clip_len": 4},
        "videos_per_gpu": 2,
        "epoch": epochs,
        "train": {"val_interval": 1},
        "runtime": {"device": "cpu", "workers": 1},
    }
    config = videos.write_config(folder / "data" / "config.yaml", **lists, **settings)
    rendered = folder / "stock.py"
    render_stock(["-c", str(config), "--work-dir", str(folder / "rendered")], rendered)
    ours = our_stack(config)
    two = our_stack(config, "--set", "videos_per_gpu=1")
    return Place(folder, ours, two, stock_stack(rendered, epochs))


def straight_run(stack: Stack, folder: Path, start: Start = killing.fork) -> dict[str, str]:
    """The end of a run that nobody kills."""
    chain = Chain(stack, folder, start)
    life = chain.live(None)
    if not ended_well(life, stack):
        raise SystemExit(f"{stack.name}: the straight run failed\n{life.output[-3000:]}")
    return final_state(stack, chain.work_dir)


def stock_as_it_is(place: Place) -> Counter[str]:
    """Whether stock goes on at all, without being allowed to read its checkpoints unsafely."""
    os.environ.pop(UNSAFE, None)
    chain = Chain(place.stock, place.folder / "stock-as-it-is")
    chain.live(Moment("best ", 1, 0.2))
    life = chain.live(None)
    return Counter(kills=1, impossible=int(not ended_well(life, place.stock)))


def experiments(place: Place, kills: int, chains: int, seed: int) -> dict[str, Callable[[], Counter[str]]]:
    """Each is free to run alone; its random numbers are its own."""

    def randomly(stack: Stack) -> Counter[str]:
        folder = place.folder / f"random-{stack.name}"
        return random_kills(stack, folder, kills, random.Random(seed), straight_run(stack, folder / "straight"))

    def chained(
        name: str, stack: Stack, moments: Moments, *extra: str, start: Start = killing.fork, times: int = chains
    ) -> Counter[str]:
        folder, total = place.folder / f"{name}-{stack.name}", Counter[str]()
        straight = straight_run(stack, folder / "straight", start)
        for number in range(times):
            chain = Chain(stack, folder / str(number), start, extra)
            total += kill_chain(chain, moments(random.Random(f"{seed} {name} {number}")), straight)
            print(f"  {name} {stack.name}: {dict(total)}", flush=True)
        return total

    def inside(*targets: str) -> Moments:
        return lambda chance: inside_epochs(chance, *targets)

    often, alone, ours, stock = ("--save-every", "3"), ("main", "group"), place.ours, place.stock
    two = {"start": killing.torchrun, "times": 1}
    return {
        "random-ours": lambda: randomly(ours),
        "random-stock": lambda: randomly(stock),
        "epoch-ends-ours": lambda: chained("epoch-ends", ours, at_epoch_ends),
        "epoch-ends-stock": lambda: chained("epoch-ends", stock, at_epoch_ends),
        "inside-epochs-ours": lambda: chained("inside-epochs", ours, inside(*alone), *often),
        "inside-epochs-stock": lambda: chained("inside-epochs", stock, inside(*alone)),
        "two-processes-ours": lambda: chained("two-processes", place.two, inside("0", "1", "all"), *often, **two),
        "as-it-is-stock": lambda: stock_as_it_is(place),
    }


def record(name: str, counts: Counter[str], seconds: float, seed: int) -> None:
    """Add an experiment to the file of results."""
    results = json.loads(RESULT.read_text()) if RESULT.exists() else {}
    results[name] = {
        "counts": {key: counts[key] for key in COUNTS},
        "seconds": round(seconds, 1),
        "seed": seed,
        **machine(),
    }
    RESULT.parent.mkdir(parents=True, exist_ok=True)
    RESULT.write_text(json.dumps(results, indent=2) + "\n")


def table(results: dict[str, dict[str, Any]]) -> str:
    """The counts, a row each experiment, as Markdown."""
    found = [(title, results[name]["counts"]) for name, title in TITLES.items() if name in results]
    rows = [[title, *(str(counts[key]) for key in COUNTS)] for title, counts in found]
    return markdown(["killed at", *COUNTS.values()], rows)


def main() -> None:
    """Torture, count and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=60, help="random kills of each stack")
    parser.add_argument("--chains", type=int, default=2, help="chains of ten kills of each kind")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", nargs="*", help="names of experiments")
    arguments = parser.parse_args()
    os.environ["OMP_NUM_THREADS"] = "1"
    # Imported once, and inherited by every fork; nothing of ours among them, for stock is forked from here too.
    import cv2  # noqa: F401
    import decord  # noqa: F401
    import mmengine.runner  # noqa: F401
    import torch

    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as temporary:
        place = make_place(Path(temporary))
        for name, run in experiments(place, arguments.kills, arguments.chains, arguments.seed).items():
            if arguments.only and name not in arguments.only:
                continue
            os.environ[UNSAFE] = "1"
            started = time.perf_counter()
            counts = run()
            record(name, counts, time.perf_counter() - started, arguments.seed)
            print(name, dict(counts), f"{time.perf_counter() - started:.0f} s", flush=True)
    print(table(json.loads(RESULT.read_text())))


if __name__ == "__main__":
    main()
