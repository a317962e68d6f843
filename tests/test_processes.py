from __future__ import annotations

import pytest

from autox_video.errors import RequestError
from autox_video.processes import Place, own_place

TORCHRUN = {
    **{"RANK": "5", "WORLD_SIZE": "8", "LOCAL_RANK": "1", "LOCAL_WORLD_SIZE": "4"},
    **{"MASTER_ADDR": "node0", "MASTER_PORT": "29400"},
}


@pytest.mark.parametrize(
    ("environment", "place"),
    [
        ({}, Place(0, 1, 0, 1)),
        # A cluster may say so of each of many runs that have nothing to do with each other.
        ({"WORLD_SIZE": "1", "RANK": "0"}, Place(0, 1, 0, 1)),
        (TORCHRUN, Place(5, 8, 1, 4)),
    ],
)
def test_the_place_in_the_run_is_what_torchrun_says(environment, place):
    assert own_place(environment) == place


def test_only_rank_0_is_first_and_only_one_process_is_alone():
    assert (own_place({}).is_first, own_place({}).is_alone) == (True, True)
    assert (own_place(TORCHRUN).is_first, own_place(TORCHRUN).is_alone) == (False, False)


def test_several_processes_that_nothing_joins_are_refused():
    with pytest.raises(RequestError) as caught:
        own_place({"WORLD_SIZE": "2", "RANK": "0", "MASTER_ADDR": "node0", "MASTER_PORT": "1"})
    assert str(caught.value) == (
        "WORLD_SIZE: asks for several processes, but LOCAL_RANK, LOCAL_WORLD_SIZE is missing (got 2). "
        "Start with torchrun, which sets them all, or unset WORLD_SIZE."
    )
