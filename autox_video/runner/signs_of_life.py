"""What the processes of one run know of each other while they train, through the store that joined them."""

from __future__ import annotations

import contextlib
import threading
import time

from torch import distributed
from torch.distributed.distributed_c10d import _get_default_store

# The store may have gone with the process that kept it, or be as stuck as that.
ANSWER_SECONDS = 10.0


def give_sign(waits: str) -> None:
    """Tell the other processes that this one lives, and what it waits for; nothing when it is alone."""
    if not distributed.is_initialized():
        return
    with contextlib.suppress(RuntimeError):
        _get_default_store().set(_key(distributed.get_rank()), f"{time.monotonic()} {waits}")


def others_wait_for(pause_seconds: float) -> list[str]:
    """Which other processes give no sign of life, and what those that do are waiting for.

    Args:
        pause_seconds: Time in which each gives at least one sign.
    """
    if not distributed.is_initialized() or distributed.get_world_size() == 1:
        return []
    found: list[str] = []

    def ask() -> None:
        with contextlib.suppress(RuntimeError):
            before = _signs()
            time.sleep(pause_seconds)
            for rank, sign in _signs().items():
                waits = sign.partition(" ")[2]
                if sign == before[rank]:
                    found.append(f"process {rank} of the run, which gives no sign of life")
                elif waits:
                    found.append(f"process {rank} of the run, which waits for {waits}")

    asking = threading.Thread(target=ask, daemon=True)
    asking.start()
    asking.join(pause_seconds + ANSWER_SECONDS)
    return found


def _signs() -> dict[int, str]:
    """The last sign of each other process; empty where none was given."""
    store, own = _get_default_store(), distributed.get_rank()
    others = [rank for rank in range(distributed.get_world_size()) if rank != own]
    # Asked for a key that is not there, the store would wait for it.
    return {rank: store.get(_key(rank)).decode() if store.check([_key(rank)]) else "" for rank in others}


def _key(rank: int) -> str:
    return f"sign of life {rank}"
