"""What was tested, one by one: the class of each chunk or clip, and the probabilities that it was given."""

import functools
from dataclasses import dataclass

import numpy as np

from audionet.evaluation.confusion import Confusion
from audionet.training.unknown import BINS


@dataclass(frozen=True)
class CalibrationBin:
    """What was scored between two tenths: how many, the mean score, and the share that was right, 0 to 1."""

    count: int
    score: float
    right: float


@dataclass(frozen=True)
class Pair:
    """Two classes: how often one was taken for the other, and back, and how much probability they give each other."""

    one: str
    other: str
    there: int
    back: int
    shared: float

    @property
    def times(self) -> int:
        """How often they were confused."""
        return self.there + self.back


@dataclass(frozen=True)
class Predictions:
    """Chunks or clips that the model had not heard, and what it made of them.

    names: what each is called. targets: the number of its class. probabilities: one row each, a column a class.
    starts_seconds, ends_seconds: its place in its recording.
    """

    labels: list[str]
    names: list[str]
    targets: np.ndarray
    probabilities: np.ndarray
    starts_seconds: list[float]
    ends_seconds: list[float]

    def __len__(self) -> int:
        return len(self.names)

    @functools.cached_property
    def predicted(self) -> np.ndarray:
        """The number of the best class of each; of equals the first."""
        return np.asarray(self.probabilities.argmax(axis=1))

    @functools.cached_property
    def scores(self) -> np.ndarray:
        """The best class's probability of each."""
        return np.asarray(self.probabilities.max(axis=1))

    @functools.cached_property
    def confusion(self) -> Confusion:
        """Right and wrong, counted."""
        return Confusion.of(self.labels, self.targets, self.predicted)

    def mistakes(self) -> list[int]:
        """The positions of those that were taken for another class, the surest first."""
        wrong = np.flatnonzero(self.predicted != self.targets)
        return [int(i) for i in wrong[np.argsort(-self.scores[wrong], kind="stable")]]

    def least_certain(self) -> list[int]:
        """The positions of those that were right, the lowest score first."""
        right = np.flatnonzero(self.predicted == self.targets)
        return [int(i) for i in right[np.argsort(self.scores[right], kind="stable")]]

    def top(self, position: int, count: int) -> list[tuple[str, float]]:
        """The best classes of one with their probabilities, the highest first."""
        row = self.probabilities[position]
        return [(self.labels[n], float(row[n])) for n in np.argsort(-row, kind="stable")[:count]]

    def calibration(self) -> list[CalibrationBin]:
        """The tenths in which there is something, from the lowest."""
        bins = np.minimum((self.scores * BINS).astype(np.intp), BINS - 1)
        right = self.predicted == self.targets
        return [
            CalibrationBin(int(found.sum()), float(self.scores[found].mean()), float(right[found].mean()))
            for found in (bins == n for n in range(BINS))
            if found.any()
        ]

    def pairs(self) -> list[Pair]:
        """The pairs of classes, those that are confused most first; of equals, those that share more probability."""
        count = len(self.labels)
        given = np.zeros((count, count))
        for number in np.unique(self.targets):
            given[number] = self.probabilities[self.targets == number].mean(axis=0)
        matrix = self.confusion.matrix
        confused, shared = matrix + matrix.T, (given + given.T) / 2
        ones, others = np.triu_indices(count, 1)
        order = np.lexsort((-shared[ones, others], -confused[ones, others]))
        return [
            Pair(self.labels[i], self.labels[j], int(matrix[i, j]), int(matrix[j, i]), float(shared[i, j]))
            for i, j in zip(ones[order].tolist(), others[order].tolist(), strict=True)
        ]
