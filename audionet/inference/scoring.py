"""A chunk, or a picture of one -> its scores: one place for clips, timelines, microphones and watched folders."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from audionet.audio.chunks import Chunk
from audionet.errors import UnusableInput
from audionet.model.bundle import Model
from audionet.spectrogram import jpeg as pictures
from audionet.training.unknown import comparable_distance


@dataclass(frozen=True)
class ChunkScores:
    """The scores of one chunk of `seconds`.

    scores: a probability for each of the model's labels, float32.
    distance: the squared distance of its picture from the training's, comparable with whole chunks'.
    has_signal: there was any sound at all; a microphone that is switched off gives none.
    """

    start_seconds: float
    seconds: float
    scores: np.ndarray
    distance: float
    has_signal: bool

    @property
    def end_seconds(self) -> float:
        """Where it ends in its recording."""
        return self.start_seconds + self.seconds


def score_chunk(chunk: Chunk, path: Path, model: Model) -> ChunkScores:
    """The scores of a chunk of the recording `path`.

    The picture passes through JPG as in training, so that a recording scores as its prepared pictures do.
    """
    return _score(pictures.draw(chunk, model.renderer), path, model, chunk.start_seconds, chunk.seconds)


def score_picture(path: Path, model: Model) -> ChunkScores:
    """The scores of a picture that `prepare` made. Raises UnusableInput."""
    return _score(pictures.read(path), path, model, 0.0, model.renderer.settings.chunk_seconds)


def _score(jpg: bytes, path: Path, model: Model, start_seconds: float, seconds: float) -> ChunkScores:
    if model.any_picture:
        picture = pictures.decode_any(jpg, path)
    else:
        picture, origin = pictures.decode(jpg, path)
        if origin.fingerprint != model.renderer.fingerprint:
            raise UnusableInput(path, "is a picture made with other settings than the model's; label the recording")
    scores, distance = model.score(picture)
    share = min(1.0, seconds / model.renderer.settings.chunk_seconds)
    return ChunkScores(start_seconds, seconds, scores, comparable_distance(distance, share), bool(picture.any()))
