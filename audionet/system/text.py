"""Words for people: names from elsewhere made safe to print, suggestions, counts, lists, lengths of time, colours."""

import difflib
import functools
import os
import re
import sys
import unicodedata
from collections.abc import Iterable, Sequence
from typing import TextIO

# Control characters, bytes that are no Unicode, and separators of lines and paragraphs.
BREAKING_CATEGORIES = frozenset({"Cc", "Cs", "Zl", "Zp"})
TURNING = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")  # make text read as another
NAMES_LISTED = 3  # of many
COLORS = {"bold": "1", "red": "31", "green": "32", "yellow": "33"}
# Where a formula would begin for a spreadsheet, which may go by another separator than the table's.
BEGINNING_OF_A_CELL, SIGNS = r"(^|[;\t\r\n])", r"\s*'*[=+\-@\uff1d\uff0b\uff0d\uff20]"
FORMULA = re.compile(rf"{BEGINNING_OF_A_CELL}(?={SIGNS}|[\t\r])")
GUARDED = re.compile(rf"{BEGINNING_OF_A_CELL}'(?={SIGNS}|[\t\r])")
HARMLESS = re.compile(r"[+-]?\d+([.,]\d+)?|-")  # a number, and what stands for standard input


def is_printable(text: str) -> bool:
    """Whether a name can stand in a line as it is. str.isprintable refuses what Persian and many emoji need."""
    return not any(map(_breaks, text))


def printable(text: str) -> str:
    r"""A name without what breaks a line: a line feed as `\n`, a byte that is no Unicode as `\udcff`."""
    if text.isprintable():
        return text
    return "".join(c.encode("unicode_escape").decode() if _breaks(c) else c for c in text)


def _breaks(character: str) -> bool:
    return unicodedata.category(character) in BREAKING_CATEGORIES or character in TURNING


def spreadsheet_cell(text: str) -> str:
    """Text as a cell of a table that no spreadsheet computes: an apostrophe stands before what looks like a formula.

    >>> spreadsheet_cell("=1+1"), spreadsheet_cell("-5"), spreadsheet_cell("a.wav")
    ("'=1+1", '-5', 'a.wav')
    """
    return text if HARMLESS.fullmatch(text) else FORMULA.sub(r"\1'", text)


def from_spreadsheet_cell(cell: str) -> str:
    """The text that `spreadsheet_cell` was given."""
    return GUARDED.sub(r"\1", cell)


def did_you_mean(name: str, known: Iterable[str], before: str = "") -> str:
    """`; did you mean X?` for the known name that is most like `name`; nothing if none is like it.

    before: what stands before each name, and makes none like another.
    """
    names = {candidate.casefold(): candidate for candidate in sorted(known)}
    close = difflib.get_close_matches(name.casefold(), names, n=1)
    return f"; did you mean {before}{names[close[0]]}?" if close else ""


def count(number: int, noun: str) -> str:
    """How many there are of something.

    >>> count(1, "recording"), count(2000, "recording"), count(2, "class")
    ('1 recording', '2,000 recordings', '2 classes')
    """
    plural = "" if number == 1 else "es" if noun.endswith("s") else "s"
    return f"{number:,} {noun}{plural}"


def listed(names: Sequence[str], most: int = NAMES_LISTED) -> str:
    """`a, b and c`, or `a, b, c and 4 more`; at least one name."""
    shown, more = names[:most], len(names) - most
    if more > 0:
        return f"{', '.join(shown)} and {more} more"
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} and {shown[-1]}"


def duration(seconds: float) -> str:
    """`50 s`, `12 min` or `3.5 h`."""
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 6000 else f"{seconds / 3600:.1f} h"


def clock(seconds: float) -> str:
    """Seconds as minutes and seconds.

    >>> clock(123.46)
    '2:03.5'
    """
    minutes, rest = divmod(round(seconds, 1), 60)
    return f"{int(minutes)}:{rest:04.1f}"


def columns(text: str) -> int:
    """How many columns of a terminal a text is wide: a Japanese letter takes two, a mark on a letter none.

    >>> columns("rain"), columns("にわとり"), columns("e\u0301")
    (4, 8, 1)
    """
    if text.isascii():
        return len(text)
    wide = {"W": 2, "F": 2}
    narrow = {"Mn": 0, "Me": 0, "Cf": 0}
    return sum(narrow.get(unicodedata.category(c), wide.get(unicodedata.east_asian_width(c), 1)) for c in text)


def padded(text: str, width: int) -> str:
    """A text, with spaces behind it up to so many columns."""
    return text + " " * (width - columns(text))


def shortened(text: str, longest: int) -> str:
    """A text of at most `longest` letters; of a longer one the start and the end."""
    if len(text) <= longest:
        return text
    end = (longest - 1) // 2
    return f"{text[: longest - 1 - end]}\N{HORIZONTAL ELLIPSIS}{text[len(text) - end :]}"


def colored(text: str, color: str, stream: TextIO) -> str:
    """The text in a color, if the stream is a terminal whose user has not said NO_COLOR (https://no-color.org)."""
    if not stream.isatty() or os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        return text
    _prepare_windows()
    return f"\033[{COLORS[color]}m{text}\033[0m"


@functools.cache
def _prepare_windows() -> None:
    """Make older consoles of Windows understand colours."""
    if sys.platform == "win32":
        from colorama import just_fix_windows_console

        just_fix_windows_console()
