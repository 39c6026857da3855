"""A clip of several sounds -> which class is heard when.

Short windows that overlap are scored one by one; then the sequence of classes is sought that explains all scores best
when a change costs something (Viterbi, 1967).
"""

import bisect
import functools
import itertools
import math
from collections.abc import Generator, Iterable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from audionet.annotation.parts import ROUNDING_SECONDS, without
from audionet.audio.chunks import Strip
from audionet.dataset.names import UNKNOWN
from audionet.detection.mixtures import LONGEST_CALL_SECONDS
from audionet.detection.pauses import are_pauses
from audionet.inference.events import EventsJob
from audionet.inference.scoring import ModelJob, WindowScores
from audionet.inference.windows import (
    STEPS_A_WINDOW,
    WINDOW_SECONDS,
    Segment,
    Timeline,
    WindowsJob,
    per_step,
    split_for,
    step_seconds,
)
from audionet.model.bundle import Model
from audionet.spectrogram.augmentation import LONG_CHUNK_SECONDS
from audionet.spectrogram.steady_noise import highest_around
from audionet.system.grouping import grouped
from audionet.training.unknown import RejectionThresholds

# All evidence and costs are in logarithms of probabilities, of a window. A change must be worth so much: a call that a
# window or two hear, three times as likely as what is around it. A window that spans a change is a mixture of two
# classes, each of which it scores half, so that it says little against either of them, and is no stranger to the model.
CHANGE_COST = 0.5
SMALLEST_SCORE = 1e-3  # one window must not rule a class out
# Unknown needs lasting evidence, that is a change which costs more, and no window counts for much alone.
UNKNOWN_COST = 10 / 3
MOST_UNKNOWN = 1.5
# A window says less, the less of it sounds, if that is less than half. After a pause, somebody else may speak: there a
# change costs nothing, and to stay unknown as much as a change does. What is silent all through is unknown.
CERTAIN_SHARE, PAUSE_SHARE, SILENT_SHARE = 0.5, 1 / 3, 0.05
DISTANCE_WEIGHT = 6.0  # of how much farther than the strange distance a window lies, as a share of it
# How well windows of learnt voices fit their class is hardly ever farther below what is usual for long, in standard
# deviations; each deviation counts so much (docs/experiments.md). A window that spans a change fits no class, but one
# of those around it does. What is usual in chunks of 20 seconds says little about windows; in parts of them, it does.
RARE_FIT, FIT_WEIGHT = -1.0, 0.5
# What is left of steady noise moves windows too. Where it is so loud, beside the loudest moment around, what is strange
# begins so many times as far away, and such a fit is rare; what is louder still is the sound (docs/experiments.md).
NOISY_DB = (-36.0, -31.0, -25.0, -20.0)
STRANGE_IN_NOISE = (1.0, 1.2, 1.2, 1.0)
RARE_FIT_IN_NOISE = (RARE_FIT, -1.5, -1.5, RARE_FIT)
FAMILIAR_LIMIT = -4.0
SMALLEST_DISTANCE = 1e-9
# Times the usual distance of the training. In strips, new utterances of known readers lay at .7 to 1.3 of it, other
# voices, rain, surf and noise at 2 to 6; in windows that are drawn as short clips, at .6 to 1 and at 1.05 to 3
# (docs/experiments.md).
STRANGE_IN_STRIPS, STRANGE_IN_WINDOWS = 1.5, 1.0
OLD_FAR_MARGIN = 1.6  # times the farthest of the training, the limit of models that do not know the usual distance
# A call at its longest, and the window that hears its end.
SHORT_SECONDS = LONGEST_CALL_SECONDS + WINDOW_SECONDS


class TimelineJob(ModelJob):
    """A job for workers: find the segments of recordings.

    Where the network has scores of the events of a background, they are laid into what the segments leave to it.
    """

    @functools.cached_property
    def windows(self) -> WindowsJob:
        """What scores the windows."""
        return WindowsJob(self.model, self.allow_unknown, self.choice)

    @functools.cached_property
    def events(self) -> EventsJob | None:
        """What finds the events; None where the network has no scores of events."""
        events = EventsJob(self.model, self.allow_unknown, self.choice)
        return events if events.windows.of_events else None

    def split(self, path: Path) -> Generator[tuple[bool, Strip], None, None]:
        """The strips of a recording, with False; and among them those in which events are looked for, with True."""
        jobs = [self.windows] if self.events is None else [self.windows, self.events.windows]
        for number, strip in split_for(jobs, path):
            yield number == 1, strip

    def map(self, path: Path, part: tuple[bool, Strip]) -> tuple[bool, WindowScores]:
        """The scores of the windows of a strip, and whether they are those of events."""
        of_events, strip = part
        job = self.events if of_events and self.events is not None else self.windows
        return of_events, job.map(path, strip)

    def reduce(self, path: Path, scored: list[tuple[bool, WindowScores]]) -> Timeline:
        """The segments, in order, without gaps."""
        scores = grouped(scored)
        windows = self.windows.reduce(path, scores[False])
        limit = strange_distance(self.model.thresholds, by_strips=self.windows.scorer is not None)
        segments = find_segments(windows.windows, self.model, self.allow_unknown, limit)
        if self.events is not None and self.model.detection is not None:
            events = self.events.reduce(path, scores[True]).segments
            background = {*self.model.detection.background, UNKNOWN}
            segments = lay_in(events, without_calls(segments, background), background)
        return Timeline(str(path), segments, windows.seconds, windows.sample_rate_hz)


def without_calls(segments: Sequence[Segment], background: set[str]) -> list[Segment]:
    """Segments, in order and without gaps, with those given to the background that are short and lie alone in it.

    What they were is told by events, and better.
    """
    left: list[Segment] = []
    for n, segment in enumerate(segments):
        around = [*segments[max(0, n - 1) : n], *segments[n + 1 : n + 2]]
        is_alone = around and all(neighbour.label in background for neighbour in around)
        if is_alone and segment.part.seconds < SHORT_SECONDS:
            segment = replace(segment, label=around[0].label, score=around[0].score, scores=around[0].scores)
        if left and left[-1].label == segment.label:
            segment = replace(left.pop(), end_seconds=segment.end_seconds)
        left.append(segment)
    return left


def lay_in(events: Iterable[Segment], segments: Sequence[Segment], background: set[str]) -> list[Segment]:
    """Segments, in order and without gaps, with events in those of the background.

    An event that reaches into a segment of another class is left out: that class is heard there for longer.
    """
    ends_seconds = [segment.end_seconds for segment in segments]
    laid_in: list[Segment] = []
    covered_by: list[list[Segment]] = [[] for _ in segments]
    for event in sorted(events, key=lambda event: event.start_seconds):
        start_seconds = max(event.start_seconds, laid_in[-1].end_seconds if laid_in else 0.0)
        first = bisect.bisect_right(ends_seconds, start_seconds)
        last = bisect.bisect_left(ends_seconds, event.end_seconds)
        touched = range(first, min(last + 1, len(segments)))
        if start_seconds < event.end_seconds and all(segments[n].label in background for n in touched):
            laid_in.append(replace(event, start_seconds=start_seconds))
            for n in touched:
                covered_by[n].append(laid_in[-1])
    left = [
        replace(segment, start_seconds=part.start_seconds, end_seconds=part.end_seconds)
        for segment, covering in zip(segments, covered_by, strict=True)
        for part in without([segment.part], [event.part for event in covering], 2 * ROUNDING_SECONDS)
    ]
    return sorted([*laid_in, *left], key=lambda segment: segment.start_seconds)


def strange_distance(thresholds: RejectionThresholds, by_strips: bool) -> float:
    """What lies on average farther away than this, for long, is of none of the classes."""
    if thresholds.usual_distance is None:
        return thresholds.max_distance / OLD_FAR_MARGIN
    return thresholds.usual_distance * (STRANGE_IN_STRIPS if by_strips else STRANGE_IN_WINDOWS)


def find_segments(windows: WindowScores, model: Model, allow_unknown: bool, strange_distance: float) -> list[Segment]:
    """The segments of a clip from the scores of its windows, in order, without gaps.

    strange_distance: sound that lies on average farther from the training, for long, is unknown.
    """
    scores = windows.scores.astype(np.float64)
    evidence = np.log(np.maximum(scores, SMALLEST_SCORE))
    if allow_unknown:
        evidence = np.column_stack([evidence, _strangeness(windows, model, strange_distance)])
        scores = np.column_stack([scores, scores.max(axis=1)])
    sounding = _sounding_shares(windows, model)
    # Each window hears STEPS_A_WINDOW steps, what is in its middle best.
    evidence = per_step(evidence * np.minimum(1, sounding / CERTAIN_SHARE)[:, None]) / STEPS_A_WINDOW
    costs = np.full(evidence.shape, CHANGE_COST)
    in_pause = _heard_by(sounding < PAUSE_SHARE)
    costs[in_pause] = 0
    if allow_unknown:
        costs[:, -1] = UNKNOWN_COST
        evidence[np.diff(in_pause, prepend=False) & in_pause, -1] -= CHANGE_COST
    states = _likeliest(evidence, costs)
    if allow_unknown:
        states[_heard_by(sounding < SILENT_SHARE)] = len(model.labels)
    step_scores = per_step(scores)
    labels, step = [*model.labels, UNKNOWN], step_seconds(model)
    borders = [0, *(np.flatnonzero(np.diff(states)) + 1).tolist(), len(states)]
    total = float(windows.end_seconds.max())
    return [
        Segment(
            first * step,
            total if last == len(states) else min(last * step, total),
            labels[states[first]],
            float(step_scores[first:last, states[first]].mean()),
            step_scores[first:last, : len(model.labels)].mean(axis=0).tolist(),
        )
        for first, last in itertools.pairwise(borders)
        if first * step < total
    ]


def _sounding_shares(windows: WindowScores, model: Model) -> np.ndarray:
    """How much of each window sounds, 0 to 1: nothing in a pause. Where there is a background, it sounds in pauses."""
    shares = windows.sounding_seconds / windows.seconds * windows.has_signal
    if model.detection is None:
        shares[are_pauses(windows.level_db, 1 / step_seconds(model))] = 0
    return shares


def _strangeness(windows: WindowScores, model: Model, strange_distance: float) -> np.ndarray:
    """The evidence of each window for none of the classes."""
    strange_distances = np.interp(windows.noise_db, NOISY_DB, STRANGE_IN_NOISE) * strange_distance
    unlike = DISTANCE_WEIGHT * (windows.distance / np.maximum(strange_distances, SMALLEST_DISTANCE) - 1)
    # Where there is a background, what fits no class is mostly that.
    known = model.thresholds.typicality if model.detection is None else None
    if known is not None and (known.part_logs or model.settings.chunk_seconds < LONG_CHUNK_SECONDS):
        fit = known.fit_of_windows(windows.scores)
        best = highest_around(fit, STEPS_A_WINDOW - 1)
        rare = np.interp(windows.noise_db, NOISY_DB, RARE_FIT_IN_NOISE)
        unlike = np.maximum(unlike, FIT_WEIGHT * (rare - best))
    doubt = math.log(max(model.thresholds.min_score, SMALLEST_SCORE))
    return np.asarray(doubt + np.clip(unlike, FAMILIAR_LIMIT, MOST_UNKNOWN))


def _heard_by(are_so: np.ndarray) -> np.ndarray:
    """Which steps are heard by any of the windows that are so."""
    return np.convolve(are_so, np.ones(STEPS_A_WINDOW)) > 0


def _likeliest(evidence: np.ndarray, costs: np.ndarray) -> np.ndarray:
    """The sequence of states with most evidence. evidence, and costs of a change to each state: moments x states."""
    best = evidence[0] - costs[0]  # to begin as unknown needs as much as to become it
    came_from = np.empty(evidence.shape, np.min_scalar_type(evidence.shape[1]))
    stay = np.arange(evidence.shape[1])
    for moment in range(1, len(evidence)):
        changed = best.max() - costs[moment]
        came_from[moment] = np.where(changed > best, best.argmax(), stay)
        best = np.maximum(changed, best) + evidence[moment]
    path = np.empty(len(evidence), np.intp)
    path[-1] = best.argmax()
    for moment in range(len(evidence) - 1, 0, -1):
        path[moment - 1] = came_from[moment, path[moment]]
    return path
