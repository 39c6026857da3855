"""What lasts all through a sound, such as hiss or hum: how loud it is, and the sound with less of it."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

# The power of a row is averaged over as long as a syllable lasts. What one in ten of these averages lies below is there
# all the time, since voices and calls come and go (Stahl and others, 2000).
SYLLABLE_SECONDS, QUIET_SHARE = 0.25, 0.1
LOUDEST_SECONDS = 1.5  # around a moment; the loudest within it is what the noise is compared with
# Noise that lies at least so far below the loudest moment is behind the sound, and not the sound itself: rain lies 8 to
# 15 dB below its own. From the second level on, all is taken away that may be.
BEHIND_DB = (20.0, 25.0)
# Twice the noise is subtracted from the power (Berouti and others, 1979), since the averages that are lowest are about
# half of the mean: at most so many dB, for holes in the noise would be sounds of their own, and no more than makes it
# as faint as in clean recordings. All of this was chosen on talks in noise (docs/experiments.md).
TIMES_SUBTRACTED, MOST_DB, FAINT_DB = 2.0, 10.0, -42.0
ROWS_AROUND, SECONDS_AROUND = 3, 0.08  # of each point, in which its power is averaged: noise flickers
SMALLEST_POWER = 1e-20


class Reduced(NamedTuple):
    """Sound with less of its steady noise.

    power: rows x columns. noise_db: how far the noise lies above the loudest moment around each column; negative.
    """

    power: NDArray[np.float32]
    noise_db: NDArray[np.float32]


def reduce_steady_noise(power: NDArray[np.float32], column_seconds: float) -> Reduced:
    """Sound with less of what lasts all through it. power: rows x columns, each of which lasts so long."""
    columns = power.shape[1]
    syllable = min(columns, max(1, round(SYLLABLE_SECONDS / column_seconds)))
    syllables = power[:, : columns // syllable * syllable].reshape(len(power), -1, syllable)
    smooth = syllables @ np.full(syllable, 1 / syllable, np.float32)  # their means, in a sixth of the time of mean()
    quiet = int(QUIET_SHARE * (smooth.shape[1] - 1))
    noise = np.partition(smooth, quiet, axis=1)[:, quiet, None]
    loudest = highest_around(power.sum(axis=0), round(LOUDEST_SECONDS / column_seconds) // 2)
    noise_db = 10 * np.log10(np.maximum(noise.sum(), SMALLEST_POWER) / np.maximum(loudest, SMALLEST_POWER))
    is_behind = np.interp(-noise_db, BEHIND_DB, (0, 1)).astype(np.float32)
    reduction_db = is_behind * np.clip(noise_db - FAINT_DB, 0, MOST_DB)
    if reduction_db.any():
        around = _mean_around(_mean_around(power, ROWS_AROUND).T, round(SECONDS_AROUND / column_seconds)).T
        left = 1 - TIMES_SUBTRACTED * noise / np.maximum(around, SMALLEST_POWER)
        power = power * np.clip(left, 10 ** (-reduction_db / 10), 1)
    return Reduced(np.asarray(power, np.float32), np.asarray(noise_db, np.float32))


def _mean_around(rows: NDArray[np.float32], count: int) -> NDArray[np.float32]:
    """Of each row the mean of it and those around it, about `count`."""
    reach = count // 2
    if reach == 0:
        return rows
    ends = np.pad(rows, ((reach, reach), (0, 0)), mode="edge")
    sums = np.zeros_like(rows)
    for first in range(2 * reach + 1):
        sums += ends[first : first + len(rows)]
    return np.asarray(sums / (2 * reach + 1), np.float32)


def highest_around(values: NDArray[np.floating], reach: int) -> NDArray[np.floating]:
    """The highest of each value and so many before and behind it."""
    around = np.pad(values, reach, constant_values=-np.inf)
    return np.asarray(np.lib.stride_tricks.sliding_window_view(around, 2 * reach + 1).max(axis=1))
