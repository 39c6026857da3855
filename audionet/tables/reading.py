"""Tables as people have them: CSV in any of the usual encodings, with any of the usual separators."""

import csv
import functools
import io
import itertools
import logging
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from audionet.errors import AudionetError, reading
from audionet.spectrogram.jpeg import LONGEST_START_SECONDS
from audionet.system.files import read_beginning, read_limited
from audionet.system.text import count, from_spreadsheet_cell, listed
from audionet.tables.faults import LineError, each_line, line_error

logger = logging.getLogger(__name__)

LARGEST_TABLE_BYTES = 256 << 20
LARGEST_BEGINNING_BYTES = 1 << 16  # of a text that is to be known by its first lines
MOST_LINES, MOST_CELLS = 2_000_000, 20_000_000
SEPARATORS = (",", ";", "\t", "|")
# The first line of tables that Excel is to open.
SEPARATOR_LINE = re.compile(r'^"?sep=(\\t|\t|[^\w\s"])"?[;,\t|]*$', re.IGNORECASE)
COLUMNS_NAMED = 8
MOST_TITLES = 5  # lines above the columns' names
SHOWN = 40  # characters of a cell, or of a name, in a message
BYTE_ORDER_MARKS = (
    (b"\xef\xbb\xbf", "utf-8-sig"),
    (b"\xff\xfe\0\0", "utf-32"),  # which begins with that of UTF-16
    (b"\0\0\xfe\xff", "utf-32"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
)
WINDOWS = "cp1252"  # what Excel writes in the west, unless it is asked for UTF-8
# As pandas writes it, days come first.
CLOCK = re.compile(r"(?:0 days )?(?:(\d{1,6}):)?(\d{1,3}):(\d{1,2}(?:[.,]\d+)?)")
# `1h 2m 3.5s`, as people write it, `1.5s`, as Google does, and `PT2.5S`, as Azure does by ISO 8601.
SPELT = re.compile(
    r"(?:PT)?(?=\d)(?:(\d{1,6}) ?h)? ?(?:(\d{1,6}) ?m(?:in)?)? ?(?:(\d{1,9}(?:[.,]\d+)?) ?s(?:ec)?)?", re.IGNORECASE
)
USABLE = (  # in messages
    "CSV with the columns path, label, start and end, subtitles that say who is heard (SRT, WebVTT), or a file of "
    "Raven, Audacity, Praat, ELAN or RTTM"
)
WORKBOOK_MARKS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")  # of .xlsx and .ods, and of .xls


@dataclass(frozen=True)
class Row:
    """One row: its cells that are not empty, by simplified name of their column, and the line where it begins.

    The first line of the file is 1, as editors count.
    """

    line: int
    cells: dict[str, str]

    def get(self, column: str) -> str:
        """A cell without the space around it; "" if there is none."""
        return self.cells.get(column, "")


@dataclass(frozen=True)
class Table:
    """A table that was read: where from, its columns as they are written, by simplified name, and its rows.

    lists_unheard: a row without a label says that nothing is heard. separator: what stands between the cells.
    """

    path: Path
    columns: dict[str, str]
    rows: list[Row]
    lists_unheard: bool = False
    separator: str = ""

    def error(self, line: int, message: str) -> LineError:
        """What is wrong with a line."""
        return line_error(self.path, line, message)

    def values(self, column: str) -> list[str]:
        """The cells of a column that are not empty."""
        return [row.get(column) for row in self.rows if row.get(column)]

    def is_text(self, column: str) -> bool:
        """Whether a column holds words, not measurements."""
        values = self.values(column)
        return bool(values) and not any(re.fullmatch(r"[-+\d.,:/eE% ]+", value) for value in values)

    def columns_named(self) -> str:
        """The columns, for a message."""
        names = [repr(name[:SHOWN]) for name in self.columns.values()]
        return listed(names, most=COLUMNS_NAMED) if names else "none"


def simplified(column: str) -> str:
    """A column's name as it is compared: without case, spaces and signs.

    >>> simplified(" File_Name ")
    'filename'
    """
    return re.sub(r"[\W_]+", "", column.casefold())


def seconds(text: str) -> float:
    """`12.5`, `12,5`, `1:02:03.5` or `2m 3s` in seconds. Raises ValueError, with what was expected, for any other."""
    clock = CLOCK.fullmatch(text) or SPELT.fullmatch(text)
    if clock:
        hours, minutes, rest = clock.groups("0")
        return 3600 * int(hours) + 60 * int(minutes) + float(rest.replace(",", "."))
    try:
        value = float(text.replace(",", "."))
    except ValueError as error:
        raise ValueError("times are seconds, such as 12.5, or 1:02:03.5 (in spreadsheets [HH]:MM:SS)") from error
    if not 0 <= value <= LONGEST_START_SECONDS:  # which NaN is not either
        raise ValueError("times are seconds from the start of the recording, such as 12.5")
    return value


def is_time(cell: str) -> bool:
    """Whether a cell may be a time."""
    with suppress(ValueError):
        return seconds(cell) >= 0
    return False


def read_text(path: Path, largest_bytes: int) -> str:
    """The text of a file, as `decoded`. A message says where its letters may come out wrong.

    Raises UnusableInput for a file that can't be read, and ValueError for one that is no text.
    """
    with reading(path):
        data = read_limited(path, largest_bytes)
    text = decoded(data)
    if encoding_of(data) == WINDOWS:
        logger.info("%s: read as Windows-1252; if letters come out wrong, save it as UTF-8", path)
    return text


def beginning_of(path: Path) -> str:
    """The first lines of a text; "" of what is none, or can't be read."""
    beginning = read_beginning(path, LARGEST_BEGINNING_BYTES)
    if len(beginning) == LARGEST_BEGINNING_BYTES:  # it may end within a character; only whole lines are read
        beginning = beginning[: beginning.rfind(b"\n") + 1 or None]
    with suppress(ValueError):
        return decoded(beginning)
    return ""


def decoded(data: bytes) -> str:
    """The text of a file that Excel, LibreOffice or an editor wrote. Raises ValueError if it is no text."""
    encoding = encoding_of(data)
    # Of UTF-16, a beginning may end within a character; in Windows-1252 some bytes mean nothing.
    errors = {WINDOWS: "replace", "utf-8": "strict", "utf-8-sig": "strict"}.get(encoding, "ignore")
    return data.decode(encoding, errors)


def encoding_of(data: bytes) -> str:
    """UTF-8, UTF-16, UTF-32, or else WINDOWS. Raises ValueError for what is no text."""
    if data.startswith(WORKBOOK_MARKS):
        raise ValueError("it is a spreadsheet's own file, or an archive; save the table in it as CSV")
    for mark, encoding in BYTE_ORDER_MARKS:
        if data.startswith(mark):
            return encoding
    beginning = data[:1024]
    # Praat's binary files, full of zeros too, begin with their kind.
    if 0 in beginning[:20] and beginning.count(0) > len(beginning) // 4:
        return "utf-16-le" if beginning[1::2].count(0) > beginning[::2].count(0) else "utf-16-be"
    if b"\0" in beginning:
        raise ValueError("it holds bytes that are no text")
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return WINDOWS
    return "utf-8"


def parse_table(path: Path, text: str, is_known: Callable[[str], bool]) -> Table:
    """The table that is the text of the file at `path`.

    is_known: whether a simplified name is one that tables have; the separator that finds the most of them is the
    table's. Rows without any content are left out. Raises AudionetError for a text that is no table.
    """
    first, line_end, rest = text.partition("\n")
    told = SEPARATOR_LINE.match(first.strip(" \r"))
    separators = [told[1].replace("\\t", "\t")] if told else [each for each in SEPARATORS if each in text] or [","]
    text = f"{line_end}{rest}" if told else text  # with as many lines as before
    rows_by = functools.partial(_rows, path, io.StringIO(text, newline=""))
    beginnings = {separator: _beginning(rows_by(separator), is_known) for separator in separators}
    separator = max(separators, key=lambda separator: _fit(beginnings[separator]))
    has_quotes = separator != "\t" or _is_quoted(text)
    titles = _titles(beginnings[separator])
    records = itertools.islice(rows_by(separator, has_quotes), titles, None)
    _, header = next(records, (0, []))
    while header and not header[-1].strip():
        header.pop()
    names = [simplified(name) for name in header]
    table = Table(
        path,
        {name: written.strip() for name, written in zip(names, header, strict=True) if name},
        [],
        separator=separator,
    )
    twice = {name for name in names if is_known(name) and names.count(name) > 1}
    cells_left = MOST_CELLS

    def row_of(record: tuple[int, list[str]]) -> Row | None:
        nonlocal cells_left
        line, cells = record
        if cells[0].startswith("# ") or (cells[0].startswith("#") and not any(cells[1:])):
            return None  # a comment
        extra = sum(bool(cell.strip()) for cell in cells[len(names) :])
        if extra and (len(names) > 1 or is_known(names[0])):  # else it is a text, with a comma somewhere
            there, named = count(len(names) + extra, "value"), count(len(names), "column")
            remedy = f"name all columns, or put a value with {separator!r} in it between double quotes"
            raise table.error(line, f"has {there}, the first line names {named}; {remedy}")
        for name in twice:
            _require_one_value(table, line, [cell for known, cell in zip(names, cells, strict=False) if known == name])
        filled = ((name, cell.strip()) for name, cell in zip(names, cells, strict=False))
        row = Row(line, {name: from_spreadsheet_cell(cell) for name, cell in filled if name and cell})
        cells_left -= len(row.cells)
        if cells_left < 0:
            raise AudionetError(f"{path}: has more than {MOST_CELLS:,} cells; split it, or leave columns out")
        return row

    table.rows.extend(each_line(records, row_of))
    return table


def _is_quoted(text: str) -> bool:
    """Whether the double quotes of a table with tabs stand around cells; in those of Common Voice, they are letters."""
    try:
        return all(True for _ in csv.reader(io.StringIO(text, newline=""), delimiter="\t", strict=True))
    except csv.Error:
        return False


def _rows(path: Path, lines: io.StringIO, separator: str, has_quotes: bool = True) -> Iterator[tuple[int, list[str]]]:
    """The rows that hold anything, each with the line where it begins.

    has_quotes: a double quote begins a cell that ends with another.
    """
    lines.seek(0)
    read = functools.partial(csv.reader, lines, delimiter=separator, skipinitialspace=True, strict=True)
    reader = read() if has_quotes else read(quoting=csv.QUOTE_NONE)
    line = 1
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                yield line, cells
            line = reader.line_num + 1
            if line > MOST_LINES:
                raise AudionetError(f"{path}: has more than {MOST_LINES:,} lines; split it")
    except csv.Error as error:
        message = f"begins a row that can't be read ({error}); see whether each double quote in it has its second"
        raise line_error(path, line, message) from error


class _Header(NamedTuple):
    """How many columns a row would name as the header, and how many of these are known."""

    columns: int
    known: int


def _beginning(rows: Iterator[tuple[int, list[str]]], is_known: Callable[[str], bool]) -> list[_Header]:
    """What the first rows would be as headers, up to one that can't be read."""
    first = []
    with suppress(AudionetError):
        for _, cells in itertools.islice(rows, MOST_TITLES + 1):
            first.append(_Header(len(cells), sum(map(is_known, set(map(simplified, cells))))))
    return first


def _fit(beginning: Sequence[_Header]) -> tuple[int, int]:
    """How many known columns are in one of the first rows, and how many columns in the first."""
    return max((row.known for row in beginning), default=0), beginning[0].columns if beginning else 0


def _titles(beginning: Sequence[_Header]) -> int:
    """How many rows, such as a title, stand above the names of the columns."""
    if not beginning or beginning[0].known:
        return 0
    return next((n for n, row in enumerate(beginning) if row.known > 1), 0)


def _require_one_value(table: Table, line: int, values: Sequence[str]) -> None:
    """Raise AudionetError if two columns of one name say different things."""
    different = sorted({value.strip() for value in values})
    if len(different) > 1:
        both = f"{different[0][:SHOWN]!r} and {different[1][:SHOWN]!r}"
        raise table.error(line, f"says both {both} in columns of the same name; give one of them another name")
