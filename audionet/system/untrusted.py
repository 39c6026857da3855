"""The gate for what comes from outside: numbers, text and names in JSON, tables and comments that anyone may write.

What has passed can be computed with, printed, written down again and, if it is a name, used as one. Everything else is
Refused, and nothing but Refused: whoever reads a file of a stranger's needs to expect no other exception.
"""

import functools
import json
import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any, NamedTuple, TypeVar, get_args

from audionet.errors import AudionetError

Scalar = str | float | bool | None  # a plain value of JSON
Checked = TypeVar("Checked")
Record = TypeVar("Record", bound="StoredRecord")

LARGEST_NUMBER = 1e15  # in seconds, bytes or decibels, more than anything has; sums of such numbers stay finite
LARGEST_WHOLE = 2**63 - 1
LONGEST_TEXT = 4096
MOST_VALUES, OBJECT_VALUES = 1_000_000, 8
LARGEST_TEXT_BYTES = 1 << 30  # in memory
BEYOND_TWO_BYTES = re.compile(rb"[\xf0-\xff]")  # in UTF-8, the beginning of a character such as an emoji
LONGEST_NAME_BYTES, LONGEST_PATH_BYTES = 255, 2048  # what file systems allow, with room for the folder's own path
UNUSUAL = re.compile(r"\.\.|\0")  # in the name of a file
SHA256 = re.compile(r"[0-9a-f]{64}")
# What comes of taking something apart that is not built as it should be.
MALFORMED = (ValueError, TypeError, LookupError, AttributeError, ArithmeticError, RecursionError)


class Refused(ValueError):
    """Something from outside cannot be used. The message is for the log: whoever reads the file says it to people."""


@contextmanager
def taking_apart() -> Iterator[None]:
    """Whatever goes wrong in here, because something is not built as it should be, is raised as Refused; so is what our
    own records refuse."""
    try:
        yield
    except Refused:
        raise
    except (*MALFORMED, AudionetError) as error:
        raise Refused(f"{type(error).__name__}: {error}"[:LONGEST_TEXT]) from error


def parse_json(content: bytes, most_values: int = MOST_VALUES) -> Any:
    """What JSON in UTF-8 holds. Bytes that are no Unicode, as file names may have them, survive. Raises Refused.

    most_values: about how many values it may have, for a list of nothing takes 25 times as much memory as text, and
        an object as much as OBJECT_VALUES others.
    Numbers are not looked at here, but by `number` and `whole`, where each is read.
    """
    if values_at_most(content) > most_values:
        raise Refused(f"more than {most_values} values")
    # Python gives each character of a text as many bytes as the one that needs most.
    if len(content) > LARGEST_TEXT_BYTES // 4 and BEYOND_TWO_BYTES.search(content):
        raise Refused("too long a text in such characters")
    with taking_apart():
        return json.loads(content.decode(errors="surrogateescape"), parse_constant=_refuse_constant)


def values_at_most(content: bytes) -> int:
    """How many values JSON has, or a few more: each has a sign before or behind it, which names may have too."""
    return content.count(b",") + content.count(b"[") + OBJECT_VALUES * content.count(b"{")


def _refuse_constant(constant: str) -> None:
    raise Refused(f"{constant} is no number")


def number(value: Any, least: float = -LARGEST_NUMBER, most: float = LARGEST_NUMBER) -> float:
    """A number from `least` to `most`. Raises Refused for others, for infinity, NaN, booleans and digits as text."""
    if (type(value) is float or type(value) is int) and least <= value <= most:
        return float(value)
    raise Refused(f"no number from {least:g} to {most:g}")


def whole(value: Any, least: int = 0, most: int = LARGEST_WHOLE) -> int:
    """A whole number from `least` to `most`. Raises Refused."""
    if type(value) is int and least <= value <= most:
        return value
    raise Refused(f"no whole number from {least} to {most}")


def text(value: Any, longest: int = LONGEST_TEXT) -> str:
    """Text of at most so many characters, all of which can be written as UTF-8. Raises Refused."""
    if not isinstance(value, str) or len(value) > longest:
        raise Refused(f"no text of at most {longest} characters")
    if not value.isascii():
        with taking_apart():
            value.encode()
    return value


def scalar(value: Any) -> Scalar:
    """A plain value: text, a number, true, false or null. Raises Refused for others."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return text(value)
    return whole(value, -LARGEST_WHOLE) if isinstance(value, int) else number(value)


def sha256(value: Any) -> str:
    """A SHA-256 as 64 hexadecimal digits in lower case. Raises Refused."""
    if not isinstance(value, str) or not SHA256.fullmatch(value):
        raise Refused("no SHA-256")
    return value


def inner_path(value: Any) -> str:
    """The name of a file below a folder, with forward slashes. Raises Refused for what would lie elsewhere."""
    if not isinstance(value, str):
        raise Refused("no name")
    # Neither by pathlib nor part by part: that takes a second for 100,000 of them.
    if len(value) <= LONGEST_NAME_BYTES and value.isascii() and not value.startswith("/") and not UNUSUAL.search(value):
        return value
    if value.startswith("/") or ".." in value.split("/") or "\0" in value:
        raise Refused("not the name of a file in the folder")
    with taking_apart():
        encoded = os.fsencode(value)  # ValueError for what no file can be called
    if len(encoded) > LONGEST_PATH_BYTES or max(map(len, encoded.split(b"/"))) > LONGEST_NAME_BYTES:
        raise Refused("too long for the name of a file")
    return value


def mapping(value: Any) -> dict[str, Any]:
    """A JSON object. Raises Refused."""
    if not isinstance(value, dict):
        raise Refused("no object")
    return value


def sequence(value: Any, most: int = LARGEST_WHOLE) -> list[Any]:
    """A JSON array of at most so many values. Raises Refused."""
    if not isinstance(value, list) or len(value) > most:
        raise Refused("no list, or too long a one")
    return value


def several(value: Any, check: Callable[..., Checked], *limits: Any) -> list[Checked]:
    """What a check makes of each value of a JSON array. Raises Refused."""
    return [check(each, *limits) for each in sequence(value)]


def named(value: Any, check: Callable[..., Checked], *limits: Any) -> dict[str, Checked]:
    """What a check makes of each value of a JSON object, by its name. Raises Refused."""
    return {text(name): check(each, *limits) for name, each in mapping(value).items()}


def optional(value: Any, check: Callable[..., Checked], *limits: Any) -> Checked | None:
    """What a check of this module, or one like it, makes of a value; None of null, or of what is left out.

    >>> optional(0.5, number, 0, 1), optional(None, number, 0, 1)
    (0.5, None)
    """
    return None if value is None else check(value, *limits)


def _plain(value: Any) -> Any:
    if isinstance(value, StoredRecord):
        return value.to_json()
    return [_plain(each) for each in value] if isinstance(value, (list, tuple)) else value


class Stored(NamedTuple):
    """How a field of a StoredRecord is called in JSON, what reads it, and what makes plain values of it."""

    name: str
    read: Callable[[Any], Any]
    write: Callable[[Any], Any]


def stored(name: str, check: Callable[..., Any], *limits: Any, write: Callable[[Any], Any] = _plain) -> Stored:
    """How a field is stored that is read by a check of this module, or one like it."""
    return Stored(name, (lambda value: check(value, *limits)) if limits else check, write)


class StoredRecord:
    """A dataclass that is written as a JSON object, and read from one that anyone may have written.

    Each field says how it is stored: Annotated[float, stored("accuracy", number, 0, 1)]. One that has its default is
    left out.
    """

    __slots__ = ()  # for subclasses of which there are many

    def to_json(self) -> dict[str, Any]:
        """As plain values."""
        kind: Any = type(self)
        values = [(name, getattr(self, field), usual, write) for field, usual, (name, _, write) in _stored_fields(kind)]
        return {name: write(value) for name, value, usual, write in values if usual is MISSING or value != usual}

    @classmethod
    def from_json(cls: type[Record], content: Any) -> Record:
        """What `to_json` made. Raises Refused for anything else."""
        kind: Any = cls
        read: dict[str, Any] = {}
        with taking_apart():
            for field, usual, each in _stored_fields(kind):
                value = content.get(each.name)
                if value is not None or usual is MISSING:
                    read[field] = each.read(value)
            return cls(**read)


@functools.cache
def _stored_fields(record: Any) -> list[tuple[str, Any, Stored]]:
    """The name and the default of each field, and how it is stored."""
    return [(each.name, each.default, get_args(each.type)[1]) for each in fields(record)]


def is_folder(path: "Path | os.DirEntry[str]") -> bool:
    """Whether a path, or an entry of a folder's listing, leads to a folder.

    Not by a name that is too long, nor to a place that is closed to us, where pathlib raises an error.
    """
    try:
        return path.is_dir()
    except (OSError, ValueError):
        return False


def is_file(path: Path) -> bool:
    """Whether a path leads to a file; as is_folder."""
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False
