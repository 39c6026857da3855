"""What `evaluate` found, and its report."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from audionet.audio.channels import USUAL
from audionet.dataset.checks import ClassData
from audionet.errors import UnusableInput
from audionet.evaluation.confusion import Confusion
from audionet.evaluation.detection import Detection
from audionet.evaluation.predictions import Place, Predictions
from audionet.inference.clips import ClipScores
from audionet.model.card import ModelCard, now, shown_card
from audionet.report.charts import caption, evenly_chosen, flat
from audionet.report.content import Map, Report
from audionet.report.excerpts import clip_sources, place_of, with_excerpts
from audionet.report.review import cards_of_clips
from audionet.settings import SoundChoice
from audionet.spectrogram.transform import SpectrogramRenderer
from audionet.system.grouping import grouped
from audionet.system.text import count
from audionet.training.unknown import centred_logs

CAPTION = "Each mark is a clip; clips that were given alike scores lie close together."
SMALLEST_SCORE = 1e-6  # below it, differences mean nothing
GOLDEN = 0.618034  # of a row's height, modulo it: spreads points evenly, always the same way


@dataclass(frozen=True)
class Evaluation:
    """How many clips are right, by the best class of each.

    tested: the clips as the report has them. clips: each with its true class.
    skipped: what could not be used.
    renderer: of the model's pictures. card: the model's, see model/card.py; None if it came without.
    warnings: of the clips. detection: of annotated recordings; None if there were none. sound: that was heard of each.
    """

    tested: Predictions
    clips: list[tuple[ClipScores, str]]
    skipped: list[UnusableInput]
    renderer: SpectrogramRenderer
    card: ModelCard | None
    warnings: list[str]
    detection: Detection | None = None
    sound: SoundChoice = USUAL

    @property
    def confusion(self) -> Confusion:
        """How many clips of each class were taken for each class."""
        return self.tested.confusion

    @property
    def misclassified(self) -> list[tuple[ClipScores, str]]:
        """The clips whose best class is not theirs, each with its class."""
        return [(clip, truth) for clip, truth in self.clips if clip.best != truth]

    @property
    def unknown(self) -> list[tuple[ClipScores, str]]:
        """The clips that were called unknown, each with its class."""
        return [(clip, truth) for clip, truth in self.clips if clip.is_unknown]

    @property
    def calibration_error(self) -> float:
        """How far the scores are from the share that is right, 0 to 1."""
        return self.tested.calibration_error


def report_on_evaluation(evaluation: Evaluation) -> Report:
    """The report on clips, each with its class."""
    clips, tested, renderer = evaluation.clips, evaluation.tested, evaluation.renderer
    labels, cards = tested.labels, cards_of_clips(tested, evaluation.detection)
    false = (card for card in cards if card.number >= len(tested))  # whose numbers go on
    places = [*tested.places, *(Place(card.path, card.start_seconds, card.end_seconds) for card in false)]
    sources = clip_sources(places, [card.number for card in cards], renderer, evaluation.sound)
    unknown = len(evaluation.unknown)
    return Report(
        title=f"How well it tells {len(labels)} classes apart, on {count(len(clips), 'clip')}",
        noun="clip",
        labels=labels,
        tested=tested,
        recordings=len(clips),
        classes=_classes(clips),
        warnings=evaluation.warnings,
        remarks=[f"{count(unknown, 'clip')} called unknown, counted here by the best class."] if unknown else [],
        map=map_of_clips(tested),
        cards=with_excerpts(cards, sources, renderer),
        card=shown_card(evaluation.card, labels),
        made=now().isoformat()[:10],
        detection=evaluation.detection,
    )


def predictions_of(clips: Sequence[tuple[ClipScores, str]], labels: list[str]) -> Predictions:
    """Clips, each with its class, as predictions of a model of these labels."""
    return Predictions(
        labels,
        [place_of(clip) for clip, _ in clips],
        np.array([labels.index(truth) for _, truth in clips], np.intp),
        np.array([[clip.scores[label] for label in labels] for clip, _ in clips]),
    )


def _classes(clips: Sequence[tuple[ClipScores, str]]) -> list[ClassData]:
    seconds = grouped((truth, clip.seconds) for clip, truth in clips)
    return [ClassData(name, len(lengths), len(lengths), sum(lengths)) for name, lengths in sorted(seconds.items())]


def map_of_clips(tested: Predictions) -> Map:
    """The clips' scores, flat; of very many, evenly spaced ones. Of two classes, how the scores lean lies across, and
    each class has a row."""
    chosen = evenly_chosen(len(tested))
    targets, logs = tested.targets[chosen], centred_logs(np.maximum(tested.probabilities[chosen], SMALLEST_SCORE))
    points = flat(logs)
    if len(tested.labels) == 2:
        width = max(float(np.ptp(logs[:, 1])), 1e-9)
        rows = targets * 0.3 + np.arange(len(targets)) * GOLDEN % 1 * 0.2
        points = np.column_stack([logs[:, 1], rows * width])
    names = [tested.places[position].name for position in chosen]
    return Map(points, targets, names, chosen.tolist(), caption(CAPTION, len(chosen), len(tested), "clip"))
