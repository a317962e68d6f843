from __future__ import annotations

import pytest

from autox_video.errors import RequestError
from autox_video.processes import Place, first_node, own_place

TORCHRUN = {
    **{"RANK": "5", "WORLD_SIZE": "8", "LOCAL_RANK": "1", "LOCAL_WORLD_SIZE": "4"},
    **{"MASTER_ADDR": "node0", "MASTER_PORT": "29400"},
}
ELASTIC = {"TORCHELASTIC_RUN_ID": "x", "TORCHELASTIC_RESTART_COUNT": "2"}
OURS = {"AUTOX_VIDEO_LAUNCHER": "123 1"}
# What srun gives the second task of its second machine, of a job with two machines.
TASK = {
    **{"SLURM_JOB_ID": "1234567", "SLURM_STEP_ID": "1", "SLURM_NTASKS": "7", "SLURM_STEP_NUM_TASKS": "7"},
    **{"SLURM_PROCID": "5", "SLURM_LOCALID": "1", "SLURM_NODEID": "1", "SLURM_STEP_TASKS_PER_NODE": "4,3"},
    **{"SLURM_JOB_NODELIST": "gpu[01-09]", "SLURM_STEP_NODELIST": "gpu[03-04]"},
    **{"SLURM_GPUS_ON_NODE": "4", "SLURM_CPUS_PER_TASK": "8"},
}


@pytest.mark.parametrize(
    ("environment", "place"),
    [
        ({}, Place(0, 1, 0, 1)),
        # A cluster may say so of each of many runs that have nothing to do with each other.
        ({"WORLD_SIZE": "1", "RANK": "0"}, Place(0, 1, 0, 1)),
        (TORCHRUN, Place(5, 8, 1, 4, "node0", 29400, "the environment")),
        ({**TORCHRUN, **ELASTIC}, Place(5, 8, 1, 4, "node0", 29400, "torchrun", restarts=2)),
        ({**TORCHRUN, **ELASTIC, **OURS}, Place(5, 8, 1, 4, "node0", 29400, "torchrun", 123, 1)),
        ({"WORLD_SIZE": "1", **ELASTIC}, Place(launcher="torchrun", restarts=2)),
        (TASK, Place(5, 7, 1, 3, "gpu03", 24568, "srun", gpus_on_machine=4, cores_each=8)),
        (
            {**TASK, "MASTER_ADDR": "10.0.0.1", "MASTER_PORT": "5000", "WORLD_SIZE": "7"},
            Place(5, 7, 1, 3, "10.0.0.1", 5000, "srun", gpus_on_machine=4, cores_each=8),
        ),
        # srun has started torchrun, which decides.
        ({**TASK, **TORCHRUN, **ELASTIC}, Place(5, 8, 1, 4, "node0", 29400, "torchrun", restarts=2)),
        # A batch script, an interactive shell, and one task are a process each, which may start others.
        ({name: value for name, value in TASK.items() if "_STEP_" not in name}, Place()),
        ({**TASK, "SLURM_PTY_PORT": "40000"}, Place()),
        ({**TASK, "SLURM_STEP_NUM_TASKS": "1"}, Place()),
    ],
)
def test_the_place_in_the_run_is_what_the_launcher_says(environment, place):
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


@pytest.mark.parametrize(
    ("nodes", "first"),
    [
        ("node1", "node1"),
        ("node1,node2", "node1"),
        ("gpu[03-05,9],login1", "gpu03"),
        ("rack[1-2]n[07,09]", "rack1n07"),
        ("a.example.org,b.example.org", "a.example.org"),
    ],
)
def test_processes_meet_on_the_first_machine_of_a_list(nodes, first):
    assert first_node(nodes) == first


@pytest.mark.parametrize(
    ("place", "visible", "gpu"),
    [
        (Place(5, 8, 1, 4), 4, 1),
        (Place(5, 8, 1, 4), 8, 1),
        (Place(5, 8, 1, 4), 1, None),
        (Place(5, 8, 1, 4), 0, None),
        # A batch system that shows each process its own GPU and no other.
        (Place(5, 8, 1, 4, gpus_on_machine=4), 1, 0),
        (Place(5, 8, 1, 4, gpus_on_machine=1), 1, None),
    ],
)
def test_a_process_has_a_gpu_of_its_own_or_none(place, visible, gpu):
    assert place.gpu(visible) == gpu
