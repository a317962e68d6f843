"""Which of the processes of a run this one is, as its launcher says in the environment. Knows no torch."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass

from autox_video.errors import Problem, RequestError

# What torchrun gives each process it starts.
VARIABLES = ("RANK", "WORLD_SIZE", "LOCAL_RANK", "LOCAL_WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT")


@dataclass(frozen=True)
class Place:
    """The place of a process in its run.

    Attributes:
        rank: Its number in the whole run; 0 reads, decides, writes and speaks for all.
        world_size: Processes of the run.
        local_rank: Its number on its machine, and that of its GPU.
        local_world_size: Processes of the run on its machine.
    """

    rank: int = 0
    world_size: int = 1
    local_rank: int = 0
    local_world_size: int = 1

    @property
    def is_first(self) -> bool:
        """Whether this process reads, decides, writes and speaks for all."""
        return self.rank == 0

    @property
    def is_alone(self) -> bool:
        """Whether the run has no other process."""
        return self.world_size == 1


def own_place(environment: Mapping[str, str] | None = None) -> Place:
    """Where the launcher put this process; alone when there is none.

    Every launcher is read here and nowhere else: another one (`srun`) is one more function that makes a `Place`.

    Args:
        environment: The environment variables; those of this process when None.

    Raises:
        RequestError: The environment names several processes, but not all that joins them.
    """
    return _from_torchrun(os.environ if environment is None else environment)


def _from_torchrun(environment: Mapping[str, str]) -> Place:
    world_size = environment.get("WORLD_SIZE", "1")
    if world_size == "1":
        return Place()
    if missing := [name for name in VARIABLES if not environment.get(name)]:
        wrong = f"asks for several processes, but {', '.join(missing)} is missing"
        cure = "Start with torchrun, which sets them all, or unset WORLD_SIZE"
        raise RequestError(Problem("WORLD_SIZE", wrong, cure, world_size))
    return Place(*(int(environment[name]) for name in VARIABLES[:4]))
