"""Parts of recordings, and which class is heard in each: joined, cut out, compared. Pure but for logs."""

import heapq
import itertools
import logging
import math
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from audionet.audio.chunks import Part
from audionet.dataset.folders import Recording
from audionet.dataset.names import UNKNOWN
from audionet.errors import AudionetError
from audionet.options import BACKGROUND, REFUSE, AnnotationOptions
from audionet.settings import MINIMUM_SECONDS
from audionet.system.grouping import grouped
from audionet.system.text import clock, count, listed, printable

logger = logging.getLogger(__name__)

WHOLE = Part(0.0, math.inf)
ROUNDING_SECONDS = 1e-6
# Parts that share no more than this touch: their times may have been written with two decimals, or as start and length.
TOUCHING_SECONDS = 0.02
# What is left between two parts that people marked is seldom worth a picture where it is shorter, and often the end of
# a call.
SHORTEST_GAP_SECONDS = 0.5
MOST_OVERLAPS = 10_000  # that are counted


class Overlap(NamedTuple):
    """Two classes that are heard at once in a recording, with their parts; that of `first` begins no later."""

    first: Recording
    first_part: Part
    second: Recording
    second_part: Part

    def __str__(self) -> str:
        first, second = (
            f"{printable(recording.class_name)!r} ({span(part)})"
            for recording, part in ((self.first, self.first_part), (self.second, self.second_part))
        )
        return f"{self.first.path}: {first} and {second}"


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
    why = f"shorter than {MINIMUM_SECONDS:g} seconds, or behind the end of the recording"
    if not total_seconds(parts):
        why = "a point has no length; mark from where it begins to where it ends"
    marked = f"marked as {printable(recording.class_name)!r}"
    return f"{listed([span(part) for part in parts])} {are} {marked}, and not used: {why}"


def joined(parts: Iterable[Part], touching_at: Collection[float] = ()) -> list[Part]:
    """Parts in order, those that overlap as one; so are those that touch at certain times.

    >>> joined([Part(4, 6), Part(1, 2), Part(5, 7), Part(7, 8)])
    [Part(start_seconds=1, end_seconds=2), Part(start_seconds=4, end_seconds=7), Part(start_seconds=7, end_seconds=8)]
    """
    merged: list[Part] = []
    for part in sorted(parts):
        gap_seconds = part.start_seconds - merged[-1].end_seconds if merged else math.inf
        if gap_seconds < 0 or (gap_seconds == 0 and part.start_seconds in touching_at):
            part = Part(merged[-1].start_seconds, max(merged.pop().end_seconds, part.end_seconds))
        merged.append(part)
    return merged


def without(parts: Iterable[Part], holes: Iterable[Part], shortest_seconds: float = MINIMUM_SECONDS) -> list[Part]:
    """What is left of parts once the holes are cut out of them, from a length on."""
    cuts, remaining, first = joined(holes), list[Part](), 0
    for start, end in joined(parts):
        while first < len(cuts) and cuts[first].end_seconds <= start:
            first += 1
        for number in range(first, len(cuts)):
            if cuts[number].start_seconds >= end:
                break
            remaining.append(Part(start, cuts[number].start_seconds))
            start = cuts[number].end_seconds
        remaining.append(Part(start, end))
    return [part for part in remaining if is_long_enough(part, shortest_seconds)]


def is_long_enough(part: Part, shortest_seconds: float = MINIMUM_SECONDS) -> bool:
    """Whether a part has a length, but for rounding."""
    return part.seconds > shortest_seconds - ROUNDING_SECONDS


def last_of_each_second(parts: Sequence[Part]) -> Iterator[tuple[Part, int]]:
    """Stretches, in order of time, of all that lies in at least one part, each with the number of the last such part.

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


def corrected_parts(
    parts_by_class: Mapping[str, Sequence[Part]], corrections: Sequence[tuple[str, Part]]
) -> dict[str, list[Part]]:
    """The parts of each class once each second belongs to the class of its last correction, and to no other.

    corrections: classes and parts; of the class "" is what belongs to none.
    """
    marked = [part for _, part in corrections]
    left = {name: without(parts, marked, ROUNDING_SECONDS * 2) for name, parts in parts_by_class.items()}
    for part, number in last_of_each_second(marked):
        left.setdefault(corrections[number][0], []).append(part)
    left.pop("", None)
    asked_for, borders = set(marked), {border for part in marked for border in part}
    # What is left over is too short only once it is joined with what it touches. Turns that nobody corrected stay two.
    return {
        name: [part for part in joined(parts, borders) if is_long_enough(part) or part in asked_for]
        for name, parts in left.items()
    }


def combined(recordings: Iterable[Recording], options: AnnotationOptions) -> list[Recording]:
    """One recording for each class and file, sorted, from recordings each of which may be about a part of it.

    What is said of the whole file goes before what is said of its parts. Parts that are marked as UNKNOWN are left out,
    and are no background. Raises AudionetError for classes that are heard at once, if that is to be refused.
    """
    same_class = grouped(((recording.class_name, recording.path), recording) for recording in recordings)
    merged = [with_parts(same[0], [part for one in same for part in parts_of(one)]) for same in same_class.values()]
    known = [recording for recording in merged if recording.class_name != UNKNOWN]
    unknown = sum(len(recording.parts) for recording in merged if recording.class_name == UNKNOWN)
    if unknown:
        logger.info("%s marked as %s: not learnt, since that is no class", count(unknown, "part"), UNKNOWN)
    _report_overlaps(known, options)
    if options.unmarked == BACKGROUND:
        known = [recording for recording in _with_background(merged) if recording.class_name != UNKNOWN]
    short = sum(part != _widened(part) for recording in known for part in recording.parts)
    if short:
        sentence = "%s shorter than %g s: each counts as so long, with what is heard around it"
        logger.info(sentence, count(short, "part"), MINIMUM_SECONDS)
    return sorted(replace(recording, parts=tuple(joined(map(_widened, recording.parts)))) for recording in known)


def _widened(part: Part) -> Part:
    """A part that is too short to be drawn, as calls of bats are, with what is around it; a point as it is."""
    missing_seconds = MINIMUM_SECONDS - part.seconds
    if missing_seconds <= ROUNDING_SECONDS or not part.seconds:
        return part
    start = max(0.0, part.start_seconds - missing_seconds / 2)
    return Part(start, start + MINIMUM_SECONDS + ROUNDING_SECONDS)


def with_distinct_keys(recordings: list[Recording], data_audio: Path) -> list[Recording]:
    """The same recordings, sorted, each with a key of its own: those that share one get the whole of their path in it.

    Two of one name that lie in two classes share one as background, and one that is marked as of another class shares
    that of a recording in this class's folder.
    """
    paths = grouped((recording.key, recording.path) for recording in recordings)
    shared = {key for key, of_key in paths.items() if len(of_key) > 1}
    whole = {
        recording: f"{recording.class_name}/{recording.path.relative_to(data_audio).as_posix()}"
        for recording in recordings
        if recording.key in shared
    }
    if all(recording.key == key for recording, key in whole.items()):
        return recordings
    renamed = [replace(recording, key=whole.get(recording, recording.key)) for recording in recordings]
    return with_distinct_keys(sorted(renamed), data_audio)


def within(recordings: Iterable[Recording], stretches: Mapping[Path, Sequence[Part]]) -> list[Recording]:
    """What lies in the stretches of each file that count, where any are given; no recordings of which nothing does.

    What is marked outside of them is said.
    """
    left, lost_seconds = list[Recording](), 0.0
    rest = {path: outside(inside) for path, inside in stretches.items()}
    for recording in recordings:
        if recording.path not in rest:
            left.append(recording)
            continue
        parts = without(parts_of(recording), rest[recording.path], 2 * ROUNDING_SECONDS)
        if recording.class_name != BACKGROUND and recording.parts and recording.parts[-1].end_seconds < math.inf:
            lost_seconds += total_seconds(recording.parts) - total_seconds(parts)
        if parts:
            left.append(with_parts(recording, parts))
    if lost_seconds > TOUCHING_SECONDS:
        logger.info("%.1f s are marked outside of what was annotated by UEM, and do not count", lost_seconds)
    return left


def outside(stretches: Iterable[Part]) -> list[Part]:
    """What lies in none of the stretches of a file."""
    return without([WHOLE], stretches, 2 * ROUNDING_SECONDS)


def total_seconds(parts: Iterable[Part]) -> float:
    """How long parts last together."""
    return sum(part.seconds for part in parts)


def parts_of(recording: Recording) -> Sequence[Part]:
    """Its parts; the whole, if it has none."""
    return recording.parts or [WHOLE]


def with_parts(recording: Recording, parts: Iterable[Part]) -> Recording:
    """The same recording with other parts, of which there is at least one."""
    merged = tuple(joined(parts))
    return replace(recording, parts=() if merged == (WHOLE,) else merged)


def named(recording: Recording, class_name: str) -> Recording:
    """The same file as a recording of another class."""
    return replace(recording, class_name=class_name, key=f"{class_name}/{recording.key.partition('/')[2]}")


def _with_background(recordings: list[Recording]) -> list[Recording]:
    """The same recordings, and what nobody marked in files with marked parts, as a class of its own."""
    with_background: list[Recording] = []
    for of_file in grouped((recording.path, recording) for recording in recordings).values():
        rest = without([WHOLE], [part for recording in of_file for part in parts_of(recording)], SHORTEST_GAP_SECONDS)
        background = [recording for recording in of_file if recording.class_name == BACKGROUND]
        with_background += [recording for recording in of_file if recording.class_name != BACKGROUND]
        marked = [part for recording in background for part in parts_of(recording)]
        if rest or marked:
            with_background.append(with_parts(named(of_file[0], BACKGROUND), [*marked, *rest]))
    return with_background


def find_overlaps(recordings: Iterable[Recording]) -> Iterator[Overlap]:
    """Which classes are heard at once in a file, in order of files and times; there may be as many as parts squared."""
    marks = grouped((recording.path, (part, recording)) for recording in recordings for part in parts_of(recording))
    for _, of_file in sorted(marks.items()):
        going_on: list[tuple[Part, Recording]] = []
        for part, recording in sorted(of_file):
            going_on = [mark for mark in going_on if _heard_until(mark[0]) > part.start_seconds]
            yield from (Overlap(other, own, recording, part) for own, other in going_on)
            going_on.append((part, recording))


def _heard_until(part: Part) -> float:
    """When a part ends for one that begins then not to be heard at once with it."""
    return max(part.start_seconds, part.end_seconds - TOUCHING_SECONDS)


def _report_overlaps(recordings: Sequence[Recording], options: AnnotationOptions) -> None:
    overlaps = list(itertools.islice(find_overlaps(recordings), MOST_OVERLAPS))
    if not overlaps:
        return
    first, others = overlaps[0], len(overlaps) - 1
    at_least = "at least " if len(overlaps) == MOST_OVERLAPS else ""
    more = f", and {at_least}{count(others, 'other pair')} of parts" if others else ""
    if options.overlaps == REFUSE:
        raise AudionetError(
            f"{first} are heard at once{more}; mend the times, or leave out --overlaps refuse to learn both "
            "classes from such seconds"
        )
    logger.warning("%s are heard at once%s: those seconds count for both classes", first, more)
