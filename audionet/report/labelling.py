"""What `label` found -> its report: the clips to look at, to listen to, and to name."""

from collections import Counter
from collections.abc import Sequence

import numpy as np

from audionet.evaluation.predictions import Predictions
from audionet.inference.clips import ClipScores
from audionet.model.bundle import Model
from audionet.model.card import ModelCard, now
from audionet.report.content import Report
from audionet.report.excerpts import clip_sources, excerpts, place_of
from audionet.report.review import MOST_CLIPS, MOST_PICTURED, cards_of_unnamed_clips, with_excerpts
from audionet.report.sentences import quoted
from audionet.system.text import count


def report_on_labels(clips: Sequence[ClipScores], model: Model, card: ModelCard | None) -> Report:
    """The report on clips whose classes nobody has given. card: the model's; None if the model has none."""
    table = np.array([[clip.scores[label] for label in model.labels] for clip in clips])
    places = [place_of(clip) for clip in clips]
    scored = Predictions(model.labels, places, table.argmax(axis=1), table)
    cards = cards_of_unnamed_clips(
        scored, [f"Unknown: {clip.explanation}." if clip.is_unknown else "" for clip in clips]
    )
    pictured = [clip_card.number for clip_card in cards[:MOST_PICTURED]]
    shown = excerpts(scored, clip_sources(scored, pictured, model.renderer), model.renderer)
    left_out = len(clips) - len(cards)
    return Report(
        title=f"What {count(len(clips), 'clip')} sound like",
        noun="clip",
        labels=model.labels,
        tested=None,
        recordings=len(clips),
        classes=[],
        warnings=[],
        remarks=[f"Of them, the {MOST_CLIPS} most doubtful are shown."] if left_out else [],
        history=[],
        map=None,
        cards=with_excerpts(cards, shown),
        card=card.for_people() if card else {"Classes": f"{len(model.labels)}: {', '.join(model.labels)}"},
        made=now().isoformat()[:10],
        verdict=_verdict(clips),
    )


def _verdict(clips: Sequence[ClipScores]) -> str:
    known = Counter(clip.best for clip in clips if not clip.is_unknown)
    counts = [f"{quoted(label)} {times:,}" for label, times in known.most_common()]
    unknown = sum(clip.is_unknown for clip in clips)
    return f"{count(len(clips), 'clip')}: {', '.join([*counts, *([f'unknown {unknown:,}'] if unknown else [])])}."
