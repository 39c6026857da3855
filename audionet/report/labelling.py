"""What `label` found -> its report: the clips, or what is heard when in them, to look at, to listen to, and to name."""

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from audionet.dataset.names import UNKNOWN
from audionet.evaluation.predictions import Place, Predictions
from audionet.inference.clips import ClipScores
from audionet.inference.events import Events
from audionet.inference.windows import Timeline
from audionet.model.bundle import Model
from audionet.model.card import ModelCard, now, shown_card
from audionet.report.content import Report
from audionet.report.excerpts import clip_sources, place_of, recording_of_clip, slowed_down, with_excerpts
from audionet.report.review import MOST_CLIPS, MOST_PICTURED, cards_of_unnamed
from audionet.report.sentences import quoted, recording_of
from audionet.settings import SoundChoice
from audionet.spectrogram.transform import SpectrogramRenderer
from audionet.system.progress import Progress, counted
from audionet.system.text import count, duration

# To listen to, of a segment or an event: a page has room for so much of MOST_PICTURED.
EXCERPT_SECONDS = 10.0
UNKNOWN_SEGMENT = "Unknown: unlike all that was learnt, or silent."


class Found(NamedTuple):
    """What was found in clips, each a clip or a part of one, with the class that it was taken for as its target.

    why_unknown: of each, a sentence; "" for one whose class is believed. renderer: draws what is shown of each.
    lengths: of the clips in which it was found, in seconds, if these are parts.
    """

    noun: str
    title: str
    verdict: str
    scored: Predictions
    why_unknown: Sequence[str]
    renderer: SpectrogramRenderer
    lengths: Mapping[str, float]


def report_on_labels(
    clips: Sequence[ClipScores | Timeline],
    model: Model,
    card: ModelCard | None,
    choice: SoundChoice,
    progress: Progress,
) -> Report:
    """The report on clips, or segments or events of them, whose classes nobody has given.

    card: the model's; None if the model has none. choice: which sound of the clips was heard.
    """
    timelines = [clip for clip in clips if isinstance(clip, Timeline)]
    scores = [clip for clip in clips if isinstance(clip, ClipScores)]
    found = _in_timelines(timelines, model) if timelines else _in_clips(scores, model)
    places, renderer = found.scored.places, found.renderer
    cards = cards_of_unnamed(found.scored, found.why_unknown)
    pictured = [clip_card.number for clip_card in cards[:MOST_PICTURED]]
    sources = counted("excerpts", clip_sources(places, pictured, renderer, choice), len(pictured), progress)
    cards = with_excerpts(cards, sources, renderer)
    remarks = []
    if len(cards) < len(places):
        remarks.append(f"Of them, the {MOST_CLIPS} most doubtful are shown.")
    if len(pictured) < len(cards):
        remarks.append(f"The {MOST_PICTURED} most doubtful have a picture and a sound, as far as there is room.")
    return Report(
        title=found.title,
        noun=found.noun,
        labels=model.labels,
        recordings=len(clips),
        remarks=remarks,
        cards=cards,
        card=shown_card(card, model.labels),
        made=now().isoformat()[:10],
        verdict=found.verdict,
        lengths=found.lengths,
    )


def _in_clips(clips: Sequence[ClipScores], model: Model) -> Found:
    """What was found in whole clips."""
    table = np.array([[clip.scores[label] for label in model.labels] for clip in clips])
    counted = count(len(clips), "clip")
    return Found(
        "clip",
        f"What {counted} sound like",
        f"{counted}: {_amounts(Counter(clip.label for clip in clips), '{:,}'.format)}.",
        Predictions(model.labels, [place_of(clip) for clip in clips], table.argmax(axis=1), table),
        [f"Unknown: {clip.explanation}." if clip.is_unknown else "" for clip in clips],
        model.renderer,
        {},
    )


def _in_timelines(clips: Sequence[Timeline], model: Model) -> Found:
    """What was found in parts of clips: their segments, or their events."""
    segments = [segment for clip in clips for segment in clip.segments]
    places: list[Place] = []
    for clip in clips:
        recording = recording_of_clip(clip.clip)
        places += [Place(clip.clip, *segment.part, recording) for segment in clip.segments]
    numbers = {label: number for number, label in enumerate(model.labels)}
    table = np.array([segment.scores for segment in segments]).reshape(-1, len(numbers))
    taken_for = [numbers.get(segment.label, best) for segment, best in zip(segments, table.argmax(axis=1), strict=True)]
    counted = count(len(clips), "clip")
    if isinstance(clips[0], Events):
        noun = "event"
        amounts = _amounts(Counter(segment.label for segment in segments), "{:,}".format)
        verdict = f"{count(len(segments), noun)}: {amounts}." if segments else f"No events in {counted}."
    else:
        noun, heard_seconds = "segment", defaultdict[str, float](float)
        for segment in segments:
            heard_seconds[segment.label] += segment.part.seconds
        verdict = f"{counted}: {_amounts(heard_seconds, duration)}."
    settings = model.settings
    seconds = EXCERPT_SECONDS / slowed_down(settings.sample_rate_hz)
    return Found(
        noun,
        f"What is heard when in {counted}",
        verdict,
        Predictions(model.labels, places, np.array(taken_for, np.intp), table),
        [UNKNOWN_SEGMENT if segment.label == UNKNOWN else "" for segment in segments],
        replace(model.renderer, settings=replace(settings, chunk_seconds=seconds, overlap_seconds=0)),
        {recording_of(clip.clip): clip.seconds for clip in clips},
    )


def _amounts(of_labels: Mapping[str, float], shown: Callable[[float], str]) -> str:
    """How much of each class there is, most first; what is unknown comes last."""
    known = sorted((label for label in of_labels if label != UNKNOWN), key=lambda label: -of_labels[label])
    amounts = [f"{quoted(label)} {shown(of_labels[label])}" for label in known]
    return ", ".join([*amounts, *([f"unknown {shown(of_labels[UNKNOWN])}"] if UNKNOWN in of_labels else [])])
