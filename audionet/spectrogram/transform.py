"""Chunk -> picture: a spectrogram with time to the right and frequency upwards. Pure arithmetic."""

import functools
import hashlib
import json
import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from audionet.settings import FULL_SCALE, PICTURE_SIZE, PictureSettings
from audionet.spectrogram.filter_bank import make_color_table, make_filter_bank
from audionet.spectrogram.high_pass import high_passed, with_mirrored_ends

WINDOWS_AT_ONCE = 32  # few enough to stay in the processor's cache; fewer, and to begin each time takes longer
ROWS_AT_ONCE = 16  # of a filter bank: few enough to have most of the spectrum's bins in common
# Power of a picture's loudest point below which it counts as silence: the last bit of 16 flickering.
SILENCE_POWER = 1e-9
MAINS_HZ = (50.0, 60.0)  # in all countries one or the other
HARMONICS = np.arange(1, 17)
MOST_NOISE_SAMPLES = 1 << 22  # of which noise is drawn; in longer chunks it repeats itself
# As in the backbone (scripts/make_trunk.py): the brightness of a column's loudest row, 0 to 1, below which the column
# counts as silent, and from which it counts as sound.
SILENT, SOUNDING = 0.25, 0.4375


@dataclass(frozen=True)
class SpectrogramRenderer:
    """Draws chunks as pictures.

    filter_bank: float32, PICTURE_SIZE x bins of a spectrum, 0 Hz to half the sample rate.
    color_table: uint8, 256 x 3, or None for grey pictures.
    """

    settings: PictureSettings
    filter_bank: np.ndarray
    color_table: np.ndarray | None

    @classmethod
    def make(cls, settings: PictureSettings) -> "SpectrogramRenderer":
        """The renderer of new pictures."""
        filter_bank = make_filter_bank(settings.representation, settings.sample_rate_hz)
        return cls(settings, filter_bank, make_color_table(settings.colormap))

    @functools.cached_property
    def fingerprint(self) -> str:
        """16 hexadecimal digits that differ whenever the pictures would."""
        digest = hashlib.sha256(json.dumps(self.settings.as_json(), sort_keys=True).encode())
        digest.update(self.filter_bank.tobytes())
        if self.color_table is not None:
            digest.update(self.color_table.tobytes())
        return digest.hexdigest()[:16]

    def columns(self, seconds: float) -> int:
        """How many columns of a picture so much sound takes; the rest are repeats."""
        columns = round(PICTURE_SIZE * seconds * self.settings.sample_rate_hz / self.settings.chunk_samples)
        return min(PICTURE_SIZE, max(1, columns))

    @functools.cached_property
    def row_hz(self) -> np.ndarray | None:
        """The middle frequency of each row, from the lowest; None for pitch classes."""
        if self.settings.representation == "chromagram":
            return None
        bins_hz = np.linspace(0, self.settings.highest_hz, self.filter_bank.shape[1])
        return np.asarray(self.filter_bank @ bins_hz / self.filter_bank.sum(axis=1))

    @functools.cached_property
    def _bands(self) -> list[tuple[slice, slice, np.ndarray]]:
        """The filter bank in parts: rows, the bins that they look at, and their weights; it is mostly zeros."""
        parts = []
        for start in range(0, len(self.filter_bank), ROWS_AT_ONCE):
            rows = slice(start, start + ROWS_AT_ONCE)
            heard = np.flatnonzero(self.filter_bank[rows].any(axis=0))
            bins = slice(heard[0], heard[-1] + 1) if len(heard) else slice(0)
            parts.append((rows, bins, np.ascontiguousarray(self.filter_bank[rows, bins])))
        return parts

    def filtered(self, power: np.ndarray) -> np.ndarray:
        """filter_bank @ power.T, float32. power: columns x bins."""
        bands = np.empty((len(self.filter_bank), len(power)), np.float32)
        for rows, bins, weights in self._bands:
            np.matmul(weights, power[:, bins].T, out=bands[rows])
        return bands

    @functools.cached_property
    def white_noise(self) -> NDArray[np.float32]:
        """The power of white noise as a picture would show it: PICTURE_SIZE rows, the lowest first, x columns."""
        count = min(self.settings.chunk_samples, MOST_NOISE_SAMPLES)
        power = self.strip_power(FULL_SCALE / 10 * np.random.default_rng(0).standard_normal(count, np.float32))
        return np.asarray(np.take(power, np.arange(PICTURE_SIZE) % power.shape[1], axis=1))

    @functools.cached_property
    def mains_harmonics(self) -> NDArray[np.float32]:
        """The power of the harmonics of the mains, each a tone as loud as the others, as a picture would show it: mains
        x harmonics x rows, the lowest first."""
        times = np.arange(4 * self.settings.window_samples) / self.settings.sample_rate_hz
        tones = FULL_SCALE / 10 * np.sin(2 * np.pi * np.multiply.outer(MAINS_HZ, HARMONICS)[:, :, None] * times)
        return np.array([[self._band_power(tone, 5)[:, 2] for tone in of_mains] for of_mains in tones])

    @functools.cached_property
    def brightness_power(self) -> NDArray[np.float64]:
        """The power of each brightness of a grey picture, 0 to 255, as a share of the loudest point's; black is 0."""
        power = to_power(np.arange(256, dtype=np.float32), self.settings.dynamic_range_db)
        power[0] = 0
        return power

    def render(self, samples: np.ndarray) -> np.ndarray:
        """The picture of a chunk: uint8, PICTURE_SIZE x PICTURE_SIZE (grey) or x 3 (colours).

        samples: those of a Chunk, at settings.sample_rate_hz, at least 2 and at most a chunk's length. A shorter chunk
        keeps its scale: its columns are repeated from the start until the picture is full. (Stretched, its rhythm would
        be another; left black, the average over time would be too.)

        Brightness is in decibels below the picture's loudest point, so that loudness makes no difference.
        """
        settings = self.settings
        columns = self.columns(len(samples) / settings.sample_rate_hz)
        grey = to_grey(self._band_power(samples, columns), settings.dynamic_range_db)
        grey = np.tile(grey[::-1], math.ceil(PICTURE_SIZE / columns))[:, :PICTURE_SIZE]
        return np.ascontiguousarray(grey) if self.color_table is None else self.color_table[grey]

    def strip_power(self, samples: NDArray[np.number]) -> NDArray[np.float32]:
        """The power of sound of any length, at the scale of a chunk: rows, the lowest first, x columns."""
        columns = max(1, round(PICTURE_SIZE * len(samples) / self.settings.chunk_samples))
        return self._band_power(samples, columns)

    def _band_power(self, samples: NDArray[np.number], columns: int) -> NDArray[np.float32]:
        """The power of samples, without what lies below the high pass, by rows, the lowest first, x columns."""
        settings, every = self.settings, self.settings.columns_a_window
        if settings.high_pass_hz:
            samples = high_passed(samples, settings.high_pass_hz, settings.sample_rate_hz)
        power = self.filtered(power_spectrum(samples, columns, settings, every))
        return power if every == 1 else with_columns_between(power, columns)

    def draw_strip(self, power: NDArray[np.float32], level_seconds: float) -> NDArray[np.uint8]:
        """A picture of what `strip_power` gives: uint8, PICTURE_SIZE x columns (x 3).

        A column's brightness is in decibels below the loudest point within about level_seconds, as it would be in a
        picture of so much sound; what comes long before or after makes no difference.
        """
        width = max(1, round(PICTURE_SIZE * level_seconds / self.settings.chunk_seconds))
        grey = to_grey(power, self.settings.dynamic_range_db, sliding_levels(power.max(axis=0), width))[::-1]
        return np.ascontiguousarray(grey) if self.color_table is None else self.color_table[grey]


def with_columns_between(power: NDArray[np.float32], columns: int) -> NDArray[np.float32]:
    """Rows x so many columns: those of `power`, and between each two their mean in decibels; a last one is repeated.

    power: rows x every other of the columns, from the first.
    """
    whole = np.empty((len(power), columns), np.float32)
    whole[:, ::2] = power
    whole[:, -1] = power[:, -1]
    whole[:, 1 : 2 * power.shape[1] - 1 : 2] = np.sqrt(power[:, :-1] * power[:, 1:])
    return whole


def sliding_levels(loudest: NDArray[np.floating], width: int) -> NDArray[np.floating]:
    """The level, as a power, that each column of a strip is drawn against: never below its own, and without jumps.

    loudest: the power of each column's loudest row. It is the mean, in decibels and over `width` columns, of the
    loudest of the `width` columns around each of them; 0 where there is silence.
    """
    decibels = 10 * np.log10(np.maximum(loudest, SILENCE_POWER))
    ends = np.pad(decibels, ((width - 1) // 2 + width // 2,), mode="edge")
    highest = np.lib.stride_tricks.sliding_window_view(ends, width).max(axis=1)
    levels = 10 ** (np.convolve(highest, np.full(width, 1 / width), "valid") / 10)
    return np.asarray(np.where(levels > SILENCE_POWER * (1 + 1e-6), levels, 0))


def sounding_share(picture: NDArray[np.uint8]) -> float:
    """How much of a picture's time sounds, 0 to 1, as the backbone sees it when it averages over time.

    picture: height x width, or x 3.
    """
    return float(column_weights(as_brightness(picture)).mean())


def as_brightness(picture: NDArray[np.uint8]) -> NDArray[np.floating]:
    """The brightness of a picture, 0 to 1: height x width. picture: height x width, or x 3."""
    if picture.ndim == 2:
        return np.asarray(picture / 255)
    red, green, blue = np.moveaxis(picture, 2, 0)
    return np.asarray((np.add(red, green, dtype=np.uint16) + blue) / (3 * 255))


def in_colors(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """A picture, height x width or x 3, as height x width x 3."""
    return np.repeat(picture[:, :, None], 3, axis=2) if picture.ndim == 2 else picture


def column_weights(brightness: NDArray[np.floating]) -> NDArray[np.floating]:
    """How much each column of a picture sounds, 0 to 1. brightness: rows x columns, 0 to 1."""
    return np.asarray(np.clip((brightness.max(axis=0) - SILENT) / (SOUNDING - SILENT), 0, 1))


@functools.cache
def _hann_window(size: int) -> np.ndarray:
    """The periodic Hann window, scaled so that a full-scale sine has power 1 in its bin."""
    hann = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(size) / size)
    return np.asarray(hann * 2 / hann.sum(), np.float32)


def power_spectrum(samples: np.ndarray, columns: int, settings: PictureSettings, every: int = 1) -> np.ndarray:
    """Power by time and frequency: float32, columns x (transform / 2 + 1), a full-scale sine being 1.

    The columns divide the samples evenly. Each is the mean over its windows, which lie at most
    settings.longest_hop_samples apart; at both ends the sound is mirrored.
    every: 2 gives the first, the third and so on of the columns alone.
    """
    size, transform = settings.window_samples, settings.transform_samples
    bins = transform // 2 + 1
    windows_a_column = math.ceil(len(samples) / columns / settings.longest_hop_samples)
    count = columns * windows_a_column
    centres = ((np.arange(count) + 0.5) * len(samples) / count).astype(np.intp).reshape(columns, -1)[::every]
    columns = len(centres)
    padded = with_mirrored_ends(samples.astype(np.float32, copy=False) / FULL_SCALE, size // 2)
    windows = np.lib.stride_tricks.sliding_window_view(padded, size)
    power = np.empty((columns, bins), np.float32)
    # NumPy takes float32 to float64 for a transform, unless it is to divide by the length, here a power of two.
    window = _hann_window(size) * np.float32(transform)
    at_once = max(1, WINDOWS_AT_ONCE // windows_a_column)
    # The zeros behind each window are there once for all: the transform would copy every window to add them.
    frames = np.zeros((min(columns, at_once) * windows_a_column, transform), np.float32)
    for start in range(0, columns, at_once):
        block = power[start : start + at_once]
        count = len(block) * windows_a_column
        heard = windows[centres[start : start + at_once].ravel()]
        np.multiply(heard, window, out=frames[:count, :size])
        spectrum = np.fft.rfft(frames[:count], axis=1, norm="forward")
        squares = block if windows_a_column == 1 else np.empty(spectrum.shape, np.float32)
        np.square(spectrum.real, out=squares)
        squares += np.square(spectrum.imag)
        if windows_a_column > 1:
            squares.reshape(len(block), windows_a_column, bins).sum(axis=1, out=block)
            block /= windows_a_column
    return power


def to_grey(
    power: NDArray[np.floating], dynamic_range_db: float, levels: NDArray[np.floating] | None = None
) -> NDArray[np.uint8]:
    """Power -> uint8: 255 at the loudest point, 0 from dynamic_range_db below it; all 0 for silence.

    power: rows x columns. levels: for each column, what is 255; None is the loudest point of all.
    """
    if levels is None:
        levels = np.full(power.shape[1], power.max())
    floor = 10 ** (-dynamic_range_db / 10)
    decibels = 10 * np.log10(np.clip(power / np.maximum(levels, SILENCE_POWER), floor, 1))
    grey: NDArray[np.uint8] = np.rint(255 * (1 + decibels / dynamic_range_db)).astype(np.uint8)
    grey[:, ~(levels > SILENCE_POWER)] = 0
    return grey


def to_power(grey: NDArray[Any], dynamic_range_db: float) -> NDArray[np.float64]:
    """What `to_grey` drew: the power of each point, as a share of the loudest's; black is the least that is drawn.

    grey: 0 to 255.
    """
    return np.asarray(10 ** ((grey / 255 - 1) * (dynamic_range_db / 10)), np.float64)
