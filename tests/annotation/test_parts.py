"""Parts of recordings, joined and cut out, against a line of tenths of seconds that are switched on and off."""

import itertools
import math
from pathlib import Path

import numpy as np
import pytest

from audionet.annotation.parts import WHOLE, combined, find_overlaps, joined, last_of_each_second, span, without
from audionet.audio.chunks import Part, cut, cut_parts
from audionet.dataset.folders import Recording
from audionet.errors import AudionetError
from audionet.options import AnnotationOptions
from audionet.settings import SAMPLE_RATE_HZ, PictureSettings


def marked(class_name: str, *parts: tuple[float, float], file: str = "night.wav") -> Recording:
    found = tuple(Part(*part) for part in parts)
    return Recording(class_name, f"{class_name}/{file}", Path(file), parts=found)


def line(parts: list[Part]) -> np.ndarray:
    on = np.zeros(200, bool)
    for start, end in parts:
        on[round(start * 10) : round(min(end, 20) * 10)] = True
    return on


@pytest.mark.parametrize("seed", range(20))
def test_joining_and_cutting_out_agree_with_a_line_of_tenths(seed: int) -> None:
    random = np.random.default_rng(seed)

    def some() -> list[Part]:
        starts = random.integers(0, 180, 6) / 10
        return [Part(start, start + random.integers(1, 30) / 10) for start in starts]

    parts, holes = some(), some()
    assert (line(joined(parts)) == line(parts)).all()
    left = without(parts, holes)
    assert (line(left) == (line(parts) & ~line(holes))).all()
    assert all(one.end_seconds <= other.start_seconds for one, other in itertools.pairwise(left))


def test_what_is_left_of_a_whole_recording_has_no_end() -> None:
    assert without([WHOLE], [Part(2, 3)]) == [Part(0, 2), Part(3, math.inf)]
    assert without([Part(1, 4)], [WHOLE]) == []
    assert [span(part) for part in without([WHOLE], [Part(0, 63.25)])] == ["1:03.2 to the end"]


def test_parts_that_touch_are_two_calls_and_parts_that_overlap_one() -> None:
    (found,) = combined([marked("owl", (4, 6)), marked("owl", (1, 2)), marked("owl", (5, 7), (7, 8))], options())
    assert found.parts == (Part(1, 2), Part(4, 7), Part(7, 8))


def options(**given: str) -> AnnotationOptions:
    return AnnotationOptions(**given)  # type: ignore[arg-type]


def test_classes_heard_at_once_are_said_and_both_learnt_or_refused(caplog: pytest.LogCaptureFixture) -> None:
    night = [marked("owl", (1, 3), (8, 9)), marked("wren", (2.5, 4)), marked("wren", (2, 3), file="b.wav")]
    assert [(one.class_name, one.parts) for one in combined(night, options())] == [
        ("owl", (Part(1, 3), Part(8, 9))),
        ("wren", (Part(2, 3),)),
        ("wren", (Part(2.5, 4),)),
    ]
    said = "night.wav: 'owl' (0:01.0 to 0:03.0) and 'wren' (0:02.5 to 0:04.0) are heard at once"
    assert said in caplog.text
    with pytest.raises(AudionetError) as error:
        combined(night, options(overlaps="refuse"))
    assert str(error.value).startswith(said)


def test_parts_that_touch_but_for_rounding_are_not_heard_at_once(caplog: pytest.LogCaptureFixture) -> None:
    night = [marked("owl", (1, 2.33), (3, 3.01)), marked("wren", (2.32, 3)), marked("rain", (3.005, 4))]
    combined(night, options(overlaps="refuse"))
    assert caplog.messages == ["1 part shorter than 0.1 s: each counts as so long, with what is heard around it"]


@pytest.mark.parametrize("length", [7, 0])
def test_overlaps_are_found_as_comparing_all_pairs_finds_them(length: int) -> None:
    random = np.random.default_rng(0)
    marks = [[(s / 10, (s + length) / 10) for s in random.integers(0, 300, 20).tolist()] for _ in "abc"]
    night = [marked(name, *of_class, (3, 9)) for name, of_class in zip("abc", marks, strict=True)]
    night = [Recording(n.class_name, n.key, n.path, parts=tuple(joined(n.parts))) for n in night]
    pairs = {
        frozenset([(one.class_name, part), (other.class_name, own)])
        for one in night
        for other in night
        if one.class_name < other.class_name
        for part in one.parts
        for own in other.parts
        if part.start_seconds < own.end_seconds and own.start_seconds < part.end_seconds
    }
    found = list(find_overlaps(night))
    assert {frozenset([(f.first.class_name, f[1]), (f.second.class_name, f[3])]) for f in found} == pairs
    assert len(found) == len(pairs)
    with pytest.raises(AudionetError, match=f"and {len(pairs) - 1} other pairs of parts"):
        combined(night, options(overlaps="refuse"))


def test_a_file_of_twenty_thousand_classes_is_compared_at_once() -> None:
    night = [marked(f"class {number}") for number in range(20_000)]
    with pytest.raises(AudionetError, match="and at least 9,999 other pairs of parts"):
        combined(night, options(overlaps="refuse"))


@pytest.mark.parametrize("seed", range(10))
def test_the_last_of_each_second_agrees_with_painting_one_over_the_other(seed: int) -> None:
    random = np.random.default_rng(seed)
    parts = [Part(start / 10, (start + length) / 10) for start, length in random.integers(1, 90, (12, 2)).tolist()]
    painted = np.full(200, -1)
    for number, part in enumerate(parts):
        painted[line([part])] = number
    found = list(last_of_each_second(parts))
    swept = np.full(200, -1)
    for part, number in found:
        assert (swept[line([part])] == -1).all()
        swept[line([part])] = number
    assert (swept == painted).all()


def test_what_is_not_marked_becomes_the_background() -> None:
    night = [marked("owl", (1, 3)), marked("wren", (3.2, 4)), marked("background", (2, 3)), marked("owl", file="b.wav")]
    found = combined(night, options(unmarked="background"))
    assert [(one.key, one.parts) for one in found if one.class_name == "background"] == [
        ("background/night.wav", (Part(0, 1), Part(2, 3), Part(4, math.inf)))
    ]


def test_options_that_are_none_are_refused() -> None:
    with pytest.raises(AudionetError, match="--overlaps neither: must be one of both, refuse"):
        options(overlaps="neither")


@pytest.mark.parametrize("block", [1, 777, 16000, 10**6])
@pytest.mark.parametrize("overlap", [0, 0.5])
def test_each_part_is_cut_as_a_recording_of_its_own(block: int, overlap: float) -> None:
    settings = PictureSettings(1, overlap)
    sound = np.arange(10 * SAMPLE_RATE_HZ).astype(np.int16)
    parts = [Part(0.5, 3.1), Part(3.1, 3.15), Part(4, 4.3), Part(6, 7.2), Part(9, 12), Part(20, 21)]
    blocks = (sound[at : at + block] for at in range(0, len(sound), block))
    found = list(cut_parts(blocks, parts, settings))
    expected = []
    for start, end in parts:
        own = sound[round(start * SAMPLE_RATE_HZ) : round(end * SAMPLE_RATE_HZ)]
        expected += [(start + chunk.start_seconds, chunk.samples) for chunk in cut([own], settings)]
    assert [chunk.start_seconds for chunk in found] == pytest.approx([start for start, _ in expected])
    for chunk, (_, samples) in zip(found, expected, strict=True):
        np.testing.assert_array_equal(chunk.samples, samples)


def test_nothing_is_read_behind_the_last_part() -> None:
    def blocks() -> "list[np.ndarray]":
        raise AssertionError

    def endless() -> "object":
        for _ in range(3):
            yield np.zeros(SAMPLE_RATE_HZ, np.int16)
        blocks()

    assert len(list(cut_parts(endless(), [Part(0.5, 2.5)], PictureSettings(1, 0)))) == 2  # type: ignore[arg-type]
