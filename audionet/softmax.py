"""Bottlenecks -> a new softmax layer, trained in TensorFlow. The only module that imports it."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from audionet.progress import Progress, silent
from audionet.quiet import quiet_stderr

EVALUATION_INTERVAL_STEPS = 10  # as in Google's retrain.py
EVALUATION_PICTURES = 1000  # of a part, at most, at each evaluation while training
MOMENTUM = 0.9
# Weight of the penalty on squared weights; the biases are free. Chosen on the training sides of spoken digits and
# LibriSpeech readers (docs/experiments.md).
L2 = 1e-4
SMALLEST_DEVIATION = 1e-3  # a feature that hardly varies must not be blown up


@dataclass(frozen=True)
class SoftmaxLayer:
    """scores = softmax(features @ weights + biases).

    weights: float32, features x classes. biases: float32, classes.
    """

    weights: np.ndarray
    biases: np.ndarray

    def scores(self, features: np.ndarray) -> np.ndarray:
        """Probabilities, float32, one row for each row of features."""
        logits = features.astype(np.float32) @ self.weights + self.biases
        exponentials = np.exp(logits - logits.max(axis=1, keepdims=True))
        return np.asarray(exponentials / exponentials.sum(axis=1, keepdims=True))


@dataclass(frozen=True)
class Standardisation:
    """Each feature less its mean, over its deviation, over the root of their number.

    So the learning rate means the same for every trunk, and no channel rules because its values are large.
    """

    mean: np.ndarray
    scale: np.ndarray

    @classmethod
    def of(cls, features: np.ndarray) -> "Standardisation":
        """From the training features, float16, one row a picture."""
        mean = features.mean(axis=0, dtype=np.float32)
        # Row by row, so that the float32 copy of all features is never made.
        variance = np.zeros_like(mean)
        for row in features:
            variance += (row - mean) ** 2
        deviation = np.sqrt(variance / len(features))
        return cls(mean, 1 / (np.maximum(deviation, SMALLEST_DEVIATION) * np.sqrt(np.float32(len(mean)))))

    def apply(self, features: np.ndarray) -> np.ndarray:
        """The standardised features, float32."""
        return np.asarray((features - self.mean) * self.scale, np.float32)

    def fold_into(self, weights: np.ndarray, biases: np.ndarray) -> SoftmaxLayer:
        """The layer for raw features that equals this one for standardised features."""
        folded = self.scale[:, None] * weights
        return SoftmaxLayer(folded.astype(np.float32), (biases - self.mean @ folded).astype(np.float32))


def train(
    features: np.ndarray,
    targets: np.ndarray,
    train_rows: np.ndarray,
    validation_rows: np.ndarray,
    classes: int,
    *,
    steps: int,
    learning_rate: float,
    batch_size: int,
    seed: int,
    summaries_dir: Path,
    progress: Progress = silent,
) -> SoftmaxLayer:
    """Train a softmax layer by gradient descent with Nesterov momentum on cross entropy and an L2 penalty.

    features: float16, one row a picture. targets: the class number of each row.
    batch_size: rows drawn at random at each step; -1, or more than there are, is all of them.
    TensorBoard summaries (accuracy and cross entropy) go to summaries_dir/train and /validation.
    The same arguments give the same bytes on one machine.
    """
    progress("training", 0, steps)
    tf = _import_tensorflow()
    generator = np.random.default_rng(seed)
    everything = batch_size == -1 or batch_size >= len(train_rows)
    standardisation = Standardisation.of(features[train_rows])
    weights = tf.Variable(tf.zeros((features.shape[1], classes)))
    biases = tf.Variable(tf.zeros((classes,)))
    velocities = [tf.Variable(tf.zeros_like(weights)), tf.Variable(tf.zeros_like(biases))]

    def losses(x: Any, y: Any) -> tuple[Any, Any]:
        logits = x @ weights + biases
        hits = tf.cast(tf.equal(tf.argmax(logits, 1, tf.int32), y), tf.float32)
        entropy = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=y, logits=logits)
        return tf.reduce_mean(entropy), tf.reduce_mean(hits)

    def step(x: Any, y: Any) -> None:
        with tf.GradientTape() as tape:
            loss = losses(x, y)[0] + L2 * tf.nn.l2_loss(weights)
        for variable, velocity, gradient in zip(
            (weights, biases), velocities, tape.gradient(loss, [weights, biases]), strict=True
        ):
            velocity.assign(MOMENTUM * velocity - learning_rate * gradient)
            variable.assign_add(MOMENTUM * velocity - learning_rate * gradient)

    run_step = tf.function(step, reduce_retracing=True)

    def tensors(rows: np.ndarray) -> tuple[Any, Any]:
        return tf.constant(standardisation.apply(features[rows])), tf.constant(targets[rows], tf.int32)

    evaluate = tf.function(losses, reduce_retracing=True)
    watched = {"train": train_rows, "validation": validation_rows}
    parts = {name: tensors(rows[:EVALUATION_PICTURES]) for name, rows in watched.items() if len(rows)}
    _remove_old_events(summaries_dir)
    writers = {name: tf.summary.create_file_writer(str(summaries_dir / name)) for name in parts}
    all_rows = tensors(train_rows) if everything else None
    for number in range(1, steps + 1):
        run_step(*(all_rows or tensors(np.sort(generator.choice(train_rows, batch_size, replace=False)))))
        if number % EVALUATION_INTERVAL_STEPS == 0 or number == steps:
            for name, part in parts.items():
                cross_entropy, accuracy = evaluate(*part)
                with writers[name].as_default(step=number):
                    tf.summary.scalar("cross_entropy", cross_entropy)
                    tf.summary.scalar("accuracy", accuracy)
            progress("training", number, steps)
    for writer in writers.values():
        writer.close()
    return standardisation.fold_into(weights.numpy(), biases.numpy())


def _import_tensorflow() -> Any:
    """TensorFlow without its start-up notes, on the processor, giving the same result every time."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")  # a layer this small is trained before a GPU has started
    with quiet_stderr():
        import tensorflow as tf

        tf.config.experimental.enable_op_determinism()
        tf.zeros(())  # starts the runtime, which has its own notes to write
    return tf


def _remove_old_events(folder: Path) -> None:
    """TensorBoard would draw the curves of former runs into the new ones."""
    for part in ("train", "validation"):
        for path in (folder / part).glob("events.out.tfevents.*"):
            path.unlink()
