"""retrained_graph.pb as TensorFlow programs see it."""

import json
import runpy
import shutil
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import audionet
from audionet.bottleneck.backbone import Backbone, Interpreter, load_backbone
from audionet.bottleneck.litert_file import pack, schema, unpack
from audionet.errors import AudionetError
from audionet.model.bundle import Model, load_model
from audionet.model.frozen_graph import FrozenGraph
from audionet.model.graph_def import freeze
from audionet.model.litert import ClassifierHead, attach_head
from audionet.options import LabelOptions
from audionet.system.tensorflow import start_tensorflow
from tests.conftest import ROOT, Run, chirps, make_model, write_wav

# What label_image.py of 2018 does: import the graph, decode with TensorFlow, resize, subtract 0, divide by 255.
INDEPENDENT_PROGRAM = ROOT / "tests" / "independent_label_image.py"
CLASSES = {"low": (200.0, 400.0), "high": (2000.0, 3000.0), "middle": (800.0, 1200.0)}


@pytest.fixture(scope="module")
def trained(low_and_high: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("trained")
    make_model(folder, CLASSES, known=low_and_high, refit=False)
    return folder


def load(folder: Path) -> Model:
    return load_model(LabelOptions(folder / "tf_files/retrained_graph.pb", folder / "tf_files/retrained_labels.txt"))


def without_litert(folder: Path, copy: Path) -> Path:
    """A copy of the model in which only what TensorFlow reads is left."""
    (copy / "tf_files").mkdir(parents=True)
    for name in ("retrained_graph.pb", "retrained_graph.json", "retrained_labels.txt"):
        shutil.copy(folder / "tf_files" / name, copy / "tf_files" / name)
    return copy


def scores_of(model: Model, folder: Path) -> dict[str, dict[str, float]]:
    from audionet.inference.clips import score_clip

    pictures = sorted(folder.glob("tf_files/data_image/*/*.jpg"))[::4]  # three of each class
    return {str(path): score_clip(path, model).scores for path in pictures}


def graph_at(path: Path) -> FrozenGraph:
    return FrozenGraph(path.read_bytes(), path)


def test_an_independent_tensorflow_program_gets_the_same_scores(
    trained: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    files = trained / "tf_files"
    pictures = sorted(files.glob("data_image/*/*.jpg"))[::4]  # as in scores_of
    names = [INDEPENDENT_PROGRAM, files / "retrained_graph.pb", files / "retrained_labels.txt", *pictures]
    monkeypatch.setattr(sys, "argv", list(map(str, names)))
    runpy.run_path(str(INDEPENDENT_PROGRAM), run_name="__main__")  # here, where TensorFlow has started
    found: dict[str, dict[str, float]] = dict(map(json.loads, capsys.readouterr().out.splitlines()))
    ours = scores_of(load(trained), trained)
    assert found.keys() == ours.keys()
    for path, scores in found.items():
        assert max(scores, key=lambda label: scores[label]) == max(ours[path], key=lambda label: ours[path][label])
        assert scores == pytest.approx(ours[path], abs=0.02)


def test_a_graph_is_written_in_the_same_order_every_time(trained: Path) -> None:
    """Protocol buffers leave the order of a node's attributes to chance unless told otherwise."""
    from tensorflow.core.framework.graph_pb2 import GraphDef

    written = (trained / "tf_files" / "retrained_graph.pb").read_bytes()
    assert GraphDef.FromString(written).SerializeToString(deterministic=True) == written


@pytest.mark.usefixtures("graphs_here")
def test_label_reads_the_graph_where_there_is_no_litert_file(
    trained: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    copy = without_litert(trained, tmp_path / "copy")
    ours, theirs = scores_of(load(trained), trained), scores_of(load(copy), trained)
    assert "retrained_graph.tflite: is not there, so that retrained_graph.pb is used" in caplog.text
    for path, scores in theirs.items():
        assert scores == pytest.approx(ours[path], abs=0.02)
    clip = write_wav(tmp_path / "new.wav", chirps(77, 2000, 3000, 3.3))
    options = LabelOptions(copy / "tf_files/retrained_graph.pb", copy / "tf_files/retrained_labels.txt")
    (new,) = audionet.label(clip, options)
    assert (new.label, new.is_unknown) == ("high", False)
    noise = np.random.default_rng(0).normal(0, 3000, 48000).astype(np.int16)
    (outlier,) = audionet.label(write_wav(tmp_path / "noise.wav", noise), options)
    assert outlier.is_unknown  # the graph has the distance too


@pytest.mark.usefixtures("models_at_rest")
def test_a_graph_that_does_not_fit_its_description_is_refused(trained: Path, tmp_path: Path) -> None:
    copy = without_litert(trained, tmp_path / "copy")
    with open(copy / "tf_files" / "retrained_graph.pb", "ab") as file:
        file.write(b"\0")
    with pytest.raises(AudionetError, match=r"does not fit retrained_graph\.pb; train it again"):
        load(copy)


@pytest.mark.usefixtures("graphs_here")
def test_the_final_tensor_can_be_named(exported: Path, tmp_path: Path) -> None:
    assert "scores/of_tones" in names_and_operations(exported / "tf_files" / "retrained_graph.pb")
    copy = without_litert(exported, tmp_path / "copy")
    ours, theirs = scores_of(load(exported), exported), scores_of(load(copy), exported)
    assert theirs[min(theirs)] == pytest.approx(ours[min(ours)], abs=0.02)


def names_and_operations(path: Path) -> dict[str, str]:
    definition = start_tensorflow().compat.v1.GraphDef()
    definition.ParseFromString(path.read_bytes())
    return {node.name: node.op for node in definition.node}


def test_a_final_tensor_name_that_tensorflow_refuses_is_refused_first() -> None:
    for taken in ("Mul", "logits"):  # by the network, and by the layer
        with pytest.raises(AudionetError, match="is taken inside the network"):
            freeze(load_backbone("rows", Path()), layer_for(37758, 2), taken)


def layer_for(features: int, classes: int) -> ClassifierHead:
    random = np.random.default_rng(0)
    weights = random.normal(0, 0.01, (features, classes)).astype(np.float32)
    noise = np.full((features, 1), features**-0.5, np.float32)
    return ClassifierHead(weights, np.zeros(classes, np.float32), np.zeros(features, np.float32), noise=noise)


def test_the_graph_is_float_and_takes_any_number_of_pictures(trained: Path) -> None:
    tf = start_tensorflow()
    path = trained / "tf_files" / "retrained_graph.pb"
    operations = names_and_operations(path)
    assert operations["Mul"] == "Placeholder"
    assert operations["final_result"] == "Softmax"
    definition = tf.compat.v1.GraphDef()
    definition.ParseFromString(path.read_bytes())
    kinds = {node.attr[key].type for node in definition.node for key in ("T", "dtype") if key in node.attr}
    assert kinds == {tf.float32.as_datatype_enum, tf.int32.as_datatype_enum}  # int32: shapes and axes
    whole = tf.compat.v1.wrap_function(lambda: tf.compat.v1.import_graph_def(definition, name=""), [])
    run = whole.prune("Mul:0", "final_result:0")
    batch = np.random.default_rng(0).random((3, 299, 299, 3), np.float32)
    together = run(tf.constant(batch)).numpy()
    assert together.shape == (3, 3)
    for picture, scores in zip(batch, together, strict=True):
        assert run(tf.constant(picture[None])).numpy()[0] == pytest.approx(scores, abs=1e-4)


def test_every_operator_of_the_trunk_means_the_same_in_tensorflow(tmp_path: Path) -> None:
    """On random pictures, with the layer's scores far from 0 and 1."""
    backbone = load_backbone("rows", Path())
    layer = layer_for(37758, 5)
    (tmp_path / "graph.pb").write_bytes(freeze(backbone, layer))
    graph, litert = graph_at(tmp_path / "graph.pb"), Interpreter(attach_head(backbone, layer))
    for seed in range(3):
        blocks = np.random.default_rng(seed).integers(0, 256, (13, 13, 3), np.uint8)
        picture = np.kron(blocks, np.ones((23, 23, 1), np.uint8))
        (scores, distance), (ours, our_distance) = graph.run(picture), litert.run(picture)
        assert scores == pytest.approx(ours, abs=0.02)
        assert distance == pytest.approx(our_distance, rel=0.02)


def test_a_trunk_of_unknown_operators_is_refused() -> None:
    model = unpack(load_backbone("rows", Path()).flatbuffer)
    code = model.operatorCodes[model.subgraphs[0].operators[0].opcodeIndex]
    code.builtinCode = code.deprecatedBuiltinCode = schema().BuiltinOperator.LSTM
    with pytest.raises(AudionetError, match="the operator LSTM"):
        freeze(Backbone("strange", pack(model, 1 << 20)), layer_for(37758, 2))


# Graphs as the original made them.


def graph_of_2018(path: Path, extra: Any = None) -> Path:
    """A graph with the original's names, which tells bright pictures from dark ones; and no description beside it.

    Its Mul is an operation behind DecodeJpeg, as in the Inception of 2015, fed by label_image.py all the same.
    """
    tf = start_tensorflow()
    with tf.Graph().as_default() as graph:
        contents = tf.compat.v1.placeholder(tf.string, name="DecodeJpeg/contents")
        decoded = tf.expand_dims(tf.cast(tf.image.decode_jpeg(contents, channels=3), tf.float32), 0)
        resized = tf.compat.v1.image.resize_bilinear(decoded, [299, 299])
        scaled = tf.multiply(resized - 128.0, 1 / 128, name="Mul")
        brightness = tf.reduce_mean(scaled, axis=(1, 2, 3))[:, None]
        tf.nn.softmax(tf.matmul(brightness - 0.5, [[-10.0, 10.0]]), name="final_result")
        if extra:
            extra(tf)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(graph.as_graph_def().SerializeToString())
    return path


def test_a_graph_of_2018_labels_pictures_and_recordings(tmp_path: Path, audionet: Run) -> None:
    from PIL import Image

    graph_of_2018(tmp_path / "tf_files" / "retrained_graph.pb")
    (tmp_path / "tf_files" / "retrained_labels.txt").write_text("dark\nbright\n")
    for name, brightness in (("night.jpg", 30), ("day.png", 220)):
        Image.new("RGB", (640, 480), (brightness,) * 3).save(tmp_path / name)
    write_wav(tmp_path / "tone.wav", chirps(0, 200, 400, 3))
    night, day, sound = json.loads(audionet.done("label", "night.jpg", "day.png", "tone.wav", "--format", "json"))
    assert (night["label"], day["label"]) == ("dark", "bright")
    assert night["scores"]["bright"] == pytest.approx(1 / (1 + np.exp(20 * (0.5 - 30 / 255))), abs=0.01)
    assert sound["label"] in ("dark", "bright")


def test_a_graph_that_would_touch_files_is_refused(tmp_path: Path) -> None:
    def write_a_file(tf: Any) -> None:
        tf.io.write_file(str(tmp_path / "written"), "x")

    graph = graph_of_2018(tmp_path / "graph.pb", write_a_file)
    with pytest.raises(AudionetError, match="refused, it holds the operation WriteFile"):
        graph_at(graph)
    assert not (tmp_path / "written").exists()


def test_a_graph_with_functions_or_of_too_many_operations_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    graph = graph_of_2018(tmp_path / "graph.pb")
    definition = start_tensorflow().compat.v1.GraphDef.FromString(graph.read_bytes())
    definition.library.function.add().signature.name = "Exp"  # which TensorFlow would call in place of the operation
    (tmp_path / "functions.pb").write_bytes(definition.SerializeToString())
    with pytest.raises(AudionetError, match="refused, it holds functions, which no frozen network"):
        graph_at(tmp_path / "functions.pb")
    monkeypatch.setattr("audionet.model.frozen_graph.MOST_NODES", 3)
    with pytest.raises(AudionetError, match=r"refused, it holds \d+ operations, more than any such network"):
        graph_at(graph)


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"no graph", "not a frozen TensorFlow graph"), (b"", "has no Mul or input or Placeholder")],
)
def test_what_is_no_graph_is_refused(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "graph.pb").write_bytes(content)
    with pytest.raises(AudionetError, match=message):
        graph_at(tmp_path / "graph.pb")


@pytest.mark.usefixtures("graphs_here")
def test_labels_that_do_not_fit_a_graph_of_2018_are_refused(tmp_path: Path) -> None:
    graph = graph_of_2018(tmp_path / "graph.pb")
    (tmp_path / "labels.txt").write_text("one\ntwo\nthree\n")
    with pytest.raises(AudionetError, match="has 3 classes"):
        load_model(LabelOptions(graph, tmp_path / "labels.txt"))
