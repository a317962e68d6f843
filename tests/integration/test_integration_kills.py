"""`kill -9`: the short form of `make torture`, with its own tools."""

from __future__ import annotations

import killing
import pytest
import torture
from chains import Chain, final_state
from killing import Moment
from runs import run_cli

OFTEN = ("--save-every", "3")
# A checkpoint takes seconds: a busy machine cannot miss the middle of its writing.
SLOW = ("--bytes-per-second", "2e6")


@pytest.fixture(scope="module")
def place(tmp_path_factory) -> torture.Place:
    """An epoch of sixteen videos, two a step."""
    return torture.make_place(tmp_path_factory.mktemp("place"), epochs=1)


@pytest.fixture(scope="module")
def straight(place) -> dict[str, str]:
    """The end of a run that nobody killed, in this process: what it imports, the killed ones inherit."""
    work_dir = place.folder / "straight"
    run_cli("train", *place.ours.command(work_dir, 1)[1:])
    return final_state(place.ours, work_dir)


def test_a_training_killed_in_writes_and_between_steps_loses_nothing(place, straight, tmp_path):
    chain = Chain(place.ours, tmp_path, extra=OFTEN)
    chain.live(Moment("write ", 2, 0.2, "main"), *SLOW, workers=1)
    # The first write was finished after step 3, the second was to be after step 6.
    life = chain.live(Moment("step ", 1, 0.0), workers=2)
    assert life.numbers("step")[0] == 3
    chain.live(Moment("write .best", 1, 0.2), *SLOW, workers=0)
    assert not (chain.work_dir / "best.pth").exists()
    # What was saved before the validation is validated, and not trained again.
    chain.finish(straight)
    assert chain.counts == {"kills": 3, "in_write": 2, "chains": 1, "identical": 1}
    assert not list(chain.work_dir.glob(".*.tmp"))


def test_two_processes_killed_inside_an_epoch_end_with_the_same_bits(place, straight, tmp_path):
    together = torture.straight_run(place.two, tmp_path / "straight", killing.fork_two)
    chain = Chain(place.two, tmp_path, killing.fork_two, OFTEN)
    chain.live(Moment("step ", 5, 0.0, "all"), workers=0)
    chain.finish(together)
    assert {**chain.counts, "in_write": 0} == {"kills": 1, "in_write": 0, "chains": 1, "identical": 1}
