"""Where the marks of a spectrogram's axes lie, and what they say."""

import numpy as np

from audionet.settings import SAMPLE_RATE_HZ
from audionet.spectrogram import Painter

FREQUENCIES_HZ = {"mel": (250, 500, 1000, 2000, 4000), "spectrogram": (2000, 4000, 6000)}
PITCHES = "C C♯ D D♯ E F F♯ G G♯ A A♯ B".split()
TIME_STEPS_SECONDS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300)
MOST_TIMES = 5


def frequency_ticks(painter: Painter) -> list[tuple[str, float]]:
    """Names of frequencies (or of pitch classes), with their heights in the picture, 0 at the bottom to 1."""
    rows_hz = painter.row_hz
    if rows_hz is None:
        return [(name, (n + 0.5) / len(PITCHES)) for n, name in enumerate(PITCHES)]
    wanted = [hz for hz in FREQUENCIES_HZ[painter.settings.representation] if hz < SAMPLE_RATE_HZ / 2]
    heights = (np.interp(wanted, rows_hz, np.arange(len(rows_hz))) + 0.5) / len(rows_hz)
    return [(f"{hz} Hz" if hz < 1000 else f"{hz // 1000} kHz", float(h)) for hz, h in zip(wanted, heights, strict=True)]


def time_ticks(start_seconds: float, seconds: float) -> list[tuple[str, float]]:
    """Round times in a recording between a chunk's start and end, with their places in the chunk, 0 to 1."""
    step = next((step for step in TIME_STEPS_SECONDS if seconds / step <= MOST_TIMES), TIME_STEPS_SECONDS[-1])
    first = int(np.ceil(start_seconds / step - 1e-6))
    last = int(np.floor((start_seconds + seconds) / step + 1e-6))
    decimals = 2 if step < 0.1 else 1 if step < 1 else 0
    return [(clock(n * step, decimals), (n * step - start_seconds) / seconds) for n in range(first, last + 1)]


def clock(seconds: float, decimals: int = 1) -> str:
    """`1:07.5`: minutes and seconds, with hours before them if there are any."""
    unit = 10**decimals
    whole, rest = divmod(round(seconds * unit), unit)
    minutes, seconds_left = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    said = f"{hours}:{minutes:02}:{seconds_left:02}" if hours else f"{minutes}:{seconds_left:02}"
    return f"{said}.{rest:0{decimals}}" if decimals else said
