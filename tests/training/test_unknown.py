import numpy as np
import pytest

from audionet.training.unknown import (
    HIGHEST_DOUBT,
    LOW_SCORE,
    UNLIKE_ALL,
    RejectionThresholds,
    comparable_distance,
)


def test_low_scores_and_far_sound_are_unknown() -> None:
    thresholds = RejectionThresholds.of(np.linspace(0.2, 1, 101), np.linspace(50, 100, 101))
    assert thresholds.min_score == pytest.approx(0.2 + 0.15 * 0.8)
    assert thresholds.why_unknown(0.5, 100) == ""
    assert thresholds.why_unknown(0.3, 100) == LOW_SCORE
    assert thresholds.why_unknown(0.99, 200) == UNLIKE_ALL


def test_a_good_score_is_believed_even_where_all_are_better() -> None:
    assert RejectionThresholds.of(np.full(50, 0.99), np.full(50, 10.0)).min_score == HIGHEST_DOUBT


def test_a_quarter_of_a_chunk_may_lie_more_than_twice_as_far() -> None:
    assert comparable_distance(100.0 * 4**0.6, 0.25) == pytest.approx(comparable_distance(100.0, 1.0))
