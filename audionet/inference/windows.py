"""A recording -> the scores of short windows that overlap: what timelines and events stand on."""

import functools
from collections.abc import Generator, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from audionet.audio.chunks import Part, Strip, StripSettings, read_strips
from audionet.bottleneck import maps
from audionet.dataset.names import UNKNOWN
from audionet.detection import detector
from audionet.errors import UnusableInput
from audionet.inference.scoring import ChunkScores, ModelJob, WindowScores, score_chunk, seconds_at_once, warn_of_range
from audionet.inference.strips import StripScorer
from audionet.model.bundle import Model
from audionet.settings import SAMPLE_RATE_HZ
from audionet.spectrogram.jpeg import SUFFIXES
from audionet.spectrogram.out_of_range import RangeCheck

# Or a chunk, if that is shorter. Of readers in turns of 1.5 to 14 s, windows of 1.5 s gave 97 % of the time the right
# voice, those of 2 and 3 s 95 % (docs/experiments.md).
WINDOW_SECONDS = 1.5
STEPS_A_WINDOW = 3


def window_seconds(model: Model, of_events: bool = False) -> float:
    """The length of a window. of_events: of one in which events are looked for."""
    usual = detector.WINDOW_SECONDS if of_events else WINDOW_SECONDS
    if model.sound is not None:
        return seconds_at_once(usual, model)
    return maps.window_seconds(usual, model.settings.chunk_seconds)


def step_seconds(model: Model) -> float:
    """From one window to the next."""
    return _step_samples(model) / model.settings.sample_rate_hz


def _step_samples(model: Model, of_events: bool = False) -> int:
    steps = detector.STEPS_A_WINDOW if of_events else STEPS_A_WINDOW
    return max(1, round(window_seconds(model, of_events) * model.settings.sample_rate_hz / steps))


@dataclass(frozen=True)
class Segment:
    """A stretch of a clip in which one class is heard; score is the mean of its windows' for the class.

    Of an unknown stretch it is the mean of their best.
    scores: of all the model's classes, in its order; of an event those of its surest moment, with 0 for the background
        where the model has learnt to tell events from it.
    """

    start_seconds: float
    end_seconds: float
    label: str
    score: float
    scores: Sequence[float] = field(default=(), compare=False, repr=False)

    @property
    def part(self) -> Part:
        """From when to when it lasts."""
        return Part(self.start_seconds, self.end_seconds)

    def to_json(self) -> dict[str, str | float]:
        """As plain values, for `label --format json`."""
        return {
            "start_seconds": self.start_seconds,
            "end_seconds": self.end_seconds,
            "label": self.label,
            "score": self.score,
        }


def in_tiers(segments: Iterable[Segment]) -> list[list[Segment]]:
    """Segments in tiers in which none overlaps another, at least one tier; each lies in the first that it can."""
    tiers: list[list[Segment]] = [[]]
    for segment in sorted(segments, key=lambda segment: segment.part):
        tier = next((tier for tier in tiers if not tier or tier[-1].end_seconds <= segment.start_seconds), None)
        if tier is None:
            tiers.append(tier := [])
        tier.append(segment)
    return tiers


@dataclass(frozen=True)
class Timeline:
    """The segments of one clip, which is so many seconds long. sample_rate_hz: of the sound that was heard.

    recording, channel: of which recording the clip is which channel, from 1, where each is a clip of its own.
    """

    clip: str
    segments: list[Segment]
    seconds: float
    sample_rate_hz: int = SAMPLE_RATE_HZ
    recording: str = ""
    channel: int = 1


@dataclass(frozen=True)
class Windows:
    """The scores of a clip's windows, in order. labels: of the scores. sample_rate_hz: of the sound they are of.

    recording, channel: as of Timeline.
    """

    clip: str
    labels: Sequence[str]
    windows: WindowScores
    sample_rate_hz: int = SAMPLE_RATE_HZ
    recording: str = ""
    channel: int = 1

    @property
    def seconds(self) -> float:
        """Where the last window ends."""
        return float(self.windows.end_seconds.max())

    @property
    def segments(self) -> list[Segment]:
        """Each window with its best class, for formats that have a label from when to when; silent ones are unknown."""
        segments = []
        for window in self.windows:
            best, score = self.best(window)
            label = best if window.has_signal else UNKNOWN
            segments.append(Segment(window.start_seconds, window.end_seconds, label, score))
        return segments

    def best(self, window: ChunkScores) -> tuple[str, float]:
        """The class with a window's highest score, and the score."""
        number = int(window.scores.argmax())
        return self.labels[number], float(window.scores[number])


@dataclass(frozen=True)
class WindowsJob(ModelJob):
    """A job for workers: score the windows of recordings.

    Where the model stands on the embedded network, the windows of a strip are scored together; else each is drawn as a
    short clip is, and its picture scored.
    of_events: the scores are those of events, which the model has learnt.
    """

    of_events: bool = False

    @functools.cached_property
    def scorer(self) -> StripScorer | None:
        """Made when it is first needed; None where there is none for the model."""
        return StripScorer.of(self.model, window_seconds(self.model, self.of_events), self.of_events)

    def split(self, path: Path) -> Generator[Strip, None, None]:
        """The strips of a recording."""
        for _, strip in split_for([self], path):
            yield strip

    def strip_settings(self) -> StripSettings:
        """How recordings are to be cut."""
        rate_hz, step = self.model.settings.sample_rate_hz, _step_samples(self.model, self.of_events)
        window = round(window_seconds(self.model) * rate_hz)
        return self.scorer.strip_settings(step) if self.scorer else StripSettings(window, step, 1, 0, rate_hz)

    def map(self, path: Path, strip: Strip) -> WindowScores:
        """The scores of the windows of a strip."""
        about = f"{self.of_events} {strip.start} {strip.windows} {strip.window_samples}"
        return self.recall(about, strip.samples, len(strip.windows), lambda: self._score(path, strip))

    def _score(self, path: Path, strip: Strip) -> WindowScores:
        if self.scorer is not None:
            return self.scorer.score(strip)
        rate_hz = self.model.settings.sample_rate_hz
        return WindowScores.of([score_chunk(chunk, path, self.model) for chunk in strip.chunks(rate_hz)])

    def reduce(self, path: Path, scored: list[WindowScores]) -> Windows:
        """All windows, in order."""
        windows = WindowScores.joined(scored)
        return Windows(str(path), self.model.labels, windows, self.model.settings.sample_rate_hz)


def split_for(jobs: Sequence[WindowsJob], path: Path) -> Generator[tuple[int, Strip], None, None]:
    """The strips of a recording for several jobs of one model and choice, each with the number of its job from 0."""
    if path.suffix.lower() in SUFFIXES:
        raise UnusableInput(path, "is a picture; a timeline needs the recording")
    model, choice = jobs[0].model, jobs[0].choice
    check = RangeCheck(path, model.settings, choice)
    for number, strip in read_strips(path, [job.strip_settings() for job in jobs], choice):
        if number == 0:
            check.add(strip.samples, strip.start / model.settings.sample_rate_hz)
        yield number, strip
    warn_of_range(path, check, model)


def per_step(windows: np.ndarray) -> np.ndarray:
    """For each step of a clip, the mean of the windows that hear it, weighted by how near to their middle it lies.

    windows: windows x values. What comes back: steps x values.
    """
    weights = np.minimum(np.arange(1, STEPS_A_WINDOW + 1), np.arange(STEPS_A_WINDOW, 0, -1)).astype(float)
    heard = np.convolve(np.ones(len(windows)), weights)[:, None]
    return np.stack([np.convolve(column, weights) for column in windows.T], axis=1) / heard
