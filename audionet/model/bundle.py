"""A model that is there -> one that scores: its description and its network, for LiteRT or for TensorFlow."""

import functools
import hashlib
import logging
import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import NamedTuple

import numpy as np

from audionet.bottleneck.backbone import Network, load_backbone
from audionet.bottleneck.maps import FEATURES, cut_to_maps
from audionet.bottleneck.sound import SoundInput
from audionet.bottleneck.sound_network import SoundNetwork
from audionet.dataset.names import class_number
from audionet.errors import AudionetError, explaining
from audionet.model.card import ModelCard
from audionet.model.description import LearntEvents, ModelDescription
from audionet.model.exports import EXTRA_FILE, EXTRA_GRAPH, replaced
from audionet.model.frozen_graph import LARGEST_GRAPH_BYTES, InputOptions, read_labels, sandboxed_graph
from audionet.model.kept_scores import KeptScores
from audionet.model.litert import ClassifierHead, read_head
from audionet.model.store import DAMAGED, REMEDY, read_description, read_patiently, require_description
from audionet.model_files import ModelFiles, models_in
from audionet.options import LabelOptions
from audionet.parallel.provenance import is_from_here
from audionet.parallel.sandbox import PictureNetwork, SandboxedNetwork, ShapedNetwork
from audionet.settings import PictureSettings
from audionet.spectrogram.transform import SpectrogramRenderer
from audionet.system.files import read_limited
from audionet.system.text import count, did_you_mean, listed
from audionet.system.untrusted import Refused
from audionet.training.unknown import RejectionThresholds

logger = logging.getLogger(__name__)

ARCHIVE_MARKS = (b"PK\x03\x04", b"\x1f\x8b", b"7z\xbc\xaf", b"Rar!")
PICTURES_OF_2018 = PictureSettings(representation="spectrogram", colormap="viridis", high_pass_hz=0)


class EmbeddedParts(NamedTuple):
    """The embedded network as far as its maps (bottleneck/maps.py), and the head of a model behind it."""

    maps: Network
    head: ClassifierHead


@dataclass(frozen=True)
class Model:
    """A network from picture to scores, the labels of the scores, the renderer of its pictures, and its thresholds.

    any_picture: the network is not ours, so that its pictures need not be either.
    sound: how the network hears, if it is from sound to scores; pictures are for people then.
    detection: None where the scores of events were not learnt.
    min_scores: what somebody has named for single classes in place of the thresholds' own, by the classes' numbers.
    kept: what the network said before of the same sound; None of one that nothing describes.
    For several threads at once; it can be pickled.
    """

    labels: list[str]
    renderer: SpectrogramRenderer
    network: PictureNetwork
    thresholds: RejectionThresholds
    any_picture: bool = False
    sound: SoundInput | None = None
    detection: LearntEvents | None = None
    min_scores: Mapping[int, float] = field(default_factory=dict)
    kept: KeptScores | None = None

    @functools.cached_property
    def settings(self) -> PictureSettings:
        """How a recording is cut into chunks for it, and at which sample rate: its pictures' unless it hears."""
        settings = self.renderer.settings
        return settings if self.sound is None else replace(settings, sample_rate_hz=self.sound.sample_rate_hz)

    @functools.cached_property
    def embedded(self) -> EmbeddedParts | None:
        """The parts of the network, for all who score windows of recordings; None if it is not the embedded one with a
        head. Its own interpreters are released, since what gives the maps runs in their place."""
        if self.sound is not None or not isinstance(self.network, Network | SandboxedNetwork):
            return None
        backbone, shape = load_backbone("rows", Path()), (FEATURES, len(self.labels))
        head = read_head(self.network.content, backbone, shape, self.detection is not None)
        if head is None:
            return None
        self.network.release()
        return EmbeddedParts(Network(cut_to_maps(backbone)), head)

    def thresholds_of(self, number: int) -> RejectionThresholds:
        """The thresholds of a class, by its number."""
        score = self.min_scores.get(number)
        return self.thresholds if score is None else replace(self.thresholds, min_score=score, typicality=None)

    def score(self, given: np.ndarray) -> tuple[np.ndarray, float]:
        """A probability a label, float32, for a uint8 picture (grey or colour), or samples as a network hears them
        (sound.as_heard); and the squared distance.

        Raises AudionetError for a network that gives anything but so many numbers.
        """
        outputs = self.network.run(given)
        if [np.shape(output) for output in outputs] != [(len(self.labels),), ()]:
            raise AudionetError(f"the model gives no score for each of its {len(self.labels)} classes; {REMEDY}")
        scores, distance = outputs
        if not np.isfinite(scores).all() or not np.isfinite(distance):
            raise AudionetError(f"the model's scores are no numbers; {REMEDY}")
        return scores, float(distance)


def read_card(options: LabelOptions) -> ModelCard | None:
    """The model's card; None if the model has none."""
    folder = _saved_model(options.graph)
    path = folder / EXTRA_FILE if folder else options.files.description
    with suppress(OSError, Refused):
        return read_description(path).card
    return None


def load_model(options: LabelOptions) -> Model:
    """Read a model: for LiteRT, or for TensorFlow where only a graph for it is there.

    A network that was not made on this machine runs in a process of its own.
    Raises AudionetError when a file is missing, damaged, or does not fit the others.
    """
    model = _load_model(options)
    given, option = options.class_thresholds, "--threshold "
    min_scores = {class_number(name, model.labels, option): score for name, score in given.items()}
    thresholds, of_events = model.thresholds, min_scores
    if options.threshold is not None:
        thresholds = replace(thresholds, min_score=options.threshold, typicality=None)
        of_events = dict.fromkeys(range(len(model.labels)), options.threshold) | min_scores
    detection = model.detection and model.detection.believed_from(of_events)
    return replace(model, thresholds=thresholds, min_scores=min_scores, detection=detection)


def _load_model(options: LabelOptions) -> Model:
    """The model that --graph names, with the thresholds that the training learnt."""
    folder = _saved_model(options.graph)
    if folder:
        return _load_saved_model(folder)
    files = options.files
    if files.graph.is_file() and not files.network.exists() and not files.left_over():
        if files.description.is_file():
            sentence = (
                "%s: is not there, so that %s is used, whose scores and events may differ; put it back, if you can"
            )
            logger.warning(sentence, files.network, files.graph.name)
        return load_graph(files)
    if not files.description.is_file() or not (files.network.is_file() or files.left_over()):
        raise AudionetError(_nothing_there(options.graph, files))
    description, flatbuffer = read_patiently(files)
    if options.labels is not None:
        _report_other_labels(options.labels, description.labels)
    with explaining(f"{files.network}: {DAMAGED}", ValueError, RuntimeError):
        kind = Network if description.sound is None else SoundNetwork
        is_ours = is_from_here(description.network_sha256)
        network = kind(flatbuffer) if is_ours else SandboxedNetwork(kind.module, flatbuffer, files.network)
        return _described(description, network, description.network_sha256, files.description)


def _report_other_labels(path: Path, labels: Sequence[str]) -> None:
    """Warn of a file of classes that was named, and says others than the model itself, or nothing."""
    try:
        named = read_labels(path, path)
    except AudionetError as error:
        logger.warning("%s; the model's own classes are used", error.args[0].partition(";")[0])
        return
    if named != [label.strip() for label in labels]:
        logger.warning(
            "%s: names the classes %s, and is not used; the model knows %s", path, listed(named), listed(labels)
        )


def _nothing_there(graph: Path, files: ModelFiles) -> str:
    """The error for a model of which nothing is there, or a part of what belongs together."""
    like = ""
    if files.network.is_file():
        missing = files.description
    elif files.description.is_file():
        missing = files.network
    else:
        missing = graph  # as it was typed
        beside = os.listdir(graph.parent) if graph.parent.is_dir() else []
        like = did_you_mean(graph.name, [name for name in beside if Path(name).suffix in (".pb", ".tflite")])
    return f"{missing}: no such model file; train one with audionet retrain, or name it with --graph{like}"


def load_graph(files: ModelFiles, options: InputOptions | None = None) -> Model:
    """Read a frozen graph: one that `retrain` exported, or of 2018, when nothing but the labels comes with it.

    Such a one is taken to know pictures as the original drew them. Raises AudionetError as `load_model`.
    """
    if files.description.is_file():
        description = require_description(files.description)
        return _described_graph(description, files.description, files.graph, options)
    content = _read_graph(files.graph)
    labels = read_labels(files.labels, files.graph)
    network = sandboxed_graph(content, files.graph, options)
    if network.output_shapes[0] != (len(labels),):
        raise AudionetError(
            f"{files.labels}: has {count(len(labels), 'class')}, and {files.graph} gives another number of scores; "
            "name its classes with --labels"
        )
    renderer, thresholds = SpectrogramRenderer.make(PICTURES_OF_2018), RejectionThresholds(0.0, float("inf"))
    return Model(labels, renderer, network, thresholds, any_picture=True)


def _described_graph(description: ModelDescription, described_in: Path, path: Path, told: InputOptions | None) -> Model:
    """The model of a frozen graph with its description. The bytes that are run are those that the checksum is of."""
    if description.sound is not None:
        raise AudionetError(f"{path}: is the layer alone of a network from sound; label needs the .tflite beside it")
    content = _read_graph(path)
    options = told or InputOptions(output_layer=description.output_name)
    with explaining(f"{described_in}: does not fit {path.name}; {REMEDY}", Refused):
        if description.graph_sha256 != hashlib.sha256(content).hexdigest():
            raise Refused("another graph")
        return _described(description, sandboxed_graph(content, path, options), description.graph_sha256, described_in)


def _read_graph(path: Path) -> bytes:
    """The content of a frozen graph. Raises AudionetError for a file that can't be read, or is evidently none."""
    no_graph = f"{path}: not a model (not a frozen TensorFlow graph); name one with --graph"
    with (
        explaining(f"{path}: cannot be read", OSError, remedy="name another with --graph"),
        explaining(no_graph, Refused),
    ):
        content = read_limited(path, LARGEST_GRAPH_BYTES)
    if content.startswith(ARCHIVE_MARKS):
        raise AudionetError(f"{path}: is an archive; unpack it, and name the folder with --graph")
    if not content.startswith(b"\n"):  # the tag of the first node
        raise AudionetError(no_graph)
    return content


def _saved_model(graph: Path) -> Path | None:
    """The folder of a SavedModel that `--graph` names, or None; killed at that moment, a run left it elsewhere."""
    if graph.is_dir():
        return graph
    return replaced(graph) if not graph.exists() and replaced(graph).is_dir() else None


def _load_saved_model(folder: Path) -> Model:
    """What lies beside a SavedModel. That itself is a program of TensorFlow's, whatever made it, and is not loaded."""
    if not (folder / "saved_model.pb").is_file():
        several = models_in(folder)
        if several:
            names = listed([path.name for path in several])
            raise AudionetError(f"{folder}: holds several models ({names}); name one of them with --graph")
        raise AudionetError(f"{folder}: holds no model; train one with audionet retrain, or name it with --graph")
    not_ours = (
        f"{folder}: not a SavedModel that audionet retrain --saved-model-dir made, and others are programs, which "
        "label does not run; name a model's own file with --graph, or write the folder anew with retrain"
    )
    with explaining(not_ours, OSError, Refused):
        description = read_description(folder / EXTRA_FILE)
    if not (folder / EXTRA_GRAPH).is_file():
        raise AudionetError(not_ours)
    return _described_graph(description, folder / EXTRA_FILE, folder / EXTRA_GRAPH, None)


def _described(description: ModelDescription, network: ShapedNetwork, sha256: str, described_in: Path) -> Model:
    """The model of a network of this SHA-256 and its description. Raises Refused if the two do not fit."""
    labels, sound, detection = description.labels, description.sound, description.detection
    if network.output_shapes != [(len(labels),), ()]:
        raise Refused("labels and scores differ in number")
    decided_by = f"{sha256} {description.renderer.fingerprint} {sound} {detection is None}"
    kept = KeptScores(described_in.with_suffix(".scores"), len(labels), decided_by)
    thresholds = description.thresholds
    return Model(labels, description.renderer, network, thresholds, sound=sound, detection=detection, kept=kept)
