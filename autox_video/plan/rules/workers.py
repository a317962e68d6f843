"""Decoding processes, and how many batches they keep ready: what the network needs, cores and shared memory allow.

A process hands its batches over in `/dev/shm`, of which a container has 64 MB unless it is asked for more. One that
finds it full dies of SIGBUS or hangs, so what is planned always fits.
"""

from __future__ import annotations

import math

from autox_video.plan.rules.common import asked
from autox_video.plan.rules.costs import ClipCost
from autox_video.plan.schema import Decision, Hardware
from autox_video.settings.schema import Settings

GIB = 2**30
PAGE_BYTES = 4096
MAX_WORKERS_PER_GPU = 16
# Batches that each process makes ahead: PyTorch's default, and the least that lets it work at all.
PREFETCHED, LEAST_PREFETCHED = 2, 1
# The batch the network computes on is let go of only when the next one is there.
BATCHES_IN_USE = 2
# The rest is for others that share the memory, and for the locks of the queues.
SHM_SHARE = 0.8
# Decoding for a GPU is to be so much faster than the GPU: no two videos take the same time.
HEADROOM = 1.25
SHM = "/dev/shm"


def choose_workers(
    settings: Settings,
    hardware: Hardware,
    clips: int,
    clip_len: int,
    input_size: int,
    cost: ClipCost | None = None,
    *,
    scoring_threads: int = 1,
    only_scoring: bool = False,
) -> tuple[Decision[int], Decision[int]]:
    """Processes that decode videos for each training process, and the batches that each makes ahead.

    What does not fit into shared memory is cut: first the batches, then the processes, to none at last. The
    source of a decision that was cut is `/dev/shm`.

    Args:
        settings: What the user asked.
        hardware: The machine.
        clips: Clips in the largest batch; of a test video every view is one.
        clip_len: Frames in a clip.
        input_size: Side of a frame in pixels.
        cost: What a clip takes to prepare and to compute on; None where that is not known.
        scoring_threads: Batches that are scored at a time.
        only_scoring: Nothing is trained.
    """
    devices = hardware.devices_per_machine
    workers = asked(settings, "runtime.workers") or _by_cost(hardware, cost, only_scoring and scoring_threads > 1)
    room = SHM_SHARE * hardware.shm_gib * GIB / devices
    batch = batch_bytes(clips, clip_len, input_size)
    # Of several that are scored at a time each is held until those before it are done.
    in_use = BATCHES_IN_USE + (scoring_threads if scoring_threads > 1 else 0)
    prefetch = Decision(PREFETCHED, "default", "one is made while another waits")
    if workers.value == 0 or shm_bytes(batch, workers.value, PREFETCHED, in_use) <= room:
        return workers, prefetch
    needed = shm_bytes(batch, workers.value, PREFETCHED, in_use)
    short = f"{workers.value} decoding processes would pass {_mb(needed)} through {SHM}, where {_mb(room)} may be used"
    prefetch = Decision(LEAST_PREFETCHED, SHM, short)
    fit = int(room // batch - in_use) // LEAST_PREFETCHED
    if fit < workers.value:
        workers = Decision(max(0, fit), SHM, short)
    return workers, prefetch


def cut_note(workers: Decision[int], prefetch: Decision[int]) -> str | None:
    """What shared memory has cut, in a sentence; None when it sufficed."""
    if prefetch.source != SHM:
        return None
    left = f"{workers.value} of them, each one batch ahead" if workers.value else "none of them"
    return f"{prefetch.why}: {left}. More: docker run --shm-size=8g"


def batch_bytes(clips: int, clip_len: int, input_size: int) -> int:
    """Shared memory of one batch: its clips in uint8, as the pipeline leaves them, in one piece of whole pages."""
    return -(-clips * clip_len * 3 * input_size**2 // PAGE_BYTES) * PAGE_BYTES


def shm_bytes(batch: int, workers: int, prefetch: int, in_use: int = BATCHES_IN_USE) -> int:
    """Shared memory that one training process needs at most: what all its workers made ahead, and what is in use."""
    return batch * (workers * prefetch + in_use)


def best_share(cores: int, cost: ClipCost) -> int:
    """Of the cores of a machine without a GPU, how many decode so that most clips are learned from; the rest compute.

    Training is as fast as the slower of both. On one core none: it does both in turn.
    """

    def clips_per_second(decoding: int) -> float:
        return min(decoding / cost.prepare_seconds, (cores - decoding) / cost.compute_seconds)

    return max(range(1, cores), key=clips_per_second, default=0)


def needed_beside(cores: int, cost: ClipCost) -> int:
    """How many of the cores would decode if each were free to do either: as many processes must be there to do it."""
    return math.ceil(cores * cost.prepare_seconds / (cost.prepare_seconds + cost.compute_seconds))


def _by_cost(hardware: Hardware, cost: ClipCost | None, cores_do_either: bool = False) -> Decision[int]:
    devices = hardware.devices_per_machine
    if cost is None:
        return _by_cores(hardware, devices)
    cores = max(1, hardware.num_cpus // devices)
    takes, compute = f"a clip takes a core {_ms(cost.prepare_seconds)} to decode", _ms(cost.compute_seconds)
    if hardware.num_gpus == 0 and cores_do_either:
        value = needed_beside(cores, cost)
        return Decision(value, "hardware", f"{takes} and about {compute} to score: {value} of {cores} cores' work")
    if hardware.num_gpus == 0:
        value = best_share(cores, cost)
        shared = f"{value} of {cores} cores decode" if value else "the only one does both in turn"
        # One computing thread waits for nobody but the decoders: its core decodes too, meanwhile.
        if 0 < value == cores - 1 < needed_beside(cores, cost):
            value, shared = cores, f"all {cores} cores decode, one of them while the network waits"
        return Decision(value, "hardware", f"{takes} and about {compute} to compute on: {shared}")
    needed = math.ceil(HEADROOM * cost.prepare_seconds / cost.compute_seconds)
    most = max(1, cores - 1)  # the training process needs one too
    why = f"{takes} and the GPU {compute}{'' if cost.measured else ' at the fastest'}: {needed} processes keep it busy"
    if needed > most:
        why += f", and there are cores for {most}"
    return Decision(min(needed, most), "hardware", why)


def _by_cores(hardware: Hardware, devices: int) -> Decision[int]:
    if hardware.num_gpus == 0:
        cores = f"{hardware.num_cpus} cores" + (f" for {devices} processes" if devices > 1 else "")
        return Decision(max(1, hardware.num_cpus // devices // 4), "hardware", f"of {cores}; the others compute")
    value = max(1, min(MAX_WORKERS_PER_GPU, (hardware.num_cpus - devices) // devices))
    return Decision(value, "hardware", f"{hardware.num_cpus} cores for {devices} GPU(s)")


def _ms(seconds: float) -> str:
    return f"{1000 * seconds:.2g} ms" if seconds < 0.1 else f"{1000 * seconds:.0f} ms"


def _mb(count: float) -> str:
    return f"{count / 1e6:.3g} MB"
