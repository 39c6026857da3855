"""A clip of several sounds -> which class is heard when.

Short windows that overlap are scored one by one; then the sequence of classes is sought that explains all scores best
when changes are rare (Viterbi, 1967).
"""

import itertools
import math
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from audionet.audio.channels import USUAL
from audionet.audio.chunks import Chunk, read_chunks
from audionet.dataset.names import UNKNOWN
from audionet.errors import UnusableInput
from audionet.inference.scoring import ChunkScores, score_chunk
from audionet.model.bundle import Model
from audionet.settings import PictureSettings, SoundChoice
from audionet.spectrogram.jpeg import SUFFIXES

WINDOW_SECONDS = 3.0  # or a chunk, if that is shorter: enough to know a voice by, short enough to find where it ends
STEPS_A_WINDOW = 4
TYPICAL_SECONDS = 10.0  # from one change to the next
NEWS_IN_STEP = 0.5  # of a window's evidence: more than the step's share of it, less than all
SMALLEST_SCORE = 1e-3  # one window must not rule a class out


@dataclass(frozen=True)
class Segment:
    """A stretch of a clip in which one class is heard; score is the mean of its windows' for the class.

    Of an unknown stretch it is the mean of their best.
    """

    start_seconds: float
    end_seconds: float
    label: str
    score: float

    def to_json(self) -> dict[str, str | float]:
        """As plain values, for `label --format json`."""
        return {
            "start_seconds": self.start_seconds,
            "end_seconds": self.end_seconds,
            "label": self.label,
            "score": self.score,
        }


@dataclass(frozen=True)
class Timeline:
    """The segments of one clip."""

    clip: str
    segments: list[Segment]


@dataclass(frozen=True)
class TimelineJob:
    """A job for workers: find the segments of recordings."""

    model: Model
    allow_unknown: bool = True
    choice: SoundChoice = USUAL

    @property
    def window_seconds(self) -> float:
        """What is scored at once."""
        return min(WINDOW_SECONDS, self.model.renderer.settings.chunk_seconds)

    def split(self, path: Path) -> Generator[tuple[Path, Chunk], None, None]:
        """The windows of a recording."""
        if path.suffix.lower() in SUFFIXES:
            raise UnusableInput(path, "is a picture; a timeline needs the recording")
        window = self.window_seconds
        for chunk in read_chunks(path, PictureSettings(window, window - window / STEPS_A_WINDOW), self.choice):
            yield path, chunk

    def map(self, part: tuple[Path, Chunk]) -> ChunkScores:
        """The scores of a window."""
        path, chunk = part
        return score_chunk(chunk, path, self.model)

    def reduce(self, path: Path, found: list[ChunkScores]) -> Timeline:
        """The segments, in order, without gaps."""
        step = self.window_seconds / STEPS_A_WINDOW
        return Timeline(str(path), _find_segments(found, step, self.model, self.allow_unknown))


def _find_segments(windows: list[ChunkScores], step: float, model: Model, allow_unknown: bool) -> list[Segment]:
    scores = np.array([window.scores for window in windows])
    evidence = np.maximum(scores, SMALLEST_SCORE)
    if allow_unknown:
        limit = model.thresholds.max_distance
        outlier = np.array([not window.has_signal or window.distance > limit for window in windows])
        evidence[outlier] = SMALLEST_SCORE
        # The square, since over many windows what counts is the mean of logarithms, which a few low scores pull down.
        doubt = np.where(outlier, 1.0, model.thresholds.min_score**2)
        evidence = np.column_stack([evidence, doubt])
        scores = np.column_stack([scores, scores.max(axis=1)])
    # Windows overlap: a moment is heard STEPS_A_WINDOW times.
    spread = np.ones(STEPS_A_WINDOW) / STEPS_A_WINDOW
    cells = len(scores) + STEPS_A_WINDOW - 1
    heard = np.convolve(np.ones(len(scores)), spread)[:, None]
    smooth = np.stack([np.convolve(column, spread) for column in np.log(evidence).T], axis=1) / heard
    cell_scores = np.stack([np.convolve(column, spread) for column in scores.T], axis=1) / heard
    states = _likeliest(smooth * NEWS_IN_STEP, step / TYPICAL_SECONDS)
    labels = [*model.labels, UNKNOWN]
    borders = [0, *(np.flatnonzero(np.diff(states)) + 1).tolist(), cells]
    total = max(window.end_seconds for window in windows)
    return [
        Segment(
            min(first * step, total),
            total if last == cells else min(last * step, total),
            labels[states[first]],
            float(cell_scores[first:last, states[first]].mean()),
        )
        for first, last in itertools.pairwise(borders)
        if first * step < total
    ]


def _likeliest(log_likelihoods: np.ndarray, change_probability: float) -> np.ndarray:
    """The likeliest sequence of states. log_likelihoods: moments x states."""
    states = log_likelihoods.shape[1]
    stay = math.log1p(-min(change_probability, 0.5))
    change = math.log(change_probability / max(1, states - 1))
    moves = np.full((states, states), change)
    np.fill_diagonal(moves, stay)
    best = log_likelihoods[0]
    came_from = np.zeros(log_likelihoods.shape, np.intp)
    for moment in range(1, len(log_likelihoods)):
        options = best[:, None] + moves
        came_from[moment] = options.argmax(axis=0)
        best = options.max(axis=0) + log_likelihoods[moment]
    found = np.empty(len(log_likelihoods), np.intp)
    found[-1] = best.argmax()
    for moment in range(len(log_likelihoods) - 1, 0, -1):
        found[moment - 1] = came_from[moment, found[moment]]
    return found
