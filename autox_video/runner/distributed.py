"""Several processes of one run: the first decides for all, and they are joined while they train or test.

A process that is alone passes through everything here without importing torch.
"""

from __future__ import annotations

import dataclasses
import functools
import itertools
import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

from autox_video.errors import AutoXVideoError, Problem, RequestError, RunError, StoppedError
from autox_video.processes import own_place
from autox_video.records import build_record
from autox_video.stopping import asked_to_stop

if TYPE_CHECKING:
    from mmengine.config import Config
    from torch.distributed import Store

ProductT = TypeVar("ProductT")
AnyT = TypeVar("AnyT")
POLL_SECONDS = 0.2
# Where no torchrun keeps the store, it ends with the first process, which others may not yet have asked.
FAREWELL_SECONDS = 10
# torchrun ends all processes when one has failed: the first must have said why before the others leave.
LINGER_SECONDS = 2
# A store takes 8 MiB at a time.
CHUNK = 4 * 2**20
# Every process makes the same calls in the same order: the number of a call is the same in all of them.
_calls = itertools.count()


@dataclasses.dataclass(frozen=True)
class _Done:
    """Nothing but that it is done."""


def decided_by_first(decide: Callable[[], ProductT], kind: type[ProductT]) -> ProductT:
    """What the first process decides, in all processes.

    The others wait as long as it takes: a probe of hours is no reason to give up. They stop waiting when the first
    process refuses or fails, and when it is gone.

    Args:
        decide: Called in the first process only.
        kind: The frozen dataclass that it returns.

    Raises:
        AutoXVideoError: `decide` raised it; in the other processes the same without a text, which the first one says.
    """
    place = own_place()
    if place.is_alone:
        return decide()
    store, key = _store(), f"decision {next(_calls)}"
    if not place.is_first:
        return _await(store, key, kind)
    status = f"failed {RunError.exit_code}"
    try:
        product = decide()
        text = json.dumps(dataclasses.asdict(product)).encode()  # type: ignore[call-overload]
        parts = [text[start : start + CHUNK] for start in range(0, len(text), CHUNK)]
        for number, part in enumerate(parts):
            store.set(f"{key} part {number}", part)
        status = f"decided {len(parts)}"
    except AutoXVideoError as error:
        status = f"failed {error.exit_code}"
        raise
    finally:
        store.set(key, status)
        _until_heard(store, key, place.world_size - 1)
    return product


def after_first(act: Callable[[], AnyT]) -> AnyT:
    """Do the same in all processes, in the first one before the others: what it refuses they need not refuse too.

    Args:
        act: What to do.

    Raises:
        AutoXVideoError: As `decided_by_first`.
    """
    done: list[AnyT] = []

    def go_first() -> _Done:
        done.append(act())
        return _Done()

    decided_by_first(go_first, _Done)
    return done[0] if done else act()


@contextmanager
def joined(config: Config, device: str) -> Iterator[None]:
    """While the block runs, the processes can exchange tensors; at its end each waits for all others.

    MMEngine's own `init_dist` asks CUDA for a device even where there is none.

    Args:
        config: Its `env_cfg.dist_cfg` has the backend, and the seconds after which a process that waits in vain for
            another one gives up.
        device: `cpu` or `cuda`.

    Raises:
        RunError: There is no GPU for this process, or another one is gone or does not answer in time.
    """
    place = own_place()
    if place.is_alone:
        yield
        return
    from datetime import timedelta

    import torch
    from torch import distributed

    if device == "cuda":
        own = place.gpu(torch.cuda.device_count())
        if own is None:
            wrong, cure = "has no GPU of its own", "Start one process for each GPU (torchrun --nproc-per-node)"
            got = f"{torch.cuda.device_count()} GPUs for {place.local_world_size} processes on this machine"
            raise RunError(Problem(f"process {place.rank}", wrong, cure, got))
        torch.cuda.set_device(own)
    options = config.env_cfg.dist_cfg
    distributed.init_process_group(
        options.backend,
        store=distributed.PrefixStore(f"group {next(_calls)}", _store()),
        rank=place.rank,
        world_size=place.world_size,
        timeout=timedelta(seconds=options.timeout),
    )
    failed = True
    try:
        yield
        # What the first process writes last is there when the others go on.
        distributed.barrier()
        failed = False
    except RuntimeError as error:
        # gloo has no class of error of its own; its messages begin with the place in its source.
        if isinstance(error, distributed.DistBackendError) or "gloo/" in str(error):
            if signal := asked_to_stop():
                raise StoppedError(signal) from error  # as the others were, who were quicker
            wrong, cure = "waits in vain for another process of the run", "Their outputs say why; run the same again"
            reason = str(error).splitlines()[0].rpartition("] ")[2] or str(error)
            raise RunError(Problem(f"process {place.rank}", wrong, cure, reason)) from error
        raise
    finally:
        # nccl would first wait for what the other processes owe it, which they may never give.
        if not (failed and options.backend == "nccl"):
            distributed.destroy_process_group()


def _await(store: Store, key: str, kind: type[ProductT]) -> ProductT:
    """The first process's product, once it is there."""
    try:
        while not store.check([key]):
            time.sleep(POLL_SECONDS)
        state, number = store.get(key).decode().split()
        decided = state == "decided"
        text = b"".join(store.get(f"{key} part {part}") for part in range(int(number) if decided else 0))
        store.add(f"{key} heard", 1)
    except RuntimeError as error:  # the store has gone with the process or the launcher that kept it
        wrong, cure = "waits for the first process of the run, which is gone", "Its own output says why"
        raise RunError(Problem(f"process {own_place().rank}", wrong, cure)) from error
    if not decided:
        time.sleep(LINGER_SECONDS)
        raise RequestError(()) if int(number) == RequestError.exit_code else RunError(())
    product: ProductT = build_record(json.loads(text), kind)
    return product


def _until_heard(store: Store, key: str, others: int) -> None:
    """Give the other processes the time to hear what was decided."""
    last = time.monotonic() + FAREWELL_SECONDS
    while store.add(f"{key} heard", 0) < others and time.monotonic() < last:
        time.sleep(POLL_SECONDS)


@functools.cache
def _store() -> Store:
    """Where the processes leave each other notes: kept by torchrun, or else by the first process."""
    from torch.distributed import PrefixStore, rendezvous

    place = own_place()
    where = f"tcp://{place.address}:{place.port}?rank={place.rank}&world_size={place.world_size}"
    store: Any = next(rendezvous(where))[0]
    # After a restart torchrun may still have the notes of the attempt before.
    return PrefixStore(f"autox_video {place.restarts}", store)
