"""The pictures and sounds of chunks that are worth looking at and listening to."""

import itertools
import math
import struct
import wave
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from audionet.audio.chunks import Part, read_chunks
from audionet.audio.mp3 import encode_mp3s, slowed_down
from audionet.errors import UnusableInput
from audionet.evaluation.predictions import Place, Predictions
from audionet.inference.clips import ClipScores
from audionet.plots.axes import row_ticks
from audionet.report.content import Excerpt
from audionet.settings import PICTURE_SIZE
from audionet.spectrogram import jpeg as pictures
from audionet.spectrogram.transform import SpectrogramRenderer
from audionet.system.files import open_file
from audionet.system.untrusted import MALFORMED

LONGEST_SECONDS = 30.0  # to listen to; of a longer chunk, its start


@dataclass(frozen=True)
class Source:
    """What an excerpt is made of. samples: float32, mono; None if they were not kept."""

    position: int
    jpg: bytes
    samples: np.ndarray | None


def prepared_sources(
    tested: Predictions, positions: Iterable[int], image_dir: Path, renderer: SpectrogramRenderer
) -> Iterable[Source]:
    """The sources of chunks that `prepare` made; chunks whose pictures are gone are left out."""
    for position in positions:
        path = image_dir / tested.places[position].name
        try:
            yield Source(position, pictures.read(Path(f"{path}.jpg")), _read_wav(Path(f"{path}.wav"), renderer))
        except UnusableInput:
            continue


def clip_sources(tested: Predictions, positions: Iterable[int], renderer: SpectrogramRenderer) -> Iterable[Source]:
    """The sources of clips, by their paths: the first chunk of each."""
    for position in positions:
        path = Path(tested.places[position].name)
        try:
            if path.suffix.lower() in pictures.SUFFIXES:
                yield Source(position, pictures.read(path), _read_wav(path.with_suffix(".wav"), renderer))
            else:
                place = tested.places[position]
                part = Part(place.start_seconds, place.end_seconds)
                for chunk in itertools.islice(read_chunks(path, renderer.settings, parts=[part]), 1):
                    yield Source(position, pictures.draw(chunk, renderer), chunk.samples)
        except (OSError, UnusableInput):
            continue


def place_of(clip: ClipScores) -> Place:
    """The place of a clip. Its path stays as it was typed: a report that is passed on says nothing of other folders.

    A picture, or a channel of a clip, is no recording that could be learnt from.
    """
    path = Path(clip.clip)
    is_recording = path.suffix.lower() not in pictures.ANY_SUFFIXES and path.is_file()
    start, end = clip.part or (0.0, math.inf)
    end = start + clip.seconds if math.isinf(end) else end
    return Place(clip.clip, start, end, clip.clip if is_recording else "", is_whole=clip.part is None)


def excerpts(tested: Predictions, sources: Iterable[Source], renderer: SpectrogramRenderer) -> list[Excerpt]:
    """The excerpts of what can be read, in the order given."""
    chosen = list(sources)
    sample_rate_hz = renderer.settings.sample_rate_hz
    longest = _longest_samples(renderer)
    has_signal = {s.position: s.samples[:longest] for s in chosen if s.samples is not None and len(s.samples)}
    mp3s = (encode_mp3s(list(has_signal.values()), sample_rate_hz) if has_signal else None) or []
    sounds = dict(zip(has_signal, mp3s, strict=False))
    ticks = list(zip(*reversed(row_ticks(renderer)), strict=True))
    return [_excerpt(tested, source, sounds.get(source.position), renderer, ticks) for source in chosen]


def _excerpt(
    tested: Predictions,
    source: Source,
    mp3: bytes | None,
    renderer: SpectrogramRenderer,
    ticks: Sequence[tuple[str, float]],
) -> Excerpt:
    place = tested.places[source.position]
    seconds = min(place.end_seconds - place.start_seconds, renderer.settings.chunk_seconds)
    width = renderer.columns(seconds) / PICTURE_SIZE
    slower = slowed_down(renderer.settings.sample_rate_hz)
    return Excerpt(source.position, place.start_seconds, seconds, width, ticks, source.jpg, mp3, slower)


def _longest_samples(renderer: SpectrogramRenderer) -> int:
    """Samples that take LONGEST_SECONDS to listen to."""
    sample_rate_hz = renderer.settings.sample_rate_hz
    return round(LONGEST_SECONDS * sample_rate_hz / slowed_down(sample_rate_hz))


def _read_wav(path: Path, renderer: SpectrogramRenderer) -> np.ndarray | None:
    """The samples of a WAV that `prepare` wrote; None if it is not there, or another."""
    try:
        with open_file(path) as opened, wave.open(opened) as file:
            expected = (1, 2, renderer.settings.sample_rate_hz)
            if (file.getnchannels(), file.getsampwidth(), file.getframerate()) != expected:
                return None
            return np.frombuffer(file.readframes(_longest_samples(renderer)), "<i2").astype(np.float32)
    except (OSError, EOFError, wave.Error, struct.error, *MALFORMED):
        return None
