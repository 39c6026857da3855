"""The key of a training, each of its ingredients changed in turn; and what a training may take the place of."""

import json
import os
import subprocess
import sys
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from audionet.bottleneck.backbone import Backbone
from audionet.commands.before_training import WITHOUT_EFFECT, require_places, training_key
from audionet.dataset.samples import Dataset
from audionet.errors import AudionetError
from audionet.options import RetrainOptions
from audionet.settings import PictureSettings
from audionet.spectrogram.augmentation import ORIGINAL, Augmentation
from audionet.spectrogram.transform import SpectrogramRenderer
from tests.conftest import ROOT, sample_of
from tests.test_inputs import AS_OTHERS

SAMPLE = sample_of("a", "recording", 0.0, 20.0, digest=bytes(32))
RENDERER = SpectrogramRenderer.make(PictureSettings())
INGREDIENTS: dict[str, Any] = {
    "options": RetrainOptions(),
    "backbone": Backbone("rows", b"network"),
    "renderer": RENDERER,
    "dataset": Dataset([SAMPLE]),
    "augmentations": [ORIGINAL],
}
OTHER_OPTIONS: dict[str, Any] = {
    "steps": 501,
    "learning_rate": 0.5,
    "train_batch_size": 99,
    "validation_percentage": 11.0,
    "testing_percentage": 11.0,
    "folds": 3,
    "refit": False,
    "seed": 1,
    "final_tensor_name": "other",
    "eval_step_interval": 11,
    "validation_batch_size": 5,
    "test_batch_size": 5,
    "flip_left_right": True,
    "random_crop": 1.0,
    "random_scale": 1.0,
    "random_brightness": 1.0,
    "background": ("low",),
}


def changed(name: str, value: Any) -> bool:
    return training_key(**INGREDIENTS) != training_key(**INGREDIENTS | {name: value})


def test_the_same_ingredients_have_the_same_key() -> None:
    assert training_key(**INGREDIENTS) == training_key(**INGREDIENTS | {"options": RetrainOptions()})


@pytest.mark.parametrize("name", [field.name for field in fields(RetrainOptions)])
def test_every_option_counts_but_those_that_change_nothing(name: str) -> None:
    """Which trunk it is counts by the trunk itself, not by what it was called."""
    if name in WITHOUT_EFFECT:
        assert name not in OTHER_OPTIONS
    elif name == "intermediate_store_frequency":
        others: Any = {"intermediate_output_graphs_dir": Path("g")}
        assert changed("options", RetrainOptions(intermediate_store_frequency=5, **others))
    else:
        assert changed("options", RetrainOptions(**{name: OTHER_OPTIONS[name]}))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("backbone", Backbone("rows", b"network.")),
        ("renderer", SpectrogramRenderer.make(PictureSettings(10))),
        ("dataset", Dataset([SAMPLE, SAMPLE])),
        ("augmentations", [ORIGINAL, Augmentation(1.06)]),
    ],
)
def test_every_other_ingredient_counts(name: str, value: Any) -> None:
    assert changed(name, value)


@pytest.mark.parametrize(
    "change",
    [
        {"class_name": "b"},
        {"name": "a/another"},
        {"group": "another"},
        {"sha256": "another"},
        {"start_seconds": 1.0},
        {"end_seconds": 19.0},
        {"fold": 1},
        {"digest": b"\1" * 32},
    ],
    ids=lambda change: next(iter(change)),
)
def test_what_is_known_of_a_sample_counts(change: dict[str, Any]) -> None:
    assert changed("dataset", Dataset([SAMPLE._replace(**change)]))


def test_where_a_picture_lies_and_what_its_recording_is_called_does_not() -> None:
    elsewhere = SAMPLE._replace(path=Path("elsewhere.jpg"), recording="a/renamed.mp3", level_db=-3.0)
    assert not changed("dataset", Dataset([elsewhere]))


@pytest.mark.parametrize("content", [b"", bytes(100), b"\n\x05graph", b"RIFF\x24\0\0\0WAVE"])
def test_a_graph_takes_the_place_of_a_graph_alone(content: bytes, tmp_path: Path) -> None:
    place = tmp_path / "clip.wav"
    place.write_bytes(content)
    if content.startswith(b"RIFF"):
        with pytest.raises(AudionetError, match=r"clip.wav: is there already, and is not a frozen graph; name another"):
            require_places(RetrainOptions(output_graph=place))
        with pytest.raises(AudionetError, match=r"clip.wav: is there already, and is not a list of classes"):
            require_places(RetrainOptions(output_labels=place))
    else:
        require_places(RetrainOptions(output_graph=place))
    place.rename(tmp_path / "clip.pb")
    require_places(RetrainOptions(output_graph=tmp_path / "clip.pb"))  # what is named as ours is replaced


def test_no_two_outputs_and_no_input_have_one_place(tmp_path: Path) -> None:
    (tmp_path / "here").symlink_to(tmp_path)
    graph = tmp_path / "birds.pb"
    named: list[dict[str, Any]] = [
        {"output_labels": tmp_path / name}
        for name in ("birds.json", "birds.tflite", "here/birds.pb", "here/here/birds.json")
    ]
    named += [{"report": graph}, {"backbone": tmp_path / "birds.tflite"}]
    for options in named:
        with pytest.raises(AudionetError, match="is named for two things, and would be lost as one of them"):
            require_places(RetrainOptions(output_graph=graph, **options))
    require_places(RetrainOptions(output_graph=graph, report=tmp_path / "r.html", backbone=tmp_path / "other.tflite"))


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="needs permissions")
@pytest.mark.parametrize("option", ["--bottleneck-dir", "--summaries-dir", "--report"])
def test_a_place_where_nothing_can_be_written_is_said_before_the_training(option: str, tmp_path: Path) -> None:
    (tmp_path / "locked").mkdir(mode=0o500)
    arguments = ["retrain", "--output-graph", "a.pb", option, "locked/x.html"]
    command = [*(AS_OTHERS if os.geteuid() == 0 else []), sys.executable, "-m", "audionet", *arguments]
    finished = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert finished.stderr == "audionet: locked: nothing can be written in this folder; name another place\n"


def test_a_model_whose_name_differs_behind_its_last_dot_is_another(tmp_path: Path) -> None:
    description = json.loads((ROOT / "tests" / "golden" / "retrained_graph.json").read_text())
    description["training"]["options"]["output_graph"] = "elsewhere/birds-1.0"
    (tmp_path / "birds-1.json").write_text(json.dumps(description))
    require_places(RetrainOptions(output_graph=tmp_path / "birds-1.0"))
    with pytest.raises(AudionetError, match=r"belongs to the model birds-1.0, which .* such as birds-1-1.pb"):
        require_places(RetrainOptions(output_graph=tmp_path / "birds-1.1"))
    require_places(RetrainOptions(output_graph=tmp_path / "birds-1-1.pb"))
