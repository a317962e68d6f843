"""`kill -9`: the short form of `make torture`, with its own tools."""

from __future__ import annotations

from pathlib import Path

import killing
import pytest
import torture
from killing import Moment
from torture import SLOW, STEPS, Chain

OFTEN = ("--save-every", "3")


@pytest.fixture(scope="module")
def place(tmp_path_factory) -> torture.Place:
    return torture.make_place(tmp_path_factory.mktemp("place"), epochs=2)


@pytest.fixture(scope="module")
def straight(place) -> dict[str, str]:
    return torture.straight_run(place.ours, place.folder / "straight")


def test_a_training_killed_in_writes_and_between_steps_loses_nothing(place, straight, tmp_path):
    chain = Chain(place.ours, tmp_path)
    # While `last.pth` is written for the first time, while `best.pth` is, and in the second epoch.
    chain.live(Moment("write ", 1, 0.2, "main"), *SLOW, workers=1)
    assert not (chain.work_dir / "last.pth").exists()
    chain.live(Moment("write .best", 1, 0.2), *SLOW, *OFTEN, workers=1)
    assert not (chain.work_dir / "best.pth").exists()
    life = chain.live(Moment("step ", 6, 0.0, "main"), *OFTEN, workers=0)
    # What was saved before the validation is validated, and not trained again.
    assert life.numbers("step")[0] == STEPS
    chain.finish(straight)
    assert chain.counts == {"kills": 3, "in_write": 2, "chains": 1, "identical": 1}
    assert not list(Path(chain.work_dir).glob(".*.tmp"))


def test_two_processes_killed_inside_an_epoch_end_with_the_same_bits(place, tmp_path):
    straight = torture.straight_run(place.two, tmp_path / "straight", killing.fork_two)
    chain = Chain(place.two, tmp_path, killing.fork_two, OFTEN)
    for moment in (Moment("step ", 6, 0.0, "all"), Moment("step ", 7, 0.0, "1")):
        chain.live(moment, workers=0)
    chain.finish(straight)
    assert chain.counts == {"kills": 2, "in_write": 0, "chains": 1, "identical": 1}
