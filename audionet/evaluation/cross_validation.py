"""Fit classifiers, and measure them on recordings that they were not trained on: in folds, or on one split."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from audionet.dataset.samples import Dataset
from audionet.evaluation.predictions import Place, Predictions
from audionet.evaluation.result import EvaluationResult
from audionet.options import SplitOptions
from audionet.system.progress import Progress, counted
from audionet.training.calibrator import History
from audionet.training.classifier import Classifier, Indices, Store, Trainer
from audionet.training.folds import EvaluationPlan
from audionet.training.split import TEST, TRAIN, VALIDATION, non_overlapping_train_mask

NOTHING: Indices = np.empty(0, np.intp)


@dataclass(frozen=True)
class TrainingResult:
    """A classifier of a data set, and how good it is.

    trainer: what fitted it. evaluation: None if no sample was held out for testing.
    validation_accuracy: 0 to 1; None if there was no validation part.
    history: the history of the training that was measured; with folds, that of the first.
    """

    dataset: Dataset
    trainer: Trainer
    classifier: Classifier
    evaluation: EvaluationResult | None
    validation_accuracy: float | None
    history: History


def fit_and_evaluate(
    trainer: Trainer, dataset: Dataset, plan: EvaluationPlan, *, store: Store | None, progress: Progress
) -> TrainingResult:
    """Measure as planned, then fit to all samples (or keep the classifier that was measured, if the plan says so).

    store: is given the classifier that is kept, on its way.
    """
    everything = np.arange(len(dataset))
    if plan.folds is not None:
        result, history = cross_validate(trainer, dataset, plan.folds, plan.options, progress)
        watched = NOTHING if result is None else None  # the training itself, where nothing was held out
        fitted = trainer.fit(everything, watched=watched, store=store, progress=progress)
        return TrainingResult(dataset, trainer, fitted.classifier, result, None, history or fitted.history)
    train, validation, test = (plan.split.indices(part) for part in (TRAIN, VALIDATION, TEST))
    is_kept = not plan.options.refit or len(train) == len(everything)
    fitted = trainer.fit(train, watched=validation, store=store if is_kept else None, progress=progress)
    measured, history = fitted.classifier, fitted.history
    validated, probabilities = (measured.probabilities(trainer.coordinates(part)) for part in (validation, test))
    validation_accuracy = _accuracy(dataset, validation, validated) if len(validation) else None
    evaluation = evaluate_samples(dataset, test, probabilities, plan.options, []) if len(test) else None
    if not is_kept:
        fitted = trainer.fit(everything, store=store, progress=progress)
    return TrainingResult(dataset, trainer, fitted.classifier, evaluation, validation_accuracy, history)


def cross_validate(
    trainer: Trainer, dataset: Dataset, folds: Indices, options: SplitOptions, progress: Progress
) -> tuple[EvaluationResult | None, History]:
    """Hold out each of the folds in turn: that of each sample, from 0. The history shows the first.

    None if no class has more than one picture: there is nothing to hold out then.
    """
    probabilities = np.zeros((len(dataset), len(dataset.labels)))
    tested = np.zeros(len(dataset), bool)
    accuracies: list[float] = []
    history: History = []
    count = int(folds.max()) + 1
    for fold in counted("folds", range(count), count, progress):
        train = non_overlapping_train_mask(dataset.samples, folds == fold)
        held = (folds == fold) & ~train  # a class of one chunk has nothing to hold out
        if held.any():
            test = np.flatnonzero(held)
            measured = trainer.measure(np.flatnonzero(train), test, is_watched=not accuracies)
            history = history or measured.history
            probabilities[test] = measured.probabilities
            tested |= held
            accuracies.append(_accuracy(dataset, test, probabilities[test]))
    if not tested.any():
        return None, history
    test = np.flatnonzero(tested)
    return evaluate_samples(dataset, test, probabilities[test], options, accuracies), history


def evaluate_samples(
    dataset: Dataset, test: Indices, probabilities: NDArray[np.float64], options: SplitOptions, accuracies: list[float]
) -> EvaluationResult:
    """What the probabilities (tested samples x classes) come to; of options.test_batch_size of them, drawn with the
    seed, if there are more (-1: of all). accuracies: of the folds."""
    if 0 < options.test_batch_size < len(test):
        random = np.random.default_rng(options.seed)
        drawn = np.sort(random.choice(len(test), options.test_batch_size, replace=False))
        test, probabilities = test[drawn], probabilities[drawn]
    samples = [dataset.samples[i] for i in test]
    places = [Place(sample.name, sample.start_seconds, sample.end_seconds, sample.recording) for sample in samples]
    predictions = Predictions(dataset.labels, places, dataset.targets[test], probabilities)
    recordings = len({sample.sha256 or sample.recording for sample in samples})
    return EvaluationResult.of(predictions, recordings, accuracies, len({sample.group for sample in samples}))


def _accuracy(dataset: Dataset, samples: Indices, probabilities: NDArray[np.float64]) -> float:
    """The share of samples, 0 to 1, whose most probable class is their own. probabilities: samples x classes."""
    return float((probabilities.argmax(axis=1) == dataset.targets[samples]).mean())
