"""What was given for the fields of a record: made what they are, and checked by rules. Each refusal is a sentence."""

import errno
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import fields
from numbers import Real
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, NamedTuple, TypeVar, get_args, get_origin

from audionet.errors import AudionetError, UnusableInput

NO_PATH = "is no path; write '.' for the current folder"
LONGEST_SHOWN = 60  # characters of a value that is something else
LARGEST_COUNT = 2**31 - 1
Options = TypeVar("Options")
# What is said of a value that is not of its type.
KINDS: Mapping[type, str] = {
    bool: "True or False",
    int: "a whole number",
    float: "a number",
    str: "text",
    Path: "a path",
    tuple: "a list of names",
    Sequence: "a list of paths",
    Mapping: "a number for each name",
}
# How options are typed that are not called as their fields are; and fields that no option is of.
FLAGS: Mapping[str, str] = {
    "address": "--scheduler",
    "collar_seconds": "--collar",
    "every_column": "every_column",
    "kind": "kind",
    "merge_gap_seconds": "--merge-gap",
    "overlap_seconds": "--overlap",
    "use_beside": "--annotations",
    "window_samples": "window_samples",
}


def flag(name: str) -> str:
    """How the option of a field is typed: `--train-batch-size` for train_batch_size, `--high-pass` for high_pass_hz."""
    return FLAGS.get(name, f"--{name.removesuffix('_hz').replace('_', '-')}")


def shown(value: object) -> object:
    """A value as people type it: 1 for 1.0."""
    return f"{value:g}" if isinstance(value, float) else value


class Rule(NamedTuple):
    """Which values a field may have: Annotated[int, Rule(...)]. None is always allowed.

    sentence: what is said of others. choices: all that are allowed, if they can be listed.
    """

    is_allowed: Callable[[Any], object]
    sentence: str
    choices: Sequence[str] = ()

    def __repr__(self) -> str:
        return self.sentence  # in the reference


def one_of(choices: Sequence[str]) -> Rule:
    """The rule of a field that has one of some values."""
    return Rule(lambda value: value in choices, f"must be one of {', '.join(choices)}", choices)


def within(least: float, most: float, where: str = "") -> Rule:
    """The rule of a number from `least` to `most`. where: what is said behind that."""
    return Rule(lambda number: least <= number <= most, f"must be from {shown(least)} to {shown(most)}{where}")


def check(record: object, name: str, rule: Rule) -> None:
    """Raise AudionetError if a field breaks a rule."""
    value = getattr(record, name)
    if value is not None and not rule.is_allowed(value):
        raise AudionetError(f"{flag(name)} {shown(value)}: {rule.sentence}")


def plain_path(place: object) -> Path:
    """The path that was given, whatever is there. Raises UnusableInput for what is none."""
    if not isinstance(place, (str, os.PathLike)):
        raise UnusableInput(repr(place)[:LONGEST_SHOWN], "is no path; give it as text or as a pathlib.Path")
    return Path(place)


def as_path(place: str | os.PathLike[str]) -> Path:
    """The path that was given, as text or otherwise. Raises UnusableInput for what no file can be called."""
    if place == "":
        raise UnusableInput("''", NO_PATH)
    path = plain_path(place)
    try:
        path.lstat()
    except ValueError as error:
        raise UnusableInput.impossible(path) from error
    except OSError as error:
        if error.errno == errno.ENAMETOOLONG:
            raise UnusableInput.unreadable(path, error) from error
    return path


def as_paths(places: Path | Iterable[Path] | None) -> tuple[Path, ...]:
    """The paths of one place or several, or of none. Raises UnusableInput, as `as_path`."""
    if places is None:
        return ()
    return tuple(map(as_path, [places] if isinstance(places, Path) else places))


def nearest_there(path: Path) -> Path:
    """A path at which something is, or else the nearest above it of which that is so."""
    return next((place for place in (path, *path.parents) if os.access(place, os.F_OK)), Path())


def options_or_usual(given: Options | None, kind: type[Options]) -> Options:
    """The options that were given, or the usual ones. Raises AudionetError for what are no options of this kind."""
    if given is not None and not isinstance(given, kind):
        name = kind.__name__
        raise AudionetError(f"the options must be {name}, such as audionet.{name}(), not {type(given).__name__}")
    return kind() if given is None else given


class CheckedRecord:
    """A dataclass that makes of what is given for its fields what they are: paths of text and text of paths, names of a
    name, 5 and 5.0 the same, and Python's own values of NumPy's; and checks it by their rules.

    Raises UnusableInput, as `as_path`, and AudionetError for what they cannot be.
    """

    def __post_init__(self) -> None:
        record: Any = self  # a dataclass, which mypy has no bound for
        for each in fields(record):
            kinds = kinds_of(each.type)
            value = _taken(getattr(self, each.name), kinds)
            if not _is_of(value, kinds):
                words = " or ".join(KINDS.get(kind, kind.__name__) for kind in kinds if kind is not NoneType)
                raise AudionetError(f"{each.name} {value!r}: must be {words}")
            object.__setattr__(self, each.name, value)
            for rule in rules_of(each.type):
                check(self, each.name, rule)
            if isinstance(value, int) and value > LARGEST_COUNT:
                raise AudionetError(f"{flag(each.name)}: must be at most {LARGEST_COUNT}")


def rules_of(declared: Any) -> tuple[Rule, ...]:
    """The rules of a field, for what is declared of it."""
    return declared.__metadata__ if get_origin(declared) is Annotated else ()


def kinds_of(declared: Any) -> tuple[type, ...]:
    """The types of which a field may be, for what is declared of it: Path and None for `Path | None`."""
    if get_origin(declared) is Annotated:
        declared = declared.__origin__
    among = get_args(declared) if isinstance(declared, UnionType) else (declared,)
    return tuple(get_origin(kind) or kind for kind in among)


def _taken(value: Any, kinds: tuple[type, ...]) -> Any:
    if type(value).__module__ == "numpy" and not getattr(value, "shape", None):
        value = value.item()  # which JSON can hold
    if Path in kinds and isinstance(value, (str, os.PathLike)):
        return as_path(value)
    if str in kinds and isinstance(value, os.PathLike):
        return os.fspath(value)
    if kinds == (str, NoneType) and isinstance(value, int):
        return str(value)  # channel 2, and an output that is called so
    if tuple in kinds and isinstance(value, Iterable):
        return (str(value),) if isinstance(value, str) else tuple(map(str, value))
    if int in kinds and isinstance(value, float) and value.is_integer():
        return int(value)
    if float in kinds and isinstance(value, Real) and not isinstance(value, bool):
        with suppress(OverflowError):
            return float(value)
    return value


def _is_of(value: Any, kinds: tuple[type, ...]) -> bool:
    """Whether a value is of one of some types; True and False are no numbers here."""
    return bool in kinds if isinstance(value, bool) else isinstance(value, kinds)
