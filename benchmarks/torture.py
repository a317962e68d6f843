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
import platform
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

import killing
from killing import Life, Moment, Stack, live

ROOT = Path(__file__).resolve().parent.parent
RESULT = ROOT / "benchmarks" / "results" / "torture.json"
SLOW = ("--bytes-per-second", "10e6")
EPOCHS = 14
STEPS = 8
KILLS_A_CHAIN = 10
Start = Callable[[list[str], Path], killing.Started]
Moments = Callable[[random.Random], list[Moment]]
UNSAFE = "TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD"
# What is counted, and the heads of the table.
COUNTS = {
    "kills": "kills",
    "in_write": "while a checkpoint was written",
    "impossible": "resume impossible",
    "silent": "silent restart",
    "behind": "went back further than the last save",
    "best_lost": "best lost",
    "chains": "runs that ended",
    "identical": "identical to the straight run",
}
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


@dataclass
class Chain:
    """One work dir, killed again and again.

    Attributes:
        stack: Whose.
        folder: Its room; the work dir is `run` in it.
        start: How its processes are started.
        extra: More words for `victim.py`.
        counts: What happened, under the keys of `COUNTS`.
        saved: The step after the newest save that was finished; 0 before the first.
        best: The epoch of the newest best checkpoint that was finished; 0 before the first.
        went_on: Whether any life began from a saved state.
    """

    stack: Stack
    folder: Path
    start: Start = killing.fork
    extra: tuple[str, ...] = ()
    counts: Counter[str] = field(default_factory=Counter)
    saved: int = 0
    best: int = 0
    went_on: bool = False

    @property
    def work_dir(self) -> Path:
        return self.folder / "run"

    def live(self, moment: Moment | None, *options: str, workers: int = 1) -> Life:
        """One life; judges how it began and what it left."""
        words = [*options, *self.extra, *self.stack.command(self.work_dir, workers)]
        life = live(self.start, words, self.folder, moment)
        steps = life.numbers("step")
        if self.saved and steps and steps[0] < self.saved:
            self.counts["silent" if steps[0] == 0 else "behind"] += 1
            self.saved = self.best = 0
        if steps:
            self.went_on |= steps[0] > 0
            self.saved = max([self.saved, *(epoch * STEPS for epoch in life.numbers("saved"))])
            self.best = max([self.best, *life.numbers("best")])
        if life.killed:
            self.counts.update(kills=1, in_write=life.in_write)
            if self.stack.best_epoch(self.work_dir) < self.best:
                self.counts["best_lost"] += 1
                self.best = 0
        return life

    def finish(self, straight: dict[str, str]) -> None:
        """Let it end, and compare."""
        life = self.live(None)
        if not ended_well(life, self.stack):
            self.counts["impossible"] += 1
            return
        self.compare(straight)

    def compare(self, straight: dict[str, str]) -> None:
        """Compare the end of the run with that of the straight one."""
        end = final_state(self.stack, self.work_dir)
        # A run that began anew after every kill says nothing of resuming.
        if self.went_on:
            self.counts.update(chains=1, identical=end == straight)


def final_state(stack: Stack, work_dir: Path) -> dict[str, str]:
    """Weights, optimizer and best epoch at the end of a run."""
    return {**killing.digests(stack.final(work_dir)), "best": str(stack.best_epoch(work_dir))}


def ended_well(life: Life, stack: Stack) -> bool:
    """Whether a life that was not killed reached the end of the training."""
    return "Traceback" not in life.output and (stack.name == "stock" or "best     epoch" in life.output)


def random_moment(chance: random.Random, in_write: bool) -> Moment:
    """Inside the slowed writing of a checkpoint, or at any time of a life."""
    target = chance.choice(("main", "group"))
    if in_write:
        # A checkpoint of 5.5 MB takes 0.55 s at 10 MB/s.
        return Moment("write ", chance.randint(1, 4), chance.uniform(0, 0.55), target)
    return Moment("", 1, chance.uniform(0, 6), target)


def random_kills(
    stack: Stack, folder: Path, kills: int, chance: random.Random, straight: dict[str, str]
) -> Counter[str]:
    """Kill at random moments; a run that is of no more use, finished, or killed ten times is followed by another."""
    total: Counter[str] = Counter()
    number = 0
    while total["kills"] < kills:
        chain = Chain(stack, folder / str(number))
        number += 1
        while True:
            in_write = chance.random() < 0.6
            life = chain.live(random_moment(chance, in_write), *(SLOW if in_write else ()))
            done = chain.counts["kills"] >= KILLS_A_CHAIN or total["kills"] + chain.counts["kills"] >= kills
            if not life.killed:
                if ended_well(life, stack):
                    chain.compare(straight)
                else:
                    chain.counts["impossible"] += 1
                    (folder / f"impossible_{number}.txt").write_text(life.output)
                break
            if done:
                chain.finish(straight)
                break
        total += chain.counts
        print(f"  {stack.name}: {dict(total)}", flush=True)
    return total


def kill_chain(chain: Chain, moments: list[Moment], straight: dict[str, str]) -> Counter[str]:
    """Kill at each of the moments, with another number of loading processes each time where the stack is ours."""
    for number, moment in enumerate(moments):
        # The threads of a training are those of its first saved state, whatever the number afterwards.
        changes = chain.saved and chain.stack.name == "ours"
        life = chain.live(moment, workers=number % 3 if changes else 1)
        if not life.killed:
            if not ended_well(life, chain.stack):
                chain.counts["impossible"] += 1
                return chain.counts
            break
    chain.finish(straight)
    return chain.counts


def at_epoch_ends(chance: random.Random) -> list[Moment]:
    """Shortly before, in or after what is done at the end of an epoch."""
    ends = ("write ", "saved ", "best ")
    return [
        Moment(chance.choice(ends), 1, chance.uniform(0, 0.03), chance.choice(("main", "group")))
        for _ in range(KILLS_A_CHAIN)
    ]


def inside_epochs(chance: random.Random, *targets: str) -> list[Moment]:
    """After some steps."""
    return [
        Moment("step ", chance.randint(2, STEPS + 4), chance.uniform(0, 0.03), chance.choice(targets))
        for _ in range(KILLS_A_CHAIN)
    ]


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
    words = ["render", "-c", str(config), "--work-dir", str(folder / "rendered"), "--stock", "-o", str(rendered)]
    subprocess.run([sys.executable, "-m", "autox_video", *words], check=True, cwd=ROOT, stdout=subprocess.DEVNULL)
    ours = killing.our_stack(config)
    two = killing.our_stack(config, "--set", "videos_per_gpu=1")
    return Place(folder, ours, two, killing.stock_stack(rendered, epochs))


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
        "date": time.strftime("%Y-%m-%d"),
        "cores": os.cpu_count(),
        "load": os.getloadavg()[0],
        "python": platform.python_version(),
        "versions": {package: version(package) for package in ("torch", "mmengine", "mmaction2", "numpy")},
    }
    RESULT.parent.mkdir(parents=True, exist_ok=True)
    RESULT.write_text(json.dumps(results, indent=2) + "\n")


def table(results: dict[str, dict[str, Any]]) -> str:
    """The counts, a row each experiment, as Markdown."""
    rows = [f"| killed at | {' | '.join(COUNTS.values())} |", "|---|" + "---|" * len(COUNTS)]
    for name, title in TITLES.items():
        if name in results:
            rows.append(f"| {title} | {' | '.join(str(results[name]['counts'][key]) for key in COUNTS)} |")
    return "\n".join(rows)


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
