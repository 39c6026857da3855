"""What is laid over what, where, and how loud."""

import numpy as np
import pytest

from audionet.detection.mixtures import LONGEST_CALL_SECONDS, HeardPicture, mix
from audionet.settings import PICTURE_SIZE, PictureSettings
from audionet.spectrogram.transform import SpectrogramRenderer
from tests.conftest import chirps

CHUNK_SECONDS = 5.0
RENDERER = SpectrogramRenderer.make(PictureSettings(CHUNK_SECONDS))
HISS = (np.random.default_rng(0).normal(0, 500, 80_000)).astype(np.int16)


def drawn(samples: np.ndarray) -> HeardPicture:
    return HeardPicture(RENDERER.render(samples), RENDERER.columns(len(samples) / 16_000))


@pytest.mark.parametrize("seed", range(5))
def test_a_call_is_heard_where_the_mixture_says(seed: int) -> None:
    silence = np.zeros(16_000, np.int16)
    call = drawn(np.concatenate([silence, chirps(1, 300, 400, 1.2), silence]))
    mixture = mix(call, drawn(HISS), RENDERER, level_columns=60, random=np.random.default_rng(seed))
    assert mixture.grey.shape == (PICTURE_SIZE, PICTURE_SIZE)
    seconds = (mixture.last - mixture.first) * CHUNK_SECONDS / PICTURE_SIZE
    assert seconds == pytest.approx(1.2, abs=0.25)
    # The rows of 300 to 400 Hz, in which noise has no more than in any other.
    rows = mixture.grey[PICTURE_SIZE - 55 : PICTURE_SIZE - 25].astype(float)
    inside = np.zeros(PICTURE_SIZE, bool)
    inside[mixture.first : mixture.last] = True
    assert rows[:, inside].max(axis=0).mean() > rows[:, ~inside].max(axis=0).mean() + 20
    # The background goes on behind the call and beside it.
    above = mixture.grey[: PICTURE_SIZE // 2].astype(float)
    assert above[:, inside].mean() > 60
    assert above[:, ~inside].mean() > 60


def test_long_calls_are_cut_and_short_recordings_give_no_more_than_they_hold() -> None:
    random = np.random.default_rng(0)
    long = mix(drawn(chirps(2, 300, 400, 5)), drawn(HISS), RENDERER, 60, random)
    assert (long.last - long.first) * CHUNK_SECONDS / PICTURE_SIZE == pytest.approx(LONGEST_CALL_SECONDS, abs=0.05)
    short = mix(drawn(chirps(2, 300, 400, 0.5)), drawn(HISS), RENDERER, 60, random)
    assert (short.last - short.first) * CHUNK_SECONDS / PICTURE_SIZE <= 0.5 + 0.05


def test_the_background_alone() -> None:
    mixture = mix(None, drawn(HISS), RENDERER, 60, np.random.default_rng(0))
    assert (mixture.first, mixture.last) == (0, 0)
    assert mixture.grey.mean() > 60


def test_silence_can_be_laid_over_silence() -> None:
    silence = HeardPicture(np.zeros((PICTURE_SIZE, PICTURE_SIZE), np.uint8), PICTURE_SIZE)
    assert np.isfinite(mix(silence, silence, RENDERER, 60, np.random.default_rng(0)).grey).all()
