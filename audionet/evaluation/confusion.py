"""The confusion matrix, and the accuracy, precision and recall that follow from it."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from audionet.system.untrusted import Refused, several, taking_apart, whole

MOST_WRITTEN_WHOLE = 500  # classes; of more, a matrix takes megabytes, nearly all of them noughts
LARGEST_COUNT = 2**40  # of pictures, far more than there can be
TWO_SIDED_95 = 1.959964  # standard deviations that hold 95 % of a normal distribution


@dataclass(frozen=True)
class Confusion:
    """matrix[i, j]: how many of class i were predicted as class j; int64, classes x classes.

    >>> voices = Confusion.of(["anna", "ben"], truth=[0, 0, 1, 1], predicted=[0, 1, 1, 1])
    >>> voices.accuracy, voices.recall(0), voices.confusions()
    (0.75, 0.5, [('anna', 'ben', 1)])
    """

    labels: list[str]
    matrix: np.ndarray

    @classmethod
    def of(
        cls, labels: list[str], truth: Sequence[int] | np.ndarray, predicted: Sequence[int] | np.ndarray
    ) -> "Confusion":
        """The confusion matrix of pairs of class numbers: the true ones and the predicted ones."""
        matrix = np.zeros((len(labels), len(labels)), np.int64)
        np.add.at(matrix, (np.asarray(truth, np.intp), np.asarray(predicted, np.intp)), 1)
        return cls(labels, matrix)

    def to_json(self) -> Any:
        """The rows of the matrix; of many classes, its cells that are not 0: the numbers of the true and of the
        predicted class, and how often the two come together."""
        if len(self.labels) <= MOST_WRITTEN_WHOLE:
            return self.matrix.tolist()
        truth, predicted = np.nonzero(self.matrix)
        cells = {"truth": truth, "predicted": predicted, "times": self.matrix[truth, predicted]}
        return {name: values.tolist() for name, values in cells.items()}

    @classmethod
    def from_json(cls, labels: list[str], content: Any) -> "Confusion":
        """What `to_json` made, of however many classes. Raises Refused for anything else, and where nothing is."""
        with taking_apart():
            if isinstance(content, dict):
                classes = [several(content[name], whole, 0, len(labels) - 1) for name in ("truth", "predicted")]
                cells = np.array([*classes, several(content["times"], whole, 1, LARGEST_COUNT)])
                matrix = np.zeros((len(labels), len(labels)), np.int64)
                matrix[cells[0], cells[1]] = cells[2]
            else:
                matrix = np.array(several(content, several, whole, 0, LARGEST_COUNT), np.int64)
            if matrix.shape != (len(labels), len(labels)) or not matrix.any():
                raise Refused("no confusion matrix of the labels")
        return cls(labels, matrix)

    @property
    def count(self) -> int:
        """How many chunks or clips were counted."""
        return int(self.matrix.sum())

    @property
    def correct(self) -> int:
        """How many were predicted as their own class."""
        return int(np.trace(self.matrix))

    @property
    def accuracy(self) -> float:
        """correct / count, 0 to 1. Raises ZeroDivisionError if nothing was counted."""
        return self.correct / self.count

    @property
    def interval(self) -> tuple[float, float]:
        """The 95 % interval of the true accuracy, each end 0 to 1, if the chunks or clips are independent."""
        return wilson_interval(self.correct, self.count)

    def precision(self, class_number: int) -> float | None:
        """The share of those predicted as the class that are of it, 0 to 1; None if none was predicted as it."""
        taken = int(self.matrix[:, class_number].sum())
        return int(self.matrix[class_number, class_number]) / taken if taken else None

    def recall(self, class_number: int) -> float | None:
        """The share of those of the class that were predicted as it, 0 to 1; None if there were none of it."""
        count = int(self.matrix[class_number].sum())
        return int(self.matrix[class_number, class_number]) / count if count else None

    def confusions(self) -> list[tuple[str, str, int]]:
        """Which class was predicted as which other and how often, the most frequent first."""
        off_diagonal = self.matrix - np.diag(np.diag(self.matrix))
        truths, predicted = np.nonzero(off_diagonal)
        counts = [(int(off_diagonal[i, j]), int(i), int(j)) for i, j in zip(truths, predicted, strict=True)]
        counts.sort(key=lambda each: (-each[0], each[1:]))
        return [(self.labels[i], self.labels[j], count) for count, i, j in counts]


def wilson_interval(correct: int, count: int) -> tuple[float, float]:
    """The 95 % interval of a share of which `correct` of `count` were counted, each 0 to 1.

    This is Wilson's score interval (1927), which holds for few counts too, and for all or none. count must be over 0.

    >>> low, high = wilson_interval(20, 20)
    >>> f"{low:.3f} to {high:.3f}"
    '0.839 to 1.000'
    """
    share, z2 = correct / count, TWO_SIDED_95**2
    centre = (share + z2 / (2 * count)) / (1 + z2 / count)
    half = math.sqrt(share * (1 - share) / count + z2 / (4 * count**2)) * TWO_SIDED_95 / (1 + z2 / count)
    return max(0.0, centre - half), min(1.0, centre + half)
