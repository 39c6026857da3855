"""Parts of recordings, and which class is heard in each: joined, cut out, compared. Pure but for what they log."""

import bisect
import heapq
import itertools
import logging
import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from audionet.audio.chunks import Part
from audionet.dataset.folders import Recording
from audionet.errors import AudionetError
from audionet.options import BACKGROUND, REFUSE, AnnotationOptions
from audionet.settings import MINIMUM_SECONDS
from audionet.system.text import clock, count, listed, printable

logger = logging.getLogger(__name__)

WHOLE = Part(0.0, math.inf)
ROUNDING_SECONDS = 1e-6
# What is left between two parts that people marked is seldom worth a picture where it is shorter, and often the end of
# a call.
SHORTEST_GAP_SECONDS = 0.5


class Overlap(NamedTuple):
    """Two classes that are heard at once in a recording, with their parts; that of `first` begins no later."""

    first: Recording
    first_part: Part
    second: Recording
    second_part: Part

    def __str__(self) -> str:
        one, other = (
            f"{printable(recording.class_name)!r} ({span(part)})"
            for recording, part in ((self.first, self.first_part), (self.second, self.second_part))
        )
        return f"{self.first.path}: {one} and {other}"


def span(part: Part) -> str:
    """`0:01.5 to 0:03.2`; `all of it` for a whole recording.

    >>> span(Part(1.5, 63.25))
    '0:01.5 to 1:03.2'
    """
    if part == WHOLE:
        return "all of it"
    end = "the end" if math.isinf(part.end_seconds) else clock(part.end_seconds)
    return f"{clock(part.start_seconds)} to {end}"


def unused(recording: Recording, parts: Sequence[Part]) -> str:
    """Why marked parts of a recording are of no use, in which no chunk lies."""
    are = "is" if len(parts) == 1 else "are"
    return (
        f"{listed([span(part) for part in parts])} {are} marked as {printable(recording.class_name)!r}, and not used: "
        f"shorter than {MINIMUM_SECONDS:g} seconds, or behind the end of the recording"
    )


def joined(parts: Iterable[Part], *, touching: bool = False) -> list[Part]:
    """Parts in order, those that overlap as one; those that touch too, if that is asked for.

    >>> joined([Part(4, 6), Part(1, 2), Part(5, 7), Part(7, 8)])
    [Part(start_seconds=1, end_seconds=2), Part(start_seconds=4, end_seconds=7), Part(start_seconds=7, end_seconds=8)]
    """
    found: list[Part] = []
    for part in sorted(parts):
        if found and (part.start_seconds < found[-1].end_seconds or (touching and part.start_seconds == found[-1][1])):
            part = Part(found[-1].start_seconds, max(found.pop().end_seconds, part.end_seconds))
        found.append(part)
    return found


def without(parts: Iterable[Part], holes: Iterable[Part], shortest_seconds: float = MINIMUM_SECONDS) -> list[Part]:
    """What is left of parts once the holes are cut out of them, from a length on."""
    cuts, found, first = joined(holes, touching=True), list[Part](), 0
    for start, end in joined(parts):
        while first < len(cuts) and cuts[first].end_seconds <= start:
            first += 1
        for number in range(first, len(cuts)):
            if cuts[number].start_seconds >= end:
                break
            found.append(Part(start, cuts[number].start_seconds))
            start = cuts[number].end_seconds
        found.append(Part(start, end))
    return [part for part in found if is_long_enough(part, shortest_seconds)]


def is_long_enough(part: Part, shortest_seconds: float = MINIMUM_SECONDS) -> bool:
    """Whether a part has a length, but for rounding."""
    return part.end_seconds - part.start_seconds > shortest_seconds - ROUNDING_SECONDS


def last_of_each_second(parts: Sequence[Part]) -> Iterator[tuple[Part, int]]:
    """For all that is in at least one of the parts: which is the last that it is in, by its number; in order of time.

    >>> list(last_of_each_second([Part(0, 5), Part(1, 2)]))[1]
    (Part(start_seconds=1, end_seconds=2), 1)
    """
    starts = sorted(range(len(parts)), key=lambda number: parts[number].start_seconds)
    going_on: list[int] = []  # a heap of the negative numbers of those that have begun
    following = 0
    for start, end in itertools.pairwise(sorted({border for part in parts for border in part})):
        while following < len(starts) and parts[starts[following]].start_seconds <= start:
            heapq.heappush(going_on, -starts[following])
            following += 1
        while going_on and parts[-going_on[0]].end_seconds <= start:
            heapq.heappop(going_on)
        if going_on:
            yield Part(start, end), -going_on[0]


def combined(recordings: Iterable[Recording], options: AnnotationOptions) -> list[Recording]:
    """One recording for each class and file, sorted, of recordings that may say each a part of it.

    What is said of the whole file goes before what is said of its parts. Raises AudionetError for classes that are
    heard at once, if that is to be refused.
    """
    by_key: dict[str, list[Recording]] = defaultdict(list)
    for recording in recordings:
        by_key[recording.key].append(recording)
    found = [with_parts(same[0], [part for one in same for part in parts_of(one)]) for same in by_key.values()]
    _report_overlaps(found, options)
    if options.unmarked == BACKGROUND:
        found = _with_background(found)
    return sorted(found)


def parts_of(recording: Recording) -> Sequence[Part]:
    """Its parts; the whole, if it has none."""
    return recording.parts or [WHOLE]


def with_parts(recording: Recording, parts: Iterable[Part], *, touching: bool = False) -> Recording:
    """The same with other parts, at least one."""
    found = tuple(joined(parts, touching=touching))
    return replace(recording, parts=() if found == (WHOLE,) else found)


def named(recording: Recording, class_name: str) -> Recording:
    """The same file as a recording of another class."""
    return replace(recording, class_name=class_name, key=f"{class_name}/{recording.key.partition('/')[2]}")


def _with_background(recordings: list[Recording]) -> list[Recording]:
    """The same, and what is not marked in files of which parts are, as a class of its own."""
    by_path: dict[Path, list[Recording]] = defaultdict(list)
    for recording in recordings:
        by_path[recording.path].append(recording)
    found: list[Recording] = []
    for same in by_path.values():
        rest = without([WHOLE], [part for one in same for part in parts_of(one)], SHORTEST_GAP_SECONDS)
        own = [one for one in same if one.class_name == BACKGROUND]
        found += [one for one in same if one.class_name != BACKGROUND]
        marked = [part for one in own for part in parts_of(one)]
        if rest or marked:
            found.append(with_parts(named(same[0], BACKGROUND), [*marked, *rest]))
    return found


def find_overlaps(recordings: Iterable[Recording]) -> Iterator[Overlap]:
    """What is heard at once in one file, in order of the files and times. There may be the square of the parts."""
    for marks in _marks_by_file(recordings):
        going_on: list[tuple[Part, Recording]] = []
        for part, recording in marks:
            going_on = [one for one in going_on if one[0].end_seconds > part.start_seconds]
            yield from (Overlap(other, own, recording, part) for own, other in going_on)
            going_on.append((part, recording))


def _count_overlaps(recordings: Iterable[Recording]) -> int:
    """How many find_overlaps finds, without looking at each."""
    found = 0
    for marks in _marks_by_file(recordings):
        ends = sorted(part.end_seconds for part, _ in marks)
        # Those before it have begun; what has ended by then is among them, for none ends before it begins.
        found += sum(begun - bisect.bisect_right(ends, part.start_seconds) for begun, (part, _) in enumerate(marks))
    return found


def _marks_by_file(recordings: Iterable[Recording]) -> Iterator[list[tuple[Part, Recording]]]:
    by_path: dict[Path, list[tuple[Part, Recording]]] = defaultdict(list)
    for recording in recordings:
        by_path[recording.path] += [(part, recording) for part in parts_of(recording)]
    for _, marks in sorted(by_path.items()):
        yield sorted(marks)


def _report_overlaps(recordings: Sequence[Recording], options: AnnotationOptions) -> None:
    first = next(find_overlaps(recordings), None)
    if first is None:
        return
    others = _count_overlaps(recordings) - 1
    more = f", and {count(others, 'other pair')} of parts" if others else ""
    if options.overlaps == REFUSE:
        raise AudionetError(
            f"{first} are heard at once{more}; mend the times, or leave out --overlaps refuse to learn both "
            "classes from such seconds"
        )
    logger.warning("%s are heard at once%s: both classes are learnt from those seconds", first, more)
