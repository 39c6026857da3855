"""Recordings, or samples as they come -> chunks of equal length, and their WAV files."""

import functools
import io
import math
import warnings
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import numpy as np

from audionet.audio.channels import USUAL
from audionet.audio.decoding import count_channels, decode
from audionet.errors import UnusableInput
from audionet.settings import (
    EACH,
    FULL_SCALE,
    MINIMUM_SECONDS,
    MINIMUM_TAIL,
    SAMPLE_RATE_HZ,
    PictureSettings,
    SoundChoice,
)
from audionet.system.untrusted import is_folder

Piece = TypeVar("Piece")
WAV_BYTES_PER_SAMPLE = 2


class Part(NamedTuple):
    """A stretch of a recording from when to when, in seconds. An end of infinity is the recording's own."""

    start_seconds: float
    end_seconds: float


@dataclass(frozen=True)
class Chunk:
    """A piece of a recording: float32 samples (settings.FULL_SCALE), mono."""

    index: int
    start_seconds: float
    samples: np.ndarray
    sample_rate_hz: int = SAMPLE_RATE_HZ

    @property
    def seconds(self) -> float:
        """Its length, at most PictureSettings.chunk_seconds."""
        return len(self.samples) / self.sample_rate_hz


def cut(blocks: Iterable[np.ndarray], settings: PictureSettings) -> Iterator[Chunk]:
    """Cut a stream of sample blocks of any lengths, at settings.sample_rate_hz, into chunks.

    All chunks are full but the last. What is left at the end is kept as a shorter chunk if it brings at least
    MINIMUM_TAIL of a chunk of new sound, or if it is the whole recording and MINIMUM_SECONDS long.
    """
    size, step, sample_rate_hz = settings.chunk_samples, settings.step_samples, settings.sample_rate_hz
    waiting = np.empty(0, np.float32)
    index = 0
    for block in blocks:
        waiting = np.concatenate([waiting, block])
        while len(waiting) >= size:
            yield Chunk(index, index * step / sample_rate_hz, waiting[:size], sample_rate_hz)
            waiting = waiting[step:]
            index += 1
    new = len(waiting) - (size - step if index else 0)
    needed = MINIMUM_TAIL * size if index else MINIMUM_SECONDS * sample_rate_hz
    if new >= needed:
        yield Chunk(index, index * step / sample_rate_hz, waiting, sample_rate_hz)


def cut_parts(blocks: Iterable[np.ndarray], parts: Sequence[Part], settings: PictureSettings) -> Iterator[Chunk]:
    """Cut parts of a stream of sample blocks into chunks, each part as `cut` cuts a recording.

    parts: in order, without overlap. Once the last of them has ended, nothing more of the stream is read.
    """
    source, index, sample_rate_hz = _Stream(blocks), 0, settings.sample_rate_hz
    for part in parts:
        first = round(part.start_seconds * sample_rate_hz)
        last = None if math.isinf(part.end_seconds) else round(part.end_seconds * sample_rate_hz)
        for chunk in cut(source.between(first, last), settings):
            yield replace(chunk, index=index, start_seconds=first / sample_rate_hz + chunk.start_seconds)
            index += 1


class _Stream:
    """Sample blocks of any lengths, read once, of which stretches are wanted in order."""

    def __init__(self, blocks: Iterable[np.ndarray]) -> None:
        self._blocks = iter(blocks)
        self._rest, self._at = np.empty(0, np.float32), 0  # what was read and not given yet, and where it begins

    def between(self, first: int, last: int | None) -> Iterator[np.ndarray]:
        """The samples from `first` to before `last`, or to the end; none that were given before."""
        while last is None or self._at < last:
            if not len(self._rest):
                block = next(self._blocks, None)
                if block is None:
                    return
                self._rest = block
                continue
            wanted = len(self._rest) if last is None else min(len(self._rest), last - self._at)
            given, self._rest = self._rest[max(0, first - self._at) : wanted], self._rest[wanted:]
            self._at += wanted
            yield given


def cut_windows(
    blocks: Iterable[np.ndarray], size: int, step: int, sample_rate_hz: int = SAMPLE_RATE_HZ
) -> Iterator[Chunk]:
    """Windows of `size` samples, one every `step` samples, of a stream of sample blocks of any lengths.

    All that is heard lies in a window: where a rest is left, a last window ends with the sound, closer to the one
    before it than a step. Sound shorter than a window is one window, if it is MINIMUM_SECONDS long.
    """
    waiting = np.empty(0, np.float32)
    index = start = 0  # of the next window, and of what waits
    for block in blocks:
        waiting = np.concatenate([waiting, block])
        while len(waiting) >= size + step:  # so that a last window can reach back
            yield Chunk(index, start / sample_rate_hz, waiting[:size], sample_rate_hz)
            waiting = waiting[step:]
            start += step
            index += 1
    if len(waiting) >= min(size, MINIMUM_SECONDS * sample_rate_hz):
        yield Chunk(index, start / sample_rate_hz, waiting[:size], sample_rate_hz)
    if len(waiting) > size:
        yield Chunk(index + 1, (start + len(waiting) - size) / sample_rate_hz, waiting[-size:], sample_rate_hz)


def cut_out(blocks: Iterable[np.ndarray], spans: Iterable[tuple[int, int]]) -> Iterator[np.ndarray]:
    """The samples of spans (start, end) of a stream of sample blocks, in the order of their starts; they may overlap.

    What lies behind the end of the stream is missing: the last ones may be short, or empty.
    """
    blocks, waiting, first = iter(blocks), np.empty(0, np.float32), 0  # first: the position of what waits
    for start, end in spans:
        waiting, first = waiting[max(0, start - first) :], first + min(len(waiting), max(0, start - first))
        while first + len(waiting) < end and (block := next(blocks, None)) is not None:
            waiting = np.concatenate([waiting, block])
            passed = min(len(waiting), max(0, start - first))
            waiting, first = waiting[passed:], first + passed
        yield waiting[max(0, start - first) : max(0, end - first)]


def read_windows(
    path: Path, size: int, step: int, choice: SoundChoice = USUAL, sample_rate_hz: int = SAMPLE_RATE_HZ
) -> Generator[Chunk, None, None]:
    """The windows of a recording, as `cut_windows` has them; `choice` as in `read_chunks`. Raises UnusableInput when
    nothing can be used."""
    yield from _require_chunks(
        path, choice, sample_rate_hz, lambda blocks: cut_windows(blocks, size, step, sample_rate_hz)
    )


def read_chunks(
    path: Path, settings: PictureSettings, choice: SoundChoice = USUAL, parts: Sequence[Part] = ()
) -> Generator[Chunk, None, None]:
    """The chunks of a recording, one at a time. Raises UnusableInput when nothing of the file can be used.

    choice: which track and channel is heard; of several channels, the chunks of the first come first.
    parts: the chunks lie in them, and there may be none; without parts, they lie in the whole recording.
    """
    sample_rate_hz = settings.sample_rate_hz
    if parts:
        yield from _each_chunk(path, choice, sample_rate_hz, lambda blocks: cut_parts(blocks, parts, settings))
    else:
        yield from _require_chunks(path, choice, sample_rate_hz, lambda blocks: cut(blocks, settings))


def _require_chunks(
    path: Path, choice: SoundChoice, sample_rate_hz: int, cut_up: Callable[[Iterable[np.ndarray]], Iterator[Piece]]
) -> Generator[Piece, None, None]:
    """The pieces that a recording is cut into. Raises UnusableInput when there are none."""
    empty = True
    for chunk in _each_chunk(path, choice, sample_rate_hz, cut_up):
        yield chunk
        empty = False
    if empty:
        raise UnusableInput(path, f"is shorter than {MINIMUM_SECONDS:g} seconds")


def _each_chunk(
    path: Path, choice: SoundChoice, sample_rate_hz: int, cut_up: Callable[[Iterable[np.ndarray]], Iterator[Piece]]
) -> Generator[Piece, None, None]:
    if is_folder(path):
        reason = "is a link to a folder, which is not followed" if path.is_symlink() else "holds no clips"
        raise UnusableInput(path, reason)
    choices = [choice]
    if choice.channel == EACH:
        choices = [choice.of_channel(number) for number in range(count_channels(path, choice))]
    for channel_choice in choices:
        yield from cut_up(decode(path, channel_choice, sample_rate_hz))


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


@dataclass(frozen=True)
class StripSettings:
    """How a recording is cut into strips, all in samples.

    window, step: length of a window, and from the start of one to the next, as `cut_windows` has them.
    windows: in a strip. margin: of sound before its first and behind its last window, where there is so much.
    """

    window: int
    step: int
    windows: int
    margin: int
    sample_rate_hz: int = SAMPLE_RATE_HZ


def cut_strips(blocks: Iterable[np.ndarray], settings: StripSettings) -> Iterator[Strip]:
    """The windows of `cut_windows`, not each by itself, but many with the sound in which they lie."""
    window, step, size = settings.window, settings.step, settings.windows * settings.step
    parts: list[np.ndarray] = []
    start = held = first = 0  # of the parts: the first sample, and how many; the first window that is not given out

    def strip(starts: list[int], end: int) -> Strip:
        return Strip(start, np.concatenate(parts)[: end - start], starts, window)

    for block in blocks:
        parts.append(block)
        held += len(block)
        while start + held >= first + size + window + settings.margin:
            yield strip(list(range(first, first + size, step)), first + size - step + window + settings.margin)
            first += size
            rest = np.concatenate(parts)[max(0, first - settings.margin - start) :]
            start, held, parts = max(start, first - settings.margin), len(rest), [rest]
    total = start + held
    starts = list(range(first, total - window + 1, step))
    if not starts and not first and total >= min(window, MINIMUM_SECONDS * settings.sample_rate_hz):
        starts = [0]
    last_end = (starts[-1] if starts else first - step) + window
    if last_end < total and (starts or first):
        starts.append(total - window)
    if starts:
        yield strip(starts, total)


def read_strips(path: Path, settings: StripSettings, choice: SoundChoice = USUAL) -> Generator[Strip, None, None]:
    """The strips of a recording; `choice` as in `read_chunks`. Raises UnusableInput when nothing can be used."""
    yield from _require_chunks(path, choice, settings.sample_rate_hz, lambda blocks: cut_strips(blocks, settings))


def pcm(samples: np.ndarray) -> bytes:
    """Samples as a WAV of 16 bits holds them."""
    return bytes(np.clip(np.rint(samples), -FULL_SCALE, FULL_SCALE - 1).astype("<i2"))


def to_wav(chunk: Chunk) -> bytes:
    """The chunk as a 16-bit mono WAV file."""
    segment = _audio_segment()(
        data=pcm(chunk.samples), sample_width=WAV_BYTES_PER_SAMPLE, frame_rate=chunk.sample_rate_hz, channels=1
    )
    file = io.BytesIO()
    segment.export(file, format="wav")
    return file.getvalue()


@functools.cache
def _audio_segment() -> Any:
    with warnings.catch_warnings():
        # pydub warns at import when no ffmpeg is on the PATH; writing a WAV needs none.
        warnings.simplefilter("ignore")
        from pydub import AudioSegment
    return AudioSegment
