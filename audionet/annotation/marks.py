"""What is heard from when to when, as a file says it; and files that do: NIST's RTTM, STM and UEM, and HTK's labels."""

import logging
import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeVar

from audionet.audio.chunks import Part
from audionet.dataset.names import composed
from audionet.errors import AudionetError
from audionet.system.text import count, listed
from audionet.system.untrusted import LONGEST_TEXT, Refused
from audionet.system.untrusted import text as checked_text
from audionet.tables.faults import each_line, line_error
from audionet.tables.reading import SHOWN
from audionet.tables.times import read_part

logger = logging.getLogger(__name__)

LINES_LOOKED_AT = 5  # to know a file
FEWEST_SENTENCES, SPOKEN = 8, 0.6  # of all annotations of a file in which the texts are what is said
CHANNELS = {"NA": 0, "<NA>": 0, "A": 1, "B": 2, "a": 1, "b": 2}  # NIST's names of those that have no number
COMMENT = re.compile(r"\s*#[^\t]*")
TIME = r"\s*-?(?:\d+:){0,2}\d+(?:[.,]\d+)?(?:e[-+]?\d+)?"
LOG_LIKELIHOOD = re.compile(r"\s+-?\d+\.\d+$")  # which HTK writes behind a label
HTKS_UNITS, FEWEST_UNITS = 10_000_000, 1_000_000  # a second, and the shortest part that is used
T = TypeVar("T")
NOBODY = ("inter_segment_gap", "excluded_region")  # in NIST's STM


@dataclass(frozen=True)
class Annotation:
    """What is heard from when to when, in seconds.

    recording: as the file names it; None where the file is of one recording, which it lies beside. label: "" where no
    mark in the file has one.
    line: of the file, from 1. tier: what the row of marks is called that it stands in, in Praat and ELAN. channel: of
    the recording, from 1; 0 where the file does not say.
    """

    recording: str | None
    start_seconds: float
    end_seconds: float
    label: str
    line: int = field(default=0, compare=False)
    tier: str = field(default="", compare=False)
    channel: int = field(default=0, compare=False)


def annotation(path: Path, line: int, recording: str | None, part: Part, label: str, tier: str = "") -> Annotation:
    """What a line says. Raises AudionetError if it has no label."""
    if not label.strip():
        raise line_error(path, line, f"has no label; say what is heard from {part[0]:g} to {part[1]:g} s")
    try:
        return Annotation(recording, *part, checked_text(label.strip()), line, tier)
    except Refused as error:
        raise line_error(path, line, f"has a label of over {LONGEST_TEXT} characters") from error


def numbered_lines(text: str) -> Iterator[tuple[int, str]]:
    """The lines of a text that are neither empty nor comments, each with its number from 1."""
    lines = enumerate(text.splitlines(), start=1)
    return ((number, line) for number, line in lines if line.strip() and not COMMENT.fullmatch(line))


def of_tiers(path: Path, marks: Sequence[tuple[str, T]], chosen: Collection[str]) -> list[T]:
    """The marks in chosen tiers; all if none is chosen, or the file has no tiers. marks: each with its tier.

    Raises AudionetError if it has others alone.
    """
    tiers = {tier for tier, _ in marks} - {""}
    if chosen and not tiers and marks:
        logger.warning("%s: has no tiers, so that --tier changes nothing", path)
    if not chosen or not tiers:
        return [mark for _, mark in marks]
    if tiers.isdisjoint(chosen):
        names = (listed(sorted(map(repr, each))) for each in (chosen, tiers))
        raise AudionetError("{}: has no tier {} with marks, but {}; name one of them with --tier".format(path, *names))
    return [mark for tier, mark in marks if tier in chosen]


def by_tiers(path: Path, annotations: list[Annotation], folders: Collection[str]) -> list[Annotation]:
    """The same annotations, of the classes that their tiers are called, if it is these that say who is heard.

    That is so where the tiers are called as class folders are and the texts are not, and where several tiers hold
    sentences, of which hardly one is there twice. Of sentences in one tier, or in none, each is a class, which is said.
    """
    tiers, labels = {mark.tier for mark in annotations}, {composed(mark.label) for mark in annotations}
    have_names = bool(tiers) and "" not in tiers
    are_folders = have_names and set(map(composed, tiers)).issubset(folders) and not labels.issubset(folders)
    sentences = sum(" " in mark.label for mark in annotations)
    are_spoken = min(sentences, len(labels)) >= max(FEWEST_SENTENCES, SPOKEN * len(annotations))
    if are_folders or (are_spoken and have_names and len(tiers) > 1):
        sentence = "%s: the classes are what its tiers are called (%s), not the texts in them"
        logger.info(sentence, path, listed(sorted(tiers)))
        return [replace(mark, label=mark.tier) for mark in annotations]
    if are_spoken and sum(mark.label.count(" ") for mark in annotations) > 2 * len(annotations):  # as no names of birds
        sentence = "%s: each of its %s is a class; if they are what is said, write who speaks instead"
        logger.warning(sentence, path, count(len(labels), "different text"))
    if len(tiers) > 1:
        logger.info("%s: all its tiers count (%s); --tier, with a name, chooses", path, listed(sorted(tiers)))
    return annotations


def read_rttm(path: Path, text: str) -> list[Annotation]:
    """The SPEAKER lines: the second field is the recording, the fourth and fifth start and length, the eighth who."""
    lines = [(number, line.split()) for number, line in _lines(text)]
    speakers = [line for line in lines if line[1][0] == "SPEAKER"]  # RTTM says more than who speaks
    if lines and not speakers:
        raise line_error(path, lines[0][0], "does not begin with SPEAKER, as in RTTM; nor does any other")

    def turn(line: tuple[int, list[str]]) -> Annotation:
        number, fields = line
        if len(fields) < 8:
            raise line_error(path, number, f"has {len(fields)} fields, where a SPEAKER of RTTM has at least 8")
        part = read_part(path, number, fields[3], fields[4], end_is_length=True)
        mark = annotation(path, number, fields[1], part, fields[7])
        return replace(mark, channel=_channel(path, number, fields[2]))

    return each_line(speakers, turn)


def read_stm(path: Path, text: str) -> list[Annotation]:
    """Who speaks, as transcripts say it: recording, channel, speaker, start and end on each line, before the words."""

    def turn(line: tuple[int, str]) -> Annotation | None:
        number, written = line
        fields = _fields(path, number, written.split(None, 5), "a speaker, ", " anna")
        recording, channel, speaker, start, end, *_ = fields
        if speaker in NOBODY:
            return None
        mark = annotation(path, number, recording, read_part(path, number, start, end), speaker)
        return replace(mark, channel=_channel(path, number, channel))

    return each_line(_lines(text), turn)


def read_uem(path: Path, text: str) -> list[Annotation]:
    """The stretches that somebody listened to, without labels: recording, channel, start and end on each line."""

    def stretch(line: tuple[int, str]) -> Annotation:
        number, written = line
        recording, channel, *times = _fields(path, number, written.rsplit(None, 3))
        part = read_part(path, number, *times)
        return Annotation(recording.strip(), *part, "", number, channel=_channel(path, number, channel))

    return each_line(_lines(text), stretch)


def read_lab(path: Path, text: str) -> list[Annotation]:
    """Start, end and label on each line: in seconds with a point, or as HTK has them, in units of 100 nanoseconds."""

    def fields_of(line: tuple[int, str]) -> tuple[int, list[str]]:
        number, fields = line[0], line[1].split(None, 2)
        if len(fields) < 3 or not all(re.fullmatch(TIME, field) for field in fields[:2]):
            expected = "a start, an end and a label, such as 1.5 3.25 owl; write them, or a table with these columns"
            raise line_error(path, number, f"is {' '.join(fields)[:SHOWN]!r}, where a .lab that is read has {expected}")
        return number, fields

    lines = each_line(numbered_lines(text), fields_of)
    are_htks = all(field.isdecimal() for _, fields in lines for field in fields[:2])
    if are_htks and lines and max(int(fields[1][:SHOWN]) for _, fields in lines) < FEWEST_UNITS:
        raise AudionetError(
            f"{path}: has whole numbers as times, too small for HTK's, of which ten million are a second; write "
            "seconds with a point, such as 3.0"
        )

    def mark_of(line: tuple[int, list[str]]) -> Annotation:
        number, (start, end, label) = line
        if are_htks:
            start, end = (f"{int(time[:SHOWN]) / HTKS_UNITS:f}" for time in (start, end))
            label = LOG_LIKELIHOOD.sub("", label)
        return annotation(path, number, None, read_part(path, number, start, end), label)

    return each_line(lines, mark_of)


def _lines(text: str) -> Iterator[tuple[int, str]]:
    """The lines that are no comments."""
    return ((number, line) for number, line in numbered_lines(text) if not line.lstrip().startswith(";;"))


def _fields(path: Path, line: int, fields: list[str], speaker: str = "", example: str = "") -> list[str]:
    """The fields of a line. Raises AudionetError if there are too few; a speaker may have to be among them."""
    if len(fields) < 4 + bool(speaker):
        needed = f"a recording, a channel, {speaker}a start and an end are needed, such as night 1{example} 0.0 300.0"
        raise line_error(path, line, f"is {' '.join(fields)[:SHOWN]!r}, where {needed}")
    return fields


def _channel(path: Path, line: int, name: str) -> int:
    """The number of a channel, from 1; 0 of any."""
    if name not in CHANNELS and not name.isdecimal():
        raise line_error(path, line, f"has the channel {name[:SHOWN]!r}; channels are 1, 2 and so on, or A and B")
    return CHANNELS[name] if name in CHANNELS else int(name[:SHOWN])
