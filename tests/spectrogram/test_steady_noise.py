"""Steady noise is found and reduced where it lies behind a sound, and left where it is the sound."""

import numpy as np
import pytest

from audionet.settings import PictureSettings
from audionet.spectrogram.steady_noise import reduce_steady_noise
from audionet.spectrogram.transform import SpectrogramRenderer

RENDERER = SpectrogramRenderer.make(PictureSettings(chunk_seconds=3.0))
COLUMN_SECONDS = 3.0 / 299
TIMES = np.arange(6 * 16_000) / 16_000
IS_LOUD = (TIMES % 1.2) < 0.6
TONES = 6000 * np.sin(2 * np.pi * 700 * TIMES) * IS_LOUD
HISS = np.random.default_rng(0).standard_normal(len(TIMES))
LOUDNESS = np.sqrt(np.square(TONES).mean())


def power_of(samples: np.ndarray) -> np.ndarray:
    return RENDERER.strip_power(samples.astype(np.float32))


def level_db(power: np.ndarray, rows: slice, are_loud: bool) -> float:
    """The mean level of some rows in columns where the tones sound, or do not (well within each)."""
    moments = (np.arange(power.shape[1]) + 0.5) * COLUMN_SECONDS % 1.2
    columns = (moments > 0.1) & (moments < 0.5) if are_loud else (moments > 0.8) & (moments < 1.0)
    return float(10 * np.log10(power[rows][:, columns].mean()))


@pytest.mark.parametrize("steady", [HISS, np.sqrt(2) * np.sin(2 * np.pi * 2000 * TIMES)], ids=["hiss", "tone"])
def test_noise_20_db_below_is_made_10_db_quieter_and_the_sound_is_not(steady: np.ndarray) -> None:
    power = power_of(TONES + 0.1 * LOUDNESS * steady)
    reduced = reduce_steady_noise(power, COLUMN_SECONDS)
    # The loudest moment is 3 dB louder than the mean of all, since the tones sound half of the time, and up to 3 dB
    # more where one begins; the quietest averages of noise are up to 3 dB below its mean.
    assert -29.5 < np.median(reduced.noise_db) < -23
    everything = slice(None)
    assert level_db(reduced.power, everything, False) == pytest.approx(level_db(power, everything, False) - 10, abs=2)
    assert level_db(reduced.power, everything, True) == pytest.approx(level_db(power, everything, True), abs=0.1)


@pytest.mark.parametrize(
    "samples",
    [2000 * HISS, 2000 * HISS * (1 + IS_LOUD), TONES, TONES + 10 ** (-45 / 20) * LOUDNESS * HISS, 0 * HISS],
    ids=["noise alone", "noise in waves of 6 dB", "no noise", "noise that is hardly there", "silence"],
)
def test_nothing_else_is_changed(samples: np.ndarray) -> None:
    power = power_of(samples)
    reduced = reduce_steady_noise(power, COLUMN_SECONDS)
    audible = power > power.max() * 1e-4
    assert np.allclose(reduced.power[audible], power[audible], rtol=0.02)


def test_noise_is_judged_by_what_is_loud_around_it() -> None:
    voices, alone = TONES + 0.1 * LOUDNESS * HISS, 0.1 * LOUDNESS * HISS
    power = power_of(np.concatenate([voices, alone]))
    reduced = reduce_steady_noise(power, COLUMN_SECONDS)
    last = power.shape[1] * 3 // 4  # the noise alone is left as it was learnt, should it be of a class
    assert np.array_equal(reduced.power[:, last:], power[:, last:])
    assert reduced.power[:, : last // 2].sum() < power[:, : last // 2].sum()


def test_a_single_moment_is_no_noise() -> None:
    power = power_of(TONES)[:, :1]
    assert reduce_steady_noise(power, COLUMN_SECONDS).power.shape == power.shape
