import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from audionet.settings import PictureSettings
from audionet.spectrogram.high_pass import WIDTH_HZ, high_passed
from audionet.spectrogram.transform import SpectrogramRenderer
from tests.conftest import tone


def test_hum_and_offset_are_taken_out_and_what_lies_above_stays() -> None:
    def rms(samples: np.ndarray) -> float:
        return float(np.sqrt(np.mean(np.square(samples, dtype=np.float64))))

    for frequency_hz, kept in ((0, 0.0), (20, 0.0), (50, 0.0), (85, 1.0), (300, 1.0), (7000, 1.0)):
        samples = tone(frequency_hz, 2) if frequency_hz else np.full(32_000, 5000, np.int16)
        share = rms(high_passed(samples, 65, 16_000)[4000:-4000]) / rms(samples[4000:-4000])
        assert share == pytest.approx(kept, abs=0.01), frequency_hz


def by_one_transform(samples: np.ndarray, high_pass_hz: float, rate_hz: int) -> np.ndarray:
    """The same filter, at the rate of the sound itself."""
    margin = min(round(0.128 * rate_hz), len(samples) - 1)
    padded = np.pad(samples.astype(float), margin, mode="reflect")
    frequencies = np.fft.rfftfreq(len(padded), 1 / rate_hz)
    gain = np.sin(np.pi / 2 * np.clip((frequencies - high_pass_hz) / WIDTH_HZ + 0.5, 0, 1)) ** 2
    return np.fft.irfft(np.fft.rfft(padded) * gain, len(padded))[margin : margin + len(samples)]


@pytest.mark.parametrize("rate_hz", [8000, 16_000, 44_100, 384_000])
@pytest.mark.parametrize("high_pass_hz", [5, 65, 300, 1000])
@pytest.mark.parametrize("count", [2, 3, 100, 8009, 80_021])
def test_it_is_the_filter_of_one_transform(rate_hz: int, high_pass_hz: int, count: int) -> None:
    """Of noise with an offset and a hum, in any number of samples, prime ones too: within the last bit of 16."""
    noise = np.random.default_rng(0).normal(300, 3000, count)
    samples = (noise + 8000 * np.sin(np.arange(count) * 2 * np.pi * 50 / rate_hz)).astype(np.int16)
    found = high_passed(samples, high_pass_hz, rate_hz)
    assert found.dtype == np.float32
    assert np.abs(found - by_one_transform(samples, high_pass_hz, rate_hz)).max() < 0.6


def test_what_is_louder_than_the_rest_comes_back_nowhere() -> None:
    """A hum at full scale leaves less than the last bit, and none of its mirror images at the low rate's multiples."""
    left = high_passed(tone(50, 4, amplitude=1.0), 65, 16_000)[8000:-8000]
    assert np.abs(np.fft.rfft(left * np.hanning(len(left)))).max() / (len(left) / 4) < 1.0


def test_a_picture_does_not_depend_on_how_many_threads_a_product_has() -> None:
    samples = np.random.default_rng(0).normal(0, 3000, 320_000).astype(np.int16)
    renderer, found = SpectrogramRenderer.make(PictureSettings()), []
    for threads in (1, 2, 4):
        with threadpool_limits(threads):
            found.append(renderer.render(samples))
    assert np.array_equal(found[0], found[1])
    assert np.array_equal(found[0], found[2])
