"""Sound without what lies below a frequency: rumble, and the hum of the mains.

What is below is found at a rate that is just enough for it, and taken from the sound. To filter the sound itself at its
own rate, by a Fourier transform of the whole, would take most of the time that a picture takes. It is found in float64,
so that the order of sums, which depends on how many threads take part in a product, makes no difference to a picture.
"""

import functools
import itertools
import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

WIDTH_HZ = 20.0  # from where everything is stopped to where everything passes
MIRRORED_SECONDS = 0.128  # at both ends of the sound, so that its beginning and end do not meet
WRAPPED_SECONDS = 0.5  # beyond which the filter reaches less than a grey level
STOPPED_DB = 120.0  # by the low pass between the two rates: below what 16 bits hold


def high_passed(samples: NDArray[np.number], high_pass_hz: float, sample_rate_hz: int) -> NDArray[np.float32]:
    """Samples, at least 2, without what lies below a frequency: the gain rises from 0 to 1 within WIDTH_HZ around it.

    The phase stays as it is. A window would leak a strong hum into the rows above it, so that it is taken out before.
    """
    rate, length = _low_rate(high_pass_hz, sample_rate_hz), len(samples)
    mirrored = min(round(MIRRORED_SECONDS * sample_rate_hz), length - 1)
    before = round(WRAPPED_SECONDS * sample_rate_hz) + rate.taps
    total = length + 2 * mirrored + before
    count = _quickly_transformed(math.ceil((total + before - rate.taps) / rate.factor) + 1)
    behind = rate.factor * (count - 1) + rate.taps - total
    # Here and below, what is as long as the sound is let go at once, or used again.
    low = rate.decimate(np.pad(with_mirrored_ends(samples, mirrored), (before, behind), mode="wrap").astype(np.float64))
    stopped = np.fft.irfft(np.fft.rfft(low) * _stopped_share(count, high_pass_hz, sample_rate_hz / rate.factor), count)
    first = before + mirrored - rate.taps + rate.factor  # of what `interpolate` gives, which begins later
    below = rate.interpolate(stopped)[first : first + length]
    return np.asarray(np.subtract(samples, below, out=below), np.float32)


def with_mirrored_ends(samples: NDArray[Any], count: int) -> NDArray[Any]:
    """Samples with so many more at both ends, mirrored at the first and the last: np.pad's "reflect", in less time."""
    if count >= len(samples):  # they are mirrored more than once
        return np.pad(samples, count, mode="reflect")
    return np.concatenate([samples[count:0:-1], samples, samples[-2 : -count - 2 : -1]])


def _quickly_transformed(length: int) -> int:
    """The next length without prime factors above 5: with a large one, a Fourier transform takes ten times as long."""
    return next(count for count in itertools.count(length) if pow(30, 64, count) == 0)


@functools.lru_cache(maxsize=16)
def _stopped_share(count: int, high_pass_hz: float, sample_rate_hz: float) -> NDArray[np.float64]:
    """How much of each frequency, in the transform of `count` samples, is taken from the sound: 0 to 1."""
    frequencies = np.fft.rfftfreq(count, 1 / sample_rate_hz)
    slope = np.clip((frequencies - high_pass_hz) / WIDTH_HZ + 0.5, 0, 1)
    return np.asarray(np.cos(np.pi / 2 * slope) ** 2)


class _LowRate(NamedTuple):
    """A rate that is `factor` times lower, and the low pass on the way there and back.

    weights: factor x periods: the low pass, symmetric, of `taps` = factor * periods samples and with the sum
    1; down its columns, one after the other, are its samples.
    """

    factor: int
    weights: NDArray[np.float64]

    @property
    def taps(self) -> int:
        return self.weights.size

    def decimate(self, samples: NDArray[np.float64]) -> NDArray[np.float64]:
        """Every factor-th of the samples, a multiple of it, after the low pass; as many as it has all samples for."""
        products = samples.reshape(-1, self.factor) @ self.weights
        periods = self.weights.shape[1]
        count = len(products) - periods + 1
        return np.asarray(sum(products[k : k + count, k] for k in range(periods)))

    def interpolate(self, low: NDArray[np.float64]) -> NDArray[np.float64]:
        """The samples between: of those that `decimate` was given, from the one at taps - factor on."""
        windows = np.lib.stride_tricks.sliding_window_view(low, self.weights.shape[1])
        return np.asarray((windows @ (self.factor * self.weights[:, ::-1].T)).reshape(-1))


@functools.lru_cache(maxsize=16)
def _low_rate(high_pass_hz: float, sample_rate_hz: int) -> _LowRate:
    """The low pass and the factor by which the sample rate is lowered.

    Only the lowest fourth of the new rate is used, so that the low pass has the band from there to three fourths to
    fall in: what lies in it is folded onto frequencies that are not used.
    The window and its length are Kaiser's (Oppenheim and Schafer, Discrete-Time Signal Processing, section 7.5.3).
    """
    highest_hz = high_pass_hz + WIDTH_HZ / 2
    factor = max(1, int(sample_rate_hz / (4 * highest_hz)))
    width = 2 * math.pi * (1 / factor - 2 * highest_hz / sample_rate_hz)  # from what passes to what is stopped
    periods = math.ceil(((STOPPED_DB - 8) / (2.285 * width) + 1) / factor)
    places = np.arange(periods * factor) - (periods * factor - 1) / 2
    low_pass = np.sinc(places / factor) * np.kaiser(len(places), 0.1102 * (STOPPED_DB - 8.7))
    low_pass /= low_pass.sum()
    return _LowRate(factor, np.ascontiguousarray(low_pass.reshape(periods, factor).T))
