"""A long recording -> what stands out of its background, or of nothing: when, which class, with which score."""

import functools
import unicodedata
from collections.abc import Generator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from audionet.audio.channels import USUAL
from audionet.audio.chunks import Chunk, Strip
from audionet.errors import AudionetError
from audionet.inference.scoring import ChunkScores
from audionet.inference.timeline import Timeline, per_step
from audionet.inference.windows import Segment, WindowsJob, step_seconds
from audionet.model.bundle import Model
from audionet.options import EventOptions
from audionet.settings import SoundChoice
from audionet.system.text import did_you_mean

BACKGROUND_NAMES = ("background", "noise")  # classes of these names are the background unless others are named
# The score that an event needs where the model does not say how low those of its own classes are.
USUAL_THRESHOLD = 0.5
# An event that has been noticed goes on while its class scores at least this share of the threshold.
LASTING = 0.6
# Its borders are where its class crosses this share of its highest score: of calls of 1.5 s, within 0.4 s (median 0.2).
BORDER = 0.65


@dataclass(frozen=True)
class Events(Timeline):
    """What was heard in one clip, in order; between the events, the background or nothing."""


@dataclass(frozen=True)
class EventsJob:
    """A job for workers: find the events of recordings.

    Of each window, the scores alone are kept, so that memory hardly grows with a recording's length.
    """

    model: Model
    options: EventOptions
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

    def reduce(self, path: Path, scored: list[list[ChunkScores]]) -> Events:
        """The events, in order."""
        heard = self.windows.reduce(path, scored)
        events = find_events(heard.windows, self.model, self.options, self.allow_unknown)
        return Events(str(path), events, heard.seconds, heard.sample_rate_hz)


def background_classes(labels: Sequence[str], asked_for: Sequence[str] = ()) -> set[str]:
    """Which of the classes are the background. Raises AudionetError for a name that is no class's."""
    known = {unicodedata.normalize("NFC", label): label for label in labels}
    found = set()
    for name in asked_for:
        label = known.get(unicodedata.normalize("NFC", name))
        if label is None:
            like = did_you_mean(name, list(labels))
            raise AudionetError(
                f"--background {name}: the model has no such class (it knows {', '.join(labels)}){like}"
            )
        found.add(label)
    if not asked_for:
        found = {label for label in labels if label.casefold() in BACKGROUND_NAMES}
    if found == set(labels):
        raise AudionetError("--background: names all classes of the model; leave out those whose events you look for")
    return found


def find_events(
    windows: list[ChunkScores], model: Model, options: EventOptions, allow_unknown: bool = True
) -> list[Segment]:
    """The events of a clip from the scores of its windows.

    An event lasts while its class scores higher than all others that are heard at the time, and at least LASTING of the
    threshold and BORDER of its own highest score, which reaches the threshold and is the event's score.
    """
    background = background_classes(model.labels, options.background)
    threshold = model.thresholds.min_score or USUAL_THRESHOLD
    scores = np.array([window.scores for window in windows], float)
    silent = np.array([not window.has_signal for window in windows])
    if allow_unknown:
        silent |= np.array([window.distance > model.thresholds.max_distance for window in windows])
    scores[silent] = 0
    heard = per_step(scores)
    best = heard.argmax(axis=1)
    step, total = step_seconds(model), max(window.end_seconds for window in windows)
    events: list[Segment] = []
    for number, label in enumerate(model.labels):
        if label in background:
            continue
        found = []
        for first, last in _runs((best == number) & (heard[:, number] >= LASTING * threshold)):
            score = float(heard[first:last, number].max())
            level = max(LASTING * threshold, BORDER * score)
            start = step * _crossing(heard[:, number], first, level)
            end = min(step * (len(heard) - _crossing(heard[::-1, number], len(heard) - last, level)), total)
            if score >= threshold and start < end:
                found.append(Segment(start, end, label, score))
        events += _merged(found, options.merge_gap_seconds)
    events = [event for event in events if event.end_seconds - event.start_seconds >= options.min_seconds]
    return sorted(events, key=lambda event: (event.start_seconds, event.label))


def _crossing(scores: np.ndarray, first: int, level: float) -> float:
    """Where, in steps, scores that from `first` on are those of an event cross a level: between the middles of two
    steps, as if they rose evenly."""
    first += int(np.argmax(scores[first:] >= level))
    before = float(scores[first - 1]) if first else level
    if before >= level:
        return float(first)
    return first - 0.5 + (level - before) / (float(scores[first]) - before)


def _runs(marked: np.ndarray) -> list[tuple[int, int]]:
    """Where a run of True begins, and where it has ended."""
    borders = np.flatnonzero(np.diff(np.concatenate([[False], marked, [False]]).astype(np.int8)))
    return list(zip(borders[::2].tolist(), borders[1::2].tolist(), strict=True))


def _merged(events: list[Segment], gap_seconds: float) -> list[Segment]:
    """The events of a class, in order, those with at most so much between them as one."""
    merged: list[Segment] = []
    for event in events:
        if merged and event.start_seconds - merged[-1].end_seconds <= gap_seconds:
            before = merged.pop()
            event = replace(event, start_seconds=before.start_seconds, score=max(before.score, event.score))
        merged.append(event)
    return merged
