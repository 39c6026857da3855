"""The key of a training, each of its ingredients changed in turn."""

from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from audionet.bottleneck.backbone import Backbone
from audionet.commands.up_to_date import WITHOUT_EFFECT, training_key
from audionet.dataset.folders import PictureFile
from audionet.options import RetrainOptions
from audionet.settings import PictureSettings
from audionet.spectrogram.augmentation import ORIGINAL, Augmentation
from audionet.spectrogram.transform import SpectrogramRenderer
from audionet.training.split import Item

PAINTER = SpectrogramRenderer.make(PictureSettings())
INGREDIENTS: dict[str, Any] = {
    "options": RetrainOptions(),
    "trunk": Backbone("rows", b"network"),
    "painter": PAINTER,
    "pictures": [PictureFile("a", "x", 0, "a/x_nohash_0000", Path("a/x_nohash_0000.jpg"))],
    "items": [Item("a", "recording", 0.0, 20.0)],
    "digests": [bytes(32)],
    "variations": [ORIGINAL],
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
        ("trunk", Backbone("rows", b"network.")),
        ("painter", SpectrogramRenderer.make(PictureSettings(10))),
        ("pictures", [PictureFile("b", "x", 0, "b/x_nohash_0000", Path("b/x_nohash_0000.jpg"))]),
        ("pictures", [PictureFile("a", "y", 0, "a/y_nohash_0000", Path("a/y_nohash_0000.jpg"))]),
        ("items", [Item("a", "another", 0.0, 20.0)]),
        ("items", [Item("a", "recording", 1.0, 20.0)]),
        ("items", [Item("a", "recording", 0.0, 19.0)]),
        ("items", [Item("a", "recording", 0.0, 20.0, fold=1)]),
        ("digests", [b"\1" * 32]),
        ("variations", [ORIGINAL, Augmentation(1.06)]),
    ],
)
def test_every_other_ingredient_counts(name: str, value: Any) -> None:
    assert changed(name, value)
