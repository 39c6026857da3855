import numpy as np
import pytest

from audionet import discriminant
from audionet.discriminant import Discriminant, Span, choose_basis

CLASSES = 4


def clouds(count: int, features: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Classes that differ in a few directions, in noise that is strong in others."""
    random = np.random.default_rng(seed)
    centres = np.random.default_rng(99).normal(0, 1, (CLASSES, features))
    nuisance = np.random.default_rng(98).normal(0, 1, (5, features))
    targets = np.arange(count) % CLASSES
    noise = random.normal(0, 3, (count, 5)) @ nuisance + random.normal(0, 1, (count, features))
    return (centres[targets] + noise).astype(np.float16), targets


def test_it_equals_scikit_learns_analysis(monkeypatch: pytest.MonkeyPatch) -> None:
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

    monkeypatch.setattr(discriminant, "SHRINKAGE", 0.0)
    x, y = clouds(400, 10)
    theirs = LinearDiscriminantAnalysis(solver="lsqr", priors=np.full(CLASSES, 1 / CLASSES)).fit(x.astype(float), y)
    new, _ = clouds(100, 10, seed=1)
    expected = theirs.decision_function(new.astype(float))
    found = Discriminant.of(x.astype(float), y, CLASSES).scores(new.astype(float))
    differences = [scores - scores.mean(axis=1, keepdims=True) for scores in (found, expected)]
    scale = (differences[0] * differences[1]).sum() / (differences[0] ** 2).sum()
    assert np.allclose(differences[0] * scale, differences[1], atol=1e-3 * np.abs(differences[1]).max())


def test_it_sees_through_what_varies_within_the_classes() -> None:
    """With more features than examples, where the nearest class mean is often wrong."""
    x, y = clouds(40, 300)
    new, truth = clouds(400, 300, seed=1)
    span = Span(x, choose_basis(len(x), 0))
    linear = span.linear_scores(span.fit(np.arange(40), y, CLASSES))
    found = (new.astype(np.float32) @ linear.weights + linear.biases).argmax(axis=1)
    means = np.stack([x[y == n].astype(float).mean(axis=0) for n in range(CLASSES)])
    nearest = ((new[:, None].astype(float) - means) ** 2).sum(axis=2).argmin(axis=1)
    assert (found == truth).mean() > 0.95
    assert (found == truth).mean() > (nearest == truth).mean() + 0.05


@pytest.mark.parametrize("features", [20, 300])
def test_the_space_keeps_distances_and_scores(features: int) -> None:
    x, y = clouds(60, features)
    span = Span(x, choose_basis(len(x), 0))
    plain = x.astype(float)
    wanted = ((plain[:, None] - plain) ** 2).sum(axis=2)
    found = ((span.coordinates[:, None] - span.coordinates) ** 2).sum(axis=2)
    assert np.allclose(found, wanted, rtol=0.01, atol=0.01 * wanted.max())
    learnt = span.fit(np.arange(60), y, CLASSES)
    linear = span.linear_scores(learnt)
    assert np.allclose(plain @ linear.weights + linear.biases, learnt.scores(span.coordinates), atol=1e-3)
    middle = span.coordinates[:10].mean(axis=0)
    assert np.allclose(span.features_at(middle), plain[:10].mean(axis=0), atol=0.05)


def test_many_pictures_are_learnt_from_through_some(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(discriminant, "LARGEST_SPAN", 50)
    x, y = clouds(400, 300)
    basis = choose_basis(len(x), 3)
    assert len(set(basis)) == 50
    span = Span(x, basis)
    assert span.coordinates.shape == (400, 50)
    found = span.fit(np.arange(200), y, CLASSES).scores(span.coordinates[200:]).argmax(axis=1)
    assert (found == y[200:]).mean() > 0.8


def test_equal_pictures_do_no_harm() -> None:
    x, y = clouds(20, 50)
    doubled, targets = np.concatenate([x, x]), np.concatenate([y, y])
    span = Span(doubled, choose_basis(40, 0))
    assert np.isfinite(span.fit(np.arange(40), targets, CLASSES).scores(span.coordinates)).all()
