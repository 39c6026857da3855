"""A process that answers, and misbehaves if the request says so; as what takes recordings apart might be made to."""

import os
import time
from collections.abc import Sequence
from pathlib import Path

from audionet.parallel.child import serve


def answer(request: bytes) -> Sequence[bytes]:
    """What it was asked, its number as a process, or what came of what it was told to do."""
    if b"hang" in request:
        time.sleep(1000)
    if b"crash" in request:
        os.abort()
    if b"fail" in request:
        raise ValueError("of its own accord")
    if b"endless" in request:
        return [bytes(1 << 20)] * 8
    try:
        if b"memory" in request:
            return [bytes(3 << 30)[:2]]
        if b"open" in request:
            return [Path(__file__).read_bytes()[:2]]
    except (MemoryError, OSError) as error:
        return [type(error).__name__.encode()]
    return [str(os.getpid()).encode()]


if __name__ == "__main__":
    serve(answer, 1 << 30)
