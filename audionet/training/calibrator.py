"""Scores -> probabilities: the softmax at the end, and how it is trained.

It is trained on scores of sound that the discriminant analysis behind them has not heard, so that its probabilities
say how often it is right on new sound, not on old.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from audionet.errors import AudionetError
from audionet.options import FitOptions
from audionet.system.progress import Progress, silent

MOMENTUM = 0.9
STEP = 0.1  # of the logarithm, for a gradient and a learning rate of 1
FIRST_INVERSE_TEMPERATURE = 10.0  # near to where it ends for spoken digits and readers
# Of the cross entropy by the logarithm at the beginning. Where scores say little and are large, it is steeper; the
# first step would lead so far that none finds back. It is 2 for the sample voices.
STEEPEST_SLOPE = 5.0
# A picture counts at most so many times as much as it would if classes did not count the same: a few pictures that are
# all taken for another class would bring down the scores of thousands (docs/experiments.md).
LARGEST_WEIGHT = 4.0
LARGEST_LOGARITHM = 20.0  # of an inverse temperature: beyond it, the training ran away


@dataclass(frozen=True)
class Calibrator:
    """probabilities = softmax(inverse_temperature * scores).

    It has no biases: those that were learnt cost accuracy on all sets where they did anything (docs/experiments.md), so
    that calibration keeps the order of the classes.
    """

    inverse_temperature: float

    def probabilities(self, scores: NDArray[np.floating]) -> NDArray[np.float64]:
        """The probability of each class, 0 to 1, for scores of which the last dimension is classes."""
        return np.exp(self.log_probabilities(scores))

    def of_more(self, times: float) -> "Calibrator":
        """The calibrator of a discriminant that has learnt from so many times as much of each class.

        Where the classes' means are of few recordings, most of the scores' noise is theirs, and its variance falls as
        fast as their number grows, so that the inverse temperature grows with it. With many, it stays. Half-way between
        the two, scores say most often how often they are right, and seldom too much (docs/experiments.md).
        """
        return Calibrator(self.inverse_temperature * math.sqrt(times))

    def log_probabilities(self, scores: NDArray[np.floating]) -> NDArray[np.float64]:
        """The natural logarithms of the probabilities."""
        logits = self.inverse_temperature * scores
        logits -= logits.max(axis=-1, keepdims=True)
        return np.asarray(logits - np.log(np.exp(logits).sum(axis=-1, keepdims=True)))


@dataclass(frozen=True)
class HistoryPoint:
    """How good the calibrator was after a step, on one part (`train` or `validation`), and what was learnt by then."""

    step: int
    part: str
    accuracy: float
    cross_entropy: float
    inverse_temperature: float


History = list[HistoryPoint]
Store = Callable[[int, Calibrator], None]  # is given a step, and what was learnt so far


@dataclass(frozen=True)
class CalibratorFit:
    """A trained calibrator, and how it got better step by step; the history is empty if nobody watched."""

    calibrator: Calibrator
    history: History


@dataclass(frozen=True)
class Examples:
    """Examples to learn from. scores: examples x classes. targets: the number of the class of each."""

    scores: NDArray[np.floating]
    targets: NDArray[np.int32]


def soft_targets(targets: np.ndarray, classes: int) -> NDArray[np.float64]:
    """What the probabilities are pulled to: not 1 for the true class, but (n + 1) / (n + 2) for n pictures.

    All n having been right does not mean that the next one will be (Laplace's rule of succession; for
    calibration: Platt, 1999). Pictures x classes.
    """
    doubt = 1 / (len(targets) + 2)
    return np.asarray(np.eye(classes)[targets] * (1 - doubt * classes / (classes - 1)) + doubt / (classes - 1))


def train_calibrator(
    examples: Examples,
    options: FitOptions,
    *,
    watched: Examples | None = None,
    store: Store | None = None,
    progress: Progress = silent,
) -> CalibratorFit:
    """Train a calibrator by gradient descent with Nesterov momentum on cross entropy, each class counting the same
    (but see LARGEST_WEIGHT). The learning rate falls to 0 along a straight line.

    At each step options.train_batch_size examples are drawn at random; -1, or more than there are, is all of them.
    watched: examples of which the history tells too, by a point every options.eval_step_interval steps: of
    options.validation_batch_size of them, drawn anew each time (-1: of all). None: there is no history. store: is
    called every options.intermediate_store_frequency steps; 0 is never.
    The same arguments give the same bytes on one machine. Raises AudionetError if the numbers grow beyond all bounds.
    """
    progress("training", 0, options.steps)
    train = _Weighted.of(examples, examples)
    validation = None if watched is None else _Weighted.of(watched, examples)
    history: History = []
    draws, looks = (np.random.default_rng(options.seed) for _ in range(2))
    # The logarithm is learnt, so that steps are shares of the temperature, whatever the scores' scale.
    logarithm, velocity = np.float64(math.log(train.first_inverse_temperature())), np.float64(0)
    calibrator = Calibrator(float(np.exp(logarithm)))
    for step in range(1, options.steps + 1):
        rate = options.learning_rate * (1 - (step - 1) / options.steps)
        with np.errstate(over="ignore", invalid="ignore"):  # a training that runs away is told of below
            change = STEP * rate * train.drawn(options.train_batch_size, draws).slope(calibrator)
            velocity = MOMENTUM * velocity - change
            logarithm += MOMENTUM * velocity - change
            calibrator = Calibrator(float(np.exp(logarithm)))
        if step % options.eval_step_interval == 0 or step == options.steps:
            if validation is not None:
                drawn = validation.drawn(options.validation_batch_size, looks)
                history += [*train.point(step, "train", calibrator), *drawn.point(step, "validation", calibrator)]
            progress("training", step, options.steps)
        interval = options.intermediate_store_frequency
        if store is not None and interval and step % interval == 0:
            store(step, calibrator)
    if not abs(logarithm) < LARGEST_LOGARITHM:
        raise AudionetError(
            f"the learning rate {options.learning_rate:g} is too large, the training ran away; 1 is usual"
        )
    return CalibratorFit(calibrator, history)


@dataclass(frozen=True)
class _Weighted:
    """Examples, what their probabilities are pulled to, and how much each of them counts."""

    scores: NDArray[np.float64]
    targets: NDArray[np.int32]
    wanted: NDArray[np.float64]
    weights: NDArray[np.float64]

    @classmethod
    def of(cls, examples: Examples, trained_on: Examples) -> "_Weighted":
        """With weights by which all classes of what is trained on count the same, but for those of hardly any pictures,
        which count less."""
        count, classes = trained_on.scores.shape
        shares = np.bincount(trained_on.targets, minlength=classes) / count
        weights = np.minimum(1 / (classes * np.maximum(shares, 1 / count)), LARGEST_WEIGHT)
        scores, targets = np.asarray(examples.scores, np.float64), examples.targets
        return cls(scores, targets, soft_targets(targets, classes), weights[targets])

    def drawn(self, count: int, draws: np.random.Generator) -> "_Weighted":
        """So many of the examples, drawn at random; all of them for -1, or if there are no more."""
        if not 0 < count < len(self.targets):
            return self
        rows = draws.choice(len(self.targets), count, replace=False)
        return _Weighted(self.scores[rows], self.targets[rows], self.wanted[rows], self.weights[rows])

    def cross_entropy(self, calibrator: Calibrator) -> float:
        """The mean of what is made small."""
        return float((self.weights * -(self.wanted * calibrator.log_probabilities(self.scores)).sum(axis=1)).mean())

    def slope(self, calibrator: Calibrator) -> float:
        """The derivative of the cross entropy by the logarithm of the inverse temperature."""
        logits = calibrator.inverse_temperature * self.scores
        errors = calibrator.probabilities(self.scores) - self.wanted
        return float((self.weights * (errors * logits).sum(axis=1)).mean())

    def first_inverse_temperature(self) -> float:
        """Where to begin: not where it is so steep that one step leads too far."""
        inverse_temperature = FIRST_INVERSE_TEMPERATURE
        while self.slope(Calibrator(inverse_temperature)) > STEEPEST_SLOPE:
            inverse_temperature /= 2
        return inverse_temperature

    def point(self, step: int, part: str, calibrator: Calibrator) -> Iterator[HistoryPoint]:
        """How good the calibrator is on these examples, if there are any."""
        if len(self.targets):
            accuracy = float((self.scores.argmax(axis=1) == self.targets).mean())
            figures = accuracy, self.cross_entropy(calibrator), calibrator.inverse_temperature
            yield HistoryPoint(step, part, *figures)
