"""Bottlenecks -> a score per class, by linear discriminant analysis (Fisher, 1936; Rao, 1948).

It looks along the directions in which recordings of one class lie close together and the classes far apart. That is
what carries over to voices and rooms that were not in the training: on the training sides it beats logistic
regression and ridge regression clearly (docs/experiments.md). There are usually more features than pictures, so all
of it is computed along a few axes (subspace.py).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

ROWS_AT_ONCE = 8192  # summed up as precisely as they are; these sums are float64
# How much of the usual bias of a class, half the squared length of its mean, counts. Where there are few recordings of
# a class it is mostly noise (none is best); where the classes' spreads really differ, all of it is.
BIAS_WEIGHT = 0.5
# How much the scatter along the direction of noise counts, of so many pictures as there are: five times as much leaves
# that direction out of the scores (docs/experiments.md).
NOISE_WEIGHT = 0.01


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
        origin = means.mean(axis=0)
        scatter = statistics.products - statistics.sums.T @ means
        spread = float(np.trace(statistics.products) / count - ((statistics.sums.sum(axis=0) / count) ** 2).sum())
        scatter[np.diag_indices_from(scatter)] += max(shrinkage * spread, 1e-9)
        if noise is not None:
            scatter += NOISE_WEIGHT * count * np.outer(noise, noise)
        centred = means - origin
        # SciPy's, which knows that the scatter is symmetric, takes 15 % less time, but lets no other thread work.
        weights = np.linalg.solve(scatter, centred.T)
        lengths = np.einsum("ij,ji->i", centred, weights)
        scale = max(float(lengths.mean()), 1e-12)
        weights /= scale
        return cls(weights, -origin @ weights - BIAS_WEIGHT * lengths / scale / 2)

    def scores(self, coordinates: np.ndarray) -> np.ndarray:
        """The scores of all classes for each row of coordinates: the last dimension, axes, becomes classes."""
        # The rows are made one matrix, since a product of many small ones takes twenty times as long.
        rows = coordinates.reshape(-1, coordinates.shape[-1])
        return np.asarray(rows @ self.weights + self.biases).reshape(*coordinates.shape[:-1], len(self.biases))
