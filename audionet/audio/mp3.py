"""Samples -> small MP3s to listen to, in a browser."""

import math
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from audionet.audio.chunks import pcm
from audionet.audio.ffmpeg import find_ffmpeg, running_ffmpeg

DELAY_FRAMES = 3  # that the encoder lags behind, at least


@dataclass(frozen=True)
class Mp3Format:
    """What ffmpeg is told to make. Every frame has frame_bytes, without a remainder."""

    sample_rate_hz: int
    frame_samples: int
    bits_per_second: int

    @property
    def frame_bytes(self) -> int:
        """The bytes of every frame."""
        return self.frame_samples * self.bits_per_second // (8 * self.sample_rate_hz)


SPEECH = Mp3Format(16_000, 576, 24_000)  # enough for speech to sound as it is
FULL = Mp3Format(48_000, 1152, 64_000)  # all that people hear


def slowed_down(sample_rate_hz: int) -> int:
    """How many times sound of a sample rate is slowed down to be heard: so that all that it holds is audible."""
    return math.ceil(sample_rate_hz / FULL.sample_rate_hz)


def encode_mp3s(sounds: Sequence[np.ndarray], sample_rate_hz: int = SPEECH.sample_rate_hz) -> list[bytes] | None:
    """Small MP3s of sounds (float32, mono, at a sample rate), slowed_down times; None if this ffmpeg can't make them.

    ffmpeg encodes them all as one, which costs one start. Its frames stand each for itself, so that it can be cut.
    """
    target = SPEECH if sample_rate_hz <= SPEECH.sample_rate_hz else FULL
    played_hz = sample_rate_hz / slowed_down(sample_rate_hz)
    sounds = [_resampled(sound, target.sample_rate_hz / played_hz) for sound in sounds]
    frames = [-(-len(sound) // target.frame_samples) + DELAY_FRAMES for sound in sounds]
    padded = [np.pad(s, (0, n * target.frame_samples - len(s))) for s, n in zip(sounds, frames, strict=True)]
    command = [find_ffmpeg(), "-nostdin", "-v", "error", "-f", "s16le", "-ar", str(target.sample_rate_hz), "-ac", "1"]
    command += ["-i", "pipe:0", "-c:a", "libmp3lame", "-b:a", str(target.bits_per_second), "-reservoir", "0"]
    command += ["-compression_level", "9", "-write_xing", "0", "-id3v2_version", "0", "-f", "mp3", "pipe:1"]
    sound = b"".join(pcm(samples) for samples in padded)
    with running_ffmpeg():
        finished = subprocess.run(command, input=sound, capture_output=True, check=False, start_new_session=True)
    if finished.returncode != 0 or len(finished.stdout) < sum(frames) * target.frame_bytes:
        return None
    ends = np.cumsum(frames) * target.frame_bytes
    return [finished.stdout[end - n * target.frame_bytes : end] for end, n in zip(ends, frames, strict=True)]


def _resampled(samples: np.ndarray, ratio: float) -> np.ndarray:
    """Samples at a rate that is higher by a ratio, by cutting off the spectrum or continuing it with zeros."""
    length = round(len(samples) * ratio)
    if length == len(samples) or not len(samples):
        return samples
    resampled = np.fft.irfft(np.fft.rfft(samples), length) * (length / len(samples))
    return np.asarray(resampled, np.float32)
