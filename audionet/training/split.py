"""Which pictures are trained on and which are held out: by recording, by content, the same whatever is added later."""

import hashlib
import logging
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from audionet.errors import AudionetError
from audionet.options import RetrainOptions
from audionet.settings import OWN_FOLDS

logger = logging.getLogger(__name__)

TRAIN, VALIDATION, TEST = "train", "validation", "test"
PARTS = (TRAIN, VALIDATION, TEST)
# Of a class with fewer recordings, a tenth is too little to test on: each takes its turn in being held out.
FEW_RECORDINGS = 30
CLASSES_NAMED = 5  # in a warning
FOLDS = 5  # then, unless --folds says otherwise
ROUNDING_SECONDS = 1e-4  # far below a chunk, far above the rounding of its times


class Item(NamedTuple):
    """A picture as the split sees it.

    recording: what must stay together, the same for all chunks of one recording.
    start_seconds, end_seconds: its place in the recording.
    sound: the file that the seconds are of, where a group of files counts as one recording.
    fold: the data set's own.
    """

    class_name: str
    recording: str
    start_seconds: float
    end_seconds: float
    sound: str = ""
    fold: int | None = None


@dataclass(frozen=True)
class Split:
    """The part of each item (None: left out, for it shares sound with a held-out one), and what had to be said."""

    parts: list[str | None]
    notes: list[str]

    def indices(self, part: str) -> list[int]:
        """The positions of a part's items."""
        return [i for i, found in enumerate(self.parts) if found == part]


def split(items: Sequence[Item], validation_percentage: float, testing_percentage: float) -> Split:
    """Assign every item to train, validation or test.

    A recording's place depends on its own name alone, as in Google's retrain.py: its hash, 0 to 100, is compared
    with the percentages. A class that leaves a part empty so lends it the recording whose hash is nearest. A class
    with fewer recordings than parts is split by time instead: the start of every recording to train on, the end to
    test, and a note says so.
    """
    shares = {TEST: testing_percentage, VALIDATION: validation_percentage}
    wanted = [part for part, share in shares.items() if share > 0]
    parts: list[str | None] = [TRAIN] * len(items)
    notes = []
    for class_name, members in sorted(by_class(items).items()):
        recordings = {items[i].recording for i in members}
        missing = len(wanted) + 1 - len(recordings)
        if missing <= 0:
            assigned = split_recordings(recordings, validation_percentage, testing_percentage)
            for i in members:
                parts[i] = assigned[items[i].recording]
        else:
            for i, part in split_by_time(items, members, validation_percentage, testing_percentage).items():
                parts[i] = part
            notes.append(_note(class_name, len(recordings), missing, [parts[i] for i in members], wanted))
    return Split(parts, notes)


def split_recordings(
    recordings: Iterable[str], validation_percentage: float, testing_percentage: float
) -> dict[str, str]:
    """The part of each recording of one class; none of the wanted parts is empty if there are enough recordings."""
    by_hash = sorted((percentage_hash(name), name) for name in set(recordings))
    assigned = {}
    for position, name in by_hash:
        if position < testing_percentage:
            assigned[name] = TEST
        elif position < testing_percentage + validation_percentage:
            assigned[name] = VALIDATION
        else:
            assigned[name] = TRAIN
    names = [name for _, name in by_hash]
    # The lowest hashes are nearest to the held-out parts, the highest to training.
    borrowers = [
        (TEST, names, testing_percentage),
        (VALIDATION, names, validation_percentage),
        (TRAIN, names[::-1], 100),
    ]
    for part, nearest_first, share in borrowers:
        if share > 0 and part not in assigned.values():
            counts = Counter(assigned.values())
            lender = max(PARTS, key=lambda part: counts[part])
            assigned[next(name for name in nearest_first if assigned[name] == lender)] = part
    return assigned


def percentage_hash(name: str) -> float:
    """A number from 0 to under 100 that depends on the name alone, evenly spread."""
    return int(hashlib.sha256(name.encode(errors="surrogateescape")).hexdigest()[:8], 16) / 2**32 * 100


def split_by_time(
    items: Sequence[Item], members: Sequence[int], validation_percentage: float, testing_percentage: float
) -> dict[int, str | None]:
    """Lay a class's recordings end to end: the start is trained on, the end is for test, before it validation.

    Each wanted part gets at least one chunk if there are enough; training comes first, then test. A chunk that
    shares sound with one of a later part is left out (None).
    """
    ordered = sorted(
        members,
        key=lambda i: (percentage_hash(items[i].recording), items[i].recording, items[i].start_seconds),
    )
    count = len(ordered)
    test = min(count - 1, max(1, round(count * testing_percentage / 100))) if testing_percentage else 0
    rest = count - test
    validation = min(rest - 1, max(1, round(count * validation_percentage / 100))) if validation_percentage else 0
    names = [TRAIN] * (rest - validation) + [VALIDATION] * validation + [TEST] * test
    parts: dict[int, str | None] = {}
    for i, name in zip(ordered, names, strict=True):
        shares_sound = any(
            other != name
            and (items[j].recording, items[j].sound) == (items[i].recording, items[i].sound)
            and items[i].start_seconds < items[j].start_seconds < items[i].end_seconds - ROUNDING_SECONDS
            for j, other in zip(ordered, names, strict=True)
        )
        parts[i] = None if shares_sound else name
    return parts


def _note(class_name: str, have: int, missing: int, parts: list[str | None], wanted: list[str]) -> str:
    plural = "recording" if missing == 1 else "recordings"
    empty = [part for part in wanted if part not in parts]
    note = (
        f"class {class_name!r} has {have} of the {have + missing} recordings that an honest split needs "
        f"({missing} more {plural}); its recordings are split by time instead, "
        "so its accuracy may look better than it is"
    )
    if empty:
        note += f", and it has too few chunks for {' and '.join(empty)}"
    return note


def folds(items: Sequence[Item], count: int) -> list[int]:
    """The fold, 0 to count - 1, of each item: the recordings of each class dealt out by their hashes.

    A group that has recordings in several classes, as a speaker who says several words, is in one fold. A class with
    one recording is cut into pieces of time instead.
    """
    found = [0] * len(items)
    places: dict[str, int] = {}
    for _, members in sorted(by_class(items).items()):
        ordered = sorted(
            {items[i].recording for i in members},
            key=lambda name: (percentage_hash(name), name),
        )
        if len(ordered) > 1:
            filled = Counter(places[name] for name in ordered if name in places)
            for name in ordered:
                if name not in places:
                    places[name] = min(range(count), key=lambda fold: filled[fold])
                    filled[places[name]] += 1
            for i in members:
                found[i] = places[items[i].recording]
        else:
            in_time = sorted(members, key=lambda i: items[i].start_seconds)
            for n, i in enumerate(in_time):
                found[i] = n * min(count, len(in_time)) // len(in_time)
    return found


def own_folds(items: Sequence[Item]) -> list[int] | None:
    """The data set's own folds, numbered from 0; None if an item has none, or all have the same."""
    numbers = sorted({-1 if item.fold is None else item.fold for item in items})
    if len(numbers) < 2 or numbers[0] == -1:
        return None
    return [numbers.index(item.fold) for item in items if item.fold is not None]


def choose_folds(items: Sequence[Item], options: RetrainOptions) -> list[int] | None:
    """The folds to measure with; None for one split."""
    if options.folds is not None:
        own = own_folds(items)
        if own is None and options.folds == OWN_FOLDS:
            raise AudionetError(
                f"{options.image_dir}: its recordings come without folds of their own; say how many: --folds 5"
            )
        if own is not None and options.folds not in (OWN_FOLDS, max(own) + 1):
            logger.warning("--folds %d: the data set's own %d folds are used", options.folds, max(own) + 1)
        return own or folds(items, options.folds)
    if not options.refit:
        return None
    fewest = min(len({items[i].recording for i in members}) for members in by_class(items).values())
    return folds(items, FOLDS) if fewest < FEW_RECORDINGS else None


def single_recording_notes(items: Sequence[Item]) -> list[str]:
    """A warning if there are classes that have one recording."""
    names = [
        repr(name)
        for name, members in sorted(by_class(items).items())
        if len({items[i].recording for i in members}) == 1
    ]
    if not names:
        return []
    named = ", ".join(names[:CLASSES_NAMED]) + (", ..." if len(names) > CLASSES_NAMED else "")
    who = (
        f"class {named} has one recording" if len(names) == 1 else f"{len(names)} classes have one recording ({named})"
    )
    return [
        f"{who}: what is measured on other parts of the same recording says little about new ones; "
        "add some from another day"
    ]


def non_overlapping_train_mask(items: Sequence[Item], held_out: Sequence[bool]) -> list[bool]:
    """Which items may be trained on while others are held out: those that are not, and share no sound with them.

    A class that would have nothing left to learn from keeps all its items.
    """
    held: dict[str, list[Item]] = defaultdict(list)
    for item, out in zip(items, held_out, strict=True):
        if out:
            held[item.recording].append(item)
    kept = [
        not out and not any(_shares_sound(item, other) for other in held[item.recording])
        for item, out in zip(items, held_out, strict=True)
    ]
    learnt = {item.class_name for item, keep in zip(items, kept, strict=True) if keep}
    return [keep or item.class_name not in learnt for item, keep in zip(items, kept, strict=True)]


def by_class(items: Sequence[Item]) -> dict[str, list[int]]:
    """The positions of each class's items."""
    found: dict[str, list[int]] = defaultdict(list)
    for i, item in enumerate(items):
        found[item.class_name].append(i)
    return found


def _shares_sound(one: Item, other: Item) -> bool:
    return (
        one.sound == other.sound
        and one.start_seconds < other.end_seconds - ROUNDING_SECONDS
        and other.start_seconds < one.end_seconds - ROUNDING_SECONDS
    )
