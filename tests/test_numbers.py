"""Numbers at the edge: none that is no number passes a stage in silence, and no number of classes or pictures fails."""

import shutil
import unicodedata
from functools import partial
from pathlib import Path

import numpy as np
import pytest

import audionet
from audionet.bottleneck.backbone import bottleneck
from audionet.dataset.manifest import renderer_from_json, renderer_to_json
from audionet.dataset.samples import Dataset
from audionet.errors import AudionetError
from audionet.model.bundle import Model
from audionet.options import FitOptions, PrepareOptions, RetrainOptions
from audionet.settings import PictureSettings
from audionet.spectrogram.transform import SpectrogramRenderer
from audionet.training.calibrator import Examples, train_calibrator
from audionet.training.classifier import Trainer
from audionet.training.lda import LinearDiscriminant, SufficientStatistics
from audionet.training.subspace import span
from audionet.training.unknown import RejectionThresholds
from tests.conftest import sample_of

RENDERER = SpectrogramRenderer.make(PictureSettings())


class Network:
    """Gives what it is told to."""

    def __init__(self, *outputs: np.ndarray) -> None:
        self.outputs = list(outputs)

    def run(self, picture: np.ndarray) -> list[np.ndarray]:
        assert picture.shape == (299, 299, 3)
        return self.outputs


PICTURE = np.zeros((299, 299, 3), np.uint8)


@pytest.mark.parametrize("number", [float("nan"), float("inf"), 70_000.0])
def test_a_network_whose_features_do_not_fit_is_refused(number: float) -> None:
    fitting = np.array([[1.0, 65_504.0]], np.float32)
    assert bottleneck(Network(fitting), PICTURE).tolist() == [1, 65_504]  # type: ignore[arg-type]
    with pytest.raises(AudionetError, match="features that are no finite numbers"):
        bottleneck(Network(np.array([[1.0, number]], np.float32)), PICTURE)  # type: ignore[arg-type]


@pytest.mark.parametrize(("scores", "distance"), [([0.5, float("nan")], 0.0), ([1.0, 0.0], float("nan"))])
def test_a_model_whose_scores_are_no_numbers_is_refused(scores: list[float], distance: float) -> None:
    network = Network(np.array(scores, np.float32), np.float32(distance))
    model = Model(["a", "b"], RENDERER, network, RejectionThresholds(0, 1))
    with pytest.raises(AudionetError, match="the model's scores are no numbers; train it again"):
        model.score(PICTURE)


def test_a_training_that_runs_away_is_told() -> None:
    scores = np.random.default_rng(0).normal(0, 1, (20, 3))
    examples = Examples(scores, np.arange(20, dtype=np.int32) % 3)
    with pytest.raises(
        AudionetError, match=r"the learning rate 1e\+38 is too large, the training ran away; 1 is usual"
    ):
        train_calibrator(examples, FitOptions(steps=5, learning_rate=1e38, train_batch_size=-1))


@pytest.mark.parametrize("number", [float("nan"), float("inf"), -1.0, 1e30])
def test_a_filter_bank_with_impossible_numbers_is_refused(number: float) -> None:
    bank = RENDERER.filter_bank.copy()
    bank[3, 5] = number
    assert renderer_from_json(renderer_to_json(RENDERER)).fingerprint == RENDERER.fingerprint
    with pytest.raises(ValueError, match="no filter bank"):
        renderer_from_json(renderer_to_json(SpectrogramRenderer(RENDERER.settings, bank, None)))


@pytest.mark.parametrize("samples", [np.zeros(16_000), np.full(16_000, 32_767), np.full(16_000, -32_768), np.arange(2)])
def test_extreme_sound_has_a_picture(samples: np.ndarray) -> None:
    with np.errstate(all="raise", under="ignore"):
        picture = RENDERER.render(samples.astype(np.int16))
    assert picture.shape == (299, 299)
    # An offset alone is no sound.
    assert picture.max() == (0 if np.ptp(samples) == 0 else 255) or len(samples) == 2


def test_five_hundred_classes_are_told_apart() -> None:
    """Two recordings of each."""
    random = np.random.default_rng(0)
    targets = np.repeat(np.arange(500), 2).astype(np.int32)
    features = (random.normal(0, 1, (500, 64))[targets] + random.normal(0, 0.1, (1000, 64))).astype(np.float16)
    samples = [sample_of(f"class {target:03}", f"recording {n}", 0.0, 1.0) for n, target in enumerate(targets)]
    trainer = Trainer(span(features, seed=0), Dataset(samples), 1.0, FitOptions(steps=50))
    everything = np.arange(1000)
    classifier = trainer.fit(everything).classifier
    probabilities = classifier.probabilities(trainer.coordinates(everything))
    assert probabilities.sum(axis=1) == pytest.approx(1)
    assert (probabilities.argmax(axis=1) == targets).mean() > 0.99


def test_one_picture_holds_its_own_against_ten_thousand() -> None:
    random = np.random.default_rng(0)
    targets = np.array([0] + [1] * 10_000, np.int32)
    coordinates = np.where(targets[:, None] == 0, -1.0, 1.0) + random.normal(0, 0.1, (10_001, 8))
    scores = LinearDiscriminant.of(SufficientStatistics.of(coordinates, targets, 2), 0.1).scores(coordinates)
    trained = train_calibrator(Examples(scores, targets), FitOptions(steps=200)).calibrator
    probabilities = trained.probabilities(scores)
    assert np.isfinite(probabilities).all()
    assert (probabilities.argmax(axis=1) == targets).all()


@pytest.mark.parametrize(("one", "other"), [("Anna", "anna"), ("caf\u00e9", "cafe\u0301"), ("\u00c9lan", "e\u0301lan")])
def test_classes_that_look_the_same_are_refused_with_both_names(two_classes: Path, one: str, other: str) -> None:
    shutil.copytree(two_classes / "low", two_classes / one)
    if (two_classes / other).exists():
        pytest.skip("this disk takes both names for one")
    shutil.copytree(two_classes / "low", two_classes / other)
    images = two_classes.parent / "data_image"
    drawing = partial(audionet.prepare, two_classes, PrepareOptions(images))
    for refused in (drawing, partial(audionet.retrain, RetrainOptions(two_classes))):
        with pytest.raises(AudionetError, match=r"the classes '.*' and '.*' differ only in upper and lower case"):
            refused()
    table = two_classes.parent / "table.csv"
    table.write_text(f"path,label\nlow/low-0.wav,{one}\nlow/low-1.wav,{other}\n", encoding="utf-8")
    options = PrepareOptions(images, metadata=table)
    for name in (one, other):
        shutil.rmtree(two_classes / name)
    audionet.prepare(two_classes, options)  # in a table they are one
    assert [path.name for path in images.iterdir() if path.is_dir()] == [unicodedata.normalize("NFC", one)]
