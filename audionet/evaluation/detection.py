"""How well events, segments and turns are found in annotated recordings: F1 and error rates.

Event and segment F1 are those of sed_eval (Mesaros, Heittola and Virtanen, 2016), the diarisation error rate is that of
pyannote.metrics (Bredin, 2017), each counted over all recordings together.
"""

import bisect
import itertools
import math
import operator
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import astuple, dataclass, field
from typing import Any, NamedTuple

import numpy as np

from audionet.options import DetectionOptions

COLLAR_SECONDS = DetectionOptions.collar_seconds
SHARE_OF_LENGTH = 0.5  # of an event, that its end may be off
ROUNDING_SECONDS = 1e-9


class Span(NamedTuple):
    """What is heard from when to when in a recording, in seconds. score: of one that was predicted."""

    start_seconds: float
    end_seconds: float
    label: str
    score: float = 1.0


@dataclass(frozen=True)
class Counts:
    """How many are annotated (`reference`), how many were predicted (`found`), and how many are both (`correct`)."""

    correct: int = 0
    reference: int = 0
    found: int = 0

    def __add__(self, other: "Counts") -> "Counts":
        return Counts(*map(operator.add, astuple(self), astuple(other)))

    @property
    def precision(self) -> float:
        """The share of the predicted ones that are correct, 0 to 1; 0 if none was predicted."""
        return self.correct / self.found if self.found else 0.0

    @property
    def recall(self) -> float:
        """The share of the annotated ones that were found, 0 to 1; 0 if none is annotated."""
        return self.correct / self.reference if self.reference else 0.0

    @property
    def f1(self) -> float:
        """The harmonic mean of precision and recall, 0 to 1."""
        return 2 * self.correct / (self.reference + self.found) if self.reference + self.found else 0.0

    def to_json(self, noun: str) -> dict[str, float]:
        """The three figures as plain values. noun: what was counted, with which their names begin."""
        return {f"{noun}_f1": self.f1, f"{noun}_precision": self.precision, f"{noun}_recall": self.recall}


@dataclass(frozen=True)
class SpeakingErrors:
    """Seconds: annotated in all, of these missed or confused with another label, and predicted where none is."""

    total: float = 0.0
    missed: float = 0.0
    confused: float = 0.0
    false_alarm: float = 0.0

    def __add__(self, other: "SpeakingErrors") -> "SpeakingErrors":
        return SpeakingErrors(*map(operator.add, astuple(self), astuple(other)))

    @property
    def rate(self) -> float:
        """The errors as a share of the total; over 1 if there are more."""
        return (self.missed + self.confused + self.false_alarm) / self.total if self.total else 0.0


@dataclass
class Detection:
    """What was found in annotated recordings, counted.

    kind: events or timeline, whichever was asked of the model. recordings, seconds: how many, and how long.
    thresholds: the score that an event of each class needs; none of a timeline.
    events_of: of each class, by their times, see `match_events`. segments_of: the seconds in which it is heard.
    identification: the errors of a timeline with its labels as they are. diarization: the errors once the labels are
    renamed, in each recording, to the annotated ones that they fit best.
    missed: what is annotated, of which nothing was found at any moment; false: what was found where nothing of its
    class is annotated. Each with the path of its recording.
    """

    kind: str
    collar_seconds: float = COLLAR_SECONDS
    recordings: int = 0
    seconds: float = 0.0
    thresholds: Mapping[str, float] = field(default_factory=dict)
    events_of: dict[str, Counts] = field(default_factory=lambda: defaultdict(Counts))
    segments_of: dict[str, Counts] = field(default_factory=lambda: defaultdict(Counts))
    diarization: SpeakingErrors = field(default_factory=SpeakingErrors)
    identification: SpeakingErrors = field(default_factory=SpeakingErrors)
    missed: list[tuple[str, Span]] = field(default_factory=list, compare=False)
    false: list[tuple[str, Span]] = field(default_factory=list, compare=False)

    @property
    def events(self) -> Counts:
        """The events of all classes."""
        return sum(self.events_of.values(), Counts())

    @property
    def segments(self) -> Counts:
        """The seconds of all classes."""
        return sum(self.segments_of.values(), Counts())

    def add(self, reference: Sequence[Span], hypothesis: Sequence[Span], seconds: float, recording: str = "") -> None:
        """Count one recording of `seconds` seconds: its annotated spans, and the predicted ones (hypothesis).

        An annotated point, which has no length, is nothing that could be found.
        """
        reference = [span for span in reference if span.start_seconds < span.end_seconds]
        self.recordings += 1
        self.seconds += seconds
        for label in sorted({span.label for span in (*reference, *hypothesis)}):
            marked, predicted = ([span for span in spans if span.label == label] for spans in (reference, hypothesis))
            self.events_of[label] += match_events(marked, predicted, self.collar_seconds)
            self.segments_of[label] += match_segments(marked, predicted)
            self.missed += [(recording, span) for span in _apart(marked, predicted)]
            self.false += [(recording, span) for span in _apart(predicted, marked)]
        self.identification += speaking_errors(reference, hypothesis)
        self.diarization += speaking_errors(reference, _renamed(reference, hypothesis))

    def to_json(self) -> dict[str, Any]:
        """As plain values, for `evaluate --format json`."""
        return {
            "found_by": self.kind,
            "recordings": self.recordings,
            "seconds": self.seconds,
            "collar_seconds": self.collar_seconds,
            **self.events.to_json("event"),
            **self.segments.to_json("segment"),
            "diarization_error_rate": self.diarization.rate,
            "identification_error_rate": self.identification.rate,
            "missed_seconds": self.diarization.missed,
            "confused_seconds": self.diarization.confused,
            "false_alarm_seconds": self.diarization.false_alarm,
            "annotated_seconds": self.diarization.total,
            "per_class": {
                label: self.events_of[label].to_json("event") | self.segments_of[label].to_json("segment")
                for label in sorted(self.events_of)
            },
            "missed": [
                {"clip": clip, "class": label, "start_seconds": start, "end_seconds": end}
                for clip, (start, end, label, _) in self.missed
            ],
            "false_alarms": [{"clip": clip} | span._asdict() for clip, span in self.false],
        }


def match_events(
    reference: Sequence[Span], hypothesis: Sequence[Span], collar_seconds: float = COLLAR_SECONDS
) -> Counts:
    """How many events of one class were found in one recording.

    An event is found by one whose start is at most the collar away, and whose end is at most the
    collar, or half of the event's length, away. Each is matched with one at most, so that the most pairs are made.
    """
    from scipy.sparse import csr_matrix
    from scipy.sparse.csgraph import maximum_bipartite_matching

    ordered = sorted(hypothesis)
    starts = [span.start_seconds for span in ordered]
    pairs = []
    for row, event in enumerate(reference):
        longest = max(collar_seconds, SHARE_OF_LENGTH * (event.end_seconds - event.start_seconds))
        first = bisect.bisect_left(starts, event.start_seconds - collar_seconds - ROUNDING_SECONDS)
        last = bisect.bisect_right(starts, event.start_seconds + collar_seconds + ROUNDING_SECONDS)
        for column in range(first, last):
            off = abs(ordered[column].end_seconds - event.end_seconds)
            if off <= longest + ROUNDING_SECONDS:
                pairs.append((row, column))
    if not pairs:
        return Counts(0, len(reference), len(hypothesis))
    rows, columns = zip(*pairs, strict=True)
    graph = csr_matrix((np.ones(len(pairs), np.int8), (rows, columns)), (len(reference), len(hypothesis)))
    matched = maximum_bipartite_matching(graph, perm_type="column")
    return Counts(int((matched >= 0).sum()), len(reference), len(hypothesis))


def _apart(spans: Sequence[Span], others: Sequence[Span]) -> list[Span]:
    """Those spans that share no moment with any of the others."""
    ordered = sorted(others)
    starts = [span.start_seconds for span in ordered]
    ends = [-math.inf, *itertools.accumulate((span.end_seconds for span in ordered), max)]
    return [span for span in spans if ends[bisect.bisect_left(starts, span.end_seconds)] <= span.start_seconds]


def match_segments(reference: Sequence[Span], hypothesis: Sequence[Span]) -> Counts:
    """In how many seconds of one recording a class is annotated, predicted, and both."""
    marked, predicted = (
        {n for span in spans for n in range(math.floor(span.start_seconds), math.ceil(span.end_seconds))}
        for spans in (reference, hypothesis)
    )
    return Counts(len(marked & predicted), len(marked), len(predicted))


def speaking_errors(reference: Sequence[Span], hypothesis: Sequence[Span]) -> SpeakingErrors:
    """For how many seconds of one recording the predicted labels differ from the annotated ones."""
    total = missed = confused = false_alarm = 0.0
    for seconds, marked, predicted in _stretches(reference, hypothesis):
        total += seconds * len(marked)
        missed += seconds * max(0, len(marked) - len(predicted))
        false_alarm += seconds * max(0, len(predicted) - len(marked))
        confused += seconds * (min(len(marked), len(predicted)) - len(marked & predicted))
    return SpeakingErrors(total, missed, confused, false_alarm)


def _renamed(reference: Sequence[Span], hypothesis: Sequence[Span]) -> list[Span]:
    """The predicted spans, each label renamed to the annotated one that it shares most time with; one to one."""
    from scipy.optimize import linear_sum_assignment

    together: dict[tuple[str, str], float] = defaultdict(float)
    for seconds, marked, predicted in _stretches(reference, hypothesis):
        for pair in itertools.product(marked, predicted):
            together[pair] += seconds
    names, others = sorted({span.label for span in reference}), sorted({span.label for span in hypothesis})
    shared = np.array([[together[name, other] for other in others] for name in names]).reshape(len(names), len(others))
    rows, columns = linear_sum_assignment(-shared)
    given = {others[column]: names[row] for row, column in zip(rows, columns, strict=True) if shared[row, column] > 0}
    # A label that got no annotated name must not have one by chance.
    return [span._replace(label=given.get(span.label, f"\0{span.label}")) for span in hypothesis]


class _Stretch(NamedTuple):
    """A stretch of time in which no label begins or ends, and which are annotated, and predicted, in it."""

    seconds: float
    marked: set[str]
    predicted: set[str]


def _stretches(reference: Sequence[Span], hypothesis: Sequence[Span]) -> Iterator[_Stretch]:
    """The stretches of a recording in which there is any label, in order."""
    changes: dict[float, list[tuple[int, str, int]]] = defaultdict(list)
    for side, spans in enumerate((reference, hypothesis)):
        for span in spans:
            if span.end_seconds > span.start_seconds:
                changes[span.start_seconds].append((side, span.label, 1))
                changes[span.end_seconds].append((side, span.label, -1))
    sounding: tuple[dict[str, int], dict[str, int]] = (defaultdict(int), defaultdict(int))
    before = 0.0
    for time in sorted(changes):
        marked, predicted = ({label for label, times in counts.items() if times} for counts in sounding)
        if marked or predicted:
            yield _Stretch(time - before, marked, predicted)
        for side, label, change in changes[time]:
            sounding[side][label] += change
        before = time
