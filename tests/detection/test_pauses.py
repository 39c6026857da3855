"""What is a pause, and what is heard instead of it."""

import numpy as np
import pytest

from audionet.bottleneck.maps import MARGIN_COLUMNS, Window
from audionet.detection.pauses import are_pauses, find_pauses, loudest_moments, reach_seconds, without_pauses

COLUMN_SECONDS = 0.02


def loudness_of(*stretches: tuple[float, float]) -> np.ndarray:
    """Of three rows, in stretches of so many seconds and decibels."""
    columns = [np.full(round(seconds / COLUMN_SECONDS), 3 * 10 ** (db / 10), np.float32) for seconds, db in stretches]
    return np.concatenate(columns)


@pytest.mark.parametrize(
    ("seconds", "level_db", "is_pause"), [(1.2, -40, True), (3, -90, True), (0.8, -40, False), (3, -30, False)]
)
def test_a_pause_is_faint_and_lasts(seconds: float, level_db: float, is_pause: bool) -> None:
    in_pause = find_pauses(loudness_of((2, 0), (seconds, level_db), (2, -3)), COLUMN_SECONDS)
    expected = np.zeros(len(in_pause), bool)
    expected[100 : 100 + round(seconds / COLUMN_SECONDS)] = is_pause
    assert np.array_equal(in_pause, expected)


def test_what_is_faint_for_long_is_a_pause_beside_what_is_loud_alone() -> None:
    in_pause = find_pauses(loudness_of((2, 0), (20, -50)), COLUMN_SECONDS)
    (places,) = np.nonzero(in_pause)
    reach = reach_seconds(COLUMN_SECONDS) / COLUMN_SECONDS
    assert reach > MARGIN_COLUMNS
    assert (places[0], places[-1]) == (100, 100 + reach - 1)
    assert not find_pauses(loudness_of((20, -50)), COLUMN_SECONDS).any()


def test_sound_is_mirrored_into_pauses() -> None:
    power = np.arange(12, dtype=np.float32)[None]
    in_pause = np.isin(np.arange(12), [0, 1, 5, 6, 7, 8])
    filled = without_pauses(power, in_pause)
    assert filled.tolist() == [[3, 2, 2, 3, 4, 4, 3, 10, 9, 9, 10, 11]]
    assert without_pauses(power, np.ones(12, bool)) is power
    assert without_pauses(power, np.zeros(12, bool)) is power


def test_windows_are_held_against_what_is_heard_for_long_around_them() -> None:
    loudness = loudness_of((10, -50), (2, 0), (30, -50))
    windows = [Window(50 * n, 50 * n + 50) for n in range(42)]
    levels_db = 10 * np.log10(loudest_moments(loudness, windows))
    assert levels_db[[0, 11, 41]] == pytest.approx([-45.2, 4.8, -45.2], abs=0.1)
    (places,) = np.nonzero(are_pauses(levels_db, windows_a_second=1))
    assert places.tolist() == [*range(10), *range(12, 27)]
