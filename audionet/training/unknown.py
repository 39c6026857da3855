"""What makes a clip unknown: less like its class than the class's own sound is, or unlike all that was learnt from."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from audionet.system.untrusted import Refused, StoredRecord, number, several, stored

# Share of the classes' own sound, held out with all that sounds like it, that is less typical than is believed (or
# scores lower, where that decides). Of new recordings it is a third of that (docs/experiments.md).
RARE = 0.15
BELIEVED = 0.75  # a higher score is believed, however typical the sound is
HIGHEST_DOUBT = 0.6  # the same where nothing is known of what is typical
# What lies FAR_MARGIN times as far as MOST of the training is none of it: new recordings lie a little farther, other
# sounds several times as far. (One odd recording may lie farther than they do; it is not asked.)
MOST, FAR_MARGIN = 0.95, 2.0
# Sound in noise, in wind or by telephone is known too. Where more than 1 - MOST of what is spoilt in one way lies too
# far, distances leave out the direction in which it is moved most, one after the other, up to so many
# (docs/experiments.md).
MOST_DIRECTIONS = 8
ROUNDING = 1e-4  # of a difference; what is left of one that lies along other directions is no longer
LENGTH_EXPONENT, SMALLEST_SHARE = 0.6, 1e-3  # the latter of a chunk, which is taken to sound
USUAL = 0.75  # share of the training that is nearer than the usual distance
# Of clips that are shorter than this share of the sound that was learnt from, the scores say too much: of quarters of a
# second of dogs, clocks and rain that were learnt in 5 seconds, .42 are right, and the mean score is .84
# (docs/experiments.md).
SHORT_SHARE = 0.5
# Why sound is unknown, as JSON and CSV name it.
UNLIKE_ALL, LOW_SCORE = "unlike_all", "low_score"
LARGEST_DISTANCE = 1e30  # squared; of 37,758 float16 numbers it is at most 2e14
SMALLEST = 1e-37  # of which a logarithm is taken: smaller float32 numbers are 0
DISTANCE_WEIGHT = 0.5  # of the distance in how typical sound is; from .3 to .7 all is nearly the same
# So many samples of all classes count beside a class's own: the deviation of three is mostly chance.
SHARED_SAMPLES = 5
SMALLEST_DEVIATION, LARGEST_VALUE = 1e-3, 1e6
SECONDS, DISTANCE = (number, 0, LARGEST_VALUE), (number, 0, LARGEST_DISTANCE)  # when read
LOGARITHM, DEVIATION = (number, -LARGEST_VALUE, LARGEST_VALUE), (number, SMALLEST_DEVIATION, LARGEST_VALUE)  # when read


class Alike(NamedTuple):
    """What samples are taken for where all that sounds like them is held out, each with its augmentations (speeds,
    parts): samples x augmentations.

    best: the probability of the likeliest class. own_logs: the centred logarithm of that of their own.
    """

    best: NDArray[np.floating]
    own_logs: NDArray[np.floating]


class HeldOut(NamedTuple):
    """The classes' own samples, as they are heard when they are held out.

    probabilities: with their recordings, samples x classes.
    parts: the same of parts of 2 seconds, samples x parts x classes; chunks of a few seconds have none.
    alike: with all that sounds like them.
    targets: the class of each. distances: comparable ones. fewest_recordings: that a class has.
    """

    probabilities: NDArray[np.floating]
    parts: NDArray[np.floating]
    alike: Alike
    targets: NDArray[np.integer]
    distances: NDArray[np.floating]
    fewest_recordings: int


@dataclass(frozen=True)
class Typicality(StoredRecord):
    """How the classes' own sound is heard when it is held out, so that other sound can be told from it.

    A siren that was not learnt may be more like a clock than like all else, and have a good score for it; but clocks
    score better still. How typical sound is of the class that it is taken for says so, in standard deviations: how much
    better it fits the class than the others do, against what is usual in this class, less DISTANCE_WEIGHT times how
    much farther it lies from the middle of the training than is usual. About 0 is usual, -3 rare.

    usual_logs, log_deviations: of each class, the mean and deviation of its own centred logarithm in its own sound.
    usual_log_distance, log_distance_deviation: those of the natural logarithms of comparable distances.
    lowest: sound that is less typical is not believed, unless its score is high.
    part_logs, part_deviations: as usual_logs and log_deviations, of parts of 2 seconds; None if there were none.
    """

    usual_logs: Annotated[list[float], stored("usual_logs", several, *LOGARITHM)]
    log_deviations: Annotated[list[float], stored("log_deviations", several, *DEVIATION)]
    usual_log_distance: Annotated[float, stored("usual_log_distance", *LOGARITHM)]
    log_distance_deviation: Annotated[float, stored("log_distance_deviation", *DEVIATION)]
    lowest: Annotated[float, stored("lowest", *LOGARITHM)]
    part_logs: Annotated[list[float] | None, stored("part_logs", several, *LOGARITHM)] = None
    part_deviations: Annotated[list[float] | None, stored("part_deviations", several, *DEVIATION)] = None

    def of(self, numbers: Any, logs: Any, distances: Any) -> Any:
        """How typical sound is, or a row of sounds. numbers: of the classes that it is taken for. logs: the centred
        logarithms of these classes. distances: comparable ones."""
        fit = (logs - np.array(self.usual_logs)[numbers]) / np.array(self.log_deviations)[numbers]
        far = (_log(distances) - self.usual_log_distance) / self.log_distance_deviation
        return fit - DISTANCE_WEIGHT * far

    def fit_of_windows(self, probabilities: NDArray[np.floating]) -> NDArray[np.float64]:
        """How well windows of 1 or 2 seconds fit their likeliest classes, in standard deviations of the classes' own.

        probabilities: windows x classes.
        """
        best = probabilities.argmax(axis=1)
        logs = np.take_along_axis(centred_logs(probabilities), best[:, None], axis=1)[:, 0]
        usual, deviations = (self.part_logs or self.usual_logs), (self.part_deviations or self.log_deviations)
        return np.asarray((logs - np.array(usual)[best]) / np.array(deviations)[best])

    @classmethod
    def learn(cls, held_out: HeldOut) -> "Typicality":
        """What is typical, from the classes' own sound."""
        targets, classes = held_out.targets, held_out.probabilities.shape[1]
        distances = _log(held_out.distances)
        parts = held_out.parts.shape[1]
        found = cls(
            *_usual_logs(held_out.probabilities, targets),
            float(distances.mean()),
            max(float(distances.std()), SMALLEST_DEVIATION),
            0.0,
            *(_usual_logs(held_out.parts.reshape(-1, classes), np.repeat(targets, parts)) if parts else ()),
        )
        typical = found.of(targets[:, None], held_out.alike.own_logs, held_out.distances[:, None])
        return replace(found, lowest=float(np.quantile(typical, RARE)))


def _usual_logs(probabilities: NDArray[np.floating], targets: NDArray[np.integer]) -> tuple[list[float], list[float]]:
    """The mean and the deviation of each class's own centred logarithm in its own sound."""
    own = np.take_along_axis(centred_logs(probabilities), targets[:, None], axis=1)[:, 0]
    by_class = [own[targets == number] for number in range(probabilities.shape[1])]
    mean = np.mean([logs.mean() for logs in by_class])
    variance = np.mean([logs.var() for logs in by_class])
    means = [(logs.sum() + SHARED_SAMPLES * mean) / (len(logs) + SHARED_SAMPLES) for logs in by_class]
    deviations = [
        np.sqrt((((logs - middle) ** 2).sum() + SHARED_SAMPLES * variance) / (len(logs) + SHARED_SAMPLES))
        for logs, middle in zip(by_class, means, strict=True)
    ]
    return [float(mean) for mean in means], [max(float(deviation), SMALLEST_DEVIATION) for deviation in deviations]


def centred_logs(probabilities: NDArray[np.floating]) -> NDArray[np.float64]:
    """The logarithms of probabilities (the last axis: classes), less their mean over the classes.

    The centred log-ratio (Aitchison, The Statistical Analysis of Compositional Data, 1982).
    """
    logs = _log(probabilities)
    return np.asarray(logs - logs.mean(axis=-1, keepdims=True))


def _log(values: Any) -> NDArray[np.float64]:
    """The natural logarithms of probabilities or distances, which may be 0."""
    return np.asarray(np.log(np.maximum(np.asarray(values, np.float64), SMALLEST)))


@dataclass(frozen=True)
class RejectionThresholds(StoredRecord):
    """What is known of sound of the classes, to tell sound of none of them.

    min_score: best scores of the classes' own sound are seldom lower.
    max_distance: its bottlenecks are hardly ever farther from the centroid of the training, as `comparable_distance`
        measures it.
    usual_distance: three quarters of them are nearer. What lies farther away for long is strange, though a single
        window of it may be of the classes. None: of a model whose training did not keep it.
    typicality: what decides in place of min_score. None: of a model whose training did not learn it, or where somebody
        says from which score on they believe.
    usual_seconds: of each class, how long its sound is that was learnt from, in the median. None: of a model whose
        training did not keep it.
    max_distances: of each class, how far away sound that is taken for it may lie as well, where that is farther than
        max_distance: a class may have so few pictures that all of them lie beyond it. None: as usual_seconds.
    """

    min_score: Annotated[float, stored("lowest_score", number, 0, 1)]
    max_distance: Annotated[float, stored("longest_distance", *DISTANCE)]
    usual_distance: Annotated[float | None, stored("usual_distance", *DISTANCE)] = None
    typicality: Annotated[Typicality | None, stored("typicality", Typicality.from_json)] = None
    usual_seconds: Annotated[list[float] | None, stored("usual_seconds", several, *SECONDS)] = None
    max_distances: Annotated[list[float] | None, stored("longest_distances", several, *DISTANCE)] = None

    def why_unknown(self, best: int, score: float, distance: float, typical: float | None = None) -> str:
        """Why sound at this comparable distance, whose best class has this number and score, is of none of the classes;
        "" if it may be.

        typical: how typical it is of the best; None if the model does not know.
        """
        if distance > max(self.max_distance, self.max_distances[best] if self.max_distances else 0.0):
            return UNLIKE_ALL
        if self.typicality is None or typical is None:
            return LOW_SCORE if score < self.min_score else ""
        return LOW_SCORE if score < BELIEVED and typical < self.typicality.lowest else ""

    def share_of_usual(self, best: int, seconds: float) -> float:
        """How long sound is that is taken for a class, as a share of SHORT_SHARE of what is usual there; at most 1."""
        least = SHORT_SHARE * self.usual_seconds[best] if self.usual_seconds else 0.0
        return seconds / least if seconds < least else 1.0

    def tempered(self, probabilities: NDArray[np.floating], seconds: float) -> NDArray[np.float64]:
        """The probabilities that a clip's chunks deserve (chunks x classes), which is so long in all.

        An average over less sound is less sure, by the root of its length, where a clip is shorter than SHORT_SHARE of
        what was learnt of the class that it is taken for.
        """
        share = self.share_of_usual(int(probabilities.mean(axis=0).argmax()), seconds)
        if share == 1:
            return np.asarray(probabilities, np.float64)
        logs = np.sqrt(share) * _log(probabilities)
        tempered = np.exp(logs - logs.max(axis=1, keepdims=True))
        return np.asarray(tempered / tempered.sum(axis=1, keepdims=True))

    @classmethod
    def of_classes(cls, content: Any, classes: int) -> "RejectionThresholds":
        """As `from_json`, of so many classes. Raises untrusted.Refused for anything else."""
        thresholds = cls.from_json(content)
        typical, of_each = thresholds.typicality, [thresholds.usual_seconds, thresholds.max_distances]
        if typical is not None:
            of_each += [typical.usual_logs, typical.log_deviations, typical.part_logs, typical.part_deviations]
        if any(len(values) != classes for values in of_each if values is not None):
            raise Refused("what is typical of other classes")
        return thresholds

    @classmethod
    def learn(
        cls, held_out: HeldOut, distances: Sequence[NDArray[np.floating]], usual_seconds: list[float]
    ) -> "RejectionThresholds":
        """From the classes' own sound. distances: the comparable ones of each class's samples, also of those not held
        out.

        What is typical is not learnt where a class has one recording: parts of it say nothing of how much more others
        differ.
        """
        typicality = Typicality.learn(held_out) if held_out.fewest_recordings > 1 else None
        doubt = min(float(np.quantile(held_out.alike.best, RARE)), HIGHEST_DOUBT)
        usual, of_most = (float(distance) for distance in np.quantile(np.concatenate(distances), [USUAL, MOST]))
        of_each = [FAR_MARGIN * float(np.median(of_class)) for of_class in distances]
        return cls(doubt, of_most * FAR_MARGIN, usual, typicality, usual_seconds, of_each)


def farness(distances: NDArray[np.floating], known: NDArray[np.floating]) -> float:
    """How far most of something lies, as a share of how far away the known is still believed. All are comparable
    distances."""
    return float(np.quantile(distances, MOST) / (FAR_MARGIN * max(float(np.quantile(known, MOST)), SMALLEST)))


def leading_direction(differences: NDArray[np.floating], left_out: NDArray[np.floating]) -> NDArray[np.floating]:
    """The direction in which most of some differences (n x axes) lie, however long they are, beside those that are left
    out (axes x k, orthonormal): of unit length, or zeros if nothing is left of the differences."""
    rest = differences - (differences @ left_out) @ left_out.T
    before, lengths = (np.linalg.norm(each, axis=1, keepdims=True) for each in (differences, rest))
    unit = np.where(lengths > ROUNDING * before, rest / np.maximum(lengths, SMALLEST), 0)
    values, vectors = np.linalg.eigh(unit @ unit.T)  # the largest comes last
    return np.asarray(unit.T @ vectors[:, -1] / np.sqrt(max(float(values[-1]), SMALLEST)))


def comparable_distance(squared_distance: Any, sounding_seconds: Any, chunk_seconds: float) -> Any:
    """Squared distances, or one, as they would be of full chunks. sounding_seconds: how much was heard for each.

    An average over less sound lies farther out, whether the clip is short or full of pauses. Measured on the sample
    voices' recordings that were not learnt from, in windows of 1.5 s of chunks of 3 and of 20 s, it falls with this
    power of the length (docs/experiments.md).
    """
    return squared_distance * np.power(np.clip(sounding_seconds / chunk_seconds, SMALLEST_SHARE, 1), LENGTH_EXPONENT)
