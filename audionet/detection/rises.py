"""What rises out of the sound around it: from when to when, and how far, whatever it is.

An energy detector, as programs for bioacoustics have it: what is in the background at each frequency is told by the
median over a few seconds, which no short call changes.
"""

import functools
import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from audionet.bottleneck.maps import Window
from audionet.detection.mixtures import runs

BACKGROUND_SECONDS = 6.0
BACKGROUND_EVERY_SECONDS = 1.0
MEDIAN_OF_SECONDS = 0.1  # columns nearer to each other say much the same, and need not all be looked at
SMOOTH_SECONDS = 0.12
FLOOR_POWER = 1e-12  # of a row; less is the rounding of 16 bits
LOUDEST_ROWS = 10  # of the picture's: few, since a whistle has no more
# What usually rises highest is 5 to 10 dB above the median. Of calls 10 dB louder than rain and surf in all, 99 % rise
# so much farther; of seconds of rain and surf alone, 3 % (docs/experiments.md).
LEAST_DB = 14.0
CORE = 0.6  # of a window: what rises beside it is another window's
BORDER = 0.4  # of its height, above what is usual: where it begins and ends
LONGEST_GAP_SECONDS = 0.3  # within it


class Rise(NamedTuple):
    """What rises out of the sound around: how far above what is usual there, and from when to when."""

    decibels: float
    start_seconds: float
    end_seconds: float


NO_RISE = Rise(math.nan, math.nan, math.nan)


def find_rises(power: NDArray[np.floating], windows: Sequence[Window], column_seconds: float) -> list[Rise]:
    """What rises highest in each window; NO_RISE where nothing rises by LEAST_DB. Times are from the first column.

    power: rows x columns, of which each lasts column_seconds. windows: in columns.
    """
    heights = _heights_db(power, column_seconds)
    usual = float(np.median(heights))

    @functools.cache  # windows that overlap have their highest column in common
    def rise_at(peak: int) -> Rise:
        height = float(heights[peak]) - usual
        if height < LEAST_DB:
            return NO_RISE
        stretches = runs(heights >= usual + BORDER * height, LONGEST_GAP_SECONDS / column_seconds)
        start, end = next(stretch for stretch in stretches if stretch[0] <= peak < stretch[1])
        return Rise(height, start * column_seconds, end * column_seconds)

    return [rise_at(_peak(heights, window)) for window in windows]


def _peak(heights: NDArray[np.floating], window: Window) -> int:
    """The highest column in the middle of a window."""
    margin = (window.last - window.first) * (1 - CORE) / 2
    first = min(int(window.first + margin), len(heights) - 1)
    return first + int(heights[first : max(first + 1, int(window.last - margin))].argmax())


def _heights_db(power: NDArray[np.floating], column_seconds: float) -> NDArray[np.floating]:
    """How far LOUDEST_ROWS of each column lie above the median of their rows around, in dB on average."""
    columns = power.shape[1]
    power = np.maximum(power, FLOOR_POWER)
    half = max(1, round(BACKGROUND_SECONDS / column_seconds / 2))
    step = max(1, round(BACKGROUND_EVERY_SECONDS / column_seconds))
    every = max(1, round(MEDIAN_OF_SECONDS / column_seconds))
    ratios = np.empty(power.shape, np.float32)
    for start in range(0, columns, step):
        first = max(0, min(start + step // 2 - half, columns - 2 * half))
        medians = np.median(power[:, first : first + 2 * half : every], axis=1, keepdims=True)
        ratios[:, start : start + step] = power[:, start : start + step] / medians
    width = max(1, round(SMOOTH_SECONDS / column_seconds))
    ends = np.pad(ratios, ((0, 0), (width // 2 + 1, (width - 1) // 2)), mode="edge").cumsum(axis=1, dtype=np.float64)
    smooth = (ends[:, width:] - ends[:, :-width]) / width
    highest = np.partition(smooth, -LOUDEST_ROWS, axis=0)[-LOUDEST_ROWS:]
    return np.asarray(10 * np.log10(np.maximum(highest, FLOOR_POWER)).mean(axis=0))
