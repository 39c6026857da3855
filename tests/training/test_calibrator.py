import numpy as np
import pytest

from audionet.options import FitOptions
from audionet.training.calibrator import Calibrator, Examples, soft_targets, train_calibrator

CLASSES = 3


def examples(count: int, seed: int = 0, inverse_temperature: float = 4.0) -> Examples:
    """Scores of which the softmax, times the inverse temperature, gives exactly the probabilities of the classes."""
    random = np.random.default_rng(seed)
    scores = random.normal(0, 0.5, (count, CLASSES))
    probabilities = Calibrator(inverse_temperature).probabilities(scores)
    targets = (probabilities.cumsum(axis=1) > random.random((count, 1))).argmax(axis=1)
    return Examples(scores, targets)


def train(batch_size: int = 100, seed: int = 0) -> Calibrator:
    options = FitOptions(steps=200, train_batch_size=batch_size, seed=seed)
    return train_calibrator(examples(300), options).calibrator


def train_on_all(given: Examples) -> Calibrator:
    return train_calibrator(given, FitOptions(train_batch_size=-1)).calibrator


def test_it_finds_the_temperature_that_makes_probabilities_true() -> None:
    found = train_on_all(examples(4000))
    assert found.inverse_temperature == pytest.approx(4, rel=0.05)


def test_it_equals_an_independent_minimiser_of_the_same_loss() -> None:
    from scipy.optimize import minimize

    given = examples(200, seed=3)
    wanted = soft_targets(given.targets, CLASSES).astype(float)
    shares = np.bincount(given.targets, minlength=CLASSES) / 200

    def loss(parameters: np.ndarray) -> float:
        logits = parameters[0] * given.scores
        logs = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
        entropy = -(wanted * logs).sum(axis=1) / (CLASSES * shares[given.targets])
        return float(entropy.mean())

    best = minimize(loss, np.array([10.0])).x
    assert train_on_all(given).inverse_temperature == pytest.approx(best[0], rel=0.01)


@pytest.mark.parametrize("size", [1.0, 4.0, 30.0, 1000.0])
def test_it_is_found_for_scores_of_any_size(size: float) -> None:
    """Those of few features that say little are large."""
    given = examples(300, inverse_temperature=2.0)
    found = train_on_all(given).inverse_temperature
    scaled = train_on_all(Examples(given.scores * size, given.targets)).inverse_temperature
    assert scaled * size == pytest.approx(found, rel=0.02)


def test_a_hundred_percent_of_few_pictures_is_no_certainty() -> None:
    scores, targets = np.eye(CLASSES)[[0, 1, 2] * 4] - 0.5, np.array([0, 1, 2] * 4)
    found = train_on_all(Examples(scores, targets))
    assert found.probabilities(scores).max(axis=1) == pytest.approx(13 / 14, abs=0.01)


def test_a_few_wrong_pictures_do_not_bring_down_the_scores_of_all() -> None:
    """As of recordings that were put into a folder of their own by mistake: all of them sound like another class."""
    heard = [0, 1] * 500 + [0] * 4
    scores, targets = np.eye(CLASSES)[heard] - 0.5, np.array([0, 1] * 500 + [2] * 4)
    found = train_on_all(Examples(scores, targets))
    assert found.probabilities(scores).max(axis=1).min() > 0.95


def test_the_order_of_the_classes_is_kept() -> None:
    random = np.random.default_rng(0)
    targets = np.array([0] * 190 + [1] * 10, np.int32)
    scores = np.eye(2)[targets] + random.normal(0, 0.7, (200, 2))
    probabilities = train_on_all(Examples(scores, targets)).probabilities(scores)
    assert np.array_equal(probabilities.argmax(axis=1), scores.argmax(axis=1))


def test_the_probabilities_of_a_picture_sum_to_one() -> None:
    found = train().probabilities(examples(20).scores)
    assert found.shape == (20, CLASSES)
    assert np.allclose(found.sum(axis=1), 1, atol=1e-6)
    assert (found >= 0).all()


def test_the_same_seed_gives_the_same_bytes_and_another_does_not() -> None:
    one, same, other = (train(batch_size=32, seed=seed) for seed in (7, 7, 8))
    assert one == same
    assert one.inverse_temperature != other.inverse_temperature


def test_the_history_has_a_point_of_each_part_for_each_evaluation() -> None:
    options = FitOptions(steps=25, eval_step_interval=10)
    fitted = train_calibrator(examples(300), options, watched=examples(50, seed=1))
    assert [(point.step, point.part) for point in fitted.history] == [
        (step, part) for step in (10, 20, 25) for part in ("train", "validation")
    ]
    last = fitted.history[-2]
    assert last.inverse_temperature == fitted.calibrator.inverse_temperature
    given = examples(300)
    found = fitted.calibrator.probabilities(given.scores)
    assert last.accuracy == pytest.approx((found.argmax(axis=1) == given.targets).mean())
