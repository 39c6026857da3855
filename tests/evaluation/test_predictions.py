from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from audionet.evaluation.predictions import Place, Predictions
from audionet.evaluation.result import EvaluationResult
from audionet.system.files import json_bytes
from audionet.system.untrusted import parse_json

# Right at .8, wrong at .6, right at .5, wrong at .9.
PROBABILITIES = np.array([[0.8, 0.1, 0.1], [0.3, 0.6, 0.1], [0.2, 0.5, 0.3], [0.05, 0.9, 0.05]])


@pytest.fixture
def tested() -> Predictions:
    places = [Place(name, 0.0, 1.0) for name in ("a/1", "a/2", "b/1", "c/1")]
    return Predictions(["a", "b", "c"], places, np.array([0, 0, 1, 2]), PROBABILITIES)


def test_the_surest_mistake_comes_first_and_the_least_certain_of_the_right(tested: Predictions) -> None:
    assert tested.mistakes() == [3, 1]
    assert tested.least_certain() == [2, 0]
    assert tested.confusion.matrix.tolist() == [[1, 1, 0], [0, 1, 0], [0, 1, 0]]


def test_scores_are_counted_in_tenths(tested: Predictions) -> None:
    assert [(found.count, round(found.score, 3), found.right) for found in tested.calibration()] == [
        (1, 0.5, 1.0),
        (1, 0.6, 0.0),
        (1, 0.8, 1.0),
        (1, 0.9, 0.0),
    ]


def test_pairs_that_are_confused_equally_often_are_ordered_by_what_they_share(tested: Predictions) -> None:
    """Class c gives b .9 and b gives c .3; a gives b .35 on average, and b gives a .2."""
    first, second = tested.pairs()
    assert (first.first, first.second, first.first_as_second, first.second_as_first) == ("b", "c", 0, 1)
    assert first.shared == pytest.approx(0.6)
    assert (second.first, second.second, second.first_as_second, second.second_as_first) == ("a", "b", 1, 0)
    assert second.shared == pytest.approx(0.275)


def test_where_nothing_is_confused_the_pair_that_shares_most_comes_nearest_to_it(tested: Predictions) -> None:
    right = replace(tested, targets=tested.predicted)
    assert [(pair.first, pair.second, pair.times) for pair in right.pairs()] == [("a", "b", 0)]
    alone = Predictions(["a"], tested.places, np.zeros(4, np.intp), np.ones((4, 1)))
    assert alone.pairs() == []


def test_of_thousands_of_classes_the_confusions_take_no_more_room_and_time_than_there_are() -> None:
    """Written with all its noughts, the matrix of so many is more than may be read of a file that others wrote."""
    labels, targets = [f"class {n}" for n in range(3000)], np.arange(3000)
    probabilities = np.eye(3000, dtype=np.float32)
    probabilities[[7, 1999]] = probabilities[[2999, 7]]
    places = [Place(f"{label}/1", 0.0, 1.0) for label in labels]
    result = EvaluationResult.of(Predictions(labels, places, targets, probabilities), 3000, [], 3000)
    written = json_bytes(result.to_json())
    assert len(written) < 200_000
    read = EvaluationResult.from_json(labels, parse_json(written))
    assert (read.confusion.matrix == result.confusion.matrix).all()
    assert read.confusion.confusions() == [("class 7", "class 2999", 1), ("class 1999", "class 7", 1)]
    assert result.tested is not None
    assert [(pair.first, pair.times) for pair in result.tested.pairs()] == [("class 7", 1), ("class 7", 1)]


def calibration_error(scores: NDArray[np.floating], correct: NDArray[np.bool_]) -> float:
    """Of predictions between two classes, with the scores of the better one and whether that was right."""
    places = [Place(f"{n}.wav", 0.0, 1.0) for n in range(len(scores))]
    targets = np.where(correct, 0, 1)
    return Predictions(["a", "b"], places, targets, np.column_stack([scores, 1 - scores])).calibration_error


def test_scores_that_are_true_have_no_error() -> None:
    scores = np.repeat([0.55, 0.75, 0.95], 100)
    correct = np.concatenate([np.arange(100) < n for n in (55, 75, 95)])
    assert calibration_error(scores, correct) == pytest.approx(0, abs=1e-12)


def test_the_error_is_how_far_the_scores_are_off() -> None:
    """Half at .9 of which .6 are right, half at .5 of which .6 are right: (.3 + .1) / 2."""
    scores = np.repeat([0.92, 0.52], 50)
    correct = np.tile(np.arange(50) < 30, 2)
    assert calibration_error(scores, correct) == pytest.approx((0.32 + 0.08) / 2)


def test_a_score_of_one_counts() -> None:
    assert calibration_error(np.array([1.0, 1.0]), np.array([True, False])) == pytest.approx(0.5)
