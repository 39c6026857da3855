"""Which of a recording's sound tracks and channels is heard, and how they become one."""

import re
from dataclasses import dataclass

import numpy as np

from audionet.audio.levels import FULL_SCALE, NO_SOUND_DB
from audionet.settings import SoundChoice

LARGEST_CHANNEL_COUNT = 1024
# A mix this much below its loudest channel is no picture of what a listener hears: the channels cancel each other out.
# A sound in one of two channels alone loses 6 dB in the mix, one in the centre of six about 10.
FAR_QUIETER_DB = 12.0
SUSPICIOUS_DB = -30.0  # below full scale; the channels of a louder mix are not looked at
STREAM = re.compile(r"Stream #0:\d+.*?: Audio: .*?, (\d+) Hz, ([^,]+)")


USUAL = SoundChoice()


@dataclass(frozen=True)
class StreamInfo:
    """What ffmpeg said of the sound in a file: is_mono is False where it did not say."""

    is_there: bool
    is_mono: bool
    sample_rate_hz: int


def stream_info(messages: str) -> StreamInfo:
    """From ffmpeg's messages, with those on what is in the file."""
    of_input = messages.partition("] Output #0")[0]
    found: list[tuple[str, str]] = STREAM.findall(of_input)
    # Of several tracks nothing is said here of which is heard.
    is_mono = bool(found) and all(layout.strip() in ("mono", "1 channels", "1 channel") for _, layout in found)
    return StreamInfo("Audio:" in of_input, is_mono, max((int(rate) for rate, _ in found), default=0))


def one_channel(number: int) -> str:
    """The filter that leaves one channel, by its number from 0."""
    return f"pan=mono|c0=c{number}"


def equal_parts(channels: int) -> str:
    """The filter that mixes channels of which nothing is known."""
    return "pan=mono|c0=" + "+".join(f"{1 / channels:.6f}*c{n}" for n in range(channels))


def channel_name(number: int, channels: int) -> str:
    """What to call a channel by its number from 0: left and right, where there are two."""
    return ("left", "right")[number] if channels == 2 else f"channel {number + 1}"


def samples_of_wav(wav: bytes) -> np.ndarray | None:
    """The int16 samples x channels of a WAV that ffmpeg wrote; None if it wrote none."""
    start, channels = wav.find(b"data", 36) + 8, int.from_bytes(wav[22:24], "little")
    if start < 44 or not 1 <= channels <= LARGEST_CHANNEL_COUNT:
        return None
    return np.frombuffer(wav, "<i2", (len(wav) - start) // (2 * channels) * channels, start).reshape(-1, channels)


def levels_db(samples: np.ndarray) -> np.ndarray:
    """The level of each column of int16 samples, in decibels below full scale."""
    if not len(samples):
        return np.full(samples.shape[1:], NO_SOUND_DB)
    power = np.mean(np.square(samples, dtype=np.float32), axis=0, dtype=np.float64) / FULL_SCALE**2
    return np.asarray(np.maximum(NO_SOUND_DB, 10 * np.log10(np.maximum(power, 1e-12))))
