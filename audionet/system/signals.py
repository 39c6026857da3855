"""Ctrl-C and its like, whatever Python is doing at that moment; and Ctrl-Z, which stops a process for any time.

A KeyboardInterrupt is raised, as usual; but an import or a library that it cuts short may make another error of it.
So it is also remembered that a signal came. And where nothing can be raised (in `__del__`, or in a callback of a weak
reference, of which Matplotlib has many), Python prints the error and goes on: there it is raised again a moment later,
until it is raised where somebody can hear it.
"""

import _thread
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from types import FrameType

SIGNALS = ("SIGINT", "SIGTERM", "SIGHUP")  # Ctrl-C, kill, the terminal is closed
IMPATIENT_SECONDS = 1.0  # a second signal so long after the first ends the process at once
USUAL_STATUS = 130  # of a shell's command that was ended by Ctrl-C

AGAIN_SECONDS = 0.01  # until an interruption is raised again that came where nothing can be raised
TICK_SECONDS = 1.0  # of an Alarm

_came: list[tuple[int, float]] = []  # the first signal, and when
_due: list[int] = []  # that signal again, since it came where nothing can be raised
_children: set[Callable[[], None]] = set()  # what ends each process that works for this one


def listen() -> None:
    """From now on, a signal raises KeyboardInterrupt, and is remembered. Those that are ignored (nohup) stay so."""
    for number in _numbers():
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _stop)
    sys.unraisablehook = _raise_again


def ignore() -> None:
    """Take no signal any more, for the work is done."""
    _due.clear()
    for number in _numbers():
        if signal.getsignal(number) is _stop:
            signal.signal(number, signal.SIG_IGN)


def _numbers() -> list[signal.Signals]:
    """The signals of SIGNALS that this system has."""
    return [getattr(signal, name) for name in SIGNALS if hasattr(signal, name)]


def came() -> bool:
    """Whether a signal has asked the process to end."""
    return bool(_came)


def is_interruption(error: BaseException) -> bool:
    """Whether an error is no fault, but comes of a signal that has asked the process to end."""
    return isinstance(error, KeyboardInterrupt) or came()


def status() -> int:
    """The exit status of a process that a signal has ended."""
    return 128 + _came[0][0] if _came else USUAL_STATUS


def end_with_us(end: Callable[[], None]) -> None:
    """Call `end`, which ends another process and must not wait, if a signal ends this one."""
    _children.add(end)


def no_longer_ours(end: Callable[[], None]) -> None:
    """Undo `end_with_us`."""
    _children.discard(end)


def end_children() -> None:
    """End the processes that work for this one; whoever waits for their answers is told that they are gone."""
    for end in list(_children):
        with suppress(OSError):
            end()


class Alarm:
    """Calls `ring` unless the work in its `with` block ends in time.

    Only time in which this process runs counts. It may be stopped in between (Ctrl-Z, a paused container, a laptop that
    sleeps), for hours, and so may what it waits for: a clock would say that the time is over.
    """

    def __init__(self, seconds: float, ring: Callable[[], None]) -> None:
        self.passed = 0.0  # seconds that count
        self._seconds, self._ring = seconds, ring
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._count, name="alarm", daemon=True)

    def __enter__(self) -> "Alarm":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    @property
    def has_rung(self) -> bool:
        """Whether the time is over."""
        return self.passed >= self._seconds

    def _count(self) -> None:
        while not self.has_rung:
            tick = min(TICK_SECONDS, self._seconds - self.passed)
            began = time.monotonic()
            if self._ended.wait(tick):
                # A tick in which the process was stopped counts as one tick, however long it took.
                self.passed += min(tick, time.monotonic() - began)
                return
            self.passed += tick
        self._ring()


def _stop(number: int, frame: FrameType | None) -> None:
    now = time.monotonic()
    end_children()
    is_first = not _came
    if is_first:
        _came.append((number, now))
    if is_first or _due:
        if _is_in_hook(frame):
            _raise_later()
            return
        _due.clear()
        raise KeyboardInterrupt
    # Programs may send a signal twice (timeout does, to the process and to its group); a later one comes from a person.
    if now - _came[0][1] > IMPATIENT_SECONDS:
        os._exit(128 + number)


def _raise_again(unraisable: "sys.UnraisableHookArgs") -> None:
    """Called by Python where an error is raised that nobody can hear; what this raises is not heard either."""
    if _came and issubclass(unraisable.exc_type, KeyboardInterrupt):
        _raise_later()
    else:
        sys.__unraisablehook__(unraisable)


def _is_in_hook(frame: FrameType | None) -> bool:
    """Whether a line runs that `_raise_again` has called, or a line of its own."""
    while frame is not None:
        if frame.f_code is _raise_again.__code__:
            return True
        frame = frame.f_back
    return False


def _raise_later() -> None:
    if not _due:
        _due.append(_came[0][0])
        # Not by threading, which waits for its locks: whatever has been interrupted may hold them.
        _thread.start_new_thread(_interrupt_until_heard, ())


def _interrupt_until_heard() -> None:
    while True:
        time.sleep(AGAIN_SECONDS)
        if not _due:
            return
        _thread.interrupt_main(signal.Signals(_came[0][0]))
