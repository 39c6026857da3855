"""What TensorFlow programs take from a training: SavedModel, unfinished graphs, checkpoints, curves."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import audionet
from audionet.errors import AudionetError
from audionet.model.exports import save_saved_model
from audionet.model.frozen_graph import FrozenGraph
from audionet.model.store import read_description
from audionet.options import LabelOptions
from audionet.system.tensorflow import start_tensorflow
from tests.conftest import chirps, every_export, make_model, write_wav


def picture_of(folder: Path) -> np.ndarray:
    from PIL import Image

    with Image.open(folder / "tf_files/data_image/low/low-0_nohash_0000.jpg") as image:
        return np.asarray(image.convert("RGB"))


def final_scores(folder: Path) -> np.ndarray:
    model = audionet.label(
        folder / "tf_files/data_image/low/low-0_nohash_0000.jpg",
        LabelOptions(folder / "tf_files/retrained_graph.pb", folder / "tf_files/retrained_labels.txt"),
    )
    return np.array([model[0].scores["high"], model[0].scores["low"]])


def test_the_saved_model_serves_and_is_callable_as_a_hub_module(exported: Path) -> None:
    tf = start_tensorflow()
    loaded = tf.saved_model.load(str(exported / "saved"))
    batch = tf.constant(np.repeat(picture_of(exported)[None] / np.float32(255), 2, axis=0))
    served = loaded.signatures["serving_default"](pictures=batch)
    assert served["scores"].shape == (2, 2)
    assert served["squared_distance"].shape == (2,)
    assert served["scores"].numpy()[1] == pytest.approx(final_scores(exported), abs=0.02)
    assert np.array_equal(loaded(batch).numpy(), served["scores"].numpy())


@pytest.mark.usefixtures("graphs_here")
def test_label_reads_the_saved_model(exported: Path, tmp_path: Path) -> None:
    clip = write_wav(tmp_path / "new.wav", chirps(77, 2000, 3000, 3.3))
    (found,) = audionet.label(clip, LabelOptions(exported / "saved"))
    assert found.label == "high"
    with pytest.raises(AudionetError, match="holds no model; train one with audionet retrain, or name it with --graph"):
        audionet.label(clip, LabelOptions(tmp_path))


def test_a_folder_of_other_things_is_not_overwritten(exported: Path, tmp_path: Path) -> None:
    (tmp_path / "diary.txt").write_text("dear diary")
    with pytest.raises(AudionetError, match="holds other files than a SavedModel"):
        save_saved_model(tmp_path, b"", read_description(exported / "tf_files" / "retrained_graph.json"))


def test_intermediate_graphs_are_those_of_their_steps(exported: Path) -> None:
    found = sorted(path.name for path in (exported / "intermediate").iterdir())
    assert found == ["intermediate_20.pb", "intermediate_40.pb"]
    picture = picture_of(exported)
    graphs = [(exported / "intermediate" / name).read_bytes() for name in found]
    twenty, forty = (FrozenGraph(graph, exported).run(picture)[0] for graph in graphs)
    assert abs(twenty - forty).max() > 1e-4
    for scores, still_to_learn in ((twenty, 0.2), (forty, 0.1)):
        assert scores == pytest.approx(final_scores(exported), abs=still_to_learn)


def test_the_checkpoint_holds_the_layer(exported: Path) -> None:
    reader = start_tensorflow().train.load_checkpoint(str(exported / "checkpoints" / "layer"))
    assert reader.get_tensor("final_weights/.ATTRIBUTES/VARIABLE_VALUE").shape == (37758, 2)
    assert reader.get_tensor("final_biases/.ATTRIBUTES/VARIABLE_VALUE").shape == (2,)
    assert reader.get_tensor("step/.ATTRIBUTES/VARIABLE_VALUE") == 50


def test_a_missing_export_is_made_although_nothing_else_has_changed(exported: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(exported, tmp_path / "copy")
    assert not make_model(folder, **every_export(folder)).trained
    again = make_model(folder, **every_export(folder) | {"saved_model_dir": tmp_path / "saved"})
    assert again.trained
    assert (tmp_path / "saved" / "saved_model.pb").is_file()
    assert json.loads((tmp_path / "saved/assets.extra/audionet.json").read_text())["labels"] == ["high", "low"]


def test_batch_sizes_and_intervals_of_the_evaluations(low_and_high: Path, tmp_path: Path) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    changes: Any = {"steps": 60, "eval_step_interval": 25, "test_batch_size": 6, "validation_batch_size": 2}
    report = make_model(tmp_path, known=low_and_high, **changes)
    assert report.held_out is not None
    assert report.held_out.confusion.count == 6
    events = EventAccumulator(str(tmp_path / "tf_files/training_summaries/validation"), size_guidance={"tensors": 0})
    events.Reload()
    accuracies = events.Tensors("accuracy")
    assert [event.step for event in accuracies] == [25, 50, 60]
    values = [start_tensorflow().make_ndarray(event.tensor_proto).item() for event in accuracies]
    assert all(value in (0, 0.5, 1) for value in values)  # of two pictures
