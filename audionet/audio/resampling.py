"""Sound at any usual sample rate -> sound at another, by the filter that ffmpeg has for it.

A picture reaches up to half of the rate, where resamplers differ by dozens of grey levels. So this one has
ffmpeg's low pass: the windowed sinc of libswresample's default (its options filter_size, cutoff and kaiser_beta).
"""

import functools
import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

ZERO_CROSSINGS, CUTOFF, KAISER_BETA = 32, 0.97, 9.0  # of the sinc, at the lower of the two rates; the defaults
MOST_PHASES = 1024  # of other ratios, ffmpeg takes the nearest phase
SLOWEST_RATE_HZ, FASTEST_RATE_HZ = 4000, 400_000
OUTPUTS_AT_ONCE = 16  # of one matrix: the more, the more of it is zero
OUTPUTS_A_PERIOD = 160  # at least: the windows of consecutive periods must not lie closer than they are long


class _Part(NamedTuple):
    """What makes a few neighbouring outputs of each period: weights (inputs x outputs), and the first input's place."""

    outputs: slice
    first: int
    weights: NDArray[np.float64]


class _Filter(NamedTuple):
    """period_in, period_out: samples after which the same weights come again. taps: of one output."""

    period_in: int
    period_out: int
    taps: int
    parts: list[_Part]


def can_resample(from_hz: int, to_hz: int) -> bool:
    """Whether sound at a rate is brought to another here as ffmpeg does it."""
    phases = to_hz // math.gcd(from_hz, to_hz)
    is_usual = min(from_hz, to_hz) >= SLOWEST_RATE_HZ and max(from_hz, to_hz) <= FASTEST_RATE_HZ
    return is_usual and phases <= MOST_PHASES


def shortest(from_hz: int, to_hz: int) -> int:
    """How many samples it takes at least: the filter mirrors that much at both ends."""
    return 1 if from_hz == to_hz else _filter(from_hz, to_hz).taps + 1


def resample(samples: NDArray[Any], from_hz: int, to_hz: int) -> NDArray[np.float64]:
    """Samples at another rate, as many as ffmpeg gives; in float64, so that no order of sums matters.

    samples: at least `shortest`, of any type of numbers. The rates: those that `can_resample`.
    """
    if from_hz == to_hz:
        return samples.astype(np.float64)
    period_in, period_out, taps, parts = _filter(from_hz, to_hz)
    before = (taps - 1) // 2
    # As ffmpeg does it: what no longer fills the filter is mirrored, and half of that is heard.
    rest = before + len(samples) - taps + 1
    unfilled = taps - 1 + rest - _outputs(rest, period_in, period_out) * period_in // period_out
    count = _outputs(rest + (min(unfilled, taps) + 1) // 2, period_in, period_out)
    periods = math.ceil(count / period_out)
    padded = np.zeros((periods + 1) * period_in + taps + before)
    padded[:before] = samples[before:0:-1]
    padded[before : before + len(samples)] = samples
    padded[before + len(samples) :][:taps] = samples[: -taps - 1 : -1]
    # A row for each period: what its outputs are made of, which reaches into the next one.
    step_bytes = period_in * padded.itemsize, padded.itemsize
    windows = np.lib.stride_tricks.as_strided(padded, (periods, period_in + taps), step_bytes, writeable=False)
    resampled = np.empty((periods, period_out))
    for outputs, first, weights in parts:
        np.matmul(windows[:, first : first + len(weights)], weights, out=resampled[:, outputs])
    return resampled.reshape(-1)[:count]


def _outputs(places: int, period_in: int, period_out: int) -> int:
    """How many outputs begin at the first so many inputs."""
    return -(-places * period_out // period_in)


@functools.cache
def _filter(from_hz: int, to_hz: int) -> _Filter:
    """The weights that make the outputs of a period, in parts that one product of matrices each computes."""
    divisor = math.gcd(from_hz, to_hz)
    up, down = to_hz // divisor, from_hz // divisor
    weights = _windowed_sinc(up, down)
    taps = weights.shape[1]
    repeats = math.ceil(max(OUTPUTS_A_PERIOD, (taps + 1) * up / down * 2) / up)
    period_in, period_out = repeats * down, repeats * up
    parts = []
    for start in range(0, period_out, OUTPUTS_AT_ONCE):
        outputs = range(start, min(start + OUTPUTS_AT_ONCE, period_out))
        first, last = outputs[0] * down // up, outputs[-1] * down // up
        matrix = np.zeros((last - first + taps, len(outputs)))
        for column, output in enumerate(outputs):
            place, phase = divmod(output * down, up)
            matrix[place - first : place - first + taps, column] = weights[phase]
        parts.append(_Part(slice(start, outputs[-1] + 1), first, matrix))
    return _Filter(period_in, period_out, taps, parts)


def _windowed_sinc(up: int, down: int) -> NDArray[np.float64]:
    """The low pass at each of `up` places between two inputs: up x taps, the first row with the sum 1."""
    factor = min(CUTOFF * up / down, 1.0)
    taps = math.ceil(ZERO_CROSSINGS / factor)
    taps += taps % 2
    distance = np.arange(taps) - (taps - 1) // 2 - np.arange(up)[:, None] / up
    inside = np.maximum(1 - (2 * distance / taps) ** 2, 0)
    weights = np.sinc(distance * factor) * np.i0(KAISER_BETA * np.sqrt(inside))
    return np.asarray(weights / weights[0].sum())
