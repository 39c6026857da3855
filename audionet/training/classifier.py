"""Bottlenecks of known classes -> a classifier."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from audionet.dataset.samples import Dataset, Sample
from audionet.options import FitOptions
from audionet.spectrogram.augmentation import ORIGINAL, SHORT_SECONDS, Augmentation, number_rows
from audionet.system.progress import Progress, silent
from audionet.training.calibrator import Calibrator, Examples, History, train_calibrator
from audionet.training.folds import cluster_groups, folds
from audionet.training.lda import Discriminants, LinearDiscriminant, Parted
from audionet.training.split import non_overlapping_train_mask
from audionet.training.subspace import Subspace
from audionet.training.unknown import (
    MOST_DIRECTIONS,
    SMALLEST,
    Alike,
    HeldOut,
    RejectionThresholds,
    centred_logs,
    comparable_distance,
    farness,
    leading_direction,
)

CALIBRATION_FOLDS = 5
# So many are enough to learn a temperature from; and at least so many of each class.
CALIBRATION_PICTURES, CALIBRATION_PICTURES_A_CLASS = 5000, 20
MOST_DIFFERENCES = 500  # that directions are found from, evenly drawn
MOST_TIMES = 2.0  # as much of a class in the end, as where one of two recordings is held out

Indices = NDArray[np.intp]  # of samples in their data set


@dataclass(frozen=True)
class Classifier:
    """probabilities = the calibrated scores of a discriminant.

    centroid: the mean of the training samples, from which distances are measured: float64, axes.
    left_out: what lies along these directions, beside that of noise, is left out of distances: axes x n, orthonormal.
    """

    discriminant: LinearDiscriminant
    calibrator: Calibrator
    thresholds: RejectionThresholds
    centroid: NDArray[np.floating]
    left_out: NDArray[np.floating]

    def probabilities(self, coordinates: NDArray[np.floating]) -> NDArray[np.float64]:
        """The probability of each class: one row for each row of coordinates (n x axes)."""
        return self.calibrator.probabilities(self.discriminant.scores(coordinates))


@dataclass(frozen=True)
class FitResult:
    """A classifier, and the history of its calibrator, which is empty if nobody watched."""

    classifier: Classifier
    history: History


@dataclass(frozen=True)
class Measurement:
    """What a classifier of other samples says of some.

    probabilities: samples x classes. history: of its calibrator; empty if nobody watched.
    """

    probabilities: NDArray[np.float64]
    history: History


class _HeldOutScores(NamedTuple):
    """Scores of samples from discriminants that have not heard their recordings.

    indices: of the samples. recordings: which of them are held out together.
    scores: samples x some of the augmentations that fully count, the first of which is ORIGINAL, x classes.
    times_more: how much more of each class there is than was learnt from for these scores.
    """

    indices: Indices
    recordings: NDArray[np.intp]
    scores: NDArray[np.float64]
    times_more: float

    def originals(self, targets: NDArray[np.int32]) -> Examples:
        """The scores without augmentation. targets: the class of each sample of the data set."""
        return Examples(self.scores[:, 0], targets[self.indices])


class _Distances(NamedTuple):
    """How far samples lie from a centroid.

    of_samples: comparable ones, of all samples of the data set.
    left_out: the directions that are left out of them, beside that of noise: no more than it takes for what is spoilt
        in each way to be mostly near; axes x n, orthonormal.
    """

    of_samples: NDArray[np.floating]
    left_out: NDArray[np.floating]


Store = Callable[[int, Classifier], None]  # is given a step, and the classifier so far


class Trainer:
    """Fits classifiers to some of a data set's samples, and keeps what those fits have in common."""

    def __init__(
        self,
        subspace: Subspace,
        dataset: Dataset,
        chunk_seconds: float,
        options: FitOptions,
        augmentations: Sequence[Augmentation] = (ORIGINAL,),
        noise: NDArray[np.floating] | None = None,
    ) -> None:
        """subspace: of the samples' rows, as features.Features has it.
        chunk_seconds: the sound in a full picture. augmentations: of each sample; the first is ORIGINAL, as each
            distorted copy is. noise: the direction in which noise moves the features.
        """
        self.subspace = subspace
        self._noise = None if noise is None else subspace.along_axes(noise)
        self._noise_length = 0.0 if noise is None else float(np.linalg.norm(noise))
        self._dataset, self._targets, self._classes = dataset, dataset.targets, len(dataset.labels)
        rows = number_rows(augmentations, [sample.digest for sample in dataset])
        weights = np.array([augmentation.weight for augmentation in augmentations])
        # Those that count little, such as sound in noise, say nothing of how good the scores are, or what is usual.
        full = np.flatnonzero(weights == 1).tolist()
        self._spoilt = rows[:, weights < 1]
        self._rows, self._parts = rows[:, full], [n for n, i in enumerate(full) if augmentations[i].part < 1]
        self._discriminants = Discriminants(
            subspace.coordinates, self._targets, weights, subspace.shrinkage, self._noise, rows
        )
        self._options = options
        seconds = np.array([sample.seconds * sample.sounding.part for sample in dataset])
        self._seconds = seconds.repeat((rows >= 0).sum(axis=1))  # of each row
        self._chunk_seconds = chunk_seconds

    def fit(
        self,
        train: Indices,
        *,
        watched: Indices | None = None,
        store: Store | None = None,
        progress: Progress = silent,
    ) -> FitResult:
        """A classifier of some samples.

        The calibrator learns from scores of samples whose recordings were held out: on all sets where it was tried, new
        sound is as unlike the old as that (docs/experiments.md). What is unknown is told by scores of samples that were
        held out with all that sounds like them.

        watched: samples of which the history tells too; None: there is none. store: is called every
        options.intermediate_store_frequency steps.
        """
        discriminant, centroid = self._discriminants.of(train), self._centroid(train)
        distances = self._distances(train, centroid)
        held_out = self._hold_out_recordings(train, [0, *self._parts])

        def with_calibrator(learnt: Calibrator) -> Classifier:
            calibrator, thresholds = learnt.of_more(held_out.times_more), RejectionThresholds(0.0, float("inf"))
            return Classifier(discriminant, calibrator, thresholds, centroid, distances.left_out)

        validation = None
        if watched is not None:
            validation = Examples(discriminant.scores(self.coordinates(watched)), self._targets[watched])
        fitted = train_calibrator(
            held_out.originals(self._targets),
            self._options,
            watched=validation,
            store=store and (lambda step, learnt: store(step, with_calibrator(learnt))),
            progress=progress,
        )
        calibrator = fitted.calibrator.of_more(held_out.times_more)
        own = self._calibrated(held_out, calibrator, distances.of_samples)
        by_class = [train[self._targets[train] == number] for number in range(self._classes)]
        thresholds = RejectionThresholds.learn(
            own, [distances.of_samples[each] for each in by_class], [self._usual_seconds(each) for each in by_class]
        )
        classifier = Classifier(discriminant, calibrator, thresholds, centroid, distances.left_out)
        return FitResult(classifier, fitted.history)

    def measure(self, train: Indices, test: Indices, *, is_watched: bool = False) -> Measurement:
        """What the classifier that `fit` gives of the training samples says of the test samples, for less work.

        is_watched: whether there is a history, which tells of the test samples too.
        """
        held_out = self._hold_out_recordings(train, [0])
        scores = self._discriminants.scores(train, self._rows[test, 0])
        watched = Examples(scores, self._targets[test]) if is_watched else None
        fitted = train_calibrator(held_out.originals(self._targets), self._options, watched=watched)
        return Measurement(fitted.calibrator.of_more(held_out.times_more).probabilities(scores), fitted.history)

    def _hold_out_recordings(self, train: Indices, augmentations: list[int]) -> _HeldOutScores:
        """Score the training samples, or some of very many, as if their recordings were new.

        augmentations: those that are scored, of those that fully count.
        """
        indices = self._drawn(train)
        samples = [self._dataset.samples[i] for i in indices]
        groups = np.array(folds(samples, CALIBRATION_FOLDS))
        parted = _each_held_out(samples, groups)
        rows = self._rows[indices][:, augmentations]
        scores = np.empty((*rows.shape, self._classes))
        self._discriminants.score_held_out(indices, rows, parted, scores.__setitem__)
        return _HeldOutScores(indices, groups, scores, self._times_more(indices, parted))

    def _hold_out_alike(self, held_out: _HeldOutScores, calibrator: Calibrator) -> Alike:
        """What the same samples would be taken for if all that sounds like them were new too."""
        indices = held_out.indices
        samples = [self._dataset.samples[i] for i in indices]
        rows, targets = self._rows[indices], self._targets[indices]
        groups = cluster_groups(self.coordinates(indices), targets, samples, held_out.recordings.tolist())
        alike = Alike(np.empty(rows.shape), np.empty(rows.shape))

        def note(held: Indices, scores: NDArray[np.float64]) -> None:
            probabilities = calibrator.probabilities(scores)
            alike.best[held] = probabilities.max(axis=2)
            own = np.take_along_axis(centred_logs(probabilities), targets[held, None, None], axis=2)
            alike.own_logs[held] = own[:, :, 0]

        self._discriminants.score_held_out(indices, rows, _each_held_out(samples, groups), note)
        return alike

    def _times_more(self, indices: Indices, parted: Sequence[Parted]) -> float:
        """How much more of each class there is, in the geometric mean, than is left where a group is held out."""
        targets = self._targets[indices]
        counts, logs = np.bincount(targets, minlength=self._classes), np.zeros(self._classes)
        for held, learnt in parted:
            left = np.bincount(targets[learnt], minlength=self._classes)
            logs += np.bincount(targets[held], minlength=self._classes) * np.log(np.minimum(counts / left, MOST_TIMES))
        return float(np.exp((logs / counts).mean()))

    def _calibrated(self, held_out: _HeldOutScores, calibrator: Calibrator, distances: NDArray[np.floating]) -> HeldOut:
        """What is known of samples that were held out. distances: comparable ones, of all samples."""
        indices, targets = held_out.indices, self._targets[held_out.indices]
        samples = (self._dataset.samples[i] for i in indices)
        recordings = Counter(class_name for class_name, _ in {(sample.class_name, sample.group) for sample in samples})
        own = calibrator.probabilities(held_out.scores)
        # The thresholds hold for short clips and other speeds too: these score lower, but are of the classes.
        alike = self._hold_out_alike(held_out, calibrator)
        return HeldOut(own[:, 0], own[:, 1:], alike, targets, distances[indices], min(recordings.values()))

    def _usual_seconds(self, samples: Indices) -> float:
        """How long the sound that is learnt from is, in the median: chunks, or parts of these."""
        usual = float(np.median([self._dataset.samples[i].seconds for i in samples]))
        return min(usual, SHORT_SECONDS) if self._parts else usual

    def coordinates(self, samples: Indices) -> NDArray[np.floating]:
        """The coordinates of samples without augmentation: samples x axes."""
        return np.asarray(self.subspace.coordinates[self._rows[samples, 0]])

    def _centroid(self, samples: Indices) -> NDArray[np.floating]:
        """The mean of the samples' coordinates, without augmentation."""
        counts = np.zeros(len(self.subspace.coordinates), self.subspace.coordinates.dtype)
        counts[self._rows[samples, 0]] = 1
        return np.asarray(counts @ self.subspace.coordinates / len(samples))

    def _distances(self, train: Indices, centroid: NDArray[np.floating]) -> _Distances:
        """How far every sample lies from the centroid of the training samples, less what being spoilt may add."""
        rows = self.subspace.coordinates  # none is copied, which would double the memory
        squares = np.einsum("ij,ij->i", rows, rows) - rows @ (2 * centroid) + centroid @ centroid
        if self._noise is not None:
            squares -= ((rows @ self._noise - centroid @ self._noise) / self._noise_length) ** 2
        originals, known = self._rows[:, 0], self._rows[train, 0]
        # The rows that are spoilt in each way, and those that they were made of.
        kinds = [(kind[kind >= 0], known[kind >= 0]) for kind in self._spoilt[train].T if (kind >= 0).any()]
        left_out = np.zeros((rows.shape[1], 0), rows.dtype)
        while True:
            all_squares = np.maximum(squares, 0) + self.subspace.squared_residuals
            distances = comparable_distance(all_squares, self._seconds, self._chunk_seconds)
            far = [farness(distances[spoilt], distances[known]) for spoilt, _ in kinds]
            if max(far, default=0.0) <= 1 or left_out.shape[1] == MOST_DIRECTIONS:
                break
            direction = self._leading_direction(*kinds[int(np.argmax(far))], left_out)
            if not direction.any():
                break
            squares -= np.square(rows @ direction - centroid @ direction)
            left_out = np.column_stack([left_out, direction])
        return _Distances(distances[originals], left_out)

    def _leading_direction(
        self, spoilt: NDArray[np.intp], unspoilt: NDArray[np.intp], left_out: NDArray[np.floating]
    ) -> NDArray[np.floating]:
        """The direction in which rows are moved most by being spoilt, beside those that are left out and noise."""
        numbers = slice(None, None, 1 + len(spoilt) // MOST_DIFFERENCES)
        differences = self.subspace.coordinates[spoilt[numbers]] - self.subspace.coordinates[unspoilt[numbers]]
        if self._noise is not None:
            noise = self._noise / max(float(np.linalg.norm(self._noise)), SMALLEST)
            left_out = np.column_stack([noise, left_out])
        return leading_direction(differences, left_out)

    def _drawn(self, samples: Indices) -> Indices:
        """The samples, or about CALIBRATION_PICTURES of them, drawn at random from each class."""
        if len(samples) <= CALIBRATION_PICTURES:
            return samples
        random, share = np.random.default_rng(self._options.seed), CALIBRATION_PICTURES / len(samples)
        drawn = []
        for number in range(self._classes):
            members = samples[self._targets[samples] == number]
            count = max(round(share * len(members)), CALIBRATION_PICTURES_A_CLASS)
            drawn.append(random.permutation(members)[:count])
        return np.sort(np.concatenate(drawn))


def _each_held_out(samples: Sequence[Sample], groups: NDArray[np.intp]) -> list[Parted]:
    """Each of the samples' groups held out in turn."""
    return [
        Parted(held, non_overlapping_train_mask(samples, held)) for held in (groups == n for n in np.unique(groups))
    ]
