import itertools
import weakref
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from audionet.audio.chunks import Chunk, StripSettings, cut, cut_strips, shared, to_wav
from audionet.settings import SAMPLE_RATE_HZ, PictureSettings
from tests.conftest import read_wav


def chunks_of(seconds: float, settings: PictureSettings, block: int = 7777) -> list[Chunk]:
    """Cut a ramp, so that every sample tells where it came from."""
    ramp = (np.arange(round(seconds * SAMPLE_RATE_HZ)) % 30000).astype(np.int16)
    return list(cut((ramp[i : i + block] for i in range(0, len(ramp), block)), settings))


@pytest.mark.parametrize(
    ("seconds", "lengths"),
    [
        (60, [20, 20, 20]),
        (44.9, [20, 20]),  # the tail is shorter than a quarter of a chunk
        (45, [20, 20, 5]),
        (59.99, [20, 20, 19.99]),
        (7, [7]),
        (0.1, [0.1]),
        (0.09, []),
        (0, []),
    ],
)
def test_chunks_are_full_but_for_a_useful_tail(seconds: float, lengths: list[float]) -> None:
    assert [chunk.seconds for chunk in chunks_of(seconds, PictureSettings())] == pytest.approx(lengths)


def test_chunks_lie_end_to_end() -> None:
    chunks = chunks_of(50, PictureSettings())
    assert [chunk.start_seconds for chunk in chunks] == [0, 20, 40]
    joined = np.concatenate([chunk.samples for chunk in chunks])
    assert np.array_equal(joined, (np.arange(50 * SAMPLE_RATE_HZ) % 30000).astype(np.int16))


def test_the_blocks_they_come_in_make_no_difference() -> None:
    one, other = (chunks_of(47, PictureSettings(), block) for block in (1000, 10**6))
    assert [c.start_seconds for c in one] == [c.start_seconds for c in other]
    assert all(np.array_equal(a.samples, b.samples) for a, b in zip(one, other, strict=True))


def test_overlapping_chunks_share_sound_and_a_tail_needs_new_sound() -> None:
    settings = PictureSettings(chunk_seconds=4, overlap_seconds=1)
    chunks = chunks_of(11.5, settings)
    assert [c.start_seconds for c in chunks] == [0, 3, 6, 9]
    assert np.array_equal(chunks[0].samples[-SAMPLE_RATE_HZ:], chunks[1].samples[:SAMPLE_RATE_HZ])
    assert chunks[3].seconds == 2.5
    assert [c.start_seconds for c in chunks_of(10.9, settings)] == [0, 3, 6]  # only 0.9 s would be new


def test_a_wav_holds_the_chunks_samples(tmp_path: Path) -> None:
    chunk = chunks_of(25, PictureSettings())[1]
    (tmp_path / "a.wav").write_bytes(to_wav(chunk))
    rate, samples = read_wav(tmp_path / "a.wav")
    assert rate == SAMPLE_RATE_HZ
    assert np.array_equal(samples, chunk.samples)


def test_blocks_that_all_readers_have_taken_are_let_go() -> None:
    made: list[weakref.ref[np.ndarray]] = []

    def blocks() -> Iterator[np.ndarray]:
        for number in range(100):
            block = np.full(10, number)
            made.append(weakref.ref(block))
            yield block

    for number, (one, other) in enumerate(zip(*shared(blocks(), 2), strict=True)):
        assert one[0] == other[0] == number
        assert sum(block() is not None for block in made) <= 3
    assert len(made) == 100


@pytest.mark.parametrize("length", [1, 1600, 15_999, 16_000, 16_001, 20_000, 24_000, 40_123])
def test_all_that_is_heard_lies_in_a_window(length: int) -> None:
    samples = np.arange(length, dtype=np.int32)
    blocks = np.array_split(samples, 7)
    settings = StripSettings(16_000, 8000, 1, 0, 16_000)
    windows = [window for strip in cut_strips(blocks, settings) for window in strip.chunks(16_000)]
    heard = {n for window in windows for n in window.samples.tolist()}
    assert heard == (set(range(length)) if length >= 1600 else set())
    assert all(len(window.samples) == min(16_000, length) for window in windows)
    assert [window.start_seconds * 16_000 for window in windows] == [window.samples[0] for window in windows]
    assert all(0 < b.start_seconds - a.start_seconds <= 0.5 for a, b in itertools.pairwise(windows))


def test_strips_hold_the_same_windows_as_windows_cut_one_by_one() -> None:
    random = np.random.default_rng(0)
    for _ in range(300):
        samples = random.integers(-99, 99, int(random.integers(0, 7000))).astype(np.int16)
        blocks = np.array_split(samples, 5)
        window = int(random.integers(100, 3000))
        step, margin = int(random.integers(60, window + 1)), int(random.integers(0, 900))
        settings = StripSettings(window, step, int(random.integers(1, 6)), margin, SAMPLE_RATE_HZ)
        expected = [n for strip in cut_strips(blocks, replace(settings, windows=1, margin=0)) for n in strip.windows]
        strips = list(cut_strips(blocks, settings))
        starts = [start for strip in strips for start in strip.windows]
        assert starts == expected
        for strip in strips:
            assert strip.start == max(0, strip.windows[0] - margin)
            assert (strip.samples == samples[strip.start :][: len(strip.samples)]).all()
            wanted = min(len(samples), strip.windows[-1] + window + margin)
            assert strip.start + len(strip.samples) >= wanted or strip is strips[-1]
