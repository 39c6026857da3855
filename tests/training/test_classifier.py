import tracemalloc

import numpy as np
import pytest

from audionet.dataset.samples import Dataset
from audionet.options import FitOptions
from audionet.spectrogram.augmentation import ORIGINAL, Augmentation, Spoiling
from audionet.training.classifier import Trainer
from audionet.training.subspace import PCA, span
from tests.conftest import sample_of

CLASSES, FEATURES = 6, 400


def sounds(recordings: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """So many of each class, float16, and their classes."""
    centres = np.random.default_rng(99).normal(0, 1, (CLASSES, FEATURES))
    targets = np.repeat(np.arange(CLASSES, dtype=np.int32), recordings)
    noise = np.random.default_rng(seed).normal(0, 2.5, (len(targets), FEATURES))
    return (centres[targets] + noise).astype(np.float16), targets


@pytest.mark.parametrize("recordings", [2, 3])
def test_scores_say_how_often_they_are_right_where_there_are_few_recordings(recordings: int) -> None:
    """Learnt from scores that were held out, they would be those of a model that knows less than this one."""
    new, of_new = sounds(300, 1)
    confidence, accuracy = list[float](), list[float]()
    for seed in range(2, 12):
        features, targets = sounds(recordings, seed)
        samples = [sample_of(f"class {target}", f"recording {n}", 0.0, 1.0) for n, target in enumerate(targets)]
        subspace = span(features, seed=0)
        trainer = Trainer(subspace, Dataset(samples), 1.0, FitOptions())
        fitted = trainer.fit(np.arange(len(samples))).classifier
        scores = subspace.discriminant_of_features(fitted.discriminant).scores(new.astype(np.float32))
        probabilities = fitted.calibrator.probabilities(scores.astype(np.float64))
        confidence.append(probabilities.max(axis=1).mean())
        accuracy.append((probabilities.argmax(axis=1) == of_new).mean())
    assert np.mean(accuracy) - 0.035 < np.mean(confidence) < np.mean(accuracy)


@pytest.mark.parametrize("is_cut", [False, True])
def test_a_class_is_usually_as_long_as_half_of_its_samples_or_the_parts_that_are_learnt(is_cut: bool) -> None:
    features, targets = sounds(3, 1)
    seconds = [(target + 1) * of_three for target, of_three in zip(targets, (0.5, 1.0, 9.0) * CLASSES, strict=True)]
    samples = [sample_of(f"class {t}", f"recording {n}", 0.0, seconds[n]) for n, t in enumerate(targets)]
    augmentations = [ORIGINAL, Augmentation(part=0.2)] if is_cut else [ORIGINAL]
    rows = np.repeat(features, len(augmentations), axis=0)
    trainer = Trainer(span(rows, seed=0), Dataset(samples), 10.0, FitOptions(steps=5), augmentations)
    usual = trainer.fit(np.arange(len(samples))).classifier.thresholds.usual_seconds
    assert usual == ([1, 2, 2, 2, 2, 2] if is_cut else [1, 2, 3, 4, 5, 6])


@pytest.mark.parametrize("projected", [False, True])
def test_what_is_measured_without_a_classifier_is_what_the_classifier_says(
    projected: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Some recordings are learnt from, one class has but one, and each sample has an augmentation."""
    monkeypatch.setattr("audionet.training.subspace.LARGEST_SPAN", 100 if projected else 4000)
    features, targets = sounds(20, 1)
    samples = [
        sample_of(f"class {target}", "one" if target == 2 else f"recording {n}", float(n), n + 1.0)
        for n, target in enumerate(targets)
    ]
    features = np.repeat(features, 2, axis=0) + np.random.default_rng(0).normal(0, 0.3, (240, FEATURES))
    trainer = Trainer(span(features.astype(np.float16), seed=0), Dataset(samples), 1.0, FitOptions(), [ORIGINAL] * 2)
    test = np.array([0, 1, 30, 31, 32, 90, 119])
    train = np.setdiff1d(np.arange(len(samples)), test)
    classifier = trainer.fit(train).classifier
    wanted = classifier.probabilities(trainer.coordinates(test))
    assert wanted.max() - wanted.min() > 0.5
    assert np.allclose(trainer.measure(train, test).probabilities, wanted, atol=0.01)


def test_of_hundreds_of_classes_the_scores_of_all_augmentations_are_not_held_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("audionet.training.lda.SCORES_AT_ONCE", 1 << 16)
    classes, augmentations = 400, 8
    targets = np.repeat(np.arange(classes), 3)
    samples = [sample_of(f"class {target:03}", f"recording {n}", 0.0, 1.0) for n, target in enumerate(targets)]
    features = np.random.default_rng(0).normal(0, 1, (len(samples) * augmentations, 20)).astype(np.float16)
    trainer = Trainer(
        PCA.of(features[:50]).project(features), Dataset(samples), 1.0, FitOptions(steps=5), [ORIGINAL] * augmentations
    )
    tracemalloc.start()
    trainer.fit(np.arange(len(samples)))
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 2 * 8 * len(samples) * augmentations * classes


@pytest.mark.parametrize("projected", [False, True])
@pytest.mark.parametrize(("moved", "wanted"), [(3.0, 0), (30.0, 2)])
def test_distances_leave_out_directions_in_which_what_is_spoilt_would_be_too_far(
    projected: bool, moved: float, wanted: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Sound is moved in one of two directions by noise, about as far as it lies apart or ten times as far. What else
    spoils it moves it a little, always in the same direction, which is not left out."""
    monkeypatch.setattr("audionet.training.subspace.LARGEST_SPAN", 100 if projected else 4000)
    features, targets = sounds(20, 1)
    samples = [sample_of(f"class {target}", f"recording {n}", 0.0, 1.0) for n, target in enumerate(targets)]
    random = np.random.default_rng(0)
    directions, others = np.split(np.linalg.qr(random.normal(0, 1, (FEATURES, 5))).Q, [2], axis=1)
    steps = moved * 6 * random.uniform(1, 2, (len(samples), 1)) * directions.T[np.arange(len(samples)) % 2]
    spoilt = [features + steps, *(features + 6 * other for other in others.T)]
    rows = np.stack([features, *spoilt], axis=1).reshape(-1, FEATURES).astype(np.float16)
    subspace, everything = span(rows, seed=0), np.arange(len(samples))
    kinds = (Spoiling.NOISE, Spoiling.HALL, Spoiling.HUM, Spoiling.WIND)
    augmentations = [ORIGINAL, *(Augmentation(spoiling=kind) for kind in kinds)]
    trainer = Trainer(subspace, Dataset(samples), 1.0, FitOptions(), augmentations)
    classifier = trainer.fit(everything).classifier
    left_out = subspace.in_features(classifier.left_out)
    assert left_out.shape == (FEATURES, wanted)
    assert np.allclose(left_out.T @ left_out, np.eye(wanted), atol=0.01)
    assert np.linalg.norm(directions.T @ left_out) ** 2 == pytest.approx(wanted, abs=0.05)
    differences = rows[1 :: len(augmentations)].astype(float) - subspace.features_at(classifier.centroid)
    squares = (differences**2).sum(axis=1) - ((differences @ left_out) ** 2).sum(axis=1)
    assert np.mean(squares <= classifier.thresholds.max_distance) >= 0.95
