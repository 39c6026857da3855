"""Standard streams that are not there, and silence for libraries that write to the terminal past Python."""

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

STREAMS = (("stdin", "r"), ("stdout", "w"), ("stderr", "w"))  # by their numbers: 0, 1, 2
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


def open_missing_streams() -> None:
    """Put an empty file where a standard stream is closed or missing, as in services and under pythonw.

    Else the next file that is opened gets the stream's number, and what is printed goes into it.
    """
    for number, (name, mode) in enumerate(STREAMS):
        try:
            os.fstat(number)
        except OSError:
            with suppress(OSError):
                empty = os.open(os.devnull, os.O_RDWR)
                if empty != number:
                    os.dup2(empty, number)
                    os.close(empty)
                os.set_inheritable(number, True)
        stream = getattr(sys, name)
        if stream is None or stream.closed:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: SIM115
