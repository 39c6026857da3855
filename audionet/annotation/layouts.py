"""Which columns of a table say what: the recording, its label, group and fold, and from when to when it is heard."""

import itertools
import logging
import math
import re
from collections.abc import Callable, Collection, Container, Sequence
from dataclasses import dataclass

from audionet.annotation.parts import TimeColumns
from audionet.annotation.table_paths import (
    PATH_COLUMNS,
    PATHS,
    TOOLS_PATH_COLUMNS,
    path_columns,
    require_header,
    require_path_column,
)
from audionet.annotation.tables import SHOWN, Row, Table, is_time
from audionet.errors import AudionetError
from audionet.system.grouping import grouped
from audionet.system.text import listed

logger = logging.getLogger(__name__)

# Simplified names of columns, see tables.simplified.
LABEL_COLUMNS = ("label", "class", "category", "species")
# Names that tools give them, as TOOLS_PATH_COLUMNS. Such a table is not looked for, since what `label` printed has them
# too, but it can be named.
TOOLS_LABEL_COLUMNS = tuple(
    "annotation eventlabel scenelabel primarylabel commonname scientificname speciescode manualid behavior tag type "
    "calltype speaker speakerid spkid emotion".split()
)
LABELS = "its label"  # in messages

# `hh:mm:ss.ms` is what `seconds` reads too.
SECONDS = r"(in)?(s|ss|sec|secs|second|seconds|ssmsec|hms|h*mmss(m*s|f+)?)?"
START = re.compile(rf"(start|begin|tmin|xmin)(time)?{SECONDS}")
ONSET = re.compile(rf"onset(time)?{SECONDS}")
END = re.compile(rf"(end|stop|tmax|xmax)(time)?{SECONDS}")
OFFSET = re.compile(rf"offset(time)?{SECONDS}")  # an end beside an onset; beside a length alone, a start
LENGTH = re.compile(rf"(duration|dur|length|deltatime){SECONDS}")
FILE_OFFSET = "fileoffset"
TIMES = re.compile("|".join(pattern.pattern for pattern in (START, ONSET, END, OFFSET, LENGTH)))


class KnownColumns(Container[str]):
    """The simplified names of columns that say which recording, what is heard, and when."""

    names = frozenset({*PATH_COLUMNS, *LABEL_COLUMNS, "group", "fold", "fsid", "srcfile"})

    def __contains__(self, name: object) -> bool:
        """Whether a name is one of them."""
        return name in self.names or TIMES.fullmatch(str(name)) is not None


KNOWN_COLUMNS = KnownColumns()
SELECTIONS = ("selection", "selec")  # Raven's and warbleR's numbers of parts
# Times that are no seconds.
OTHER_UNITS = re.compile(
    r"(start|begin|end|stop|onset|offset|duration|length)(time)?(in)?"
    r"(ms|msec|msecs|millis|milliseconds?|us|ns|samples?|samplesamples|frames?|min|minutes?|clocktime)"
)
UNITS, OF_SECONDS = re.compile(r"(time)?units?|timeformat"), ("", "s", "sec", "secs", "second", "seconds", "decimal")
# What the names of other columns consist of that say where something begins or ends, if all their values are times.
BORDERS = frozenset(
    "start begin beginning onset from end stop finish until till to offset in out on off tmin tmax xmin xmax t0 t1 "
    "anfang anfangs beginn von ende bis début debut fin inicio início inizio fine fim eind einde slut".split()
)
# Borders in one word with another, and what is a border beside a word for time, as in `min_time` or `first_sample`.
COMPOUND = re.compile(
    r"(t|time|zeit)?(start|begin|beginn|anfangs?|end|ende|eind|slut|stop|onset|offset)(zeit|time|tijd|tid|idx|index)?"
)
BORDERS_BESIDE = frozenset("min max first last".split())
WORDS_FOR_TIME = frozenset(
    "t time zeit tijd tid temps tiempo tempo timestamp stamp s sec secs second seconds ss ms msec hh mm sample samples "
    "frame frames idx index pos position".split()
)
WORDS_BESIDE = WORDS_FOR_TIME.union(
    "event segment seg interval region part clip chunk window call song note phrase syllable bout turn utterance "
    "speech voice annotation label selection detection marker".split()
)
WORDS = re.compile(r"[^\W\d_]+\d?")
BEGINNINGS_OF_LENGTHS = frozenset({"time", "timestamp", "position"})
MOMENTS = BEGINNINGS_OF_LENGTHS.union({"second", "seconds", "sec", "secs", "timesec", "times"})
# What changes which sound is meant, and cannot be chosen for each line.
REFUSED = re.compile(r"channels?|chan|ch|track|audiotrack|stream")
FREQUENCIES = re.compile(
    r"(low|high|lower|upper|min|max|minimum|maximum|bottom|top)(freq|frequency)(hz|khz)?"
    r"|(freq|frequency)(low|high|lower|upper|min|max)(hz|khz)?|f(min|max|low|high)(hz|khz)?"
)
FREQUENCIES_SAID = (
    "%s: its frequency limits are not used: whatever is heard in the marked seconds is learnt, at all frequencies"
)


@dataclass(frozen=True)
class Layout:
    """Which column of a table says what; group and fold are "" where there is no such column.

    folder: where the recordings lie in the data set's folder. It tells no class, so pictures' names leave it out.
    paths: gives the paths that a row's recording may have, the likeliest first; none if the table has no such column.
    times: None if the rows are of whole recordings.
    """

    label: str
    group: str
    fold: str
    paths: Callable[[Row], list[str]]
    folder: str = ""
    times: TimeColumns | None = None


def _urban_sound_paths(row: Row) -> list[str]:
    name = row.get("slicefilename")
    return [f"fold{row.get('fold')}/{name}", name] if name else []


# Its start and end are about the recordings that the set was cut from.
URBANSOUND8K = Layout("class", "fsid", "fold", _urban_sound_paths, "audio")
ESC_50 = Layout("category", "srcfile", "fold", lambda row: [row.get("filename")], "audio")


def layout_of(table: Table) -> Layout:
    """Which of a table's columns says what.

    Raises AudionetError if the columns do not say what is needed, several may be meant, or one is not understood.
    """
    columns = table.columns.keys()
    if {"slicefilename", "fsid", "fold", "class"} <= columns:
        return URBANSOUND8K
    if {"filename", "fold", "category", "srcfile"} <= columns:
        return ESC_50
    times = times_of(table)
    if times is None:
        require_header(table)
        path, label = _column(table, PATH_COLUMNS, TOOLS_PATH_COLUMNS, PATHS), _label_of_wholes(table)
    else:
        path = _column(table, PATH_COLUMNS, TOOLS_PATH_COLUMNS, PATHS) if path_columns(columns) else ""
        label = _label_column(table)
    group, fold = ("group" if "group" in columns else ""), ("fold" if "fold" in columns else "")
    _refuse_channels(table)
    if times is not None and path and "selection" in columns:
        _refuse_times_that_run_on(table, path, times)
    if not path:
        require_path_column(table)
    if times is not None and any(map(FREQUENCIES.fullmatch, columns)):
        logger.info(FREQUENCIES_SAID, table.path)
    return Layout(label, group, fold, lambda row: [row.get(path)] if path else [], times=times)


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
        start = offset
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
    if times is not None:
        _refuse_thousands(table, [name for name in (times.start, times.end, times.file_offset) if name])
        _require_seconds(table)
        return times
    halves = [name for pattern in (START, ONSET, END, OFFSET, OTHER_UNITS) if (name := _first(pattern, marked))]
    halves += [name for name in marked if _says_when(table, name, has_length=_first(LENGTH, marked) is not None)]
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
    return bool(borders) and words <= borders | WORDS_BESIDE and all(map(is_time, values))


def _differs_within_recordings(table: Table, name: str) -> bool:
    """Whether a column has several values of one recording, as the moments in it have."""
    paths = path_columns(table.columns)[:1]
    values = grouped((row.get(path), row.get(name)) for path in paths for row in table.rows)
    return any(len(set(of_one)) > 1 for of_one in values.values())


def _refuse_thousands(table: Table, names: Sequence[str]) -> None:
    """Raise AudionetError if both commas and points stand in times: `1,234` may be a second, or twenty minutes."""
    cells = [(row.line, row.get(name)) for row in table.rows for name in names]
    with_comma = next(((line, cell) for line, cell in cells if "," in cell), None)
    if with_comma and any("." in cell for _, cell in cells):
        raise table.error(
            with_comma[0],
            f"has the time {with_comma[1][:SHOWN]!r}, and others have a point: is its comma that of thousands? Write "
            "all times with a point, or all with a comma",
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


def _column(table: Table, usual: Sequence[str], tools: Sequence[str], meaning: str) -> str:
    columns = [name for name in usual if name in table.columns] or [name for name in tools if name in table.columns][:1]
    if not columns:
        raise AudionetError(
            f"{table.path}: needs a column for {meaning}, called {', '.join(usual[:-1])} or {usual[-1]}; its first "
            f"line names the columns {table.columns_named()}"
        )
    if len(columns) > 1 and columns[0] != usual[0]:
        names = [repr(table.columns[name]) for name in columns]
        raise AudionetError(
            f"{table.path}: which column is {meaning}, {' or '.join(names)}? Call the one {usual[0]}, or delete the "
            "other"
        )
    return columns[0]


def _label_of_wholes(table: Table) -> str:
    """The column of labels in a table of whole recordings."""
    known = [name for name in TOOLS_LABEL_COLUMNS if name in table.columns]
    if len(known) != 1 or not table.columns.keys().isdisjoint(LABEL_COLUMNS):
        return _column(table, LABEL_COLUMNS, (), LABELS)
    logger.info("%s: the classes are those of its column %r", table.path, table.columns[known[0]])
    return known[0]


def _label_column(table: Table) -> str:
    """The column of labels in a table that marks parts."""
    known = {*LABEL_COLUMNS, *TOOLS_LABEL_COLUMNS} & table.columns.keys()
    if not known and "selection" in table.columns:
        # Raven has no column of its own for it: people add one, and call it what they like.
        own = [name for name in table.columns if name not in RAVENS_OWN and table.is_text(name)]
        if len(own) == 1:
            return own[0]
        if own:
            names = listed([repr(table.columns[name]) for name in own], most=8)
            raise AudionetError(f"{table.path}: which column is its label, {names}? Call the one label")
    if "timeformat" in table.columns and "name" in table.columns and not known - {"type"}:
        return "name"
    return _column(table, LABEL_COLUMNS, TOOLS_LABEL_COLUMNS, LABELS)


RAVENS_OWN = frozenset(
    "selection view channel begintimes endtimes lowfreqhz highfreqhz begindate begindatetime enddate beginclocktime "
    "endclocktime occupancy notes".split()
).union(PATH_COLUMNS, TOOLS_PATH_COLUMNS)


def _refuse_times_that_run_on(table: Table, path: str, times: TimeColumns) -> None:
    """Raise AudionetError if the seconds of several recordings are counted from the start of the first.

    Raven does so with recordings that are opened together.
    """
    if times.file_offset:
        return
    spans: dict[str, tuple[float, float]] = {}
    for row in table.rows:
        start, end = times.part(table, row) or (math.inf, 0.0)
        first, last = spans.get(row.get(path), (math.inf, 0.0))
        spans[row.get(path)] = min(first, start), max(last, end)
    ordered = sorted(spans.values())
    if len(ordered) > 1 and all(earlier[1] <= later[0] for earlier, later in itertools.pairwise(ordered)):
        raise AudionetError(
            f"{table.path}: is about {len(ordered)} recordings: do its times run on from each to the next? Add the "
            "column File Offset (s) in Raven; or, where each recording's times begin at 0, delete the column Selection"
        )


def _refuse_channels(table: Table) -> None:
    # Raven, warbleR and Kaleidoscope write the channel, and of a recording with one it is always the first.
    first = "0" if "infile" in table.columns else "1" if not table.columns.keys().isdisjoint(SELECTIONS) else None
    for name in filter(REFUSED.fullmatch, table.columns):
        for row in table.rows:
            if row.get(name) and row.get(name) != first:
                raise table.error(
                    row.line,
                    f"is about {table.columns[name]} {row.get(name)!r}: which one is meant cannot be chosen for each "
                    "line. Save the channels as recordings of their own; or, where all lines are about the same, "
                    "delete the column and add --channel, or --track",
                )
