import json
from dataclasses import replace

import numpy as np
import pytest

from audionet.system.untrusted import Refused
from audionet.training.unknown import (
    BELIEVED,
    LOW_SCORE,
    UNLIKE_ALL,
    Alike,
    HeldOut,
    RejectionThresholds,
    centred_logs,
    comparable_distance,
)

CLOCK, SIREN = 0, 1

NO_PARTS = np.empty((0, 0, 0))
USUAL_SECONDS = [4.0, 0.5]


def alike(probabilities: np.ndarray, targets: np.ndarray) -> Alike:
    own = centred_logs(probabilities)[np.arange(len(targets)), targets]
    return Alike(probabilities.max(axis=1, keepdims=True), own[:, None])


def by_class(values: np.ndarray, targets: np.ndarray) -> list[np.ndarray]:
    return [values[targets == number] for number in (CLOCK, SIREN)]


def logs(probability: float) -> float:
    """The centred logarithm of one of two classes."""
    return float(centred_logs(np.array([probability, 1 - probability]))[0])


@pytest.fixture
def thresholds() -> RejectionThresholds:
    """Of clocks, which score .99 to .999 for their own class, and sirens, which score .5 to .8."""
    own = np.concatenate([np.linspace(0.99, 0.999, 50), np.linspace(0.5, 0.8, 50)])
    targets = np.repeat([CLOCK, SIREN], 50)
    probabilities = np.where(np.eye(2, dtype=bool)[targets], own[:, None], 1 - own[:, None])
    distances = np.tile(np.linspace(50, 100, 50), 2)
    held_out = HeldOut(probabilities, NO_PARTS, alike(probabilities, targets), targets, distances, 50)
    return RejectionThresholds.learn(held_out, by_class(distances, targets), USUAL_SECONDS)


def why(thresholds: RejectionThresholds, number: int, score: float, distance: float = 70) -> str:
    assert thresholds.typicality is not None
    return thresholds.why_unknown(
        number, score, distance, float(thresholds.typicality.of(number, logs(score), distance))
    )


def test_a_score_is_held_against_those_of_the_class_itself(thresholds: RejectionThresholds) -> None:
    assert thresholds.typicality is not None
    assert why(thresholds, SIREN, 0.69) == ""
    assert why(thresholds, CLOCK, 0.69) == LOW_SCORE
    assert why(thresholds, SIREN, 0.3) == LOW_SCORE
    assert why(thresholds, CLOCK, BELIEVED) == ""
    assert thresholds.typicality.of(CLOCK, logs(0.995), 72) == pytest.approx(0, abs=0.5)
    assert thresholds.typicality.of(CLOCK, logs(0.75), 72) < -3


def test_sound_that_lies_farther_away_is_less_typical_and_far_away_unknown(thresholds: RejectionThresholds) -> None:
    assert thresholds.typicality is not None
    near, far = (thresholds.typicality.of(SIREN, logs(0.69), distance) for distance in (70, 140))
    assert far < near - 1
    assert why(thresholds, SIREN, 0.69, 140) == LOW_SCORE
    assert why(thresholds, CLOCK, 0.99, 200) == UNLIKE_ALL


def test_one_odd_recording_does_not_make_all_that_is_far_away_known() -> None:
    """What lies three times as far as the training is unknown, though one recording of it lies ten times as far."""
    probabilities = np.tile([[0.9, 0.1], [0.1, 0.9]], (50, 1))
    targets = np.tile([CLOCK, SIREN], 50)
    distances = np.linspace(80, 100, 100)
    distances[7] = 1000
    held_out = HeldOut(probabilities, NO_PARTS, alike(probabilities, targets), targets, distances, 50)
    thresholds = RejectionThresholds.learn(held_out, by_class(distances, targets), USUAL_SECONDS)
    assert why(thresholds, CLOCK, 0.99, 300) == UNLIKE_ALL
    assert why(thresholds, CLOCK, 0.99, 150) == ""


def test_a_class_of_a_few_pictures_that_lie_far_away_is_not_unlike_all() -> None:
    """One siren among forty clocks is less than one in twenty, so that most of the training lies nearer."""
    probabilities, targets = np.tile([[0.9, 0.1]], (41, 1)), np.array([CLOCK] * 40 + [SIREN])
    probabilities[40] = 0.1, 0.9
    distances = np.where(targets == SIREN, 300.0, np.linspace(80, 100, 41))
    held_out = HeldOut(probabilities, NO_PARTS, alike(probabilities, targets), targets, distances, 1)
    thresholds = RejectionThresholds.learn(held_out, by_class(distances, targets), USUAL_SECONDS)
    assert [thresholds.why_unknown(SIREN, 0.99, distance) for distance in (300, 500, 700)] == ["", "", UNLIKE_ALL]
    assert thresholds.why_unknown(CLOCK, 0.99, 300) == UNLIKE_ALL


def test_the_rarest_of_the_classes_own_sound_are_not_believed(thresholds: RejectionThresholds) -> None:
    """But for those whose score is high."""
    assert thresholds.typicality is not None
    numbers, scores = np.repeat([CLOCK, SIREN], 50), [*np.linspace(0.99, 0.999, 50), *np.linspace(0.5, 0.8, 50)]
    distances = np.tile(np.linspace(50, 100, 50), 2)
    typical = thresholds.typicality.of(numbers, np.array([logs(score) for score in scores]), distances)
    assert (typical < thresholds.typicality.lowest).mean() == pytest.approx(0.15, abs=0.01)


def test_a_model_of_before_and_a_threshold_by_hand_go_by_the_score_alone() -> None:
    old = RejectionThresholds(0.5, 100.0)
    assert (old.why_unknown(CLOCK, 0.4, 50), old.why_unknown(CLOCK, 0.6, 50)) == (LOW_SCORE, "")


@pytest.mark.parametrize("recordings", [1, 2])
def test_of_one_recording_of_a_class_nothing_is_learnt_and_two_are_enough(recordings: int) -> None:
    probabilities = np.repeat([[0.9, 0.1], [0.2, 0.8]], recordings, axis=0)
    distances = np.full(len(probabilities), 50.0)
    targets = np.repeat([0, 1], recordings)
    held_out = HeldOut(probabilities, NO_PARTS, alike(probabilities, targets), targets, distances, recordings)
    found = RejectionThresholds.learn(held_out, by_class(distances, targets), USUAL_SECONDS)
    if recordings == 1:
        assert found.typicality is None
    else:
        assert found.typicality is not None
        assert np.isfinite(found.typicality.of(0, logs(0.9), 50))


def test_centred_logs_sum_to_zero_and_stay_finite() -> None:
    assert centred_logs(np.array([0.8, 0.2])) == pytest.approx([np.log(2), -np.log(2)])
    found = centred_logs(np.array([[1.0, 0.0, 0.0]]))
    assert np.isfinite(found).all()
    assert found.sum() == pytest.approx(0)


def test_what_is_kept_of_it_is_read_again_and_refused_for_other_classes(thresholds: RejectionThresholds) -> None:
    kept = json.loads(json.dumps(thresholds.to_json()))
    assert RejectionThresholds.of_classes(kept, 2) == thresholds
    for classes in (1, 3):
        with pytest.raises(Refused):
            RejectionThresholds.of_classes(kept, classes)
    with pytest.raises(Refused):
        RejectionThresholds.of_classes({**kept, "usual_seconds": [4.0]}, 2)
    with pytest.raises(Refused):
        RejectionThresholds.of_classes({**kept, "longest_distances": [1.0, 2.0, 3.0]}, 2)
    kept["typicality"]["log_deviations"][0] = 0
    with pytest.raises(Refused):
        RejectionThresholds.of_classes(kept, 2)


@pytest.mark.parametrize(
    ("best", "seconds", "odds"),
    [
        (CLOCK, 2.0, 9.0),  # half of what is usual, and as sure as any
        (CLOCK, 0.5, 3.0),  # a quarter of that, and half as sure: the logarithm of the odds
        (SIREN, 0.25, 9.0),  # sirens are short
        (SIREN, 0.01, 9**0.2),
    ],
)
def test_a_clip_that_is_far_shorter_than_its_class_scores_less(
    thresholds: RejectionThresholds, best: int, seconds: float, odds: float
) -> None:
    probabilities = np.array([[0.9, 0.1]])[:, :: 1 if best == CLOCK else -1]
    tempered = thresholds.tempered(probabilities, seconds)
    assert tempered.argmax() == best
    assert tempered.sum() == pytest.approx(1)
    assert tempered.max() / tempered.min() == pytest.approx(odds)
    old = replace(thresholds, usual_seconds=None)
    assert (old.tempered(probabilities, seconds) == probabilities).all()


def test_a_quarter_of_a_chunk_may_lie_more_than_twice_as_far() -> None:
    assert comparable_distance(100.0 * 4**0.6, 0.5, 2) == pytest.approx(comparable_distance(100.0, 2, 2))


def test_windows_are_held_against_parts_where_these_were_learnt(thresholds: RejectionThresholds) -> None:
    whole = thresholds.typicality
    assert whole is not None
    probabilities = np.array([[0.995, 0.005], [0.35, 0.65]])
    own = np.array([logs(0.995), logs(0.65)])
    expected = (own - whole.usual_logs) / whole.log_deviations
    assert whole.fit_of_windows(probabilities) == pytest.approx(expected)
    of_parts = replace(whole, part_logs=own.tolist(), part_deviations=[0.5, 2.0])
    assert of_parts.fit_of_windows(probabilities) == pytest.approx([0, 0])
    stored = replace(thresholds, typicality=of_parts).to_json()
    assert RejectionThresholds.of_classes(stored, 2).typicality == of_parts
    stored["typicality"]["part_logs"].append(0.0)
    with pytest.raises(Refused):
        RejectionThresholds.of_classes(stored, 2)
