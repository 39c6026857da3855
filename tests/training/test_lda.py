import numpy as np
import pytest

from audionet.training import lda as discriminant
from audionet.training.lda import Discriminants, LinearDiscriminant, SufficientStatistics

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

    monkeypatch.setattr(discriminant, "BIAS_WEIGHT", 1.0)
    x, y = clouds(400, 10)
    theirs = LinearDiscriminantAnalysis(solver="lsqr", priors=np.full(CLASSES, 1 / CLASSES)).fit(x.astype(float), y)
    new, _ = clouds(100, 10, seed=1)
    expected = theirs.decision_function(new.astype(float))
    found = LinearDiscriminant.of(SufficientStatistics.of(x.astype(float), y, CLASSES), 0.0).scores(new.astype(float))
    differences = [scores - scores.mean(axis=1, keepdims=True) for scores in (found, expected)]
    scale = (differences[0] * differences[1]).sum() / (differences[0] ** 2).sum()
    assert np.allclose(differences[0] * scale, differences[1], atol=1e-3 * np.abs(differences[1]).max())


def test_what_is_taken_away_was_never_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(discriminant, "ROWS_AT_ONCE", 64)
    x, y = clouds(400, 30)
    x = x.astype(float)
    found = LinearDiscriminant.of(
        SufficientStatistics.of(x, y, CLASSES) - SufficientStatistics.of(x[:150], y[:150], CLASSES), 0.1
    )
    wanted = LinearDiscriminant.of(SufficientStatistics.of(x[150:], y[150:], CLASSES), 0.1)
    assert np.allclose(found.weights, wanted.weights)
    assert np.allclose(found.biases, wanted.biases)


def test_noise_in_a_known_direction_changes_scores_less() -> None:
    x, y = clouds(400, 30)
    new, truth = clouds(200, 30, seed=1)
    direction = np.random.default_rng(97).normal(0, 30, 30)
    noisy = new.astype(float) + 0.15 * direction
    statistics = SufficientStatistics.of(x.astype(float), y, CLASSES)
    right = {}
    for name, noise in (("plain", None), ("aware", direction)):
        learnt = LinearDiscriminant.of(statistics, 0.01, noise)
        right[name] = [(learnt.scores(rows).argmax(axis=1) == truth).mean() for rows in (new, noisy)]
    assert right["plain"][1] < 0.8
    assert min(right["aware"]) > 0.95


def test_scores_without_some_samples_are_those_of_an_analysis_of_the_others() -> None:
    """As many axes as rows: one inversion is made for all the scores. Every third sample has a second row, which hardly
    counts."""
    x, y = clouds(60, 80)
    samples = np.sort(np.r_[np.arange(60), np.arange(0, 60, 3)])
    is_second = np.r_[False, samples[1:] == samples[:-1]]
    rows = x[samples] + is_second[:, None] * np.random.default_rng(1).normal(0, 1, (80, 80))
    numbers = np.full((60, 2), -1)
    numbers[samples, is_second.astype(int)] = np.arange(80)
    noise = np.random.default_rng(2).normal(0, 1, 80)
    found = Discriminants(rows, y, np.array([1.0, 0.03]), 0.1, noise, numbers)
    learnt, scored = np.delete(np.arange(60), [3, 7, 8, 50]), numbers[[3, 50, 21], 0]
    weights, kept = np.where(is_second, 0.03, 1.0), np.isin(samples, learnt)
    both = SufficientStatistics.of(rows, y[samples], CLASSES, weights)
    fewer = SufficientStatistics.of(rows[kept], y[samples[kept]], CLASSES, weights[kept])
    # The shrinkage and the noise are as of all samples.
    shrinkage = 0.1 * spread(both) / spread(fewer)
    alone = LinearDiscriminant.of(fewer, shrinkage, noise * np.sqrt(both.counts.sum() / fewer.counts.sum()))
    expected = alone.scores(rows[scored])
    assert np.allclose(found.scores(learnt, scored), expected, atol=1e-9)
    assert np.abs(expected).max() > 0.1


def spread(statistics: SufficientStatistics) -> float:
    """The mean squared distance of the rows from their mean."""
    count = statistics.counts.sum()
    return float(np.trace(statistics.products) / count - ((statistics.sums.sum(axis=0) / count) ** 2).sum())
