"""What `retrain` found -> its report."""

from collections import Counter
from pathlib import Path

from audionet.dataset.checks import class_data
from audionet.evaluation.cross_validation import TrainingResult
from audionet.model.card import ModelCard
from audionet.report.charts import caption, evenly_chosen, flat
from audionet.report.content import Map, Report
from audionet.report.excerpts import prepared_sources, with_excerpts
from audionet.report.review import cards_of_chunks
from audionet.spectrogram.transform import SpectrogramRenderer

CAPTION = "Each mark is a chunk; chunks whose pictures the network finds alike lie close together."


def report_on_training(
    result: TrainingResult, card: ModelCard, image_dir: Path, renderer: SpectrogramRenderer, key: str
) -> Report:
    """The report on a model that has just been trained. card: the model's. key: of the training."""
    labels, evaluation = result.dataset.labels, result.evaluation
    tested = evaluation.tested if evaluation else None
    cards = []
    if tested:
        cards = cards_of_chunks(tested, Counter(sample.recording for sample in result.dataset if not sample.is_marked))
        positions = [chunk_card.number for chunk_card in cards]
        sources = prepared_sources(tested.places, positions, image_dir, renderer)
        cards = with_excerpts(cards, sources, renderer)
    return Report(
        title=f"How well it tells {len(labels)} classes apart",
        noun="chunk",
        labels=labels,
        tested=tested,
        recordings=evaluation.recordings if evaluation else 0,
        groups=evaluation.groups if evaluation else None,
        folds=len(evaluation.fold_accuracies) if evaluation else 0,
        classes=class_data(result.dataset.samples),
        warnings=card.warnings,
        history=result.history,
        map=_map(result),
        cards=cards,
        card=card.for_people(),
        made=card.made[:10],
        key=key,
    )


def _map(result: TrainingResult) -> Map:
    """The chunks' bottlenecks, flat; of very many, evenly spaced ones."""
    dataset = result.dataset
    chosen = evenly_chosen(len(dataset))
    tested = result.evaluation.tested if result.evaluation else None
    positions = {place.name: n for n, place in enumerate(tested.places)} if tested else {}
    names = [dataset.samples[i].name for i in chosen]
    points = flat(result.trainer.coordinates(chosen))
    tested_at = [positions.get(name, -1) for name in names]
    return Map(points, dataset.targets[chosen], names, tested_at, caption(CAPTION, len(chosen), len(dataset), "chunk"))
