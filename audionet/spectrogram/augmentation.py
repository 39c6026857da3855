"""Picture -> pictures of the same sound, at another speed, spoilt, or of a part: more to learn from."""

import functools
import itertools
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import Enum

import numpy as np
from numpy.typing import NDArray

from audionet.settings import HIGH_PASS_HZ, PICTURE_SIZE
from audionet.spectrogram.transform import (
    HARMONICS,
    MAINS_HZ,
    SpectrogramRenderer,
    as_brightness,
    column_weights,
    to_grey,
)


class Spoiling(Enum):
    """What makes a sound harder to know: a colour and a level, or limits, that follow from its picture.

    The values stand in the keys of cached bottlenecks, and are never to be changed; nor is the order, by which it is
    chosen which pictures are spoilt in which way.
    """

    NOISE = "in_noise"  # as if it had been recorded in a room with noise
    NARROW = "is_narrowband"  # without low and high frequencies, as by telephone or in a small MP3
    HALL = "in_hall"  # with echoes that die away
    DISTORTED = "is_distorted"  # with noise that follows it, as where it was clipped, or is kept in few bits
    HUM = "in_hum"  # as if the mains could be heard: 50 or 60 Hz with harmonics
    WIND = "in_wind"  # with noise that is loud and low, as wind in a microphone


@dataclass(frozen=True)
class Augmentation:
    """How a picture is changed.

    speed: of the sound, as if a tape ran so much faster: shorter and higher.
    part: of the sound, from its start or middle; under 1 it is drawn as the short clip that it would be.
    start: where the part starts, 0 to 1 - part.
    spoiling: how it is spoilt, if it is.
    every, turn: it is made of one in so many pictures, by what the last bytes of their digests leave when they are
        divided by that, and counts as many times as much.
    """

    speed: float = 1.0
    part: float = 1.0
    start: float = 0.0
    spoiling: Spoiling | None = None
    every: int = 1
    turn: int = 0

    @functools.cached_property
    def cache_name(self) -> str:
        """What it is called in the keys of cached bottlenecks; never to be changed, or they are all made again."""
        spoilt = f", {self.spoiling.value}=True" if self.spoiling else ""
        return f"Variation(speed={self.speed!r}, part={self.part!r}, start={self.start!r}{spoilt})"

    @property
    def weight(self) -> float:
        """How much a sample that is changed so counts in training, beside one that is not."""
        if self.spoiling is None:
            return 1.0
        return self.every * (NARROW_WEIGHT if self.spoiling is Spoiling.NARROW else SPOILT_WEIGHT)

    def is_made_of(self, digest: bytes) -> bool:
        """Whether it is made of the picture with this SHA-256."""
        return self.every == 1 or digest[-1] % self.every == self.turn

    def within(self, outer: "Augmentation") -> "Augmentation":
        """This one of what `outer`, at the sound's own speed, leaves of a picture."""
        start = outer.start + outer.part * self.start
        return replace(self, part=outer.part * self.part, start=start)


ORIGINAL = Augmentation()
# 6 % either way: a semitone, as people differ in how high and how fast they speak. Wider steps and other microphones
# (a tilted spectrum) were tried and gave no more (docs/experiments.md).
SPEEDS = (Augmentation(0.94), Augmentation(1.06))
# With more weight, sound in noise is known still better, but speakers are not, who are known by their rooms too.
SPOILT_WEIGHT = 0.02
NARROW_WEIGHT = 0.04  # telephones and MP3s are the commonest (docs/experiments.md)
# How far what is laid over a sound lies below it, all rows and columns together: between those levels.
LEVELS_DB = {
    Spoiling.NOISE: (15.0, 35.0),
    Spoiling.HUM: (15.0, 35.0),
    Spoiling.DISTORTED: (10.0, 30.0),
    Spoiling.HALL: (-3.0, 9.0),
    Spoiling.WIND: (-10.0, 20.0),
}
# The power of noise falls with the frequency, from white to pink. That of wind is low, and falls from here on.
STEEPNESS, LOWEST_HZ = (0.0, 1.0), 10.0
WIND_STEEPNESS, WIND_HZ = (2.0, 5.0), HIGH_PASS_HZ
# Sound ends between this and the highest frequency of the picture. Half of it begins between the other two.
LEAST_HIGHEST_HZ, BEGINNINGS_HZ = 3000.0, (60.0, 300.0)
# The power of the mains' harmonics falls with their number, to the power of 0 to STEEPEST_HUM. Half of the time the odd
# ones are FAINT, as in the hum of a transformer, whose iron is magnetised twice in each cycle.
STEEPEST_HUM, FAINT = 4.0, 0.01
REVERBERATION_SECONDS = (0.2, 1.5)  # until echoes have died away by 60 dB: of a living room to that of a church
# Up to so many pictures, each is learnt from in other ways too: of 2,400, .87 are right without other speeds, and .89
# with them (docs/experiments.md). Of more, the bottlenecks would take too long.
MOST_AUGMENTED = 10_000
# Short clips are cut from long chunks, so that short clips are known too. From chunks of a few seconds, they would
# cost more than they give (docs/experiments.md). Of many chunks, one each says enough.
LONG_CHUNK_SECONDS = 8.0
FEW_PICTURES = 1500
# Up to so many pictures, each is spoilt in all these ways. Of more, two in three do as well, each in one way, and the
# network hears fewer (docs/experiments.md).
FEW_SPOILT = 100
SPOILT = tuple(
    Augmentation(spoiling=spoiling, every=3 * len(Spoiling) // 2, turn=turn) for turn, spoiling in enumerate(Spoiling)
)
SHORT_SECONDS = 2.0
SHORT_STARTS = (0.1, 0.35, 0.6, 0.85)  # of a chunk
SHORT_STARTS_OF_MANY = (0.35,)
# What the network sees of a long chunk is without silence before and behind all that sounds, if no more than so much of
# it sounds; and without pauses there, which lie so far below the loudest moment, in all rows together, if they fill so
# much of a chunk: a drum that dies away has none (docs/experiments.md).
LEAST_SOUNDING = 0.5
PAUSE_DB, SHORTEST_PAUSE = 30.0, 0.2


def choose_augmentations(pictures: int, renderer: SpectrogramRenderer) -> list[Augmentation]:
    """The augmentations to learn from, by the number of pictures: the first is ORIGINAL."""
    if pictures > MOST_AUGMENTED:
        return [ORIGINAL]
    chunk_seconds = renderer.settings.chunk_seconds
    starts = SHORT_STARTS if pictures <= FEW_PICTURES else SHORT_STARTS_OF_MANY
    parts = [Augmentation(part=SHORT_SECONDS / chunk_seconds, start=start) for start in starts]
    spoilt = [replace(each, every=1, turn=0) if pictures <= FEW_SPOILT else each for each in SPOILT]
    if renderer.color_table is not None:
        spoilt = []  # of colours, the power can't be told
    impossible = set[Spoiling | None]()
    if renderer.row_hz is None:
        impossible = {Spoiling.NARROW, Spoiling.HUM, Spoiling.WIND}  # pitch classes are of all frequencies
    elif renderer.settings.high_pass_hz >= max(MAINS_HZ) * HARMONICS[-1]:
        impossible = {Spoiling.HUM, Spoiling.WIND}  # what lies so low is left out of all pictures
    spoilt = [each for each in spoilt if each.spoiling not in impossible]
    return [ORIGINAL, *SPEEDS, *(parts if chunk_seconds >= LONG_CHUNK_SECONDS else ()), *spoilt]


def number_rows(augmentations: Sequence[Augmentation], digests: Sequence[bytes]) -> NDArray[np.intp]:
    """Which row each augmentation (columns) of each picture (rows) is, where one that is made stands after the other,
    one picture after the other; -1 for one that is not made."""
    is_made = np.array([[augmentation.is_made_of(digest) for augmentation in augmentations] for digest in digests])
    return np.where(is_made, is_made.cumsum().reshape(is_made.shape) - 1, -1)


def sounding_part(picture: np.ndarray, columns: int, renderer: SpectrogramRenderer) -> Augmentation:
    """The part of a picture that the network sees, in training and in labelling: ORIGINAL or, of a long chunk, the part
    without silence and pauses before and behind all that sounds, where they are long.

    The network sees each moment with those around it. From long chunks, short sounds are learnt as clips of their own,
    without silence; with it, a word in ten seconds is taken for another voice's. And a room's noise in a pause is no
    part of a sound. Short chunks are seen as they are. columns: how many of the picture's columns are sound; the rest
    are repeats.
    """
    if renderer.settings.chunk_seconds < LONG_CHUNK_SECONDS:
        return ORIGINAL
    grey = picture[:, :columns]
    if picture.ndim == 3:
        grey = np.rint(255 * as_brightness(grey)).astype(np.uint8)
    sounds = column_weights(grey.max(axis=0, keepdims=True) / 255) > 0
    if not sounds.any():
        return ORIGINAL
    power = renderer.brightness_power[grey].sum(axis=0)
    start, end = _first_and_last(sounds & (power >= power.max() * 10 ** (-PAUSE_DB / 10)))
    if columns - (end - start) < SHORTEST_PAUSE * PICTURE_SIZE:
        start, end = _first_and_last(sounds)
        if end - start > LEAST_SOUNDING * columns:
            return ORIGINAL
    return Augmentation(part=(end - start) / columns, start=start / columns)


def _first_and_last(chosen: np.ndarray) -> tuple[int, int]:
    """The first of the columns that are chosen, and the one behind the last."""
    places = np.flatnonzero(chosen)
    return int(places[0]), int(places[-1]) + 1


def augment(picture: np.ndarray, columns: int, renderer: SpectrogramRenderer, augmentation: Augmentation) -> np.ndarray:
    """The changed picture, uint8, of the same shape.

    picture: PICTURE_SIZE x PICTURE_SIZE (x 3), high frequencies at the top, as `renderer` drew it.
    columns: how many of its columns are sound; the rest are repeats.

    Rows and columns in between are interpolated; pitch classes keep their rows. Above the highest frequency that was
    heard, its row goes on. The brightness of a part is, as in any picture, relative to its own loudest point (in
    colours, it stays). Noise can be laid over grey pictures alone, and no others can be narrowed.
    """
    row_hz = renderer.row_hz
    first = min(columns - 1, round(augmentation.start * columns))
    heard = max(1, round(augmentation.part * columns))
    augmented = picture[:, first : min(columns, first + heard)].astype(np.float32)
    is_grey = picture.ndim == 2 or bool((picture == picture[:, :, :1]).all())
    if augmentation.part < 1 and is_grey:
        _brighten(augmented)
    if augmentation.spoiling:
        grey = _spoil(augmented if picture.ndim == 2 else augmented[:, :, 0], augmentation.spoiling, renderer)
        augmented = grey if picture.ndim == 2 else np.repeat(grey[:, :, None], 3, axis=2)
    if augmentation.speed != 1:
        if row_hz is not None:
            rows = np.interp(row_hz / augmentation.speed, row_hz, np.arange(PICTURE_SIZE))
            augmented = _interpolate(augmented[::-1], rows)[::-1]
        length = augmented.shape[1]
        new_length = max(1, round(length / augmentation.speed))
        times = (np.arange(new_length) + 0.5) * length / new_length - 0.5
        augmented = _interpolate(augmented.swapaxes(0, 1), times.clip(0, length - 1)).swapaxes(0, 1)
    augmented = augmented[:, np.arange(PICTURE_SIZE) % augmented.shape[1]]
    return np.ascontiguousarray(np.rint(augmented), np.uint8)


def _spoil(grey: np.ndarray, spoiling: Spoiling, renderer: SpectrogramRenderer) -> np.ndarray:
    """A grey picture that is spoilt, float32. grey: float32, 0 to 255, high frequencies at the top.

    The same picture is spoilt in the same way each time.
    """
    random = np.random.default_rng(zlib.crc32(grey.tobytes()))
    if spoiling is Spoiling.NARROW:
        return _narrowed(grey, random, renderer)
    if not grey.any():  # nothing lies so far below silence
        return grey
    power = renderer.brightness_power[grey.astype(np.uint8)][::-1]
    level_db = random.uniform(*LEVELS_DB[spoiling])
    make = {
        Spoiling.NOISE: _noise,
        Spoiling.WIND: _wind,
        Spoiling.DISTORTED: _noise_that_follows,
        Spoiling.HALL: _echoes,
        Spoiling.HUM: _hum,
    }[spoiling]
    other = np.broadcast_to(make(power, random, renderer), power.shape)
    power += other * (power.sum() / other.sum() * 10 ** (-level_db / 10))
    return to_grey(power, renderer.settings.dynamic_range_db)[::-1].astype(np.float32)


def _noise(
    power: np.ndarray,
    random: np.random.Generator,
    renderer: SpectrogramRenderer,
    steepness: tuple[float, float] = STEEPNESS,
    lowest_hz: float = LOWEST_HZ,
) -> np.ndarray:
    """The power of noise, as long as another sound is. Both are rows, the lowest first, x columns.

    It falls with the frequency, from lowest_hz on, to a power between those of steepness.
    """
    exponent = -random.uniform(*steepness)
    noise: np.ndarray = np.roll(renderer.white_noise, random.integers(PICTURE_SIZE), axis=1)[:, : power.shape[1]]
    return noise if renderer.row_hz is None else noise * np.maximum(renderer.row_hz, lowest_hz)[:, None] ** exponent


def _wind(power: np.ndarray, random: np.random.Generator, renderer: SpectrogramRenderer) -> np.ndarray:
    """The power of wind in a microphone, as _noise."""
    return _noise(power, random, renderer, WIND_STEEPNESS, WIND_HZ)


def _noise_that_follows(power: np.ndarray, random: np.random.Generator, renderer: SpectrogramRenderer) -> np.ndarray:
    """Noise that is at each moment as loud as the sound, as _noise."""
    noise = _noise(power, random, renderer)
    return np.asarray(noise * (power.sum(axis=0) / noise.sum(axis=0)))


def _echoes(power: np.ndarray, random: np.random.Generator, renderer: SpectrogramRenderer) -> np.ndarray:
    """The echoes of a sound in a room, as _noise: they die away exponentially (Polack, La transmission de l'énergie
    sonore dans les salles, 1988)."""
    seconds = np.exp(random.uniform(*np.log(REVERBERATION_SECONDS)))
    kept = 10 ** (-6 * renderer.settings.chunk_seconds / PICTURE_SIZE / seconds)  # from one column to the next
    return np.stack(list(itertools.accumulate(power.T, lambda echo, heard: kept * echo + heard)), axis=1)


def _hum(_: np.ndarray, random: np.random.Generator, renderer: SpectrogramRenderer) -> np.ndarray:
    """The power of the hum of the mains, which is steady: rows, the lowest first, x 1."""
    steepness = random.uniform(0, STEEPEST_HUM)
    powers = HARMONICS**-steepness  # from the first, which is odd
    if random.random() < 0.5:
        powers[::2] *= FAINT
    return np.asarray(powers @ random.choice(renderer.mains_harmonics))[:, None]


def _narrowed(grey: np.ndarray, random: np.random.Generator, renderer: SpectrogramRenderer) -> np.ndarray:
    """A grey picture without what lies above one frequency and, half of the time, below another, as _spoil."""
    assert renderer.row_hz is not None, "pitch classes are of all frequencies"
    ends_hz = np.exp(random.uniform(*np.log((LEAST_HIGHEST_HZ, renderer.settings.highest_hz))))
    begins_hz = np.exp(random.uniform(*np.log(BEGINNINGS_HZ))) if random.random() < 0.5 else 0
    is_heard = (begins_hz <= renderer.row_hz) & (renderer.row_hz <= ends_hz)
    narrowed = np.where(is_heard[::-1, None], grey, 0)
    _brighten(narrowed)
    return narrowed


def _brighten(grey: np.ndarray) -> None:
    """Make the loudest point of what is left of a grey picture as bright as that of any; black stays black."""
    grey[grey > 0] += 255 - grey.max()


def _interpolate(rows: np.ndarray, positions: np.ndarray) -> np.ndarray:
    """Rows at fractional positions, linear between neighbours."""
    below = np.floor(positions).astype(np.intp)
    above = np.minimum(below + 1, len(rows) - 1)
    weights = (positions - below).astype(np.float32).reshape(-1, *[1] * (rows.ndim - 1))
    return np.asarray(rows[below] * (1 - weights) + rows[above] * weights)
