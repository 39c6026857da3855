"""A chunk of sound as a network hears it: window after window, and of what it makes of them the mean and deviation.

Networks from sound look at a fixed length at once. A chunk is cut into windows of it; what the network makes of each
is averaged over those that sound, as a picture's rows are averaged over the time that sounds.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, NamedTuple

import numpy as np
from numpy.typing import NDArray

from audionet.settings import FULL_SCALE, HIGHEST_SAMPLE_RATE_HZ, LOWEST_SAMPLE_RATE_HZ
from audionet.spectrogram.high_pass import high_passed
from audionet.system.untrusted import StoredRecord, stored, text, whole

LONGEST_WINDOW_SAMPLES = 1 << 25  # at 48 kHz more than ten minutes
FRAMES_A_WINDOW = 32  # for each of which it is found out whether it sounds
# How far below the loudest frame of a chunk one counts as silent, and as sounding: as in pictures (transform.py).
SILENT_DB, SOUNDING_DB = -60.0, -45.0
SILENT_AMPLITUDE = 1.5 / FULL_SCALE  # the last bit of 16 flickering, which is black in pictures too
LEAST_WEIGHT = 1e-6  # of a silent window, so that there is always a mean
VERSION = 1  # of how windows become a bottleneck; bottlenecks made in another way are made anew


@dataclass(frozen=True)
class SoundInput(StoredRecord):
    """What a network hears: so many samples per second, so many at once, -1 to 1. output: the name of what it gives."""

    sample_rate_hz: Annotated[int, stored("sample_rate_hz", whole, LOWEST_SAMPLE_RATE_HZ, HIGHEST_SAMPLE_RATE_HZ)]
    window_samples: Annotated[int, stored("window_samples", whole, 1, LONGEST_WINDOW_SAMPLES)]
    output: Annotated[str, stored("output", text)]

    @property
    def window_seconds(self) -> float:
        """The length of sound, in seconds, that the network takes at once."""
        return self.window_samples / self.sample_rate_hz

    @property
    def fingerprint(self) -> str:
        """A text that differs whenever a network gives other bottlenecks for the same chunk."""
        return f"{VERSION} {self.sample_rate_hz} Hz {self.window_samples} {self.output}"


class SoundRequest(NamedTuple):
    """What a user says of a network from sound. output: None if it has one alone. sample_rate_hz: None if it says so
    itself."""

    output: str | None = None
    sample_rate_hz: int | None = None


class SoundWindow(NamedTuple):
    """What a network looks at at once: float32 samples. weight: how much of it sounds, over 0 to 1."""

    samples: NDArray[np.float32]
    weight: float


def as_heard(samples: NDArray[np.number], sample_rate_hz: int, high_pass_hz: float) -> NDArray[np.float32]:
    """Samples as networks take them, -1 to 1, without what lies below the high pass (0: with all)."""
    heard = high_passed(samples, high_pass_hz, sample_rate_hz) if high_pass_hz else samples
    return np.asarray(heard / np.float32(FULL_SCALE), np.float32)


def is_silent(samples: NDArray[np.float32]) -> bool:
    """Whether there is no sound at all in samples as they are heard."""
    return bool(np.abs(samples).max() < SILENT_AMPLITUDE)


def windows(samples: NDArray[np.float32], size: int) -> Iterator[SoundWindow]:
    """The fewest windows of `size` samples that cover all, evenly spaced. Shorter sound repeats until a window is full,
    as it does in pictures."""
    shares = sounding(samples, size)
    count = math.ceil(len(samples) / size)
    for start in np.linspace(0, max(0, len(samples) - size), count).round().astype(int).tolist():
        weight = max(float(shares[start : start + size].mean()), LEAST_WEIGHT)
        part = samples[start : start + size]
        yield SoundWindow(part if len(part) == size else np.resize(part, size), weight)


def sounding(samples: NDArray[np.float32], size: int) -> NDArray[np.float32]:
    """How much each sample belongs to sound, 0 to 1, and not to silence, for windows of `size` samples.

    Of silence alone, all of it counts.
    """
    frame = max(1, size // FRAMES_A_WINDOW)
    count = math.ceil(len(samples) / frame)
    squares = np.zeros(count * frame, np.float32)
    squares[: len(samples)] = samples**2
    power = squares.reshape(count, frame).sum(axis=1)
    loudest = power.max()
    if not loudest > 0:
        return np.ones(len(samples), np.float32)
    floor = 10 ** (SILENT_DB / 10)
    decibels = 10 * np.log10(np.maximum(power / loudest, floor))
    shares = np.clip((decibels - SILENT_DB) / (SOUNDING_DB - SILENT_DB), 0, 1)
    return np.asarray(np.repeat(shares, frame)[: len(samples)], np.float32)


def pooled(rows: NDArray[np.floating], weights: NDArray[np.floating]) -> NDArray[np.float32]:
    """The weighted mean of rows (n x numbers), and then their weighted standard deviation."""
    shares = weights / weights.sum()
    with np.errstate(over="ignore", invalid="ignore"):  # callers check whether they are finite
        mean = shares @ rows
        deviation = np.sqrt(shares @ np.square(rows - mean))
    return np.concatenate([mean, deviation]).astype(np.float32)
