"""Models and archives from strangers: refused with a sentence, before anything runs, is written or fills the memory."""

import ast
import contextlib
import dataclasses
import gzip
import hashlib
import io
import itertools
import json
import os
import re
import shutil
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import audionet
from audionet.bottleneck.backbone import Network
from audionet.bottleneck.litert_file import pack as network_bytes
from audionet.bottleneck.litert_file import schema, unpack
from audionet.errors import AudionetError
from audionet.hub import archives
from audionet.model.bundle import Model, load_model
from audionet.model.description import TrainingRecord
from audionet.model.litert import SubgraphWriter
from audionet.model_files import ModelFiles
from audionet.options import LabelOptions, PrepareOptions
from audionet.settings import PictureSettings
from audionet.spectrogram.filter_bank import pack
from audionet.system.tensorflow import start_tensorflow
from audionet.system.untrusted import Refused
from tests.conftest import ROOT
from tests.strange_files import small_network


@pytest.fixture
def copy(exported: Path, tmp_path: Path, models_at_rest: None) -> ModelFiles:  # noqa: ARG001
    """A copy of the model, to be tampered with."""
    for path in (exported / "tf_files").glob("retrained*"):
        shutil.copy(path, tmp_path)
    return ModelFiles.beside(tmp_path / "retrained_graph.pb", tmp_path / "retrained_labels.txt")


def load(files: ModelFiles) -> Model:
    return load_model(LabelOptions(files.graph, files.labels))


def tampered(files: ModelFiles, **changes: Any) -> None:
    description = json.loads(files.description.read_text())
    description |= changes
    files.description.write_text(json.dumps(description))
    if isinstance(description["labels"], list):
        files.labels.write_text("".join(f"{label}\n" for label in description["labels"]))


@pytest.mark.parametrize(
    "changes",
    [
        {"labels": ["low", "low"]},
        {"labels": ["low", "high", "third"]},
        {"labels": ["low", "\x1b[2Jhigh"]},
        {"labels": ["low", 7]},
        {"labels": "low"},
        {"labels": {"low": 1, "high": 2}},
        {"familiarity": {"lowest_score": float("nan"), "longest_distance": 1.0}},
        {"familiarity": None},
        {"pictures": []},
        {"filter_bank": "AAAA"},
        {"filter_bank": pack(np.full((299, 1025), np.nan, np.float32))},
        {"filter_bank": pack(np.zeros(20_000_000, np.uint8))},
        {"network_sha256": 7},
        {"format": 4},
    ],
    ids=lambda changes: str(changes)[:60],
)
def test_a_description_that_was_tampered_with_is_refused(copy: ModelFiles, changes: dict[str, Any]) -> None:
    tampered(copy, **changes)
    with pytest.raises(AudionetError, match="train it again with audionet retrain"):
        load(copy)


def test_a_description_of_brackets_alone_is_refused(copy: ModelFiles) -> None:
    copy.description.write_text("[" * 1_000_000)
    with pytest.raises(AudionetError, match="train it again"):
        load(copy)


def test_a_network_of_gigabytes_is_not_read(copy: ModelFiles) -> None:
    os.truncate(copy.network, 100 << 30)
    with pytest.raises(AudionetError, match="larger than"):
        load(copy)


def test_a_device_in_place_of_a_model_is_not_read(copy: ModelFiles) -> None:
    copy.network.unlink()
    copy.network.symlink_to("/dev/zero")
    with pytest.raises(AudionetError, match="no such model file"):
        load(copy)


@pytest.mark.parametrize(
    "name", ["../precious", "low/../../precious", "{outside}/precious", "link/precious", "a\0b", "a/" * 3000]
)
def test_an_index_that_names_files_elsewhere_deletes_none(two_classes: Path, tmp_path: Path, name: str) -> None:
    pictures, outside = tmp_path / "pictures", tmp_path / "outside"
    options = PrepareOptions(pictures, PictureSettings(1, 0), prune=True)
    audionet.prepare(two_classes, options)
    outside.mkdir()
    precious = [tmp_path / "precious.jpg", outside / "precious.jpg"]
    for path in precious:
        path.write_bytes(b"precious")
    (pictures / "link").symlink_to(outside, target_is_directory=True)
    index = json.loads((pictures / "audionet.json").read_text())
    entry = index["recordings"]["low/low-0.wav"]
    chunk = entry["chunks"][0] | {"name": name.format(outside=outside)}
    named = {"recordings": {"low/gone.wav": entry | {"chunks": [chunk]}}}, {"unfinished": [chunk["name"]]}
    for change, force in itertools.product(named, (False, True)):
        (pictures / "audionet.json").write_text(json.dumps(index | change))
        with contextlib.suppress(AudionetError):
            audionet.prepare(two_classes, dataclasses.replace(options, force=force))
    assert [path.read_bytes() for path in precious] == [b"precious"] * 2


def grown(flatbuffer: bytes, times: int) -> bytes:
    """The network with its picture repeated `times` on the way."""
    model = unpack(flatbuffer)
    graph = model.subgraphs[0]
    writer = SubgraphWriter(model, graph)
    big, distance = writer.add_tensor("big", (1, 299, 299, 3 * times)), writer.add_tensor("sum", (1,))
    multiples = writer.add_tensor("multiples", (4,), np.array([1, 1, 1, times]))
    axes = writer.add_tensor("all_axes", (3,), np.array([1, 2, 3]))
    writer.add_operator("TILE", [graph.inputs[0], multiples], big, schema().TileOptionsT())
    writer.add_operator("SUM", [big, axes], distance, schema().ReducerOptionsT())
    graph.outputs = [graph.outputs[0], distance]
    return network_bytes(model, 1 << 20)


def test_a_network_that_would_fill_the_memory_is_refused(exported: Path) -> None:
    flatbuffer = (exported / "tf_files" / "retrained_graph.tflite").read_bytes()
    assert Network(grown(flatbuffer, 2)).output_shapes == [(2,), ()]
    with pytest.raises(ValueError, match=r"a network that needs \d+ MB"):
        Network(grown(flatbuffer, 3000))


def test_a_damaged_network_is_refused_whatever_its_checksum_says(copy: ModelFiles) -> None:
    content = copy.network.read_bytes()[:1000] + bytes(5000)
    copy.network.write_bytes(content)
    tampered(copy, network_sha256=hashlib.sha256(content).hexdigest())
    with pytest.raises(AudionetError, match="damaged, or of another version"):
        load(copy)


@pytest.mark.parametrize(
    ("which", "field", "value"), [("in", "shape", [1, 20, 20, 3]), ("in", "type", 3), ("out", "type", 2)]
)
def test_a_network_of_another_picture_or_other_numbers_is_refused(which: str, field: str, value: Any) -> None:
    parse, write, content = small_network()
    assert Network(content).output_shapes == [(2,), ()]
    changed = parse()
    graph = changed.subgraphs[0]
    setattr(graph.tensors[(graph.inputs if which == "in" else graph.outputs)[0]], field, value)
    with pytest.raises((ValueError, RuntimeError)):  # by LiteRT itself, or by us
        Network(write(changed))


@pytest.mark.usefixtures("graphs_here")
def test_a_graph_whose_constants_would_fill_the_memory_is_refused(tmp_path: Path) -> None:
    tf = start_tensorflow()

    def graph(build: Callable[[Any], Any]) -> Path:
        with tf.Graph().as_default() as made:
            pictures = tf.compat.v1.placeholder(tf.float32, (None, 299, 299, 3), name="Mul")
            build(pictures)
        path = Path(tmp_path / "graph.pb")
        path.write_bytes(made.as_graph_def().SerializeToString())
        return path

    (tmp_path / "labels.txt").write_text("a\nb\n")
    for build in (
        lambda _: tf.nn.softmax(tf.fill((1 << 30, 2), 1.0), name="final_result"),
        lambda pictures: tf.nn.softmax(tf.tile(pictures, (1, 1, 1, 10_000)), name="final_result"),
    ):
        with pytest.raises(AudionetError, match=r"refused, it holds .* more than any network"):
            load_model(LabelOptions(graph(build), tmp_path / "labels.txt"))

    definition = tf.compat.v1.GraphDef()
    node = definition.node.add(name="final_result", op="Const")
    node.attr["value"].tensor.tensor_shape.dim.add(size=1 << 40)
    (tmp_path / "graph.pb").write_bytes(definition.SerializeToString())
    with pytest.raises(AudionetError, match=r"refused, it holds .* more than any network"):
        load_model(LabelOptions(tmp_path / "graph.pb", tmp_path / "labels.txt"))


@pytest.mark.usefixtures("graphs_here")
def test_a_saved_model_that_would_touch_files_is_refused(exported: Path, tmp_path: Path) -> None:
    assert audionet.label(exported / "data_audio" / "low" / "low-0.wav", LabelOptions(exported / "saved"))
    tf = start_tensorflow()
    hacked = tmp_path / "hacked"

    class Program(tf.Module):  # type: ignore[name-defined, misc]
        @tf.function(input_signature=[tf.TensorSpec((None, 299, 299, 3), tf.float32, name="pictures")])  # type: ignore[untyped-decorator]
        def serve(self, pictures: Any) -> dict[str, Any]:
            tf.io.write_file(str(hacked), "")
            means = tf.reduce_mean(pictures, axis=(1, 2, 3))
            return {"scores": tf.stack([means, means], axis=1), "squared_distance": means}

    program = Program()
    tf.saved_model.save(program, str(tmp_path / "program"), signatures=program.serve)
    extra = shutil.copytree(exported / "saved" / "assets.extra", tmp_path / "program" / "assets.extra")
    clip = exported / "data_audio" / "low" / "low-0.wav"
    (found,) = audionet.label(clip, LabelOptions(tmp_path / "program"))  # by the graph beside it, which is arithmetic
    assert found.label == "low"
    (extra / "frozen_graph.pb").rename(tmp_path / "frozen_graph.pb")
    with pytest.raises(AudionetError, match="not a SavedModel that audionet retrain --saved-model-dir made"):
        audionet.label(clip, LabelOptions(tmp_path / "program"))
    (extra / "frozen_graph.pb").write_bytes((tmp_path / "frozen_graph.pb").read_bytes() + b" ")
    with pytest.raises(AudionetError, match=r"audionet.json: does not fit frozen_graph.pb"):
        audionet.label(clip, LabelOptions(tmp_path / "program"))
    assert not hacked.exists()


def test_what_comes_from_elsewhere_is_never_loaded_as_a_saved_model() -> None:
    """Its functions may be called by names of operations, or swapped in: no look at it makes it harmless."""
    loading = {
        path.name
        for path in (ROOT / "audionet").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call)
        and ast.unparse(node.func).endswith((".load", "load_v2"))
        and ast.unparse(node.func) not in {"PictureIndex.load", "np.load", "archive.load"}
    }
    assert loading == {"tfhub.py"}


def tar(*members: tuple[tarfile.TarInfo, bytes]) -> io.BytesIO:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w:gz", format=tarfile.PAX_FORMAT) as archive:
        for info, content in members:
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    file.seek(0)
    return file


def member(name: str, kind: bytes = tarfile.REGTYPE, target: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    return info


@pytest.mark.parametrize(
    "info",
    [
        member("../out.txt"),
        member("a/../../out.txt"),
        member("/tmp/out.txt"),
        member("a\\..\\..\\out.txt"),
        member("C:out.txt"),
        member("link", tarfile.SYMTYPE, "/etc/passwd"),
        member("link", tarfile.SYMTYPE, "inside.txt"),
        member("link", tarfile.LNKTYPE, "../out.txt"),
        member("device", tarfile.CHRTYPE),
        member("pipe", tarfile.FIFOTYPE),
    ],
    ids=lambda info: f"{info.name} {info.type!r}",
)
def test_an_archive_writes_files_in_its_folder_and_nothing_else(tmp_path: Path, info: tarfile.TarInfo) -> None:
    folder = tmp_path / "deep" / "folder"
    with pytest.raises(ValueError, match=re.escape(f"refused, it holds {info.name!r}")):
        archives.extract(tar((member("inside.txt"), b"good"), (info, b"")), folder)
    assert [path.name for path in tmp_path.rglob("*") if not path.is_dir()] == ["inside.txt"]


def test_an_archive_is_unpacked(tmp_path: Path) -> None:
    archives.extract(tar((member("./a", tarfile.DIRTYPE), b""), (member("./a/b/c.txt"), b"content")), tmp_path)
    assert (tmp_path / "a" / "b" / "c.txt").read_bytes() == b"content"


def test_an_archive_that_unpacks_to_too_much_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bomb = tar((member("zeros"), bytes(30 << 20)))
    assert len(bomb.getvalue()) < 100_000
    monkeypatch.setattr(archives, "LARGEST_BYTES", 10 << 20)
    with pytest.raises(ValueError, match="refused, it holds more than"):
        archives.extract(bomb, tmp_path)
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) <= 11 << 20
    monkeypatch.setattr(archives, "MOST_FILES", 2)
    with pytest.raises(ValueError, match="refused, it holds more than 2 files"):
        archives.extract(tar(*((member(str(n)), b"") for n in range(3))), tmp_path)


def test_a_name_of_gigabytes_is_not_read(tmp_path: Path) -> None:
    long = member("././@LongLink", tarfile.GNUTYPE_LONGNAME)
    long.size = 20 << 20
    content = gzip.compress(long.tobuf(tarfile.GNU_FORMAT) + bytes(20 << 20))
    with pytest.raises(ValueError, match="refused, it holds a name or a header of many megabytes"):
        archives.extract(io.BytesIO(content), tmp_path)


def long_names(count: int) -> bytes:
    """A tar of headers that each announce the name of the next."""
    info = member("././@LongLink", tarfile.GNUTYPE_LONGNAME)
    info.size = 5
    return (info.tobuf(tarfile.GNU_FORMAT) + b"name\0".ljust(512, b"\0")) * count


NO_ARCHIVES = {
    "empty": b"",
    "text": b"no archive",
    "compressed text": gzip.compress(b"no archive" * 100),
    "cut off": tar().getvalue()[:15],
    "damaged where it is compressed": gzip.compress(long_names(3))[:14] + b"\xff" * 26,
    "headers without end": long_names(5000),
}


@pytest.mark.parametrize("content", NO_ARCHIVES.values(), ids=NO_ARCHIVES)
def test_what_is_no_archive_is_refused(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(ValueError, match="no archive, or a damaged one"):
        archives.extract(io.BytesIO(content), tmp_path)
    assert not any(tmp_path.rglob("*"))


def test_nothing_is_run_by_a_shell_and_nothing_is_unpickled() -> None:
    """What may be called in the package, the scripts and the benchmarks.

    Work goes to processes of our own, and back, as pickles; what comes from elsewhere never does.
    """
    forbidden = {"eval", "exec", "system", "popen", "getoutput", "getstatusoutput", "__import__", "Lambda"}
    modules = {"pickle", "marshal", "shelve", "dill", "cloudpickle", "joblib"}
    for path in [p for folder in ("audionet", "scripts", "benchmarks") for p in (ROOT / folder).rglob("*.py")]:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, (ast.Import, ast.ImportFrom)):
                names = {alias.name for alias in node.names} | {getattr(node, "module", None)}
                found = modules & {str(name).partition(".")[0] for name in names}
                assert not found or (found, path.name) == ({"pickle"}, "processes.py"), path
            if isinstance(node, ast.Call):
                function = node.func
                name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
                if ast.unparse(function) != "platform.system":
                    assert name not in forbidden, f"{path}:{node.lineno} calls {name}"
                for keyword in node.keywords:
                    is_off = isinstance(keyword.value, ast.Constant) and not keyword.value.value
                    assert keyword.arg not in ("shell", "allow_pickle") or is_off, f"{path}:{node.lineno}"


def test_a_report_that_was_tampered_with_is_not_taken_for_an_old_one(exported: Path) -> None:
    training = json.loads((exported / "tf_files" / "retrained_graph.json").read_text())["training"]
    labels = ["high", "low"]
    assert json.loads(json.dumps(TrainingRecord.of_labels(labels, training).to_json())) == training
    held_out = training["held_out"]
    sparse = {"truth": [0, 1], "predicted": [0, 1], "times": [3, 4]}
    of_many = TrainingRecord.of_labels(labels, training | {"held_out": held_out | {"confusion": sparse}})
    assert of_many.held_out is not None
    assert of_many.held_out.confusion.matrix.tolist() == [[3, 0], [0, 4]]
    wrong_matrices = [7, [[1, 2]], [[1], [2]], [[0, 0], [0, 0]], sparse | {"truth": [0, 2]}, sparse | {"times": [3]}]
    wrong_matrices += [sparse | {"times": [0, 1]}, {"truth": [], "predicted": [], "times": []}, {"truth": [0]}]
    wrong_held_out = [held_out | {"confusion": wrong} for wrong in wrong_matrices]
    for wrong in (*wrong_held_out, [1], held_out | {"mistakes": [{}]}, held_out | {"recordings": 10**400}):
        with pytest.raises(Refused):
            TrainingRecord.of_labels(labels, training | {"held_out": wrong})
    edits: list[dict[str, Any]] = [{"data_warnings": 7}, {"key": None}, {"validation_accuracy": 10**400}]
    for changes in (*edits, {"options": {"steps": []}}):
        with pytest.raises(Refused):
            TrainingRecord.of_labels(labels, training | changes)
    for record in ({"key": "k", "held_out": None}, ["key"], None):
        with pytest.raises(Refused):
            TrainingRecord.of_labels(labels, record)
