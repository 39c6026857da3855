"""The pictures and sounds of chunks that are worth looking at and listening to."""

import math
import struct
import wave
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np

from audionet.audio.chunks import Chunk, cut_out, pcm
from audionet.audio.decoding import decode
from audionet.audio.ffmpeg import ask_ffmpeg
from audionet.errors import UnusableInput
from audionet.evaluation.predictions import Place
from audionet.inference.clips import ClipScores
from audionet.plots.axes import row_ticks
from audionet.report.content import Card, Excerpt
from audionet.settings import EACH, MINIMUM_SECONDS, PICTURE_SIZE, SoundChoice
from audionet.spectrogram import jpeg as pictures
from audionet.spectrogram.transform import SpectrogramRenderer
from audionet.system.files import open_file
from audionet.system.grouping import grouped
from audionet.system.untrusted import MALFORMED, is_file

DELAY_FRAMES = 3  # that the encoder lags behind, at least
LONGEST_SECONDS = 30.0  # to listen to; of a longer chunk, its start


class Mp3Format(NamedTuple):
    """What ffmpeg is told to make. Every frame has frame_bytes, without a remainder."""

    sample_rate_hz: int
    bits_per_second: int
    frame_samples: int
    frame_bytes: int


SPEECH = Mp3Format(16_000, 24_000, 576, 108)  # enough for speech to sound as it is
FULL = Mp3Format(48_000, 64_000, 1152, 192)  # all that people hear


class ExcerptSource(NamedTuple):
    """What an excerpt is made of. samples: float32, mono; None if they were not kept."""

    position: int
    jpg: bytes
    samples: np.ndarray | None


def prepared_sources(
    places: Sequence[Place], positions: Iterable[int], image_dir: Path, renderer: SpectrogramRenderer
) -> Iterator[ExcerptSource]:
    """The sources of chunks that `prepare` made; chunks whose pictures are gone are left out."""
    for position in positions:
        path = image_dir / places[position].name
        with suppress(UnusableInput):
            yield ExcerptSource(position, pictures.read(Path(f"{path}.jpg")), read_wav(Path(f"{path}.wav"), renderer))


def clip_sources(
    places: Sequence[Place], positions: Iterable[int], renderer: SpectrogramRenderer, choice: SoundChoice
) -> Iterator[ExcerptSource]:
    """The sources of clips, or of parts of them, by their paths: of each the start, as much as the renderer draws.

    A recording is read once, no further than its last part, and held no longer than a part is. What can no longer be
    read is left out.
    """
    for path, of_path in grouped((Path(places[position].name), position) for position in positions).items():
        with suppress(OSError, UnusableInput):
            if path.suffix.lower() in pictures.SUFFIXES:
                jpg, samples = pictures.read(path), read_wav(path.with_suffix(".wav"), renderer)
                yield from (ExcerptSource(position, jpg, samples) for position in of_path)
            else:
                yield from _cut_sources(path, {position: places[position] for position in of_path}, renderer, choice)


def _cut_sources(
    path: Path, places: dict[int, Place], renderer: SpectrogramRenderer, choice: SoundChoice
) -> Iterator[ExcerptSource]:
    """The sources of parts of a recording, by their positions; in order of time."""
    settings, spans = renderer.settings, dict[int, tuple[int, int]]()
    for position, place in sorted(places.items(), key=lambda item: item[1].start_seconds):
        first, end = (round(s * settings.sample_rate_hz) for s in (place.start_seconds, place.end_seconds))
        spans[position] = first, min(end, first + settings.chunk_samples)
    # Where each channel is a clip, those that are called by their paths have but one.
    of_one = choice.of_channel(0) if choice.channel == EACH else choice
    blocks = decode(path, of_one.untold(), settings.sample_rate_hz)
    for position, samples in zip(spans, cut_out(blocks, spans.values()), strict=True):
        if len(samples) >= MINIMUM_SECONDS * settings.sample_rate_hz:
            chunk = Chunk(places[position].start_seconds, samples, settings.sample_rate_hz)
            yield ExcerptSource(position, pictures.draw(chunk, renderer), samples)


def place_of(clip: ClipScores) -> Place:
    """The place of a clip."""
    start, end = clip.part or (0.0, math.inf)
    end = start + clip.seconds if math.isinf(end) else end
    return Place(clip.clip, start, end, recording_of_clip(clip.clip), is_whole=clip.part is None)


def recording_of_clip(clip: str) -> str:
    """The path that a table of corrections names; "" of a picture, or a channel of a clip: these are no recordings that
    could be learnt from.

    It stays as it was typed: a report that is passed on says nothing of other folders.
    """
    path = Path(clip)
    return clip if path.suffix.lower() not in pictures.ANY_SUFFIXES and is_file(path) else ""


def with_excerpts(cards: Iterable[Card], sources: Iterable[ExcerptSource], renderer: SpectrogramRenderer) -> list[Card]:
    """The cards, each with the excerpt that is made of the source at its number, if there is one."""
    jpgs, heard, settings, longest = dict[int, bytes](), {}, renderer.settings, _longest_samples(renderer)
    for position, jpg, samples in sources:
        jpgs[position] = jpg
        if samples is not None and len(samples):
            heard[position] = samples[:longest]
    mp3s = (encode_mp3s(list(heard.values()), settings.sample_rate_hz) if heard else None) or []
    sounds = dict(zip(heard, mp3s, strict=False))
    heights, names = row_ticks(renderer)
    ticks, slower = list(zip(names, heights, strict=True)), slowed_down(settings.sample_rate_hz)
    shown = []
    for card in cards:
        if card.number in jpgs:
            seconds = min(card.end_seconds - card.start_seconds, settings.chunk_seconds)
            width = renderer.columns(seconds) / PICTURE_SIZE
            excerpt = Excerpt(seconds, width, ticks, jpgs[card.number], sounds.get(card.number), slower)
            card = replace(card, excerpt=excerpt)
        shown.append(card)
    return shown


def _longest_samples(renderer: SpectrogramRenderer) -> int:
    """Samples that take LONGEST_SECONDS to listen to."""
    sample_rate_hz = renderer.settings.sample_rate_hz
    return round(LONGEST_SECONDS * sample_rate_hz / slowed_down(sample_rate_hz))


def read_wav(path: Path, renderer: SpectrogramRenderer) -> np.ndarray | None:
    """The samples of a WAV that `prepare` wrote; None if it is not there, or another."""
    try:
        with open_file(path) as opened, wave.open(opened) as file:
            expected = (1, 2, renderer.settings.sample_rate_hz)
            if (file.getnchannels(), file.getsampwidth(), file.getframerate()) != expected:
                return None
            return np.frombuffer(file.readframes(_longest_samples(renderer)), "<i2").astype(np.float32)
    except (OSError, EOFError, wave.Error, struct.error, *MALFORMED):
        return None


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
    command = ["-nostdin", "-v", "error", "-f", "s16le", "-ar", str(target.sample_rate_hz), "-ac", "1"]
    command += ["-i", "pipe:0", "-c:a", "libmp3lame", "-b:a", str(target.bits_per_second), "-reservoir", "0"]
    command += ["-compression_level", "9", "-write_xing", "0", "-id3v2_version", "0", "-f", "mp3", "pipe:1"]
    finished = ask_ffmpeg(*command, given=b"".join(map(pcm, padded)), seconds=None)
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
