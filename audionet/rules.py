"""What values an option may have, and what is said of those that it may not have."""

import errno
import os
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from audionet.errors import AudionetError, UnusableInput
from audionet.settings import HIGHEST_SAMPLE_RATE_HZ, LOWEST_SAMPLE_RATE_HZ, OWN_FOLDS

NO_PATH = "is no path; write '.' for the current folder"
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


def check(options: object, rules: Mapping[str, Rule]) -> None:
    """Raise AudionetError for the first option that breaks its rule."""
    for name, (is_allowed, sentence) in rules.items():
        value = getattr(options, name)
        if value is not None and not is_allowed(value):
            shown = f"{value:g}" if isinstance(value, float) else value
            raise AudionetError(f"{flag(name)} {shown}: {sentence}")
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


def as_path(place: str | os.PathLike[str]) -> Path:
    """The path that was given, as text or otherwise. Raises UnusableInput for what no file can be called."""
    if place == "":
        raise UnusableInput("''", NO_PATH)
    path = Path(place)
    try:
        path.lstat()
    except ValueError as error:
        raise UnusableInput.impossible(path) from error
    except OSError as error:
        if error.errno == errno.ENAMETOOLONG:
            raise UnusableInput.unreadable(path, error) from error
    return path


def as_names(given: str | Iterable[str]) -> tuple[str, ...]:
    """Names of classes that were given, or the one."""
    return (str(given),) if isinstance(given, str) else tuple(map(str, given))


def take_text_for_paths(record: Any) -> None:
    """Make paths of the fields that are paths and were given as text, and Python's own values of NumPy's.

    Raises UnusableInput, as `as_path`.
    """
    for each in fields(record):
        value = getattr(record, each.name)
        if type(value).__module__ == "numpy" and not getattr(value, "shape", None):
            value = value.item()  # which JSON can hold
            object.__setattr__(record, each.name, value)
        if each.type in (Path, Path | None) and isinstance(value, (str, os.PathLike)):
            object.__setattr__(record, each.name, as_path(value))
