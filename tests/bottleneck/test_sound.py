"""Windows of a chunk, what is made of them, and which of them have a say."""

import math

import numpy as np
import pytest

from audionet.bottleneck.sound import SoundInput, as_heard, is_silent, pooled, sounding, windows
from audionet.system.untrusted import Refused


@pytest.mark.parametrize(
    ("length", "size"), [(7777, 7777), (7778, 7777), (15553, 7777), (100_001, 7777), (20, 7), (3, 7)]
)
def test_windows_are_as_few_as_cover_all_and_evenly_spaced(length: int, size: int) -> None:
    samples = np.arange(1, length + 1, dtype=np.float32)
    found = [window.samples for window in windows(samples, size)]
    assert len(found) == math.ceil(length / size)
    assert {len(window) for window in found} == {size}
    assert set(np.concatenate(found)) == set(samples)
    if length >= size:
        starts = np.array([window[0] for window in found])
        assert all(np.array_equal(np.diff(window), np.ones(size - 1)) for window in found)
        assert len(starts) < 3 or np.ptp(np.diff(starts)) <= 1
    else:
        assert found[0].tolist() == [1, 2, 3, 1, 2, 3, 1]  # repeated from the start


def test_silence_beside_a_sound_has_no_say() -> None:
    random = np.random.default_rng(0)
    sound, faint = random.normal(0, 0.1, 4000).astype(np.float32), random.normal(0, 1e-5, 4000).astype(np.float32)
    for silence in (np.zeros(4000, np.float32), faint):
        samples = np.concatenate([silence, sound, silence])
        found = list(windows(samples, 1000))
        rows = np.array([[np.abs(window.samples).mean(), window.samples.std()] for window in found])
        alone = list(windows(sound, 1000))
        wanted = np.array([[np.abs(window.samples).mean(), window.samples.std()] for window in alone])
        weights = np.array([window.weight for window in found])
        assert pooled(rows, weights)[:2] == pytest.approx(wanted.mean(axis=0), rel=0.01)
        assert float(sounding(samples, 1000).mean()) == pytest.approx(1 / 3, abs=0.02)
    assert is_silent(np.full(10, 1 / 32_768, np.float32))
    assert not is_silent(faint * 10)
    assert sounding(np.zeros(5000, np.float32), 1000).min() == 1  # of silence alone, all counts
    assert sounding(sound / np.float32(1000), 1000).min() == 1  # loudness makes no difference


def test_what_is_made_of_windows_is_their_weighted_mean_and_deviation() -> None:
    rows = np.array([[1.0, 10.0], [3.0, 10.0], [100.0, 0.0]])
    assert pooled(rows, np.array([1.0, 1.0, 0.0])).tolist() == [2.0, 10.0, 1.0, 0.0]
    assert pooled(rows[:1], np.array([0.3])).tolist() == [1.0, 10.0, 0.0, 0.0]
    assert pooled(rows, np.array([2.0, 1.0, 0.0]))[0] == pytest.approx(5 / 3)


def test_sound_is_heard_from_minus_1_to_1_without_what_lies_below_the_high_pass() -> None:
    time = np.arange(48_000) / 48_000
    whistle = np.rint(8192 * np.sin(2 * np.pi * 15_000 * time))
    hum = np.rint(16_384 * np.sin(2 * np.pi * 50 * time))
    samples = (whistle + hum).astype(np.int16)
    assert as_heard(samples, 48_000, 0) == pytest.approx(samples / 32_768)
    middle = slice(8000, -8000)  # at both ends, the sound is mirrored
    assert as_heard(samples, 48_000, 100)[middle] == pytest.approx(whistle[middle] / 32_768, abs=2e-3)


def test_how_a_network_hears_is_written_down_and_nothing_else_is_read() -> None:
    sound = SoundInput(48_000, 144_000, "embeddings")
    assert SoundInput.from_json(sound.to_json()) == sound
    assert sound.window_seconds == 3
    for wrong in (
        {"sample_rate_hz": 0},
        {"sample_rate_hz": 1e9},
        {"window_samples": -1},
        {"window_samples": 1 << 40},
        {"window_samples": True},
        {"output": 7},
    ):
        with pytest.raises(Refused):
            SoundInput.from_json(sound.to_json() | wrong)
    with pytest.raises(Refused):
        SoundInput.from_json([48_000])
