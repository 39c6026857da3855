"""Pictures of two classes -> pictures in which a stretch of the one is heard in the other, as a call in the rain is."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from audionet.settings import PICTURE_SIZE
from audionet.spectrogram.transform import SpectrogramRenderer, sliding_levels, to_grey, to_power

LONGEST_CALL_SECONDS = 2.0
LOUD_DB = 20.0  # below the loudest point of its picture, a column is no longer of a call
LONGEST_PAUSE_SECONDS = 0.3  # within a call
# How much louder a call is than its background, in the power of all rows: from as loud to a hundred times.
LEAST_LOUDER_DB, MOST_LOUDER_DB = 0.0, 20.0


@dataclass(frozen=True)
class HeardPicture:
    """A grey picture (uint8, PICTURE_SIZE x PICTURE_SIZE) and how many of its columns are sound; the rest repeat it."""

    grey: NDArray[np.uint8]
    columns: int


@dataclass(frozen=True)
class Mixture:
    """A grey picture of a background, and from which to which of its columns a call is heard in it; if none, 0 to 0."""

    grey: NDArray[np.uint8]
    first: int
    last: int


def mix(
    call: HeardPicture | None,
    background: HeardPicture,
    renderer: SpectrogramRenderer,
    level_columns: int,
    random: np.random.Generator,
) -> Mixture:
    """Lay a stretch of a class's picture over one of the background's, at random: which, where, how loud.

    call: None is the background alone.
    level_columns: each column is drawn against the loudest point of so many around it, as in a strip.
    """
    range_db = renderer.settings.dynamic_range_db
    heard = to_power(background.grey, range_db)
    heard = np.roll(heard, random.integers(background.columns), axis=1)
    place = length = 0
    if call is not None:
        stretches = _stretches(call, renderer)
        first, last = stretches[int(random.integers(len(stretches)))]
        called = to_power(call.grey[:, first:last], range_db)
        louder = 10 ** (random.uniform(LEAST_LOUDER_DB, MOST_LOUDER_DB) / 10)
        called *= louder * heard.sum(axis=0).mean() / called.sum(axis=0).mean()
        length = called.shape[1]
        place = int(random.integers(PICTURE_SIZE - length + 1))
        heard[:, place : place + length] += called
    grey = to_grey(heard, range_db, sliding_levels(heard.max(axis=0), level_columns))
    return Mixture(grey, place, place + length)


def _stretches(picture: HeardPicture, renderer: SpectrogramRenderer) -> Sequence[tuple[int, int]]:
    """From which to which column a picture's calls go, none longer than LONGEST_CALL_SECONDS; at least one."""
    column_seconds = renderer.settings.chunk_seconds / PICTURE_SIZE
    loudest = picture.grey[:, : picture.columns].max(axis=0).astype(float)
    is_loud = loudest >= loudest.max() - 255 * LOUD_DB / renderer.settings.dynamic_range_db
    longest = max(1, round(LONGEST_CALL_SECONDS / column_seconds))
    return [
        (first, min(last, first + longest)) for first, last in runs(is_loud, LONGEST_PAUSE_SECONDS / column_seconds)
    ]


def runs(marked: NDArray[np.bool_], longest_gap: float) -> Iterator[tuple[int, int]]:
    """Where columns, or windows, that are marked begin and end, with gaps of at most so many between them."""
    places = np.flatnonzero(marked)
    if not len(places):
        return
    ends = np.flatnonzero(np.diff(places) > longest_gap + 1)
    firsts, lasts = np.concatenate([[0], ends + 1]), np.concatenate([ends, [len(places) - 1]])
    for first, last in zip(places[firsts].tolist(), places[lasts].tolist(), strict=True):
        yield first, last + 1
