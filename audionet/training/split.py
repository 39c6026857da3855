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
    whole = [assigned.get(sample.group, TRAIN) for sample in samples]
    for of_class in (of_class for name, of_class in members.items() if name not in enough):
        for i, part in split_by_time(samples, of_class, validation_percentage, testing_percentage).items():
            whole[i] = part
    parts = _without_shared_sound(samples, whole)
    notes = []
    for class_name, of_class in members.items():
        empty = [part for part in wanted if part not in {parts[i] for i in of_class}]
        if class_name not in enough:
            have = len(recordings[class_name])
            noun = "group" if len({samples[i].source for i in of_class}) > have else "recording"
            notes.append(_note(class_name, have, noun, empty, len(wanted)))
        elif empty:
            notes.append(_note_of_shared(class_name, empty))
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
) -> dict[int, str]:
    """Lay a class's recordings end to end: the start is trained on, the end is for test, before it validation.

    Each wanted part gets at least one chunk if there are enough; training comes first, then test.
    """
    ordered = sorted(
        members, key=lambda i: (percentage_hash(samples[i].group), samples[i].group, samples[i].start_seconds)
    )
    total = len(ordered)
    test = min(total - 1, max(1, round(total * testing_percentage / 100))) if testing_percentage else 0
    rest = total - test
    validation = min(rest - 1, max(1, round(total * validation_percentage / 100))) if validation_percentage else 0
    parts = [TRAIN] * (rest - validation) + [VALIDATION] * validation + [TEST] * test
    return dict(zip(ordered, parts, strict=True))


def _without_shared_sound(samples: Sequence[Sample], parts: Sequence[str]) -> list[str | None]:
    """The parts once chunks that share sound with a test chunk, or are learnt and share some with any that is held out,
    are left out (None). A class that would have nothing left to learn from is learnt as a whole."""
    is_test, is_held_out = (np.array([part in some for part in parts]) for some in ((TEST,), (TEST, VALIDATION)))
    learnt, shares_with_test = non_overlapping_train_mask(samples, is_held_out), _overlapping(samples, is_test)
    is_left = is_test | (is_held_out & ~shares_with_test)
    return [TRAIN if learnt[i] else part if is_left[i] else None for i, part in enumerate(parts)]


def _note(class_name: str, have: int, noun: str, empty: list[str], needed: int) -> str:
    """What is said of a class that has too few recordings, or groups of them (the noun), to hold some out."""
    note = (
        f"class {class_name!r} has {have} of the {needed} {noun}s that an honest split needs "
        f"(add {count(needed - have, f'more {noun}')}); its recordings are split by time instead, "
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
    kept = ~(held_out | _overlapping(samples, held_out))
    learnt = {samples[i].class_name for i in np.flatnonzero(kept).tolist()}
    return np.asarray(kept | np.array([sample.class_name not in learnt for sample in samples], bool))


def _overlapping(samples: Sequence[Sample], held_out: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Which samples share sound with those that are held out, and those themselves: one truth value for each."""
    out = (samples[i] for i in np.flatnonzero(held_out).tolist())
    spans = grouped(((each.group, each.sha256), (each.start_seconds, each.end_seconds)) for each in out)
    held, nothing = {sound: _HeldSpans(of_sound) for sound, of_sound in spans.items()}, _HeldSpans([])
    return np.array([held.get((each.group, each.sha256), nothing).overlap(each) for each in samples], bool)


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
