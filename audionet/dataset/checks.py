"""What is wrong with the recordings that are learnt from, in sentences: too few, too unlike in length, clipped, silent,
or in two classes at once."""

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated

import numpy as np

from audionet.audio.chunks import Part
from audionet.audio.levels import SILENT_DB
from audionet.dataset.conditions import out_of_range, unlike_conditions
from audionet.dataset.samples import Sample
from audionet.settings import PictureSettings
from audionet.system.grouping import grouped
from audionet.system.text import duration, listed
from audionet.system.untrusted import StoredRecord, number, stored, text, whole

USUAL_PICTURES = PictureSettings()
FEWEST_RECORDINGS = 3  # one to learn from, one to test on, one to spare
UNEQUAL = 5.0  # times as much sound as the shortest class has
CLIPPED = 0.001  # of a chunk's samples: a few peaks do no harm
CLIPPED_CHUNKS = (
    "clipped, in {}: louder than the recording could hold; record with the microphone turned down or farther away"
)
SILENT_CHUNKS = "silent, in {}: nothing to hear in what is drawn; cut it out, or see whether the microphone was on"
# Copies lie less than this far from each other, as a share of the distance to the nearest other recording: MP3s of a
# WAV .15 to .4, other recordings of one voice .8 and more.
COPY = 0.5
MOST_COMPARED = 1500  # pictures: all pairs of more take seconds
FEWEST_PICTURES = 20  # of which it can be said what most of them hold
FEWEST_LENGTHS = 4  # of which it can be said how long most of them are


@dataclass(frozen=True)
class ClassData(StoredRecord):
    """How much sound there is of a class; the model's card has it."""

    name: Annotated[str, stored("name", text)]
    recordings: Annotated[int, stored("recordings", whole)]
    chunks: Annotated[int, stored("chunks", whole)]
    seconds: Annotated[float, stored("seconds", number, 0)]


def longest_fitted_seconds(settings: PictureSettings, one_a_class: bool) -> float:
    """How long nine of ten stretches of sound may be for chunks to be fitted to them; see fitting_chunk_seconds."""
    return settings.chunk_seconds * (0.99 if one_a_class else 0.5)


def fitting_chunk_seconds(
    lengths_seconds: Iterable[float], settings: PictureSettings, one_a_class: bool = False
) -> int | None:
    """The whole seconds into which three of four stretches of sound fit, at least 1; None unless nine of ten have at
    most half of a chunk of the settings, or if they are too few to say.

    What is short is repeated until its picture is full, and there is seen in less detail than in a picture of its own
    length: spoken digits of unheard voices, of half a second, are right in .60 with chunks of 20 seconds and in .90
    with those of 1. That it is three of four is chosen on training sides; docs/experiments.md has them.

    one_a_class: where most classes have one recording, a third of the median, if nine of ten are shorter than a chunk:
    from one picture of a class little is learnt, and none can be held out.
    """
    lengths = sorted(lengths_seconds)
    longest_seconds = longest_fitted_seconds(settings, one_a_class)
    if len(lengths) < FEWEST_LENGTHS or lengths[len(lengths) * 9 // 10] > longest_seconds:
        return None
    usual = lengths[len(lengths) // 2] / 3 if one_a_class else lengths[len(lengths) * 3 // 4]
    fitting = max(1, math.ceil(usual - 0.1))
    return fitting if fitting <= settings.chunk_seconds / 2 else None


def has_one_a_class(recordings: Iterable[tuple[str, Sequence[Part]]]) -> bool:
    """Whether most classes have one recording, and none is learnt in parts. recordings: the class and parts of each."""
    each = list(recordings)
    if any(parts for _, parts in each):
        return False
    counts = Counter(class_name for class_name, _ in each).values()
    return 2 * sum(number == 1 for number in counts) > len(counts)


def mostly_repeats(chunk_seconds: Iterable[float], settings: PictureSettings) -> list[str]:
    """A sentence, if most pictures hold less than half of the sound that fits into one; none otherwise.

    chunk_seconds: the sound in each picture.
    """
    lengths = sorted(chunk_seconds)
    fitting = fitting_chunk_seconds(lengths, settings) if len(lengths) >= FEWEST_PICTURES else None
    if fitting is None:
        return []
    return [
        f"most pictures show {lengths[len(lengths) // 2]:.2g} s of sound or less, over and over, where "
        f"{settings.chunk_seconds:g} s fit in: with --chunk-seconds {fitting} --force, audionet prepare shows them in "
        "more detail, and short sounds are told apart better"
    ]


def class_data(samples: Sequence[Sample]) -> list[ClassData]:
    """How much sound there is of each class; what overlapping chunks share is counted once."""
    found = []
    for name, of_class in sorted(grouped((sample.class_name, sample) for sample in samples).items()):
        spans = grouped((sample.recording, (sample.start_seconds, sample.end_seconds)) for sample in of_class)
        seconds = sum(map(_covered, spans.values()))
        found.append(ClassData(name, len(spans), len(of_class), round(seconds, 1)))
    return found


def _is_silent(sample: Sample) -> bool:
    """Whether a sample is known to hold no sound that can be heard."""
    return sample.level_db is not None and sample.level_db <= SILENT_DB


def _covered(spans: list[tuple[float, float]]) -> float:
    """How many seconds lie in at least one of the spans."""
    total, reached = 0.0, 0.0
    for start, end in sorted(spans):
        total += max(0.0, end - max(start, reached))
        reached = max(reached, end)
    return total


def check_data(
    samples: Sequence[Sample], coordinates: np.ndarray | None, settings: PictureSettings = USUAL_PICTURES
) -> list[str]:
    """Sentences about faults in the data, each with a remedy; none if all is well.

    coordinates: a row each; distances between them say how unlike the chunks look. None if they are too many to be
    compared, more than MOST_COMPARED, or of a network other than the embedded one; then only copies whose pictures are
    the same to the bit are found.
    settings: of the pictures.
    """
    classes = class_data(samples)
    return [
        *_short_of_recordings(classes),
        *_unequal(classes),
        *_bad_sound([sample for sample in samples if (sample.clipped or 0) > CLIPPED], CLIPPED_CHUNKS),
        *_bad_sound([s for s in samples if _is_silent(s) and s.needed_rate_hz is None], SILENT_CHUNKS),
        *out_of_range({sample.recording: sample.needed_rate_hz for sample in samples}, settings),
        *unlike_conditions(samples, settings),
        *_in_two_classes(samples, coordinates),
    ]


def _short_of_recordings(classes: list[ClassData]) -> Iterator[str]:
    # Of a class with one recording, the split says more.
    short = [data.name for data in classes if 1 < data.recordings < FEWEST_RECORDINGS]
    if short:
        named = listed([repr(name) for name in short])
        who = f"class {named} has" if len(short) == 1 else f"classes {named} have"
        yield f"{who} fewer than {FEWEST_RECORDINGS} recordings: add some, if possible from other days and rooms"


def _unequal(classes: list[ClassData]) -> Iterator[str]:
    most, least = max(classes, key=lambda data: data.seconds), min(classes, key=lambda data: data.seconds)
    if most.seconds > UNEQUAL * least.seconds:
        yield (
            f"class {most.name!r} has {duration(most.seconds)} of sound, {least.name!r} only "
            f"{duration(least.seconds)}: what the model says of the smaller one is less sure; record more of it"
        )


def _bad_sound(bad: Sequence[Sample], sentence: str) -> Iterator[str]:
    if bad:
        recordings = Counter(sample.recording for sample in bad)
        named = [name if count == 1 else f"{name} ({count} times)" for name, count in recordings.most_common()]
        chunks = "1 chunk is" if len(bad) == 1 else f"{len(bad)} chunks are"
        yield f"{chunks} {sentence.format(listed(named))}"


def _in_two_classes(samples: Sequence[Sample], coordinates: np.ndarray | None) -> Iterator[str]:
    """A sentence about recordings of two classes that hold the same sound; none if there are none."""
    # All silence looks the same.
    by_digest = grouped((sample.digest, sample) for sample in samples if not _is_silent(sample))
    pairs = [(copies[0], other) for copies in by_digest.values() for other in copies[1:]]
    if coordinates is not None:
        pairs += _nearly_the_same(samples, coordinates)
    unlike = ((one.recording, other.recording) for one, other in pairs if one.class_name != other.class_name)
    names = sorted({tuple(sorted(recordings)) for recordings in unlike})
    if names:
        named = [" and ".join(both) for both in names]
        yield f"{listed(named)} hold the same sound but lie in two classes: delete the wrong one, or mend its label"


def _nearly_the_same(samples: Sequence[Sample], coordinates: np.ndarray) -> Iterator[tuple[Sample, Sample]]:
    """Chunks of two recordings that are far more alike than any others: one sound, encoded twice."""
    lengths = (coordinates**2).sum(axis=1)
    distances = np.sqrt(np.maximum(lengths[:, None] + lengths - 2 * coordinates @ coordinates.T, 0))
    _, recordings = np.unique([sample.recording for sample in samples], return_inverse=True)
    distances[recordings[:, None] == recordings] = np.inf
    nearest = distances.argmin(axis=1)
    for i, j in enumerate(nearest):
        others = distances[i, recordings != recordings[j]]
        is_copy = nearest[j] == i and distances[i, j] < COPY * others.min(initial=np.inf)
        if is_copy and np.isfinite(others).any():
            yield samples[i], samples[j]
