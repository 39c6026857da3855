"""Which of a recording's sound tracks and channels is heard, and how they become one."""

import logging
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Protocol

import numpy as np

from audionet.audio.levels import NO_SOUND_DB, SILENT_DB, decibels
from audionet.settings import FULL_SCALE, MOST_CHANNELS, SoundChoice
from audionet.system.text import count

logger = logging.getLogger(__name__)

LARGEST_CHANNEL_COUNT = 1024
# A mix this much below its loudest channel is no picture of what a listener hears: the channels cancel each other out.
# A sound in one of two channels alone loses 6 dB in the mix, one in the centre of six about 10.
FAR_QUIETER_DB = 12.0
SUSPICIOUS_DB = -30.0  # below full scale; the channels of a louder mix are not looked at
MOST_LOOKS = 10  # at blocks of silence, whose channels might not be silent
CANCELLED = (
    "its channels cancel each other out, or most of them are silent; of them, {name} alone is heard (--channel chooses "
    "another)"
)
STREAM = re.compile(r"Stream #0:\d+.*?: Audio: .*?, (\d+) Hz, ([^,]+)")
USUAL = SoundChoice()  # the default track, all of its channels mixed


@dataclass(frozen=True)
class StreamInfo:
    """What ffmpeg said of the sound in a file. is_mono is False, and the rate 0, where it did not say."""

    is_there: bool
    is_mono: bool
    sample_rate_hz: int


def stream_info(messages: str) -> StreamInfo:
    """What is in a file, from the messages that ffmpeg printed when it opened it."""
    of_input = messages.partition("] Output #0")[0]
    tracks: list[tuple[str, str]] = STREAM.findall(of_input)
    # The messages do not say which of several tracks is heard, so all of them must be mono.
    is_mono = bool(tracks) and all(layout.strip() in ("mono", "1 channels", "1 channel") for _, layout in tracks)
    return StreamInfo("Audio:" in of_input, is_mono, max((int(rate) for rate, _ in tracks), default=0))


class OpenRecording(Protocol):
    """A recording whose channels can be had one by one, if its mix is to be doubted."""

    @property
    def is_mono(self) -> bool:
        """Whether it has but one channel; False where that is not known."""

    @property
    def sample_rate_hz(self) -> int:
        """The sample rate of its blocks."""

    def part(self, start_seconds: float, seconds: float) -> np.ndarray | None:
        """A part of it at this rate, samples x channels; None if it can't be had."""

    def channel(self, number: int) -> Iterator[np.ndarray]:
        """Blocks of one channel, by its number from 0."""


def mix_or_loudest(path: Path, opened: OpenRecording, blocks: Iterator[np.ndarray]) -> Iterator[np.ndarray]:
    """The blocks of a mix; from the first block on that is far quieter than a channel, those of the loudest channel."""
    position = looked = 0
    for block in blocks:
        mix_db = float(_levels_db(block))
        is_suspect = mix_db < SUSPICIOUS_DB and looked < MOST_LOOKS and not opened.is_mono
        looked += is_suspect
        start, seconds = position / opened.sample_rate_hz, len(block) / opened.sample_rate_hz
        channels = opened.part(start, seconds) if is_suspect else None
        if channels is not None and channels.shape[1] > 1:
            levels = _levels_db(channels)
            loudest = int(levels.argmax())
            if levels[loudest] > max(mix_db + FAR_QUIETER_DB, SILENT_DB):
                logger.warning("%s: %s", path, CANCELLED.format(name=channel_name(loudest, channels.shape[1])))
                yield from _without_first(opened.channel(loudest), position)
                return
        if mix_db > SILENT_DB or opened.is_mono:
            # There is sound, and its channels need no more looking at.
            yield from chain([block], blocks)
            return
        yield block
        position += len(block)


def _without_first(blocks: Iterator[np.ndarray], samples: int) -> Iterator[np.ndarray]:
    for block in blocks:
        if len(block) > samples:
            yield block[samples:]
        samples = max(0, samples - len(block))


def no_such_channel(number: int, channels: int) -> str:
    """Why a recording cannot be used that lacks the channel asked for, given by its number from 0."""
    return f"has {count(channels, 'channel')}, so that there is no channel {number + 1} (--channel mix takes all)"


def too_many_channels(channels: int) -> str:
    """Why a recording cannot be used that has more channels than ffmpeg mixes, or takes one of."""
    return f"has {channels} channels, of {MOST_CHANNELS} at most; save those that matter as recordings of their own"


def one_channel(number: int) -> str:
    """The filter that leaves one channel, by its number from 0."""
    return f"pan=mono|c0=c{number}"


def equal_parts(channels: int) -> str:
    """The filter that mixes channels of which nothing is known."""
    return "pan=mono|c0=" + "+".join(f"{1 / channels:.6f}*c{n}" for n in range(channels))


def channel_name(number: int, channels: int) -> str:
    """What to call a channel by its number from 0: left and right, where there are two."""
    return ("left", "right")[number] if channels == 2 else f"channel {number + 1}"


def sound_of_wav(wav: bytes) -> tuple[int, np.ndarray] | None:
    """The sample rate, and the int16 samples x channels, of a WAV that ffmpeg wrote; None if it wrote none."""
    start, channels = wav.find(b"data", 36) + 8, int.from_bytes(wav[22:24], "little")
    if start < 44 or not 1 <= channels <= LARGEST_CHANNEL_COUNT:
        return None
    samples = np.frombuffer(wav, "<i2", (len(wav) - start) // (2 * channels) * channels, start)
    return int.from_bytes(wav[24:28], "little"), samples.reshape(-1, channels)


def _levels_db(samples: np.ndarray) -> np.ndarray:
    """The level of each column of samples, without its offset, in decibels below full scale."""
    if not len(samples):
        return np.full(samples.shape[1:], NO_SOUND_DB)
    return np.asarray(decibels(np.var(samples, axis=0, dtype=np.float64) / FULL_SCALE**2))
