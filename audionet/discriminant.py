"""Bottlenecks -> a score a class, by linear discriminant analysis (Fisher, 1936; Rao, 1948).

It looks along the directions in which recordings of one class lie close together and the classes far apart. That is
what carries over to voices and rooms that were not in the training: on the training sides it beats logistic
regression and ridge regression clearly (docs/experiments.md). There are usually more features than pictures, so all
of it is computed in the space that the pictures span.
"""

from dataclasses import dataclass

import numpy as np

LARGEST_SPAN = 2500  # pictures and variations that span the space; more cost more time than they bring
COLUMNS_AT_ONCE = 4096  # features turned into float32 at a time
# What is added to the scatter within the classes, as a share of the pictures' mean squared distance from their mean:
# the pull towards plain distances. Between 0.001 and 0.1 it hardly matters.
SHRINKAGE = 0.01
SMALLEST_SHARE = 1e-4  # of the mean squared distance, added so that equal pictures do not make the arithmetic fail


@dataclass(frozen=True)
class LinearScores:
    """scores = features @ weights + biases. weights: float32, features x classes. biases: float32, classes."""

    weights: np.ndarray
    biases: np.ndarray


class Span:
    """The space that pictures span.

    coordinates: float64, pictures x axes; distances between pictures are those between their features.
    mean: float32, the features' mean, which is the origin.
    """

    def __init__(self, features: np.ndarray, basis: np.ndarray) -> None:
        """features: float16, one row a picture. basis: the rows that span the space."""
        self.mean = features.mean(axis=0, dtype=np.float32)
        self._features, self._basis = features, basis
        products = np.zeros((len(features), len(basis)))
        for start in range(0, features.shape[1], COLUMNS_AT_ONCE):
            part = slice(start, start + COLUMNS_AT_ONCE)
            centred = features[:, part] - self.mean[part]
            products += centred @ centred[basis].T
        gram = products[basis]
        gram[np.diag_indices_from(gram)] += SMALLEST_SHARE * max(float(np.mean(np.diag(gram))), 1e-12)
        self._lower = np.linalg.cholesky(gram)
        self.coordinates = np.linalg.solve(self._lower, products.T).T

    def fit(self, rows: np.ndarray, targets: np.ndarray, classes: int) -> "Discriminant":
        """Learn from some rows; targets are the classes of all. Each class needs at least one of the rows."""
        return Discriminant.of(self.coordinates[rows], targets[rows], classes)

    def linear_scores(self, found: "Discriminant") -> LinearScores:
        """What was learnt in the space, for raw features."""
        weights = self._in_features(found.weights)
        return LinearScores(weights, (found.biases - self.mean @ weights).astype(np.float32))

    def features_at(self, coordinates: np.ndarray) -> np.ndarray:
        """The features, float32, of a point of the space."""
        return np.asarray(self.mean + self._in_features(coordinates[:, None])[:, 0])

    def _in_features(self, vectors: np.ndarray) -> np.ndarray:
        """Vectors of the space (axes x n) as vectors of features (features x n)."""
        combination = np.linalg.solve(self._lower.T, vectors).astype(np.float32)
        found = np.empty((self._features.shape[1], combination.shape[1]), np.float32)
        for start in range(0, len(found), COLUMNS_AT_ONCE):
            part = slice(start, start + COLUMNS_AT_ONCE)
            found[part] = (self._features[self._basis, part] - self.mean[part]).T @ combination
        return found


@dataclass(frozen=True)
class Discriminant:
    """scores = coordinates @ weights + biases. On average a class's own score is half a unit above the mean score."""

    weights: np.ndarray
    biases: np.ndarray

    @classmethod
    def of(cls, coordinates: np.ndarray, targets: np.ndarray, classes: int) -> "Discriminant":
        """The analysis of float64 coordinates, each class counting the same however many pictures it has."""
        means = np.stack([coordinates[targets == number].mean(axis=0) for number in range(classes)])
        origin = means.mean(axis=0)
        within = coordinates - means[targets]
        scatter = within.T @ within
        spread = float(((coordinates - coordinates.mean(axis=0)) ** 2).sum(axis=1).mean())
        scatter[np.diag_indices_from(scatter)] += max(SHRINKAGE * spread, 1e-9)
        centred = means - origin
        weights = np.linalg.solve(scatter, centred.T)
        lengths = np.einsum("ij,ji->i", centred, weights)
        scale = max(float(lengths.mean()), 1e-12)
        weights /= scale
        return cls(weights, -origin @ weights - lengths / scale / 2)

    def scores(self, coordinates: np.ndarray) -> np.ndarray:
        """Classes instead of axes: one row for each row of coordinates, whatever dimensions lie before."""
        # As one matrix: a product of many small ones takes twenty times as long.
        rows = coordinates.reshape(-1, coordinates.shape[-1])
        return np.asarray(rows @ self.weights + self.biases).reshape(*coordinates.shape[:-1], len(self.biases))


def choose_basis(count: int, seed: int) -> np.ndarray:
    """The rows that span the space: all, or LARGEST_SPAN drawn at random."""
    if count <= LARGEST_SPAN:
        return np.arange(count)
    return np.sort(np.random.default_rng(seed).choice(count, LARGEST_SPAN, replace=False))
