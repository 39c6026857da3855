"""The tested chunks or clips one by one: the class of each, and the probabilities that it was given."""

import functools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from audionet.evaluation.confusion import Confusion

BINS = 10  # of equal width, as is usual


@dataclass(frozen=True)
class CalibrationBin:
    """Predictions with scores between two tenths: how many, the sum of their scores, and how many were right."""

    count: int
    score_sum: float
    right_sum: float

    @property
    def score(self) -> float:
        """The mean score, 0 to 1."""
        return self.score_sum / self.count

    @property
    def right(self) -> float:
        """The share that was right, 0 to 1."""
        return self.right_sum / self.count


@dataclass(frozen=True)
class Place:
    """What a tested chunk or clip is called, and where it lies in its recording.

    recording: the path of that, as a table of corrections names it; "" if it has none.
    is_whole: it is the whole recording.
    """

    name: str
    start_seconds: float
    end_seconds: float
    recording: str = ""
    is_whole: bool = False


@dataclass(frozen=True)
class Pair:
    """Two classes, how often each was taken for the other, and how much probability they give each other."""

    first: str
    second: str
    first_as_second: int
    second_as_first: int
    shared: float

    @property
    def times(self) -> int:
        """How often the two were confused."""
        return self.first_as_second + self.second_as_first


@dataclass(frozen=True)
class Predictions:
    """Chunks or clips that the model had not heard, and what it made of them.

    places: of each. targets: the number of the class of each. probabilities: tested x classes.
    """

    labels: list[str]
    places: Sequence[Place]
    targets: NDArray[np.integer]
    probabilities: NDArray[np.floating]

    def __len__(self) -> int:
        return len(self.places)

    @functools.cached_property
    def predicted(self) -> NDArray[np.intp]:
        """For each, the number of its best class; of equally good ones, the first."""
        return np.asarray(self.probabilities.argmax(axis=1))

    @functools.cached_property
    def scores(self) -> NDArray[np.floating]:
        """For each, the probability of its best class."""
        return np.asarray(self.probabilities.max(axis=1))

    @functools.cached_property
    def confusion(self) -> Confusion:
        """The confusion matrix of the predictions."""
        return Confusion.of(self.labels, self.targets, self.predicted)

    def mistakes(self) -> list[int]:
        """The positions of chunks or clips that were predicted as another class, the surest first."""
        wrong = np.flatnonzero(self.predicted != self.targets)
        return [int(i) for i in wrong[np.argsort(-self.scores[wrong], kind="stable")]]

    def least_certain(self) -> list[int]:
        """The positions of chunks or clips that were predicted right, the lowest score first."""
        right = np.flatnonzero(self.predicted == self.targets)
        return [int(i) for i in right[np.argsort(self.scores[right], kind="stable")]]

    def calibration(self) -> list[CalibrationBin]:
        """The tenths of scores in which there is something, from the lowest."""
        tenths, is_right = np.minimum((self.scores * BINS).astype(np.intp), BINS - 1), self.predicted == self.targets
        masks = (tenths == tenth for tenth in np.unique(tenths))
        return [
            CalibrationBin(int(mask.sum()), float(self.scores[mask].sum()), float(is_right[mask].sum()))
            for mask in masks
        ]

    @property
    def calibration_error(self) -> float:
        """How far the scores are from the share that is right: 0 (they mean what they say) to 1.

        The expected calibration error: the difference between a bin's mean score and its share of right ones, averaged
        over what was scored (Naeini et al., 2015; Guo et al., 2017).
        """
        return sum(abs(each.score_sum - each.right_sum) for each in self.calibration()) / len(self)

    def pairs(self) -> list[Pair]:
        """The pairs of classes that were confused, the most often first; if none were, the pair that comes nearest to
        it. Of equals, those come first that share more probability."""
        matrix = self.confusion.matrix
        given = np.zeros(matrix.shape)
        for number in np.unique(self.targets):
            given[number] = self.probabilities[self.targets == number].mean(axis=0)
        ones, others = np.nonzero(np.triu(matrix + matrix.T, 1))
        if not len(ones):
            nearest = np.triu(1 + given + given.T, 1).argmax()
            ones, others = np.atleast_1d(*np.unravel_index(nearest, given.shape))
        confused = matrix[ones, others] + matrix[others, ones]
        shared = (given[ones, others] + given[others, ones]) / 2
        order = np.lexsort((-shared, -confused))
        return [
            Pair(self.labels[i], self.labels[j], int(matrix[i, j]), int(matrix[j, i]), float(share))
            for i, j, share in zip(ones[order].tolist(), others[order].tolist(), shared[order].tolist(), strict=True)
            if i < j  # of one class there is no pair
        ]
