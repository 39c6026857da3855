"""The model's card: how, when and from which recordings it was made, and how good it is. The description holds it."""

import os
import platform
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Annotated, Any

from audionet import __version__
from audionet.dataset.checks import ClassData, class_data
from audionet.evaluation.result import EvaluationResult
from audionet.options import RetrainOptions
from audionet.settings import DATE_VARIABLE, SAMPLE_RATE_HZ, PictureSettings
from audionet.system import untrusted as checked
from audionet.system.text import count, duration
from audionet.system.untrusted import Scalar, StoredRecord, stored

if TYPE_CHECKING:
    from audionet.evaluation.cross_validation import TrainingResult

PACKAGES = ("tensorflow", "ai-edge-litert", "numpy", "pillow")
ROUNDING = 1e-6  # an interval may reach so far beyond 0 and 1
DIGITS = 16  # of a SHA-256: enough to tell recordings apart
SETTINGS = ("steps", "learning_rate", "train_batch_size", "seed", "folds", "refit")


def now() -> datetime:
    """The time in UTC, to the second; or what DATE_VARIABLE says it is."""
    with suppress(ValueError, OverflowError, OSError):  # of what is no number, or of no year that there can be
        return datetime.fromtimestamp(int(os.environ.get(DATE_VARIABLE, "")), timezone.utc)
    return datetime.now(timezone.utc).replace(microsecond=0)


def _interval(value: Any) -> tuple[float, float]:
    low, high = value
    return checked.number(low, -ROUNDING, 1), checked.number(high, 0, 1 + ROUNDING)


@dataclass(frozen=True)
class Measured(StoredRecord):
    """How good the model was on recordings that were held out, with the interval of 95 %. correct, chunks: counts.

    folds: how many there were; 0 is one split.
    """

    accuracy: Annotated[float, stored("accuracy", checked.number, 0, 1)]
    interval: Annotated[tuple[float, float], stored("interval", _interval)]
    correct: Annotated[int, stored("correct", checked.whole)]
    chunks: Annotated[int, stored("chunks", checked.whole)]
    recordings: Annotated[int, stored("recordings", checked.whole)]
    folds: Annotated[int, stored("folds", checked.whole)]
    calibration_error: Annotated[float, stored("calibration_error", checked.number, 0, 1)]

    @classmethod
    def of(cls, held_out: EvaluationResult) -> "Measured":
        """The measurement that an evaluation gives."""
        confusion, folds = held_out.confusion, len(held_out.fold_accuracies)
        counts = confusion.correct, confusion.count, held_out.recordings, folds
        return cls(confusion.accuracy, confusion.interval, *counts, held_out.calibration_error)


def _settings(value: Any) -> dict[str, Scalar]:
    """The settings of a card, with those that people are told."""
    settings = checked.named(value, checked.scalar)
    for name in ("chunk_seconds", "overlap_seconds"):
        checked.number(settings[name], 0)
    checked.number(settings.get("sample_rate_hz", SAMPLE_RATE_HZ), 1)
    for name in ("representation", "colormap", "network", "bottleneck"):
        checked.text(settings[name])
    return settings


@dataclass(frozen=True)
class ModelCard(StoredRecord):
    """What a model was made of, how, how good it is, and when.

    made: the time in ISO 8601. held_out: None if nothing was held out. settings: of the pictures, the network and the
    training. versions: of audionet, Python, the system and the packages that decide what comes out.
    recordings: the first digits of the SHA-256s of those that were learnt from.
    """

    made: Annotated[str, stored("made", checked.text)]
    classes: Annotated[list[ClassData], stored("classes", checked.several, ClassData.from_json)]
    held_out: Annotated[Measured | None, stored("held_out", checked.optional, Measured.from_json)]
    settings: Annotated[Mapping[str, Scalar], stored("settings", _settings)]
    versions: Annotated[Mapping[str, str], stored("versions", checked.named, checked.text)]
    warnings: Annotated[list[str], stored("warnings", checked.several, checked.text)]
    recordings: Annotated[list[str], stored("recordings", checked.several, checked.text)]

    def for_people(self) -> dict[str, str]:
        """The terms and values as a person reads them."""
        settings, measured = self.settings, self.held_out
        seconds = sum(data.seconds for data in self.classes)
        recordings = count(sum(data.recordings for data in self.classes), "recording")
        chunks = count(sum(data.chunks for data in self.classes), "chunk")
        shown = {
            "Made": self.made.replace("T", " ").replace("+00:00", " UTC"),
            "Classes": _counted([data.name for data in self.classes]),
            "Learnt from": f"{recordings}, {duration(seconds)} of sound, in {chunks}",
        }
        if measured:
            low, high = measured.interval
            how = f"in {measured.folds} folds" if measured.folds else "on one split"
            shown["Measured"] = (
                f"accuracy {measured.accuracy:.3f} ({low:.3f} to {high:.3f}), {how}, on "
                f"{count(measured.chunks, 'chunk')} of {count(measured.recordings, 'recording')}; the scores are off "
                f"by {measured.calibration_error:.3f} on average"
            )
        overlap = f", overlapping by {settings['overlap_seconds']:g} s" if settings["overlap_seconds"] else ""
        shown["Pictures"] = (
            f"{settings['representation']}, {settings['colormap']}; chunks of {settings['chunk_seconds']:g} s{overlap}"
            + (f"; sample rate {settings['sample_rate_hz']:g} Hz" if "sample_rate_hz" in settings else "")
        )
        shown["Network"] = f"{settings['network']}, bottleneck {settings['bottleneck']}"
        shown["Training"] = ", ".join(
            f"{name.replace('_', ' ')} {settings[name]}" for name in SETTINGS if settings.get(name) is not None
        )
        shown["Versions"] = ", ".join(f"{name} {version}" for name, version in self.versions.items())
        return shown


def shown_card(card: ModelCard | None, labels: Sequence[str]) -> dict[str, str]:
    """The terms and values of a model's card; of a model without one, its classes."""
    return card.for_people() if card else {"Classes": _counted(labels)}


def _counted(names: Sequence[str]) -> str:
    return f"{len(names)}: {', '.join(names)}"


def make_card(
    result: "TrainingResult", pictures: PictureSettings, options: RetrainOptions, backbone: str, warnings: Sequence[str]
) -> ModelCard:
    """The card of a training. backbone: what is taken of its network.

    It holds the SHA-256s of the recordings that were learnt from, so that `evaluate` can tell them from new ones.
    """
    # A default is left out, so that the models of earlier releases and of this one are alike.
    is_usual = pictures.sample_rate_hz == SAMPLE_RATE_HZ
    settings: dict[str, Scalar] = {} if is_usual else {"sample_rate_hz": pictures.sample_rate_hz}
    settings |= {
        "chunk_seconds": pictures.chunk_seconds,
        "overlap_seconds": pictures.overlap_seconds,
        "representation": pictures.representation,
        "colormap": pictures.colormap,
        "network": options.backbone.name if options.backbone else options.tfhub_module or options.architecture,
        "bottleneck": backbone,
    }
    versions = {"audionet": __version__, "python": platform.python_version(), "system": platform.system()}
    return ModelCard(
        made=now().isoformat(),
        classes=class_data(result.dataset.samples),
        held_out=None if result.evaluation is None else Measured.of(result.evaluation),
        settings=settings | {name: getattr(options, name) for name in SETTINGS},
        versions=versions | {package: version for package in PACKAGES if (version := version_of(package))},
        warnings=list(warnings),
        recordings=sorted({sample.source[:DIGITS] for sample in result.dataset}),
    )


def version_of(package: str) -> str | None:
    """The version of a package; None if it is not installed."""
    from importlib.metadata import PackageNotFoundError, version  # slow to import, and of no use to label

    with suppress(PackageNotFoundError):
        return version(package)
    return None
