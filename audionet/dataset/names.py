"""Names of classes and of chunks' files: which are possible, on every system, and what they are made of."""

import functools
import hashlib
import os
import unicodedata
from collections.abc import Iterable, Sequence
from pathlib import Path, PurePosixPath

from audionet.errors import AudionetError
from audionet.system.grouping import grouped
from audionet.system.text import did_you_mean, is_printable, listed
from audionet.system.untrusted import LONGEST_NAME_BYTES

NOHASH = "_nohash_"  # retrain.py's own mark: pictures whose names agree up to it come from one source
UNKNOWN = "unknown"  # the label of a clip that is none of the classes, which no class can be called
CLASSES_LISTED = 10  # of a model's, in a sentence
LONGEST_STEM_BYTES = 200  # file systems allow 255 for a name, of which the mark and the suffix need some

# What Windows forbids in names, and the names that it keeps for itself.
FORBIDDEN = frozenset('<>:"/\\|?*')
INVISIBLE = dict.fromkeys(map(ord, "\u00ad\u200b\u200e\u200f\u2060\ufeff"))
DEVICES = frozenset("CON PRN AUX NUL".split()) | {f"{port}{n}" for port in ("COM", "LPT") for n in range(1, 10)}


@functools.lru_cache(1000)  # a million lines have few classes
def fault_as_folder(label: str) -> str:
    """Why a name can't be a folder's on every system, since pictures may be copied to another one; "" if it can."""
    forbidden = sorted(set(label) & FORBIDDEN)
    faults = {
        f"there is {' and '.join(map(repr, forbidden))} in it": bool(forbidden),
        "there are signs in it that nobody sees": not label or not is_printable(label),
        "it begins with a dot": label.startswith("."),
        "it ends in a dot": label.endswith("."),
        "Windows keeps that for itself": label.partition(".")[0].upper() in DEVICES,
        "it is too long": len(os.fsencode(label)) > LONGEST_NAME_BYTES,
    }
    return next((fault for fault, is_so in faults.items() if is_so), "")


def require_no_unknown(place: Path | str, names: Iterable[str]) -> None:
    """Raise AudionetError if a class has the name that is kept for clips of no class."""
    for name in names:
        shown = "".join(c for c in unicodedata.normalize("NFKC", name) if unicodedata.category(c) != "Cf")
        if spelling_key(shown.strip()) == UNKNOWN:
            raise AudionetError(
                f"{place}: no class can be called {name!r}: that is what a clip is called that is none of the classes; "
                "rename it, to 'others' for instance, or move it away (no recordings of strangers are needed)"
            )


def require_distinct_classes(place: Path, names: Iterable[str]) -> None:
    """Raise AudionetError if two names look the same: one class was spelt in two ways, or one disk can't hold both."""
    seen: dict[str, str] = {}
    for name in names:
        other = seen.setdefault(look_of(name), name)
        if other != name:
            are_stored_otherwise = other.casefold() != name.casefold() and not (other.isascii() and name.isascii())
            stored = f", stored as {other!a} and {name!a}" if are_stored_otherwise else ""
            raise AudionetError(
                f"{place}: the classes {other!r} and {name!r} differ only in upper and lower case, in spaces or in "
                f"how accents are stored{stored}; make one class of them, or rename one"
            )


def spelling_key(name: str) -> str:
    """A key that is the same for names which a file system may take for one, since case or stored accents differ."""
    return composed(composed(name).casefold())


def look_of(name: str) -> str:
    """A key that is the same for names that people take for one: also where spaces differ, or what can't be seen."""
    return spelling_key(" ".join(name.translate(INVISIBLE).split()))


def composed(name: str) -> str:
    """A name with its accents stored in one way; macOS stores them in another than Windows and Linux."""
    return unicodedata.normalize("NFC", name)


def without_spaces(name: str) -> str:
    """A name as RTTM and other tools have it, in which nothing has spaces."""
    return "_".join(name.split())


def by_name(names: Iterable[str], *, in_rttm: bool = False) -> dict[str, str]:
    """The names of classes by what they may be called, composed; in RTTM, without spaces too."""
    composed_names = {composed(name): name for name in names}
    return {without_spaces(name): own for name, own in composed_names.items() if in_rttm} | composed_names


def no_such_class(name: str, labels: Sequence[str], owner: str = "the model") -> str:
    """What is said of a class that the owner of others, a model or a folder of pictures, does not have."""
    return f"{owner} has no such class (it has {listed_classes(labels)}){did_you_mean(name, labels)}"


def class_number(name: str, labels: Sequence[str], option: str = "", owner: str = "the model") -> int:
    """The number of a class among the labels of an owner, by its name.

    Raises AudionetError, which begins with the option that named it, if there is no such class.
    """
    numbers = {composed(label): number for number, label in enumerate(labels)}
    if composed(name) not in numbers:
        raise AudionetError(f"{option}{name}: {no_such_class(name, labels, owner)}")
    return numbers[composed(name)]


def listed_classes(labels: Sequence[str]) -> str:
    """The classes of a model, in a sentence."""
    return listed(labels, most=CLASSES_LISTED)


def class_of(key: str) -> str:
    """The class in the key of a recording, or in the name of a chunk: what stands before the first slash."""
    return key.partition("/")[0]


def chunk_stems(keys: Iterable[str]) -> dict[str, str]:
    """For each recording's key, the name that its chunks' files start with, unique in the class.

    It is the file's name without the suffix, with the folders below the class folder before it. Recordings that
    would share a name, even on a file system that ignores case, get eight digits of their key's hash behind it.

    >>> chunk_stems(["anna/2024/may.mp3", "ben/may.mp3", "ben/May.wav"])
    {'anna/2024/may.mp3': '2024-may', 'ben/may.mp3': 'may-2cd2f8b6', 'ben/May.wav': 'May-198311d7'}
    """
    stems = {}
    for key in keys:
        _, _, rest = key.partition("/")
        stems[key] = rest[: len(rest) - len(PurePosixPath(rest).suffix)].replace("/", "-")
    by_stem = grouped(((class_of(key), spelling_key(stem)), key) for key, stem in stems.items())
    for namesakes in by_stem.values():
        for key in namesakes:
            data = os.fsencode(stems[key])
            if len(namesakes) > 1 or len(data) > LONGEST_STEM_BYTES:
                short = data[: LONGEST_STEM_BYTES - 9].decode(errors="ignore")
                stems[key] = f"{short}-{hashlib.sha256(os.fsencode(key)).hexdigest()[:8]}"
    return stems


def chunk_name(class_name: str, stem: str, index: int) -> str:
    """`<class>/<recording>_nohash_<index>`, to which `.jpg` and `.wav` are added.

    >>> chunk_name("anna", "interview", 3)
    'anna/interview_nohash_0003'
    """
    return f"{class_name}/{stem}{NOHASH}{index:04d}"


def split_chunk_name(name: str) -> tuple[str, int | None]:
    """What stands before the last `_nohash_` in a chunk's name, and the number behind it.

    Of a name without the mark, or with something else behind it, the number is None.

    >>> split_chunk_name("anna/interview_nohash_0003")
    ('anna/interview', 3)
    >>> split_chunk_name("interview")
    ('interview', None)
    """
    before, _, number = name.rpartition(NOHASH)
    if not before:
        return name, None
    return before, int(number) if number.isdecimal() else None
