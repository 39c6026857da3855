"""Which samples are held out together: folds to measure with, and groups of what sounds alike to calibrate on.

A fold holds whole recordings. A group holds recordings that sound alike, whatever their class: one voice saying
different words, one room, one microphone. Held out together, they show how a model does on sound unlike any that it
was trained on, and that is what its scores must be true for: a new recording is seldom as like the old ones as these
are like each other.
"""

import itertools
import logging
import warnings
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from audionet.dataset.samples import Dataset, Sample
from audionet.errors import AudionetError
from audionet.options import SplitOptions
from audionet.settings import OWN_FOLDS
from audionet.system.grouping import grouped
from audionet.system.text import count as count_of
from audionet.training.split import TRAIN, Split, by_class, percentage_hash, split

logger = logging.getLogger(__name__)

# Of a class with fewer recordings, a tenth is too little to test on: each takes its turn in being held out.
FEW_RECORDINGS = 30
FOLDS = 5  # then, unless --folds says otherwise
CLASSES_NAMED = 5  # in a warning
GROUPS = 5  # of what sounds alike
ROUNDS = 50  # of k-means; it settles long before


@dataclass(frozen=True)
class EvaluationPlan:
    """How a classifier is to be measured: in folds, or on one split.

    folds: the fold of each sample, from 0; None for one split.
    split: the part of each sample; all are in `train` where there are folds.
    options: what the plan was made with.
    """

    folds: NDArray[np.intp] | None
    split: Split
    options: SplitOptions


def plan_evaluation(dataset: Dataset, options: SplitOptions) -> EvaluationPlan:
    """Folds, where they are asked for or a class has fewer than FEW_RECORDINGS recordings, else one split.

    Raises AudionetError if the data set's own folds are asked for, and it has none.
    """
    samples = dataset.samples
    chosen = _choose_folds(samples, options)
    if chosen is None:
        return EvaluationPlan(None, split(samples, options.validation_percentage, options.testing_percentage), options)
    notes = list(_notes(samples, _classes_in_one_fold(samples, chosen)))
    return EvaluationPlan(np.array(chosen, np.intp), Split([TRAIN] * len(samples), notes), options)


def _choose_folds(samples: Sequence[Sample], options: SplitOptions) -> list[int] | None:
    """The fold of each sample; None where one split is to be measured. Raises AudionetError."""
    if options.folds is not None:
        own = own_folds(samples)
        if own is None and options.folds == OWN_FOLDS:
            raise AudionetError(f"{_lack_of_folds(samples)}; say how many folds to make, such as 5")
        if own is None and any(sample.fold is not None for sample in samples):
            logger.warning("folds are made, and those of the table not used: %s", _lack_of_folds(samples))
        made = own or folds(samples, options.folds)
        if options.folds not in (OWN_FOLDS, max(made) + 1):
            reason = "these are the data set's own" if own else "no class has more recordings, or groups of them"
            logger.warning("not %d folds, but %d: %s", options.folds, max(made) + 1, reason)
        return made
    if not options.refit:
        return None
    fewest = min(len({samples[i].group for i in members}) for members in by_class(samples).values())
    return folds(samples, FOLDS) if fewest < FEW_RECORDINGS else None


def folds(samples: Sequence[Sample], count: int) -> list[int]:
    """The fold, 0 to count - 1, of each sample: the recordings of each class are dealt out by their hashes.

    A group that has recordings in several classes, as a speaker who says several words, is in one fold. A class with
    one recording is cut into pieces of time instead.
    """
    chosen = [0] * len(samples)
    fold_of: dict[str, int] = {}
    classes = [
        (class_name, members, {samples[i].group for i in members}) for class_name, members in by_class(samples).items()
    ]
    # Of recordings that classes share, a class with few comes first, or all that it has might lie in one fold.
    classes.sort(key=lambda of_class: (len(of_class[2]), of_class[0]))
    for _, _, names in classes:
        groups = sorted(names, key=lambda name: (percentage_hash(name), name))
        if len(groups) > 1:
            filled = Counter(fold_of[name] for name in groups if name in fold_of)
            for name in groups:
                if name not in fold_of:
                    fold_of[name] = min(range(min(count, len(groups))), key=lambda fold: filled[fold])
                    filled[fold_of[name]] += 1
    _spread([sorted(names) for _, _, names in classes if len(names) > 1], fold_of, count)
    for _, members, names in classes:
        if len(names) > 1:
            for i in members:
                chosen[i] = fold_of[samples[i].group]
        else:
            in_time = sorted(members, key=lambda i: samples[i].start_seconds)
            for n, i in enumerate(in_time):
                chosen[i] = n * min(count, len(in_time)) // len(in_time)
    return chosen


def _spread(classes: Sequence[list[str]], fold_of: dict[str, int], count: int) -> None:
    """Move groups to other folds, so that no class has all of its groups in one: it could not be held out there.

    classes: the groups of each, two or more. None is moved that would leave another class in one fold.
    """
    owners = grouped((name, groups) for groups in classes for name in groups)

    def is_spread(groups: list[str]) -> bool:
        return len({fold_of[name] for name in groups}) > 1

    for groups in classes:
        if is_spread(groups):
            continue
        home = fold_of[groups[0]]
        filled = Counter(fold_of.values())
        others = sorted({*filled, min(len(filled), count - 1)} - {home}, key=lambda fold: (filled[fold], fold))
        for name, fold in itertools.product(groups, others):
            spread = [owned for owned in owners[name] if is_spread(owned)]
            fold_of[name] = fold
            if all(map(is_spread, spread)):
                break
            fold_of[name] = home


def own_folds(samples: Sequence[Sample]) -> list[int] | None:
    """The data set's own folds, numbered from 0; None if a sample has none, or all have the same."""
    numbers = sorted({-1 if sample.fold is None else sample.fold for sample in samples})
    if len(numbers) < 2 or numbers[0] == -1:
        return None
    return [numbers.index(sample.fold) for sample in samples if sample.fold is not None]


def _lack_of_folds(samples: Sequence[Sample]) -> str:
    """Why there are no folds that are the data set's own."""
    without = sorted({sample.recording for sample in samples if sample.fold is None})
    if len(without) == len({sample.recording for sample in samples}):
        return "the recordings come without folds of their own"
    if not without:
        return "all recordings have the same fold"
    return f"{count_of(len(without), 'recording')} without a fold, such as {without[0]}"


def _classes_in_one_fold(samples: Sequence[Sample], folds_of: Sequence[int]) -> list[str]:
    """The classes of several samples that all lie in one fold, where nothing would be left to learn them from."""
    return [
        name
        for name, members in sorted(by_class(samples).items())
        if len(members) > 1 and len({folds_of[i] for i in members}) == 1
    ]


def _notes(samples: Sequence[Sample], unmeasured: Collection[str]) -> Iterator[str]:
    """Warnings of classes that can't be held out, or only with parts of their one recording, or group of them, left.

    unmeasured: the classes that lie in one fold.
    """
    classes = {name: [samples[i] for i in members] for name, members in sorted(by_class(samples).items())}
    if all(len(of_class) == 1 for of_class in classes.values()):
        yield (
            "each class has one picture: none can be held out, and how good the model is stays unknown; "
            "add recordings, or make shorter chunks with --chunk-seconds and --force of audionet prepare"
        )
        return
    if alone := [name for name, of_class in classes.items() if len(of_class) == 1]:
        yield (
            f"{_who(alone, 'one picture')}, which cannot be held out: how often that is recognised stays unknown; add "
            "recordings, from another day if you can"
        )
    in_parts = {
        name: of_class
        for name, of_class in classes.items()
        if len(of_class) > 1 and len({sample.group for sample in of_class}) == 1 and name not in unmeasured
    }
    if in_parts:
        one, same = "one recording", "recording"
        if any(len({sample.source for sample in of_class}) > 1 for of_class in in_parts.values()):
            one, same = "recordings of one group alone", "group"
        elif any(len({sample.recording for sample in of_class}) > 1 for of_class in in_parts.values()):
            one = "copies of one recording alone"
        yield (
            f"{_who(in_parts, one)}: what is measured on other parts of the same {same} says little about new ones; "
            "add some from another day"
        )
    if unmeasured:
        yield (
            f"{_who(unmeasured, 'all recordings in one fold')}, which cannot be held out then: it stays unknown how "
            "often they are recognised; spread them over the folds, or add recordings of other groups"
        )


def _who(classes: Collection[str], what: str) -> str:
    """Which class, or classes, of many the first, have something."""
    names = [repr(name) for name in classes]
    named = ", ".join(names[:CLASSES_NAMED]) + (", ..." if len(names) > CLASSES_NAMED else "")
    return f"class {named} has {what}" if len(names) == 1 else f"{len(names)} classes have {what} ({named})"


def cluster_groups(
    coordinates: NDArray[np.floating], targets: NDArray[np.int32], samples: Sequence[Sample], fallback: Sequence[int]
) -> NDArray[np.intp]:
    """A group, 0 to GROUPS - 1, for each sample; those of one class and recording stay together.

    coordinates: samples x axes. targets: the class of each. What a recording has beyond its class (its coordinates
    less the class's mean) is clustered by k-means. Where a class would lie in one group alone, its samples go into
    their `fallback` groups instead.
    """
    residuals = np.empty_like(coordinates)
    for number in np.unique(targets):
        members = targets == number
        residuals[members] = coordinates[members] - coordinates[members].mean(axis=0)
    recordings = grouped(((target, samples[i].group), i) for i, target in enumerate(targets.tolist()))
    points = np.stack([residuals[members].mean(axis=0) for members in recordings.values()])
    groups = np.empty(len(coordinates), np.intp)
    for group, indices in zip(_cluster(points, min(GROUPS, len(points))), recordings.values(), strict=True):
        groups[indices] = group
    for number in np.unique(targets):
        indices_of_class = np.flatnonzero(targets == number)
        if len(set(groups[indices_of_class])) == 1:
            groups[indices_of_class] = np.asarray(fallback)[indices_of_class]
    return groups


def _cluster(points: NDArray[np.floating], count: int) -> NDArray[np.intp]:
    """The cluster of each point by k-means, which starts from the point farthest from the mean, then the farthest
    from those, so that nothing is left to chance.

    SciPy's k-means is used, since scikit-learn takes a second longer to import.
    """
    from scipy.cluster.vq import kmeans2

    squares = (points**2).sum(axis=1)
    nearest = np.full(len(points), np.inf)
    starts = [int(np.argmax(squares))]
    while len(starts) < count:
        last = points[starts[-1]]
        nearest = np.minimum(nearest, squares - 2 * points @ last + last @ last)
        starts.append(int(np.argmax(nearest)))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # SciPy warns of an empty cluster, which does no harm: there are fewer groups
        _, clusters = kmeans2(points.astype(np.float64), points[starts].astype(np.float64), iter=ROUNDS, minit="matrix")
    return np.asarray(clusters, np.intp)
