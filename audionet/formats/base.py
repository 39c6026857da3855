"""The base of the printers of all formats."""

import sys
from abc import ABC, abstractmethod
from collections.abc import Iterable
from itertools import islice
from typing import Generic, TypeVar

from audionet.errors import AudionetError
from audionet.inference.windows import Segment, Timeline, Windows, in_tiers

T = TypeVar("T")


def tiers_of(clip: Timeline) -> list[list[Segment]]:
    """The segments of a clip in tiers. Those of windows, which all overlap, are one: the printer cuts them."""
    return [clip.segments] if isinstance(clip, Windows) else in_tiers(clip.segments)


def in_milliseconds(segment: Segment) -> tuple[int, int]:
    """When a segment begins and ends: what one ends with is what the next begins with, and none is without length."""
    start = round(segment.start_seconds * 1000)
    return start, max(start + 1, round(segment.end_seconds * 1000))


def tier_name(number: int) -> str:
    """`audionet`, `audionet 2`, ... of the tiers from 0 on."""
    return f"audionet {number + 1}" if number else "audionet"


class Printer(ABC, Generic[T]):
    """Prints the results of clips in one format.

    labels: the model's classes. top: how many of them text shows of each clip. endless: clips come without end, so that
    nothing is kept for it.
    """

    def __init__(self, labels: list[str], top: int = 1, *, endless: bool = False) -> None:
        self._labels, self._top, self._endless = labels, top, endless
        self.begin()
        sys.stdout.flush()

    def begin(self) -> None:
        """Print what stands before all clips."""

    def expect(self, clips: Iterable[object]) -> None:
        """Take note of the clips that come, which are searched for only where that is asked."""

    def add(self, clip: T) -> None:
        """Print one clip, which is seen at once, or keep it for the end."""
        self.print_clip(clip)
        sys.stdout.flush()

    @abstractmethod
    def print_clip(self, clip: T) -> None:
        """Print one clip, or keep it for the end."""

    def finish(self) -> None:
        """Print the clips that were kept."""


class OneClipPrinter(Printer[Timeline]):
    """A format whose files are of one clip each, so that no second one can follow on standard output.

    name: of the format.
    """

    name = ""
    _added = 0

    def expect(self, clips: Iterable[object]) -> None:
        """Raise AudionetError for more than one clip."""
        if len(list(islice(clips, 2))) > 1:
            remedy = "label one recording, or one channel of it, at a time, or all with --format csv or raven"
            raise AudionetError(f"--format {self.name}: is of one recording each; {remedy}")

    def add(self, clip: Timeline) -> None:
        """Print one clip. Raises AudionetError for a second."""
        self._added += 1
        self.expect(range(self._added))
        super().add(clip)
