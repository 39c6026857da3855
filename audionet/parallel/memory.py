"""How much memory there is, and what is done with what is no longer used."""

import os
import sys
from contextlib import suppress

from audionet.errors import AudionetError

# glibc gives memory that is freed at its top back to the system if it is more than a limit, which follows the largest
# block that has been freed. The arrays of a chunk's samples, which are made and freed over and over, always lie there,
# and to get their pages anew took half of the time of the high pass. A block that is larger than the first number comes
# from the system in any case, as those of a strip of a long recording: kept, they left holes that grew by the hour.
LARGEST_KEPT_BLOCK_BYTES, KEPT_BYTES = 1 << 22, 1 << 26
# Threads that are each served from a part of the memory of their own leave holes in all of them. To share one costs no
# time, since Python lets one thread at a time ask for memory; --events of ten hours takes a tenth less so.
MOST_ARENAS = 1
LEAST_BYTES = 512 << 20  # with less, OpenBLAS may ask for more without end, or end the process, without a word of ours
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD, _M_ARENA_MAX = -1, -3, -8  # in glibc's malloc.h


def keep_freed_memory() -> None:
    """Keep memory that is freed, up to KEPT_BYTES, for what comes next in this process, where glibc manages it."""
    if sys.platform == "linux":
        import ctypes

        with suppress(OSError, AttributeError):  # of another C library
            set_option = ctypes.CDLL(None).mallopt
            set_option(_M_MMAP_THRESHOLD, LARGEST_KEPT_BLOCK_BYTES)
            set_option(_M_TRIM_THRESHOLD, KEPT_BYTES)
            set_option(_M_ARENA_MAX, MOST_ARENAS)


def require_memory() -> None:
    """Raise AudionetError where the system lets this process take too little memory for anything (ulimit -v)."""
    with suppress(ImportError, AttributeError):  # on Windows, for one, there is no such limit
        import resource

        limit = resource.getrlimit(resource.RLIMIT_AS)[0]
        if 0 <= limit < LEAST_BYTES:  # where there is none, it is below that or far above
            least = f"{LEAST_BYTES >> 20} MB of memory are needed, and {limit >> 20} MB allowed"
            raise AudionetError(f"{least}; raise the limit (ulimit -v)")


def memory_bytes() -> int | None:
    """The memory of this machine; None if the system does not say, as Windows."""
    with suppress(AttributeError, ValueError, OSError):
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return None
