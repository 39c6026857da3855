"""Picture -> pictures of the same sound, a little faster or slower, over another background, or of a part: more
examples to learn from."""

import zlib
from dataclasses import dataclass

import numpy as np

from audionet.settings import PICTURE_SIZE
from audionet.spectrogram import Painter


@dataclass(frozen=True)
class Variation:
    """How a picture is changed.

    speed: of the sound, as if a tape ran so much faster: shorter and higher.
    part: of the sound, from its start or middle; under 1 it is painted as the short clip that it would be.
    start: where the part starts, 0 to 1 - part.
    background: AS_HEARD; NOISY, as in a quieter recording, whose microphone and whose rounding to 16 bits hiss louder;
        or CUT, as by a noise gate or an encoder that saves.
    """

    speed: float = 1.0
    part: float = 1.0
    start: float = 0.0
    background: str = "as heard"


AS_HEARD, NOISY, CUT = "as heard", "noisy", "cut"
ORIGINAL = Variation()
# 6 % either way: a semitone, as people differ in how high and how fast they speak. Wider steps and other microphones
# (a tilted spectrum) were tried and gave no more (docs/experiments.md).
SPEEDS = (Variation(0.94), Variation(1.06))
BACKGROUNDS = (Variation(0.94, background=NOISY), Variation(1.06, background=CUT))
# Up to so many pictures, each is learnt from at other speeds too. With more there is variety enough.
FEW_PICTURES = 1500
# And of long chunks, short clips are cut, so that short clips are known too.
SHORT_SECONDS = 2.0
SHORT_STARTS = (0.1, 0.35, 0.6, 0.85)  # of a chunk

# In decibels below the loudest point; drawn anew for each picture.
NOISE_DB = (52.0, 72.0)
TILT_DB = 6.0  # of the noise, either way, from the lowest to the highest row
CUT_DB = (50.0, 68.0)


def choose_variations(pictures: int, painter: Painter) -> list[Variation]:
    """What else to learn from beside so many pictures as they are: the first is ORIGINAL."""
    if pictures > FEW_PICTURES:
        return [ORIGINAL]
    chunk_seconds = painter.settings.chunk_seconds
    parts = [Variation(part=SHORT_SECONDS / chunk_seconds, start=start) for start in SHORT_STARTS]
    # In colours brightness is no number; a small dynamic range shows no background.
    shows_background = painter.color_table is None and painter.settings.dynamic_range_db >= NOISE_DB[1]
    return [
        ORIGINAL,
        *SPEEDS,
        *(BACKGROUNDS if shows_background else ()),
        *(parts if chunk_seconds > 2 * SHORT_SECONDS else ()),
    ]


def vary(picture: np.ndarray, columns: int, painter: Painter, variation: Variation) -> np.ndarray:
    """The varied picture, uint8, of the same shape.

    picture: PICTURE_SIZE x PICTURE_SIZE (x 3), high frequencies at the top, as `painter` painted it. Only a grey one
        can have another background.
    columns: how many of its columns are sound; the rest are repeats.

    Rows and columns in between are interpolated; pitch classes keep their rows. Above the highest frequency that was
    heard, its row goes on. The brightness of a part is, as in any picture, relative to its own loudest point (in
    colours, it stays). The same picture always gets the same noise.
    """
    row_hz = painter.row_hz
    first = min(columns - 1, round(variation.start * columns))
    heard = max(1, round(variation.part * columns))
    varied = picture[:, first : min(columns, first + heard)].astype(np.float32)
    is_grey = picture.ndim == 2 or bool((picture == picture[:, :, :1]).all())
    if variation.part < 1 and is_grey:
        varied[varied > 0] += 255 - varied.max()
    if variation.speed != 1:
        if row_hz is not None:
            rows = np.interp(row_hz / variation.speed, row_hz, np.arange(PICTURE_SIZE))
            varied = _interpolate(varied[::-1], rows)[::-1]
        length = varied.shape[1]
        new_length = max(1, round(length / variation.speed))
        times = (np.arange(new_length) + 0.5) * length / new_length - 0.5
        varied = _interpolate(varied.swapaxes(0, 1), times.clip(0, length - 1)).swapaxes(0, 1)
    if variation.background != AS_HEARD and is_grey:
        varied = _with_background(varied, variation.background, painter.settings.dynamic_range_db)
    varied = varied[:, np.arange(PICTURE_SIZE) % varied.shape[1]]
    return np.ascontiguousarray(np.rint(varied), np.uint8)


def _with_background(grey: np.ndarray, background: str, dynamic_range_db: float) -> np.ndarray:
    """Grey levels (rows x columns, or x 3 equal channels), with noise added as power, or the quiet parts black."""
    random = np.random.default_rng(zlib.crc32(np.rint(grey).astype(np.uint8).tobytes()))
    decibels = (grey / 255 - 1) * dynamic_range_db
    if background == CUT:
        return np.where(decibels < -random.uniform(*CUT_DB), 0, grey)
    shape = grey.shape[:2]
    level = -random.uniform(*NOISE_DB) + random.uniform(-TILT_DB, TILT_DB) * np.linspace(1, -1, shape[0])[:, None]
    # The power of noise in a mel band is that of a few bins: a chi-squared variable, here of 4 degrees of freedom.
    noise = 10 ** (level / 10) * random.chisquare(4, shape) / 4
    power = np.where(grey > 0, 10 ** (decibels / 10), 0) + noise.reshape(*shape, *[1] * (grey.ndim - 2))
    return np.asarray(np.maximum(255 * (1 + 10 * np.log10(power / power.max()) / dynamic_range_db), 0))


def _interpolate(rows: np.ndarray, positions: np.ndarray) -> np.ndarray:
    """Rows at fractional positions, linear between neighbours."""
    below = np.floor(positions).astype(np.intp)
    above = np.minimum(below + 1, len(rows) - 1)
    weights = (positions - below).astype(np.float32).reshape(-1, *[1] * (rows.ndim - 1))
    return np.asarray(rows[below] * (1 - weights) + rows[above] * weights)
