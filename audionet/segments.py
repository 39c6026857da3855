"""A clip of several sounds -> which class is heard when.

Short windows that overlap are scored one by one; then the sequence of classes is sought that explains all scores best
when changes are rare (Viterbi, 1967).
"""

import itertools
import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from audionet import pictures
from audionet.calibration import comparable
from audionet.chunks import cut
from audionet.clips import UNKNOWN
from audionet.errors import UnusableInput
from audionet.ffmpeg import decode
from audionet.model import Model
from audionet.pictures import Origin
from audionet.settings import MINIMUM_SECONDS, PictureSettings

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


@dataclass(frozen=True)
class Timeline:
    """The segments of one clip."""

    clip: str
    segments: list[Segment]


def find_segments(path: Path, model: Model, allow_unknown: bool = True) -> list[Segment]:
    """The segments of a recording, in order, without gaps. Raises UnusableInput."""
    painter = model.painter
    window = min(WINDOW_SECONDS, painter.settings.chunk_seconds)
    step = window / STEPS_A_WINDOW
    rows, ends = [], [0.0]
    for chunk in cut(decode(path), PictureSettings(window, window - step)):
        jpg = pictures.encode(painter.paint(chunk.samples), Origin(painter.fingerprint, 0, chunk.seconds))
        picture, _ = pictures.decode(jpg, path)
        scores, distance = model.score(picture)
        share = min(1.0, chunk.seconds / painter.settings.chunk_seconds)
        is_strange = not picture.any() or comparable(distance, share) > model.familiarity.longest_distance
        rows.append([*scores.tolist(), float(is_strange)])
        ends.append(chunk.start_seconds + chunk.seconds)
    if not rows:
        raise UnusableInput(path, f"is shorter than {MINIMUM_SECONDS:g} seconds")
    table = np.array(rows)
    scores = table[:, :-1]
    evidence = np.maximum(scores, SMALLEST_SCORE)
    if allow_unknown:
        strange = table[:, -1] > 0
        evidence[strange] = SMALLEST_SCORE
        # The square, since over many windows what counts is the mean of logarithms, which a few low scores pull down.
        doubt = np.where(strange, 1.0, model.familiarity.lowest_score**2)
        evidence = np.column_stack([evidence, doubt])
        scores = np.column_stack([scores, scores.max(axis=1)])
    # Windows overlap: a moment is heard STEPS_A_WINDOW times.
    spread = np.ones(STEPS_A_WINDOW) / STEPS_A_WINDOW
    cells = len(table) + STEPS_A_WINDOW - 1
    heard = np.convolve(np.ones(len(table)), spread)[:, None]
    smooth = np.stack([np.convolve(column, spread) for column in np.log(evidence).T], axis=1) / heard
    cell_scores = np.stack([np.convolve(column, spread) for column in scores.T], axis=1) / heard
    states = _likeliest(smooth * NEWS_IN_STEP, step / TYPICAL_SECONDS)
    labels = [*model.labels, UNKNOWN]
    borders = [0, *(np.flatnonzero(np.diff(states)) + 1).tolist(), cells]
    total = max(ends)
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
