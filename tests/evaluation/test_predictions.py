import numpy as np
import pytest

from audionet.evaluation.predictions import Predictions

# Right at .8, wrong at .6, right at .5, wrong at .9.
PROBABILITIES = np.array([[0.8, 0.1, 0.1], [0.3, 0.6, 0.1], [0.2, 0.5, 0.3], [0.05, 0.9, 0.05]])


@pytest.fixture
def tested() -> Predictions:
    names = ["a/1", "a/2", "b/1", "c/1"]
    return Predictions(["a", "b", "c"], names, np.array([0, 0, 1, 2]), PROBABILITIES, [0.0] * 4, [1.0] * 4)


def test_the_surest_mistake_comes_first_and_the_least_certain_of_the_right(tested: Predictions) -> None:
    assert tested.mistakes() == [3, 1]
    assert tested.least_certain() == [2, 0]
    assert tested.confusion.matrix.tolist() == [[1, 1, 0], [0, 1, 0], [0, 1, 0]]


def test_the_best_classes_are_named(tested: Predictions) -> None:
    assert tested.top(1, 2) == [("b", 0.6), ("a", 0.3)]


def test_scores_are_counted_in_tenths(tested: Predictions) -> None:
    assert [(found.count, round(found.score, 3), found.right) for found in tested.calibration()] == [
        (1, 0.5, 1.0),
        (1, 0.6, 0.0),
        (1, 0.8, 1.0),
        (1, 0.9, 0.0),
    ]


def test_pairs_that_are_confused_equally_often_are_ordered_by_what_they_share(tested: Predictions) -> None:
    """Class c gives b .9 and b gives c .3; a gives b .35 on average, and b gives a .2."""
    first, second, third = tested.pairs()
    assert (first.one, first.other, first.there, first.back) == ("b", "c", 0, 1)
    assert first.shared == pytest.approx(0.6)
    assert (second.one, second.other, second.there, second.back) == ("a", "b", 1, 0)
    assert second.shared == pytest.approx(0.275)
    assert (third.one, third.other, third.times) == ("a", "c", 0)
