"""A chunk, or a picture of one -> its scores: one place for clips, timelines, microphones and watched folders."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from audionet.audio.channels import USUAL
from audionet.audio.chunks import Chunk
from audionet.audio.levels import NO_SOUND_DB
from audionet.bottleneck.sound import SoundInput, as_heard, is_silent, sounding
from audionet.detection.rises import NO_RISE
from audionet.errors import UnusableInput, warn_of
from audionet.model.bundle import Model
from audionet.settings import SoundChoice
from audionet.spectrogram import jpeg as pictures
from audionet.spectrogram.augmentation import ORIGINAL, augment, sounding_part
from audionet.spectrogram.out_of_range import RangeCheck, drawn_level_db, where_it_lies
from audionet.spectrogram.transform import sounding_share
from audionet.training.unknown import comparable_distance


@dataclass(frozen=True)
class ChunkScores:
    """The scores of one chunk of `seconds`.

    scores: a probability for each of the model's labels, float32.
    distance: the squared distance of its picture from the training's, comparable with whole chunks'.
    sounding_seconds: how much of it is no silence.
    has_signal: anything was drawn; of a microphone that is switched off, nothing is.
    level_db: how loud what is drawn of it is (audio/levels.py); of a window of a strip, how loud its loudest moment is.
        None of a picture.
    is_below: whether all that sounds in it lies below the high pass.
    """

    start_seconds: float
    seconds: float
    scores: np.ndarray
    distance: float
    sounding_seconds: float
    has_signal: bool
    level_db: float | None = None
    is_below: bool = False

    @property
    def end_seconds(self) -> float:
        """Where it ends in its recording."""
        return self.start_seconds + self.seconds


@dataclass(frozen=True)
class WindowScores:
    """The scores of windows of a recording, in order: an array for each field of ChunkScores, with a row for each.

    A long night has hundreds of thousands of windows, which as objects would take several times the memory, and leave
    holes in the rest of it.
    scores: windows x classes. noise_db: how loud the steady noise in the middle of each is (steady_noise.Reduced); none
        is -inf. rise: what rises in each out of the sound around: windows x the fields of a Rise, NO_RISE
        where nothing does or it was not looked for.
    """

    start_seconds: NDArray[np.float64]
    seconds: NDArray[np.float64]
    scores: NDArray[np.float32]
    distance: NDArray[np.float64]
    sounding_seconds: NDArray[np.float64]
    has_signal: NDArray[np.bool_]
    level_db: NDArray[np.float64]
    is_below: NDArray[np.bool_]
    noise_db: NDArray[np.float64]
    rise: NDArray[np.float64]

    @classmethod
    def of(cls, windows: Sequence[ChunkScores]) -> "WindowScores":
        """The scores of windows that were scored one by one."""
        unknown = {"noise_db": -np.inf, "rise": NO_RISE}
        columns = {
            field.name: [getattr(window, field.name, unknown.get(field.name)) for window in windows]
            for field in fields(cls)
        }
        kinds = {"scores": np.float32, "has_signal": np.bool_, "is_below": np.bool_}
        return cls(**{name: np.array(column, kinds.get(name, np.float64)) for name, column in columns.items()})

    @classmethod
    def joined(cls, parts: Sequence["WindowScores"]) -> "WindowScores":
        """The windows of all parts."""
        return cls(*(np.concatenate([getattr(part, field.name) for part in parts]) for field in fields(cls)))

    @property
    def end_seconds(self) -> NDArray[np.float64]:
        """Where each ends in its recording."""
        return self.start_seconds + self.seconds

    def __len__(self) -> int:
        return len(self.seconds)

    def __getitem__(self, number: int) -> ChunkScores:
        *values, _, _ = (getattr(self, field.name)[number] for field in fields(self))
        return ChunkScores(*values)

    def __iter__(self) -> Iterator[ChunkScores]:
        return map(self.__getitem__, range(len(self)))


@dataclass(frozen=True)
class ModelJob:
    """What jobs that score recordings have in common. choice: which sound of each is heard."""

    model: Model
    allow_unknown: bool = True
    choice: SoundChoice = USUAL

    def recall(
        self, about: str, samples: NDArray[np.float32], count: int, score: Callable[[], WindowScores]
    ) -> WindowScores:
        """The scores of so many windows of some sound, if the model's were kept; else what `score` gives.

        about: what they depend on beside the sound and the model, whose thresholds must have no part in them.
        """
        if self.model.kept is None:
            return score()
        rows = self.model.kept.recall(about, samples, count, score)
        return WindowScores(*(rows[field.name] for field in fields(WindowScores)))

    def recall_chunk(self, chunk: Chunk, path: Path) -> ChunkScores:
        """As `score_chunk`, if it was not kept."""
        about, model = f"chunk {chunk.start_seconds}", self.model
        return self.recall(about, chunk.samples, 1, lambda: WindowScores.of([score_chunk(chunk, path, model)]))[0]


def seconds_at_once(usual_seconds: float, model: Model) -> float:
    """How much sound is scored at once: as much as a network that hears looks at, if that is more; a chunk at most."""
    heard_seconds = 0.0 if model.sound is None else model.sound.window_seconds
    return min(max(usual_seconds, heard_seconds), model.settings.chunk_seconds)


def score_chunk(chunk: Chunk, path: Path, model: Model) -> ChunkScores:
    """The scores of a chunk of the recording `path`.

    The picture passes through JPG as in training, so that a recording scores as its prepared pictures do. A network
    that hears gets the sound.
    """
    if model.sound is not None:
        scored = _score_sound(chunk, model, model.sound)
    else:
        seen = _see(pictures.draw(chunk, model.renderer), path, model)
        scored = _score(seen, model, chunk.start_seconds, chunk.seconds)
    level_db = drawn_level_db(chunk.samples, model.settings)
    if level_db is None:  # what is drawn then is the noise of the rest, at full brightness
        return replace(scored, has_signal=False, sounding_seconds=0.0, level_db=NO_SOUND_DB, is_below=True)
    return replace(scored, level_db=level_db)


def warn_of_range(path: Path, check: RangeCheck, model: Model) -> None:
    """Say so if a clip's sound lies above what the model hears, or below."""
    needed_hz = check.needed_rate_hz()
    if needed_hz is None:
        return
    place, options = where_it_lies(needed_hz, model.settings)
    remedy = f"to train a model that hears it, draw the recordings with audionet prepare {options}"
    if model.sound is not None and needed_hz > model.settings.sample_rate_hz:
        remedy = f"its network hears {model.settings.sample_rate_hz} Hz; train one for a higher rate, if you have one"
    warn_of(path, f"its sound lies {place} that the model hears; {remedy}")


def score_picture(path: Path, model: Model) -> ChunkScores:
    """The scores of a picture that `prepare` made. Raises UnusableInput."""
    if model.sound is not None:
        raise UnusableInput(path, "is a picture, and the model's network hears sound; label the recording")
    seen = _see(pictures.read(path), path, model)
    return _score(seen, model, 0.0, seen.seconds)


class _Seen(NamedTuple):
    """The picture of a chunk of so many seconds, as the network is to see it. share: of the chunk that is in it."""

    picture: NDArray[np.uint8]
    seconds: float
    share: float = 1.0


def _see(jpg: bytes, path: Path, model: Model) -> _Seen:
    """The picture in a JPG. Raises UnusableInput."""
    if model.any_picture:
        return _Seen(pictures.decode_any(jpg, path), model.settings.chunk_seconds)
    picture, origin = pictures.decode(jpg, path)
    if origin.fingerprint != model.renderer.fingerprint:
        raise UnusableInput(path, "is a picture made with other settings than the model's; label the recording")
    columns = model.renderer.columns(origin.seconds)
    part = sounding_part(picture, columns, model.renderer)
    changed = picture if part == ORIGINAL else augment(picture, columns, model.renderer, part)
    return _Seen(changed, origin.seconds, part.part)


def _score(seen: _Seen, model: Model, start_seconds: float, seconds: float) -> ChunkScores:
    picture = seen.picture
    sounding_seconds = seconds * seen.share * sounding_share(picture)
    scores, distance = model.score(picture)
    distance = float(comparable_distance(distance, sounding_seconds, model.settings.chunk_seconds))
    return ChunkScores(start_seconds, seconds, scores, distance, sounding_seconds, bool(picture.any()))


def _score_sound(chunk: Chunk, model: Model, sound: SoundInput) -> ChunkScores:
    samples = as_heard(chunk.samples, sound.sample_rate_hz, model.settings.high_pass_hz)
    if is_silent(samples):  # which some networks make no finite numbers of
        even = np.full(len(model.labels), 1 / len(model.labels), np.float32)
        return ChunkScores(chunk.start_seconds, chunk.seconds, even, 0.0, 0.0, False)
    sounding_seconds = chunk.seconds * float(sounding(samples, sound.window_samples).mean())
    scores, distance = model.score(samples)
    distance = float(comparable_distance(distance, sounding_seconds, model.settings.chunk_seconds))
    return ChunkScores(chunk.start_seconds, chunk.seconds, scores, distance, sounding_seconds, True)
