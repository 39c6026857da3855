"""The axes along which a discriminant is looked for.

A few thousand pictures span a subspace that has fewer axes than they have features, and nothing is lost. Of more
pictures, the axes along which they vary most (principal components; Pearson, 1901) are taken.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from audionet.settings import available_cores
from audionet.training.lda import LinearDiscriminant

COLUMNS_AT_ONCE = 4096  # features turned into float32 at a time
ROWS_AT_ONCE = 1024
# Of the mean squared distance: added, so that equal pictures do not make the arithmetic fail; less is rounding.
RIDGE = 1e-4
ROUNDING = 1e-6  # of float32 means; the least difference of one feature among a thousand, in float16, is ten times that
# What tells words of unheard voices apart lies along axes of little variance: with 512 of 1500, .82 of the digits were
# right, with 1024 .84, with all .85 (docs/experiments.md). So many can be paid on a laptop.
SAMPLE, AXES = 2500, 1536
LARGEST_SPAN = 4000  # rows; of more, principal axes are taken
SHRINKAGE, PROJECTED_SHRINKAGE = 0.1, 0.3  # of the discriminant, which were best in the one and along the other


class Subspace(ABC):
    """Pictures along some axes.

    coordinates: pictures x axes. Squared distances are those between features, but for squared_residuals.
    squared_residuals: for each picture, its squared distance from its projection onto the axes.
    shrinkage: of a discriminant along these axes (lda.py).
    """

    coordinates: NDArray[np.floating]
    squared_residuals: NDArray[np.floating]
    shrinkage: float

    @property
    def is_a_point(self) -> bool:
        """Whether all pictures have the same features, but for what is rounded."""
        return bool(np.abs(self.coordinates).max() <= ROUNDING * np.linalg.norm(self.mean))

    @property
    @abstractmethod
    def mean(self) -> NDArray[np.float32]:
        """The features at the origin of the axes."""

    @abstractmethod
    def in_features(self, vectors: NDArray[np.floating]) -> NDArray[np.float32]:
        """A vector along the axes (axes), or several (axes x n), as vectors of features (features, or features x n)."""

    @abstractmethod
    def along_axes(self, direction: NDArray[np.floating]) -> NDArray[np.floating]:
        """How far a step in the features (features) leads along each axis (axes)."""

    def discriminant_of_features(self, discriminant: LinearDiscriminant) -> LinearDiscriminant:
        """A discriminant along the axes as one of features as the network gives them, float32."""
        weights = self.in_features(discriminant.weights)
        return LinearDiscriminant(weights, (discriminant.biases - self.mean @ weights).astype(np.float32))

    def features_at(self, coordinates: NDArray[np.floating]) -> NDArray[np.float32]:
        """The features of a point, which is given by its coordinates (axes)."""
        return np.asarray(self.mean + self.in_features(coordinates))


class SampleSubspace(Subspace):
    """The subspace that a few thousand pictures span: as many axes as pictures. Its coordinates are float64."""

    shrinkage = SHRINKAGE

    def __init__(self, features: NDArray[np.float16]) -> None:
        """features: one row a picture."""
        self._mean: NDArray[np.float32] = features.mean(axis=0, dtype=np.float32)
        self._features = features
        gram = np.zeros((len(features), len(features)))
        for products in self._of_columns(lambda _, centred: centred @ centred.T):
            gram += products
        ridged = gram.copy()
        ridged[np.diag_indices_from(gram)] += RIDGE * max(float(np.mean(np.diag(gram))), 1e-12)
        self._lower = np.linalg.cholesky(ridged)
        self.coordinates = _solve_triangular(self._lower, gram).T
        self.squared_residuals = np.zeros(len(features))

    @property
    def mean(self) -> NDArray[np.float32]:
        """The pictures' mean features, which is the origin."""
        return self._mean

    def in_features(self, vectors: NDArray[np.floating]) -> NDArray[np.float32]:
        """Vectors of features, as the same sums of the pictures' features, less the mean of these."""
        combination = _solve_triangular(self._lower, vectors, transposed=True).astype(np.float32)
        return np.concatenate(list(self._of_columns(lambda _, centred: centred.T @ combination)))

    def along_axes(self, direction: NDArray[np.floating]) -> NDArray[np.floating]:
        """How far a step in the features leads along each axis."""
        products = np.zeros(len(self._features))
        for some in self._of_columns(lambda part, centred: centred @ direction[part]):
            products += some
        return _solve_triangular(self._lower, products)

    def _of_columns(
        self, function: Callable[[slice, NDArray[np.float32]], NDArray[np.floating]]
    ) -> Iterator[NDArray[np.floating]]:
        """What a function gives of some columns and of the pictures' features there, as far as these differ from their
        mean; in the order of the columns, however many threads there are."""
        features, mean = self._features, self._mean
        starts = range(0, features.shape[1], COLUMNS_AT_ONCE)
        parts = (slice(start, start + COLUMNS_AT_ONCE) for start in starts)
        with ThreadPoolExecutor(available_cores()) as threads:
            yield from threads.map(lambda part: function(part, features[:, part] - mean[part]), parts)


def _solve_triangular(
    lower: NDArray[np.float64], products: NDArray[np.floating], *, transposed: bool = False
) -> NDArray[np.float64]:
    """The x of lower @ x = products, or of lower.T @ x = products; a third of the work that NumPy would have."""
    from scipy.linalg import solve_triangular  # late: `label` imports this module, and does without SciPy

    return np.asarray(solve_triangular(lower, products, trans=int(transposed), lower=True, check_finite=False))


@dataclass(frozen=True)
class PCA:
    """The axes along which a sample of pictures varies most.

    mean: the sample's mean features, which is the origin. components: features x axes, orthonormal.
    """

    mean: NDArray[np.float32]
    components: NDArray[np.float32]

    @classmethod
    def of(cls, features: NDArray[np.float16]) -> "PCA":
        """The axes of features, one row a picture."""
        mean = features.mean(axis=0, dtype=np.float32)
        centred = features - mean
        values, vectors = np.linalg.eigh((centred @ centred.T).astype(np.float64))
        # The smallest come first. What is all but zero is rounding; the largest stays, even if all pictures are equal.
        least = min(RIDGE * float(values.mean()), values[-1])
        strong = np.flatnonzero(values >= least)[-AXES:]
        values = np.maximum(values, 1e-12)
        return cls(mean, centred.T @ (vectors[:, strong] / np.sqrt(values[strong])).astype(np.float32))

    def project(self, features: NDArray[np.float16]) -> "Projection":
        """Features, one row a picture, along the axes."""
        coordinates = np.empty((len(features), self.components.shape[1]), np.float32)
        squared_residuals = np.empty(len(features), np.float32)
        for start in range(0, len(features), ROWS_AT_ONCE):
            part = slice(start, start + ROWS_AT_ONCE)
            centred = features[part] - self.mean
            coordinates[part] = centred @ self.components
            squares = np.einsum("ij,ij->i", centred, centred) - (coordinates[part] ** 2).sum(axis=1)
            squared_residuals[part] = np.maximum(squares, 0)
        return Projection(self, coordinates, squared_residuals)


@dataclass(frozen=True)
class Projection(Subspace):
    """Many pictures along the principal axes of some, which leave weak directions out."""

    pca: PCA
    coordinates: NDArray[np.float32]
    squared_residuals: NDArray[np.float32]
    shrinkage = PROJECTED_SHRINKAGE

    @property
    def mean(self) -> NDArray[np.float32]:
        """The mean features of the pictures that the axes were found from."""
        return self.pca.mean

    def in_features(self, vectors: NDArray[np.floating]) -> NDArray[np.float32]:
        """Vectors of features, as so much of each principal axis."""
        return np.asarray(self.pca.components @ vectors.astype(np.float32))

    def along_axes(self, direction: NDArray[np.floating]) -> NDArray[np.floating]:
        """How far a step in the features leads along each axis."""
        return np.asarray(direction @ self.pca.components)


def span(features: NDArray[np.float16], seed: int) -> Subspace:
    """The subspace of features, one row a picture.

    Of more than LARGEST_SPAN pictures, SAMPLE are drawn at random with the seed, from which the axes are found.
    """
    if len(features) <= LARGEST_SPAN:
        return SampleSubspace(features)
    drawn = np.sort(np.random.default_rng(seed).permutation(len(features))[:SAMPLE])
    return PCA.of(features[drawn]).project(features)
