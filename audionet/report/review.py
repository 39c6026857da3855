"""What is worth a second look: the chunks, clips and recordings that a report shows for correction, and their order."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from audionet.evaluation.detection import Detection, Span
from audionet.evaluation.predictions import Predictions
from audionet.report.content import Card
from audionet.report.sentences import quoted, recording_of
from audionet.system.grouping import grouped
from audionet.system.text import count

NEARLY_ALL = 0.8  # of a recording's chunks
MOST_MISTAKES = 24
MOST_UNCERTAIN = 6
MOST_FOUND = 12  # of what was missed in whole recordings, and of what is false there
MOST_BUTTONS = 9
MOST_CLIPS = 200  # of those that nobody has named yet
MOST_PICTURED = 60  # of them, with picture and sound


def cards_of_chunks(tested: Predictions, chunks: Mapping[str, int]) -> list[Card]:
    """Recordings that sound like another class as a whole, other chunks that do, and the least certain that are right.

    The most doubtful come first: those whose own class was given the lowest score. chunks: how many each
    recording has that is learnt as a whole.
    """
    mistakes = ((position, tested.places[position]) for position in tested.mistakes())
    by_recording = grouped((place.recording or place.name, position) for position, place in mistakes)
    cards = []
    for recording, positions in by_recording.items():
        taken_for = int(np.bincount(tested.predicted[positions]).argmax())
        alike = [position for position in positions if tested.predicted[position] == taken_for]
        if recording in chunks and len(alike) >= NEARLY_ALL * chunks[recording]:
            cards.append(_whole_recording(tested, alike, chunks[recording]))
            positions = [position for position in positions if position not in alike]
        cards += [_card(tested, [position]) for position in positions]
    return _chosen(tested, cards)


def cards_of_clips(tested: Predictions, detection: Detection | None = None) -> list[Card]:
    """Clips that were taken for another class, and the least certain that are right; the most doubtful come first.
    Between them stands what was missed or false in the whole of annotated recordings."""
    cards = []
    for position in tested.mistakes():
        taken_for = tested.labels[tested.predicted[position]]
        card = _card(tested, [position])
        subject = "The whole clip" if card.is_whole else "This part"
        wrong = "folder" if card.is_whole else "label"
        cards.append(replace(card, note=f"{subject} sounds like {quoted(taken_for)}: wrong {wrong}?"))
    return _chosen(tested, cards, cards_of_found(tested, detection) if detection else [])


def cards_of_found(tested: Predictions, detection: Detection) -> list[Card]:
    """What was missed in annotated recordings as a whole, and what was found where nothing is annotated; the surest
    first. What was missed has the scores of its part alone, which was tested too; the numbers of the others go on."""
    parts = grouped(((tested.places[n].name, tested.labels[tested.targets[n]]), n) for n in range(len(tested)))
    missed = []
    for recording, span in detection.missed:
        places = ((n, tested.places[n]) for n in parts.get((recording, span.label), ()))
        inside = (n for n, place in places if place.start_seconds <= span.start_seconds < place.end_seconds)
        missed += [replace(_card(tested, [n]), note="Missed in the whole recording.") for n in inside]
    missed = sorted(missed, key=lambda card: -card.own_score)[:MOST_FOUND]
    false = sorted(detection.false, key=lambda found: -found[1].score)[:MOST_FOUND]
    return missed + [_false(len(tested) + n, *found) for n, found in enumerate(false)]


def _false(number: int, recording: str, span: Span) -> Card:
    """The card of what was found where nothing of its class is annotated."""
    note = f"False: no {quoted(span.label)} is annotated here. If it is there, choose it."
    scores = [(span.label, span.score)]
    return Card(number, (), recording, recording, *span[:2], False, None, span.score, scores, note=note)


def cards_of_unnamed(heard: Predictions, why_unknown: Sequence[str]) -> list[Card]:
    """Clips, or parts of them, whose classes nobody has given, the most doubtful first: the unknown ones, then by their
    scores.

    heard: with the class that each was taken for as its target. why_unknown: of each, a sentence; "" for one whose
    class is believed.
    """
    scores = heard.probabilities[np.arange(len(heard)), heard.targets]
    order = sorted(range(len(heard)), key=lambda n: (not why_unknown[n], float(scores[n])))
    return [_unnamed(_card(heard, [n]), why_unknown[n]) for n in order[:MOST_CLIPS]]


def _unnamed(card: Card, why_unknown: str) -> Card:
    """The card of what nobody has named; what it was taken for comes first, whatever its score."""
    scores = sorted(card.scores, key=lambda score: score[0] != card.own)
    return replace(card, own=None, scores=scores, note=why_unknown, is_unknown=bool(why_unknown))


def _chosen(tested: Predictions, wrong: list[Card], found: Sequence[Card] = ()) -> list[Card]:
    """The most doubtful of the cards of mistakes, those of what was found in the whole, and cards of the least certain
    predictions that are right; one card a number."""
    right = [_card(tested, [position]) for position in tested.least_certain()[:MOST_UNCERTAIN]]
    wrong = sorted(wrong, key=lambda card: card.own_score)[:MOST_MISTAKES]
    cards = {card.number: card for card in (*wrong, *found, *right)}
    notes = grouped((card.number, card.note) for card in (*wrong, *found) if card.note)
    return [replace(card, note=" ".join(notes.get(number, [card.note]))) for number, card in cards.items()]


def _whole_recording(tested: Predictions, alike: list[int], chunks: int) -> Card:
    card = _card(tested, alike, is_whole=True)
    share = "All" if len(alike) == chunks else "Nearly all"
    note = f"{share} of this recording ({count(len(alike), 'chunk')}) sounds like {quoted(card.heard)}: wrong folder?"
    return replace(card, note=note if chunks > 1 else "Is it in the wrong folder?")  # its heading says the rest


def _card(tested: Predictions, positions: list[int], *, is_whole: bool = False) -> Card:
    """The card that stands for these positions, of one class; it shows the first."""
    first = positions[0]
    place, own = tested.places[first], int(tested.targets[first])
    scores = tested.probabilities[positions].mean(axis=0)
    order = np.argsort(-scores, kind="stable")
    return Card(
        number=first,
        positions=tuple(positions),
        name=recording_of(place.name),
        path=place.recording,
        start_seconds=place.start_seconds,
        end_seconds=place.end_seconds,
        is_whole=is_whole or place.is_whole,
        own=tested.labels[own],
        own_score=float(scores[own]),
        scores=[(tested.labels[n], float(scores[n])) for n in order],
    )


def choices(card: Card, labels: Sequence[str]) -> list[str]:
    """The classes that have a button and a digit: all, or of many the likeliest and the card's own."""
    if len(labels) <= MOST_BUTTONS:
        return list(labels)
    likeliest = [label for label, _ in card.scores]
    own = [card.own] if card.own is not None else []
    return list(dict.fromkeys([*own, *likeliest]))[:MOST_BUTTONS]
