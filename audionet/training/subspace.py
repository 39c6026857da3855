"""Where a discriminant is looked for: the features of pictures, seen along some axes.

A few thousand pictures span a space that has less axes than they have features, and nothing is lost. Of more pictures,
the axes along which they vary most (principal components; Pearson, 1901) are taken.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from audionet.training.lda import LinearDiscriminant

COLUMNS_AT_ONCE = 4096  # features turned into float32 at a time
ROWS_AT_ONCE = 1024
SMALLEST_SHARE = 1e-4  # of the mean squared distance, added so that equal pictures do not make the arithmetic fail
# What the axes of many pictures are found from, and how many: with 1000 of 1800 and 512, .82 of unheard voices' digits
# were right, with all .83 (docs/experiments.md).
SAMPLE, AXES = 1500, 512
LARGEST_SPAN = 2500  # rows; of more, principal axes are taken


@dataclass(frozen=True)
class LinearScores:
    """scores = features @ weights + biases. weights: float32, features x classes. biases: float32, classes."""

    weights: np.ndarray
    biases: np.ndarray


class Subspace(Protocol):
    """Pictures along some axes.

    coordinates: pictures x axes. Squared distances between them are those between their features, but for
    squared_residuals: a picture's squared distance from what the axes show of it.
    """

    @property
    def coordinates(self) -> np.ndarray:
        """See above."""

    @property
    def squared_residuals(self) -> np.ndarray:
        """See above."""

    def linear_scores(self, found: LinearDiscriminant) -> LinearScores:
        """What was learnt along the axes, for raw features."""

    def features_at(self, coordinates: np.ndarray) -> np.ndarray:
        """The features, float32, of a point."""


class SampleSubspace:
    """The space that a few thousand pictures span. Its coordinates are float64; as many axes as pictures."""

    def __init__(self, features: np.ndarray) -> None:
        """features: float16, one row a picture."""
        self.mean = features.mean(axis=0, dtype=np.float32)
        self._features = features
        gram = np.zeros((len(features), len(features)))
        for part in self._columns():
            centred = features[:, part] - self.mean[part]
            gram += centred @ centred.T
        ridged = gram.copy()
        ridged[np.diag_indices_from(gram)] += SMALLEST_SHARE * max(float(np.mean(np.diag(gram))), 1e-12)
        self._lower = np.linalg.cholesky(ridged)
        self.coordinates = np.linalg.solve(self._lower, gram).T
        self.squared_residuals = np.zeros(len(features))

    def linear_scores(self, found: LinearDiscriminant) -> LinearScores:
        """What was learnt along the axes, for raw features."""
        return linear_scores(self._in_features(found.weights), found, self.mean)

    def features_at(self, coordinates: np.ndarray) -> np.ndarray:
        """The features, float32, of a point."""
        return np.asarray(self.mean + self._in_features(coordinates[:, None])[:, 0])

    def _in_features(self, vectors: np.ndarray) -> np.ndarray:
        """Vectors of the space (axes x n) as vectors of features (features x n)."""
        combination = np.linalg.solve(self._lower.T, vectors).astype(np.float32)
        found = np.empty((self._features.shape[1], combination.shape[1]), np.float32)
        for part in self._columns():
            found[part] = (self._features[:, part] - self.mean[part]).T @ combination
        return found

    def _columns(self) -> Iterator[slice]:
        for start in range(0, self._features.shape[1], COLUMNS_AT_ONCE):
            yield slice(start, start + COLUMNS_AT_ONCE)


def linear_scores(weights: np.ndarray, found: LinearDiscriminant, mean: np.ndarray) -> LinearScores:
    """For raw features: the discriminant's weights as features x classes; mean: the features at the origin."""
    return LinearScores(weights, (found.biases - mean @ weights).astype(np.float32))


@dataclass(frozen=True)
class PCA:
    """The axes along which a sample of pictures varies most.

    mean: float32, the sample's mean features, which is the origin. axes: float32, features x axes, orthonormal.
    """

    mean: np.ndarray
    axes: np.ndarray

    @classmethod
    def of(cls, features: np.ndarray) -> "PCA":
        """features: float16, one row a picture."""
        mean = features.mean(axis=0, dtype=np.float32)
        centred = features - mean
        values, vectors = np.linalg.eigh((centred @ centred.T).astype(np.float64))
        # The smallest come first. What is all but zero is rounding; the largest stays, should all pictures be equal.
        least = min(SMALLEST_SHARE * float(values.mean()), values[-1])
        strong = np.flatnonzero(values >= least)[-AXES:]
        values = np.maximum(values, 1e-12)
        return cls(mean, centred.T @ (vectors[:, strong] / np.sqrt(values[strong])).astype(np.float32))

    def project(self, features: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Coordinates (pictures x axes) and squared residuals of float16 features, both float32."""
        coordinates = np.empty((len(features), self.axes.shape[1]), np.float32)
        squared_residuals = np.empty(len(features), np.float32)
        for start in range(0, len(features), ROWS_AT_ONCE):
            part = slice(start, start + ROWS_AT_ONCE)
            centred = features[part] - self.mean
            coordinates[part] = centred @ self.axes
            squares = np.einsum("ij,ij->i", centred, centred) - (coordinates[part] ** 2).sum(axis=1)
            squared_residuals[part] = np.maximum(squares, 0)
        return coordinates, squared_residuals


@dataclass(frozen=True)
class Projection:
    """Many pictures along the principal axes of some; a Space."""

    principal: PCA
    coordinates: np.ndarray
    squared_residuals: np.ndarray

    @classmethod
    def of(cls, features: np.ndarray, seed: int) -> "Projection":
        """features: float16, one row a picture; SAMPLE of them, drawn at random, are what the axes are found from."""
        drawn = np.sort(np.random.default_rng(seed).permutation(len(features))[:SAMPLE])
        principal = PCA.of(features[drawn])
        return cls(principal, *principal.project(features))

    def linear_scores(self, found: LinearDiscriminant) -> LinearScores:
        """What was learnt along the axes, for raw features."""
        return linear_scores(self.principal.axes @ found.weights.astype(np.float32), found, self.principal.mean)

    def features_at(self, coordinates: np.ndarray) -> np.ndarray:
        """The features, float32, of a point."""
        return np.asarray(self.principal.mean + self.principal.axes @ coordinates.astype(np.float32))


def span(features: np.ndarray, seed: int) -> Subspace:
    """The space of float16 features, one row a picture."""
    return SampleSubspace(features) if len(features) <= LARGEST_SPAN else Projection.of(features, seed)
