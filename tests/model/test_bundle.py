"""A model's files while they are being replaced."""

import os
import shutil
import threading
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from audionet.bottleneck.backbone import LARGEST_NETWORK_BYTES, Network, load_backbone
from audionet.errors import AudionetError
from audionet.model.bundle import Model, load_model
from audionet.model.description import ModelDescription, TrainedNetwork
from audionet.model.litert import ClassifierHead, attach_head
from audionet.model.store import read_model, save_model
from audionet.model_files import ModelFiles
from audionet.options import LabelOptions
from audionet.parallel.provenance import is_from_here, remember_network
from audionet.parallel.sandbox import SandboxedNetwork
from audionet.settings import PictureSettings
from audionet.spectrogram.transform import SpectrogramRenderer
from audionet.system.files import sweep
from audionet.training.unknown import RejectionThresholds
from tests.crashes import contents
from tests.killed import killed_at
from tests.system.test_disk_full import files_up_to

PICTURE = np.zeros((299, 299, 3), np.uint8)


class Trained:
    """A model whose first class always wins, however it is called."""

    def __init__(self, labels: list[str], bias: float) -> None:
        backbone = load_backbone("rows", Path())
        (features,) = Network(backbone.flatbuffer).output_shapes[0]
        weights = np.zeros((features, len(labels)), np.float32)
        biases = np.array([bias] + [0.0] * (len(labels) - 1), np.float32)
        head = ClassifierHead(weights, biases, np.zeros(features, np.float32))
        self.network = TrainedNetwork(attach_head(backbone, head), b"a graph of " + labels[0].encode())
        renderer = SpectrogramRenderer.make(PictureSettings())
        self.description = ModelDescription(labels, renderer, RejectionThresholds(0, 1e9), *self.network.checksums)

    def save(self, files: ModelFiles) -> None:
        save_model(files, self.network, self.description)


@pytest.fixture(scope="module")
def models() -> tuple[Trained, Trained]:
    return Trained(["a", "b"], 0.0), Trained(["c", "d", "e"], 3.0)


@pytest.fixture
def files(models: tuple[Trained, Trained], tmp_path: Path) -> ModelFiles:
    """Where the first of them is saved."""
    saved = ModelFiles.beside(tmp_path / "graph.pb", tmp_path / "labels.txt")
    models[0].save(saved)
    return saved


def load(files: ModelFiles) -> Model:
    return load_model(LabelOptions(files.graph, files.labels))


def test_a_reader_sees_the_old_model_or_the_new_one(models: tuple[Trained, Trained], files: ModelFiles) -> None:
    stop = threading.Event()

    def replace_again_and_again() -> None:
        number = 0
        while not stop.wait(0.01):
            number += 1
            models[number % 2].save(files)

    writer = threading.Thread(target=replace_again_and_again)
    writer.start()
    seen: Counter[tuple[tuple[str, ...], float]] = Counter()
    try:
        while writer.is_alive() and (len(seen) < 2 or seen.total() < 10):
            model = load(files)
            score = round(float(model.score(PICTURE)[0][0]), 3)
            seen[tuple(model.labels), score] += 1
    finally:
        stop.set()
        writer.join()
    assert seen.keys() == {(("a", "b"), 0.5), (("c", "d", "e"), 0.909)}


@pytest.mark.usefixtures("models_at_rest")
def test_files_of_two_models_are_refused(models: tuple[Trained, Trained], files: ModelFiles) -> None:
    old = files.network.read_bytes()
    models[1].save(files)
    files.network.write_bytes(old)
    with pytest.raises(AudionetError, match=r"graph.json: does not fit graph.tflite; train it again"):
        load(files)
    os.truncate(files.network, LARGEST_NETWORK_BYTES + 1)
    with pytest.raises(AudionetError, match=r"graph.tflite: cannot be read .*; name another with --graph"):
        load(files)


def test_a_disk_that_is_full_leaves_the_old_model(
    models: tuple[Trained, Trained], files: ModelFiles, tmp_path: Path
) -> None:
    before = contents(tmp_path)
    with files_up_to(100_000), pytest.raises(AudionetError, match=r"graph.tflite: cannot be written"):
        models[1].save(files)
    assert contents(tmp_path) == before


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_kill_at_any_step_leaves_the_old_model_or_the_new_one(
    models: tuple[Trained, Trained], tmp_path: Path
) -> None:
    old, new = models
    wanted = {tuple(model.description.labels): model.network.flatbuffer for model in models}
    found = []
    for step in range(200):
        folder = tmp_path / str(step)
        files = ModelFiles.beside(folder / "x.pb")
        old.save(files)
        came = killed_at(step, lambda files=files: new.save(files))  # type: ignore[misc]
        read = read_model(files)
        assert read is not None, f"no model after a kill at step {step}"
        description, network = read
        assert network == wanted[tuple(description.labels)]
        found.append(description.labels == new.description.labels)
        sweep(folder)  # as the first write of another process does
        new.save(files)
        names = ["x.json", "x.pb", "x.tflite", "x_labels.txt"]
        assert sorted(path.name for path in folder.iterdir()) == names, f"left over after a kill at step {step}"
        if not came:
            break
        shutil.rmtree(folder)
    assert not found[0]
    assert found[-1]
    assert found == sorted(found)  # there is one step at which it becomes the new one
    assert len(found) > 15


def test_a_model_killed_before_its_network_has_its_name_is_labelled_with(
    models: tuple[Trained, Trained], tmp_path: Path
) -> None:
    files = ModelFiles.beside(tmp_path / "x.pb")
    models[0].save(files)
    files.network.rename(files.by_content(models[0].description.network_sha256))
    files.graph.unlink()
    files.labels.unlink()
    assert load_model(LabelOptions(tmp_path / "x.pb")).labels == ["a", "b"]


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("model.zip", b"PK\x03\x04model", "model.zip: is an archive; unpack it, and name the folder with --graph"),
        ("clip.wav", b"RIFF", "clip.wav: not a model (not a frozen TensorFlow graph); name one with --graph"),
        ("model.pb", b"", "model.pb: not a model (not a frozen TensorFlow graph); name one with --graph"),
        ("model.json", b"{}", "model.tflite: no such model file; train one with audionet retrain, or name it"),
        ("model.tflite", b"TFL3", "model.json: no such model file; train one with audionet retrain, or name it"),
    ],
)
def test_a_file_that_is_named_as_the_model_and_is_none_is_said_to_be_so(
    tmp_path: Path, name: str, content: bytes, said: str
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(AudionetError) as caught:
        load_model(LabelOptions(tmp_path / name))
    assert str(caught.value).startswith(str(tmp_path / said))


def test_two_models_in_one_folder_do_not_share_a_file(models: tuple[Trained, Trained], tmp_path: Path) -> None:
    for name, model in zip(("retrained_graph.pb", "other.pb"), models, strict=True):
        model.save(ModelFiles.beside(tmp_path / name))
    assert (tmp_path / "retrained_labels.txt").read_text() == "a\nb\n"
    assert (tmp_path / "other_labels.txt").read_text() == "c\nd\ne\n"
    assert load_model(LabelOptions(tmp_path / "retrained_graph.pb")).labels == ["a", "b"]
    assert load_model(LabelOptions(tmp_path / "other.pb")).labels == ["c", "d", "e"]


def test_the_description_is_the_authority_on_the_labels(files: ModelFiles, caplog: pytest.LogCaptureFixture) -> None:
    assert load(files).labels == ["a", "b"]
    assert caplog.text == ""
    for content, said in (
        ("of\nanother\nmodel\n", "labels.txt: names the classes of, another and model, and is not used"),
        ("b\na\n", "labels.txt: names the classes b and a, and is not used; the model knows a and b"),
        ("", "labels.txt: holds no classes, too many, or one twice; the model's own classes are used"),
    ):
        caplog.clear()
        files.labels.write_text(content)
        assert load(files).labels == ["a", "b"]
        assert said in caplog.text
    files.labels.unlink()
    assert load(files).labels == ["a", "b"]
    assert "labels.txt: no such file of classes; the model's own classes are used" in caplog.text


def test_a_network_from_here_runs_in_this_process_and_others_in_their_own(
    files: ModelFiles, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = load(files)
    assert isinstance(own.network, Network)
    for place in (tmp_path / "another machine's", Path("relative")):
        monkeypatch.setenv("XDG_STATE_HOME", str(place))
        others = load(files)
        assert isinstance(others.network, SandboxedNetwork)
        assert others.score(PICTURE)[0].tolist() == own.score(PICTURE)[0].tolist()


def test_a_list_of_networks_that_others_can_write_is_not_believed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    remember_network("0" * 64)
    assert is_from_here("0" * 64)
    assert not is_from_here("1" * 64)
    (listed,) = tmp_path.rglob("networks.txt")
    assert listed.stat().st_mode & 0o777 == 0o600
    with open(listed, "a", encoding="ascii") as file:
        file.write("2" * 30)  # as a run that is killed there leaves it
    remember_network("3" * 64)
    assert is_from_here("0" * 64)
    assert is_from_here("3" * 64)
    listed.write_text("0" * 64 + "\n")
    listed.chmod(0o622)
    assert not is_from_here("0" * 64)
    listed.rename(tmp_path / "elsewhere")
    (tmp_path / "elsewhere").chmod(0o600)
    listed.symlink_to(tmp_path / "elsewhere")
    assert not is_from_here("0" * 64)
    remember_network("1" * 64)  # follows no link
    assert (tmp_path / "elsewhere").read_text() == "0" * 64 + "\n"
