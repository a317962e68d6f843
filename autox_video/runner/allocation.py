"""How main memory is asked for while a model computes on the CPU."""

from __future__ import annotations

import ctypes
import os

# Parameters of glibc's `mallopt`, from malloc.h.
TRIM_THRESHOLD, MMAP_THRESHOLD = -1, -3
KEPT_BYTES = 2**31 - 1


def keep_freed_memory() -> bool:
    """Let the process use memory again that a step has freed, instead of giving it back to the kernel.

    glibc maps every block above 32 MiB anew and gives it back when it is freed, so that the kernel fills each page
    with zeros at each step: a third of the time of an elementwise operation on a large activation. The process is as
    large as before at its peak, and stays so. One that is forked off, to load videos, gives its share back at once: it
    would hold on to pages that this process goes on writing to, and so double them.

    Returns:
        Whether the C library took it; another one than glibc does not know the call, and nothing changes.
    """
    try:
        library = ctypes.CDLL(None)
        taken = library.mallopt(MMAP_THRESHOLD, KEPT_BYTES) and library.mallopt(TRIM_THRESHOLD, KEPT_BYTES)
        trim = library.malloc_trim
    except (AttributeError, OSError):
        return False
    if taken:
        os.register_at_fork(after_in_child=lambda: trim(0))
    return bool(taken)
