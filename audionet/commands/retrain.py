"""retrain: pictures -> bottlenecks -> a new softmax layer -> a model, with its accuracy on pictures held out."""

import hashlib
import json
import logging
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from audionet import __version__
from audionet.bottlenecks import Bottlenecks, compute_bottlenecks
from audionet.confusion import Confusion
from audionet.dataset import PictureFile, find_pictures
from audionet.errors import AudionetError, UnusableInput
from audionet.graft import graft
from audionet.model import ModelFiles, read_model, save_model
from audionet.picture_index import FILE_NAME, PictureIndex
from audionet.progress import Progress, silent
from audionet.settings import RetrainOptions
from audionet.split import PARTS, TEST, TRAIN, VALIDATION, Item, Split, split
from audionet.trunk import Trunk, load_trunk

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class RetrainReport:
    """What `retrain` did.

    pictures: in each part of the split.
    held_out: the confusion of the test part's pictures, which are of test_recordings recordings; None if it is empty.
    computed, cached: bottlenecks.
    trained: False if the model was up to date.
    """

    labels: list[str]
    pictures: dict[str, int]
    test_recordings: int
    validation_accuracy: float | None
    held_out: Confusion | None
    computed: int
    cached: int
    trained: bool
    files: ModelFiles
    notes: list[str]
    skipped: list[UnusableInput]


def retrain(options: RetrainOptions | None = None, *, progress: Progress = silent) -> RetrainReport:
    """Train a new softmax layer on the pictures in options.image_dir and write the model.

    Raises AudionetError when there is nothing to train on.
    """
    options = options or RetrainOptions()
    files = ModelFiles.beside(options.output_graph, options.output_labels)
    pictures = find_pictures(options.image_dir)
    index = PictureIndex.load(options.image_dir)
    if index is None:
        raise AudionetError(f"{options.image_dir / FILE_NAME}: not found; make the pictures with audionet prepare")
    _require_classes(options.image_dir, pictures)

    trunk = load_trunk(options.bottleneck, options.model_dir)
    found = compute_bottlenecks(
        [picture.path for picture in pictures], trunk, index.painter.fingerprint, options.bottleneck_dir, progress
    )
    pictures = [pictures[position] for position in found.kept]
    if not pictures:
        raise AudionetError(
            f"{options.image_dir}: none of its pictures can be used; make them anew with audionet prepare --force"
        )
    _require_classes(options.image_dir, pictures)
    labels = sorted({picture.class_name for picture in pictures})
    targets = np.array([labels.index(picture.class_name) for picture in pictures], np.int32)
    divided = split(_items(pictures, index), options.validation_percentage, options.testing_percentage)
    for note in divided.notes:
        logger.warning("%s", note)

    key = _training_key(options, trunk.sha256, index.painter.fingerprint, pictures, found, divided)
    before = None if options.force else _done_before(files, key, options.summaries_dir)
    done = before or _train(options, files, key, trunk, index, found, targets, labels, divided, progress)
    held_out = Confusion.from_rows(labels, done["held_out"]["confusion"]) if done["held_out"] else None
    return RetrainReport(
        labels=labels,
        pictures={part: len(divided.indices(part)) for part in PARTS},
        test_recordings=len({(pictures[i].class_name, pictures[i].recording) for i in divided.indices(TEST)}),
        validation_accuracy=done["validation_accuracy"],
        held_out=held_out,
        computed=found.computed,
        cached=len(found.kept) - found.computed,
        trained=before is None,
        files=files,
        notes=divided.notes,
        skipped=found.skipped,
    )


def _require_classes(image_dir: Path, pictures: list[PictureFile]) -> None:
    classes = sorted({picture.class_name for picture in pictures})
    if not classes:
        raise AudionetError(f"{image_dir}: holds no pictures; make them first with audionet prepare")
    if len(classes) == 1:
        raise AudionetError(
            f"{image_dir}: holds only one class, {classes[0]!r}; "
            "add a folder of recordings of another class and run audionet prepare again"
        )


def _items(pictures: list[PictureFile], index: PictureIndex) -> list[Item]:
    """The pictures as the split sees them.

    A recording is known by its content, so that renaming it, moving it or adding others never moves it to another
    part, and copies of it stay on one side. A picture that audionet.json does not list goes by its file's name.
    """
    places = {chunk.name: (entry.sha256, chunk) for entry in index.recordings.values() for chunk in entry.chunks}
    length = index.painter.settings.chunk_seconds
    items = []
    for picture in pictures:
        if picture.name in places:
            sha256, chunk = places[picture.name]
            items.append(Item(picture.class_name, sha256, chunk.start_seconds, chunk.start_seconds + chunk.seconds))
        else:
            start = picture.index * length
            items.append(Item(picture.class_name, picture.recording, start, start + length))
    return items


def _training_key(
    options: RetrainOptions,
    trunk_sha256: str,
    fingerprint: str,
    pictures: list[PictureFile],
    found: Bottlenecks,
    divided: Split,
) -> str:
    """A digest of all that decides what the trained layer is."""
    hyperparameters = {name: getattr(options, name) for name in ("steps", "learning_rate", "train_batch_size", "seed")}
    ingredients: list[Any] = [__version__, trunk_sha256, fingerprint, hyperparameters, divided.parts]
    ingredients += [[picture.name, digest.hex()] for picture, digest in zip(pictures, found.digests, strict=True)]
    return hashlib.sha256(json.dumps(ingredients).encode()).hexdigest()


def _done_before(files: ModelFiles, key: str, summaries_dir: Path) -> dict[str, Any] | None:
    """What a former run with the same key found, if its model and its summaries are still there."""
    model = read_model(files)
    if model is None or not any(summaries_dir.glob("train/events.out.tfevents.*")):
        return None
    training = model[0].get("training", {})
    return training if training.get("key") == key else None


def _train(
    options: RetrainOptions,
    files: ModelFiles,
    key: str,
    trunk: Trunk,
    index: PictureIndex,
    found: Bottlenecks,
    targets: np.ndarray,
    labels: list[str],
    divided: Split,
    progress: Progress,
) -> dict[str, Any]:
    """Train, measure, write the model; the `training` part of its description."""
    from audionet import softmax

    rows = {part: np.array(divided.indices(part), np.intp) for part in PARTS}
    layer = softmax.train(
        found.features,
        targets,
        rows[TRAIN],
        rows[VALIDATION],
        len(labels),
        steps=options.steps,
        learning_rate=options.learning_rate,
        batch_size=options.train_batch_size,
        seed=options.seed,
        summaries_dir=options.summaries_dir,
        progress=progress,
    )

    def confusion(part: str) -> Confusion | None:
        chosen = rows[part]
        if not len(chosen):
            return None
        return Confusion.of(labels, targets[chosen], layer.scores(found.features[chosen]).argmax(axis=1))

    validation, held_out = confusion(VALIDATION), confusion(TEST)
    training = {
        "key": key,
        "audionet_version": __version__,
        "trunk": {"name": trunk.name, "sha256": trunk.sha256},
        "options": {name: str(v) if isinstance(v, Path) else v for name, v in asdict(options).items()},
        "pictures": {part: len(rows[part]) for part in PARTS},
        "validation_accuracy": validation.accuracy if validation else None,
        "held_out": {"accuracy": held_out.accuracy, "confusion": held_out.matrix.tolist()} if held_out else None,
    }
    save_model(files, graft(trunk, layer), labels, index.painter, training)
    return training
