"""Pauses: stretches of sound in which all lies far below what is heard around them, such as a room between two turns.

Drawn as it is, a pause would be as bright as the voices, since a picture shows each moment against the loudest point
around it.
"""

import itertools
import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from audionet.bottleneck.maps import MARGIN_COLUMNS, Window
from audionet.detection.mixtures import runs
from audionet.spectrogram.steady_noise import highest_around

# How far below the loudest moment within so much time the power of all rows lies in a pause, and how long one lasts at
# least: shorter ones are part of how a voice sounds, and were learnt with it (docs/experiments.md).
BELOW_DB = 35.0
REACH_SECONDS = 1.5
SHORTEST_SECONDS = 1.0
LONG_REACH_SECONDS = 15.0  # of whole windows: beyond, what lasts is a sound of its own, however faint


def reach_seconds(column_seconds: float) -> float:
    """How long before and behind a moment what is louder makes it a pause: the network hears what is around it too."""
    return REACH_SECONDS + MARGIN_COLUMNS * column_seconds


def find_pauses(loudness: NDArray[np.floating], column_seconds: float) -> NDArray[np.bool_]:
    """Which columns are in a pause. loudness: the power of all rows in each column, which is so long."""
    reach = round(reach_seconds(column_seconds) / column_seconds)
    in_pause = np.zeros(len(loudness), bool)
    for first, last in runs(loudness < highest_around(loudness, reach) * 10 ** (-BELOW_DB / 10), 0):
        in_pause[first:last] = (last - first) * column_seconds >= SHORTEST_SECONDS
    return in_pause


def loudest_moments(loudness: NDArray[np.floating], windows: Sequence[Window]) -> NDArray[np.floating]:
    """The loudness of the loudest column of each window. loudness: as in `find_pauses`. windows: in columns."""
    last = len(loudness) - 1
    return np.array([loudness[min(int(first), last) : math.ceil(end)].max() for first, end in windows])


def are_pauses(levels_db: NDArray[np.floating], windows_a_second: float) -> NDArray[np.bool_]:
    """Which windows, by their loudest moments, lie far below what is heard around them, for longer than a window."""
    reach = round(LONG_REACH_SECONDS * windows_a_second)
    return np.asarray(levels_db < highest_around(levels_db, reach) - BELOW_DB)


def without_pauses(power: NDArray[np.float32], in_pause: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Power, rows x columns, with the sound before and behind each pause mirrored into it.

    The network sees each moment with those around it: so the beginning of a turn with more of the same voice, as in a
    short clip, which is repeated until its picture is full.
    """
    if in_pause.all() or not in_pause.any():
        return power
    stretches = list(runs(~in_pause, 0))
    middles = [(before[1] + behind[0]) // 2 for before, behind in itertools.pairwise(stretches)]
    columns = np.arange(len(in_pause))
    for (first, last), (start, end) in zip(stretches, itertools.pairwise([0, *middles, len(columns)]), strict=True):
        length = last - first
        place = (columns[start:end] - first) % (2 * length)
        columns[start:end] = first + np.minimum(place, 2 * length - 1 - place)
    return np.asarray(power[:, columns])
