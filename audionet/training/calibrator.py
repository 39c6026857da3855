"""Scores -> probabilities: the softmax at the end, trained in TensorFlow.

What it is trained on are scores of sound that the discriminant analysis behind them has not heard. So its
probabilities say how often it is right on new sound, not on old.
"""

import functools
import itertools
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from audionet.errors import AudionetError
from audionet.system.progress import Progress, silent
from audionet.system.tensorflow import start_tensorflow

MOMENTUM = 0.9
FIRST_INVERSE_TEMPERATURE = 10.0  # near to where it ends for spoken digits and readers
SMALLEST_INVERSE_TEMPERATURE = 0.01
L2 = 1e-2  # weight of the penalty on squared biases: one wrong chunk of a small class must not move it far


@dataclass(frozen=True)
class Calibrator:
    """probabilities = softmax(sharpness * scores + biases). biases: float64, classes."""

    inverse_temperature: float
    biases: np.ndarray

    def probabilities(self, scores: np.ndarray) -> np.ndarray:
        """One row for each row of scores."""
        logits = self.inverse_temperature * scores + self.biases
        exponentials = np.exp(logits - logits.max(axis=1, keepdims=True))
        return np.asarray(exponentials / exponentials.sum(axis=1, keepdims=True))


@dataclass(frozen=True)
class HistoryPoint:
    """How good the softmax was after a step, on one part (`train` or `validation`)."""

    step: int
    part: str
    accuracy: float
    cross_entropy: float


History = list[HistoryPoint]


@dataclass(frozen=True)
class Examples:
    """scores: one row a picture. targets: the class of each."""

    scores: np.ndarray
    targets: np.ndarray


def soft_targets(targets: np.ndarray, classes: int) -> np.ndarray:
    """What the probabilities are pulled to: not 1 for the true class, but (n + 1) / (n + 2) for n pictures.

    All n having been right does not mean that the next one will be (Laplace's rule of succession; for
    calibration: Platt, 1999). float32, pictures x classes.
    """
    doubt = 1 / (len(targets) + 2)
    return np.asarray(
        np.eye(classes)[targets] * (1 - doubt * classes / (classes - 1)) + doubt / (classes - 1), np.float32
    )


def train(
    examples: Examples,
    validation: Examples | None,
    *,
    steps: int,
    learning_rate: float,
    batch_size: int,
    seed: int,
    summaries_dir: Path | None = None,
    history: History | None = None,
    evaluation_interval_steps: int = 10,
    validation_batch_size: int = -1,
    store: Callable[[int, Calibrator], None] | None = None,
    store_interval_steps: int = 0,
    progress: Progress = silent,
) -> Calibrator:
    """Train sharpness and biases by gradient descent with Nesterov momentum on cross entropy, each class counting
    the same. The learning rate falls to 0 along a straight line.

    batch_size: examples drawn at random at each step; -1, or more than there are, is all of them.
    TensorBoard summaries (accuracy and cross entropy, and what was learnt so far) go to summaries_dir/train and
    /validation, of validation_batch_size examples drawn anew each time (-1: of all). The same is added to the curve.
    store: is called with the step and what was learnt so far every store_interval_steps; 0 is never.
    The same arguments give the same bytes on one machine.
    """
    progress("training", 0, steps)
    tf = start_tensorflow()
    generator, validation_draws = np.random.default_rng(seed), np.random.default_rng(seed)
    count, classes = examples.scores.shape
    everything = batch_size == -1 or batch_size >= count
    descend, evaluate = _functions()
    # Sharpness and biases, and the velocity of each.
    state = (tf.constant(FIRST_INVERSE_TEMPERATURE), tf.zeros((classes,)), tf.zeros(()), tf.zeros((classes,)))
    shares = np.bincount(examples.targets, minlength=classes) / count
    weights = 1 / (classes * np.maximum(shares, 1 / count))

    def tensors(part: Examples) -> tuple[Any, Any, Any]:
        wanted = soft_targets(part.targets, classes)
        return (
            tf.constant(part.scores, tf.float32),
            tf.constant(wanted),
            tf.constant(weights[part.targets], tf.float32),
        )

    parts = {"train": tensors(examples)}
    if validation is not None and len(validation.targets):
        parts["validation"] = tensors(validation)
    writers = {}
    if summaries_dir is not None:
        _remove_old_events(summaries_dir)
        writers = {name: tf.summary.create_file_writer(str(summaries_dir / name)) for name in parts}
    rates = np.float32(learning_rate) * (1 - np.arange(steps, dtype=np.float32) / steps)
    stops = {*range(evaluation_interval_steps, steps, evaluation_interval_steps), steps}
    if store is not None and store_interval_steps:
        stops |= set(range(store_interval_steps, steps, store_interval_steps))
    for start, number in itertools.pairwise([0, *sorted(stops)]):
        if everything:
            rows = np.tile(np.arange(count, dtype=np.int32), (number - start, 1))
        else:
            draws = [generator.choice(count, batch_size, replace=False) for _ in range(start, number)]
            rows = np.sort(np.array(draws, np.int32), axis=1)
        state = descend(*state, *parts["train"], tf.constant(rows), tf.constant(rates[start:number]))
        inverse_temperature, biases = state[:2]
        if number % evaluation_interval_steps == 0 or number == steps:
            for name, looked_at in parts.items() if writers or history is not None else ():
                if name == "validation" and 0 < validation_batch_size < len(looked_at[0]):
                    rows = np.sort(validation_draws.choice(len(looked_at[0]), validation_batch_size, replace=False))
                    looked_at = tuple(tf.gather(tensor, rows) for tensor in looked_at)
                cross_entropy, accuracy = evaluate(inverse_temperature, biases, *looked_at)
                if history is not None:
                    history.append(HistoryPoint(number, name, float(accuracy), float(cross_entropy)))
                if name not in writers:
                    continue
                with writers[name].as_default(step=number):
                    tf.summary.scalar("cross_entropy", cross_entropy)
                    tf.summary.scalar("accuracy", accuracy)
                    if name == "train":
                        tf.summary.scalar("sharpness", inverse_temperature)
                        tf.summary.histogram("biases", biases)
            progress("training", number, steps)
        if store is not None and store_interval_steps and number % store_interval_steps == 0:
            store(number, Calibrator(float(inverse_temperature.numpy()), biases.numpy().astype(np.float64)))
    for writer in writers.values():
        writer.close()
    learnt = Calibrator(float(inverse_temperature.numpy()), biases.numpy().astype(np.float64))
    if not np.isfinite([learnt.inverse_temperature, *learnt.biases]).all():
        raise AudionetError(f"--learning-rate {learning_rate:g}: too large, the training ran away; 1 is usual")
    return learnt


@functools.cache
def _functions() -> tuple[Any, Any]:
    """Several steps of the descent, and the loss and accuracy, as TensorFlow functions.

    They are traced once, for arrays of any size, and take many steps in one call: the folds are many and small.
    """
    tf = start_tensorflow()
    number, vector, matrix = (tf.TensorSpec([None] * axes, tf.float32) for axes in range(3))
    examples = (matrix, matrix, vector)

    def losses(inverse_temperature: Any, biases: Any, x: Any, wanted: Any, weight: Any) -> tuple[Any, Any]:
        logits = inverse_temperature * x + biases
        entropy = tf.nn.softmax_cross_entropy_with_logits(labels=wanted, logits=logits)
        hits = tf.cast(tf.equal(tf.argmax(logits, 1), tf.argmax(wanted, 1)), tf.float32)
        return tf.reduce_mean(weight * entropy), tf.reduce_mean(hits)

    def step(state: tuple[Any, ...], batch: tuple[Any, ...], rate: Any) -> tuple[Any, ...]:
        variables, velocities = state[:2], state[2:]
        with tf.GradientTape() as tape:
            tape.watch(variables)
            loss = losses(*variables, *batch)[0] + L2 * tf.nn.l2_loss(variables[1])
        gradients = tape.gradient(loss, variables)
        moved = []
        for variable, velocity, gradient in zip(variables, velocities, gradients, strict=True):
            velocity = MOMENTUM * velocity - rate * gradient
            moved.append((variable + MOMENTUM * velocity - rate * gradient, velocity))
        (inverse_temperature, inverse_temperature_velocity), (biases, biases_velocity) = moved
        return (
            tf.maximum(inverse_temperature, SMALLEST_INVERSE_TEMPERATURE),
            biases,
            inverse_temperature_velocity,
            biases_velocity,
        )

    def descend(
        inverse_temperature: Any, biases: Any, v: Any, w: Any, x: Any, wanted: Any, weight: Any, rows: Any, rates: Any
    ) -> tuple[Any, ...]:
        def body(i: Any, *state: Any) -> tuple[Any, ...]:
            batch = tuple(tf.gather(part, rows[i]) for part in (x, wanted, weight))
            return (i + 1, *step(state, batch, rates[i]))

        count = tf.shape(rates)[0]
        start = (tf.constant(0), inverse_temperature, biases, v, w)
        shapes = tuple(value.shape for value in start)
        return tuple(tf.while_loop(lambda i, *_: i < count, body, start, shapes)[1:])

    state = (number, vector, number, vector)
    indices = tf.TensorSpec([None, None], tf.int32)
    return (
        tf.function(descend, input_signature=(*state, *examples, indices, vector), autograph=False),
        tf.function(losses, input_signature=(number, vector, *examples), autograph=False),
    )


def _remove_old_events(folder: Path) -> None:
    """TensorBoard would draw the curves of former runs into the new ones."""
    for part in ("train", "validation"):
        for path in (folder / part).glob("events.out.tfevents.*"):
            path.unlink()
