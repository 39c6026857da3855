"""A model's files while they are being replaced."""

import threading
from pathlib import Path

import numpy as np
import pytest

from audionet.bottleneck.backbone import Network, load_backbone
from audionet.errors import AudionetError
from audionet.model.bundle import ModelFiles, describe_model, load_model, save_model
from audionet.model.litert import ClassifierHead, attach_head
from audionet.options import LabelOptions
from audionet.settings import PictureSettings
from audionet.spectrogram.transform import SpectrogramRenderer
from audionet.training.unknown import RejectionThresholds
from tests.crashes import contents
from tests.system.test_disk_full import files_up_to

PICTURE = np.zeros((299, 299, 3), np.uint8)


class Trained:
    """A model whose first class always wins, however it is called."""

    def __init__(self, labels: list[str], bias: float) -> None:
        backbone = load_backbone("rows", Path())
        (features,) = Network(backbone.flatbuffer).output_shapes[0]
        weights = np.zeros((features, len(labels)), np.float32)
        biases = np.array([bias] + [0.0] * (len(labels) - 1), np.float32)
        self.network = attach_head(backbone, ClassifierHead(weights, biases, np.zeros(features, np.float32)))
        self.graph = b"a graph of " + labels[0].encode()
        renderer = SpectrogramRenderer.make(PictureSettings())
        self.description = describe_model(self.graph, self.network, labels, renderer, RejectionThresholds(0, 1e9))

    def save(self, files: ModelFiles) -> None:
        save_model(files, self.graph, self.network, self.description)


@pytest.fixture(scope="module")
def models() -> tuple[Trained, Trained]:
    return Trained(["a", "b"], 0.0), Trained(["c", "d", "e"], 3.0)


def test_a_reader_sees_the_old_model_or_the_new_one(models: tuple[Trained, Trained], tmp_path: Path) -> None:
    options = LabelOptions(tmp_path / "graph.pb", tmp_path / "labels.txt")
    files = ModelFiles.beside(options.graph, options.labels)
    models[0].save(files)
    stop = threading.Event()

    def replace_again_and_again() -> None:
        number = 0
        while not stop.wait(0.01):
            number += 1
            models[number % 2].save(files)

    writer = threading.Thread(target=replace_again_and_again)
    writer.start()
    seen = set()
    try:
        for _ in range(60):
            model = load_model(options)
            score = round(float(model.score(PICTURE)[0][0]), 3)
            seen.add((tuple(model.labels), score))
    finally:
        stop.set()
        writer.join()
    assert seen == {(("a", "b"), 0.5), (("c", "d", "e"), 0.909)}


def test_files_of_two_models_are_refused(models: tuple[Trained, Trained], tmp_path: Path) -> None:
    options = LabelOptions(tmp_path / "graph.pb", tmp_path / "labels.txt")
    files = ModelFiles.beside(options.graph, options.labels)
    models[0].save(files)
    old = files.network.read_bytes()
    models[1].save(files)
    files.network.write_bytes(old)
    with pytest.raises(AudionetError, match=r"graph.json: does not fit graph.tflite; train it again"):
        load_model(options)


def test_a_disk_that_is_full_leaves_the_old_model(models: tuple[Trained, Trained], tmp_path: Path) -> None:
    options = LabelOptions(tmp_path / "graph.pb", tmp_path / "labels.txt")
    files = ModelFiles.beside(options.graph, options.labels)
    models[0].save(files)
    before = contents(tmp_path)
    with files_up_to(100_000), pytest.raises(AudionetError, match=r"graph.tflite: cannot be written"):
        models[1].save(files)
    assert contents(tmp_path) == before
