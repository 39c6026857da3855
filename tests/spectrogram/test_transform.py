from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.signal
from PIL import Image

import audionet
from audionet.audio.decoding import decode
from audionet.options import LabelOptions, PrepareOptions
from audionet.settings import PICTURE_SIZE, SAMPLE_RATE_HZ, TRANSFORM_SAMPLES, PictureSettings
from audionet.spectrogram.transform import SpectrogramRenderer, power_spectrum, sounding_share
from tests.conftest import chirps, make_model, tone, write_wav


@pytest.fixture(scope="module")
def renderer() -> SpectrogramRenderer:
    return SpectrogramRenderer.make(PictureSettings())


def mel_centres_hz() -> np.ndarray:
    """Of the mel bands, as librosa has them."""
    from librosa import mel_frequencies  # here, so that who collects the tests needs not wait for it

    return np.asarray(mel_frequencies(PICTURE_SIZE + 2, fmin=0, fmax=SAMPLE_RATE_HZ / 2)[1:-1])


def brightest_row(picture: np.ndarray) -> int:
    return int(np.argmax(picture.astype(int).sum(axis=1)))


@pytest.mark.parametrize("frequency_hz", [100, 440, 1000, 3000, 7000])
def test_a_tones_row_is_that_of_its_mel_band(renderer: SpectrogramRenderer, frequency_hz: float) -> None:
    centres = mel_centres_hz()
    from_the_bottom = int(np.abs(centres - frequency_hz).argmin())
    picture = renderer.render(tone(frequency_hz, 20))
    assert abs(brightest_row(picture) - (PICTURE_SIZE - 1 - from_the_bottom)) <= 1


def test_a_tones_row_in_a_linear_spectrogram_is_its_share_of_8_khz() -> None:
    picture = SpectrogramRenderer.make(PictureSettings(representation="spectrogram")).render(tone(2000, 20))
    assert brightest_row(picture) == pytest.approx(PICTURE_SIZE * 3 / 4, abs=2)  # a bin is 2.3 rows


def jpg_of(samples: np.ndarray, folder: Path, representation: str, colormap: str = "gray") -> np.ndarray:
    """What lies on disk after prepare: the picture in the JPG itself, uint8, x 3."""
    write_wav(folder / "audio" / "class" / "sound.wav", samples)
    settings = PictureSettings(representation=representation, colormap=colormap)
    audionet.prepare(folder / "audio", PrepareOptions(folder / "pictures", settings))
    with Image.open(folder / "pictures" / "class" / "sound_nohash_0000.jpg") as image:
        return np.asarray(image.convert("RGB"))


def test_the_line_of_1_khz_lies_at_1_khz_in_the_jpg_of_a_linear_spectrogram(tmp_path: Path) -> None:
    picture = jpg_of(tone(1000, 20), tmp_path, "spectrogram", "viridis")
    from_the_bottom = PICTURE_SIZE - 1 - brightest_row(picture[:, :, 1])  # viridis grows greener all the way
    assert (from_the_bottom + 0.5) / PICTURE_SIZE * 8000 == pytest.approx(1000, abs=16000 / 256 / 2)


def test_a_linear_spectrogram_agrees_with_matplotlibs_of_256_points() -> None:
    """The original's specgram: its decibels, averaged over the windows of a column as powers."""
    import matplotlib.mlab

    samples = chirps(4, 500, 6000, 20)
    power: Any
    times: Any
    power, _, times = matplotlib.mlab.specgram(samples / 32768, NFFT=256, Fs=SAMPLE_RATE_HZ, noverlap=128)
    renderer = SpectrogramRenderer.make(PictureSettings(representation="spectrogram"))
    columns = (times * PICTURE_SIZE / 20).astype(int)
    averaged = np.stack([power[:, columns == n].mean(axis=1) for n in range(PICTURE_SIZE)], axis=1)
    rows = ((np.arange(PICTURE_SIZE) + 0.5) * len(power) / PICTURE_SIZE).astype(int)
    decibels = 10 * np.log10(averaged / averaged.max())[rows]
    expected = np.rint(255 * (1 + decibels / 80)).clip(0, 255)[::-1]
    found = renderer.render(samples).astype(int)

    def likeness(rows: int, columns: int) -> float:
        """With ours moved by so many."""
        return float(np.corrcoef(np.roll(found, (rows, columns), (0, 1)).ravel(), expected.ravel())[0, 1])

    assert likeness(0, 0) > 0.98  # their windows begin 128 samples apart, ours 133
    assert likeness(0, 0) > max(likeness(1, 0), likeness(-1, 0), likeness(0, 1), likeness(0, -1)) + 0.01


def test_the_bright_rows_of_a_triads_chromagram_are_its_notes_in_the_jpg(tmp_path: Path) -> None:
    triad = sum(tone(frequency, 20, 0.2).astype(int) for frequency in (261.63, 329.63, 392.0))
    picture = jpg_of(np.asarray(triad, np.int16), tmp_path, "chromagram")[:, :, 0]
    row_height = PICTURE_SIZE / 12
    brightness = [picture[PICTURE_SIZE - 1 - int((n + 0.5) * row_height)].mean() for n in range(12)]
    assert sorted(np.argsort(brightness)[-3:]) == [0, 4, 7]  # C, E, G


def test_every_row_knows_its_frequency(renderer: SpectrogramRenderer) -> None:
    assert renderer.row_hz is not None
    centres = mel_centres_hz()
    assert np.abs(renderer.row_hz - centres).max() < SAMPLE_RATE_HZ / TRANSFORM_SAMPLES["mel"] / 2
    linear = SpectrogramRenderer.make(PictureSettings(representation="spectrogram")).row_hz
    assert linear is not None
    assert np.abs(linear - np.linspace(0, 8000, PICTURE_SIZE)).max() < 16000 / 256  # a bin
    assert SpectrogramRenderer.make(PictureSettings(representation="chromagram")).row_hz is None


@pytest.mark.parametrize(("seconds", "columns"), [(1e-4, 1), (0.0669, 1), (0.14, 2), (10, 150), (20, 299), (21, 299)])
def test_sound_takes_its_share_of_the_columns(renderer: SpectrogramRenderer, seconds: float, columns: int) -> None:
    assert renderer.columns(seconds) == columns


@pytest.mark.parametrize("representation", ["mel", "spectrogram", "chromagram", "some rows of zeros"])
def test_the_filter_bank_in_parts_is_the_whole_filter_bank(representation: str) -> None:
    settings = PictureSettings(representation="mel" if " " in representation else representation)
    bank = SpectrogramRenderer.make(settings).filter_bank.copy()
    if " " in representation:
        bank[30:70] = 0
    power = np.random.default_rng(0).random((7, bank.shape[1])).astype(np.float32)
    found = SpectrogramRenderer(settings, bank, None).filtered(power)
    assert found == pytest.approx(bank.astype(float) @ power.T.astype(float), rel=1e-4, abs=1e-9)


def test_time_runs_to_the_right(renderer: SpectrogramRenderer) -> None:
    samples = np.concatenate([tone(1000, 5), np.zeros(10 * SAMPLE_RATE_HZ, np.int16), tone(1000, 5)])
    bright = renderer.render(samples).max(axis=0) > 200
    assert bright[:74].all()
    assert not bright[77:222].any()
    assert bright[225:].all()


@pytest.mark.parametrize(("window_samples", "hop"), [(0, 512), (2048, 512)])  # the usual one, and that of before
def test_the_picture_agrees_with_that_of_scipy_and_librosa(window_samples: int, hop: int) -> None:
    """SciPy's spectrum and librosa's mel bands. (librosa's own spectrum would be compiled for 20 seconds at first.)"""
    from librosa.filters import mel

    # With 299 hops, SciPy's frames and our columns have the same centres but for half a hop.
    samples = chirps(1, 300, 3000, 299 * hop / SAMPLE_RATE_HZ + 1)[: 299 * hop]
    length = 299 * hop / SAMPLE_RATE_HZ
    settings = PictureSettings(length, 0, high_pass_hz=0, window_samples=window_samples, every_column=True)
    renderer = SpectrogramRenderer.make(settings)
    shifted = np.concatenate([samples[hop // 2 :], np.zeros(hop // 2)]).astype(np.float32) / 32768
    window, size = settings.window_samples, TRANSFORM_SAMPLES["mel"]
    _, _, spectrum = scipy.signal.stft(shifted, nperseg=window, noverlap=window - hop, nfft=size, boundary="even")
    power = mel(sr=SAMPLE_RATE_HZ, n_fft=size, n_mels=PICTURE_SIZE) @ np.abs(spectrum) ** 2
    decibels = 10 * np.log10(np.maximum(power / power.max(), 1e-8))
    expected = np.rint(255 * (1 + decibels / 80))[::-1, :PICTURE_SIZE]
    inner = slice(4, -4)  # at the ends SciPy sees other sound
    difference = np.abs(renderer.render(samples)[:, inner].astype(int) - expected[:, inner])
    assert difference.max() <= 1


@pytest.mark.parametrize("seconds", [4, 3.99, 1.5])
def test_every_other_column_of_a_short_chunk_is_drawn_and_the_mean_of_two_lies_between(seconds: float) -> None:
    samples = chirps(1, 300, 3000, 4)[: round(seconds * SAMPLE_RATE_HZ)]
    all_columns, every_other = (
        SpectrogramRenderer.make(PictureSettings(4, every_column=choice)).render(samples).astype(int)
        for choice in (True, False)
    )
    count = round(PICTURE_SIZE * seconds / 4)
    drawn = every_other[:, :count:2]
    assert np.abs(drawn - all_columns[:, :count:2]).max() <= 1  # the loudest point of all may lie between
    between = every_other[:, 1 : count - 1 : 2]
    means = (drawn[:, : between.shape[1]] + drawn[:, 1 : between.shape[1] + 1]) / 2
    grey = drawn.min(axis=1) > 0  # black is all that is fainter still
    assert grey.any()
    assert np.abs(between - means)[grey].max() <= 1


def test_a_full_scale_sine_has_power_one() -> None:
    power = power_spectrum(tone(1000, 1, 1.0), 10, PictureSettings())
    assert power.max() == pytest.approx(1, rel=0.01)


def test_loudness_makes_no_difference(renderer: SpectrogramRenderer) -> None:
    loud = chirps(3, 300, 3000, 20)
    quiet = np.rint(loud / 4).astype(np.int16)
    difference = np.abs(renderer.render(loud).astype(int) - renderer.render(quiet))
    assert difference.mean() < 1


def test_what_rounding_adds_to_quiet_sound_of_a_low_rate_is_not_drawn(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).normal(0, 2000, 8000)
    loud = write_wav(tmp_path / "loud.wav", np.rint(noise).astype(np.int16), 8000)
    quiet = write_wav(tmp_path / "quiet.wav", np.rint(noise / 64).astype(np.int16), 8000)
    renderer = SpectrogramRenderer.make(PictureSettings(chunk_seconds=1, overlap_seconds=0))
    pictures = [renderer.render(np.concatenate(list(decode(path)))).astype(int) for path in (loud, quiet)]
    assert renderer.row_hz is not None
    above = renderer.row_hz[::-1] > 5000  # up to there, the filter lets through what it should not
    assert not pictures[0][above].any()
    assert not pictures[1][above].any()
    assert np.abs(pictures[0] - pictures[1]).mean() < 1


@pytest.mark.parametrize("samples", [np.zeros(320_000, np.int16), np.full(320_000, 1, np.int16)])
def test_silence_is_a_defined_picture(renderer: SpectrogramRenderer, samples: np.ndarray) -> None:
    picture = renderer.render(samples)
    assert picture.shape == (PICTURE_SIZE, PICTURE_SIZE)
    assert picture.dtype == np.uint8
    if not samples.any():
        assert not picture.any()


def test_a_short_chunk_keeps_its_time_scale_and_repeats(renderer: SpectrogramRenderer) -> None:
    pulses = np.zeros(20 * SAMPLE_RATE_HZ, np.int16)
    for second in range(20):
        pulses[second * SAMPLE_RATE_HZ : second * SAMPLE_RATE_HZ + 800] = tone(1000, 0.05)
    whole = renderer.render(pulses)
    part = renderer.render(pulses[: 5 * SAMPLE_RATE_HZ])
    columns = round(PICTURE_SIZE / 4)

    def beats(picture: np.ndarray) -> int:
        """How often the loudest row becomes bright."""
        bright = picture[brightest_row(picture)] > 150
        return int(np.count_nonzero(bright[1:] & ~bright[:-1])) + int(bright[0])

    before_the_sixth = slice(columns - 3)
    assert beats(part[:, before_the_sixth]) == beats(whole[:, before_the_sixth]) == 5
    assert np.array_equal(part[:, columns : 2 * columns], part[:, :columns])
    assert np.array_equal(part[:, 2 * columns : 3 * columns], part[:, :columns])


@pytest.mark.parametrize("length", [1600, 1601, 2047, 8000, 319_999])
def test_every_length_gives_a_whole_picture(renderer: SpectrogramRenderer, length: int) -> None:
    picture = renderer.render(chirps(5, 300, 3000, 20)[:length])
    assert picture.shape == (PICTURE_SIZE, PICTURE_SIZE)
    assert picture.max() == 255


def test_a_colour_map_colours_the_grey_picture(renderer: SpectrogramRenderer) -> None:
    import matplotlib

    samples = chirps(3, 300, 3000, 20)
    colored = SpectrogramRenderer.make(PictureSettings(colormap="viridis")).render(samples)
    expected = matplotlib.colormaps["viridis"](renderer.render(samples), bytes=True)[:, :, :3]
    assert np.array_equal(colored, expected)


def test_the_fingerprint_differs_with_every_setting(renderer: SpectrogramRenderer) -> None:
    others = [
        PictureSettings(chunk_seconds=19),
        PictureSettings(overlap_seconds=1),
        PictureSettings(representation="spectrogram"),
        PictureSettings(colormap="viridis"),
    ]
    fingerprints = {SpectrogramRenderer.make(settings).fingerprint for settings in others} | {renderer.fingerprint}
    assert len(fingerprints) == 5
    assert all(len(one) == 16 for one in fingerprints)  # they are part of files' names and of what is printed
    assert SpectrogramRenderer.make(PictureSettings()).fingerprint == renderer.fingerprint


def test_every_representation_reaches_the_label(tmp_path: Path) -> None:
    classes = {"low": (200.0, 400.0), "high": (2000.0, 3000.0)}
    settings = PictureSettings(1, 0, representation="spectrogram", colormap="viridis")
    files = make_model(tmp_path, classes, pictures=settings, steps=10).files
    clip = write_wav(tmp_path / "clip.wav", chirps(50, 2000, 3000, 1))
    (found,) = audionet.label(clip, LabelOptions(files.graph, files.labels))
    assert found.best == "high"
    chunk = write_wav(tmp_path / "audio" / "x" / "clip.wav", chirps(50, 2000, 3000, 1))
    audionet.prepare(chunk.parent.parent, PrepareOptions(tmp_path / "again", settings))
    (of_picture,) = audionet.label(
        tmp_path / "again" / "x" / "clip_nohash_0000.jpg", LabelOptions(files.graph, files.labels)
    )
    assert of_picture.scores == found.scores


def test_a_hum_changes_the_lowest_rows_of_a_voices_picture_but_little() -> None:
    voice, hum = chirps(0, 200, 2000, 3), tone(50, 3, amplitude=0.3)

    def change(settings: PictureSettings) -> float:
        clean, humming = (SpectrogramRenderer.make(settings).render(voice + add).astype(int) for add in (0 * hum, hum))
        return float(np.abs(clean - humming)[-15:].mean())

    unfiltered = change(PictureSettings(3, 0, high_pass_hz=0))
    assert unfiltered > 20
    assert change(PictureSettings(3, 0)) < unfiltered / 15


@pytest.mark.parametrize(("columns", "share"), [(0, 0.0), (100, 100 / 299), (299, 1.0)])
def test_the_share_that_sounds_is_counted_in_columns(columns: int, share: float) -> None:
    picture = np.zeros((299, 299), np.uint8)
    picture[50, :columns] = 255
    assert sounding_share(picture) == pytest.approx(share)
    assert sounding_share(np.repeat(picture[:, :, None], 3, axis=2)) == pytest.approx(share)


def test_a_strip_of_one_chunk_is_its_picture() -> None:
    renderer = SpectrogramRenderer.make(PictureSettings(2))
    samples = chirps(3, 300, 3000, 2)
    picture, strip = renderer.render(samples), renderer.draw_strip(renderer.strip_power(samples), level_seconds=100)
    assert np.abs(picture.astype(int) - strip).max() <= 1


def test_a_strip_shows_each_moment_against_what_is_heard_around_it() -> None:
    """Twelve seconds of loud sound make the quiet one after it no darker, as they would in one picture."""
    renderer = SpectrogramRenderer.make(PictureSettings(2))
    quiet = chirps(4, 300, 3000, 8) // 100
    together = renderer.draw_strip(
        renderer.strip_power(np.concatenate([chirps(5, 300, 3000, 12), quiet])), level_seconds=1
    )
    alone = renderer.draw_strip(renderer.strip_power(quiet), level_seconds=1)
    columns = round(PICTURE_SIZE * 4 / 2)  # the last four seconds
    assert np.abs(together[:, -columns:].astype(int) - alone[:, -columns:]).mean() < 2
    assert not renderer.draw_strip(renderer.strip_power(np.zeros(32_000, np.int16)), 1).any()
