"""Which of the processes of a run this one is, as its launcher says in the environment. Knows no torch."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass

from autox_video.errors import Problem, RequestError

# What torchrun gives each process it starts.
VARIABLES = ("RANK", "WORLD_SIZE", "LOCAL_RANK", "LOCAL_WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT")
RESTARTS = "TORCHELASTIC_RESTART_COUNT"
# What our own launcher adds to them: its process id, and how often it has begun again.
LAUNCHER_VARIABLE = "AUTOX_VIDEO_LAUNCHER"
# Below the ports that Linux hands out by itself.
FIRST_PORT, NUM_PORTS = 10_000, 20_000


@dataclass(frozen=True)
class Place:
    """The place of a process in its run.

    Attributes:
        rank: Its number in the whole run; 0 reads, decides, writes and speaks for all.
        world_size: Processes of the run.
        local_rank: Its number on its machine.
        local_world_size: Processes of the run on its machine.
        address: The machine where the processes meet.
        port: Its port where they meet.
        launcher: What decided how many processes there are; empty when nothing did.
        launcher_pid: Our own launcher's process, with which this one ends; 0 when another one started it.
        restarts: How often the launcher has begun again after a failure.
        gpus_on_machine: GPUs that the launcher set aside on this machine; None where it does not say.
        cores_each: Cores that it gave each process by itself; None where it does not say.
    """

    rank: int = 0
    world_size: int = 1
    local_rank: int = 0
    local_world_size: int = 1
    address: str = ""
    port: int = 0
    launcher: str = ""
    launcher_pid: int = 0
    restarts: int = 0
    gpus_on_machine: int | None = None
    cores_each: int | None = None

    @property
    def is_first(self) -> bool:
        """Whether this process reads, decides, writes and speaks for all."""
        return self.rank == 0

    @property
    def is_alone(self) -> bool:
        """Whether the run has no other process."""
        return self.world_size == 1

    def gpu(self, visible: int) -> int | None:
        """Which of the GPUs that this process sees is its own; None where there are too few.

        A batch system may show each process all of them, or its own and no other.

        Args:
            visible: GPUs that this process sees.
        """
        if visible >= self.local_world_size:
            return self.local_rank
        return 0 if visible == 1 and (self.gpus_on_machine or 0) >= self.local_world_size else None


def own_place(environment: Mapping[str, str] | None = None) -> Place:
    """Where the launcher put this process; alone when there is none.

    Every launcher is read here and nowhere else. torchrun's word goes first: it may be started by srun itself.

    Args:
        environment: The environment variables; those of this process when None.

    Raises:
        RequestError: The environment names several processes, but not all that joins them.
    """
    environment = os.environ if environment is None else environment
    if "RANK" not in environment and (place := _from_slurm(environment)):
        return place
    return _from_torchrun(environment)


def _from_torchrun(environment: Mapping[str, str]) -> Place:
    world_size = environment.get("WORLD_SIZE", "1")
    launcher = "torchrun" if "TORCHELASTIC_RUN_ID" in environment else ""
    if world_size == "1":
        return Place(launcher=launcher, restarts=int(environment.get(RESTARTS, "0")))
    if missing := [name for name in VARIABLES if not environment.get(name)]:
        wrong = f"asks for several processes, but {', '.join(missing)} is missing"
        cure = "Start with torchrun, which sets them all, or unset WORLD_SIZE"
        raise RequestError(Problem("WORLD_SIZE", wrong, cure, world_size))
    pid, restarts = environment.get(LAUNCHER_VARIABLE, "0 0").split()
    rank, _, local_rank, local_world_size = (int(environment[name]) for name in VARIABLES[:4])
    return Place(
        rank,
        int(world_size),
        local_rank,
        local_world_size,
        address=environment["MASTER_ADDR"],
        port=int(environment["MASTER_PORT"]),
        launcher=launcher or "the environment",
        launcher_pid=int(pid),
        restarts=int(restarts) or int(environment.get(RESTARTS, "0")),
    )


def _from_slurm(environment: Mapping[str, str]) -> Place | None:
    """The place of a task of srun; None anywhere else.

    Only srun sets the variables of a step: a batch script has those of its job, and is one process. A shell that
    `srun --pty` opened has them too, but whoever types there is one process.
    """
    world_size = environment.get("SLURM_STEP_NUM_TASKS", "1")
    if world_size == "1" or "SLURM_PTY_PORT" in environment:
        return None
    job, step = (int(environment.get(name, "0")) for name in ("SLURM_JOB_ID", "SLURM_STEP_ID"))
    nodes = environment.get("SLURM_STEP_NODELIST") or environment.get("SLURM_JOB_NODELIST", "")
    each = _tasks_of_nodes(environment.get("SLURM_STEP_TASKS_PER_NODE") or world_size)
    gpus, cores = environment.get("SLURM_GPUS_ON_NODE", ""), environment.get("SLURM_CPUS_PER_TASK", "")
    return Place(
        int(environment["SLURM_PROCID"]),
        int(world_size),
        int(environment["SLURM_LOCALID"]),
        each[int(environment.get("SLURM_NODEID", "0"))],
        address=environment.get("MASTER_ADDR") or first_node(nodes),
        port=int(environment.get("MASTER_PORT") or FIRST_PORT + (job + step) % NUM_PORTS),
        launcher="srun",
        gpus_on_machine=int(gpus) if gpus.isdecimal() else None,
        cores_each=int(cores) if cores.isdecimal() else None,
    )


def first_node(nodes: str) -> str:
    """The first machine of a list as Slurm writes it: `gpu[03-05,9],login1` begins with `gpu03`."""
    return re.sub(r"\[([^],-]+)[^]]*\]", r"\1", nodes).partition(",")[0]


def _tasks_of_nodes(text: str) -> list[int]:
    """`4(x2),3` are two machines with four tasks, and one with three."""
    found = (re.fullmatch(r"(\d+)(?:\(x(\d+)\))?", part) for part in text.split(","))
    return [int(match[1]) for match in found if match for _ in range(int(match[2] or 1))]
