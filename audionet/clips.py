"""Clip -> chunks -> pictures -> scores: the way of a recording through a model, the same as in training."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from audionet import pictures
from audionet.calibration import comparable
from audionet.chunks import Chunk, cut
from audionet.dataset import is_other_file, walk_files
from audionet.errors import UnusableInput
from audionet.ffmpeg import decode
from audionet.model import Model
from audionet.pictures import ANY_SUFFIXES, SUFFIXES, Origin
from audionet.settings import MINIMUM_SECONDS
from audionet.spectrogram import Painter

UNKNOWN = "unknown"  # the label of a clip that is none of the classes


@dataclass(frozen=True)
class ClipScores:
    """The scores of one clip.

    seconds: of sound behind them.
    scores: a probability for each of the model's labels.
    is_unknown: the clip is more likely none of them.
    """

    clip: str
    seconds: float
    scores: dict[str, float]
    is_unknown: bool = False

    @property
    def best(self) -> str:
        """The class with the highest score; of equals the first."""
        return max(self.scores, key=lambda label: self.scores[label])

    @property
    def label(self) -> str:
        """The best class, or UNKNOWN."""
        return UNKNOWN if self.is_unknown else self.best

    @property
    def score(self) -> float:
        """The best class's, whether it is believed or not."""
        return self.scores[self.best]

    def best_first(self) -> list[tuple[str, float]]:
        """The classes and their scores, the highest first."""
        return sorted(self.scores.items(), key=lambda item: -item[1])


def paint_recording(path: Path, painter: Painter) -> Iterator[tuple[Chunk, bytes]]:
    """The chunks of a recording, one at a time, each with its picture as a JPG.

    Raises UnusableInput when nothing of the file can be used.
    """
    count = 0
    for chunk in cut(decode(path), painter.settings):
        picture = painter.paint(chunk.samples)
        yield chunk, pictures.encode(picture, Origin(painter.fingerprint, chunk.start_seconds, chunk.seconds))
        count += 1
    if not count:
        raise UnusableInput(path, f"is shorter than {MINIMUM_SECONDS:g} seconds")


def score_clip(path: Path, model: Model, name: str | None = None, allow_unknown: bool = True) -> ClipScores:
    """Score a recording, or a picture that `prepare` made: the mean of its chunks' scores, weighted by length.

    Silent chunks have no say, unless all are; then the clip is unknown, if that is allowed.
    The pictures pass through JPG as in training, so that a recording scores as its prepared pictures do.
    Raises UnusableInput.
    """
    rows, seconds = [], []
    for jpg, length in _clip_pictures(path, model):
        picture = _decode(jpg, path, model)
        scores, distance = model.score(picture)
        share = min(1.0, length / model.painter.settings.chunk_seconds)
        rows.append([*scores.tolist(), comparable(distance, share), float(picture.any())])
        seconds.append(length)
    table = np.array(rows)
    audible = table[:, -1] > 0
    weights = np.array(seconds) * (audible if audible.any() else 1)
    *scores, distance = (weights @ table[:, :-1] / weights.sum()).tolist()
    unknown = not audible.any() or model.familiarity.is_unknown(max(scores), distance)
    by_label = dict(zip(model.labels, scores, strict=True))
    return ClipScores(name or str(path), sum(seconds), by_label, allow_unknown and unknown)


def _clip_pictures(path: Path, model: Model) -> Iterator[tuple[bytes, float]]:
    if path.suffix.lower() in (ANY_SUFFIXES if model.any_picture else SUFFIXES):
        try:
            yield path.read_bytes(), model.painter.settings.chunk_seconds
        except OSError as error:
            raise UnusableInput(path, f"cannot be read ({error.strerror})") from error
    else:
        for chunk, jpg in paint_recording(path, model.painter):
            yield jpg, chunk.seconds


def _decode(jpg: bytes, path: Path, model: Model) -> np.ndarray:
    if model.any_picture:
        return pictures.decode_any(jpg, path)
    picture, origin = pictures.decode(jpg, path)
    if origin.fingerprint != model.painter.fingerprint:
        raise UnusableInput(path, "is a picture made with other settings than the model's; label the recording")
    return picture


def find_clips(paths: Iterable[Path]) -> Iterator[Path]:
    """The files named, and the recordings and pictures in the folders named, sorted within each folder."""
    for path in paths:
        if path.is_dir():
            found = [file for file in walk_files(path) if _is_clip(file)]
            # Pictures lie beside the WAVs of the same chunks: each chunk counts once.
            stems = {file.with_suffix("") for file in found if file.suffix.lower() in SUFFIXES}
            yield from (f for f in found if f.suffix.lower() != ".wav" or f.with_suffix("") not in stems)
        else:
            yield path


def _is_clip(path: Path) -> bool:
    return path.suffix.lower() in SUFFIXES or not is_other_file(path)
