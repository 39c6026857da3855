"""What values an option may have, and what is said of those that it may not have."""

import errno
import os
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, TypeVar, get_args, get_origin

from audionet.errors import AudionetError, UnusableInput
from audionet.settings import HIGHEST_SAMPLE_RATE_HZ, LOWEST_SAMPLE_RATE_HZ, OWN_FOLDS

NO_PATH = "is no path; write '.' for the current folder"
LONGEST_SHOWN = 60  # characters of a value that is something else
LARGEST_COUNT = 2**31 - 1
BOTTLENECKS = ("rows", "pool_3")
EMBEDDED = "inception_v3"  # the architecture of the network inside the package
# Networks that Google has on TensorFlow Hub, as they are called there and as retrain.py of 2017 called them.
ARCHITECTURES = (
    r"mobilenet_v[12]_\d{3}_\d{3}|mobilenet_v3_(small|large)_\d{3}_\d{3}|mobilenet_\d\.\d+_\d{3}|inception_v[123]"
    r"|inception_resnet_v2|resnet_v[12]_(50|101|152)|p?nasnet_(mobile|large)|amoebanet_a_n18_f448"
)
# For an option: whether a value is allowed, and what is said if it is not. None is always allowed.
Rule = tuple[Callable[[Any], bool], str]
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
AT_LEAST_1: Rule = (lambda number: number >= 1, "must be at least 1")
SCORE: Rule = (lambda score: 0 < score <= 1, "must be over 0 and at most 1, as scores are")
_BATCH: Rule = (lambda size: size == -1 or size >= 1, "must be at least 1, or -1 for all")
_PER_CENT: Rule = (lambda share: 0 <= share <= 100, "must be from 0 to 100 per cent")
_UNDER_100: Rule = (lambda share: 0 <= share < 100, "must be from 0 to under 100")
_NAMED: Rule = (lambda path: path.name not in ("", ".."), "must end in a name, such as birds")
RETRAIN_RULES: dict[str, Rule] = {
    "output_graph": _NAMED,
    "saved_model_dir": _NAMED,
    "checkpoint_path": _NAMED,
    "steps": AT_LEAST_1,
    "architecture": (
        lambda name: re.fullmatch(ARCHITECTURES, name) is not None,
        f"only {EMBEDDED} is built in; from TensorFlow Hub come mobilenet_v2_100_224, resnet_v2_50 and the like, and "
        "any other by its address with --tfhub-module",
    ),
    "bottleneck": (lambda name: name in BOTTLENECKS, f"must be one of {', '.join(BOTTLENECKS)}"),
    "learning_rate": (lambda rate: 0 < rate < float("inf"), "must be over 0"),
    "train_batch_size": _BATCH,
    "validation_batch_size": _BATCH,
    "test_batch_size": _BATCH,
    "random_crop": _PER_CENT,
    "random_scale": _PER_CENT,
    "random_brightness": _PER_CENT,
    "eval_step_interval": AT_LEAST_1,
    "intermediate_store_frequency": (lambda steps: steps >= 0, "must not be below 0"),
    "validation_percentage": _UNDER_100,
    "testing_percentage": _UNDER_100,
    "folds": (lambda count: count == OWN_FOLDS or count >= 2, "must be at least 2"),
    "seed": (lambda seed: 0 <= seed <= LARGEST_COUNT, f"must be from 0 to {LARGEST_COUNT}"),
    "tfhub_sha256": (
        lambda digits: re.fullmatch(r"[0-9a-f]{64}", digits) is not None,
        "must be 64 hexadecimal digits in lower case",
    ),
    "backbone_sample_rate": (
        lambda hz: LOWEST_SAMPLE_RATE_HZ <= hz <= HIGHEST_SAMPLE_RATE_HZ,
        f"must be from {LOWEST_SAMPLE_RATE_HZ} to {HIGHEST_SAMPLE_RATE_HZ}",
    ),
    "final_tensor_name": (
        lambda name: re.fullmatch(r"[A-Za-z0-9.][A-Za-z0-9_.\\/>-]*", name) is not None,
        "letters, digits and _ . - / are what TensorFlow allows",
    ),
}


def flag(name: str) -> str:
    """How an option is typed that is called so in its record: `--train-batch-size` for train_batch_size."""
    return f"--{name.replace('_', '-')}"


def shown(value: object) -> object:
    """A value as people type it: 1 for 1.0."""
    return f"{value:g}" if isinstance(value, float) else value


def check(options: object, rules: Mapping[str, Rule]) -> None:
    """Raise AudionetError for the first option that breaks its rule."""
    for name, (is_allowed, sentence) in rules.items():
        value = getattr(options, name)
        if value is not None and not is_allowed(value):
            raise AudionetError(f"{flag(name)} {shown(value)}: {sentence}")
        if isinstance(value, int) and value > LARGEST_COUNT:
            raise AudionetError(f"{flag(name)}: must be at most {LARGEST_COUNT}")


def check_network(options: Any) -> None:
    """Raise AudionetError unless RetrainOptions name one network, and say of it what can be said."""
    if options.tfhub_sha256 is not None and options.tfhub_module is None and options.architecture == EMBEDDED:
        raise AudionetError("--tfhub-sha256 is of a module; name it with --tfhub-module or --architecture")
    if options.backbone is not None and (options.tfhub_module is not None or options.architecture != EMBEDDED):
        raise AudionetError("--backbone, --tfhub-module and --architecture each name a network: choose one")
    if options.backbone is None and options.tfhub_module is None:
        for name in ("backbone_output", "backbone_sample_rate"):
            if getattr(options, name) is not None:
                raise AudionetError(
                    f"{flag(name)} is of a network from sound; name it with --backbone or --tfhub-module"
                )


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


def as_names(given: str | Iterable[str]) -> tuple[str, ...]:
    """Names of classes that were given, or the one."""
    return (str(given),) if isinstance(given, str) else tuple(map(str, given))


def options_or_usual(given: Options | None, kind: type[Options]) -> Options:
    """The options that were given, or the usual ones. Raises AudionetError for what are no options of this kind."""
    if given is not None and not isinstance(given, kind):
        name = kind.__name__
        raise AudionetError(f"the options must be {name}, such as audionet.{name}(), not {type(given).__name__}")
    return kind() if given is None else given


def take_values(record: Any) -> None:
    """Make of what was given for the fields what they are: paths of text and text of paths, names of a name, whole
    numbers of 5.0, and Python's own values of NumPy's.

    Raises UnusableInput, as `as_path`, and AudionetError for what they cannot be.
    """
    for each in fields(record):
        kinds = _kinds(each.type)
        value = _taken(getattr(record, each.name), kinds)
        if not _is_of(value, kinds):
            words = " or ".join(KINDS.get(kind, kind.__name__) for kind in kinds if kind is not NoneType)
            raise AudionetError(f"{each.name} {value!r}: must be {words}")
        object.__setattr__(record, each.name, value)


def _kinds(declared: Any) -> tuple[type, ...]:
    """The types of which a value may be, for what is declared of it: Path and None for `Path | None`."""
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
        return as_names(value)
    if int in kinds and isinstance(value, float) and value.is_integer():
        return int(value)
    return value


def _is_of(value: Any, kinds: tuple[type, ...]) -> bool:
    """Whether a value is of one of some types; True and False are no numbers here, and whole numbers may be floats."""
    if isinstance(value, bool):
        return bool in kinds
    return isinstance(value, kinds) or (float in kinds and isinstance(value, int))
