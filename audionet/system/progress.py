"""How long work tells how far it is: by bars on a terminal and in a notebook, and lines now and then elsewhere."""

import logging
import sys
import threading
import time
from collections.abc import Callable, Generator, Iterable, Iterator, Sized
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Protocol, TextIO, TypeVar

from audionet.system.text import count, duration

logger = logging.getLogger(__name__)

Item = TypeVar("Item")
Block = TypeVar("Block", bound=Sized)

BAR = "{desc}: {percentage:3.0f}%|{bar:10}| {remaining} left, {n_fmt} of {total_fmt}, {elapsed} passed"
REDRAW_SECONDS = 1.0  # so that the time passes while a long recording is worked on
LONG_SAMPLES, MOST_DONE = 10_000_000, 0.99  # ten minutes at the usual rate; how long a recording is, may be a guess
FIRST_LINE_SECONDS = 10.0
LINE_INTERVAL = 0.1  # of the time that has passed: long work writes few lines


class Progress(Protocol):
    """Called with the name of a stage, how many parts of it are done and how many there are; first with none done.

    Of a part that takes long, it is told meanwhile how much of it is done: done may be 2.7.
    """

    def __call__(self, stage: str, done: float, total: int, /) -> None:
        """Called after each part, and now and then within a long one."""


def silent(stage: str, done: float, total: int) -> None:
    """Report nothing, as the library does unless it is asked to."""


def continued(progress: Progress, start: int, total: int) -> Progress:
    """A Progress for a part of the work, which reports it as done of the whole."""
    return lambda stage, done, _: progress(stage, start + done, total)


# Who is told, in the thread that makes an item, how much of it is done.
_hear: ContextVar[Callable[[float], object]] = ContextVar("hear", default=lambda _: None)


def tell_share(share: float) -> None:
    """Say how much, 0 to below 1, is done of the item that this thread makes, or of all that are being made."""
    _hear.get()(share)


def telling(blocks: Iterable[Block], total: float) -> Iterator[Block]:
    """The blocks of a recording one by one; of a long one, it is told how much is done. total: of samples, as expected;
    0 if that is not known."""
    done = 0
    for block in blocks:
        if total >= LONG_SAMPLES:
            tell_share(min(MOST_DONE, done / total))
        done += len(block)
        yield block


def listened_to(items: Iterable[Item], hear: Callable[[float], object]) -> Generator[Item, None, None]:
    """The items one by one; what is told while one is made goes to `hear`."""
    iterator = iter(items)
    while True:
        before = _hear.set(hear)
        try:
            item = next(iterator)
        except StopIteration:
            return
        finally:
            _hear.reset(before)
        yield item


def as_part(items: Iterable[Item], number: int, parts: int) -> Iterator[Item]:
    """The items one by one, which are, by its number from 0, one of so many equal parts of what this thread makes."""
    hear = _hear.get()
    return listened_to(items, lambda share: hear((number + share) / parts))


def counted(stage: str, items: Iterable[Item], total: int, progress: Progress) -> Iterator[Item]:
    """The items one by one; progress is told of the stage when it begins, after each of them, and when it ends, which
    may be before there were so many as were expected; and of what is done of those that are being made."""
    done, told = 0, 0.0

    def hear(share: float) -> None:
        nonlocal told
        if told < done + share < total:
            told = done + share
            progress(stage, told, total)

    progress(stage, 0, total)
    for item in listened_to(items, hear):
        yield item
        done += 1
        if told <= done < total:
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
def progress_shown(quiet: bool = False, only_long: bool = False) -> Iterator[Progress]:
    """A Progress that people see: a bar on a terminal, else lines on standard error; nothing if `quiet`.

    only_long: a bar for parts that take long, and nothing else.
    """
    if quiet or (only_long and not sys.stderr.isatty()):
        yield silent
    elif sys.stderr.isatty():
        with _bars(only_long) as progress:
            yield _timed(progress)
    else:
        yield _timed(ProgressLines())


def _timed(progress: Progress) -> Progress:
    """A Progress that also logs, for --verbose, how long each stage took."""
    start = 0.0

    def show(stage: str, done: float, total: int) -> None:
        nonlocal start
        start = start if done else time.monotonic()
        progress(stage, done, total)
        if 0 < done == total:
            logger.debug("%s: %d in %.1f seconds", stage, total, time.monotonic() - start)

    return show


@contextmanager
def _bars(only_long: bool) -> Iterator[Progress]:
    """A Progress that draws a bar for the stage under way, and its time every second."""
    bar = Bars(sys.stderr, only_long)
    ended = threading.Event()

    def redraw() -> None:
        while not ended.wait(REDRAW_SECONDS):
            bar.redraw()

    redrawing = threading.Thread(target=redraw, name="progress", daemon=True)
    redrawing.start()
    try:
        yield bar
    finally:
        ended.set()
        redrawing.join()
        bar.close()


@contextmanager
def bar_away(stream: TextIO) -> Iterator[None]:
    """While something is printed on a terminal, no bar is in its way."""
    tqdm: Any = sys.modules.get("tqdm")
    if tqdm is None or not stream.isatty():
        yield
    else:
        with tqdm.tqdm.external_write_mode(stream):
            yield


class Bars:
    """A Progress: the bar of the stage under way, gone when it is done. For several threads at once.

    only_long: the bar is first drawn when it is told how much of a part is done.
    """

    def __init__(self, stream: TextIO, only_long: bool = False) -> None:
        self._stream, self._only_long, self._lock = stream, only_long, threading.RLock()
        self._drawn: Any = None

    def __call__(self, stage: str, done: float, total: int) -> None:
        """Called after each part, and within long ones."""
        with self._lock:
            if not done or done == total:
                self.close()
            if done == total or (self._only_long and self._drawn is None and done % 1 == 0):
                return
            from tqdm import tqdm

            if self._drawn is None:
                look = {"leave": False, "dynamic_ncols": True, "miniters": 0, "bar_format": BAR}
                self._drawn = tqdm(total=total, desc=stage, initial=round(done, 2), file=self._stream, **look)
            self._drawn.n = round(done, 2)
            self._drawn.update(0)

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
    """A Progress that logs a line after ten seconds, and then at growing intervals, if a part is done."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._start = self._due = 0.0

    def __call__(self, stage: str, done: float, total: int) -> None:
        """Called after each part."""
        now = self._clock()
        if not done:
            self._start, self._due = now, now + FIRST_LINE_SECONDS
        elif 1 <= done < total and now >= self._due:
            passed = now - self._start
            each = passed / done
            left = duration(max(1, each * (total - done)))
            rate = f"{1 / each:.3g} per second" if each < 2 else f"{count(round(each), 'second')} each"
            logger.info("%s: %d of %d, %s, about %s left", stage, done, total, rate, left)
            self._due = now + max(FIRST_LINE_SECONDS, LINE_INTERVAL * passed)
