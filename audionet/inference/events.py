"""A long recording -> what stands out of its background, or of nothing: when, which class, with which score."""

import functools
from collections.abc import Generator, Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import NamedTuple

import numpy as np

from audionet.audio.chunks import Strip
from audionet.detection.background import background_classes
from audionet.detection.detector import STEPS_A_WINDOW
from audionet.detection.mixtures import runs
from audionet.detection.rises import Rise
from audionet.inference.scoring import ModelJob, WindowScores
from audionet.inference.windows import Segment, Timeline, WindowsJob, per_step, step_seconds
from audionet.model.bundle import Model
from audionet.model.description import LearntEvents
from audionet.options import EventOptions
from audionet.system.grouping import grouped

# The score that an event needs where the model does not say how low those of its own classes are.
USUAL_THRESHOLD = 0.5
# An event that has been noticed goes on while its class scores at least this share of the threshold.
LASTING = 0.6
# Its borders are where its class crosses this share of its highest score: of calls of 1.5 s, within 0.4 s (median 0.2).
BORDER = 0.65
MARGIN_WINDOWS = 2
# What a class scores in most of so much time around is its score in this background, and stands out of nothing.
USUAL_SECONDS, USUAL_EVERY_SECONDS = 30.0, 5.0


@dataclass(frozen=True)
class Events(Timeline):
    """What was heard in one clip, in order; between the events, the background or nothing."""


@dataclass(frozen=True)
class EventsJob(ModelJob):
    """A job for workers: find the events of recordings.

    Of each window, the scores alone are kept, so that memory hardly grows with a recording's length.
    """

    options: EventOptions = field(default_factory=EventOptions)

    @functools.cached_property
    def windows(self) -> WindowsJob:
        """What scores the windows: each class against the rest, where the model has learnt that and its network says
        it (a TensorFlow graph does not), else as those of timelines."""
        learnt = WindowsJob(self.model, choice=self.choice, of_events=True)
        return learnt if self.model.detection and learnt.scorer else replace(learnt, of_events=False)

    def thresholds(self) -> dict[str, float]:
        """The score that an event of each class needs; less is enough where it rises out of the sound around."""
        learnt = self.model.detection if self.windows.of_events else None
        return {
            label: learnt.thresholds[number] if learnt else _usual_threshold(self.model, number)
            for number, label in enumerate(self.model.labels)
        }

    def split(self, path: Path) -> Generator[Strip, None, None]:
        """The strips of a recording."""
        return self.windows.split(path)

    def map(self, path: Path, strip: Strip) -> WindowScores:
        """The scores of the windows of a strip."""
        return self.windows.map(path, strip)

    def reduce(self, path: Path, scored: list[WindowScores]) -> Events:
        """The events, in order."""
        heard, detection = self.windows.reduce(path, scored), self.model.detection
        if detection and self.windows.of_events:
            events = find_learnt_events(heard.windows, self.model.labels, detection, self.options)
        else:
            events = find_events(heard.windows, self.model, self.options, self.allow_unknown)
        return Events(str(path), events, heard.seconds, heard.sample_rate_hz)


def find_events(
    windows: WindowScores, model: Model, options: EventOptions, allow_unknown: bool = True
) -> list[Segment]:
    """The events of a clip from the scores of its windows.

    An event lasts while its class scores higher than all others that are heard at the time, and at least LASTING of the
    threshold and BORDER of its own highest score, which reaches the threshold and is the event's score.
    """
    learnt = model.detection.background if model.detection else ()
    background = background_classes(model.labels, options.background or learnt)
    scores, silent = windows.scores.astype(np.float64), ~windows.has_signal
    if allow_unknown:
        silent |= windows.distance > model.thresholds.max_distance
    scores[silent] = 0
    heard = per_step(scores)
    best = heard.argmax(axis=1)
    step, total = step_seconds(model), float(windows.end_seconds.max())
    by_class: list[list[Segment]] = []
    for number, label in enumerate(model.labels):
        if label in background:
            continue
        of_class, threshold = [], _usual_threshold(model, number)
        for first, last in runs((best == number) & (heard[:, number] >= LASTING * threshold), 0):
            peak = first + int(heard[first:last, number].argmax())
            score = float(heard[peak, number])
            level = max(LASTING * threshold, BORDER * score)
            start = step * _crossing(heard[:, number], first, level)
            end = min(step * (len(heard) - _crossing(heard[::-1, number], len(heard) - last, level)), total)
            if score >= threshold and start < end:
                of_class.append(Segment(start, end, label, score, heard[peak].tolist()))
        by_class.append(of_class)
    return _chosen(by_class, options)


def _usual_threshold(model: Model, number: int) -> float:
    return model.thresholds_of(number).min_score or USUAL_THRESHOLD


def find_learnt_events(
    windows: WindowScores, labels: Sequence[str], detection: LearntEvents, options: EventOptions
) -> list[Segment]:
    """The events of a clip from scores of each class against the rest, the surest first.

    Scores are counted from what the class usually scores around; rain that crackles a little has no fire in it.
    An event is where a class scores higher than any other and than its threshold; a share of that is enough where
    something rises out of the sound around. It goes on to both sides as long as the class scores at least BORDER of the
    highest, and no other may begin within MARGIN_WINDOWS of it. Its borders are drawn towards those of what rises.
    """
    background = background_classes(labels, options.background or detection.background)
    classes = [number for number, label in enumerate(labels) if label not in background]
    scores = np.where(windows.has_signal[:, None], windows.scores, 0)
    middles, has_rise = windows.start_seconds + windows.seconds / 2, ~np.isnan(windows.rise[:, 0])
    begins, ends = float(windows.start_seconds[0]), float(windows.end_seconds[-1])
    scores -= _usual(scores, middles, np.array(detection.thresholds))
    best = np.array(classes)[scores[:, classes].argmax(axis=1)]
    highest = scores[np.arange(len(scores)), best]
    is_taken = np.zeros(len(scores), bool)
    peaks: list[_Peak] = []
    for peak in np.argsort(-highest, kind="stable").tolist():
        number, score = int(best[peak]), float(highest[peak])
        if is_taken[peak] or score < detection.needed(number, bool(has_rise[peak])):
            continue
        column, level = scores[:, number], BORDER * score
        first, last = _extent(column, is_taken, peak, level)
        start = begins if first == 0 else _between(middles, column, first, first - 1, level)
        end = ends if last == len(scores) - 1 else _between(middles, column, last, last + 1, level)
        is_taken[max(0, first - MARGIN_WINDOWS) : last + 1 + MARGIN_WINDOWS] = True
        of_classes = np.zeros(len(labels))
        of_classes[classes] = np.maximum(scores[peak, classes], 0)
        event = Segment(start, end, labels[number], score, of_classes.tolist())
        heard = slice(first, last + 1)
        rises = [Rise(*rise) for rise in windows.rise[heard][has_rise[heard]].tolist()]
        peaks.append(_Peak(event, rises, float(windows.seconds[first])))
    return _chosen(grouped((event.label, event) for event in _drawn_to_rises(peaks)).values(), options)


def _extent(scores: np.ndarray, is_taken: np.ndarray, peak: int, level: float) -> tuple[int, int]:
    """The first and the last of the windows around a peak that score so much at least, and are no other event's."""
    first, last = peak, peak
    while first > 0 and not is_taken[first - 1] and scores[first - 1] >= level:
        first -= 1
    while last < len(scores) - 1 and not is_taken[last + 1] and scores[last + 1] >= level:
        last += 1
    return first, last


class _Peak(NamedTuple):
    """An event, what rises in the windows in which it was heard, and how long these are."""

    event: Segment
    rises: list[Rise]
    window_seconds: float


def _drawn_to_rises(peaks: Iterable[_Peak]) -> list[Segment]:
    """Events with their borders half-way to those of what rises highest in their windows, if anything does, in order.

    Windows blur the borders of scores; and of what rises, a faint beginning or end is lost in the background. They move
    by a window's step at most, and not into other events; and not where a border of the one is more than a window from
    that of the other, since a short rise within a long event says nothing about where that ends.
    """
    in_order = sorted(peaks, key=lambda peak: peak.event.start_seconds)
    drawn: list[Segment] = []
    for n, (event, rises, seconds) in enumerate(in_order):
        start, end = event.start_seconds, event.end_seconds
        if rises:
            rise = max(rises)
            later, longer, most = rise.start_seconds - start, rise.end_seconds - end, seconds / STEPS_A_WINDOW
            if max(abs(later), abs(longer)) <= seconds:
                start += max(-most, min(most, later / 2))
                end += max(-most, min(most, longer / 2))
        if drawn:
            start = max(start, drawn[-1].end_seconds)
        if n + 1 < len(in_order):
            end = min(end, in_order[n + 1].event.start_seconds)
        drawn.append(replace(event, start_seconds=start, end_seconds=end))
    return drawn


def _usual(scores: np.ndarray, middles: np.ndarray, thresholds: np.ndarray) -> np.ndarray:
    """What each class scores in most of USUAL_SECONDS around each window: windows x classes.

    0 where that is less, and where it reaches the class's threshold: what lasts so long is heard all the time.
    """
    usual = np.empty(scores.shape)
    for start in np.arange(middles[0], middles[-1] + USUAL_EVERY_SECONDS, USUAL_EVERY_SECONDS):
        inside = np.searchsorted(middles, [start, start + USUAL_EVERY_SECONDS])
        middle = start + USUAL_EVERY_SECONDS / 2
        around = np.searchsorted(middles, [middle - USUAL_SECONDS / 2, middle + USUAL_SECONDS / 2])
        usual[slice(*inside)] = np.median(scores[slice(*around)], axis=0)
    return np.asarray(np.where(usual < thresholds, np.maximum(usual, 0), 0))


def _between(middles: np.ndarray, scores: np.ndarray, inside: int, outside: int, level: float) -> float:
    """When the score crosses the level between two windows, as if it changed evenly."""
    if scores[outside] >= level:  # the next event's
        return float(middles[inside] + middles[outside]) / 2
    share = (scores[inside] - level) / (scores[inside] - scores[outside])
    return float(middles[inside] + share * (middles[outside] - middles[inside]))


def _crossing(scores: np.ndarray, first: int, level: float) -> float:
    """Where, in steps, scores that from `first` on are those of an event cross a level: between the middles of two
    steps, as if they rose evenly."""
    first += int(np.argmax(scores[first:] >= level))
    before = float(scores[first - 1]) if first else level
    if before >= level:
        return float(first)
    return first - 0.5 + (level - before) / (float(scores[first]) - before)


def _chosen(by_class: Iterable[list[Segment]], options: EventOptions) -> list[Segment]:
    """The events of all classes in order, merged and of a length as the options have it."""
    in_order = [sorted(events, key=lambda event: event.start_seconds) for events in by_class]
    events = [event for events in in_order for event in _merged(events, options.merge_gap_seconds)]
    events = [event for event in events if event.part.seconds >= options.min_seconds]
    return sorted(events, key=lambda event: (event.start_seconds, event.label))


def _merged(events: list[Segment], gap_seconds: float) -> list[Segment]:
    """The events of a class, in order, those with at most so much between them as one."""
    merged: list[Segment] = []
    for event in events:
        if merged and event.start_seconds - merged[-1].end_seconds <= gap_seconds:
            before = merged.pop()
            surer = max(before, event, key=lambda event: event.score)
            event = replace(surer, start_seconds=before.start_seconds, end_seconds=event.end_seconds)
        merged.append(event)
    return merged
