"""Bottlenecks -> a score per class, by linear discriminant analysis (Fisher, 1936; Rao, 1948).

It looks along the directions in which recordings of one class lie close together and the classes far apart. That is
what carries over to voices and rooms that were not in the training: on the training sides it beats logistic
regression and ridge regression clearly (docs/experiments.md). There are usually more features than pictures, so all
of it is computed along a few axes (subspace.py).
"""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from audionet.settings import available_cores

ROWS_AT_ONCE = 8192  # summed up as precisely as they are; these sums are float64
# How much of the usual bias of a class, half the squared length of its mean, counts. Where there are few recordings of
# a class it is mostly noise (none is best); where the classes' spreads really differ, all of it is.
BIAS_WEIGHT = 0.5
# How much the scatter along the direction of noise counts, of so many pictures as there are: five times as much leaves
# that direction out of the scores (docs/experiments.md).
NOISE_WEIGHT = 0.01
LEAST_RIDGE = 1e-9
DISCRIMINANTS_AT_ONCE = 4  # each takes up to 500 MB
SCORES_AT_ONCE = 1 << 24  # of one discriminant: 128 MB


@dataclass(frozen=True)
class SufficientStatistics:
    """The sums over some rows that an analysis needs, float64. Those of fewer rows can be taken away from them.

    A row counts as often as its weight says. counts: rows of each class. sums: classes x axes. products: axes x axes,
    the sum of x x^T over all rows x.
    """

    counts: np.ndarray
    sums: np.ndarray
    products: np.ndarray

    @classmethod
    def of(
        cls, coordinates: np.ndarray, targets: np.ndarray, classes: int, weights: np.ndarray | None = None
    ) -> "SufficientStatistics":
        """targets, weights: the class and the weight of each row of coordinates; without weights, each is 1."""
        roots = np.ones(len(targets)) if weights is None else np.sqrt(weights)
        axes = coordinates.shape[1]
        sums, products = np.zeros((classes, axes)), np.zeros((axes, axes))
        for start in range(0, len(coordinates), ROWS_AT_ONCE):
            part = slice(start, start + ROWS_AT_ONCE)
            root = roots[part].astype(coordinates.dtype)
            rows = coordinates[part] * root[:, None]  # squared, they have their weights
            sums += np.where(targets[part] == np.arange(classes)[:, None], root, 0) @ rows
            products += rows.T @ rows
        return cls(np.bincount(targets, weights, classes), sums, products)

    def __sub__(self, other: "SufficientStatistics") -> "SufficientStatistics":
        return SufficientStatistics(self.counts - other.counts, self.sums - other.sums, self.products - other.products)


def _ridge(mean_square: float, mean: NDArray[np.floating], shrinkage: float) -> float:
    """What is added to the scatter along each axis: a share of the rows' mean squared distance from their mean."""
    return max(shrinkage * float(mean_square - (mean**2).sum()), LEAST_RIDGE)


@dataclass(frozen=True)
class LinearDiscriminant:
    """scores = coordinates @ weights + biases. weights: axes, or features, x classes. biases: classes.

    The scores of the classes' means, less the biases, lie one unit apart from the mean of all on average.
    """

    weights: NDArray[np.floating]
    biases: NDArray[np.floating]

    @classmethod
    def of(
        cls, statistics: SufficientStatistics, shrinkage: float, noise: NDArray[np.floating] | None = None
    ) -> "LinearDiscriminant":
        """The analysis, each class counting the same however many pictures it has; it needs at least one of each.

        shrinkage: what is added to the scatter within the classes, as a share of the pictures' mean squared distance
        from their mean: the pull towards plain distances.
        """
        count = statistics.counts.sum()
        means = statistics.sums / statistics.counts[:, None]
        scatter = statistics.products - statistics.sums.T @ means
        mean_square = np.trace(statistics.products) / count
        scatter[np.diag_indices_from(scatter)] += _ridge(mean_square, statistics.sums.sum(axis=0) / count, shrinkage)
        if noise is not None:
            scatter += NOISE_WEIGHT * count * np.outer(noise, noise)
        # SciPy's, which knows that the scatter is symmetric, takes 15 % less time, but lets no other thread work.
        return cls.of_means(means, np.linalg.solve(scatter, (means - means.mean(axis=0)).T))

    @classmethod
    def of_means(cls, means: NDArray[np.floating], weights: NDArray[np.floating]) -> "LinearDiscriminant":
        """means: classes x axes. weights: the inverse of the scatter times what they are from the mean of all."""
        origin = means.mean(axis=0)
        lengths = np.einsum("ij,ji->i", means - origin, weights)
        scale = max(float(lengths.mean()), 1e-12)
        weights = weights / scale
        return cls(weights, -origin @ weights - BIAS_WEIGHT * lengths / scale / 2)

    def scores(self, coordinates: np.ndarray) -> np.ndarray:
        """The scores of all classes for each row of coordinates: the last dimension, axes, becomes classes."""
        # The rows are made one matrix, since a product of many small ones takes twenty times as long.
        rows = coordinates.reshape(-1, coordinates.shape[-1])
        return np.asarray(rows @ self.weights + self.biases).reshape(*coordinates.shape[:-1], len(self.biases))


class _Rows(NamedTuple):
    """What is learnt from: coordinates (rows x axes), and of each row its class and how much it counts."""

    coordinates: NDArray[np.floating]
    targets: NDArray[np.integer]
    weights: NDArray[np.floating]


class _LeaveOut:
    """The discriminants of a few thousand rows but some, for one inversion instead of one each.

    They are those of LinearDiscriminant.of, with the shrinkage and the noise of all rows. A row that is left out takes
    its product away from the scatter; by Woodbury's identity, only a matrix as large as what is left out remains to be
    solved, as in the leave-one-out of kernel ridge regression (Cawley and Talbot, 2003).
    """

    def __init__(self, rows: _Rows, shrinkage: float, noise: NDArray[np.floating] | None) -> None:
        """shrinkage, noise: as for the discriminant of all rows."""
        coordinates, targets, weights = rows
        count = weights.sum()
        direction = np.zeros(coordinates.shape[1]) if noise is None else np.sqrt(NOISE_WEIGHT * count) * noise
        # Each row times the root of its weight; and the noise, a row more, of no class.
        self._rows = np.vstack([coordinates * np.sqrt(weights)[:, None], direction])
        self._weights, self._targets = np.append(weights, 1), np.append(targets, -1)
        products = self._rows @ self._rows.T
        mean_square = np.trace(products[:-1, :-1]) / count
        products[np.diag_indices_from(products)] += _ridge(mean_square, weights @ coordinates / count, shrinkage)
        self._inverse = np.linalg.inv(products)

    def discriminant(self, learnt: NDArray[np.bool_]) -> LinearDiscriminant:
        """The discriminant of the rows that are learnt from. learnt: whether each is; at least one of each class is."""
        learnt = np.append(learnt, True)
        left_out = np.flatnonzero(~learnt)
        is_own = learnt[:, None] & (self._targets[:, None] == np.arange(self._targets.max() + 1))
        counts = self._weights @ is_own
        shares = is_own * np.sqrt(self._weights)[:, None] / counts  # of the rows in the means of the classes
        sums = self._inverse @ shares
        sums -= self._inverse[:, left_out] @ np.linalg.solve(self._inverse[np.ix_(left_out, left_out)], sums[left_out])
        means, weights = shares.T @ self._rows, self._rows.T @ sums
        # So far, the scatter is about nothing. About the means of the classes, it is less by their own products.
        weights = np.linalg.solve(np.eye(len(means)) - means @ weights * counts, weights.T).T
        return LinearDiscriminant.of_means(means, weights - weights.mean(axis=1, keepdims=True))


class Parted(NamedTuple):
    """Which of some samples are held out, and which are learnt from: one truth value for each sample."""

    held: NDArray[np.bool_]
    learnt: NDArray[np.bool_]


class Discriminants:
    """The discriminants that a data set gives where some of its samples are left out."""

    def __init__(
        self,
        coordinates: NDArray[np.floating],
        targets: NDArray[np.integer],
        weights: NDArray[np.floating],
        shrinkage: float,
        noise: NDArray[np.floating] | None,
        rows: NDArray[np.intp],
    ) -> None:
        """coordinates: one row for each augmentation that is made of a sample, one sample after the other.

        targets: the class of each sample. weights: of each augmentation. shrinkage, noise: those of
        LinearDiscriminant.of. rows: samples x augmentations, as augmentation.number_rows gives them.
        """
        is_made = rows >= 0
        self._samples, of_rows = is_made.nonzero()
        self._rows = _Rows(coordinates, targets[self._samples], weights[of_rows])
        self._classes = int(targets.max()) + 1
        self._shrinkage, self._noise = shrinkage, noise
        # Of more rows than axes, their products would be more than the axes'.
        are_few = len(coordinates) <= coordinates.shape[1]
        self._leave_out = _LeaveOut(self._rows, shrinkage, noise) if are_few else None
        self._of_all = None if are_few else self._statistics(slice(None))  # whose rows are not copied

    def of(self, samples: NDArray[np.integer]) -> LinearDiscriminant:
        """The discriminant of the samples with these numbers, and of their augmentations."""
        learnt = np.isin(self._samples, samples)
        if self._leave_out is not None:
            return self._leave_out.discriminant(learnt)
        if self._of_all is not None and learnt.mean() > 0.5:  # taking the others away from all is quicker
            statistics = self._of_all - self._statistics(np.flatnonzero(~learnt))
        else:
            statistics = self._statistics(np.flatnonzero(learnt))
        return LinearDiscriminant.of(statistics, self._shrinkage, self._noise)

    def scores(self, learnt: NDArray[np.integer], rows: NDArray[np.intp]) -> NDArray[np.float64]:
        """The scores of some rows, of any shape, from the discriminant of the samples that are learnt from: the last
        dimension is classes."""
        return self.of(learnt).scores(self._rows.coordinates[rows])

    def score_held_out(
        self,
        samples: NDArray[np.integer],
        rows: NDArray[np.intp],
        parted: Sequence[Parted],
        take: Callable[[NDArray[np.intp], NDArray[np.float64]], None],
    ) -> None:
        """Score rows, samples x augmentations, with discriminants that have not heard their groups.

        parted: the samples, for each group of them. A class that lies in one group is heard all the same; a class of
        one sample has no other. take: is given the numbers of some rows, and their scores: these x augmentations x
        classes. Of thousands of classes, all scores at once would take gigabytes.
        """
        at_once = max(1, SCORES_AT_ONCE // (rows.shape[1] * self._classes))

        def score(part: Parted) -> None:
            discriminant, held = self.of(samples[part.learnt]), np.flatnonzero(part.held)
            for start in range(0, len(held), at_once):
                some = held[start : start + at_once]
                take(some, discriminant.scores(self._rows.coordinates[rows[some]]))

        with ThreadPoolExecutor(min(available_cores(), DISCRIMINANTS_AT_ONCE)) as threads:
            list(threads.map(score, parted))

    def _statistics(self, rows: NDArray[np.intp] | slice) -> SufficientStatistics:
        coordinates, targets, weights = (each[rows] for each in self._rows)
        return SufficientStatistics.of(coordinates, targets, self._classes, weights)
