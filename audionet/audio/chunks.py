"""Recordings, or samples as they come -> chunks of equal length, and their WAV files."""

import functools
import hashlib
import heapq
import io
import itertools
import math
import warnings
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import numpy as np

from audionet.audio.channels import USUAL, channel_name
from audionet.audio.decoding import count_channels, decode
from audionet.audio.ffmpeg import BLOCK_SAMPLES
from audionet.audio.levels import SILENT_DB, levels_db
from audionet.errors import UnusableInput, warn_of
from audionet.settings import EACH, FULL_SCALE, MINIMUM_SECONDS, SAMPLE_RATE_HZ, PictureSettings, SoundChoice
from audionet.system.progress import as_part
from audionet.system.untrusted import is_folder

Piece = TypeVar("Piece")
WAV_BYTES_PER_SAMPLE = 2
MINIMUM_TAIL = 0.25  # of a chunk: what is left at the end of a recording is kept from this length on


class Part(NamedTuple):
    """A stretch of a recording from when to when, in seconds. An end of infinity is the recording's own."""

    start_seconds: float
    end_seconds: float

    @property
    def seconds(self) -> float:
        """How long it lasts."""
        return self.end_seconds - self.start_seconds


@dataclass(frozen=True)
class Chunk:
    """A piece of a recording: float32 samples (settings.FULL_SCALE), mono."""

    start_seconds: float
    samples: np.ndarray
    sample_rate_hz: int = SAMPLE_RATE_HZ

    @property
    def seconds(self) -> float:
        """Its length, at most PictureSettings.chunk_seconds."""
        return len(self.samples) / self.sample_rate_hz


class SampleStream:
    """A stream of sample blocks of any lengths, which is read once, and no further than what is taken of it."""

    def __init__(self, blocks: Iterable[np.ndarray]) -> None:
        self._blocks = iter(blocks)
        self._held = [np.empty(0, np.float32)]  # what was read and may still be taken
        self._first = self._end = 0  # positions in the stream: of the first sample that is held, and behind the last

    def take(self, start: int, end: int) -> np.ndarray:
        """The samples from `start` to before `end`; fewer, or none, where the stream ends before.

        What lies before `start` is forgotten, so that no later call may begin before it.
        """
        while self._end < end and (block := next(self._blocks, None)) is not None:
            if self._end <= start:
                self._held, self._first = [], self._end
            self._held.append(block)
            self._end += len(block)
        if len(self._held) > 1:
            self._held = [np.concatenate(self._held)]
        passed = min(max(0, start - self._first), len(self._held[0]))
        self._held[0] = self._held[0][passed:]
        self._first += passed
        return self._held[0][: end - self._first]

    def take_blocks(self, start: int, end: int | None) -> Iterator[np.ndarray]:
        """The samples that `take` gives, in blocks, of which one alone is held; an end of None is the stream's."""
        while True:
            block_end = start + BLOCK_SAMPLES
            block = self.take(start, block_end if end is None else min(block_end, end))
            if not len(block):
                return
            yield block
            start += len(block)


def cut(blocks: Iterable[np.ndarray], settings: PictureSettings) -> Iterator[Chunk]:
    """Cut a stream of sample blocks of any lengths, at settings.sample_rate_hz, into chunks.

    All chunks are full but the last. What is left at the end is kept as a shorter chunk if it brings at least
    MINIMUM_TAIL of a chunk of new sound, or if it is the whole recording and MINIMUM_SECONDS long.
    """
    size, step, sample_rate_hz = settings.chunk_samples, settings.step_samples, settings.sample_rate_hz
    stream, start = SampleStream(blocks), 0
    while len(samples := stream.take(start, start + size)) == size:
        yield Chunk(start / sample_rate_hz, samples, sample_rate_hz)
        start += step
    new = len(samples) - (size - step if start else 0)
    needed = MINIMUM_TAIL * size if start else MINIMUM_SECONDS * sample_rate_hz
    if new >= needed:
        yield Chunk(start / sample_rate_hz, samples, sample_rate_hz)


def cut_parts(blocks: Iterable[np.ndarray], parts: Sequence[Part], settings: PictureSettings) -> Iterator[Chunk]:
    """Cut parts of a stream of sample blocks into chunks, each part as `cut` cuts a recording.

    parts: in order, without overlap. Once the last of them has ended, nothing more of the stream is read.
    """
    stream, sample_rate_hz = SampleStream(blocks), settings.sample_rate_hz
    for part in parts:
        first = round(part.start_seconds * sample_rate_hz)
        last = None if math.isinf(part.end_seconds) else round(part.end_seconds * sample_rate_hz)
        for chunk in cut(stream.take_blocks(first, last), settings):
            yield replace(chunk, start_seconds=first / sample_rate_hz + chunk.start_seconds)


def cut_out(blocks: Iterable[np.ndarray], spans: Iterable[tuple[int, int]]) -> Iterator[np.ndarray]:
    """The samples of spans (start, end) of a stream of sample blocks, in the order of their starts; they may overlap.

    What lies behind the end of the stream is missing: the last ones may be short, or empty.
    """
    stream = SampleStream(blocks)
    for start, end in spans:
        yield stream.take(start, end)


class EachChannel:
    """Says which of a recording's channels, each of which is heard by itself, have nothing of their own."""

    def __init__(self, path: Path, channels: int) -> None:
        self._path, self._channels = path, channels
        self._names: dict[bytes, str] = {}  # by the digests of their sound

    def watch(self, number: int, pieces: Iterable[Piece], samples_of: Callable[[Piece], np.ndarray]) -> Iterator[Piece]:
        """The pieces of a channel, by its number from 0; at their end it is said if it is silent, or as one before."""
        digest, is_silent, name = hashlib.sha256(), True, channel_name(number, self._channels)
        for piece in as_part(pieces, number, self._channels):
            samples = samples_of(piece)
            digest.update(samples.tobytes())
            is_silent = is_silent and float(levels_db(samples)) <= SILENT_DB
            yield piece
        same = self._names.setdefault(digest.digest(), name)
        if is_silent or same != name:
            fault = "is silent" if is_silent else f"is the same as {same}"
            warn_of(self._path, f"{name} {fault} (--channel chooses one, or the mix)")


def read_chunks(
    path: Path, settings: PictureSettings, choice: SoundChoice = USUAL, parts: Sequence[Part] = ()
) -> Generator[Chunk, None, None]:
    """The chunks of a recording, one at a time. Raises UnusableInput when nothing of the file can be used.

    choice: which track and channel is heard; of several channels, the chunks of the first come first.
    parts: the chunks lie in them, and there may be none; without parts, they lie in the whole recording.
    """

    def cut_up(blocks: Iterable[np.ndarray]) -> Iterator[Chunk]:
        return cut_parts(blocks, parts, settings) if parts else cut(blocks, settings)

    yield from _pieces(path, choice, settings.sample_rate_hz, cut_up, may_be_none=bool(parts))


def _pieces(
    path: Path,
    choice: SoundChoice,
    sample_rate_hz: int,
    cut_up: Callable[[Iterable[np.ndarray]], Iterator[Piece]],
    may_be_none: bool = False,
) -> Generator[Piece, None, None]:
    """The pieces that a recording is cut into, of each channel in turn if that is asked for.

    Raises UnusableInput where it can't be used, and, unless that may be, where there are none.
    """
    if is_folder(path):
        reason = "is a link to a folder, which is not followed" if path.is_symlink() else "holds no clips"
        raise UnusableInput(path, reason)
    choices, empty = [choice], not may_be_none
    if choice.channel == EACH:
        choices = [choice.of_channel(number) for number in range(count_channels(path, choice))]
    each = EachChannel(path, len(choices))
    is_watched = len(choices) > 1 and choice.is_told
    for number, channel_choice in enumerate(choices):
        blocks = decode(path, channel_choice, sample_rate_hz)
        for piece in cut_up(each.watch(number, blocks, np.asarray) if is_watched else blocks):
            yield piece
            empty = False
    if empty:
        raise UnusableInput(path, f"is shorter than {MINIMUM_SECONDS:g} seconds")


@dataclass(frozen=True)
class Strip:
    """A stretch of a recording, and the windows that lie in it.

    start: of the stretch, in samples from the start of the recording. samples: as those of a Chunk.
    windows: where windows of window_samples start, in samples from the start of the recording.
    """

    start: int
    samples: np.ndarray
    windows: list[int]
    window_samples: int

    def chunks(self, sample_rate_hz: int) -> Iterator[Chunk]:
        """Each of its windows by itself. sample_rate_hz: of the samples."""
        for start in self.windows:
            samples = self.samples[start - self.start :][: self.window_samples]
            yield Chunk(start / sample_rate_hz, samples, sample_rate_hz)


@dataclass(frozen=True)
class StripSettings:
    """How a recording is cut into strips, all in samples.

    window, step: length of a window, and from the start of one to the next.
    windows: in a strip. margin: of sound before its first and behind its last window, where there is so much.
    """

    window: int
    step: int
    windows: int
    margin: int
    sample_rate_hz: int


def cut_strips(blocks: Iterable[np.ndarray], settings: StripSettings) -> Iterator[Strip]:
    """Windows of a stream of sample blocks of any lengths, many at a time with the sound in which they lie.

    All that is heard lies in a window: where a rest is left, a last window ends with the sound, closer to the one
    before it than a step. Sound shorter than a window is one window, if it is MINIMUM_SECONDS long.
    """
    stream, window, step, margin = SampleStream(blocks), settings.window, settings.step, settings.margin
    first = 0  # of the windows that have not been given out
    while True:
        behind = first + settings.windows * step  # the first window of the next strip
        start, needed = max(0, first - margin), behind + window + margin
        samples = stream.take(start, needed)
        total = start + len(samples)
        if total < needed:
            break
        yield Strip(start, samples[: needed - step - start], list(range(first, behind, step)), window)
        first = behind
    starts = list(range(first, total - window + 1, step))
    if not starts and not first and total >= min(window, MINIMUM_SECONDS * settings.sample_rate_hz):
        starts = [0]
    last_end = (starts[-1] if starts else first - step) + window
    if last_end < total and (starts or first):
        starts.append(total - window)
    if starts:
        yield Strip(start, samples, starts, window)


def shared(blocks: Iterable[np.ndarray], count: int) -> list[Iterator[np.ndarray]]:
    """A stream of blocks for so many readers, of which each block is held until all have taken it. itertools.tee would
    hold the last 57 all the time, of a megabyte each."""
    source, waiting = iter(blocks), [deque[np.ndarray]() for _ in range(count)]

    def taken(own: deque[np.ndarray]) -> Iterator[np.ndarray]:
        while True:
            if not own:
                block = next(source, None)
                if block is None:
                    return
                for each in waiting:
                    each.append(block)
            yield own.popleft()

    return [taken(own) for own in waiting]


def read_strips(
    path: Path, ways: Sequence[StripSettings], choice: SoundChoice
) -> Generator[tuple[int, Strip], None, None]:
    """The strips of a recording that is cut in several ways, of one sample rate, each with the number of its way from
    0, in the order of their starts. `choice` as in `read_chunks`. Raises UnusableInput when nothing can be used."""

    def cut_up(blocks: Iterable[np.ndarray]) -> Iterator[tuple[int, Strip]]:
        cut = [
            zip(itertools.repeat(number), cut_strips(copy, settings), strict=False)
            for number, (copy, settings) in enumerate(zip(shared(blocks, len(ways)), ways, strict=True))
        ]
        return heapq.merge(*cut, key=lambda strip: strip[1].start)

    yield from _pieces(path, choice, ways[0].sample_rate_hz, cut_up)


def pcm(samples: np.ndarray) -> bytes:
    """Samples as a WAV of 16 bits holds them."""
    return bytes(np.clip(np.rint(samples), -FULL_SCALE, FULL_SCALE - 1).astype("<i2"))


def to_wav(chunk: Chunk) -> bytes:
    """The chunk as a 16-bit mono WAV file."""
    segment = _audio_segment()(
        data=pcm(chunk.samples), sample_width=WAV_BYTES_PER_SAMPLE, frame_rate=chunk.sample_rate_hz, channels=1
    )
    return bytes(segment.export(io.BytesIO(), format="wav").getvalue())


@functools.cache
def _audio_segment() -> Any:
    with warnings.catch_warnings():
        # pydub warns at import when no ffmpeg is on the PATH; writing a WAV needs none.
        warnings.simplefilter("ignore")
        from pydub import AudioSegment
    return AudioSegment
