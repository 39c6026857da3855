"""Tables with a column for each class, or a line for each word of a speaker -> a line for each part that is heard."""

import logging
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from audionet.audio.chunks import Part
from audionet.dataset.names import UNKNOWN
from audionet.system.text import count, listed
from audionet.tables.layouts import ANY_LABEL, OF_RECORDINGS, REFUSED, SELECTIONS, SPEAKERS, is_known
from audionet.tables.paths import path_columns
from audionet.tables.reading import Row, Table
from audionet.tables.times import TIMES, marks_parts, times_of

logger = logging.getLogger(__name__)

HEARD = frozenset("1 1.0 1,0 true wahr vrai x pos".split())
NOT_HEARD = frozenset("0 0.0 0,0 false falsch faux neg".split())
UNSURE = "unk"  # of DCASE's few-shot sets, whose others are POS and NEG
# Where one of these is a column, it says the class.
OF_LABELS = ANY_LABEL.union(SELECTIONS, ("name", "text"))
WORD = "word"  # the column of rows that are about single words
OF_NOBODYS_TURN = "ofnobodysturn"  # that of those in a turn which does not say who speaks, as WhisperX may have it
OF_TURNS = SPEAKERS | OF_RECORDINGS  # columns of what the words of a turn have in common
LONGEST_PAUSE_SECONDS = 0.8  # within a turn, as services have it that join words themselves
LONGEST_WORD_SECONDS = 20


def with_labels(table: Table) -> Table:
    """A table with a column of labels instead of one for each class; a table of another kind as it is.

    A recording of which no line says that a class is heard has a line without a label. Raises AudionetError for a line
    that says nothing.
    """
    classes = _class_columns(table)
    if not classes:
        return table
    used = {*classes, *path_columns(table.columns)}
    others = [repr(written) for name, written in table.columns.items() if name not in used and not is_known(name)]
    unused = f"; not used: {listed(others)}" if others else ""
    names = listed([table.columns[name] for name in classes])
    logger.info("%s: the classes are its columns %s, heard where they say 1, true or x%s", table.path, names, unused)
    columns = {name: written for name, written in table.columns.items() if name not in classes} | {"label": "label"}
    return replace(table, columns=columns, rows=list(_rows(table, classes)), lists_unheard=True)


def _class_columns(table: Table) -> list[str]:
    """The simplified names of the columns that are called as classes; none if the table is of another kind."""
    if not OF_LABELS.isdisjoint(table.columns) or not (path_columns(table.columns) or marks_parts(table.columns)):
        return []
    others = [name for name in table.columns if not is_known(name) and not REFUSED.fullmatch(name)]
    cells = {name: {cell.casefold() for cell in table.values(name)} for name in others}
    classes = [name for name, values in cells.items() if values and values <= HEARD | NOT_HEARD | {UNSURE}]
    # Beside a recording in which nothing is heard, a table says so of each class; what is the same everywhere is none.
    said = {row.get(name).casefold() for name in classes for row in table.rows}
    says_something = marks_parts(table.columns) or bool(said & HEARD and said - HEARD)
    return classes if len(classes) > 1 and says_something else []


def _rows(table: Table, classes: Sequence[str]) -> Iterator[Row]:
    """A row for each class that is heard, and one without times and label for each recording in which none is."""
    path = next(iter(path_columns(table.columns)), "")
    has_zeros = any(row.get(name).casefold() in NOT_HEARD for row in table.rows for name in classes)
    heard_in = {row.get(path) for row in table.rows if any(row.get(name).casefold() in HEARD for name in classes)}
    for row in table.rows:
        if has_zeros and not any(row.get(name) for name in classes):
            raise table.error(row.line, "says of no class whether it is heard; write 0 or 1, or delete the line")
        rest = {name: cell for name, cell in row.cells.items() if name not in classes}
        said = {name: row.get(name).casefold() for name in classes}
        labels = [table.columns[name] for name in classes if said[name] in HEARD]
        for label in labels or ([UNKNOWN] if UNSURE in said.values() else []):
            yield Row(row.line, rest | {"label": label})
        if path and row.get(path) not in heard_in:
            heard_in.add(row.get(path))
            yield Row(row.line, {name: cell for name, cell in rest.items() if not TIMES.fullmatch(name)})


def in_turns(table: Table) -> Table:
    """A table without single words: with the turns that it has too, or else with those that words of speakers make.

    A table of another kind as it is. Times with which words would last for minutes are taken for milliseconds.
    """
    words = _marked(table, [row for row in table.rows if _is_word(row)])
    if not words:
        return table
    turns = _marked(table, [row for row in table.rows if not _is_word(row)])
    are_whole = all(time.is_integer() for _, part in words for time in part)
    unit_seconds = 1.0
    if are_whole and sum(part.seconds for _, part in words) > LONGEST_WORD_SECONDS * len(words):
        unit_seconds = 0.001
        logger.info("%s: its times are taken for milliseconds, since words would last for minutes", table.path)
    of_nobody = [mark for mark in words if OF_NOBODYS_TURN in mark[0].cells]
    if of_nobody or all(ANY_LABEL.isdisjoint(row.cells) for row, _ in turns):
        words = of_nobody or words
        joined = _turns(words, LONGEST_PAUSE_SECONDS / unit_seconds)
        if not joined and not of_nobody:
            return table
        turns = [mark for mark in turns if not ANY_LABEL.isdisjoint(mark[0].cells)] + joined
        sentence = "%s: its %s are joined into %s: what one speaker says, with pauses of up to %g s%s"
        nobody_s = sum(SPEAKERS.isdisjoint(row.cells) for row, _ in words)
        unnamed = f"; {count(nobody_s, 'word')} without a speaker" if nobody_s else ""
        how_many = count(len(words), "word"), count(len(joined), "turn")
        logger.info(sentence, table.path, *how_many, LONGEST_PAUSE_SECONDS, unnamed)
    columns = {name: written for name, written in table.columns.items() if not TIMES.fullmatch(name)}
    rows = [_rewritten(row, part, unit_seconds) for row, part in turns]
    return replace(table, columns=columns | {"start": "start", "end": "end"}, rows=rows)


def _is_word(row: Row) -> bool:
    """Whether a row is about a single word, and of no class but who speaks."""
    return WORD in row.cells and (ANY_LABEL - SPEAKERS).isdisjoint(row.cells)


def _marked(table: Table, rows: list[Row]) -> list[tuple[Row, Part]]:
    """Rows of a table, each with the part that it marks, without those that mark none."""
    table = replace(table, rows=rows)
    times = times_of(table)
    return [(row, part) for row in rows if times and (part := times.part(table, row))]


def _turns(words: Iterable[tuple[Row, Part]], longest_pause: float) -> list[tuple[Row, Part]]:
    """What one speaker says without a longer pause, of words with times in any unit; some may be of nobody."""
    turns, end = list[tuple[Row, Part]](), -math.inf
    for row, part in words:
        goes_on = abs(part.start_seconds - end) <= longest_pause
        own = {name: cell for name, cell in row.cells.items() if name in OF_TURNS or REFUSED.fullmatch(name)}
        if not SPEAKERS.isdisjoint(own):
            start = turns.pop()[1].start_seconds if goes_on and turns[-1][0].cells == own else part.start_seconds
            turns.append((Row(row.line, own), Part(start, part.end_seconds)))
        elif not goes_on:
            continue
        end = part.end_seconds
    return turns


def _rewritten(row: Row, part: Part, unit_seconds: float) -> Row:
    """A row with the times of a part, in seconds."""
    cells = {name: cell for name, cell in row.cells.items() if not TIMES.fullmatch(name)}
    start, end = (f"{round(time * unit_seconds, 7)}" for time in part)
    return Row(row.line, cells | {"start": start, "end": end})
