"""The ticks of a spectrogram's axes: their places and their names."""

import math

import numpy as np

from audionet.spectrogram.transform import SpectrogramRenderer

TICKS_HZ = (125, 250, 500, 1000, 2000, 4000, 8000, 16_000, 32_000, 64_000, 128_000)  # as far as a picture goes
CLOSEST_TICKS = 0.06  # of the height of the axis
PITCH_NAMES = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")
# Steps of a time axis in seconds; it has at most MOST_TIMES.
TIME_STEPS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400)
MOST_TIMES = 10


def row_ticks(renderer: SpectrogramRenderer) -> tuple[list[float], list[str]]:
    """The places of round frequencies on a picture's height (0 its foot, 1 its top), and their names."""
    centres = renderer.row_hz
    if centres is None:
        return [(n + 0.5) / len(PITCH_NAMES) for n in range(len(PITCH_NAMES))], list(PITCH_NAMES)
    places: list[float] = []
    names = []
    for hertz in reversed([hertz for hertz in TICKS_HZ if hertz <= renderer.settings.highest_hz]):
        place = float(np.interp(hertz, centres, (np.arange(len(centres)) + 0.5) / len(centres)))
        if not places or places[-1] - place >= CLOSEST_TICKS:
            places.append(place)
            names.append(f"{hertz / 1000:g} kHz" if hertz >= 1000 else f"{hertz} Hz")
    return places, names


def time_ticks(start_seconds: float, end_seconds: float, most: int = MOST_TIMES) -> tuple[list[float], list[str]]:
    """Round times (seconds) between two, `most` or one more of them, and their names: `2.5 s`, `1:30` or `1:00:30`."""
    length = end_seconds - start_seconds
    step = next((step for step in TIME_STEPS if length / step <= most), length / most)
    first, last = math.ceil(start_seconds / step - 1e-9), math.floor(end_seconds / step + 1e-9)
    times = [number * step for number in range(first, last + 1)]
    return times, [_time_name(time, end_seconds, step) for time in times]


def _time_name(seconds: float, longest: float, step: float) -> str:
    if longest < 60:
        return f"{seconds:.2f}".rstrip("0").rstrip(".") + " s"
    if step < 1:
        minutes, hundredths = divmod(round(seconds * 100), 6000)
        return f"{minutes}:{hundredths / 100:04.1f}" if step >= 0.1 else f"{minutes}:{hundredths / 100:05.2f}"
    minutes, rest = divmod(round(seconds), 60)
    if longest < 3600:
        return f"{minutes}:{rest:02}"
    return f"{minutes // 60}:{minutes % 60:02}:{rest:02}"
