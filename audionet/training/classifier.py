"""Bottlenecks of known classes -> a classifier, measured on sound that it was not trained on."""

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from audionet.options import RetrainOptions
from audionet.system.progress import Progress, silent
from audionet.training.alike import cluster_groups
from audionet.training.calibrator import Calibrator, Examples, History, train
from audionet.training.lda import LinearDiscriminant, SufficientStatistics
from audionet.training.split import Item, folds, non_overlapping_train_mask
from audionet.training.subspace import Subspace
from audionet.training.unknown import RejectionThresholds, comparable_distance

CALIBRATION_FOLDS = 5
# So many are enough to learn a sharpness and a bias a class from; and at least so many of each class.
CALIBRATION_PICTURES, CALIBRATION_PICTURES_A_CLASS = 5000, 20


@dataclass(frozen=True)
class Classifier:
    """probabilities = softmax of a discriminant's scores. distances are from the middle of the training."""

    discriminant: LinearDiscriminant
    softmax: Calibrator
    thresholds: RejectionThresholds
    centroid: np.ndarray

    def probabilities(self, coordinates: np.ndarray) -> np.ndarray:
        """A row for each row of coordinates."""
        return self.softmax.probabilities(self.discriminant.scores(coordinates))


class Trainer:
    """The pictures to learn from.

    space: pictures x variations of them, one variation after the other; the first is the picture as it is.
    targets: the class of each picture.
    chunk_seconds: the sound in a full picture.
    """

    def __init__(
        self,
        subspace: Subspace,
        targets: np.ndarray,
        items: Sequence[Item],
        classes: int,
        chunk_seconds: float,
        options: RetrainOptions,
    ) -> None:
        self.subspace = subspace
        self._augmentations = len(subspace.coordinates) // len(items)
        self._targets, self._items, self._classes, self._options = targets, items, classes, options
        seconds = np.array([item.end_seconds - item.start_seconds for item in items])
        self._shares = np.clip(seconds / chunk_seconds, 1e-3, 1)

    def coordinates(self, pictures: np.ndarray) -> np.ndarray:
        """Of the pictures as they are."""
        return np.asarray(self.subspace.coordinates[pictures * self._augmentations])

    def _augmented(self, pictures: np.ndarray) -> np.ndarray:
        """The coordinates of pictures and all their variations: pictures x variations x axes."""
        return np.asarray(
            self.subspace.coordinates[pictures[:, None] * self._augmentations + np.arange(self._augmentations)]
        )

    def _statistics(self, pictures: np.ndarray) -> SufficientStatistics:
        """Of pictures and all their variations."""
        augmented = self._augmented(pictures).reshape(-1, self.subspace.coordinates.shape[1])
        return SufficientStatistics.of(
            augmented, np.repeat(self._targets[pictures], self._augmentations), self._classes
        )

    def _statistics_of_most(self, pictures: np.ndarray) -> SufficientStatistics:
        """The same, from those of all: quicker where few are missing."""
        others = np.setdiff1d(np.arange(len(self._items)), pictures)
        return (
            self._everything - self._statistics(others) if len(others) < len(pictures) else self._statistics(pictures)
        )

    @functools.cached_property
    def _everything(self) -> SufficientStatistics:
        # Without a copy of them all.
        targets = np.repeat(self._targets, self._augmentations)
        return SufficientStatistics.of(self.subspace.coordinates, targets, self._classes)

    def _centroid(self, pictures: np.ndarray) -> np.ndarray:
        """The mean of the pictures as they are."""
        originals = self.subspace.coordinates[:: self._augmentations]
        weights = np.bincount(pictures, minlength=len(originals)) / len(pictures)
        return np.asarray(weights.astype(originals.dtype) @ originals)

    def _squared_distances(self, centroid: np.ndarray) -> np.ndarray:
        """Of all pictures as they are."""
        originals = self.subspace.coordinates[:: self._augmentations]
        squares = np.einsum("ij,ij->i", originals, originals) - originals @ (2 * centroid) + centroid @ centroid
        return np.asarray(np.maximum(squares, 0) + self.subspace.squared_residuals[:: self._augmentations])

    def learn(
        self,
        pictures: np.ndarray,
        validation: np.ndarray,
        summaries_dir: Path | None = None,
        progress: Progress = silent,
        store: Callable[[int, Classifier], None] | None = None,
        history: History | None = None,
    ) -> Classifier:
        """A classifier from some pictures; how it does on the validation pictures goes into summaries and curve.

        store: is called with a step and the classifier so far, every options.intermediate_store_frequency steps.

        The softmax learns from scores of pictures that were held out with all that sounds like them.
        """
        statistics = self._statistics_of_most(pictures)
        discriminant = LinearDiscriminant.of(statistics)
        calibrated = self._drawn(pictures)
        if len(calibrated) < len(pictures):
            statistics = self._statistics(calibrated)
        held_out = self._held_out_scores(calibrated, statistics)
        options, targets = self._options, self._targets
        centroid = self._centroid(pictures)

        def store_calibrator(step: int, softmax: Calibrator) -> None:
            if store is not None:
                store(step, Classifier(discriminant, softmax, RejectionThresholds(0.0, float("inf")), centroid))

        softmax = train(
            Examples(held_out[:, 0], targets[calibrated]),
            Examples(discriminant.scores(self.coordinates(validation)), targets[validation]),
            steps=options.steps,
            learning_rate=options.learning_rate,
            batch_size=options.train_batch_size,
            seed=options.seed,
            summaries_dir=summaries_dir,
            history=history,
            evaluation_interval_steps=options.eval_step_interval,
            validation_batch_size=options.validation_batch_size,
            store=store_calibrator,
            store_interval_steps=0 if store is None else options.intermediate_store_frequency,
            progress=progress,
        )
        distances = comparable_distance(self._squared_distances(centroid)[pictures], self._shares[pictures])
        # Short clips and other speeds score lower, and are of the classes all the same.
        best = softmax.probabilities(held_out.reshape(-1, self._classes)).max(axis=1)
        thresholds = RejectionThresholds.of(best, distances)
        return Classifier(discriminant, softmax, thresholds, centroid)

    def _drawn(self, pictures: np.ndarray) -> np.ndarray:
        """The pictures, or about CALIBRATION_PICTURES of them, drawn at random from each class."""
        if len(pictures) <= CALIBRATION_PICTURES:
            return pictures
        random, share = np.random.default_rng(self._options.seed), CALIBRATION_PICTURES / len(pictures)
        drawn = []
        for number in range(self._classes):
            members = pictures[self._targets[pictures] == number]
            count = max(round(share * len(members)), CALIBRATION_PICTURES_A_CLASS)
            drawn.append(random.permutation(members)[:count])
        return np.sort(np.concatenate(drawn))

    def _held_out_scores(self, pictures: np.ndarray, everything: SufficientStatistics) -> np.ndarray:
        """The scores, pictures x variations x classes, from discriminants that have heard neither the picture nor what
        sounds like it. everything: the moments of all the pictures.

        A class that lies in one group is heard all the same; a class of one picture has no other.
        """
        items, targets = [self._items[i] for i in pictures], self._targets[pictures]
        coordinates = self.coordinates(pictures)
        groups = np.array(
            cluster_groups(coordinates, targets, [item.recording for item in items], folds(items, CALIBRATION_FOLDS))
        )
        augmented = self._augmented(pictures)
        scores = np.empty((*augmented.shape[:-1], self._classes))
        for group in np.unique(groups):
            held = groups == group
            left_out = ~np.array(non_overlapping_train_mask(items, held.tolist()))
            scores[held] = LinearDiscriminant.of(everything - self._statistics(pictures[left_out])).scores(
                augmented[held]
            )
        return scores
