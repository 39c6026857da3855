"""Modules of TensorFlow Hub, made here and served over HTTP on this machine, compressed as TensorFlow Hub does."""

import io
import shutil
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from audionet import prepare, retrain
from audionet.bottleneck.backbone import Backbone, Interpreter
from audionet.errors import AudionetError
from audionet.hub.tfhub import google_handle, load_module, module_asked_for
from audionet.model.frozen_graph import FrozenGraph
from audionet.model.graph_def import freeze
from audionet.model.litert import ClassifierHead, attach_head
from audionet.options import PrepareOptions, RetrainOptions
from audionet.settings import PictureSettings
from audionet.system.tensorflow import start_tensorflow
from tests.conftest import Run, chirps, make_model, options_in, write_wav
from tests.served import Served

SIZE = 96  # pixels


@pytest.fixture(scope="module")
def module(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A reusable SavedModel of two convolutions, with endpoints, as Google's are."""
    tf = start_tensorflow()
    random = np.random.default_rng(0)

    class Vectors(tf.Module):  # type: ignore[name-defined, misc]
        def __init__(self) -> None:
            self.first = tf.Variable(random.normal(0, 0.3, (5, 5, 3, 8)).astype(np.float32))
            self.second = tf.Variable(random.normal(0, 0.2, (3, 3, 8, 16)).astype(np.float32))

        @tf.function  # type: ignore[untyped-decorator]
        def __call__(self, images: Any, training: bool = False, return_endpoints: bool = False) -> Any:
            del training  # as in Google's
            early = tf.nn.relu(tf.nn.conv2d(images, self.first, 4, "SAME"))
            late = tf.nn.relu(tf.nn.conv2d(early, self.second, 4, "SAME"))
            vector = tf.reduce_mean(late, (1, 2))
            return {"default": vector, "early": early, "late": late} if return_endpoints else vector

    vectors = Vectors()
    images = tf.TensorSpec((None, SIZE, SIZE, 3), tf.float32)
    for return_endpoints in (False, True):
        vectors.__call__.get_concrete_function(images, training=False, return_endpoints=return_endpoints)
    vectors.__call__.get_concrete_function(images)
    folder = tmp_path_factory.mktemp("modules") / "vectors"
    tf.saved_model.save(vectors, str(folder))
    return folder


def compressed(folder: Path) -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w:gz") as archive:
        archive.add(folder, ".")
    return file.getvalue()


@pytest.fixture
def served(module: Path) -> Iterator[Served]:
    server = Served(compressed(module), "made/here/1")
    yield server
    server.stop()


def load(handle: str, bottleneck: str | None, models: Path) -> Backbone:
    return load_module(handle, RetrainOptions(bottleneck=bottleneck, model_dir=models))


def options(handle: str, **others: object) -> RetrainOptions:
    return RetrainOptions(tfhub_module=handle, **others)  # type: ignore[arg-type]


def vector_of(module: Path, picture: np.ndarray) -> np.ndarray:
    """What the module itself makes of a picture."""
    tf = start_tensorflow()
    image = tf.image.resize(tf.constant(picture[None] / np.float32(255)), (SIZE, SIZE))
    return np.asarray(tf.saved_model.load(str(module))(image).numpy()[0])


def a_picture() -> np.ndarray:
    blocks = np.random.default_rng(1).integers(0, 256, (13, 13, 3), np.uint8)
    return np.kron(blocks, np.ones((23, 23, 1), np.uint8))


def test_it_is_downloaded_once_retrained_exported_and_labels_and_then_the_cache_serves(
    served: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, audionet_here: Run
) -> None:
    monkeypatch.setenv("TFHUB_CACHE_DIR", str(tmp_path / "cache"))
    first = make_model(tmp_path, tfhub_module=served.address)
    assert first.trained
    assert served.requests == ["/made/here/1?tf-hub-format=compressed"]
    served.stop()
    again = make_model(tmp_path, tfhub_module=served.address, seed=1)
    assert (again.trained, again.computed) == (True, 0)

    clips = [
        write_wav(tmp_path / "l.wav", chirps(70, 200, 400, 2)),
        write_wav(tmp_path / "h.wav", chirps(71, 2000, 3000, 2)),
    ]
    found = audionet_here("label", *clips)
    labels = [line.split()[0] for line in found.stdout.splitlines() if line.startswith("  ")]
    assert (found.returncode, labels[0], labels[2]) == (0, "low", "high")
    model = tmp_path / "tf_files" / "retrained_graph.tflite"
    picture = a_picture()
    scores, _ = Interpreter(model.read_bytes()).run(picture)
    theirs, _ = FrozenGraph(model.with_suffix(".pb").read_bytes(), model).run(picture)
    assert theirs == pytest.approx(scores, abs=0.02)

    shutil.rmtree(tmp_path / "cache")
    (sentence,) = audionet_here.refused("retrain", "--tfhub-module", served.address).splitlines()
    assert "can't be downloaded" in sentence
    assert "the network inside AudioNet needs no download" in sentence


@pytest.mark.parametrize("with_module", [False, True])
def test_only_of_the_embedded_network_it_is_known_how_alike_copies_are(
    module: Path, tmp_path: Path, with_module: bool, caplog: pytest.LogCaptureFixture
) -> None:
    for n in range(2):
        write_wav(tmp_path / "data_audio" / "low" / f"{n}.wav", chirps(n, 200, 400, 1))
        write_wav(tmp_path / "data_audio" / "high" / f"{n}.wav", chirps(10 + n, 2000, 3000, 1))
    nearly = chirps(0, 200, 400, 1) // 2  # quieter, and rounded anew
    write_wav(tmp_path / "data_audio" / "high" / "copy.wav", nearly)
    prepare(tmp_path / "data_audio", PrepareOptions(tmp_path / "data_image", PictureSettings(1, 0)))
    retrain(options_in(tmp_path, steps=10, write_report=False, tfhub_module=str(module) if with_module else None))
    assert ("high/copy.wav and low/0.wav hold the same sound" in caplog.text) == (not with_module)


def test_pool_3_is_the_modules_own_feature_vector(module: Path, tmp_path: Path) -> None:
    backbone = load(str(module), "pool_3", tmp_path)
    (found,) = Interpreter(backbone.flatbuffer).run(a_picture())
    wanted = vector_of(module, a_picture())
    assert found.shape == wanted.shape == (16,)
    assert found == pytest.approx(wanted, abs=0.02 * float(wanted.max()))
    (kept,) = tmp_path.iterdir()
    before = kept.stat().st_mtime_ns
    assert load(str(module), None, tmp_path).flatbuffer == backbone.flatbuffer
    assert kept.stat().st_mtime_ns == before  # converted once
    kept.write_bytes(b"damaged")
    assert load(str(module), None, tmp_path).graph_def is not None


def test_rows_come_from_the_last_endpoint_that_has_them(module: Path, tmp_path: Path) -> None:
    backbone = load(str(module), "rows", tmp_path)
    (found,) = Interpreter(backbone.flatbuffer).run(a_picture())
    tf = start_tensorflow()
    image = tf.image.resize(tf.constant(a_picture()[None] / np.float32(255)), (SIZE, SIZE))
    early = tf.saved_model.load(str(module))(image, training=False, return_endpoints=True)["early"].numpy()[0]
    wanted = np.concatenate([early.mean(axis=1).ravel(), early.std(axis=1).ravel()])
    assert found.shape == (2 * 24 * 8,)
    assert found == pytest.approx(wanted, abs=0.02 * float(wanted.max()))
    random = np.random.default_rng(0)
    layer = ClassifierHead(
        random.normal(0, 0.3, (384, 3)).astype(np.float32), np.zeros(3, np.float32), np.zeros(384, np.float32)
    )
    (tmp_path / "graph.pb").write_bytes(freeze(backbone, layer))
    theirs, ours = (
        FrozenGraph((tmp_path / "graph.pb").read_bytes(), tmp_path).run(a_picture()),
        Interpreter(attach_head(backbone, layer)).run(a_picture()),
    )
    assert theirs[0] == pytest.approx(ours[0], abs=0.02)
    assert theirs[1] == pytest.approx(float(ours[1]), rel=0.02)


def test_a_tar_gz_and_a_folder_give_the_same(module: Path, tmp_path: Path) -> None:
    (tmp_path / "vectors.tar.gz").write_bytes(compressed(module))
    packed = load(str(tmp_path / "vectors.tar.gz"), None, tmp_path / "models")
    (tmp_path / "folder.tar.gz").write_bytes(compressed(module.parent))  # which holds the module's folder
    for other in (module, module.parent, tmp_path / "folder.tar.gz"):
        assert packed.flatbuffer == load(str(other), None, tmp_path / "models").flatbuffer
    assert len(list((tmp_path / "models").iterdir())) == 1


def test_a_signature_will_do_and_bytes_are_fed_as_bytes(tmp_path: Path) -> None:
    """A module of a signature alone, which takes whole numbers and says at which size."""
    tf = start_tensorflow()
    holder = tf.Module()
    spec = tf.TensorSpec((None, 40, 40, 3), tf.uint8, name="images")
    function = tf.function(lambda images: {"default": tf.reduce_mean(tf.cast(images, tf.float32), (1, 2))})
    tf.saved_model.save(holder, str(tmp_path / "m"), {"image_feature_vector": function.get_concrete_function(spec)})
    backbone = load(str(tmp_path / "m"), None, tmp_path)
    picture = np.full((299, 299, 3), (10, 100, 250), np.uint8)
    assert Interpreter(backbone.flatbuffer).run(picture)[0] == pytest.approx([10, 100, 250], abs=1)
    with pytest.raises(AudionetError, match="no endpoint with 16 rows, only a feature vector: --bottleneck pool_3"):
        load(str(tmp_path / "m"), "rows", tmp_path)


@pytest.mark.parametrize(
    ("content", "message"),
    [(None, "no such folder or file"), (b"no archive", r"not a \.tar\.gz of a module \(no archive.*\)")],
)
def test_what_is_no_module_is_refused(tmp_path: Path, content: bytes | None, message: str) -> None:
    path = tmp_path / "m.tar.gz"
    if content:
        path.write_bytes(content)
    with pytest.raises(AudionetError, match=f"{message}; without --tfhub-module"):
        load(str(path), None, tmp_path)
    lite = tmp_path / "m.tflite"
    lite.write_bytes(b"no archive")
    with pytest.raises(AudionetError, match="a file of LiteRT, which is named with --backbone"):
        load(str(lite), None, tmp_path)
    (tmp_path / "empty").mkdir()
    with pytest.raises(AudionetError, match="not a module from pictures or sound to features"):
        load(str(tmp_path / "empty"), None, tmp_path)


def test_the_only_signature_may_have_any_name(tmp_path: Path) -> None:
    tf = start_tensorflow()
    spec = tf.TensorSpec((None, 40, 40, 3), tf.float32, name="images")
    function = tf.function(lambda images: {"default": tf.reduce_mean(images, (1, 2))}).get_concrete_function(spec)
    tf.saved_model.save(tf.Module(), str(tmp_path / "one"), {"infer": function})
    backbone = load(str(tmp_path / "one"), None, tmp_path / "models")
    assert Interpreter(backbone.flatbuffer).run(np.full((299, 299), 51, np.uint8))[0] == pytest.approx(0.2, abs=0.01)
    tf.saved_model.save(tf.Module(), str(tmp_path / "two"), {"infer": function, "embed": function})
    with pytest.raises(AudionetError, match=r"of its signatures embed, infer, none is called image_feature_vector or"):
        load(str(tmp_path / "two"), None, tmp_path / "models")


def test_a_module_whose_signature_takes_nothing_is_refused(tmp_path: Path) -> None:
    tf = start_tensorflow()
    function = tf.function(lambda: {"default": tf.ones((1, 2))}).get_concrete_function()
    tf.saved_model.save(tf.Module(), str(tmp_path / "m"), {"default": function})
    with pytest.raises(AudionetError, match="has no signature that takes anything"):
        load(str(tmp_path / "m"), None, tmp_path)


def test_names_mean_googles_modules() -> None:
    google = "https://tfhub.dev/google/imagenet"
    assert google_handle("mobilenet_v2_100_224") == f"{google}/mobilenet_v2_100_224/feature_vector/5"
    assert google_handle("mobilenet_1.0_224") == f"{google}/mobilenet_v1_100_224/feature_vector/5"
    assert google_handle("mobilenet_0.25_128") == f"{google}/mobilenet_v1_025_128/feature_vector/5"
    assert module_asked_for(RetrainOptions()) is None
    assert module_asked_for(RetrainOptions(architecture="resnet_v2_50")) == google_handle("resnet_v2_50")
    assert module_asked_for(options("inception_v3")) == google_handle("inception_v3")
    assert module_asked_for(options("https://a.example/b/1")) == "https://a.example/b/1"
