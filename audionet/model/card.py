"""The model's card: what it was made of, how, how good it is, and when. It travels in the model's description."""

import os
import platform
from collections.abc import Iterable, Sequence
from datetime import datetime, timezone
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from audionet import __version__
from audionet.dataset.checks import ClassData
from audionet.evaluation.result import EvaluationResult
from audionet.options import RetrainOptions
from audionet.settings import PictureSettings
from audionet.system.text import duration

PACKAGES = ("tensorflow", "ai-edge-litert", "numpy", "pillow")
DIGITS = 16  # of a SHA-256: enough to tell recordings apart
SETTINGS = ("steps", "learning_rate", "train_batch_size", "seed", "folds", "refit")
DATE_VARIABLE = "SOURCE_DATE_EPOCH"  # seconds since 1970, by custom: for files that are the same whenever they are made


def now() -> datetime:
    """The time in UTC, to the second; or what DATE_VARIABLE says it is."""
    told = os.environ.get(DATE_VARIABLE, "")
    if told.isdecimal():
        return datetime.fromtimestamp(int(told), timezone.utc)
    return datetime.now(timezone.utc).replace(microsecond=0)


def make_card(
    classes: Sequence[ClassData],
    held_out: EvaluationResult | None,
    pictures: PictureSettings,
    options: RetrainOptions,
    backbone: str,
    warnings: Sequence[str],
    recordings: Iterable[str],
) -> dict[str, Any]:
    """The card as plain values. held_out: None if nothing was held out. trunk: the name of its network.

    recordings: the SHA-256s of those that were learnt from, so that `evaluate` can tell them from new ones.
    """
    return {
        "made": now().isoformat(),
        "classes": [data.to_json() for data in classes],
        "held_out": None if held_out is None else _measured(held_out),
        "settings": {
            "chunk_seconds": pictures.chunk_seconds,
            "overlap_seconds": pictures.overlap_seconds,
            "representation": pictures.representation,
            "colormap": pictures.colormap,
            "network": options.tfhub_module or options.architecture,
            "bottleneck": backbone,
        }
        | {name: getattr(options, name) for name in SETTINGS},
        "versions": _versions(),
        "warnings": list(warnings),
        "recordings": sorted({sha256[:DIGITS] for sha256 in recordings}),
    }


def _measured(held_out: EvaluationResult) -> dict[str, Any]:
    confusion = held_out.confusion
    return {
        "accuracy": confusion.accuracy,
        "interval": list(confusion.interval),
        "correct": confusion.correct,
        "chunks": confusion.count,
        "recordings": held_out.recordings,
        "folds": len(held_out.fold_accuracies),
        "calibration_error": held_out.calibration_error,
    }


def _versions() -> dict[str, str]:
    found = {"audionet": __version__, "python": platform.python_version(), "system": platform.system()}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def card_for_people(card: dict[str, Any]) -> dict[str, str]:
    """The card's terms and values as a person reads them."""
    classes, settings, measured = card["classes"], card["settings"], card["held_out"]
    seconds = sum(data["seconds"] for data in classes)
    shown = {
        "Made": card["made"].replace("T", " ").replace("+00:00", " UTC"),
        "Classes": f"{len(classes)}: {', '.join(data['name'] for data in classes)}",
        "Learnt from": f"{sum(data['recordings'] for data in classes)} recordings, {duration(seconds)} of sound, "
        f"in {sum(data['chunks'] for data in classes)} chunks",
    }
    if measured:
        low, high = measured["interval"]
        how = f"in {measured['folds']} folds" if measured["folds"] else "on one split"
        shown["Measured"] = (
            f"accuracy {measured['accuracy']:.3f} ({low:.3f} to {high:.3f}), {how}, on {measured['chunks']} chunks of "
            f"{measured['recordings']} recordings; calibration error {measured['calibration_error']:.3f}"
        )
    overlap = f", overlapping by {settings['overlap_seconds']:g} s" if settings["overlap_seconds"] else ""
    shown["Pictures"] = (
        f"{settings['representation']}, {settings['colormap']}; chunks of {settings['chunk_seconds']:g} s{overlap}"
    )
    shown["Network"] = f"{settings['network']}, bottleneck {settings['bottleneck']}"
    shown["Training"] = ", ".join(
        f"{name.replace('_', ' ')} {settings[name]}" for name in SETTINGS if settings[name] is not None
    )
    shown["Versions"] = ", ".join(f"{name} {number}" for name, number in card["versions"].items())
    return shown
