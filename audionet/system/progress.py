"""How long work tells how far it is: by bars on a terminal and in a notebook, and lines now and then elsewhere."""

import logging
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, Protocol, TextIO, TypeVar

from audionet.system.text import count, duration

logger = logging.getLogger(__name__)

Item = TypeVar("Item")

BAR = (
    "{desc}: {percentage:3.0f}%|{bar:24}| {n_fmt} of {total_fmt}, {rate_noinv_fmt}, {elapsed} passed, {remaining} left"
)
REDRAW_SECONDS = 1.0  # so that the time passes while a long recording is worked on
FIRST_LINE_SECONDS = 10.0
LINE_INTERVAL = 0.1  # of the time that has passed: long work writes few lines


class Progress(Protocol):
    """Called with the name of a stage, how many parts of it are done and how many there are; first with none done."""

    def __call__(self, stage: str, done: int, total: int, /) -> None:
        """Called after each part."""


def silent(stage: str, done: int, total: int) -> None:
    """Report nothing, as the library does unless it is asked to."""


def continued(progress: Progress, start: int, total: int) -> Progress:
    """A Progress for a part of the work, which reports it as done of the whole."""
    return lambda stage, done, _: progress(stage, start + done, total)


def counted(stage: str, items: Iterable[Item], total: int, progress: Progress) -> Iterator[Item]:
    """The items one by one; progress is told of the stage when it begins, after each of them, and when it ends, which
    may be before there were so many as were expected."""
    progress(stage, 0, total)
    for done, item in enumerate(items, start=1):
        yield item
        if done < total:
            progress(stage, done, total)
    progress(stage, total, total)


def _is_notebook() -> bool:
    """Whether this is the kernel of a notebook, where a person waits and no terminal is."""
    return "ipykernel" in sys.modules and getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)() is not None


def chosen(progress: Progress | None) -> Progress:
    """The progress asked for; without one, bars in a notebook, and none elsewhere."""
    if progress is not None:
        return progress
    return Bars(sys.stdout) if _is_notebook() else silent


@contextmanager
def progress_shown(quiet: bool = False) -> Iterator[Progress]:
    """A Progress that people see: a bar on a terminal, else lines on standard error; nothing if `quiet`."""
    if quiet:
        yield silent
    elif sys.stderr.isatty():
        with _bars() as progress:
            yield _timed(progress)
    else:
        yield _timed(ProgressLines())


def _timed(progress: Progress) -> Progress:
    """A Progress that also logs, for --verbose, how long each stage took."""
    start = 0.0

    def show(stage: str, done: int, total: int) -> None:
        nonlocal start
        start = start if done else time.monotonic()
        progress(stage, done, total)
        if 0 < done == total:
            logger.debug("%s: %d in %.1f seconds", stage, total, time.monotonic() - start)

    return show


@contextmanager
def _bars() -> Iterator[Progress]:
    """A Progress that draws a bar for the stage under way, and its time every second."""
    from tqdm.contrib.logging import logging_redirect_tqdm

    bar = Bars(sys.stderr)
    ended = threading.Event()

    def redraw() -> None:
        while not ended.wait(REDRAW_SECONDS):
            bar.redraw()

    redrawing = threading.Thread(target=redraw, name="progress", daemon=True)
    redrawing.start()
    try:
        with logging_redirect_tqdm([logging.getLogger("audionet")]):
            yield bar
    finally:
        ended.set()
        redrawing.join()
        bar.close()


class Bars:
    """A Progress: the bar of the stage under way, gone when it is done. For several threads at once."""

    def __init__(self, stream: TextIO) -> None:
        self._stream, self._lock = stream, threading.RLock()
        self._drawn: Any = None

    def __call__(self, stage: str, done: int, total: int) -> None:
        """Called after each part."""
        from tqdm import tqdm

        with self._lock:
            if not done or done == total:
                self.close()
            if done == total:
                return
            if self._drawn is None:
                look = {"leave": False, "dynamic_ncols": True, "bar_format": BAR}
                self._drawn = tqdm(total=total, desc=stage, unit="", file=self._stream, **look)
            self._drawn.update(done - self._drawn.n)

    def redraw(self) -> None:
        """Show the time that has passed."""
        with self._lock:
            if self._drawn is not None:
                self._drawn.refresh()

    def close(self) -> None:
        """Wipe the bar away."""
        with self._lock:
            if self._drawn is not None:
                self._drawn.close()
            self._drawn = None


class ProgressLines:
    """A Progress that logs a line after ten seconds, and then at growing intervals."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._start = self._due = 0.0

    def __call__(self, stage: str, done: int, total: int) -> None:
        """Called after each part."""
        now = self._clock()
        if not done:
            self._start, self._due = now, now + FIRST_LINE_SECONDS
        elif done < total and now >= self._due:
            passed = now - self._start
            each = passed / done
            left = duration(max(1, each * (total - done)))
            rate = f"{1 / each:.3g} per second" if each < 2 else f"{count(round(each), 'second')} each"
            logger.info("%s: %d of %d, %s, about %s left", stage, done, total, rate, left)
            self._due = now + max(FIRST_LINE_SECONDS, LINE_INTERVAL * passed)
