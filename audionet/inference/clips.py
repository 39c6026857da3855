"""Clip -> chunks -> pictures -> scores: the way of a recording through a model, the same as in training."""

from collections.abc import Generator, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from audionet.audio.chunks import Chunk, cut
from audionet.audio.ffmpeg import decode
from audionet.dataset.folders import is_other_file, walk_files
from audionet.dataset.names import NOHASH
from audionet.errors import UnusableInput
from audionet.model.bundle import Model
from audionet.parallel.threads import work_through
from audionet.settings import MINIMUM_SECONDS, PictureSettings
from audionet.spectrogram import jpeg as pictures
from audionet.spectrogram.jpeg import ANY_SUFFIXES, SUFFIXES, Origin
from audionet.spectrogram.transform import SpectrogramRenderer
from audionet.training.unknown import comparable_distance

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


def read_chunks(path: Path, settings: PictureSettings) -> Generator[Chunk, None, None]:
    """The chunks of a recording, one at a time. Raises UnusableInput when nothing of the file can be used."""
    if path.is_dir():
        reason = "is a link to a folder, which is not followed" if path.is_symlink() else "holds no clips"
        raise UnusableInput(path, reason)
    empty = True
    for chunk in cut(decode(path), settings):
        yield chunk
        empty = False
    if empty:
        raise UnusableInput(path, f"is shorter than {MINIMUM_SECONDS:g} seconds")


def draw(chunk: Chunk, renderer: SpectrogramRenderer) -> bytes:
    """A chunk's picture as a JPG."""
    origin = Origin(renderer.fingerprint, chunk.start_seconds, chunk.seconds)
    return pictures.encode(renderer.render(chunk.samples), origin)


@dataclass(frozen=True)
class ScoredChunk:
    """The scores of one chunk of `seconds`, the distance of its picture comparable with whole chunks'."""

    seconds: float
    scores: list[float]
    distance: float
    has_signal: bool


@dataclass(frozen=True)
class ScoringJob:
    """A job for workers: score recordings, or pictures that `prepare` made.

    The pictures pass through JPG as in training, so that a recording scores as its prepared pictures do.
    """

    model: Model
    allow_unknown: bool = True

    def split(self, path: Path) -> Generator[tuple[Path, Chunk | None], None, None]:
        """The chunks of a recording; of a picture None."""
        if path.suffix.lower() in (ANY_SUFFIXES if self.model.any_picture else SUFFIXES):
            yield path, None
        else:
            for chunk in read_chunks(path, self.model.renderer.settings):
                yield path, chunk

    def map(self, part: tuple[Path, Chunk | None]) -> ScoredChunk:
        """The scores of a chunk. Raises UnusableInput."""
        path, chunk = part
        renderer = self.model.renderer
        seconds = chunk.seconds if chunk else renderer.settings.chunk_seconds
        jpg = draw(chunk, renderer) if chunk else pictures.read(path)
        picture = _decode(jpg, path, self.model)
        scores, distance = self.model.score(picture)
        share = min(1.0, seconds / renderer.settings.chunk_seconds)
        return ScoredChunk(seconds, scores.tolist(), comparable_distance(distance, share), bool(picture.any()))

    def reduce(self, path: Path, found: list[ScoredChunk]) -> ClipScores:
        """The mean of the chunks' scores, weighted by length.

        Silent chunks have no say, unless all are; then the clip is unknown, if that is allowed.
        """
        table = np.array([[*chunk.scores, chunk.distance] for chunk in found])
        has_signal = np.array([chunk.has_signal for chunk in found])
        weights = np.array([chunk.seconds for chunk in found]) * (has_signal if has_signal.any() else 1)
        *scores, distance = (weights @ table / weights.sum()).tolist()
        unknown = not has_signal.any() or self.model.thresholds.is_unknown(max(scores), distance)
        by_label = dict(zip(self.model.labels, scores, strict=True))
        seconds = sum(chunk.seconds for chunk in found)
        return ClipScores(str(path), seconds, by_label, self.allow_unknown and unknown)


def score_clip(path: Path, model: Model) -> ClipScores:
    """The scores of one clip, by this thread alone. Raises UnusableInput."""
    scored = work_through(ScoringJob(model), path)
    if isinstance(scored, UnusableInput):
        raise scored
    return scored


def _decode(jpg: bytes, path: Path, model: Model) -> np.ndarray:
    if model.any_picture:
        return pictures.decode_any(jpg, path)
    picture, origin = pictures.decode(jpg, path)
    if origin.fingerprint != model.renderer.fingerprint:
        raise UnusableInput(path, "is a picture made with other settings than the model's; label the recording")
    return picture


def find_clips(paths: Iterable[Path]) -> Iterator[Path]:
    """The files named, and the recordings and pictures in the folders named, sorted within each folder."""
    for path in paths:
        if path.is_dir():
            found = [file for file in walk_files(path) if is_clip(file)]
            # Pictures lie beside the WAVs of the same chunks: each chunk counts once.
            drawn = {file.with_suffix("") for file in found if file.suffix.lower() in SUFFIXES and NOHASH in file.name}
            yield from (f for f in found if f.suffix.lower() != ".wav" or f.with_suffix("") not in drawn)
        else:
            yield path


def is_clip(path: Path) -> bool:
    """Whether the name may be a recording's or a picture's."""
    return path.suffix.lower() in SUFFIXES or not is_other_file(path)
