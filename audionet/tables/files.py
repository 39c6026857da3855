"""A file that is given as a table, whatever program wrote it -> a table."""

import re
from contextlib import suppress
from pathlib import Path

from audionet.errors import AudionetError, explaining
from audionet.tables.from_json import JSON, table_of_json
from audionet.tables.layouts import is_known
from audionet.tables.reading import LARGEST_TABLE_BYTES, USABLE, Table, beginning_of, parse_table, read_text
from audionet.tables.reshape import in_turns, with_labels

# Texts of other tools that tell what is heard when.
OTHER_TEXTS = {
    "rich text (RTF)": re.compile(r"\s*\{\\rtf"),
    "a web page": re.compile(r"\s*<(!doctype html|html|head|body|table)\b", re.IGNORECASE),
    "XML": re.compile(r"\s*<[?!\w]"),
    "what VIA exports (its project, saved as JSON, is read)": re.compile(r"\s*# Exported using VGG"),
    "CTM, which says what is said, not by whom": re.compile(
        r"(;;.*\n)*\S+ +[01AB]( +[\d.]+){2} +[^\W\d]\S*( +[\d.]+)?\s"
    ),
    "subtitles": re.compile(r"\s*WEBVTT|\s*\[Script Info\]|\s*\[Events\]|\s*(\d+\s+)?[\d:]+[.,]\d+ +--> "),
}


def read_table(path: Path) -> Table:
    """Read a table. Rows without any content are left out. Raises AudionetError for a file that is no table."""
    with explaining(f"{path}: not a table as text, such as CSV", ValueError, remedy=""):
        text = read_text(path, LARGEST_TABLE_BYTES)
    if not text.strip():
        raise AudionetError(f"{path}: is empty; it should have a line that names the columns, and one per recording")
    return table_in(path, text)


def table_in(path: Path, text: str) -> Table:
    """As `read_table`, from the text of the file at `path`."""
    for kind, beginning in OTHER_TEXTS.items():
        if beginning.match(text):
            raise AudionetError(f"{path}: is {kind}, and no table: export {USABLE}")
    if JSON.match(text):
        return table_of_json(path, text)
    return in_turns(with_labels(parse_table(path, text, is_known)))


def header_of(path: Path) -> frozenset[str]:
    """The simplified names of a table's columns, from its beginning alone; none if it is no table."""
    return frozenset(first_rows(path, beginning_of(path)).columns)


def first_rows(path: Path, beginning: str) -> Table:
    """The first rows of a table, from its beginning; one without columns if it is none."""
    lines = beginning.splitlines(keepends=True)
    for most in (10, 1):  # what is wrong with a row is said by who reads them all
        with suppress(AudionetError):
            return parse_table(path, "".join(lines[:most]), is_known)
    return Table(path, {}, [])
