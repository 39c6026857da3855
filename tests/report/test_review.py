"""Which cards a report shows, and in which order."""

from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np

from audionet.evaluation.detection import Detection, Span
from audionet.evaluation.predictions import Place, Predictions
from audionet.report.content import Card
from audionet.report.review import cards_of_chunks, cards_of_clips, cards_of_unnamed, choices

LABELS = ["anna", "ben"]


def predictions_of(*chunks: tuple[str, float]) -> Predictions:
    """Chunks by their recordings, all ben's, each with what anna was given."""
    seen: Counter[str] = Counter()
    places = []
    for recording, _ in chunks:
        start = float(seen[recording])
        places.append(Place(f"{recording}_nohash_{seen[recording]:04d}", start, start + 1, f"{recording}.mp3"))
        seen[recording] += 1
    anna = np.array([score for _, score in chunks])
    return Predictions(LABELS, places, np.ones(len(chunks), np.intp), np.column_stack([anna, 1 - anna]))


def counted(tested: Predictions) -> Counter[str]:
    return Counter(place.recording for place in tested.places)


def test_a_recording_that_sounds_like_another_class_is_one_card() -> None:
    tested = predictions_of(*[("ben/a", 0.9)] * 4, ("ben/a", 0.2), *[("ben/b", 0.8)] * 3, *[("ben/b", 0.1)] * 2)
    first, *others = cards_of_chunks(tested, counted(tested))
    assert (first.path, first.is_whole, first.own, first.heard) == ("ben/a.mp3", True, "ben", "anna")
    assert first.note == "Nearly all of this recording (4 chunks) sounds like “anna”: wrong folder?"
    assert set(first.positions) == {0, 1, 2, 3}
    wrong = [card for card in others if card.heard == "anna"]
    assert [(card.path, card.start_seconds, card.end_seconds) for card in wrong] == [
        ("ben/b.mp3", 0, 1),
        ("ben/b.mp3", 1, 2),
        ("ben/b.mp3", 2, 3),
    ]
    assert not any(card.is_whole or card.note for card in others)


def test_what_gave_its_own_class_least_comes_first_and_what_was_right_last() -> None:
    tested = predictions_of(("ben/a", 0.6), ("ben/b", 0.3), ("ben/c", 0.95), ("ben/d", 0.45))
    found = cards_of_chunks(tested, counted(tested))
    assert [card.path for card in found] == ["ben/c.mp3", "ben/a.mp3", "ben/d.mp3", "ben/b.mp3"]
    assert found[0].note == "Is it in the wrong folder?"  # the heading says what it was taken for


def test_a_recording_of_which_little_was_tested_is_not_judged_as_a_whole() -> None:
    tested = predictions_of(("ben/a", 0.9))
    (card,) = cards_of_chunks(tested, {"ben/a.mp3": 10})
    assert not card.is_whole


def test_what_was_missed_or_false_in_whole_recordings_has_cards() -> None:
    places = [Place("a.wav", start, start + 2, "a.wav") for start in (0.0, 4.0, 8.0)]
    tested = Predictions(LABELS, places, np.array([1, 1, 0]), np.array([[0.9, 0.1], [0.2, 0.8], [0.7, 0.3]]))
    found = Detection("events")
    annotated = [Span(0, 2, "ben"), Span(4, 6, "ben"), Span(8, 10, "anna")]
    found.add(annotated, [Span(8.5, 11, "anna", 0.9), Span(12, 13, "anna", 0.6), Span(5, 7, "anna", 0.7)], 20, "a.wav")
    wrong, missed, surest, false, right = cards_of_clips(tested, found)
    assert (wrong.number, wrong.heard) == (0, "anna")
    assert wrong.note == "This part sounds like “anna”: wrong label? Missed in the whole recording."
    assert (missed.number, missed.own, missed.heard) == (1, "ben", "ben")
    assert missed.note == "Missed in the whole recording."
    assert [(card.number, card.start_seconds, card.label, card.own) for card in (surest, false)] == [
        (3, 5, "anna", None),
        (4, 12, "anna", None),
    ]
    assert false.note == "False: no “anna” is annotated here. If it is there, choose it."
    assert (right.number, right.note) == (2, "")


def test_clips_are_corrected_as_a_whole_and_parts_of_them_as_parts() -> None:
    tested = predictions_of(("one", 0.9), ("two", 0.1), ("three", 0.8))
    places = [replace(place, is_whole=n < 2) for n, place in enumerate(tested.places)]
    found = cards_of_clips(replace(tested, places=places))
    assert [(card.name, card.is_whole, card.note) for card in found] == [
        ("one", True, "The whole clip sounds like “anna”: wrong folder?"),
        ("three", False, "This part sounds like “anna”: wrong label?"),
        ("two", True, ""),
    ]


def test_of_unnamed_clips_the_unknown_come_first() -> None:
    scored = predictions_of(("one", 0.9), ("two", 0.6), ("three", 0.8))
    scored = replace(scored, targets=np.array([0, 1, 0]))  # of two, the class that it was taken for scores less
    found = cards_of_unnamed(scored, ["", "", "Unknown: silent."])
    assert [card.heard for card in found] == ["anna", "ben", "anna"]
    assert [card.name for card in found] == ["three", "two", "one"]
    assert [card.own for card in found] == [None, None, None]
    assert [card.is_unknown for card in found] == [True, False, False]


def test_of_many_classes_the_likeliest_and_its_own_have_buttons() -> None:
    labels = [f"class {n:02d}" for n in range(30)]
    scores = [(label, 1 / 30) for label in reversed(labels)]
    card = Card(0, (0,), "x", "x.mp3", 0, 1, True, "class 00", 0.0, scores)
    found = choices(card, labels)
    assert len(found) == 9
    assert found[:2] == ["class 00", "class 29"]
    assert choices(replace(card, own=None), labels)[0] == "class 29"
    assert choices(card, labels[:9]) == labels[:9]


def test_a_path_that_no_table_can_hold_is_not_corrected() -> None:
    card = cards_of_clips(predictions_of(("one", 0.9)))[0]
    assert card.can_be_corrected
    assert not replace(card, path="a\nb.mp3").can_be_corrected
    assert not replace(card, path=str(Path("a\udcff.mp3"))).can_be_corrected
    assert not replace(card, path="").can_be_corrected
