"""How loud a chunk is, how much of it is clipped, and what the microphone, the room and the format did to it."""

import functools
import statistics
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from audionet.settings import FULL_SCALE

SILENT_DB = -60.0  # below full scale; a chunk that is not louder holds nothing that a person would hear
NO_SOUND_DB, NO_SOUND_POWER = -120.0, 1e-12  # what stands for digital silence, which has no level
LARGEST_SAMPLE = float(1 << 31)  # where whole numbers of 32 bits are written as if they were of full scale
# Times as loud as all others: sound swells and fades, so that a few samples which stand so far above are none.
FAR_LOUDER, MOST_WRONG, MOST_WRONG_SHARE = 8.0, 200, 1e-3
CLIPPED_FROM = 0.995  # of full scale
RUMBLE_HZ = 60.0  # below lie rumble and the hum of the mains
CUT_OFF = 1e-6  # of the power: nothing natural ends so abruptly that no more than this lies above
FRAME_SECONDS = 0.05
QUIETEST = 0.1  # of the frames, which are taken for the pauses
STRETCH_SECONDS, MOST_STRETCHES = 0.5, 4  # of a chunk, whose spectrum is looked at; more say the same, and take time
FAINTEST_DB = -90.0  # frames below hold no noise, but digital silence
FULL_SAY_DB, NO_SAY_DB = 15.0, 25.0  # below the loudest chunk of a recording (docs/experiments.md)


class Conditions(NamedTuple):
    """What a recording has of its microphone, its room and its format.

    level_db: how loud it is. floor_db: how loud its pauses are; both in decibels below full scale.
    offset: the mean of the samples, as a share of full scale, 0 to 1.
    rumble_db: what lies below RUMBLE_HZ, in decibels below the whole.
    cut_off_hz: where its sound ends.
    """

    level_db: float
    floor_db: float
    offset: float
    rumble_db: float
    cut_off_hz: float


def decibels(power: Any) -> Any:
    """Power, or an array of it, as decibels below that of full scale, which is 1: 0 to NO_SOUND_DB."""
    return 10 * np.log10(np.maximum(power, NO_SOUND_POWER))


def level_db(samples: np.ndarray) -> float:
    """The root mean square of samples in decibels below full scale: 0 to NO_SOUND_DB."""
    power = float(np.mean(np.square(samples, dtype=np.float32))) / FULL_SCALE**2
    return round(float(decibels(power)), 1)


def levels_db(samples: np.ndarray) -> np.ndarray:
    """The level of each column of samples, without its offset, in decibels below full scale."""
    if not len(samples):
        return np.full(samples.shape[1:], NO_SOUND_DB)
    return np.asarray(decibels(np.var(samples, axis=0, dtype=np.float64) / FULL_SCALE**2))


def say(levels_db: Sequence[float | None]) -> NDArray[np.floating]:
    """How much each chunk of a recording has to say of what it is, 0 to 1, by its level: all up to FULL_SAY_DB below
    the loudest, and nothing from NO_SAY_DB on.

    A room between two sounds is no sound itself, but fills a picture, since that shows each moment against its own
    loudest point. None: where the level is not known, all have their say.
    """
    if None in levels_db:
        return np.ones(len(levels_db))
    levels = np.array(levels_db, float)
    return np.asarray(np.clip((NO_SAY_DB - (levels.max() - levels)) / (NO_SAY_DB - FULL_SAY_DB), 0, 1))


class Loudest(NamedTuple):
    """The largest amplitude of samples, at least full scale, which is 1; and how many are wrong, and left out of it."""

    amplitude: float
    wrong: int


def loudest(blocks: Iterable[NDArray[np.floating]]) -> Loudest:
    """The loudest of samples in floating point. Wrong is what is no number, or none that a program would write for a
    sample, or stands far above all others."""
    total = wrong = 0
    loud = np.ones(1)
    for values in blocks:
        amplitudes = np.abs(values)
        is_beyond = ~(amplitudes <= 1)
        total += len(values)
        if is_beyond.any():
            beyond = amplitudes[is_beyond]
            numbers = beyond[beyond <= LARGEST_SAMPLE]
            wrong += len(beyond) - len(numbers)
            loud = np.sort(np.append(loud, numbers))[-MOST_WRONG - 1 :]
    steps = len(loud) - 1 - np.flatnonzero(loud[1:] > FAR_LOUDER * loud[:-1])
    above = int(max(steps[steps <= MOST_WRONG_SHARE * total], default=0))
    return Loudest(float(loud[len(loud) - 1 - above]), wrong + above)


def clipped_share(samples: np.ndarray) -> float:
    """The share of samples at full scale, 0 to 1: more than a few were louder than the recording could hold."""
    limit = int(FULL_SCALE * CLIPPED_FROM)
    if samples.max() < limit and samples.min() > -limit:
        return 0.0
    return round(float(((samples >= limit) | (samples <= -limit)).mean()), 5)


def conditions(samples: np.ndarray, sample_rate_hz: int) -> Conditions | None:
    """The conditions of a chunk of samples; None if too little is heard in it to say anything."""
    sound = samples.astype(np.float32) / FULL_SCALE
    offset = float(sound.mean())
    sound -= offset
    frame = round(FRAME_SECONDS * sample_rate_hz)
    frames = sound[: len(sound) // frame * frame].reshape(-1, frame)
    levels = 20 * np.log10(np.maximum(frames.std(axis=1), 1e-6))
    levels = levels[levels > FAINTEST_DB]
    whole = float(decibels(float(np.mean(np.square(sound)))))
    if whole <= SILENT_DB or not len(levels):
        return None
    power = _spectrum(sound, sample_rate_hz)
    if not power.any():  # all that sounds lies between the stretches
        return None
    frequencies = np.linspace(0, sample_rate_hz / 2, len(power))
    above = np.cumsum(power[::-1])[::-1] / power.sum()
    return Conditions(
        level_db=round(whole, 1),
        # As np.quantile, which takes ten times as long for so few.
        floor_db=round(float(np.interp(QUIETEST * (len(levels) - 1), np.arange(len(levels)), np.sort(levels))), 1),
        offset=round(abs(offset), 4),
        rumble_db=round(float(decibels(power[frequencies < RUMBLE_HZ].sum() / power.sum())), 1),
        cut_off_hz=round(float(frequencies[above >= CUT_OFF][-1]), -1),
    )


def of_recording(of_chunks: Sequence[Conditions]) -> Conditions | None:
    """The conditions of a recording by those of its chunks: the median of each; None if there are none."""
    if not of_chunks:
        return None
    return Conditions(*(round(statistics.median(values), 4) for values in zip(*of_chunks, strict=True)))


def _spectrum(sound: np.ndarray, sample_rate_hz: int) -> np.ndarray:
    """Mean power by frequency, float64, of some stretches of a sound."""
    size = min(len(sound), round(STRETCH_SECONDS * sample_rate_hz)) // 2 * 2
    starts = np.linspace(0, len(sound) - size, min(MOST_STRETCHES, len(sound) // size)).astype(np.intp)
    stretches = np.lib.stride_tricks.sliding_window_view(sound, size)[starts]
    spectrum = np.fft.rfft((stretches - stretches.mean(axis=1, keepdims=True)) * hann_window(size), axis=1)
    return np.asarray((spectrum.real**2 + spectrum.imag**2).sum(axis=0, dtype=np.float64))


@functools.cache
def hann_window(size: int) -> NDArray[np.float32]:
    """The symmetric Hann window of `size` samples."""
    return np.hanning(size).astype(np.float32)
