"""Which of a recording's sound tracks and channels is heard, and how they become one."""

import hashlib
import logging
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

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
SILENT_TRACK = "the sound track that is heard is silent, of {tracks} (--track chooses another)"
DAMAGED = (
    "seems to be damaged: about {missing} s of {whole} s are missing, and what follows is heard earlier by as much; "
    "get the recording anew, or cut it there"
)
# Float samples, unlike whole numbers, would be mixed without dividing by what their weights sum up to.
TO_MONO = "aresample=rematrix_maxval=1,aformat=sample_fmts=flt:sample_rates={}:channel_layouts=mono"
# What a recording has beyond 16 bits is not heard; where it is silent, its pictures would be darker than others'.
TO_16_BITS = "aformat=sample_fmts=s16|s16p,aformat=sample_fmts=flt|fltp"
BYTES_PER_SAMPLE = 4
LEAST_MISSING_SECONDS = 1.0
LENGTH = re.compile(r"Duration: (\d+):(\d+):([\d.]+)")
STREAM = re.compile(r"Stream #0:\d+.*?: Audio: .*?, (\d+) Hz, ([^,]+)")
FLOATS = re.compile(r"Audio: (pcm_f|wavpack\b[^\n]* fltp?\b)")  # not lossy ones, which may overshoot a little
USUAL = SoundChoice()  # the default track, all of its channels mixed


@dataclass(frozen=True)
class StreamInfo:
    """What ffmpeg said of the sound in a file. is_mono is False, and a number 0, where it did not say.

    is_float: whether samples may go beyond full scale. is_damaged: whether it said so. seconds: how long the file
    is, with what is lost; 0 of a film too, whose picture may be longer.
    """

    is_there: bool
    is_mono: bool
    sample_rate_hz: int
    tracks: int = 0
    is_float: bool = False
    is_damaged: bool = False
    seconds: float = 0.0


def stream_info(messages: str) -> StreamInfo:
    """What is in a file, from the messages that ffmpeg printed when it opened it."""
    of_input, _, of_output = messages.partition("] Output #0")
    tracks: list[tuple[str, str]] = STREAM.findall(of_input)
    # The messages do not say which of several tracks is heard, so all of them must be mono.
    is_mono = bool(tracks) and all(layout.strip() in ("mono", "1 channels", "1 channel") for _, layout in tracks)
    rate_hz, is_float = max((int(rate) for rate, _ in tracks), default=0), FLOATS.search(of_input) is not None
    length = None if "Video:" in of_input else LENGTH.search(of_input)
    seconds = int(length[1]) * 3600 + int(length[2]) * 60 + float(length[3]) if length else 0.0
    return StreamInfo("Audio:" in of_input, is_mono, rate_hz, len(tracks), is_float, "[error]" in of_output, seconds)


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


def noted(
    path: Path, choice: SoundChoice, info: Callable[[], StreamInfo], blocks: Iterable[np.ndarray], sample_rate_hz: int
) -> Iterator[np.ndarray]:
    """The blocks of a recording, behind which it is said if a part of it, or another track, may be what was meant.

    info: what is in the file, asked at its end.
    """
    length, is_silent = 0, True
    for block in blocks:
        is_silent = is_silent and float(_levels_db(block)) <= SILENT_DB
        length += len(block)
        yield block
    said = info()
    missing = said.seconds - length / sample_rate_hz
    if said.is_damaged and missing >= LEAST_MISSING_SECONDS:
        logger.warning("%s: %s", path, DAMAGED.format(whole=round(said.seconds), missing=round(missing)))
    if is_silent and said.tracks > 1 and choice.track is None:
        logger.warning("%s: %s", path, SILENT_TRACK.format(tracks=said.tracks))


class EachChannel:
    """Says which of a recording's channels, each of which is heard by itself, have nothing of their own."""

    def __init__(self, path: Path, channels: int) -> None:
        self._path, self._channels = path, channels
        self._names: dict[bytes, str] = {}  # by the digests of their sound

    def watch(self, number: int, blocks: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
        """The blocks of a channel, by its number from 0; at their end it is said if it is silent, or as one before."""
        digest, is_silent, name = hashlib.sha256(), True, channel_name(number, self._channels)
        for block in blocks:
            digest.update(block.tobytes())
            is_silent = is_silent and float(_levels_db(block)) <= SILENT_DB
            yield block
        same = self._names.setdefault(digest.digest(), name)
        if is_silent or same != name:
            fault = "is silent" if is_silent else f"is the same as {same}"
            logger.warning("%s: %s %s (--channel chooses one, or the mix)", self._path, name, fault)


def _without_first(blocks: Iterator[np.ndarray], samples: int) -> Iterator[np.ndarray]:
    for block in blocks:
        if len(block) > samples:
            yield block[samples:]
        samples = max(0, samples - len(block))


def why_not_heard(number: int, channels: int) -> str | None:
    """Why a channel, given by its number from 0, can't be heard of a recording with so many; None if it can."""
    if channels > MOST_CHANNELS:
        return f"has {channels} channels, of {MOST_CHANNELS} at most; save those that matter as recordings of their own"
    if number >= channels:
        return f"has {count(channels, 'channel')}, so that there is no channel {number + 1} (--channel mix takes all)"
    return None


def one_channel(number: int) -> str:
    """The filter that leaves one channel, by its number from 0."""
    return f"pan=mono|c0=c{number}"


def equal_parts(channels: int) -> str:
    """The filter that mixes channels of which nothing is known."""
    return "pan=mono|c0=" + "+".join(f"{1 / channels:.6f}*c{n}" for n in range(channels))


def channel_name(number: int, channels: int) -> str:
    """What to call a channel by its number from 0: left and right, where there are two."""
    return ("left", "right")[number] if channels == 2 else f"channel {number + 1}"


def mono_filters(sample_rate_hz: int, before: Sequence[str] = ()) -> str:
    """The filters that make one channel of 16 bits at a sample rate; before: what comes before the mixing."""
    return ",".join([TO_16_BITS, *before, TO_MONO.format(sample_rate_hz)])


def samples_of(block: bytes) -> NDArray[np.float32]:
    """The samples in what ffmpeg gives as f32le, between -FULL_SCALE and FULL_SCALE; what is no number is silence."""
    samples = np.clip(np.frombuffer(block, "<f4", len(block) // BYTES_PER_SAMPLE), -1, 1) * np.float32(FULL_SCALE)
    # To look for what is no number takes as long as all else, and there is hardly ever any.
    return np.asarray(samples if np.isfinite(samples.sum()) else np.nan_to_num(samples))


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
