"""Which chunks are worth looking at and listening to, and their pictures and sounds."""

import itertools
import struct
import wave
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from audionet.audio.chunks import Part, read_chunks
from audionet.audio.mp3 import encode_mp3s, slowed_down
from audionet.errors import UnusableInput
from audionet.evaluation.predictions import Predictions
from audionet.plots.axes import row_ticks
from audionet.report.content import Excerpt
from audionet.settings import PICTURE_SIZE
from audionet.spectrogram import jpeg as pictures
from audionet.spectrogram.transform import SpectrogramRenderer
from audionet.system.files import open_file
from audionet.system.untrusted import MALFORMED

MOST_MISTAKES = 12
MOST_UNCERTAIN = 6
LONGEST_SECONDS = 30.0  # to listen to; of a longer chunk, its start


@dataclass(frozen=True)
class Source:
    """What an excerpt is made of. samples: int16, None if they were not kept."""

    position: int
    jpg: bytes
    samples: np.ndarray | None


def worth_showing(tested: Predictions) -> list[int]:
    """The surest mistakes and the least certain of what was right, as positions."""
    return tested.mistakes()[:MOST_MISTAKES] + tested.least_certain()[:MOST_UNCERTAIN]


def prepared_sources(tested: Predictions, image_dir: Path, renderer: SpectrogramRenderer) -> Iterable[Source]:
    """Of chunks that `prepare` made; those whose pictures are gone are left out."""
    for position in worth_showing(tested):
        path = image_dir / tested.places[position].name
        try:
            yield Source(position, pictures.read(Path(f"{path}.jpg")), _read_wav(Path(f"{path}.wav"), renderer))
        except UnusableInput:
            continue


def clip_sources(tested: Predictions, renderer: SpectrogramRenderer) -> Iterable[Source]:
    """Of clips, by their paths: the first chunk of each."""
    for position in worth_showing(tested):
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
            return np.frombuffer(file.readframes(_longest_samples(renderer)), "<i2")
    except (OSError, EOFError, wave.Error, struct.error, *MALFORMED):
        return None
