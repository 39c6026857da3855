"""Which columns of a table say from when to when something is heard, and what times in cells mean."""

import itertools
import re
from collections.abc import Collection, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from audionet.audio.chunks import Part
from audionet.errors import AudionetError
from audionet.settings import MINIMUM_SECONDS
from audionet.system.grouping import grouped
from audionet.tables.faults import LineError, line_error
from audionet.tables.paths import path_columns
from audionet.tables.reading import SHOWN, Row, Table, is_time, seconds

# `hh:mm:ss.ms` is what `seconds` reads too; milliseconds and ticks, which are 100 ns, are turned into seconds.
SECONDS = r"(in)?(s|ss|sec|secs|second|seconds|ssmsec|hms|h*mmss(m*s|f+)?|ms|msecs?|millis|milliseconds?|ticks)?"
IN_MILLISECONDS = re.compile(r"(?<!s)(ms|msecs?|millis|milliseconds?)$")
NUMBER = re.compile(r"\d+([.,]\d+)?")
START = re.compile(rf"(start|begin|tmin|xmin)(time)?{SECONDS}")
ONSET = re.compile(rf"onset(time)?{SECONDS}")
END = re.compile(rf"(end|stop|tmax|xmax)(time)?{SECONDS}")
OFFSET = re.compile(rf"offset(time)?{SECONDS}")  # an end beside an onset; beside a length alone, a start
LENGTH = re.compile(rf"(duration|dur|length|deltatime){SECONDS}")
FILE_OFFSET = "fileoffset"
TIMES = re.compile("|".join(pattern.pattern for pattern in (START, ONSET, END, OFFSET, LENGTH)))
# Times that are no seconds.
OTHER_UNITS = re.compile(
    r"(start|begin|end|stop|onset|offset|duration|length)(time)?(in)?"
    r"(us|ns|samples?|samplesamples|frames?|min|minutes?|clocktime)"
)
IN_MINUTES = re.compile(r"(start|begin|onset)(time)?(in)?(min|minutes?|h|hours?)")
CLOCKED = re.compile(r"(start|begin|onset|end|stop|offset)(time)?(in)?(hms|h*mmss.*)")
UNITS, OF_SECONDS = re.compile(r"(time)?units?|timeformat"), ("", "s", "sec", "secs", "second", "seconds", "decimal")
# What the names of other columns consist of that say where something begins or ends, if all their values are times.
BORDERS = frozenset(
    "start begin beginning onset from end stop finish until till to offset in out on off tmin tmax xmin xmax t0 t1 "
    "x1 x2 anfang anfangs beginn von ende bis début debut fin inicio início inizio fine fim eind einde slut".split()
)
# Borders in one word with another, and what is a border beside a word for time, as in `min_time` or `first_sample`.
COMPOUND = re.compile(
    r"(t|time|zeit)?(start|begin|beginn|anfangs?|end|ende|eind|slut|stop|onset|offset)(zeit|time|tijd|tid|idx|index)?"
)
BORDERS_BESIDE = frozenset("min max first last".split())
WORDS_FOR_TIME = frozenset(
    "t tc time times timespan timecode zeit tijd tid temps tiempo tempo timestamp stamp s sec secs second seconds ss "
    "ms msec hh mm sample samples frame frames idx index pos position".split()
)
WORDS_BESIDE = WORDS_FOR_TIME.union(
    "event segment seg interval region part clip chunk window call song note phrase syllable bout turn utterance "
    "speech voice annotation label selection detection marker".split()
)
WORDS = re.compile(r"[^\W\d_]+\d?")
BEGINNINGS_OF_LENGTHS = frozenset({"time", "timestamp", "position"})
MOMENTS = BEGINNINGS_OF_LENGTHS.union("second seconds sec secs timesec times timestamps".split())
# With frames, as programs for films write it, or of a day.
TIME_CODE = re.compile(r"(\d{4}-\d\d-\d\d[T ])?\d\d[:;]\d\d[:;]\d\d([:;.,]\d+)?(Z|[+-]\d\d:?\d\d)?")
EARLY = re.compile(r"-0?[.,]\d+")  # less than a second before the recording, as tools have it that count in windows
THOUSANDS = re.compile(r"[1-9]\d{0,2}(,\d{3})+")
OF_A_DAY = re.compile(r"0[.,]\d{5,}|\d([.,]\d+)?[eE]-\d{1,2}")  # as Excel and LibreOffice write a part of one
# So many times as long as its length says a part can't be: that is in seconds, and the part in milliseconds or samples.
OTHER_UNIT = 20


@dataclass(frozen=True)
class TimeColumns:
    """The columns that mark a part of a recording.

    end_is_length: the end's column says how long it lasts instead. file_offset: the column, if there is one, of where a
    part starts in its own file; Raven has it. length: a column beside start and end of how long the part, or the whole
    recording, lasts; "" if there is none.
    """

    start: str
    end: str
    end_is_length: bool = False
    file_offset: str = ""
    length: str = ""

    def part(self, table: Table, row: Row) -> Part | None:
        """The part that a row marks; None if it marks none. Raises AudionetError if its times make no part."""
        start, end = row.get(self.start), row.get(self.end)
        if not start and not end:
            return None
        for name in filter(None, (self.start, self.end, self.file_offset)):
            if not row.get(name):
                missing = f"has no {table.columns[name]}, which other lines have"
                raise table.error(row.line, f"{missing}; write it, or leave out all times of this line")
        start, end, offset, length = (
            _in_seconds(name, row.get(name)) for name in (self.start, self.end, self.file_offset, self.length)
        )
        part = read_part(table.path, row.line, start, end, end_is_length=self.end_is_length, offset=offset)
        if is_time(length) and 0 < OTHER_UNIT * seconds(length) < part.seconds:
            columns = f"{table.columns[self.start]}, {table.columns[self.end]} and {table.columns[self.length]}"
            remedy = "write all in seconds, or delete the column that is wrong"  # of SpeechBrain's, two are in samples
            raise table.error(row.line, f"says {start}, {end} and {length}: {columns} do not agree; {remedy}")
        return part

    def parts(self, table: Table) -> Iterator[tuple[Row, Part]]:
        """The rows that mark a part, with it. What is wrong with others is said where all of each row is read."""
        for row in table.rows:
            with suppress(LineError):
                if (part := self.part(table, row)) is not None:
                    yield row, part


def _in_seconds(column: str, cell: str) -> str:
    """A time, as it is written, in seconds if the column's name says that it is in another unit."""
    unit_seconds = 1e-7 if column.endswith("ticks") else 1e-3 if IN_MILLISECONDS.search(column) else 1
    if unit_seconds == 1 or not NUMBER.fullmatch(cell):
        return cell
    return f"{float(cell.replace(',', '.')) * unit_seconds:.7f}"


def read_part(path: Path, line: int, start: str, end: str, *, end_is_length: bool = False, offset: str = "") -> Part:
    """The part that a line of a file marks. Raises AudionetError if its times are none, or it ends before it begins.

    end_is_length: it is how long the part lasts. offset: where it starts in its own file; "" where start says that.
    """
    try:
        is_early = EARLY.fullmatch(start) is not None
        begin, stop = -seconds(start[1:]) if is_early else seconds(start), seconds(end)
        stop = round(begin + stop, 6) if end_is_length else stop
        if offset:
            # Of recordings opened together, the times run on from each to the next; the offset is the file's own.
            begin, stop = seconds(offset), round(seconds(offset) + stop - begin, 6)
    except ValueError as error:
        named = " and ".join(repr(time[:SHOWN]) for time in (start, end, offset) if time)
        raise line_error(path, line, f"has the times {named}; {error}") from error
    begin = max(0.0, begin)
    if stop < begin:
        raise line_error(path, line, f"marks {begin:g} to {stop:g} s; a part ends after it begins")
    return Part(begin, stop)


def marks_parts(columns: Collection[str]) -> bool:
    """Whether the simplified names of a table's columns say when something begins and ends."""
    names = list(columns)
    others = [name for name in names if OTHER_UNITS.fullmatch(name)]  # which times_of refuses in words
    in_others = len(others) > 1 and any(name.startswith(("start", "begin", "onset")) for name in others)
    return in_others or _time_columns(names) is not None


def _time_columns(names: Sequence[str]) -> TimeColumns | None:
    """The columns of times among those of these simplified names; None if these do not say both borders of a part."""
    start, end, onset, offset, length = (_first(pattern, names) for pattern in (START, END, ONSET, OFFSET, LENGTH))
    if start is None and onset is not None:
        start, end = onset, end or offset
    elif start is None and length is not None:
        # Of Sonic Visualiser's regions, the value is the height at which each is drawn.
        start = offset or ("time" if {"time", "value"} <= set(names) else None)
    elif start is None and end is not None and "time" in names:
        start = "time"
    if start is None or not (end or length):
        return None
    file_offset = next((name for name in (FILE_OFFSET, f"{FILE_OFFSET}s") if name in names), "")
    return TimeColumns(start, end or length or "", end is None, file_offset, (end and length) or "")


def times_of(table: Table) -> TimeColumns | None:
    """The columns of times; None if there are none, or they are all empty.

    Raises AudionetError if there is a start without an end or the other way round, and for times in other units.
    """
    marked = [name for name in table.columns if any(row.get(name) for row in table.rows)] if table.rows else []
    times = _time_columns(marked)
    halves = [name for name in marked if IN_MINUTES.fullmatch(name) or _lacks_colons(table, name)]
    if times is not None and not halves:
        _refuse_thousands(table, [name for name in (times.start, times.end, times.file_offset) if name])
        _require_seconds(table)
        return times
    halves += [name for pattern in (START, ONSET, END, OFFSET, OTHER_UNITS) if (name := _first(pattern, marked))]
    halves += [name for name in marked if _says_when(table, name, has_length=_first(LENGTH, marked) is not None)]
    halves += [name for name in marked if _holds_ranges(table, name)]
    if not halves:
        return None
    row = next(row for row in table.rows if row.get(halves[0]))
    raise table.error(
        row.line,
        f"marks a part of a recording: {table.columns[halves[0]]} {row.get(halves[0])!r}. Which part can be said with "
        "two columns called start and end, in seconds; rename or add them, or delete the column",
    )


def _says_when(table: Table, name: str, *, has_length: bool) -> bool:
    """Whether a column that is called as none for times is one all the same."""
    values = table.values(name)
    if name in MOMENTS:
        is_border = (has_length and name in BEGINNINGS_OF_LENGTHS) or _differs_within_recordings(table, name)
        return is_border and not any(":" in value for value in values) and all(map(is_time, values))
    written = re.sub(r"([a-z])([A-Z])", r"\1 \2", table.columns[name])
    words = {word.casefold() for word in WORDS.findall(written)}
    borders = {word for word in words if word in BORDERS or COMPOUND.fullmatch(word)}
    if words & WORDS_FOR_TIME:
        borders |= words & BORDERS_BESIDE
    are_times = all(is_time(value) or TIME_CODE.fullmatch(value) for value in values)
    return bool(borders) and words <= borders | WORDS_BESIDE and are_times


def _lacks_colons(table: Table, name: str) -> bool:
    """Whether a column is called as one of minutes and seconds, such as `start (mm.ss)`, and a cell has no colon."""
    return CLOCKED.fullmatch(name) is not None and not all(":" in cell for cell in table.values(name))


def _holds_ranges(table: Table, name: str) -> bool:
    """Whether the cells of a column are times from and to, such as `0:04 - 0:05.5`."""
    ranges = [re.split(r"\s*(?:-|\N{EN DASH}|\bto\b)\s*", value) for value in table.values(name)]
    is_of_time = name in MOMENTS | WORDS_FOR_TIME or all(":" in value for value in table.values(name))
    return is_of_time and all(len(times) == 2 and all(map(is_time, times)) for times in ranges)


def _differs_within_recordings(table: Table, name: str) -> bool:
    """Whether a column has several values of one recording, as the moments in it have."""
    paths = path_columns(table.columns)[:1]
    values = grouped((row.get(path), row.get(name)) for path in paths for row in table.rows)
    return any(len(set(of_one)) > 1 for of_one in values.values())


def _refuse_thousands(table: Table, names: Sequence[str]) -> None:
    """Raise AudionetError if `1,234` may be a second, or twenty minutes: where other times have a point, and where
    there are commas between the columns too, as programs have them that write a point before decimals."""
    cells = [(row.line, row.get(name)) for row in table.rows for name in names]
    with_comma = [(line, cell) for line, cell in cells if "," in cell]
    have_point = any("." in cell for _, cell in cells)
    may_be_thousands = table.separator == "," and all(THOUSANDS.fullmatch(cell) for _, cell in with_comma)
    if with_comma and (have_point or may_be_thousands):
        line, cell = with_comma[0]
        others = ", and others have a point" if have_point else ""
        raise table.error(
            line,
            f"has the time {cell[:SHOWN]!r}{others}: is its comma that of thousands? Write all times with a point, or "
            "all with a comma and semicolons between the columns",
        )


def _require_seconds(table: Table) -> None:
    """Raise AudionetError if a column says that times are no seconds, as that of Adobe Audition's markers may."""
    for name in filter(UNITS.fullmatch, table.columns):
        for row in table.rows:
            if row.get(name).casefold() not in OF_SECONDS:
                remedy = "choose the time format Decimal in Audition, or write seconds and delete the column"
                raise table.error(row.line, f"has times as {row.get(name)[:SHOWN]!r}; {remedy}")


def _first(pattern: re.Pattern[str], names: Sequence[str]) -> str | None:
    return next((name for name in names if pattern.fullmatch(name)), None)


def refuse_times_that_run_on(table: Table, path: str, times: TimeColumns) -> None:
    """Raise AudionetError if the seconds of several recordings are counted from the start of the first.

    Raven does so with recordings that are opened together.
    """
    if times.file_offset:
        return
    parts = grouped((row.get(path), part) for row, part in times.parts(table))
    ordered = sorted((min(own).start_seconds, max(part.end_seconds for part in own)) for own in parts.values())
    if len(ordered) > 1 and all(earlier[1] <= later[0] for earlier, later in itertools.pairwise(ordered)):
        raise AudionetError(
            f"{table.path}: is about {len(ordered)} recordings: do its times run on from each to the next? Add the "
            "column File Offset (s) in Raven; or, where each recording's times begin at 0, delete the column Selection"
        )


def refuse_other_units(table: Table, times: TimeColumns) -> None:
    """Raise AudionetError if times are fractions of a day, as a workbook has them, so that no part would be of use; or,
    beside what is spoken, milliseconds, as transcripts have them."""
    marked = list(times.parts(table))
    last_seconds = max((part.end_seconds for _, part in marked), default=0.0)
    are_whole = all(row.get(name).isdecimal() for row, _ in marked for name in (times.start, times.end))
    of_a_day = [row for row, _ in marked if OF_A_DAY.fullmatch(row.get(times.start))]
    if of_a_day and last_seconds <= 1 and all(part.seconds < MINIMUM_SECONDS for _, part in marked):
        row, question = of_a_day[0], "no line has longer parts: are they fractions of a day, as Excel has times?"
        remedy = "Multiply them by 86400 there, and format them as numbers"
    elif "text" in table.columns and last_seconds > 3600 and are_whole and all(part.seconds > 20 for _, part in marked):
        row, question = marked[0][0], "no line has shorter parts: are they milliseconds, as transcripts have times?"
        remedy = "Divide them by 1000; or, if they are seconds, write them with a point, as 12.0"
    else:
        return
    raise table.error(
        row.line, f"has the times {row.get(times.start)!r} and {row.get(times.end)!r}, and {question} {remedy}"
    )
