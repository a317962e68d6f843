"""Room on disk for what a training writes, looked at before the first batch and not found out after hours."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from autox_video.errors import Problem, RequestError
from autox_video.work_dir import WorkDir

# Weights and the two moments of AdamW, all float32.
STATE_BYTES_PER_PARAMETER = 12
WEIGHT_BYTES_PER_PARAMETER = 4
# Tables of positions, names, the plan and the log of the run: measured 13 % of a model of 0.4 million parameters
# (with the next line), 5 % of one of 28 million.
OVERHEAD = 1.1
FIXED_BYTES = 1_000_000


@dataclass(frozen=True)
class Need:
    """What some files will take.

    Attributes:
        folder: Where they will be; it need not exist yet.
        what: They, as a plural noun.
        num_bytes: Beyond what stands there already.
        otherwise: How to do without them, as the end of a sentence.
    """

    folder: Path
    what: str
    num_bytes: int
    otherwise: str = ""


def checkpoint_need(work_dir: WorkDir, num_parameters: int) -> Need:
    """What the checkpoints of a run take: the last, the one before, the best, its weights alone, and one in writing.

    Args:
        work_dir: Those that are there already, and will be replaced, count.
        num_parameters: Of the model.
    """
    names = ("last.pth", "previous.pth", "best.pth", "best.safetensors")
    there = sum(path.stat().st_size for name in names if (path := work_dir.root / name).is_file())
    return Need(
        work_dir.root, "checkpoints", max(_state_bytes(num_parameters), checkpoint_bytes(num_parameters) - there)
    )


def checkpoint_bytes(num_parameters: int) -> int:
    """Room that the checkpoints of a run take at most, one in writing among them."""
    return 4 * _state_bytes(num_parameters) + WEIGHT_BYTES_PER_PARAMETER * num_parameters


def download_bytes(num_parameters: int) -> int:
    """Size of a file of pretrained weights."""
    return int(WEIGHT_BYTES_PER_PARAMETER * num_parameters * OVERHEAD)


def download_need(target: Path, num_parameters: int) -> Need:
    """What pretrained weights take that are still to be downloaded."""
    return Need(target.parent, "pretrained weights", download_bytes(num_parameters))


def check_room(needs: Iterable[Need]) -> None:
    """Refuse to begin what the disks will not hold.

    Args:
        needs: Those on one file system are added up.

    Raises:
        RequestError: A file system has less room; each is named with what is needed and what is free.
    """
    shared: dict[int, list[Need]] = {}
    for need in needs:
        shared.setdefault(_existing(need.folder).stat().st_dev, []).append(need)
    problems = []
    for group in shared.values():
        free, needed = _free_bytes(group[0].folder), sum(need.num_bytes for need in group)
        if free is not None and free < needed:
            what = " and ".join(f"{need.what} take up to {size_in_words(need.num_bytes)}" for need in group)
            cure = f"Free space, or choose another work_dir{''.join(need.otherwise for need in group)}"
            problems.append(
                Problem(str(group[0].folder), f"{what}, and there is less room", cure, f"{size_in_words(free)} free")
            )
    if problems:
        raise RequestError(problems)


def _state_bytes(num_parameters: int) -> int:
    return int(STATE_BYTES_PER_PARAMETER * num_parameters * OVERHEAD) + FIXED_BYTES


def _existing(folder: Path) -> Path:
    return next(path for path in (folder.absolute(), *folder.absolute().parents) if path.exists())


def _free_bytes(folder: Path) -> int | None:
    """Free for this user; None where the file system does not say, as some in user space don't."""
    facts = os.statvfs(_existing(folder))
    return facts.f_bavail * facts.f_frsize if facts.f_blocks else None


def size_in_words(count: float) -> str:
    """A number of bytes for people."""
    return f"{count / 1e9:.2f} GB" if count >= 1e9 else f"{count / 1e6:.1f} MB"
