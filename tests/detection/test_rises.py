"""What rises out of the sound around, and what does not."""

import numpy as np
import pytest

from audionet.bottleneck.maps import Window
from audionet.detection.rises import NO_RISE, Rise, find_rises
from audionet.settings import PICTURE_SIZE, SAMPLE_RATE_HZ, PictureSettings
from audionet.spectrogram.transform import SpectrogramRenderer
from tests.conftest import chirps


def hiss(seconds: float, level: float = 500) -> np.ndarray:
    return np.random.default_rng(0).normal(0, level, round(seconds * SAMPLE_RATE_HZ))


def with_call(sound: np.ndarray, start_seconds: float, seconds: float, gain: float = 0.2) -> np.ndarray:
    start, call = round(start_seconds * SAMPLE_RATE_HZ), gain * chirps(1, 2000, 2500, seconds)
    sound = sound.copy()
    sound[start : start + len(call)] += call
    return sound


def rises_of(sound: np.ndarray, chunk_seconds: float = 5.0) -> list[Rise]:
    """Of windows of a second, one each second."""
    renderer = SpectrogramRenderer.make(PictureSettings(chunk_seconds))
    column_seconds = chunk_seconds / PICTURE_SIZE
    starts = np.arange(0, len(sound) / SAMPLE_RATE_HZ - 0.99) / column_seconds
    windows = [Window(start, start + 1 / column_seconds) for start in starts.tolist()]
    return find_rises(renderer.strip_power(sound), windows, column_seconds)


@pytest.mark.parametrize("chunk_seconds", [2.0, 5.0, 20.0])
def test_a_call_rises_from_its_start_to_its_end_whatever_the_scale_of_the_pictures(chunk_seconds: float) -> None:
    rises = rises_of(with_call(hiss(20), 9.1, 0.8), chunk_seconds)
    assert [n for n, rise in enumerate(rises) if rise is not NO_RISE] == [9]
    assert (rises[9].start_seconds, rises[9].end_seconds) == pytest.approx((9.1, 9.9), abs=0.15)


def test_how_far_it_rises_is_how_much_louder_it_is() -> None:
    quiet, loud = (rises_of(with_call(hiss(20), 9.1, 0.8, gain))[9] for gain in (0.2, 0.8))
    assert loud.decibels - quiet.decibels == pytest.approx(20 * np.log10(4), abs=1.5)


@pytest.mark.parametrize(
    ("sound", "first_seconds"),
    [
        (hiss(20), 0),
        (np.zeros(20 * SAMPLE_RATE_HZ), 0),
        (with_call(hiss(20), 4, 16), 8),  # is the background itself
        (with_call(hiss(2), 0.4, 1.4), 0),
    ],
    ids=["hiss", "silence", "what lasts", "too short a clip to know its background"],
)
def test_what_is_no_different_from_what_is_around_does_not_rise(sound: np.ndarray, first_seconds: int) -> None:
    rises = rises_of(sound)[first_seconds:]
    assert rises
    assert rises == [NO_RISE] * len(rises)
