"""Whether a former training did the same, so that there is nothing to do."""

import hashlib
import json
from collections.abc import Sequence
from typing import Any

from audionet import __version__
from audionet.dataset import PictureFile
from audionet.exports import are_there
from audionet.files import sha256_of_file
from audionet.held_out import is_report
from audionet.model import ModelFiles, read_model
from audionet.report.page import is_report_of
from audionet.settings import RetrainOptions
from audionet.split import Item
from audionet.variations import Variation


def training_key(
    options: RetrainOptions,
    trunk_sha256: str,
    fingerprint: str,
    pictures: Sequence[PictureFile],
    items: Sequence[Item],
    digests: Sequence[bytes],
    variations: Sequence[Variation],
) -> str:
    """A digest of all that decides what the trained layer is."""
    names = ["steps", "learning_rate", "train_batch_size", "seed", "folds", "refit", "final_tensor_name"]
    names += ["validation_percentage", "testing_percentage", "eval_step_interval", "intermediate_store_frequency"]
    names += ["validation_batch_size", "test_batch_size"]
    names += ["flip_left_right", "random_crop", "random_scale", "random_brightness"]
    hyperparameters = {name: getattr(options, name) for name in names}
    ingredients: list[Any] = [__version__, trunk_sha256, fingerprint, hyperparameters, repr(variations)]
    key = hashlib.sha256(json.dumps(ingredients).encode())
    for picture, item, digest in zip(pictures, items, digests, strict=True):
        key.update(digest + repr((picture.name, item)).encode(errors="surrogateescape"))
    return key.hexdigest()


def done_before(files: ModelFiles, key: str, options: RetrainOptions) -> dict[str, Any] | None:
    """What a former run with the same key found, if its model, summaries, exports and report are still there."""
    model = read_model(files)
    if (
        model is None
        or not _graph_is_intact(files, model[0])
        or not any(options.summaries_dir.glob("train/events.out.tfevents.*"))
        or not are_there(options)
        or not (options.report_path is None or is_report_of(options.report_path, key))
    ):
        return None
    training: Any = model[0].get("training")
    return training if is_report(training, model[0]["labels"]) and training["key"] == key else None


def _graph_is_intact(files: ModelFiles, description: dict[str, Any]) -> bool:
    return files.graph.is_file() and sha256_of_file(files.graph) == description.get("graph_sha256")
