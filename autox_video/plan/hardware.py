"""What this machine has, found out without torch: importing that takes seconds, asking the driver milliseconds.

Limits count as well as hardware: a container or a batch system may give a process two of 64 cores.
"""

from __future__ import annotations

import functools
import logging
import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from autox_video.plan.schema import Hardware

logger = logging.getLogger(__name__)

GIB = 2**30
NVIDIA_SMI_TIMEOUT_SECONDS = 5
QUERY = "--query-gpu=uuid,name,memory.total,compute_cap"
# What kernels write for "no limit" in the first cgroup interface is just under 2**63.
NO_LIMIT_BYTES = 2**60


@dataclass(frozen=True)
class Gpu:
    """One device, as the NVIDIA driver describes it."""

    uuid: str
    name: str
    memory_gib: float
    compute_capability: float


@dataclass(frozen=True)
class GpuAnswer:
    """What `nvidia-smi` said.

    Attributes:
        gpus: All devices of the machine, in the order of the PCI bus.
        error: Why the driver did not answer; None when it did, or when there is no driver to ask.
    """

    gpus: tuple[Gpu, ...]
    error: str | None = None


def detect_hardware(device: str = "auto") -> Hardware:
    """Describe this machine as far as this process may use it.

    Args:
        device: `cpu` leaves the GPUs alone; with `auto` and `cuda` the visible ones are counted.
    """
    gpus = () if device == "cpu" else visible_gpus(ask_driver().gpus, os.environ.get("CUDA_VISIBLE_DEVICES"))
    cpus, memory_bytes = cgroup_limits()
    return Hardware(
        num_gpus=len(gpus),
        gpu_name=gpus[0].name if gpus else "",
        gpu_memory_gib=min((gpu.memory_gib for gpu in gpus), default=0.0),
        bfloat16=bool(gpus) and min(gpu.compute_capability for gpu in gpus) >= 8.0,
        num_cpus=max(1, min(len(os.sched_getaffinity(0)), int(cpus or 2**31))),
        memory_gib=min(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"), memory_bytes or NO_LIMIT_BYTES) / GIB,
        shm_gib=free_gib(Path("/dev/shm")),
    )


def ask_driver() -> GpuAnswer:
    """Ask `nvidia-smi` for the GPUs; it is asked once a process."""
    program = shutil.which("nvidia-smi")
    return GpuAnswer(()) if program is None else _ask(program)


def visible_gpus(gpus: tuple[Gpu, ...], cuda_visible_devices: str | None) -> tuple[Gpu, ...]:
    """The GPUs that CUDA shows to this process.

    Args:
        gpus: All of the machine, slices of a GPU after the GPU they are cut from.
        cuda_visible_devices: The environment variable: indices or beginnings of UUIDs, up to the
            first entry that names no device; None when it is not set.
    """
    # A GPU that is cut into slices (MIG) is used through one slice, the first unless another is named.
    sliced = {gpu.uuid for gpu, after in zip(gpus, gpus[1:], strict=False) if _is_slice(after) and not _is_slice(gpu)}
    slices = tuple(gpu for gpu in gpus if _is_slice(gpu))
    whole = tuple(gpu for gpu in gpus if not _is_slice(gpu))
    if cuda_visible_devices is None:
        return slices[:1] if sliced else whole
    visible: list[Gpu] = []
    for entry in (part.strip() for part in cuda_visible_devices.split(",")):
        if entry.isdecimal():
            found = whole[int(entry) : int(entry) + 1]
            if found and found[0].uuid in sliced:
                after = gpus.index(found[0]) + 1
                found = gpus[after : after + 1]
        else:
            found = tuple(gpu for gpu in gpus if entry and gpu.uuid.startswith(entry))[:1]
        if not found:
            break
        visible += found
    # CUDA lets a process use one slice, and nothing beside it.
    return tuple(visible[:1] if any(map(_is_slice, visible)) else visible)


def parse_gpus(table: str, listing: str) -> tuple[Gpu, ...]:
    """Read what `nvidia-smi` prints.

    Args:
        table: `uuid, name, memory.total, compute_cap` as CSV, one GPU a line, memory in MiB.
        listing: `nvidia-smi -L`, which alone names the slices of a GPU: `MIG 3g.20gb Device 0: (UUID: MIG-...)`.

    Raises:
        ValueError: The table is not what was asked for.
    """
    slices: dict[str, list[tuple[str, str, float]]] = {}
    uuid = ""
    for line in listing.splitlines():
        if found := re.search(r"\(UUID: (GPU-[^)]+)\)", line):
            uuid = found[1]
        elif found := re.search(r"MIG (\S*?(\d+)gb\S*)\s.*\(UUID: (MIG-[^)]+)\)", line):
            slices.setdefault(uuid, []).append((found[3], found[1], float(found[2])))
    gpus: list[Gpu] = []
    for line in filter(None, map(str.strip, table.splitlines())):
        fields = [field.strip() for field in line.split(",")]
        if len(fields) != 4:
            raise ValueError(f"unexpected answer of nvidia-smi: {line!r}")
        # Where memory is shared with the processor, the driver says [N/A]; half of it is a fair share.
        shared = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / GIB / 2
        gpu = Gpu(fields[0], fields[1], _number(fields[2], shared * 1024) / 1024, _number(fields[3], 0.0))
        gpus.append(gpu)
        gpus += [
            Gpu(slice_uuid, f"{gpu.name} MIG {profile}", gib, gpu.compute_capability)
            for slice_uuid, profile, gib in slices.get(gpu.uuid, [])
        ]
    return tuple(gpus)


def cgroup_limits(membership: Path = Path("/proc/self/cgroup"), root: Path = Path("/sys/fs/cgroup")) -> tuple[float | None, int | None]:
    """The share of CPUs and the bytes of memory that the groups of this process allow.

    Args:
        membership: Which group this process is in, for each controller.
        root: Where the kernel shows the groups, by the second interface or the first.

    Returns:
        CPUs (may be a fraction) and bytes; None where nothing limits them.
    """
    cpus: list[float] = []
    memory: list[int] = []
    for line in _read(membership).splitlines():
        _, controllers, path = line.split(":", 2)
        for folder in _with_parents(root, controllers, path):
            quota, period = [*_read(folder / "cpu.max").split(), "", ""][:2]
            if not quota:
                quota, period = _read(folder / "cpu.cfs_quota_us"), _read(folder / "cpu.cfs_period_us")
            if quota.isdecimal() and period.isdecimal() and int(period):
                cpus.append(int(quota) / int(period))
            limit = _read(folder / "memory.max") or _read(folder / "memory.limit_in_bytes")
            if limit.isdecimal() and int(limit) < NO_LIMIT_BYTES:
                memory.append(int(limit))
    return min(cpus, default=None), min(memory, default=None)


def free_gib(folder: Path) -> float:
    """Free space of a file system for this user, in GiB; 0 when there is no such folder."""
    try:
        facts = os.statvfs(folder)
    except OSError:
        return 0.0
    return facts.f_bavail * facts.f_frsize / GIB


@functools.cache
def _ask(program: str) -> GpuAnswer:
    try:
        table = _output(program, QUERY, "--format=csv,noheader,nounits")
        listing = _output(program, "-L")
        return GpuAnswer(parse_gpus(table, listing))
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        said = getattr(error, "stdout", None) or str(error)
        reason = " ".join(str(said).split())
        logger.warning("nvidia-smi: the driver does not answer (%s); planning without a GPU", reason)
        return GpuAnswer((), reason)


def _output(program: str, *arguments: str) -> str:
    done = subprocess.run(
        [program, *arguments], capture_output=True, text=True, check=True, timeout=NVIDIA_SMI_TIMEOUT_SECONDS
    )
    return done.stdout


def _is_slice(gpu: Gpu) -> bool:
    return gpu.uuid.startswith("MIG-")


def _number(text: str, otherwise: float) -> float:
    try:
        return float(text)
    except ValueError:
        return otherwise


def _with_parents(root: Path, controllers: str, path: str) -> list[Path]:
    """The folder of a group and of every group around it: each may set a limit.

    Inside a container the path may be one of the host, which cannot be seen; `root` itself is then the group.
    """
    base = root / controllers if controllers else root
    group = base / path.lstrip("/")
    return [folder for folder in (group, *group.parents) if folder == base or base in folder.parents]


def _read(path: Path) -> str:
    try:
        return path.read_text().strip()
    except (OSError, ValueError):
        return ""
