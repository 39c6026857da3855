"""Tables with a column for each class, which says where it is heard -> tables with a line for each class that is."""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import replace

from audionet.system.text import listed
from audionet.tables.layouts import LABEL_COLUMNS, REFUSED, SELECTIONS, TOOLS_LABEL_COLUMNS, is_known
from audionet.tables.paths import path_columns
from audionet.tables.reading import Row, Table
from audionet.tables.times import TIMES, marks_parts

logger = logging.getLogger(__name__)

HEARD = frozenset("1 1.0 1,0 true wahr vrai x".split())
NOT_HEARD = frozenset("0 0.0 0,0 false falsch faux".split())
# Where one of these is a column, it says the class.
OF_LABELS = frozenset((*LABEL_COLUMNS, *TOOLS_LABEL_COLUMNS, *SELECTIONS, "name", "text"))


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
