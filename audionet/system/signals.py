"""Ctrl-C and its like, whatever Python is doing at that moment.

A KeyboardInterrupt is raised, as usual; but an import or a library that it cuts short may make another error of it.
So it is also remembered that a signal came.
"""

import os
import signal
import time
from types import FrameType

SIGNALS = ("SIGINT", "SIGTERM", "SIGHUP")  # Ctrl-C, kill, the terminal is closed
IMPATIENT_SECONDS = 1.0  # a second signal so long after the first ends the process at once
USUAL_STATUS = 130  # of a shell's command that was ended by Ctrl-C

_came: list[tuple[int, float]] = []  # the first signal, and when


def listen() -> None:
    """From now on, take signals as said above; those that the process was told to ignore (nohup) it still does."""
    for name in SIGNALS:
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _stop)


def came() -> bool:
    """Whether a signal has asked the process to end."""
    return bool(_came)


def status() -> int:
    """The exit status that says so."""
    return 128 + _came[0][0] if _came else USUAL_STATUS


def _stop(number: int, frame: FrameType | None) -> None:  # noqa: ARG001
    now = time.monotonic()
    if not _came:
        _came.append((number, now))
        raise KeyboardInterrupt
    # Some send a signal twice (timeout does, to the process and to its group); only people come back for more.
    if now - _came[0][1] > IMPATIENT_SECONDS:
        os._exit(128 + number)
