import numpy as np
import pytest

from audionet.training import subspace
from audionet.training.lda import LinearDiscriminant, SufficientStatistics
from audionet.training.subspace import PCA, Projection, SampleSubspace, Subspace, span
from tests.training.test_lda import CLASSES, clouds


def project(x: np.ndarray, seed: int = 0) -> Projection:
    """Along principal axes, few as the pictures may be."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(subspace, "LARGEST_SPAN", 0)
        found = span(x, seed)
    assert isinstance(found, Projection)
    return found


def learn(found: Subspace, y: np.ndarray, count: int) -> LinearDiscriminant:
    return LinearDiscriminant.of(SufficientStatistics.of(found.coordinates[:count], y[:count], CLASSES), 0.01)


def test_it_sees_through_what_varies_within_the_classes() -> None:
    """With more features than examples, where the nearest class mean is often wrong."""
    x, y = clouds(40, 300)
    new, truth = clouds(400, 300, seed=1)
    found = SampleSubspace(x)
    linear = found.discriminant_of_features(learn(found, y, 40))
    predicted = (new.astype(np.float32) @ linear.weights + linear.biases).argmax(axis=1)
    means = np.stack([x[y == n].astype(float).mean(axis=0) for n in range(CLASSES)])
    nearest = ((new[:, None].astype(float) - means) ** 2).sum(axis=2).argmin(axis=1)
    assert (predicted == truth).mean() > 0.95
    assert (predicted == truth).mean() > (nearest == truth).mean() + 0.05


@pytest.mark.parametrize("features", [20, 300])
@pytest.mark.parametrize("kind", ["span", "projection"])
def test_the_space_keeps_distances_and_scores(kind: str, features: int) -> None:
    x, y = clouds(60, features)
    found: Subspace = SampleSubspace(x) if kind == "span" else project(x)
    plain = x.astype(float)
    wanted = ((plain[:, None] - plain) ** 2).sum(axis=2)
    distances = ((found.coordinates[:, None] - found.coordinates) ** 2).sum(axis=2)
    assert np.allclose(distances, wanted, rtol=0.01, atol=0.01 * wanted.max())
    assert np.allclose(found.squared_residuals, 0, atol=0.01 * wanted.max())
    learnt = learn(found, y, 60)
    linear = found.discriminant_of_features(learnt)
    assert np.allclose(plain @ linear.weights + linear.biases, learnt.scores(found.coordinates), atol=1e-3)
    step = found.along_axes(plain[0] - plain[1])
    assert np.allclose(step, found.coordinates[0] - found.coordinates[1], atol=0.01 * np.abs(step).max())
    centroid = found.coordinates[:10].mean(axis=0)
    assert np.allclose(found.features_at(centroid), plain[:10].mean(axis=0), atol=0.05)


def test_of_many_pictures_the_strongest_axes_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subspace, "SAMPLE", 100)
    monkeypatch.setattr(subspace, "AXES", 20)
    x, y = clouds(400, 300)
    found = project(x, 3)
    assert found.coordinates.shape == (400, 20)
    predicted = learn(found, y, 200).scores(found.coordinates[200:]).argmax(axis=1)
    assert (predicted == y[200:]).mean() > 0.9
    # What the axes do not show is still known as a distance.
    squares = ((x.astype(float) - found.pca.mean) ** 2).sum(axis=1)
    assert np.allclose((found.coordinates**2).sum(axis=1) + found.squared_residuals, squares, rtol=1e-3)


def test_the_axes_are_those_of_a_singular_value_decomposition() -> None:
    x, _ = clouds(50, 80)
    principal = PCA.of(x)
    centred = x.astype(float) - x.astype(float).mean(axis=0)
    theirs = np.linalg.svd(centred)[2][:10].T
    ours = principal.components[:, ::-1][:, :10]  # the strongest first
    assert np.allclose(np.abs((ours * theirs).sum(axis=0)), 1, atol=1e-3)


def test_from_some_number_on_they_are_seen_along_principal_axes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subspace, "LARGEST_SPAN", 300)
    monkeypatch.setattr(subspace, "SAMPLE", 250)
    x, _ = clouds(301, 3)
    assert isinstance(span(x[:-1], 0), SampleSubspace)
    assert isinstance(span(x, 0), Projection)


@pytest.mark.parametrize("make", [SampleSubspace, project])
def test_equal_pictures_do_no_harm(make: type[SampleSubspace]) -> None:
    x, y = clouds(20, 50)
    doubled, targets = np.concatenate([x, x]), np.concatenate([y, y])
    for pictures in (doubled, np.repeat(x[:1], 40, axis=0)):
        found = make(pictures)
        assert np.isfinite(learn(found, targets, 40).scores(found.coordinates)).all()
