"""What `retrain` found -> its report."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from audionet.evaluation.held_out import EvaluationResult, Lesson
from audionet.model.card import ModelCard
from audionet.report.charts import flat
from audionet.report.content import Map, Report
from audionet.report.excerpts import excerpts, prepared_sources
from audionet.spectrogram.transform import SpectrogramRenderer
from audionet.training.calibrator import History

MOST_ON_MAP = 600  # more would hide each other
CAPTION = "Each mark is a chunk; chunks whose pictures the network finds alike lie close together."


def report_on_training(
    lesson: Lesson,
    held_out: EvaluationResult | None,
    history: History,
    warnings: Sequence[str],
    card: ModelCard,
    image_dir: Path,
    renderer: SpectrogramRenderer,
    key: str,
) -> Report:
    """The report on a model that has just been trained."""
    tested = held_out.tested if held_out else None
    return Report(
        title=f"How well it tells {len(lesson.labels)} classes apart",
        noun="chunk",
        labels=lesson.labels,
        tested=tested,
        recordings=held_out.recordings if held_out else 0,
        classes=lesson.classes,
        warnings=warnings,
        history=history,
        map=_map(lesson, held_out),
        excerpts=excerpts(tested, prepared_sources(tested, image_dir), renderer) if tested else [],
        card=card.for_people(),
        made=card.made[:10],
        key=key,
    )


def _map(lesson: Lesson, held_out: EvaluationResult | None) -> Map:
    """The chunks' bottlenecks, flat; of very many, every so many-th."""
    count = len(lesson.names)
    chosen = np.unique(np.linspace(0, count - 1, min(count, MOST_ON_MAP)).round().astype(np.intp))
    tested = held_out.tested if held_out else None
    positions = {name: n for n, name in enumerate(tested.names)} if tested else {}
    names = [lesson.names[i] for i in chosen]
    points = flat(lesson.trainer.coordinates(chosen))
    return Map(points, lesson.targets[chosen], names, [positions.get(name, -1) for name in names], CAPTION)
