"""A clip of several sounds -> which class is heard when.

Short windows that overlap are scored one by one; then the sequence of classes is sought that explains all scores best
when a change costs something (Viterbi, 1967).
"""

import functools
import itertools
import math
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from audionet.audio.channels import USUAL
from audionet.audio.chunks import Chunk, Strip
from audionet.dataset.names import UNKNOWN
from audionet.inference.scoring import ChunkScores
from audionet.inference.windows import STEPS_A_WINDOW, Segment, WindowsJob, step_seconds
from audionet.model.bundle import Model
from audionet.settings import SAMPLE_RATE_HZ, SoundChoice
from audionet.training.unknown import FAR_MARGIN, RejectionThresholds

# All evidence and costs are in logarithms of probabilities, of a window. A change must be worth so much: a call that a
# window or two hear, three times as likely as what is around it. A window that spans a change is a mixture of two
# classes, each of which it scores half, so that it says little against either of them, and is no stranger to the model.
CHANGE_COST = 0.5
SMALLEST_SCORE = 1e-3  # one window must not rule a class out
# Unknown needs lasting evidence, that is a change which costs more, and no window counts for much alone.
UNKNOWN_COST = 10 / 3
MOST_UNKNOWN = 1.5
DISTANCE_WEIGHT = 6.0  # of how much farther than the strange distance a window lies, as a share of it
FAMILIAR_LIMIT = -4.0
SMALLEST_DISTANCE = 1e-9
# Times the usual distance of the training. In strips, new utterances of known readers lay at .7 to 1.3 of it, other
# voices, rain, surf and noise at 2 to 6; in windows that are drawn as short clips, at .6 to 1 and at 1.05 to 3
# (docs/experiments.md).
STRANGE_IN_STRIPS, STRANGE_IN_WINDOWS = 1.5, 1.0


@dataclass(frozen=True)
class Timeline:
    """The segments of one clip, which is so many seconds long. sample_rate_hz: of the sound that was heard."""

    clip: str
    segments: list[Segment]
    seconds: float
    sample_rate_hz: int = SAMPLE_RATE_HZ


@dataclass(frozen=True)
class TimelineJob:
    """A job for workers: find the segments of recordings."""

    model: Model
    allow_unknown: bool = True
    choice: SoundChoice = USUAL

    @functools.cached_property
    def windows(self) -> WindowsJob:
        """What scores the windows."""
        return WindowsJob(self.model, self.choice)

    def split(self, path: Path) -> Generator[tuple[Path, Chunk | Strip], None, None]:
        """The strips, or windows, of a recording."""
        return self.windows.split(path)

    def map(self, part: tuple[Path, Chunk | Strip]) -> list[ChunkScores]:
        """The scores of the windows in it."""
        return self.windows.map(part)

    def reduce(self, path: Path, scored: list[list[ChunkScores]]) -> Timeline:
        """The segments, in order, without gaps."""
        heard = self.windows.reduce(path, scored)
        limit = strange_distance(self.model.thresholds, by_strips=self.windows.scorer is not None)
        segments = find_segments(heard.windows, self.model, self.allow_unknown, limit)
        return Timeline(str(path), segments, heard.seconds, heard.sample_rate_hz)


def strange_distance(thresholds: RejectionThresholds, by_strips: bool) -> float:
    """What lies on average farther away than this, for long, is of none of the classes."""
    if thresholds.usual_distance is None:
        return thresholds.max_distance / FAR_MARGIN
    return thresholds.usual_distance * (STRANGE_IN_STRIPS if by_strips else STRANGE_IN_WINDOWS)


def find_segments(
    windows: list[ChunkScores], model: Model, allow_unknown: bool, strange_distance: float
) -> list[Segment]:
    """The segments of a clip from the scores of its windows, in order, without gaps.

    strange_distance: sound that lies on average farther from the training, for long, is unknown.
    """
    scores = np.array([window.scores for window in windows], float)
    evidence = np.log(np.maximum(scores, SMALLEST_SCORE))
    costs = np.full(len(model.labels), CHANGE_COST)
    if allow_unknown:
        evidence = np.column_stack([evidence, _strangeness(windows, model, strange_distance)])
        evidence[[not window.has_signal for window in windows], :-1] = math.log(SMALLEST_SCORE)
        scores = np.column_stack([scores, scores.max(axis=1)])
        costs = np.append(costs, UNKNOWN_COST)
    # Each window hears STEPS_A_WINDOW steps, what is in its middle best.
    states = _likeliest(per_step(evidence) / STEPS_A_WINDOW, costs)
    step_scores = per_step(scores)
    labels, step = [*model.labels, UNKNOWN], step_seconds(model)
    borders = [0, *(np.flatnonzero(np.diff(states)) + 1).tolist(), len(states)]
    total = max(window.end_seconds for window in windows)
    return [
        Segment(
            first * step,
            total if last == len(states) else min(last * step, total),
            labels[states[first]],
            float(step_scores[first:last, states[first]].mean()),
        )
        for first, last in itertools.pairwise(borders)
        if first * step < total
    ]


def per_step(windows: np.ndarray) -> np.ndarray:
    """Of each step of a clip the mean of the windows that hear it, weighted by how near to their middle it lies.

    windows: windows x values. What comes back: steps x values.
    """
    weights = np.minimum(np.arange(1, STEPS_A_WINDOW + 1), np.arange(STEPS_A_WINDOW, 0, -1)).astype(float)
    heard = np.convolve(np.ones(len(windows)), weights)[:, None]
    return np.stack([np.convolve(column, weights) for column in windows.T], axis=1) / heard


def _strangeness(windows: list[ChunkScores], model: Model, strange_distance: float) -> np.ndarray:
    """The evidence of each window for none of the classes."""
    limit = max(strange_distance, SMALLEST_DISTANCE)
    far = np.array([window.distance / limit - 1 for window in windows])
    doubt = math.log(max(model.thresholds.min_score, SMALLEST_SCORE))
    strange = doubt + np.clip(DISTANCE_WEIGHT * far, FAMILIAR_LIMIT, MOST_UNKNOWN)
    return np.where([window.has_signal for window in windows], strange, MOST_UNKNOWN)


def _likeliest(evidence: np.ndarray, costs: np.ndarray) -> np.ndarray:
    """The sequence of states with most evidence. evidence: moments x states; costs: of a change to each state."""
    best = evidence[0] - costs  # to begin as unknown needs as much as to become it
    came_from = np.empty(evidence.shape, np.min_scalar_type(evidence.shape[1]))
    stay = np.arange(evidence.shape[1])
    for moment in range(1, len(evidence)):
        changed = best.max() - costs
        came_from[moment] = np.where(changed > best, best.argmax(), stay)
        best = np.maximum(changed, best) + evidence[moment]
    path = np.empty(len(evidence), np.intp)
    path[-1] = best.argmax()
    for moment in range(len(evidence) - 1, 0, -1):
        path[moment - 1] = came_from[moment, path[moment]]
    return path
