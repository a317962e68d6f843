"""How main memory is asked for while a model computes on the CPU."""

from __future__ import annotations

import ctypes

# Parameters of glibc's `mallopt`, from malloc.h.
TRIM_THRESHOLD, MMAP_THRESHOLD = -1, -3
KEPT_BYTES = 2**31 - 1


def keep_freed_memory() -> bool:
    """Let the process use memory again that a step has freed, instead of giving it back to the kernel.

    glibc maps every block above 32 MiB anew and gives it back when it is freed, so that the kernel fills each page
    with zeros at each step: a third of the time of an elementwise operation on a large activation. The process is as
    large as before at its peak, and stays so.

    Returns:
        Whether the C library took it; another one than glibc does not know the call, and nothing changes.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError):
        return False
    return bool(mallopt(MMAP_THRESHOLD, KEPT_BYTES) and mallopt(TRIM_THRESHOLD, KEPT_BYTES))
