"""Bottlenecks of known classes -> a classifier, measured on sound that it was not trained on."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from audionet.alike import groups_alike
from audionet.calibration import Familiarity, comparable
from audionet.discriminant import Discriminant, Span, choose_basis
from audionet.progress import Progress, silent
from audionet.settings import RetrainOptions
from audionet.softmax import Examples, Softmax, train
from audionet.split import Item, folds, kept_apart

CALIBRATION_FOLDS = 5


@dataclass(frozen=True)
class Classifier:
    """probabilities = softmax of a discriminant's scores. distances are from the middle of the training."""

    discriminant: Discriminant
    softmax: Softmax
    familiarity: Familiarity
    middle: np.ndarray

    def probabilities(self, coordinates: np.ndarray) -> np.ndarray:
        """A row for each row of coordinates."""
        return self.softmax.probabilities(self.discriminant.scores(coordinates))


class Classroom:
    """The pictures to learn from, laid out in the space that they span.

    features: float16, pictures x variations x features; the first variation is the picture as it is.
    targets: the class of each picture.
    chunk_seconds: the sound in a full picture.
    """

    def __init__(
        self,
        features: np.ndarray,
        targets: np.ndarray,
        items: Sequence[Item],
        classes: int,
        chunk_seconds: float,
        options: RetrainOptions,
    ) -> None:
        pictures, self._variations, size = features.shape
        flat = features.reshape(pictures * self._variations, size)
        self.span = Span(flat, choose_basis(len(flat), options.seed))
        self._targets, self._items, self._classes, self._options = targets, items, classes, options
        seconds = np.array([item.end_seconds - item.start_seconds for item in items])
        self._shares = np.clip(seconds / chunk_seconds, 1e-3, 1)
        self._row_targets = np.repeat(targets, self._variations)

    def coordinates(self, pictures: np.ndarray) -> np.ndarray:
        """Of the pictures as they are."""
        return np.asarray(self.span.coordinates[pictures * self._variations])

    def rows(self, pictures: np.ndarray) -> np.ndarray:
        """Of pictures and all their variations: pictures x variations."""
        return np.asarray(pictures[:, None] * self._variations + np.arange(self._variations))

    def fit(self, pictures: np.ndarray) -> Discriminant:
        """The discriminant of some pictures and all their variations."""
        return self.span.fit(self.rows(pictures).ravel(), self._row_targets, self._classes)

    def learn(
        self,
        pictures: np.ndarray,
        validation: np.ndarray,
        summaries_dir: Path | None = None,
        progress: Progress = silent,
        store: Callable[[int, Classifier], None] | None = None,
    ) -> Classifier:
        """A classifier from some pictures; how it does on the validation pictures goes into the summaries.

        store: is called with a step and the classifier so far, every options.intermediate_store_frequency steps.

        The softmax learns from scores of pictures that were held out with all that sounds like them.
        """
        discriminant = self.fit(pictures)
        held_out = self._held_out_scores(pictures, discriminant)
        options, targets = self._options, self._targets
        coordinates = self.coordinates(pictures)
        middle = coordinates.mean(axis=0)

        def store_softmax(step: int, softmax: Softmax) -> None:
            if store is not None:
                store(step, Classifier(discriminant, softmax, Familiarity(0.0, float("inf")), middle))

        softmax = train(
            Examples(held_out[:, 0], targets[pictures]),
            Examples(discriminant.scores(self.coordinates(validation)), targets[validation]),
            steps=options.steps,
            learning_rate=options.learning_rate,
            batch_size=options.train_batch_size,
            seed=options.seed,
            summaries_dir=summaries_dir,
            evaluation_interval_steps=options.eval_step_interval,
            validation_batch_size=options.validation_batch_size,
            store=store_softmax,
            store_interval_steps=0 if store is None else options.intermediate_store_frequency,
            progress=progress,
        )
        distances = comparable(((coordinates - middle) ** 2).sum(axis=1), self._shares[pictures])
        # Short clips and other speeds score lower, and are of the classes all the same.
        best = softmax.probabilities(held_out.reshape(-1, self._classes)).max(axis=1)
        familiarity = Familiarity.of(best, distances)
        return Classifier(discriminant, softmax, familiarity, middle)

    def _held_out_scores(self, pictures: np.ndarray, everything: Discriminant) -> np.ndarray:
        """The scores, pictures x variations x classes, from discriminants that have heard neither the picture nor what
        sounds like it.

        A class that lies in one group is heard all the same; a class of one picture has no other.
        """
        items, targets = [self._items[i] for i in pictures], self._targets[pictures]
        coordinates = self.coordinates(pictures)
        groups = np.array(
            groups_alike(coordinates, targets, [item.recording for item in items], folds(items, CALIBRATION_FOLDS))
        )
        varied = self.span.coordinates[self.rows(pictures)]
        scores = everything.scores(varied)
        for group in np.unique(groups):
            held = groups == group
            kept = np.array(kept_apart(items, held.tolist()))
            scores[held] = self.fit(pictures[kept]).scores(varied[held])
        return scores
