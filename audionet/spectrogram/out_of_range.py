"""Whether a recording's sound lies above what its pictures show (bats, insects, machines), or below (whales, hum)."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from audionet.audio.channels import USUAL
from audionet.audio.chunks import Chunk
from audionet.audio.decoding import read_wav_header, source_samples
from audionet.audio.levels import CUT_OFF, SILENT_DB, hann_window, level_db
from audionet.settings import FULL_SCALE, HIGH_PASS_HZ, LOWEST_SAMPLE_RATE_HZ, PictureSettings, SoundChoice
from audionet.spectrogram.high_pass import high_passed

RATES_HZ = (48_000, 96_000, 192_000, 384_000)  # to choose from, those that recorders have
# Only a recording that is drawn as faint, or as hissing, can have most of its sound elsewhere; so few are looked into.
FAINT_DB = -45.0  # of the changes from sample to sample
HISSING = 1.0  # times the power changes from sample to sample; of voices a tenth, of white noise twice
LOOK_SECONDS = 10.0
FRAME_SAMPLES = 1024
OUTSTANDING = 20.0  # times the median power: what is so loud is no noise
LEAST = 0.01  # of the power: with less outstanding, all is noise
MOST = 0.5  # of the sound
LEFT_OUT = 0.1  # of the sound: so much may lie above the rate that is recommended
# What lies below the high pass is drawn with this one, and at a low rate; what lies lower still is drift, no sound.
LOW_HIGH_PASS_HZ = 10.0
CLEAR_OF_IT = 1.25  # times the high pass: what it lets through of sound just below it ends here
RUMBLING = 16.0  # times the power changes from sample to sample as that of a tone at the high pass does
FAINTER = 0.01  # of the power below the high pass: a rest of that is no louder


class RangeCheck:
    """Looks at the chunks of a recording as they pass, and then, if they are suspect, into the recording itself."""

    def __init__(self, path: Path, settings: PictureSettings, choice: SoundChoice = USUAL) -> None:
        self._path, self._settings, self._choice = path, settings, choice
        self._starts: list[float] = []
        self._samples = 0
        self._power = self._changes = 0.0
        nothing = np.zeros(2, np.float32)
        # A copy of the part with most power, and of that with most changes, each behind how much that is.
        self._loudest = self._liveliest = -1.0, nothing

    def watch(self, chunks: Iterable[Chunk]) -> Iterator[Chunk]:
        """The chunks, unchanged, once each was looked at."""
        for chunk in chunks:
            self.add(chunk.samples, chunk.start_seconds)
            yield chunk

    def add(self, samples: NDArray[np.number], start_seconds: float) -> None:
        """Look at a part of the recording."""
        power, changes = _power_and_changes(samples)
        self._power += power
        self._changes += changes
        if power > self._loudest[0]:
            self._loudest = power, _copied(samples, self._loudest[1])
        if changes > self._liveliest[0]:
            self._liveliest = changes, _copied(samples, self._liveliest[1])
        self._samples += len(samples)
        self._starts.append(start_seconds)

    def needed_rate_hz(self) -> int | None:
        """The sample rate of pictures that would show the sound; None if these show most of it.

        For sound below the pictures it is LOWEST_SAMPLE_RATE_HZ.
        """
        above = self._needed_above_hz()
        return LOWEST_SAMPLE_RATE_HZ if above is None and self._lies_below() else above

    def _lies_below(self) -> bool:
        """As lies_below for the whole, by the loudest part and the part likeliest to hold sound that is drawn."""
        settings = self._settings
        if settings.high_pass_hz <= LOW_HIGH_PASS_HZ or not _is_rumbling(self._power, self._changes, settings):
            return False
        looks = [_bands(samples, settings) for _, samples in (self._loudest, self._liveliest)]
        return _Bands(*map(max, *looks)).lie_below()

    def _needed_above_hz(self) -> int | None:
        """The sample rate that would show sound above the pictures; None where there is little, or it can't be told."""
        limit_hz = self._settings.highest_hz
        if 2 * limit_hz >= RATES_HZ[-1] or not self._is_suspect():
            return None
        header = read_wav_header(self._path)
        if header is not None and header.rate_hz <= 2 * limit_hz:
            return None
        # The middle of the recording is looked at, where something is most likely to be heard.
        source = source_samples(self._path, self._choice, self._starts[len(self._starts) // 2], LOOK_SECONDS)
        return None if source is None else _needed(*source, limit_hz)

    def _is_suspect(self) -> bool:
        if not self._samples:
            return False
        faint = self._samples * 10 ** (FAINT_DB / 10)
        return self._changes < faint or self._changes > HISSING * self._power


def _copied(samples: NDArray[np.number], place: NDArray[np.float32]) -> NDArray[np.float32]:
    """A copy of samples, where another lies if there is room: parts of a long recording that are kept, now this one and
    now that, leave holes in the memory in which the next ones do not fit."""
    if len(samples) > len(place):
        return samples.astype(np.float32)
    place[: len(samples)] = samples
    return place[: len(samples)]


class _Bands(NamedTuple):
    """The power below the high pass, the power in the bands that are drawn, and what of that stands out of noise."""

    below: float
    drawn: float
    outstanding: float

    def lie_below(self) -> bool:
        """Whether the bands that are drawn hold silence, or noise and a rest of the sound below."""
        silent = 10 ** (SILENT_DB / 10)
        is_rest = self.drawn < FAINTER * self.below and self.outstanding < max(silent, LEFT_OUT * self.drawn)
        return self.below > silent and is_rest


def lies_below(samples: NDArray[np.number], settings: PictureSettings) -> bool:
    """Whether all that sounds in samples lies below the high pass, so that only a rest of it, and noise, are drawn."""
    if settings.high_pass_hz <= LOW_HIGH_PASS_HZ or len(samples) < 2:
        return False
    power, changes = _power_and_changes(samples)
    power -= len(samples) * (float(samples.mean()) / FULL_SCALE) ** 2
    return _is_rumbling(power, changes, settings) and _bands(samples, settings).lie_below()


def drawn_level_db(samples: NDArray[np.number], settings: PictureSettings) -> float | None:
    """How loud what is drawn of samples is, see levels.level_db: without rumble and offset, where these are most of
    their power. None where all that sounds lies below the high pass, so that nothing is left (lies_below)."""
    if len(samples) < 2 or not _is_rumbling(*_power_and_changes(samples), settings):
        return level_db(samples)
    if lies_below(samples, settings):
        return None
    return level_db(high_passed(samples, settings.high_pass_hz, settings.sample_rate_hz))


def _power_and_changes(samples: NDArray[np.number]) -> tuple[float, float]:
    """The sums of the squares of samples, and of the changes from each to the next, in full scale squared."""
    sound = samples.astype(np.float32, copy=False)
    changes = np.diff(sound)
    return float(sound @ sound) / FULL_SCALE**2, float(changes @ changes) / FULL_SCALE**2


def _is_rumbling(power: float, changes: float, settings: PictureSettings) -> bool:
    """Whether sound of a power that changes so much from sample to sample may lie below the high pass."""
    return changes < RUMBLING * (2 * np.pi * settings.high_pass_hz / settings.sample_rate_hz) ** 2 * power


def _bands(samples: NDArray[np.number], settings: PictureSettings) -> _Bands:
    """The power of samples in the bands that _Bands names, in full scale squared."""
    sound = samples.astype(np.float32) / FULL_SCALE
    size = min(len(sound), 1 << (settings.sample_rate_hz // 2).bit_length())
    frames = sound[: len(sound) // size * size].reshape(-1, size)
    frames = frames - frames.mean(axis=1, keepdims=True)
    power = _spectra(frames) / len(frames)
    frequencies = np.fft.rfftfreq(size, 1 / settings.sample_rate_hz)
    drawn = power[:, frequencies >= CLEAR_OF_IT * settings.high_pass_hz]
    below = power[:, (frequencies >= LOW_HIGH_PASS_HZ) & (frequencies < settings.high_pass_hz)]
    # Above half of the rate at which it was recorded there is nothing, not even noise.
    above = np.cumsum(drawn.sum(axis=0)[::-1])[::-1]
    noise = np.median(drawn[:, above >= CUT_OFF * above[0]])
    loud = np.where(drawn > OUTSTANDING * noise, drawn, 0)
    return _Bands(float(below.sum()), float(drawn.sum()), float(loud.sum()))


def _spectra(frames: NDArray[np.float32]) -> NDArray[np.floating]:
    """The power of each frame at each frequency, in full scale squared."""
    window = hann_window(frames.shape[1])
    return 2 * np.abs(np.fft.rfft(frames * window)) ** 2 / (len(window) * float(np.square(window).sum()))


def where_it_lies(needed_rate_hz: int, settings: PictureSettings) -> tuple[str, str]:
    """Where a recording's sound lies, as RangeCheck found it, and the options that show it.

    >>> where_it_lies(48000, PictureSettings()), where_it_lies(8000, PictureSettings())
    (('above the 8 kHz', '--sample-rate 48000'), ('below the 65 Hz', '--high-pass 10 --sample-rate 8000'))
    """
    if needed_rate_hz > 2 * settings.highest_hz:
        return f"above the {settings.highest_hz / 1000:g} kHz", f"--sample-rate {needed_rate_hz}"
    below = f"below the {settings.high_pass_hz:g} Hz"
    return below, f"--high-pass {LOW_HIGH_PASS_HZ:g} --sample-rate {needed_rate_hz}"


def _needed(rate_hz: int, samples: NDArray[np.number], limit_hz: float) -> int | None:
    """As RangeCheck.needed_rate_hz, for samples x channels at a rate and the highest frequency that is drawn."""
    if rate_hz <= 2 * limit_hz or len(samples) < FRAME_SAMPLES:
        return None
    frequencies = np.fft.rfftfreq(FRAME_SAMPLES, 1 / rate_hz)
    power, sound = _power(samples) * (frequencies >= HIGH_PASS_HZ)
    total, above = float(sound.sum()), float(sound[frequencies > limit_hz].sum())
    if above < max(MOST * total, LEAST * float(power.sum()), 10 ** (SILENT_DB / 10)):
        return None
    enough = [
        rate for rate in RATES_HZ if rate > 2 * limit_hz and sound[frequencies > rate / 2].sum() < LEFT_OUT * total
    ]
    return enough[0] if enough else RATES_HZ[-1]


def _power(samples: NDArray[np.number]) -> NDArray[np.float64]:
    """The mean power at each frequency, in full scale squared: of all sound, and of what stands out of the noise."""
    count = len(samples) // FRAME_SAMPLES * FRAME_SAMPLES
    power = _spectra(samples[:count].T.reshape(-1, FRAME_SAMPLES).astype(np.float32) / FULL_SCALE)
    loud = np.where(power > OUTSTANDING * np.median(power), power, 0)
    return np.array([each.mean(axis=0, dtype=np.float64) for each in (power, loud)])
