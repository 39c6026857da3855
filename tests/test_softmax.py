from pathlib import Path

import numpy as np
import pytest

from audionet import softmax
from audionet.graft import graft
from audionet.softmax import SoftmaxLayer, Standardisation
from audionet.trunk import Interpreter, load_trunk

FEATURES, CLASSES = 12, 3


def clusters(count: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Three clouds of points, with features of very different size."""
    random = np.random.default_rng(seed)
    centres = np.random.default_rng(99).normal(0, 3, (CLASSES, FEATURES))
    targets = random.integers(0, CLASSES, count)
    features = (centres[targets] + random.normal(0, 1, (count, FEATURES))) * np.logspace(-2, 2, FEATURES)
    return features.astype(np.float16), targets.astype(np.int32)


def train(folder: Path, steps: int = 200, batch_size: int = 100, seed: int = 0, **options: float) -> SoftmaxLayer:
    features, targets = clusters(300)
    rows = np.arange(300)
    return softmax.train(
        features,
        targets,
        rows[:250],
        rows[250:],
        CLASSES,
        steps=steps,
        learning_rate=options.get("learning_rate", 1.0),
        batch_size=batch_size,
        seed=seed,
        summaries_dir=folder,
    )


def test_it_learns_what_can_be_told_apart(tmp_path: Path) -> None:
    features, targets = clusters(500, seed=1)
    assert (train(tmp_path).scores(features).argmax(axis=1) == targets).mean() > 0.98


def test_the_scores_of_a_picture_sum_to_one(tmp_path: Path) -> None:
    scores = train(tmp_path).scores(clusters(20)[0])
    assert scores.shape == (20, CLASSES)
    assert np.allclose(scores.sum(axis=1), 1, atol=1e-6)
    assert (scores >= 0).all()


def test_the_first_step_is_that_of_the_formula(tmp_path: Path) -> None:
    """From zero weights, a Nesterov step goes (1 + momentum) x rate down the mean of x (p - y), p being 1 / classes."""
    features, targets = clusters(300)
    standard = Standardisation.of(features[:250])
    x = standard.apply(features[:250]).astype(float)
    gradient = x.T @ (np.full((250, CLASSES), 1 / CLASSES) - np.eye(CLASSES)[targets[:250]]) / 250
    expected = standard.fold_into(
        (-0.5 * (1 + softmax.MOMENTUM) * gradient).astype(np.float32),
        (
            -0.5
            * (1 + softmax.MOMENTUM)
            * (np.full((250, CLASSES), 1 / CLASSES) - np.eye(CLASSES)[targets[:250]]).mean(axis=0)
        ).astype(np.float32),
    )
    found = train(tmp_path, steps=1, batch_size=-1, learning_rate=0.5)
    assert np.allclose(found.weights, expected.weights, rtol=1e-3, atol=1e-6)
    assert np.allclose(found.biases, expected.biases, rtol=1e-3, atol=1e-5)


def test_standardised_features_have_mean_zero_and_length_one() -> None:
    features, _ = clusters(400)
    standardised = Standardisation.of(features).apply(features)
    assert np.abs(standardised.mean(axis=0)).max() < 1e-3
    assert (standardised**2).sum(axis=1).mean() == pytest.approx(1, rel=0.01)


def test_the_same_seed_gives_the_same_bytes_and_another_does_not(tmp_path: Path) -> None:
    one, same = (train(tmp_path / name, batch_size=32, seed=7) for name in ("a", "b"))
    other = train(tmp_path / "c", batch_size=32, seed=8)
    assert one.weights.tobytes() == same.weights.tobytes()
    assert one.weights.tobytes() != other.weights.tobytes()


def test_tensorboards_own_reader_finds_the_curves_of_the_last_run_alone(tmp_path: Path) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    train(tmp_path, steps=20)
    train(tmp_path, steps=40)
    for part in ("train", "validation"):
        events = EventAccumulator(str(tmp_path / part), size_guidance={"tensors": 0})
        events.Reload()
        assert set(events.Tags()["tensors"]) == {"accuracy", "cross_entropy"}
        assert [event.step for event in events.Tensors("accuracy")] == [10, 20, 30, 40]


def test_a_grafted_network_scores_as_trunk_and_layer_do() -> None:
    trunk = load_trunk("rows", Path())
    interpreter = Interpreter(trunk.flatbuffer)
    random = np.random.default_rng(0)
    size = int(np.prod(interpreter.output_shape))
    layer = SoftmaxLayer(
        random.normal(0, 0.05, (size, 5)).astype(np.float32), random.normal(0, 1, 5).astype(np.float32)
    )
    network = graft(trunk, layer)
    whole = Interpreter(network)
    assert whole.output_shape == (5,)
    for _ in range(3):
        picture = random.integers(0, 255, (299, 299, 3)).astype(np.uint8)
        expected = layer.scores(interpreter.run(picture).reshape(1, -1))[0]
        assert np.allclose(whole.run(picture), expected, atol=1e-4)
    assert graft(trunk, layer) == network
