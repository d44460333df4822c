"""How a process gets its memory from the system, and gives it back."""

import ctypes
from contextlib import suppress

M_MMAP_THRESHOLD, M_ARENA_MAX = -3, -8  # glibc's numbers for them


def give_back_memory() -> None:
    """Have glibc return what is freed to the system: it would keep an arena for each thread, and large pieces in them.

    Processes that are forked from this one inherit it. Other systems have no such function, nor the habit.
    """
    with suppress(OSError, AttributeError):
        allocator = ctypes.CDLL(None)
        allocator.mallopt(M_ARENA_MAX, 2)
        allocator.mallopt(M_MMAP_THRESHOLD, 64 * 1024)
