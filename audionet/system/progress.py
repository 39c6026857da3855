"""How long work tells how far it is."""

import sys
import time
from collections.abc import Iterable, Iterator
from typing import Protocol, TypeVar

Item = TypeVar("Item")

NOTEBOOK_INTERVAL_SECONDS = 0.2


class Progress(Protocol):
    """Called with the name of a stage, how many parts of it are done and how many there are; first with none done."""

    def __call__(self, stage: str, done: int, total: int) -> None:
        """Called after each part."""


def silent(stage: str, done: int, total: int) -> None:
    """Report nothing, as the library does unless it is asked to."""


def continued(progress: Progress, start: int, total: int) -> Progress:
    """A Progress for a part of the work, which reports it as done of the whole."""
    return lambda stage, done, _: progress(stage, start + done, total)


def counted(stage: str, items: Iterable[Item], total: int, progress: Progress) -> Iterator[Item]:
    """The items one by one; progress is told of the stage when it begins, and after each of them."""
    progress(stage, 0, total)
    for done, item in enumerate(items, start=1):
        yield item
        progress(stage, done, total)


class NotebookProgress:
    """One line under the cell of a notebook, written over as the work goes on."""

    def __init__(self) -> None:
        self._written = 0.0

    def __call__(self, stage: str, done: int, total: int) -> None:
        """Called after each part."""
        now = time.monotonic()
        if total and (done in (0, total) or now - self._written > NOTEBOOK_INTERVAL_SECONDS):
            self._written = now
            sys.stdout.write(f"\r{stage}: {done} of {total}" + ("\n" if done == total else ""))
            sys.stdout.flush()


def is_notebook() -> bool:
    """Whether this is the kernel of a notebook, where a person waits and no terminal is."""
    return "ipykernel" in sys.modules and getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)() is not None


def chosen(progress: Progress | None) -> Progress:
    """The progress asked for; without one, that of a notebook in a notebook, and none elsewhere."""
    if progress is not None:
        return progress
    return NotebookProgress() if is_notebook() else silent
