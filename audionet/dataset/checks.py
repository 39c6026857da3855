"""What is wrong with the recordings that are learnt from, in sentences: too few, too unlike in length, clipped, silent,
or in two classes at once."""

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from audionet.audio.levels import SILENT_DB
from audionet.system.text import duration, listed

FEWEST_RECORDINGS = 3  # one to learn from, one to test on, one to spare
UNEQUAL = 5.0  # times as much sound as the shortest class has
CLIPPED = 0.001  # of a chunk's samples: a few peaks do no harm
# Copies lie less than this far from each other, as a share of the distance to the nearest other recording: MP3s of a
# WAV .15 to .4, other recordings of one voice .8 and more.
COPY = 0.5
MOST_COMPARED = 1500  # pictures: all pairs of more take seconds


class Piece(NamedTuple):
    """A chunk as it is checked.

    recording: what to call its recording. digest: of its picture.
    """

    class_name: str
    recording: str
    start_seconds: float
    seconds: float
    digest: bytes
    level_db: float | None = None
    clipped: float | None = None

    @property
    def is_silent(self) -> bool:
        """Whether it is known to hold no sound that can be heard."""
        return self.level_db is not None and self.level_db <= SILENT_DB


@dataclass(frozen=True)
class ClassData:
    """How much there is of a class."""

    name: str
    recordings: int
    chunks: int
    seconds: float

    def to_json(self) -> dict[str, str | int | float]:
        """As plain values, for the model's card."""
        return {"name": self.name, "recordings": self.recordings, "chunks": self.chunks, "seconds": self.seconds}


def class_data(pieces: Sequence[Piece]) -> list[ClassData]:
    """How much there is of each class. What overlapping chunks share counts once."""
    ends: dict[str, dict[str, list[tuple[float, float]]]] = defaultdict(lambda: defaultdict(list))
    for piece in pieces:
        ends[piece.class_name][piece.recording].append((piece.start_seconds, piece.start_seconds + piece.seconds))
    return [
        ClassData(name, len(found), sum(map(len, found.values())), round(sum(map(_covered, found.values())), 1))
        for name, found in sorted(ends.items())
    ]


def _covered(spans: list[tuple[float, float]]) -> float:
    """Seconds that are in at least one of the spans."""
    total, reached = 0.0, 0.0
    for start, end in sorted(spans):
        total += max(0.0, end - max(start, reached))
        reached = max(reached, end)
    return total


def check_data(pieces: Sequence[Piece], coordinates: np.ndarray | None) -> list[str]:
    """Sentences on what to mend, each with what to do; none if all is well.

    coordinates: a row each; distances between them say how unlike the chunks look. None if they are too many to be
    compared, more than MOST_COMPARED, or of a network other than the embedded one; then only copies whose pictures are
    the same to the bit are found.
    """
    classes = class_data(pieces)
    return [
        *_short_of_recordings(classes),
        *_unequal(classes),
        *_bad_sound(pieces, "clipped", lambda piece: (piece.clipped or 0) > CLIPPED),
        *_bad_sound(pieces, "silent", lambda piece: piece.is_silent),
        *_in_two_classes(pieces, coordinates),
    ]


def _short_of_recordings(classes: list[ClassData]) -> list[str]:
    # Of one recording, the split has its own to say.
    short = [found.name for found in classes if 1 < found.recordings < FEWEST_RECORDINGS]
    if not short:
        return []
    who = f"class {short[0]!r} has" if len(short) == 1 else f"classes {_named(short)} have"
    return [f"{who} fewer than {FEWEST_RECORDINGS} recordings: add some, best from other days and rooms"]


def _unequal(classes: list[ClassData]) -> list[str]:
    most, least = max(classes, key=lambda found: found.seconds), min(classes, key=lambda found: found.seconds)
    if most.seconds <= UNEQUAL * least.seconds:
        return []
    return [
        f"class {most.name!r} has {duration(most.seconds)} of sound, {least.name!r} only {duration(least.seconds)}: "
        "what the model says of the shorter is less sure; record more of it"
    ]


def _bad_sound(pieces: Sequence[Piece], what: str, is_bad: Callable[[Piece], bool]) -> list[str]:
    bad = [piece for piece in pieces if is_bad(piece)]
    if not bad:
        return []
    remedy = {
        "clipped": "louder than the recording could hold; record with the microphone turned down or farther away",
        "silent": "nothing to hear below 8 kHz; cut it out, or see whether the microphone was on",
    }
    recordings = Counter(piece.recording for piece in bad)
    named = [name if count == 1 else f"{name} ({count} times)" for name, count in recordings.most_common()]
    chunks = "1 chunk is" if len(bad) == 1 else f"{len(bad)} chunks are"
    return [f"{chunks} {what}, in {listed(named)}: {remedy[what]}"]


def _in_two_classes(pieces: Sequence[Piece], coordinates: np.ndarray | None) -> list[str]:
    found: set[tuple[str, str]] = set()
    same: dict[bytes, list[Piece]] = defaultdict(list)
    for piece in pieces:
        if not piece.is_silent:  # all silence looks the same
            same[piece.digest].append(piece)
    for copies in same.values():
        found |= {_pair(copies[0], other) for other in copies[1:] if other.class_name != copies[0].class_name}
    if coordinates is not None:
        found |= _nearly_the_same(pieces, coordinates)
    named = [f"{one} and {other}" for one, other in sorted(found)]
    return (
        [f"{listed(named)} hold the same sound but lie in two classes: delete it from the wrong one"] if named else []
    )


def _nearly_the_same(pieces: Sequence[Piece], coordinates: np.ndarray) -> set[tuple[str, str]]:
    """Recordings of two classes with chunks that are far more alike than any others: one sound, encoded twice."""
    lengths = (coordinates**2).sum(axis=1)
    distances = np.sqrt(np.maximum(lengths[:, None] + lengths - 2 * coordinates @ coordinates.T, 0))
    _, recordings = np.unique([piece.recording for piece in pieces], return_inverse=True)
    distances[recordings[:, None] == recordings] = np.inf
    nearest = distances.argmin(axis=1)
    found = set()
    for i, j in enumerate(nearest):
        others = distances[i, recordings != recordings[j]]
        is_copy = nearest[j] == i and distances[i, j] < COPY * others.min(initial=np.inf)
        if is_copy and np.isfinite(others).any() and pieces[i].class_name != pieces[j].class_name:
            found.add(_pair(pieces[i], pieces[j]))
    return found


def _pair(one: Piece, other: Piece) -> tuple[str, str]:
    first, second = sorted((one.recording, other.recording))
    return first, second


def _named(names: list[str]) -> str:
    return listed([repr(name) for name in names])
