"""The bands of a mel picture, worked out one by one, as the docstring of make_filter_bank tells of them."""

import numpy as np

from audionet.settings import PICTURE_SIZE


def edge_hz(number: int, highest_hz: float) -> float:
    """The number-th of PICTURE_SIZE + 2 frequencies that are even steps of the mel scale; band n lies about n + 1."""
    return 400 * float((1 + highest_hz / 400) ** (number / (PICTURE_SIZE + 1)) - 1)


def mel_bands(highest_hz: float, bins: int) -> np.ndarray:
    """PICTURE_SIZE x bins of a spectrum from 0 Hz to highest_hz: triangles of area 1."""
    bins_hz, apart = np.linspace(0, highest_hz, bins), highest_hz / (bins - 1)
    bands = []
    for band in range(PICTURE_SIZE):
        low, middle, high = (edge_hz(band + n, highest_hz) for n in range(3))
        corners = min(low, middle - apart), middle, max(high, middle + apart)
        bands.append(np.interp(bins_hz, corners, (0, 2 / (corners[2] - corners[0]), 0)))
    return np.array(bands)
