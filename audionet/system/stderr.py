"""Silence for libraries that write to the terminal past Python."""

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_ONE_AT_A_TIME = threading.RLock()


@contextmanager
def quiet_stderr() -> Iterator[None]:
    """Keep what C++ code writes to standard error from the user: LiteRT and TensorFlow tell there how they compute."""
    with _ONE_AT_A_TIME:
        try:
            stderr = sys.__stderr__.fileno() if sys.__stderr__ else -1
            saved = os.dup(stderr)
        except (OSError, ValueError):
            yield  # there is no standard error to keep it from
            return
        try:
            with open(os.devnull, "wb") as nowhere:
                os.dup2(nowhere.fileno(), stderr)
            yield
        finally:
            os.dup2(saved, stderr)
            os.close(saved)
