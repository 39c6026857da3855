"""What a terminal can show: bars of progress, and colours. Where there is none, lines now and then, and no colour."""

import functools
import logging
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TextIO

from audionet.system.progress import Progress, silent
from audionet.system.text import count

logger = logging.getLogger(__name__)

COLORS = {"bold": "1", "red": "31", "green": "32", "yellow": "33"}
BAR = (
    "{desc}: {percentage:3.0f}%|{bar:24}| {n_fmt} of {total_fmt}, {rate_noinv_fmt}, {elapsed} passed, {remaining} left"
)
REDRAW_SECONDS = 1.0  # so that the time passes while a long recording is worked on
FIRST_LINE_SECONDS = 10.0
LINE_INTERVAL = 0.1  # of the time that has passed: long work writes few lines


def colored(text: str, color: str, stream: TextIO) -> str:
    """The text in a color, if the stream is a terminal whose user has not said NO_COLOR (https://no-color.org)."""
    plain = not stream.isatty() or os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb"
    if plain:
        return text
    _prepare_windows()
    return f"\033[{COLORS[color]}m{text}\033[0m"


@functools.cache
def _prepare_windows() -> None:
    """Make older consoles of Windows understand colours."""
    if sys.platform == "win32":
        from colorama import just_fix_windows_console

        just_fix_windows_console()


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

    bar = _Bar()
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


class _Bar:
    """A Progress: the bar of the stage under way, gone when it is done. For several threads at once."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
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
                self._drawn = tqdm(total=total, desc=stage, unit="", leave=False, dynamic_ncols=True, bar_format=BAR)
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
            left = duration_in_words(each * (total - done))
            rate = f"{1 / each:.3g} per second" if each < 2 else f"{count(round(each), 'second')} each"
            logger.info("%s: %d of %d, %s, about %s left", stage, done, total, rate, left)
            self._due = now + max(FIRST_LINE_SECONDS, LINE_INTERVAL * passed)


def duration_in_words(seconds: float) -> str:
    """Seconds in the unit that says most: `40 seconds`, `12 minutes`, `5 hours`."""
    unit_seconds, noun = (1, "second") if seconds < 100 else (60, "minute") if seconds < 6000 else (3600, "hour")
    return count(max(1, round(seconds / unit_seconds)), noun)
