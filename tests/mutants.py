"""Hypothesis strategies: files that are almost right. Bytes, numbers, text and structure are changed."""

import gzip
import json
import re
import tarfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from hypothesis import strategies as st

HEADER_BYTES = 128  # where most edits go

Edit = tuple[str, int, bytes]
TELLING_BYTES = st.sampled_from(
    [b"\0", b"\xff", b"\x7f", b"\x80", b"\0\0\0\0", b"\xff\xff\xff\xff", b"\xff\xff\xff\x7f"]
)
PLACES = st.one_of(st.integers(0, HEADER_BYTES), st.integers(0, 1 << 16))
EDITS = st.tuples(
    st.sampled_from(["set", "insert", "delete", "repeat", "cut off"]),
    PLACES,
    st.one_of(TELLING_BYTES, st.binary(min_size=1, max_size=8)),
)
TELLING_NUMBERS = [0, -1, 1, 2, 7, 255, 256, 2**31 - 1, -(2**31), 2**31, 2**32, 2**62, 2**63 - 1]
NAMES = ["", ".", "..", "../../x", "/etc/passwd", "a\0b", "\ud800", "\udcff", "a/" * 3000, "CON", "\n", "C:\\x"]
STRANGE = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.sampled_from([*TELLING_NUMBERS, 2**64, 10**400, -(10**400), float("nan"), float("inf"), 1e308, -1e300, -0.0]),
    st.floats(),
    st.text(max_size=20),
    st.sampled_from(NAMES),
    st.sampled_from([[], {}, [[]], {"": {}}, [None], {"name": 1}]),
)
# Written into JSON as they stand: what parses, and no reader can hold, or what json.dumps does not write.
RAW_MARK = "<raw>"
DEEP = "[" * 5000 + "]" * 5000
RAW = ["1e999", "-1e999", "1" * 5000, DEEP, '{"a":' * 3000 + "1" + "}" * 3000, "NaN", '"\\ud800"', "01"]


def edited(content: bytes, edits: list[Edit]) -> bytes:
    """Bytes with some of them changed."""
    for kind, place, data in edits:
        place %= len(content) + 1
        before, behind = content[:place], content[place:]
        length = 1 + data[0]
        content = {
            "set": before + data + behind[len(data) :],
            "insert": before + data + behind,
            "delete": before + behind[length:],
            "repeat": before + behind[:length] * 2 + behind[length:],
            "cut off": before,
        }[kind]
    return content


def of_bytes(content: bytes) -> st.SearchStrategy[bytes]:
    """Content with a few edits."""
    return st.builds(edited, st.just(content), st.lists(EDITS, min_size=1, max_size=4))


def of_files(folder: Path, patterns: str) -> st.SearchStrategy[bytes]:
    """Files of a folder with edits, most of them near the beginning. patterns: with spaces between."""
    files = [path.read_bytes() for pattern in patterns.split() for path in sorted(folder.glob(pattern))]
    assert files
    return st.builds(edited, st.sampled_from(files), st.lists(EDITS, min_size=1, max_size=6))


def places(content: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The paths of all values in JSON."""
    items = content.items() if isinstance(content, dict) else enumerate(content) if isinstance(content, list) else ()
    return [path] + [place for key, value in items for place in places(value, (*path, key))]


def replaced(content: Any, path: tuple[Any, ...], how: str, value: Any) -> Any:
    """JSON in which the value at a path is another, is gone, or has another key."""
    if not path:
        return value
    copy = content.copy()
    key, *rest = path
    if rest:
        copy[key] = replaced(copy[key], tuple(rest), how, value)
    elif how == "delete":
        del copy[key]
    elif how == "rename" and isinstance(copy, dict):
        copy[str(value)] = copy.pop(key)
    elif how == "repeat" and isinstance(copy, list):
        copy += [copy[key]] * 3
    else:
        copy[key] = value
    return copy


def of_json(original: Any) -> st.SearchStrategy[bytes]:
    """JSON with other values, keys and bytes."""
    kinds = st.sampled_from(["replace", "replace", "raw", "delete", "rename", "repeat"])
    changes = st.tuples(st.integers(0, 1 << 16), kinds, STRANGE, st.sampled_from(RAW))

    def changed(changes: list[tuple[int, str, Any, str]]) -> bytes:
        content, raw = original, RAW[0]
        for number, how, value, found in changes:
            paths = places(content)
            raw = found
            content = replaced(content, paths[number % len(paths)], how, RAW_MARK if how == "raw" else value)
        text = json.dumps(content, ensure_ascii=False).replace(f'"{RAW_MARK}"', raw)
        return text.encode(errors="surrogatepass")

    return st.one_of(
        st.builds(changed, st.lists(changes, min_size=1, max_size=3)), of_bytes(json.dumps(original).encode())
    )


STRANGE_CELLS = [
    "", " ", "nan", "inf", "-inf", "1e999", "-1", "1e300", "9" * 400, "1" * 5000, "0x10", "1_000", "\u0663", "1,5",
    "-0", *NAMES, "=1+1", "'=1", '"', '""', '"a', "x" * 200_000, "\u00e9" * 300, "\U0001f989" * 300, "\ufeff", "\r",
    "\r\n", "\x1b[2J", "\x85", "\u2028", "\u202e", "low;high", "unknown", "sep=", ",", ";", "\t", "|", "," * 3000,
]  # fmt: skip
ENCODINGS = ["utf-8", "utf-8", "utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252", "utf-32"]


def of_table(text: str) -> st.SearchStrategy[bytes]:
    """A table, or a list of labels, with other cells, lines, encodings and bytes."""
    pieces = re.findall(r'[^,;\t\n "]+|.|\n', text)
    changes = st.tuples(
        st.integers(0, len(pieces) - 1),
        st.sampled_from(["set", "set", "insert", "delete", "cut off", "repeat"]),
        st.one_of(st.sampled_from(STRANGE_CELLS), st.text(max_size=10), st.floats().map(str), st.integers().map(str)),
    )

    def changed(changes: list[tuple[int, str, str]], encoding: str, edits: list[Edit]) -> bytes:
        found = pieces.copy()
        for place, how, cell in changes:
            place = min(place, len(found))
            if how == "cut off":
                del found[place:]
            elif how == "repeat":
                found[place:place] = found[place : place + 40] * 5
            else:
                found[place : place + (how != "insert")] = [] if how == "delete" else [cell]
        written = "".join(found)
        return edited(written.encode(encoding, errors="surrogatepass" if "utf" in encoding else "replace"), edits)

    return st.builds(
        changed,
        st.lists(changes, min_size=1, max_size=4),
        st.sampled_from(ENCODINGS),
        st.one_of(st.just([]), st.lists(EDITS, max_size=2)),
    )


@dataclass(frozen=True)
class Field:
    """A number, a text or a list somewhere in an object, and how to read and replace it."""

    value: Any
    put: Callable[[Any], None]


def fields(thing: Any) -> list[Field]:
    """All that can be changed in an object as flatbuffers has them: numbers, texts, and lists of them."""
    found: list[Field] = []
    if not hasattr(thing, "__dict__"):
        return found
    for name, value in vars(thing).items():
        if isinstance(value, (bool, int, float, str, bytes)):
            found.append(Field(value, partial(setattr, thing, name)))
        elif isinstance(value, list) or (isinstance(value, np.ndarray) and value.ndim == 1 and len(value) < 99):
            values = list(value)
            found.append(Field(values, partial(setattr, thing, name)))
            for inner in values:
                found += fields(inner)
        else:
            found += fields(value)
    return found


def of_object(parse: Callable[[], Any], write: Callable[[Any], bytes]) -> st.SearchStrategy[bytes]:
    """What a parsed file is written as once some of its numbers, texts and lists have been changed."""
    changes = st.tuples(st.integers(0, 1 << 16), st.integers(0, 1 << 16), st.sampled_from(TELLING_NUMBERS))

    def changed(changes: list[tuple[int, int, int]], edits: list[Edit]) -> bytes:
        thing = parse()
        for which, where, number in changes:
            all_fields = fields(thing)
            field = all_fields[which % len(all_fields)]
            field.put(_changed(field.value, where, number))
        try:
            content = write(thing)
        except Exception:  # whatever the writer makes of a number that its field does not hold
            content = write(parse())
        return edited(content, edits)

    return st.builds(
        changed, st.lists(changes, min_size=1, max_size=3), st.one_of(st.just([]), st.lists(EDITS, max_size=2))
    )


def _changed(value: Any, where: int, number: int) -> Any:
    if isinstance(value, bool):
        return not value
    if isinstance(value, (int, float)):
        return number
    if isinstance(value, (str, bytes)):
        return value[:0] if where % 2 else value * 3
    if not value or where % 4 == 0:
        return value[: len(value) // 2]
    place = where % len(value)
    if where % 4 == 1 or not isinstance(value[place], (int, float)):
        return [*value, value[place]]
    return [*value[:place], number, *value[place + 1 :]]


# Files, links, devices, folders, sparse files, long names, and what carries content.
TYPES = [bytes([letter]) for letter in b"\x0001234567SLxgZ"]
CARRIERS = [tarfile.REGTYPE, b"L", b"x", b"g"]
MEMBER_NAMES = st.sampled_from([*(name for name in NAMES if "\0" not in name), "a", "a/b", "./a", "a//b", "x" * 300])
SPARSE = {"GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.realsize": str(1 << 40)}
PAX = st.sampled_from([{}, {}, {}, SPARSE, {"path": "/abs"}, {"path": "a\0b"}, {"size": "9" * 11}, {"size": "-1"}])


def archives() -> st.SearchStrategy[bytes]:
    """Tars of strange members, compressed or not, some of them damaged."""
    members = st.tuples(
        MEMBER_NAMES, st.sampled_from([TYPES[0], *TYPES]), st.binary(max_size=2000), MEMBER_NAMES, PAX,
        st.sampled_from([None, None, None, 0, 10**6, 10**10, 8**11 - 1]),
    )  # fmt: skip

    def written(members: list[Any], packed: bool, edits: list[Edit], repeats: int) -> bytes:
        blocks = []
        for name, kind, content, link, pax, size in members * repeats:
            member = tarfile.TarInfo(name)
            member.type, member.linkname = kind, link
            member.size = len(content) if kind in CARRIERS else 0
            form: Any = tarfile.PAX_FORMAT
            if size is None:
                member.pax_headers = pax
            else:
                member.size, form = size, tarfile.GNU_FORMAT
            with suppress(UnicodeError, ValueError):
                blocks += [member.tobuf(form, errors="surrogateescape"), content, bytes(-len(content) % 512)]
        data = edited(b"".join(blocks) + bytes(1024), edits)
        return gzip.compress(data, 1) if packed else data

    whole = st.builds(
        written,
        st.lists(members, min_size=1, max_size=5),
        st.booleans(),
        st.one_of(st.just([]), st.lists(EDITS, max_size=3)),
        st.sampled_from([1, 1, 1, 400]),
    )
    return st.one_of(whole, st.builds(edited, whole, st.lists(EDITS, min_size=1, max_size=3)))
