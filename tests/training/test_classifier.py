import numpy as np
import pytest

from audionet.dataset.samples import Dataset
from audionet.options import FitOptions
from audionet.training.classifier import Trainer
from audionet.training.subspace import span
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
        fitted = trainer.fit(np.arange(len(samples)), np.empty(0, np.intp)).classifier
        scores = subspace.discriminant_of_features(fitted.discriminant).scores(new.astype(np.float32))
        probabilities = fitted.calibrator.probabilities(scores.astype(np.float64))
        confidence.append(probabilities.max(axis=1).mean())
        accuracy.append((probabilities.argmax(axis=1) == of_new).mean())
    assert np.mean(accuracy) - 0.035 < np.mean(confidence) < np.mean(accuracy)
