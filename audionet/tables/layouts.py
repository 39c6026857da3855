"""Which columns of a table say what: the recording, its label, its group and its fold; for times see times.py."""

import functools
import logging
import re
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from audionet.dataset.names import UNKNOWN
from audionet.errors import AudionetError
from audionet.settings import SoundChoice
from audionet.system.text import count, listed
from audionet.tables.faults import line_error
from audionet.tables.paths import (
    PATH_COLUMNS,
    PATHS,
    TOOLS_PATH_COLUMNS,
    path_columns,
    require_header,
    require_path_column,
)
from audionet.tables.reading import SHOWN, Row, Table, simplified
from audionet.tables.times import TIMES, TimeColumns, refuse_other_units, refuse_times_that_run_on, times_of

logger = logging.getLogger(__name__)

# Simplified names of columns, see reading.simplified.
LABEL_COLUMNS = ("label", "class", "category", "species")
# Names that tools give them, as TOOLS_PATH_COLUMNS. Such a table is not looked for, since what `label` printed has them
# too, but it can be named.
TOOLS_LABEL_COLUMNS = tuple(
    "annotation eventlabel scenelabel primarylabel commonname comname scientificname sciname speciescode "
    "manualid behavior tag type calltype speaker speakerid speakername speakerlabel speakertag spkid emotion".split()
)
ANY_LABEL = frozenset((*LABEL_COLUMNS, *TOOLS_LABEL_COLUMNS))
SPEAKERS = frozenset(name for name in TOOLS_LABEL_COLUMNS if name.startswith(("speaker", "spk")))
OF_RECORDINGS = frozenset((*PATH_COLUMNS, *TOOLS_PATH_COLUMNS, "group", "fold"))
NAMES_OF_SPECIES = frozenset("species commonname comname scientificname sciname speciescode primarylabel".split())
LABELS = "its label"  # in messages
T = TypeVar("T")

OF_PRAATS = frozenset(("tmin", "tier", "tiername"))  # columns of what Praat, and programs with its files, make a table

KNOWN_COLUMNS = frozenset({*PATH_COLUMNS, *LABEL_COLUMNS, "group", "fold", "fsid", "srcfile"})


def is_known(column: str) -> bool:
    """Whether a column, by its simplified name, says which recording, what is heard, or when."""
    return column in KNOWN_COLUMNS or TIMES.fullmatch(column) is not None


SELECTIONS = ("selection", "selec")  # Raven's and warbleR's numbers of parts
# What changes which sound is meant, and cannot be chosen for each line.
REFUSED = re.compile(r"channels?|chan|ch|track|audiotrack|stream")
FREQUENCIES = re.compile(
    r"(low|high|lower|upper|min|max|minimum|maximum|bottom|top)(freq|frequency)(hz|khz)?"
    r"|(freq|frequency)(low|high|lower|upper|min|max)(hz|khz)?|f(min|max|low|high)(hz|khz)?"
)
# What says of a label whether it is right, as Arbimon has it; and how it says that it is not.
VERDICTS = frozenset("present ispresent presence correct iscorrect valid isvalid validated validation accepted".split())
DENIALS = frozenset("0 00 no n false notpresent absent incorrect wrong invalid rejected".split())
FREQUENCIES_SAID = (
    "%s: its frequency limits are not used: whatever is heard in the marked seconds counts, at all frequencies"
)


@dataclass(frozen=True)
class Layout:
    """Which column of a table says what; group and fold are "" where there is no such column.

    folder: where the recordings lie in the data set's folder. It tells no class, so pictures' names leave it out.
    paths: gives the paths that a row's recording may have, the likeliest first; none if the table has no such column.
    times: None if the rows are of whole recordings. channel: the column of it, in which the first has a number; "" if
        there is none.
    """

    label: str
    group: str
    fold: str
    paths: Callable[[Row], list[str]]
    folder: str = ""
    times: TimeColumns | None = None
    channel: str = ""
    first_channel: int = 1

    def label_of(self, row: Row) -> str:
        """What is heard in a row; "" if it does not say. Of what nobody has identified in Kaleidoscope, UNKNOWN."""
        is_kaleidoscopes = self.label == "manualid" and self.times is not None
        return row.get(self.label) or (UNKNOWN if is_kaleidoscopes else "")

    def channel_of(self, row: Row) -> int:
        """Which channel a row is about, from 1; 0 if it does not say."""
        return int(row.get(self.channel)[:SHOWN]) + 1 - self.first_channel if row.get(self.channel) else 0


def _urban_sound_paths(row: Row) -> list[str]:
    name = row.get("slicefilename")
    return [f"fold{row.get('fold')}/{name}", name] if name else []


# Its start and end are about the recordings that the set was cut from.
URBANSOUND8K = Layout("class", "fsid", "fold", _urban_sound_paths, "audio")
ESC_50 = Layout("category", "srcfile", "fold", lambda row: [row.get("filename")], "audio")


def tier_of(row: Row) -> str:
    """Which tier of ELAN's or Praat's a row is from; "" if it does not say."""
    return row.get("tier") or row.get("tiername")


def says_unknown(label: str) -> bool:
    """Whether the label of a part is the one that `label` gives to sound of no class, or AviaNZ, or Kaleidoscope."""
    return label.casefold() in (UNKNOWN, "don't know", "noid")


def says_silent(label: str, folders: Collection[str]) -> bool:
    """Whether the label of a part says, as BirdNET's does, that nothing is heard; of a folder, it is a class."""
    return simplified(label) == "nocall" and label not in folders


def report_silent(path: Path, marks: int) -> None:
    """Say what is made of marks that say that nothing is heard."""
    if marks:
        sentence = "%s: %s called nocall: nothing is heard there, which --unmarked background alone learns"
        logger.info(sentence, path, count(marks, "mark"))


def layout_of(table: Table, *, needs_label: bool = True) -> Layout:
    """Which of a table's columns says what. needs_label: or else a table that marks parts may have no labels ("").

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
    path = _column(table, PATH_COLUMNS, TOOLS_PATH_COLUMNS, PATHS) if times is None or path_columns(columns) else ""
    label = _label_of_wholes(table) if times is None else _label_column(table, needed=needs_label)
    channel, first_channel = _channel_column(table)
    _refuse_denials(table)
    if times is not None:
        refuse_other_units(table, times)
        if not path:
            require_path_column(table)
        elif "selection" in columns:
            refuse_times_that_run_on(table, path, times)
        if any(map(FREQUENCIES.fullmatch, columns)):
            logger.info(FREQUENCIES_SAID, table.path)
    group, fold = ("group" if "group" in columns else ""), ("fold" if "fold" in columns else "")
    return Layout(label, group, fold, functools.partial(_paths, path), "", times, channel, first_channel)


def _paths(column: str, row: Row) -> list[str]:
    """What a row has in its column of paths. Kaleidoscope writes names alone there, and the folder into another."""
    name, folder = row.get(column), row.get("folder") if column == "infile" else ""
    return [*([f"{folder}/{name}"] if folder else []), name] if column else []


def _column(table: Table, usual: Sequence[str], tools: Sequence[str], meaning: str) -> str:
    columns = [name for name in usual if name in table.columns]
    if not columns:  # of several, the first that all rows fill, or else the first
        named = sorted((name for name in tools if name in table.columns), key=lambda name: -len(table.values(name)))
        columns = named[:1]
    if not columns:
        raise AudionetError(
            f"{table.path}: needs a column for {meaning}, called {', '.join(usual[:-1])} or {usual[-1]}; it has the "
            f"columns {table.columns_named()}"
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
    # In VIA's JSON, a type is a number, and says what kind of file it is.
    known = [name for name in TOOLS_LABEL_COLUMNS if name in table.columns and (name != "type" or table.is_text(name))]
    species = [name for name in known if name in NAMES_OF_SPECIES]  # of each row one, as Kaggle's tables of birds have
    if not (species or len(known) == 1) or not table.columns.keys().isdisjoint(LABEL_COLUMNS):
        return _column(table, LABEL_COLUMNS, (), LABELS)
    return _told(table, (species or known)[0])


def _told(table: Table, label: str) -> str:
    """The column of labels, which is said where others may be meant."""
    logger.info("%s: the classes are those of its column %r", table.path, table.columns[label])
    return label


def _label_column(table: Table, *, needed: bool) -> str:
    """The column of labels in a table that marks parts; "" if there is none, and it is not needed."""
    known = ANY_LABEL & table.columns.keys()
    is_ravens = "selection" in table.columns
    own = [name for name in table.columns if name not in RAVENS_OWN and not TIMES.fullmatch(name)]
    if is_ravens and not known:
        # Raven has no column of its own for it: people add one, and call it what they like. It measures much.
        own = list(filter(table.is_text, own))
        if len(own) == 1:
            return own[0]
        if own:
            names = listed([repr(table.columns[name]) for name in own], most=8)
            raise AudionetError(f"{table.path}: which column is its label, {names}? Call the one label")
    if table.is_text("name") and not known - {"type"}:  # Audition's markers, Reaper's regions, the segments of DAS
        return _told(table, "name")
    if "text" in table.columns and not known and not OF_PRAATS.isdisjoint(table.columns):
        return "text"
    spoken = next((table.columns[name] for name in ("text", "word", "transcript") if name in table.columns), None)
    if spoken and not known:
        raise AudionetError(
            f"{table.path}: says in its column {spoken!r} what is spoken, and in none who speaks, or "
            "which sound it is; add a column for that, called label, with times in seconds (Whisper's are milliseconds)"
        )
    if ("autoid" in table.columns or known == {"manualid"}) and not any(map(table.values, known)):
        raise AudionetError(
            f"{table.path}: nobody has identified anything in a column MANUAL ID; do that in Kaleidoscope, or call the "
            "column label whose guesses are to be learnt"
        )
    label = _column(table, LABEL_COLUMNS, TOOLS_LABEL_COLUMNS, LABELS) if needed or known or own else ""
    unidentified = len(table.rows) - len(table.values(label)) if label == "manualid" else 0
    if unidentified:
        sentence = "%s: %s without a MANUAL ID: unknown, whatever Kaleidoscope guessed"
        logger.info(sentence, table.path, count(unidentified, "line"))
    return _told(table, label) if known == {"type"} or (len(known) > 1 and known - NAMES_OF_SPECIES) else label


RAVENS_OWN = frozenset(
    "selection view channel begintimes endtimes lowfreqhz highfreqhz begindate begindatetime enddate beginclocktime "
    "endclocktime occupancy notes".split()
).union(PATH_COLUMNS, TOOLS_PATH_COLUMNS)


def _refuse_denials(table: Table) -> None:
    """Raise AudionetError if a column says of a row that its label is not heard."""
    for name in VERDICTS.intersection(table.columns):
        for row in table.rows:
            if simplified(row.get(name)) in DENIALS:
                said = f"says {row.get(name)[:SHOWN]!r} in the column {table.columns[name]}: is its label not heard"
                raise table.error(row.line, f"{said}? Delete such lines, or, if it means something else, the column")


def _channel_column(table: Table) -> tuple[str, int]:
    """The column that says which channel a row is about, or "", and the number of the first: Kaleidoscope's is 0,
    Raven's and warbleR's 1. Raises AudionetError for a column that is not understood."""
    first = 0 if "infile" in table.columns else 1 if not table.columns.keys().isdisjoint(SELECTIONS) else None
    column = ""
    for name in filter(REFUSED.fullmatch, table.columns):
        if first is not None and name.startswith("ch") and all(map(str.isdecimal, table.values(name))):
            column = name
        elif filled := [row for row in table.rows if row.get(name)]:
            raise table.error(
                filled[0].line,
                f"is about {table.columns[name]} {filled[0].get(name)!r}: which one is meant cannot be chosen for each "
                "line. Save the channels as recordings of their own; or, where all lines are about the same, "
                "delete the column and add --channel, or --track",
            )
    return column, first or 0


def of_channel(path: Path, marks: Iterable[tuple[int, int, T]], choice: SoundChoice) -> list[T]:
    """What a file says of the channel that is chosen. marks: each with its line, and its channel from 1, or 0 if that
    is not said.

    All are taken where no other channel than the first is named, as programs do for any sound. Raises AudionetError for
    a later one, if none is chosen.
    """
    marks = list(marks)
    later = next((mark for mark in marks if mark[1] > 1), None)
    if later is None:
        if choice.number and any(channel for _, channel, _ in marks):
            logger.info(
                "%s: names the first channel alone, as of any sound: --channel %s goes by it", path, choice.channel
            )
        return [mark for *_, mark in marks]
    if choice.number is None:
        raise line_error(
            path, later[0], f"is about channel {later[1]}, where left is 1: add --channel {later[1]}, or another, to "
            "go by that channel and its lines alone; or save the channels as recordings of their own"
        )  # fmt: skip
    left = [mark for _, channel, mark in marks if channel in (0, choice.number + 1)]
    if len(left) < len(marks):
        logger.info("%s: %s about other channels not used", path, count(len(marks) - len(left), "line"))
    return left
