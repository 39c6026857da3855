import numpy as np
import pytest

from audionet.settings import PICTURE_SIZE, SAMPLE_RATE_HZ, PictureSettings
from audionet.spectrogram.augmentation import (
    LEVELS_DB,
    ORIGINAL,
    SPEEDS,
    SPOILT,
    Augmentation,
    Spoiling,
    augment,
    choose_augmentations,
    sounding_part,
)
from audionet.spectrogram.transform import SpectrogramRenderer, to_power
from tests.conftest import chirps, tone

NOISY, NARROW, IN_HALL, DISTORTED, HUM, IN_WIND = [Augmentation(spoiling=each) for each in Spoiling]


def difference(one: np.ndarray, other: np.ndarray) -> float:
    """Mean, in grey levels."""
    return float(np.abs(one.astype(float) - other).mean())


@pytest.mark.parametrize("representation", ["mel", "spectrogram"])
@pytest.mark.parametrize("speed", [0.94, 1.06])
def test_another_speed_looks_like_the_sound_played_so(representation: str, speed: float) -> None:
    """Against the picture of the samples themselves, resampled."""
    renderer = SpectrogramRenderer.make(PictureSettings(2, representation=representation))
    samples = chirps(3, 500, 3000, 1.0)
    places = np.arange(0, len(samples) - 1, speed)
    faster = np.interp(places, np.arange(len(samples)), samples).astype(np.int16)
    picture = renderer.render(samples)
    augmented = augment(picture, renderer.columns(1.0), renderer, Augmentation(speed))
    wanted = renderer.render(faster)
    # The noise in a spectrogram of 256 points is never the same twice.
    share = 0.6 if representation == "mel" else 0.75
    assert difference(augmented, wanted) < share * difference(picture, wanted)


def test_a_tone_moves_to_the_row_of_its_new_frequency() -> None:
    renderer = SpectrogramRenderer.make(PictureSettings())
    augmented = augment(renderer.render(tone(1000, 20)), PICTURE_SIZE, renderer, Augmentation(1.06))
    assert augmented[:, 100].argmax() == pytest.approx(renderer.render(tone(1060, 20))[:, 100].argmax(), abs=1)


def test_a_part_looks_like_the_short_clip_that_it_is() -> None:
    renderer = SpectrogramRenderer.make(PictureSettings())
    samples = np.concatenate([chirps(1, 200, 500, 8), chirps(2, 2000, 3000, 2), chirps(3, 200, 500, 10)])
    start, seconds = 8, 2
    part = samples[start * SAMPLE_RATE_HZ : (start + seconds) * SAMPLE_RATE_HZ]
    picture = renderer.render(samples)
    augmented = augment(picture, PICTURE_SIZE, renderer, Augmentation(part=seconds / 20, start=start / 20))
    assert augmented.shape == picture.shape
    assert np.array_equal(augmented[:, :30], augmented[:, 30:60])  # it repeats
    # Each noisy pixel is its own, but the spectrum is that of the part.
    assert augmented.max() == 255
    wanted = renderer.render(part).mean(axis=1)
    assert np.abs(augmented.mean(axis=1) - wanted).mean() < 0.5 * np.abs(picture.mean(axis=1) - wanted).mean()
    assert np.corrcoef(augmented.mean(axis=1), wanted)[0, 1] > 0.95
    assert np.corrcoef(picture.mean(axis=1), wanted)[0, 1] < 0.8


def test_pitch_classes_change_in_time_alone() -> None:
    renderer = SpectrogramRenderer.make(PictureSettings(2, representation="chromagram"))
    assert renderer.row_hz is None
    picture = renderer.render(tone(440, 2))
    augmented = augment(picture, PICTURE_SIZE, renderer, Augmentation(1.06))
    assert augmented[:, 100].argmax() == picture[:, 100].argmax()


@pytest.mark.parametrize("colormap", ["gray", "viridis"])
def test_the_original_is_left_as_it_is_and_others_keep_their_channels(colormap: str) -> None:
    renderer = SpectrogramRenderer.make(PictureSettings(colormap=colormap))
    picture = renderer.render(chirps(1, 300, 3000, 20))
    assert np.array_equal(augment(picture, PICTURE_SIZE, renderer, ORIGINAL), picture)
    assert augment(picture, PICTURE_SIZE, renderer, Augmentation(0.94)).shape == picture.shape


@pytest.mark.parametrize("seconds", [0.8, 2.0])
@pytest.mark.parametrize("representation", ["mel", "spectrogram"])
def test_in_noise_a_picture_has_noise_where_nothing_sounded(representation: str, seconds: float) -> None:
    """About as loud as is said; what sounded is as bright as before, and a picture has the same noise each time."""
    renderer = SpectrogramRenderer.make(PictureSettings(2, representation=representation))
    picture, columns = renderer.render(tone(1000, seconds)), renderer.columns(seconds)
    noisy = augment(picture, columns, renderer, NOISY)
    loud = picture > 240
    assert difference(noisy[loud], picture[loud]) < 5
    tone_power, power = (to_power(grey, renderer.settings.dynamic_range_db)[:, :columns] for grey in (picture, noisy))
    level_db = 10 * np.log10(power[picture[:, :columns] < 100].sum() / tone_power.sum())
    least_db, most_db = LEVELS_DB[Spoiling.NOISE]
    assert -most_db - 3 < level_db < -least_db + 3
    assert (noisy[picture == 0] > 0).mean() > 0.9
    assert np.array_equal(noisy, augment(picture, columns, renderer, NOISY))
    in_colours = augment(np.repeat(picture[:, :, None], 3, axis=2), columns, renderer, NOISY)
    assert np.array_equal(in_colours, np.repeat(noisy[:, :, None], 3, axis=2))
    assert not augment(np.zeros_like(picture), columns, renderer, NOISY).any()


@pytest.mark.parametrize("chunk_seconds", [2, 20])
def test_in_hum_a_picture_has_steady_rows_at_harmonics_of_the_mains(chunk_seconds: int) -> None:
    """As loud as is said, all through; what sounded stays as bright, and a picture has the same hum each time."""
    renderer = SpectrogramRenderer.make(PictureSettings(chunk_seconds))
    row_hz, mains = np.asarray(renderer.row_hz), set[int]()
    for row in range(12):  # counted from the top: a steady high tone, which none is of the mains
        picture = np.zeros((PICTURE_SIZE, PICTURE_SIZE), np.uint8)
        picture[row] = 255
        hum = augment(picture, PICTURE_SIZE, renderer, HUM)
        assert np.array_equal(hum, augment(picture, PICTURE_SIZE, renderer, HUM))
        assert np.array_equal(hum, np.repeat(hum[:, :1], PICTURE_SIZE, axis=1))
        assert hum[row, 0] == 255
        profile = np.where(picture[::-1, 0], 0, hum[::-1, 0]).astype(float)
        powers = np.where(profile > 0, to_power(profile, renderer.settings.dynamic_range_db), 0)
        least_db, most_db = LEVELS_DB[Spoiling.HUM]
        assert -most_db - 1 < 10 * np.log10(powers.sum()) < -least_db + 1
        rows = np.flatnonzero((profile[1:-1] > profile[:-2]) & (profile[1:-1] >= profile[2:])) + 1
        tops_hz = row_hz[rows[row_hz[rows] > 70]]  # below, the high pass has left little
        off_hz = {hz: np.abs(tops_hz - hz * np.rint(tops_hz / hz)).max() for hz in (50, 60)}
        mains.add(min(off_hz, key=lambda hz: off_hz[hz]))
        assert min(off_hz.values()) < 8
        assert len(tops_hz) > 2
    assert mains == {50, 60}


def test_by_telephone_a_picture_has_no_high_rows_and_keeps_the_others() -> None:
    renderer = SpectrogramRenderer.make(PictureSettings(2))
    row_hz, random = np.asarray(renderer.row_hz), np.random.default_rng(0)
    has_low_rows, highest_hz = list[bool](), list[float]()
    for _ in range(12):
        picture = random.integers(1, 200, (PICTURE_SIZE, PICTURE_SIZE), np.uint8)
        narrow = augment(picture, PICTURE_SIZE, renderer, NARROW)
        assert np.array_equal(narrow, augment(picture, PICTURE_SIZE, renderer, NARROW))
        heard = np.asarray(narrow.any(axis=1))
        assert np.array_equal(narrow[heard], picture[heard] + (255 - picture[heard].max()))
        rows = np.flatnonzero(heard[::-1])
        assert np.array_equal(rows, np.arange(rows[0], rows[-1] + 1))
        highest_hz.append(float(row_hz[rows[-1]]))
        has_low_rows.append(bool(rows[0] == 0))
        assert row_hz[rows[0]] <= 310
    assert 2900 < min(highest_hz) < 4500 < 6000 < max(highest_hz) < 8000
    assert 0 < sum(has_low_rows) < 12


def test_in_a_hall_a_click_dies_away_evenly() -> None:
    """By 60 dB in 0.2 to 1.5 seconds, in all rows alike."""
    renderer, seconds = SpectrogramRenderer.make(PictureSettings(20)), []
    for row in range(12):
        picture = np.zeros((PICTURE_SIZE, PICTURE_SIZE), np.uint8)
        picture[row::20, 100] = 255
        echoing = augment(picture, PICTURE_SIZE, renderer, IN_HALL)
        assert not echoing[:, :100].any()
        assert not echoing[~picture.any(axis=1)].any()
        tail = renderer.settings.dynamic_range_db * (echoing[row, 101:104].astype(float) / 255 - 1)
        assert np.array_equal(echoing[row], echoing[row + 20])
        assert np.diff(tail)[0] == pytest.approx(np.diff(tail)[1], abs=0.7)
        seconds.append(60 / -np.diff(tail)[0] * 20 / PICTURE_SIZE)
    assert 0.19 < min(seconds) < 0.5 < 0.8 < max(seconds) < 1.6


def test_what_is_distorted_has_noise_where_it_is_loud() -> None:
    """So many decibels below it at each moment, and none in silence."""
    renderer = SpectrogramRenderer.make(PictureSettings(2))
    samples = np.concatenate([tone(1000, 0.9), 0.1 * tone(1000, 0.9), np.zeros(SAMPLE_RATE_HZ // 5)])
    picture = renderer.render(samples)
    distorted = augment(picture, PICTURE_SIZE, renderer, DISTORTED)
    power = to_power(distorted, renderer.settings.dynamic_range_db)
    is_noise = picture < 100
    below_db = [10 * np.log10(np.where(is_noise, power, 0)[:, n].sum() / power[:, n].sum()) for n in (60, 190)]
    least_db, most_db = LEVELS_DB[Spoiling.DISTORTED]
    assert -most_db - 3 < below_db[0] < -least_db + 3
    assert below_db[1] == pytest.approx(below_db[0], abs=3)
    assert not distorted[:, 280:].any()
    assert np.array_equal(distorted, augment(picture, PICTURE_SIZE, renderer, DISTORTED))


def test_in_wind_the_lowest_rows_are_loud_and_the_high_ones_as_before() -> None:
    renderer = SpectrogramRenderer.make(PictureSettings(2))
    row_hz, levels_db = np.asarray(renderer.row_hz)[::-1], []
    for row in range(12):
        picture = np.zeros((PICTURE_SIZE, PICTURE_SIZE), np.uint8)
        picture[row] = 200
        windy = to_power(augment(picture, PICTURE_SIZE, renderer, IN_WIND), renderer.settings.dynamic_range_db)
        windy[windy <= windy.min()] = 0
        is_wind = ~picture.any(axis=1)
        levels_db.append(10 * np.log10(windy[row].sum() / windy[is_wind].sum()))
        assert windy[is_wind & (row_hz < 300)].sum() > 0.75 * windy[is_wind].sum()
    assert -10.5 < min(levels_db) < 0 < 10 < max(levels_db) < 20.5


def test_pictures_have_speeds_and_those_of_long_chunks_parts_unless_they_are_very_many() -> None:
    short, long = SpectrogramRenderer.make(PictureSettings(2)), SpectrogramRenderer.make(PictureSettings(20))
    in_colours = SpectrogramRenderer.make(PictureSettings(2, colormap="viridis"))
    above_hum = SpectrogramRenderer.make(PictureSettings(2, high_pass_hz=1000))
    pitch_classes = SpectrogramRenderer.make(PictureSettings(2, representation="chromagram"))
    assert choose_augmentations(100, short) == [ORIGINAL, *SPEEDS, NOISY, NARROW, IN_HALL, DISTORTED, HUM, IN_WIND]
    assert choose_augmentations(100, in_colours) == [ORIGINAL, *SPEEDS]
    assert choose_augmentations(100, above_hum) == [ORIGINAL, *SPEEDS, NOISY, NARROW, IN_HALL, DISTORTED]
    assert choose_augmentations(100, pitch_classes) == [ORIGINAL, *SPEEDS, NOISY, IN_HALL, DISTORTED]
    assert choose_augmentations(101, short) == choose_augmentations(10_000, short) == [ORIGINAL, *SPEEDS, *SPOILT]
    digests = [bytes([n]) for n in range(18)]
    assert [sum(map(each.is_made_of, digests)) for each in SPOILT] == [2] * 6
    assert [sum(each.is_made_of(digest) for each in SPOILT) for digest in digests] == [1, 1, 1, 1, 1, 1, 0, 0, 0] * 2
    assert [sum(v.part < 1 for v in choose_augmentations(count, long)) for count in (1500, 1501, 10_000)] == [4, 1, 1]
    assert choose_augmentations(10_001, short) == choose_augmentations(10_001, long) == [ORIGINAL]


@pytest.mark.parametrize(
    ("before", "behind", "chunk_seconds", "expected"),
    [(8, 0, 20, (0.4, 0.6)), (5, 9, 20, (0.25, 0.3)), (2, 1, 20, (0, 1)), (4, 0, 5, (0, 1))],
)
def test_a_pause_before_and_behind_what_sounds_in_a_long_chunk_is_not_seen(
    before: int, behind: int, chunk_seconds: int, expected: tuple[float, float]
) -> None:
    samples = np.random.default_rng(0).normal(0, 80, chunk_seconds * SAMPLE_RATE_HZ)  # the room, -52 dB
    sounds = slice(before * SAMPLE_RATE_HZ, len(samples) - behind * SAMPLE_RATE_HZ)
    samples[sounds] += chirps(1, 300, 3000, chunk_seconds - before - behind)
    renderer = SpectrogramRenderer.make(PictureSettings(chunk_seconds, 0))
    part = sounding_part(renderer.render(samples.astype(np.float32)), PICTURE_SIZE, renderer)
    assert (part.start, part.part) == pytest.approx(expected, abs=0.02)
    assert part.speed == 1
