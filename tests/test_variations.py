import numpy as np
import pytest

from audionet.settings import PICTURE_SIZE, SAMPLE_RATE_HZ, PictureSettings
from audionet.spectrogram import Painter
from audionet.variations import CUT, NOISY, ORIGINAL, Variation, choose_variations, vary
from tests.conftest import chirps, tone


def difference(one: np.ndarray, other: np.ndarray) -> float:
    """Mean, in grey levels."""
    return float(np.abs(one.astype(float) - other).mean())


@pytest.mark.parametrize("representation", ["mel", "spectrogram"])
@pytest.mark.parametrize("speed", [0.94, 1.06])
def test_another_speed_looks_like_the_sound_played_so(representation: str, speed: float) -> None:
    """Against the picture of the samples themselves, resampled."""
    painter = Painter.make(PictureSettings(2, representation=representation))
    samples = chirps(3, 500, 3000, 1.0)
    places = np.arange(0, len(samples) - 1, speed)
    faster = np.interp(places, np.arange(len(samples)), samples).astype(np.int16)
    picture = painter.paint(samples)
    varied = vary(picture, painter.columns(1.0), painter, Variation(speed))
    wanted = painter.paint(faster)
    assert difference(varied, wanted) < 0.6 * difference(picture, wanted)


def test_a_tone_moves_to_the_row_of_its_new_frequency() -> None:
    painter = Painter.make(PictureSettings())
    varied = vary(painter.paint(tone(1000, 20)), PICTURE_SIZE, painter, Variation(1.06))
    assert varied[:, 100].argmax() == pytest.approx(painter.paint(tone(1060, 20))[:, 100].argmax(), abs=1)


def test_a_part_looks_like_the_short_clip_that_it_is() -> None:
    painter = Painter.make(PictureSettings())
    samples = np.concatenate([chirps(1, 200, 500, 8), chirps(2, 2000, 3000, 2), chirps(3, 200, 500, 10)])
    start, seconds = 8, 2
    part = samples[start * SAMPLE_RATE_HZ : (start + seconds) * SAMPLE_RATE_HZ]
    picture = painter.paint(samples)
    varied = vary(picture, PICTURE_SIZE, painter, Variation(part=seconds / 20, start=start / 20))
    assert varied.shape == picture.shape
    assert np.array_equal(varied[:, :30], varied[:, 30:60])  # it repeats
    # Each noisy pixel is its own, but the spectrum is that of the part.
    assert varied.max() == 255
    wanted = painter.paint(part).mean(axis=1)
    assert np.abs(varied.mean(axis=1) - wanted).mean() < 0.5 * np.abs(picture.mean(axis=1) - wanted).mean()
    assert np.corrcoef(varied.mean(axis=1), wanted)[0, 1] > 0.95
    assert np.corrcoef(picture.mean(axis=1), wanted)[0, 1] < 0.8


def test_pitch_classes_change_in_time_alone() -> None:
    painter = Painter.make(PictureSettings(2, representation="chromagram"))
    assert painter.row_hz is None
    picture = painter.paint(tone(440, 2))
    varied = vary(picture, PICTURE_SIZE, painter, Variation(1.06))
    assert varied[:, 100].argmax() == picture[:, 100].argmax()


def test_colours_keep_their_channels() -> None:
    painter = Painter.make(PictureSettings(colormap="viridis"))
    picture = painter.paint(chirps(1, 300, 3000, 20))
    assert vary(picture, PICTURE_SIZE, painter, Variation(0.94)).shape == picture.shape


def test_the_original_is_left_as_it_is() -> None:
    painter = Painter.make(PictureSettings())
    picture = painter.paint(chirps(1, 300, 3000, 20))
    assert np.array_equal(vary(picture, PICTURE_SIZE, painter, ORIGINAL), picture)


def test_a_noisy_background_looks_like_added_noise() -> None:
    """Against the picture of the samples themselves with noise in them: as dark, and about as even."""
    painter = Painter.make(PictureSettings(2))
    samples = tone(1000, 2) // 2
    clean, varied = (
        painter.paint(samples),
        vary(painter.paint(samples), PICTURE_SIZE, painter, Variation(background=NOISY)),
    )
    assert np.array_equal(varied, vary(clean, PICTURE_SIZE, painter, Variation(background=NOISY)))
    assert varied.max() == clean.max() == 255
    assert np.array_equal(varied[clean > 150], clean[clean > 150])
    background = varied[clean == 0]
    # 52 to 72 decibels below the loudest point, the noise's tilt and its fluctuation beside, of 80.
    assert 255 * 2 / 80 < np.median(background) < 255 * 34 / 80
    assert background.std() > 3


def test_a_cut_background_is_black_and_the_rest_as_it_was() -> None:
    painter = Painter.make(PictureSettings(2))
    picture = painter.paint(chirps(3, 500, 3000, 2))
    varied = vary(picture, PICTURE_SIZE, painter, Variation(background=CUT))
    limit = varied[varied > 0].min()
    assert 255 * 12 / 80 <= limit <= 255 * 30 / 80 + 2
    assert np.array_equal(varied, np.where(picture < limit, 0, picture))


def test_long_chunks_have_parts_and_colours_no_backgrounds() -> None:
    few = choose_variations(10, Painter.make(PictureSettings(2)))
    assert [v.background for v in few].count(NOISY) == 1
    assert all(v.part == 1 for v in few)
    assert any(v.part < 1 for v in choose_variations(10, Painter.make(PictureSettings(20))))
    for settings in (PictureSettings(2, colormap="viridis"), PictureSettings(2, representation="chromagram")):
        assert [v.speed for v in choose_variations(10, Painter.make(settings))] == [1, 0.94, 1.06]
    assert choose_variations(10_000, Painter.make(PictureSettings(2))) == [ORIGINAL]
