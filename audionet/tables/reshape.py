"""Tables with a column for each class, or a line for each word of a speaker -> a line for each part that is heard."""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import replace

from audionet.system.text import count, listed
from audionet.tables.layouts import ANY_LABEL, OF_RECORDINGS, REFUSED, SELECTIONS, SPEAKERS, is_known
from audionet.tables.paths import path_columns
from audionet.tables.reading import Row, Table
from audionet.tables.times import TIMES, TimeColumns, marks_parts, times_of

logger = logging.getLogger(__name__)

HEARD = frozenset("1 1.0 1,0 true wahr vrai x".split())
NOT_HEARD = frozenset("0 0.0 0,0 false falsch faux".split())
# Where one of these is a column, it says the class.
OF_LABELS = ANY_LABEL.union(SELECTIONS, ("name", "text"))
WORD = "word"  # the column of rows that are about single words
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
    others = [repr(written) for name, written in table.columns.items() if name not in classes and not is_known(name)]
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
    classes = [name for name, values in cells.items() if values and values <= HEARD | NOT_HEARD]
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
        for name in classes:
            if row.get(name).casefold() in HEARD:
                yield Row(row.line, rest | {"label": table.columns[name]})
        if path and row.get(path) not in heard_in:
            heard_in.add(row.get(path))
            yield Row(row.line, {name: cell for name, cell in rest.items() if not TIMES.fullmatch(name)})


def in_turns(table: Table) -> Table:
    """A table without single words: with the turns that it has too, or else with those that words of speakers make.

    A table of another kind as it is. Times with which words would last for minutes are taken for milliseconds.
    """
    words = replace(table, rows=[row for row in table.rows if _is_word(row)])
    times = times_of(words)
    if times is None:
        return table
    if _are_milliseconds(words, times):
        logger.info("%s: its times are taken for milliseconds, since words would last for minutes", table.path)
        return in_turns(replace(table, rows=[_in_seconds(row, times) for row in table.rows]))
    others = [row for row in table.rows if not _is_word(row)]
    if any(not ANY_LABEL.isdisjoint(row.cells) for row in others):
        return replace(table, rows=others)
    turns, speaker, end_seconds = list[Row](), dict[str, str](), 0.0
    for row in words.rows:
        part = times.part(words, row)
        if part is None or SPEAKERS.isdisjoint(row.cells):
            continue
        own = {name: cell for name, cell in row.cells.items() if name in OF_TURNS or REFUSED.fullmatch(name)}
        if own != speaker or abs(part.start_seconds - end_seconds) > LONGEST_PAUSE_SECONDS:
            turns.append(Row(row.line, own | {"start": f"{part.start_seconds}"}))
        speaker, end_seconds = own, part.end_seconds
        turns[-1].cells["end"] = f"{end_seconds}"
    if not turns:
        return table
    sentence = "%s: its %s are joined into %s: what one speaker says, with pauses of up to %g s"
    logger.info(sentence, table.path, count(len(words.rows), "word"), count(len(turns), "turn"), LONGEST_PAUSE_SECONDS)
    return replace(table, columns=table.columns | {"start": "start", "end": "end"}, rows=turns)


def _is_word(row: Row) -> bool:
    """Whether a row is about a single word, and of no class but who speaks."""
    return WORD in row.cells and (ANY_LABEL - SPEAKERS).isdisjoint(row.cells)


def _are_milliseconds(words: Table, times: TimeColumns) -> bool:
    """Whether the times of words are whole numbers, and too far apart for seconds."""
    seconds = [part.seconds for row in words.rows if (part := times.part(words, row))]
    are_whole = all(row.get(name).isdecimal() for row in words.rows for name in (times.start, times.end))
    return are_whole and sum(seconds) > LONGEST_WORD_SECONDS * len(seconds)


def _in_seconds(row: Row, times: TimeColumns) -> Row:
    """A row with times in seconds, of one with milliseconds."""
    cells = {name: f"{int(row.get(name)) / 1000}" for name in (times.start, times.end) if row.get(name).isdecimal()}
    return Row(row.line, row.cells | cells)
