"""What this machine has, found out without torch: importing that takes seconds, asking the driver milliseconds.

Limits count as well as hardware: a container or a batch system may give a process two of 64 cores.
"""

from __future__ import annotations

import dataclasses
import functools
import logging
import math
import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from autox_video.errors import Problem, RequestError
from autox_video.plan.schema import Hardware
from autox_video.processes import Place

logger = logging.getLogger(__name__)

GIB = 2**30
NVIDIA_SMI_TIMEOUT_SECONDS = 5
QUERY = "--query-gpu=uuid,name,memory.total,compute_cap"
# What kernels write for "no limit" in the first cgroup interface is just under 2**63.
NO_LIMIT_BYTES = 2**60


@dataclass(frozen=True)
class Gpu:
    """One device, as the NVIDIA driver describes it. A GPU may be cut into slices (MIG), devices themselves."""

    uuid: str
    name: str
    memory_gib: float
    compute_capability: float
    slices: tuple[Gpu, ...] = ()


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
        num_cpus=max(1, min(len(os.sched_getaffinity(0)), int(cpus or os.cpu_count() or 1))),
        memory_gib=min(_ram_bytes(), memory_bytes or NO_LIMIT_BYTES) / GIB,
        shm_gib=free_gib(Path("/dev/shm")),
        cpu_bfloat16=computes_bfloat16(_read(Path("/proc/cpuinfo"))),
    )


def divided(found: Hardware, place: Place) -> Hardware:
    """The hardware that the processes of a run use together, each one GPU where there are any.

    Args:
        found: This machine. The others of the run, if there are any, are taken to be like it.
        place: This process among them.

    Raises:
        RequestError: This machine has fewer GPUs than processes.
    """
    if found.num_gpus and place.gpu(found.num_gpus) is None:
        wrong = f"are started on a machine with {found.num_gpus} GPU(s), and each trains on one of its own"
        how = "srun --ntasks-per-node" if place.launcher == "srun" else "torchrun --nproc-per-node"
        cure = f"Start {found.num_gpus} ({how}), or write runtime: {{device: cpu}}"
        raise RequestError(Problem(place.launcher or "torchrun", wrong, cure, f"{place.local_world_size} processes"))
    # A batch system may have given each process cores of its own, which are all that it sees.
    apart = place.cores_each == found.num_cpus
    return dataclasses.replace(
        found,
        num_cpus=found.num_cpus * (place.local_world_size if apart else 1),
        num_gpus=place.world_size if found.num_gpus else 0,
        num_processes=place.world_size,
        num_machines=math.ceil(place.world_size / place.local_world_size),
    )


def ask_driver() -> GpuAnswer:
    """Ask `nvidia-smi` for the GPUs; it is asked once a process."""
    program = shutil.which("nvidia-smi")
    return GpuAnswer(()) if program is None else _ask(program)


def visible_gpus(gpus: tuple[Gpu, ...], cuda_visible_devices: str | None) -> tuple[Gpu, ...]:
    """The GPUs that CUDA shows to this process.

    Args:
        gpus: All of the machine.
        cuda_visible_devices: The environment variable: indices or beginnings of UUIDs, up to the
            first entry that names no device; None when it is not set.
    """
    chosen = list(gpus) if cuda_visible_devices is None else []
    for entry in (cuda_visible_devices or "").split(","):
        gpu = _named(gpus, entry.strip())
        if gpu is None:
            break
        chosen.append(gpu)
    # CUDA gives a process one slice and nothing beside it: the first, unless another was named.
    usable = [gpu.slices[0] if gpu.slices else gpu for gpu in chosen]
    slices = [gpu for gpu in usable if gpu.uuid.startswith("MIG-")]
    return tuple(slices[:1] or usable)


def parse_gpus(table: str, listing: str) -> tuple[Gpu, ...]:
    """Read what `nvidia-smi` prints.

    Args:
        table: `uuid, name, memory.total, compute_cap` as CSV, one GPU a line, memory in MiB.
        listing: `nvidia-smi -L`, which alone names the slices of a GPU: `MIG 3g.20gb Device 0: (UUID: MIG-...)`.

    Raises:
        ValueError: The table is not what was asked for.
    """
    gpus = []
    for line in filter(None, map(str.strip, table.splitlines())):
        fields = [field.strip() for field in line.split(",")]
        if len(fields) != 4:
            raise ValueError(f"unexpected line {line!r}")
        uuid, name, memory, capability = fields
        # Where GPU and CPU share one memory the driver has no number; the data pipeline needs a part of it too.
        gib = _ram_bytes() / GIB / 2 if memory == "[N/A]" else float(memory) / 1024
        slices = tuple(
            Gpu(slice_uuid, f"{name} MIG {profile}", float(slice_gib), float(capability))
            for slice_uuid, profile, slice_gib in _slices(listing, uuid)
        )
        gpus.append(Gpu(uuid, name, gib, float(capability), slices))
    return tuple(gpus)


def cgroup_limits(
    membership: Path = Path("/proc/self/cgroup"), root: Path = Path("/sys/fs/cgroup")
) -> tuple[float | None, int | None]:
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
        for folder in _groups(root, controllers, path):
            quota, period = [*_read(folder / "cpu.max").split(), "", ""][:2]
            quota = quota or _read(folder / "cpu.cfs_quota_us")
            period = period or _read(folder / "cpu.cfs_period_us")
            if quota.isdecimal() and period.isdecimal():
                cpus.append(int(quota) / int(period))
            limit = _read(folder / "memory.max") or _read(folder / "memory.limit_in_bytes")
            if limit.isdecimal() and int(limit) < NO_LIMIT_BYTES:
                memory.append(int(limit))
    return min(cpus, default=None), min(memory, default=None)


def computes_bfloat16(cpuinfo: str) -> bool:
    """Whether the processor multiplies bfloat16 in hardware, by what the kernel says of it in /proc/cpuinfo."""
    flags = next((line for line in cpuinfo.splitlines() if line.startswith("flags")), "").split()
    return not {"avx512_bf16", "amx_bf16"}.isdisjoint(flags)


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
        return GpuAnswer(parse_gpus(_output(program, QUERY, "--format=csv,noheader,nounits"), _output(program, "-L")))
    except subprocess.CalledProcessError as error:
        # It explains itself on standard output.
        reason = " ".join((error.stdout or error.stderr).split()) or str(error)
    except (OSError, ValueError, subprocess.TimeoutExpired) as error:
        reason = str(error)
    logger.warning("nvidia-smi: %s (planning without a GPU)", reason)
    return GpuAnswer((), reason)


def _output(program: str, *arguments: str) -> str:
    limit = NVIDIA_SMI_TIMEOUT_SECONDS
    return subprocess.run([program, *arguments], capture_output=True, text=True, check=True, timeout=limit).stdout


def _slices(listing: str, gpu_uuid: str) -> list[tuple[str, str, str]]:
    """UUID, profile and GiB of each slice; their lines follow that of their GPU."""
    _, _, below = listing.partition(f"(UUID: {gpu_uuid})")
    own, _, _ = below.partition("\nGPU ")
    found = re.finditer(r"MIG (\S*?(\d+)gb\S*)\s.*\(UUID: (MIG-[^)]+)\)", own)
    return [(match[3], match[1], match[2]) for match in found]


def _named(gpus: tuple[Gpu, ...], entry: str) -> Gpu | None:
    if entry.isdecimal():
        return gpus[int(entry)] if int(entry) < len(gpus) else None
    devices = (device for gpu in gpus for device in (gpu, *gpu.slices))
    return next((device for device in devices if entry and device.uuid.startswith(entry)), None)


def _groups(root: Path, controllers: str, path: str) -> list[Path]:
    """The folders of a group and of the groups around it, each of which may set a limit.

    In a container the path may be the host's and not exist; the top folder is then the container's own.
    """
    tops = [root / name for name in controllers.split(",")] if controllers else [root]
    folders = []
    for top in tops:
        group = top / path.lstrip("/")
        folders += [top, *(folder for folder in (group, *group.parents) if top in folder.parents)]
    return folders


def _ram_bytes() -> int:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def _read(path: Path) -> str:
    try:
        return path.read_text().strip()
    except OSError:
        return ""
