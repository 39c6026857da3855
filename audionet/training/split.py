"""Which pictures are trained on and which are held out: by recording, by content, the same whatever is added later."""

import bisect
import hashlib
import itertools
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from audionet.dataset.samples import Sample
from audionet.system.grouping import grouped
from audionet.system.text import count

TRAIN, VALIDATION, TEST = "train", "validation", "test"
PARTS = (TRAIN, VALIDATION, TEST)
HELD_OUT_FIRST = (TEST, VALIDATION, TRAIN)  # as hashes rise
ROUNDING_SECONDS = 1e-4  # far below a chunk, far above the rounding of its times


@dataclass(frozen=True)
class Split:
    """The part of each sample, and notes for the user; None is left out, since it shares sound with a held-out one."""

    parts: list[str | None]
    notes: list[str]

    def indices(self, part: str) -> NDArray[np.intp]:
        """The positions of a part's samples."""
        return np.array([i for i, own in enumerate(self.parts) if own == part], np.intp)


def split(samples: Sequence[Sample], validation_percentage: float, testing_percentage: float) -> Split:
    """Assign every sample to train, validation or test.

    A recording's place depends on its own name alone, as in Google's retrain.py: its hash, 0 to 100, is compared
    with the percentages. It is the same for all classes that the recording has parts of. A class that leaves a part
    empty so lends it the recording whose hash is nearest. A class with fewer recordings than parts is split by time
    instead: the start of every recording to train on, the end to test, and a note says so.
    """
    shares = {TEST: testing_percentage, VALIDATION: validation_percentage, TRAIN: 100.0}
    wanted = [part for part, share in shares.items() if share > 0]
    members = dict(sorted(by_class(samples).items()))
    recordings = {name: {samples[i].group for i in of_class} for name, of_class in members.items()}
    enough = {name: own for name, own in recordings.items() if len(own) >= len(wanted)}
    assigned = split_recordings(enough, validation_percentage, testing_percentage)
    parts: list[str | None] = [assigned.get(sample.group, TRAIN) for sample in samples]
    notes = []
    for class_name, of_class in members.items():
        if class_name in enough:
            empty = [part for part in wanted if part not in {parts[i] for i in of_class}]
            if empty:
                notes.append(_note_of_shared(class_name, empty))
            continue
        for i, part in split_by_time(samples, of_class, validation_percentage, testing_percentage).items():
            parts[i] = part
        have = len(recordings[class_name])
        noun = "group" if len({samples[i].source for i in of_class}) > have else "recording"
        notes.append(_note(class_name, have, noun, [parts[i] for i in of_class], wanted))
    if len(enough) < len(members):  # other classes may have parts of a recording that is split by time
        kept = non_overlapping_train_mask(samples, np.array([part in (VALIDATION, TEST) for part in parts], bool))
        parts = [None if part == TRAIN and not keep else part for part, keep in zip(parts, kept, strict=True)]
    return Split(parts, notes)


def split_recordings(
    recordings: Mapping[str, Collection[str]], validation_percentage: float, testing_percentage: float
) -> dict[str, str]:
    """The part of each recording.

    recordings: those of each class; there may be classes that share some. No class leaves a wanted part empty if it
    has enough recordings, unless those that it could lend are the last ones of another class in their part. Each has
    some in TRAIN.
    """
    places = {name: percentage_hash(name) for own in recordings.values() for name in own}
    borders = testing_percentage, testing_percentage + validation_percentage
    assigned = {name: HELD_OUT_FIRST[bisect.bisect(borders, position)] for name, position in places.items()}
    counts = {class_name: Counter(assigned[name] for name in own) for class_name, own in recordings.items()}
    owners = grouped((name, class_name) for class_name, own in recordings.items() for name in own)

    def can_be_lent(name: str) -> bool:
        return all(counts[owner][assigned[name]] > 1 for owner in owners[name])

    # The lowest hashes are nearest to the held-out parts, the highest to training.
    borrowers = [(TEST, 1, testing_percentage), (VALIDATION, 1, validation_percentage), (TRAIN, -1, 100)]
    # A class with few recordings has the least choice, and comes first.
    for class_name, own in sorted(recordings.items(), key=lambda item: (len(item[1]), item[0])):
        for part, order, share in borrowers:
            if share == 0 or counts[class_name][part]:
                continue
            lenders = sorted(PARTS, key=lambda lender: -counts[class_name][lender])
            nearest_first = sorted(own, key=lambda name: (lenders.index(assigned[name]), order * places[name], name))
            # Without a recording to learn from, no class could be told; without one to test on, one is not measured.
            lent = next(filter(can_be_lent, nearest_first), nearest_first[0] if part == TRAIN else None)
            if lent is not None:
                for owner in owners[lent]:
                    counts[owner][part] += 1
                    counts[owner][assigned[lent]] -= 1
                assigned[lent] = part
    return assigned


def percentage_hash(name: str) -> float:
    """A number from 0 to under 100 that depends on the name alone, evenly spread."""
    return int(hashlib.sha256(name.encode(errors="surrogateescape")).hexdigest()[:8], 16) / 2**32 * 100


def split_by_time(
    samples: Sequence[Sample], members: Sequence[int], validation_percentage: float, testing_percentage: float
) -> dict[int, str | None]:
    """Lay a class's recordings end to end: the start is trained on, the end is for test, before it validation.

    Each wanted part gets at least one chunk if there are enough; training comes first, then test. A chunk that
    shares sound with one of a later part is left out (None).
    """
    ordered = sorted(
        members, key=lambda i: (percentage_hash(samples[i].group), samples[i].group, samples[i].start_seconds)
    )
    total = len(ordered)
    test = min(total - 1, max(1, round(total * testing_percentage / 100))) if testing_percentage else 0
    rest = total - test
    validation = min(rest - 1, max(1, round(total * validation_percentage / 100))) if validation_percentage else 0
    names = [TRAIN] * (rest - validation) + [VALIDATION] * validation + [TEST] * test
    # Chunks of one recording that start later lie in the same or in later parts.
    chunks_of = zip([samples[i] for i in ordered], names, strict=True)
    sounds = grouped(((each.group, each.sha256), (each.start_seconds, name)) for each, name in chunks_of)
    starts = {sound: [start for start, _ in chunks] for sound, chunks in sounds.items()}
    parts: dict[int, str | None] = {}
    for i, name in zip(ordered, names, strict=True):
        sample, sound = samples[i], (samples[i].group, samples[i].sha256)
        last = bisect.bisect_left(starts[sound], sample.end_seconds - ROUNDING_SECONDS) - 1
        start, part = sounds[sound][last]
        parts[i] = None if start > sample.start_seconds and part != name else name
    return parts


def _note(class_name: str, have: int, noun: str, parts: list[str | None], wanted: list[str]) -> str:
    """What is said of a class that has too few recordings, or groups of them (the noun), to hold some out."""
    empty = [part for part in wanted if part not in parts]
    note = (
        f"class {class_name!r} has {have} of the {len(wanted)} {noun}s that an honest split needs "
        f"(add {count(len(wanted) - have, f'more {noun}')}); its recordings are split by time instead, "
        "so its accuracy may look better than it is"
    )
    if empty:
        note += f", and it has too few chunks for {' and '.join(empty)}"
    return note


def _note_of_shared(class_name: str, empty: list[str]) -> str:
    return (
        f"class {class_name!r} has no recording for {' and '.join(empty)}: those that it has are needed on other sides "
        "by classes that are heard in them too; add recordings, or use --folds 5"
    )


def non_overlapping_train_mask(samples: Sequence[Sample], held_out: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Which samples may be trained on while others are held out: those that are not, and share no sound with them.

    held_out: one truth value for each sample; so is what comes back. A class that would have nothing left to learn
    from keeps all its samples.
    """
    out = (samples[i] for i in np.flatnonzero(held_out).tolist())
    spans = grouped(((each.group, each.sha256), (each.start_seconds, each.end_seconds)) for each in out)
    held = {sound: _HeldSpans(of_sound) for sound, of_sound in spans.items()}
    nothing = _HeldSpans([])
    kept = ~held_out
    for i in np.flatnonzero(kept).tolist():
        sample = samples[i]
        kept[i] = not held.get((sample.group, sample.sha256), nothing).overlap(sample)
    learnt = {samples[i].class_name for i in np.flatnonzero(kept).tolist()}
    return np.asarray(kept | np.array([sample.class_name not in learnt for sample in samples], bool))


class _HeldSpans:
    """The stretches of one recording that are held out, in seconds, in order of their starts."""

    def __init__(self, spans: list[tuple[float, float]]) -> None:
        spans = sorted(spans)
        self._starts = [start for start, _ in spans]
        self._latest_ends = list(itertools.accumulate((end for _, end in spans), max))

    def overlap(self, sample: Sample) -> bool:
        """Whether one of the stretches shares sound with a sample."""
        begun = bisect.bisect_left(self._starts, sample.end_seconds - ROUNDING_SECONDS)
        return begun > 0 and self._latest_ends[begun - 1] > sample.start_seconds + ROUNDING_SECONDS


def by_class(samples: Sequence[Sample]) -> dict[str, list[int]]:
    """The positions of each class's samples."""
    return grouped((sample.class_name, i) for i, sample in enumerate(samples))
