"""A work dir that is killed again and again, and the count of what happened."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import killing
import stacks
from killing import Life, Moment, live
from stacks import Stack

SLOW = ("--bytes-per-second", "10e6")
STEPS = 8
KILLS_A_CHAIN = 10
Start = Callable[[list[str], Path], killing.Started]
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
        self.went_on |= bool(steps) and steps[0] > 0
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
    return {**stacks.digests(stack.final(work_dir)), "best": str(stack.best_epoch(work_dir))}


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
