import numpy as np
import pytest

from audionet.training.unknown import (
    HIGHEST_DOUBT,
    RejectionThresholds,
    comparable_distance,
    expected_calibration_error,
)


def test_scores_that_are_true_have_no_error() -> None:
    scores = np.repeat([0.55, 0.75, 0.95], 100)
    correct = np.concatenate([np.arange(100) < n for n in (55, 75, 95)])
    assert expected_calibration_error(scores, correct) == pytest.approx(0, abs=1e-12)


def test_the_error_is_how_far_the_scores_are_off() -> None:
    """Half at .9 of which .6 are right, half at .5 of which .6 are right: (.3 + .1) / 2."""
    scores = np.repeat([0.92, 0.52], 50)
    correct = np.tile(np.arange(50) < 30, 2)
    assert expected_calibration_error(scores, correct) == pytest.approx((0.32 + 0.08) / 2)


def test_a_score_of_one_counts() -> None:
    assert expected_calibration_error(np.array([1.0, 1.0]), np.array([True, False])) == pytest.approx(0.5)


def test_low_scores_and_far_sound_are_unknown() -> None:
    thresholds = RejectionThresholds.of(np.linspace(0.2, 1, 101), np.linspace(50, 100, 101))
    assert thresholds.min_score == pytest.approx(0.2 + 0.15 * 0.8)
    assert not thresholds.is_unknown(0.5, 100)
    assert thresholds.is_unknown(0.3, 100)
    assert thresholds.is_unknown(0.99, 200)


def test_a_good_score_is_believed_even_where_all_are_better() -> None:
    assert RejectionThresholds.of(np.full(50, 0.99), np.full(50, 10.0)).min_score == HIGHEST_DOUBT


def test_a_quarter_of_a_chunk_may_lie_twice_as_far() -> None:
    assert comparable_distance(200.0, 0.25) == comparable_distance(100.0, 1.0)
