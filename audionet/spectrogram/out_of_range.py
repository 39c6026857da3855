"""Whether most of a recording's sound lies above what its pictures show: bats, insects, machines."""

from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from audionet.audio.channels import USUAL, rate_of_wav
from audionet.audio.chunks import Chunk
from audionet.audio.ffmpeg import source_samples
from audionet.audio.levels import SILENT_DB
from audionet.settings import HIGH_PASS_HZ, PictureSettings, SoundChoice

RATES_HZ = (48_000, 96_000, 192_000, 384_000)  # to choose from, those that recorders have
# Only a recording that is drawn as faint, or as hissing, can have most of its sound elsewhere; so few are looked into.
FAINT_DB = -45.0  # of what changes from sample to sample
HISSING = 1.0  # times the power changes from sample to sample; of voices a tenth, of white noise twice
LOOK_SECONDS = 10.0
FRAME_SAMPLES = 1024
OUTSTANDING = 20.0  # times the median power: what is so loud is no noise
LEAST = 0.01  # of the power: with less outstanding, all is noise
MOST = 0.5  # of the sound
LEFT_OUT = 0.1  # of the sound: so much may lie above the rate that is recommended


class RangeCheck:
    """Looks at the chunks of a recording as they pass, and then, if they are suspect, into the recording itself."""

    def __init__(self, path: Path, settings: PictureSettings, choice: SoundChoice = USUAL) -> None:
        self._path, self._settings, self._choice = path, settings, choice
        self._starts: list[float] = []
        self._samples = 0
        self._power = self._changes = 0.0

    def watch(self, chunks: Iterable[Chunk]) -> Iterator[Chunk]:
        """The chunks, as they are."""
        for chunk in chunks:
            self.add(chunk.samples, chunk.start_seconds)
            yield chunk

    def add(self, samples: NDArray[np.int16], start_seconds: float) -> None:
        """Look at a part of the recording."""
        sound = samples.astype(np.float32) / np.float32(32768)
        self._power += float(np.square(sound).sum())
        self._changes += float(np.square(np.diff(sound)).sum())
        self._samples += len(sound)
        self._starts.append(start_seconds)

    def needed_rate_hz(self) -> int | None:
        """The sample rate that would show what is above the pictures; None if most of the sound is in them."""
        limit_hz = self._settings.highest_hz
        if 2 * limit_hz >= RATES_HZ[-1] or not self._is_suspect():
            return None
        rate_hz = _rate_of_wav(self._path)
        if rate_hz is not None and rate_hz <= 2 * limit_hz:
            return None
        # In the middle, where something is most likely to be heard.
        found = source_samples(self._path, self._choice, self._starts[len(self._starts) // 2], LOOK_SECONDS)
        return None if found is None else _needed(*found, limit_hz)

    def _is_suspect(self) -> bool:
        if not self._samples:
            return False
        faint = self._samples * 10 ** (FAINT_DB / 10)
        return self._changes < faint or self._changes > HISSING * self._power


def _rate_of_wav(path: Path) -> int | None:
    """The sample rate that a WAV says it has, if it says so where most do; None for all other files."""
    try:
        with open(path, "rb") as file:
            beginning = file.read(28)
    except OSError:
        return None
    is_plain = len(beginning) == 28 and beginning[:4] == b"RIFF" and beginning[8:16] == b"WAVEfmt "
    return rate_of_wav(beginning) if is_plain else None


def _needed(rate_hz: int, samples: NDArray[np.int16], limit_hz: float) -> int | None:
    """As needed_rate_hz, of samples x channels."""
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


def _power(samples: NDArray[np.int16]) -> NDArray[np.float64]:
    """The mean power at each frequency, of full scale: of all, and of what stands out of the noise."""
    window = np.hanning(FRAME_SAMPLES).astype(np.float32)
    count = len(samples) // FRAME_SAMPLES * FRAME_SAMPLES
    frames = samples[:count].T.reshape(-1, FRAME_SAMPLES).astype(np.float32) / np.float32(32768)
    power = np.abs(np.fft.rfft(frames * window)) ** 2
    loud = np.where(power > OUTSTANDING * np.median(power), power, 0)
    means = np.array([each.mean(axis=0, dtype=np.float64) for each in (power, loud)])
    return 2 * means / (FRAME_SAMPLES * float(np.square(window).sum()))
