"""Scores -> probabilities: the softmax at the end, trained in TensorFlow.

It is trained on scores of sound that the discriminant analysis behind them has not heard, so that its probabilities
say how often it is right on new sound, not on old.
"""

import functools
import itertools
import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from audionet.errors import AudionetError
from audionet.options import FitOptions
from audionet.system.files import make_inner_folder
from audionet.system.progress import Progress, silent
from audionet.system.tensorflow import start_tensorflow, writing_summaries

MOMENTUM = 0.9
STEP = 0.1  # of the logarithm, for a gradient and a learning rate of 1
FIRST_INVERSE_TEMPERATURE = 10.0  # near to where it ends for spoken digits and readers
LARGEST_LOGARITHM = 20.0  # of an inverse temperature: beyond it, the training ran away


@dataclass(frozen=True)
class Calibrator:
    """probabilities = softmax(inverse_temperature * scores).

    It has no biases: those that were learnt cost accuracy on all sets where they did anything (docs/experiments.md), so
    that calibration keeps the order of the classes.
    """

    inverse_temperature: float

    def probabilities(self, scores: NDArray[np.floating]) -> NDArray[np.float64]:
        """The probability of each class, 0 to 1: one row for each row of scores (n x classes)."""
        logits = self.inverse_temperature * scores
        exponentials = np.exp(logits - logits.max(axis=1, keepdims=True))
        return np.asarray(exponentials / exponentials.sum(axis=1, keepdims=True))


@dataclass(frozen=True)
class HistoryPoint:
    """How good the calibrator was after a step, on one part (`train` or `validation`)."""

    step: int
    part: str
    accuracy: float
    cross_entropy: float


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


def soft_targets(targets: np.ndarray, classes: int) -> np.ndarray:
    """What the probabilities are pulled to: not 1 for the true class, but (n + 1) / (n + 2) for n pictures.

    All n having been right does not mean that the next one will be (Laplace's rule of succession; for
    calibration: Platt, 1999). float32, pictures x classes.
    """
    doubt = 1 / (len(targets) + 2)
    return np.asarray(
        np.eye(classes)[targets] * (1 - doubt * classes / (classes - 1)) + doubt / (classes - 1), np.float32
    )


def train_calibrator(
    examples: Examples,
    validation: Examples | None,
    options: FitOptions,
    *,
    summaries_dir: Path | None = None,
    store: Store | None = None,
    progress: Progress = silent,
) -> CalibratorFit:
    """Train a calibrator by gradient descent with Nesterov momentum on cross entropy, each class counting the same.
    The learning rate falls to 0 along a straight line.

    At each step options.batch_size examples are drawn at random; -1, or more than there are, is all of them.
    summaries_dir: where TensorBoard's summaries (accuracy, cross entropy, and what was learnt so far) go, in its
    folders train and validation; the history holds the same. None is nowhere, and no history.
    store: is called every options.store_interval_steps; 0 is never.
    The same arguments give the same bytes on one machine. Raises AudionetError if the numbers grow beyond all bounds.
    """
    progress("training", 0, options.steps)
    tf = start_tensorflow()
    generator = np.random.default_rng(options.seed)
    count = len(examples.scores)
    descend, _ = _functions()
    # The logarithm is learnt, so that steps are shares of the temperature, whatever the scores' scale; and its speed.
    state = (tf.constant(math.log(FIRST_INVERSE_TEMPERATURE), tf.float32), tf.constant(0.0))
    parts = {"train": _as_tensors(examples, examples)}
    if validation is not None and len(validation.targets):
        parts["validation"] = _as_tensors(validation, examples)
    rates = np.float32(options.learning_rate) * (1 - np.arange(options.steps, dtype=np.float32) / options.steps)
    with _Watch(parts, options, summaries_dir) as watch:
        for start, stop in itertools.pairwise([0, *_stops(options, store)]):
            if options.batch_size == -1 or options.batch_size >= count:
                rows = np.tile(np.arange(count, dtype=np.int32), (stop - start, 1))
            else:
                draws = [generator.choice(count, options.batch_size, replace=False) for _ in range(start, stop)]
                rows = np.sort(np.array(draws, np.int32), axis=1)
            state = descend(*state, *parts["train"], tf.constant(rows), tf.constant(rates[start:stop]))
            if stop % options.eval_step_interval == 0 or stop == options.steps:
                watch.look(stop, tf.exp(state[0]))
                progress("training", stop, options.steps)
            if store is not None and options.store_interval_steps and stop % options.store_interval_steps == 0:
                store(stop, Calibrator(math.exp(state[0].numpy())))
    logarithm = float(state[0].numpy())
    if not abs(logarithm) < LARGEST_LOGARITHM:
        raise AudionetError(
            f"the learning rate {options.learning_rate:g} is too large, the training ran away; 1 is usual"
        )
    return CalibratorFit(Calibrator(math.exp(logarithm)), watch.history)


def _as_tensors(part: Examples, trained_on: Examples) -> tuple[Any, Any, Any]:
    """Scores, soft targets and weights, with which all classes of what is trained on count the same."""
    tf = start_tensorflow()
    count, classes = trained_on.scores.shape
    shares = np.bincount(trained_on.targets, minlength=classes) / count
    weights = 1 / (classes * np.maximum(shares, 1 / count))
    return (
        tf.constant(part.scores, tf.float32),
        tf.constant(soft_targets(part.targets, classes)),
        tf.constant(weights[part.targets], tf.float32),
    )


def _stops(options: FitOptions, store: Store | None) -> list[int]:
    """The steps after which the history is written or a calibrator is stored."""
    stops = {*range(options.eval_step_interval, options.steps, options.eval_step_interval), options.steps}
    if store is not None and options.store_interval_steps:
        stops |= set(range(options.store_interval_steps, options.steps, options.store_interval_steps))
    return sorted(stops)


class _Watch:
    """Looks at a training now and then, for its history and for TensorBoard; does nothing without a folder for it."""

    def __init__(self, parts: dict[str, tuple[Any, Any, Any]], options: FitOptions, summaries_dir: Path | None) -> None:
        self.history: History = []
        self._tf = start_tensorflow()
        self._parts = parts
        self._draw_size = options.validation_batch_size
        self._draws = np.random.default_rng(options.seed)
        self._writers: dict[str, Any] = {}
        self._folder = summaries_dir
        if summaries_dir is not None:
            for name in parts:
                make_inner_folder(summaries_dir / name)
            _remove_old_events(summaries_dir)
            with writing_summaries(summaries_dir):
                self._writers = {name: self._tf.summary.create_file_writer(str(summaries_dir / name)) for name in parts}

    def __enter__(self) -> "_Watch":
        return self

    def __exit__(self, *_: object) -> None:
        with writing_summaries(self._folder):
            for writer in self._writers.values():
                writer.close()

    def look(self, step: int, inverse_temperature: Any) -> None:
        """Note how good the calibrator is after a step."""
        tf = self._tf
        _, evaluate = _functions()
        for name, writer in self._writers.items():
            cross_entropy, accuracy = evaluate(inverse_temperature, *self._drawn(name))
            self.history.append(HistoryPoint(step, name, float(accuracy), float(cross_entropy)))
            with writing_summaries(self._folder), writer.as_default(step=step):
                tf.summary.scalar("cross_entropy", cross_entropy)
                tf.summary.scalar("accuracy", accuracy)
                if name == "train":
                    # The old name stays, so that TensorBoard draws old and new trainings into one chart.
                    tf.summary.scalar("sharpness", inverse_temperature)

    def _drawn(self, name: str) -> tuple[Any, ...]:
        """A part, or of the validation options.validation_batch_size examples, drawn anew each time (-1: all)."""
        tensors = self._parts[name]
        count = len(tensors[0])
        if name != "validation" or not 0 < self._draw_size < count:
            return tensors
        rows = np.sort(self._draws.choice(count, self._draw_size, replace=False))
        return tuple(self._tf.gather(tensor, rows) for tensor in tensors)


@functools.cache
def _functions() -> tuple[Any, Any]:
    """Several steps of the descent, and the loss and accuracy, as TensorFlow functions.

    They are traced once, for arrays of any size, and take many steps in one call: the folds are many and small.
    """
    tf = start_tensorflow()
    number, vector, matrix = (tf.TensorSpec([None] * axes, tf.float32) for axes in range(3))
    examples = (matrix, matrix, vector)

    def losses(inverse_temperature: Any, x: Any, wanted: Any, weight: Any) -> tuple[Any, Any]:
        logits = inverse_temperature * x
        entropy = tf.nn.softmax_cross_entropy_with_logits(labels=wanted, logits=logits)
        hits = tf.cast(tf.equal(tf.argmax(logits, 1), tf.argmax(wanted, 1)), tf.float32)
        return tf.reduce_mean(weight * entropy), tf.reduce_mean(hits)

    def step(logarithm: Any, velocity: Any, batch: tuple[Any, ...], rate: Any) -> tuple[Any, Any]:
        with tf.GradientTape() as tape:
            tape.watch(logarithm)
            loss, _ = losses(tf.exp(logarithm), *batch)
        change = STEP * rate * tape.gradient(loss, logarithm)
        velocity = MOMENTUM * velocity - change
        return logarithm + MOMENTUM * velocity - change, velocity

    # A function that TensorFlow traces takes tensors one by one, hence so many parameters.
    def descend(
        logarithm: Any, velocity: Any, x: Any, wanted: Any, weight: Any, rows: Any, rates: Any
    ) -> tuple[Any, Any]:
        def body(i: Any, *state: Any) -> tuple[Any, ...]:
            batch = tuple(tf.gather(part, rows[i]) for part in (x, wanted, weight))
            return (i + 1, *step(state[0], state[1], batch, rates[i]))

        count = tf.shape(rates)[0]
        start = (tf.constant(0), logarithm, velocity)
        return tuple(tf.while_loop(lambda i, *_: i < count, body, start)[1:])

    indices = tf.TensorSpec([None, None], tf.int32)
    return (
        tf.function(descend, input_signature=(number, number, *examples, indices, vector), autograph=False),
        tf.function(losses, input_signature=(number, *examples), autograph=False),
    )


def _remove_old_events(folder: Path) -> None:
    """Delete the events of former runs, whose curves TensorBoard would draw into the new ones."""
    for part in ("train", "validation"):
        if (folder / part).is_symlink():
            continue  # of no run of ours
        for path in (folder / part).glob("events.out.tfevents.*"):
            path.unlink()
