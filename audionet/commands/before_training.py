"""What is looked at before a training: whether its options make sense, whether there is a place and room for what comes
of it, and whether it has been done before, by a digest of all that decides its result."""

import hashlib
import json
import logging
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from audionet.bottleneck.backbone import LARGEST_NETWORK_BYTES, Backbone
from audionet.bottleneck.distortions import Distortions
from audionet.dataset.manifest import FILE_NAME as INDEX_NAME
from audionet.dataset.samples import Dataset
from audionet.errors import AudionetError, explaining
from audionet.model.description import MOST_LABELS, ModelDescription, TrainingRecord, labels_file
from audionet.model.exports import are_there, require_free_name, require_places_for_exports
from audionet.model.store import LARGEST_DESCRIPTION_BYTES, delete_left_over, read_model
from audionet.model_files import ModelFiles
from audionet.options import RetrainOptions
from audionet.parallel.memory import memory_bytes
from audionet.report.page import is_report_of, require_place
from audionet.settings import PictureSettings
from audionet.spectrogram.augmentation import Augmentation
from audionet.spectrogram.transform import SpectrogramRenderer
from audionet.system.files import read_json, require_apart, require_folder, require_replaceable, sha256_of_file
from audionet.system.text import count
from audionet.system.untrusted import Refused, taking_apart, text
from audionet.values import flag

logger = logging.getLogger(__name__)

# To be raised whenever the same pictures and options give another layer, so that models are trained anew.
ALGORITHM_VERSION = 18
# Options that say where files lie, which backbone is taken (its fingerprint counts instead), or to train all the same.
WITHOUT_EFFECT = frozenset(
    "image_dir model_dir bottleneck_dir summaries_dir output_graph output_labels intermediate_output_graphs_dir "
    "checkpoint_path saved_model_dir architecture bottleneck tfhub_module tfhub_sha256 backbone backbone_output "
    "backbone_sample_rate force scheduler report write_report".split()
)
BACKBONE_BYTES = 128 << 20  # of a network, beside its last layer: far more than ours needs
# What is held at once while a model is made (measured): copies of its layer, and of all scores, in float64.
LAYERS, SCORES, MOST_OF_MEMORY = 6, 10, 0.75


def training_key(
    options: RetrainOptions,
    backbone: Backbone,
    renderer: SpectrogramRenderer,
    dataset: Dataset,
    augmentations: Sequence[Augmentation],
) -> str:
    """A digest of all that decides what the trained layer is, in hexadecimal."""
    names = sorted(RetrainOptions.__dataclass_fields__.keys() - WITHOUT_EFFECT)
    hyperparameters = {name: getattr(options, name) for name in names}
    cache_names = [augmentation.cache_name for augmentation in augmentations]
    ingredients = [ALGORITHM_VERSION, backbone.fingerprint, renderer.fingerprint, hyperparameters, cache_names]
    key = hashlib.sha256(json.dumps(ingredients).encode())
    for sample in dataset:
        known = (sample.name, sample.class_name, sample.group, sample.sha256, sample.fold)
        times = (sample.start_seconds, sample.end_seconds)
        key.update(sample.digest + json.dumps([*known, *times]).encode())
    return key.hexdigest()


def require_places(options: RetrainOptions) -> None:
    """Raise AudionetError where what is written would take the place of something else: of what is read, of what is
    written too, of another model, or of what is no model."""
    files, report = options.files, options.report_path
    require_places_for_exports(options)
    outputs = [files.graph, files.network, files.description, files.labels, *filter(None, [report])]
    require_apart(outputs, [options.image_dir / INDEX_NAME, *filter(None, [options.backbone])])
    named_so = files.graph.suffix == ".pb"
    require_replaceable(files.graph, "a frozen graph", lambda beginning: named_so or beginning.startswith(b"\n"))
    require_replaceable(files.labels, "a list of classes", lambda beginning: b"\0" not in beginning)
    for folder in (options.bottleneck_dir, options.summaries_dir, *([report.parent] if report else [])):
        require_folder(folder)
    if report is not None:
        require_place(report)
    other = _model_there(files)
    if other is not None and other.description == files.description and other.graph != files.graph:
        raise AudionetError(
            f"{files.description}: belongs to the model {other.graph.name}, which would be lost; name this one "
            f"otherwise, such as {files.graph.name.replace('.', '-')}.pb"
        )


def _model_there(files: ModelFiles) -> ModelFiles | None:
    """The files of the model in this place, as it was called when it was trained; None if there is none."""
    with suppress(OSError, Refused), taking_apart():
        told = read_json(files.description, LARGEST_DESCRIPTION_BYTES)["training"]["options"]["output_graph"]
        return ModelFiles.beside(files.graph.with_name(Path(text(told)).name))
    return None


def require_fitting(options: RetrainOptions, backbone: Backbone, settings: PictureSettings) -> None:
    """Raise AudionetError for options of networks from sound where this one looks at pictures, or the other way round.

    settings: of the pictures.
    """
    require_free_name(backbone, options.final_tensor_name)
    if backbone.sound is None:
        for name in ("backbone_output", "backbone_sample_rate"):
            if getattr(options, name) is not None:
                raise AudionetError(
                    f"{flag(name)}: is of networks from sound, and {options.tfhub_module} looks at pictures"
                )
        return
    if options.bottleneck is not None:
        raise AudionetError(f"--bottleneck {options.bottleneck}: is of networks from pictures; this one hears sound")
    if Distortions.of(options) is not None:
        raise AudionetError(
            "--random-brightness and the like distort pictures; a network that hears has no use for them"
        )
    if options.saved_model_dir is not None:
        raise AudionetError("--saved-model-dir: only networks from pictures can be written so; leave it out")
    heard_hz = backbone.sound.sample_rate_hz
    too_long = f"chunks of {settings.chunk_seconds:g} seconds are too long for a network that hears {heard_hz} Hz"
    with explaining(f"{too_long}; make shorter ones with prepare --chunk-seconds", AudionetError):
        replace(settings, sample_rate_hz=heard_hz)


def require_room(image_dir: Path, dataset: Dataset, features: int, *, has_events: bool) -> None:
    """Raise AudionetError where the pictures are of more classes than a model may have that is to be read again; and
    say so where the training may need more memory than the machine has.

    features: that a bottleneck has. has_events: whether events are learnt too.
    """
    classes, layer_bytes = len(dataset.labels), 4 * features * (1 + has_events)  # the latter of each class
    most = min(MOST_LABELS, (LARGEST_NETWORK_BYTES - BACKBONE_BYTES) // layer_bytes)
    remedy = "learn a part of them, or put several into one (a genus in place of its species)"
    if classes > most:
        raise AudionetError(f"{image_dir}: holds {count(classes, 'class')}, and a model can have {most:,}; {remedy}")
    needed = LAYERS * classes * layer_bytes + SCORES * 8 * classes * len(dataset)
    memory = memory_bytes()
    if memory is not None and needed > MOST_OF_MEMORY * memory:
        logger.warning(
            "%s: to learn %s takes about %.0f GB of memory, of %.0f GB that there are; if it fails, %s",
            image_dir, count(classes, "class"), needed / 1e9, memory / 1e9, remedy,
        )  # fmt: skip


def load_previous(key: str, options: RetrainOptions) -> TrainingRecord | None:
    """The record of an earlier training with the same key, if its model, summaries, exports and report are there.

    Its warnings are said again.
    """
    files = options.files
    content = read_model(files)
    if content is None:
        return None
    description, _ = content
    training = description.training
    if training is None or training.key != key:
        return None
    all_is_there = (
        _exports_are_intact(files, description)
        and any(options.summaries_dir.glob("train/events.out.tfevents.*"))
        and are_there(options)
        and (options.report_path is None or is_report_of(options.report_path, key))
    )
    if not all_is_there:
        return None
    delete_left_over(files)
    logger.debug("%s: up to date", files.graph)
    for warning in training.data_warnings:
        logger.warning("%s", warning)
    return training


def _exports_are_intact(files: ModelFiles, description: ModelDescription) -> bool:
    """Whether the files that are made from a model are there, under their names, and its own."""
    return (
        all(path.is_file() for path in (files.graph, files.network, files.labels))
        and sha256_of_file(files.network) == description.network_sha256
        and sha256_of_file(files.graph) == description.graph_sha256
        and files.labels.read_bytes() == labels_file(description)
    )
