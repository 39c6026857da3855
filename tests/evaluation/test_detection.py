"""Events, segments and turns counted as sed_eval and pyannote.metrics count them."""

import numpy as np
import pytest

from audionet.evaluation.detection import Counts, Detection, Span, match_events, speaking_errors

Talk = tuple[list[Span], list[Span]]


def talk(seed: int) -> Talk:
    """Twelve turns or calls of three classes, some of which overlap, and what somebody found of them."""
    random = np.random.default_rng(seed)
    truth, found, at = list[Span](), list[Span](), 0.0
    for _ in range(12):
        start = at + float(random.integers(0, 20)) / 10
        end = start + float(random.integers(3, 50)) / 10
        label = "abc"[int(random.integers(3))]
        truth.append(Span(round(start, 1), round(end, 1), label))
        if random.random() < 0.8:
            off = random.integers(-7, 8, 2) / 10
            said = label if random.random() < 0.8 else "abc"[int(random.integers(3))]
            first = max(0.0, start + float(off[0]))
            found.append(Span(round(first, 1), round(max(first + 0.2, end + float(off[1])), 1), said))
        if random.random() < 0.2:
            found.append(Span(round(end + 0.3, 1), round(end + 1.1, 1), "a"))
        at = end - (1.0 if random.random() < 0.2 else 0.0)
    return truth, found


def counted(*seeds: int) -> Detection:
    detection = Detection("events")
    for seed in seeds:
        truth, found = talk(seed)
        detection.add(truth, found, 60.0)
    return detection


# sed_eval 0.2.1 imports a module that setuptools has dropped, and cannot be installed beside it: these are its
# f_measure, precision and recall of the talks above, of EventBasedMetrics(t_collar=0.5, percentage_of_length=0.5) and
# SegmentBasedMetrics(time_resolution=1.0), computed with setuptools 80.
@pytest.mark.parametrize(
    ("seeds", "events", "segments"),
    [
        ([0], [0.571429, 0.666667, 0.5], [0.657143, 0.793103, 0.560976]),
        ([1], [0.25, 0.25, 0.25], [0.554217, 0.589744, 0.522727]),
        ([2], [0.37037, 0.333333, 0.416667], [0.72973, 0.75, 0.710526]),
        ([3], [0.434783, 0.454545, 0.416667], [0.619718, 0.647059, 0.594595]),
        ([0, 1, 2, 3], [0.4, 0.404255, 0.395833], [0.637584, 0.688406, 0.59375]),
    ],
)
def test_events_and_segments_are_counted_as_sed_eval_does(
    seeds: list[int], events: list[float], segments: list[float]
) -> None:
    detection = counted(*seeds)
    for counts, expected in ((detection.events, events), (detection.segments, segments)):
        assert [counts.f1, counts.precision, counts.recall] == pytest.approx(expected, abs=1e-6)
    for pairs, side in ((detection.missed, 0), (detection.false, 1)):
        alone = [
            span
            for spans in map(talk, seeds)
            for span in spans[side]
            if not any(span[2] == other[2] and span[0] < other[1] and other[0] < span[1] for other in spans[1 - side])
        ]
        assert sorted(span for _, span in pairs) == sorted(alone)


@pytest.mark.parametrize("seeds", [[0], [1], [2], [3], [4], range(10)])
def test_error_rates_are_those_of_pyannote(seeds: list[int]) -> None:
    pytest.importorskip("pyannote.metrics")
    from pyannote.core import Annotation, Segment
    from pyannote.metrics.diarization import DiarizationErrorRate
    from pyannote.metrics.identification import IdentificationErrorRate

    metrics = DiarizationErrorRate(), IdentificationErrorRate()
    for seed in seeds:
        both = []
        for spans in talk(seed):
            annotation = Annotation()
            for number, (start, end, label, _) in enumerate(joined(spans)):
                annotation[Segment(start, end), number] = label
            both.append(annotation)
        for metric in metrics:
            metric(*both)
    detection = counted(*seeds)
    for metric, errors in zip(metrics, (detection.diarization, detection.identification), strict=True):
        assert errors.rate == pytest.approx(abs(metric), abs=1e-9)
        seconds = [metric[name] for name in ("total", "missed detection", "confusion", "false alarm")]
        assert [errors.total, errors.missed, errors.confused, errors.false_alarm] == pytest.approx(seconds, abs=1e-6)


def joined(spans: list[Span]) -> list[Span]:
    """Without overlaps of one label, which would count twice there."""
    found: list[Span] = []
    for span in sorted(spans, key=lambda span: (span.label, span.start_seconds)):
        if found and found[-1].label == span.label and span.start_seconds <= found[-1].end_seconds:
            before = found.pop()
            span = Span(before.start_seconds, max(before.end_seconds, span.end_seconds), span.label)
        found.append(span)
    return found


def test_voices_under_each_other_s_names_are_told_apart_and_named_wrong() -> None:
    detection = Detection("timeline")
    detection.add([Span(0, 4, "anna"), Span(4, 10, "ben")], [Span(0, 4, "ben"), Span(4, 10, "anna")], 10)
    assert (detection.diarization.rate, detection.identification.rate) == (0, 1)
    assert detection.events_of == {"anna": Counts(0, 1, 1), "ben": Counts(0, 1, 1)}
    assert detection.segments_of == {"anna": Counts(0, 4, 6), "ben": Counts(0, 6, 4)}


def test_a_point_is_nothing_that_is_missed() -> None:
    detection = Detection("events")
    detection.add([Span(1, 1, "anna"), Span(2, 3, "ben")], [Span(2, 3, "ben")], 10)
    assert (detection.events.f1, detection.segments.f1) == (1, 1)


def test_nothing_to_find_or_found_is_no_error() -> None:
    detection = Detection("timeline")
    detection.add([], [], 10)
    assert detection.events == Counts()
    assert (detection.diarization.rate, detection.events.f1) == (0, 0)
    assert match_events([Span(0, 1, "a")], []) == Counts(0, 1, 0)
    assert speaking_errors([], [Span(1, 2, "a")]).false_alarm == 1


def test_each_event_counts_once_in_the_pairs_of_which_there_are_most() -> None:
    reference = [Span(0.0, 1.0, "a"), Span(0.4, 1.4, "a")]
    found = [Span(0.4, 1.4, "a"), Span(0.8, 1.8, "a")]  # the first fits both, the second the second alone
    assert match_events(reference, found) == Counts(2, 2, 2)
