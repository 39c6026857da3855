"""The trained model on disk: a network (for LiteRT, and for TensorFlow), its labels, and a description of all."""

import hashlib
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from audionet.bottleneck.backbone import LARGEST_NETWORK_BYTES, Network
from audionet.dataset.manifest import renderer_from_json, renderer_to_json
from audionet.errors import AudionetError
from audionet.model.frozen_graph import FrozenGraph, InputOptions
from audionet.model.litert import OUTPUT_NAME
from audionet.model.saved_model import EXTRA_FILE, SavedModel
from audionet.options import LabelOptions
from audionet.settings import PictureSettings
from audionet.spectrogram.transform import SpectrogramRenderer
from audionet.system.files import MALFORMED, json_bytes, read_json, read_limited, sha256_of_file, write_together
from audionet.system.text import is_printable
from audionet.training.unknown import RejectionThresholds

FORMAT = 3  # of the description; a reader refuses others
LARGEST_DESCRIPTION_BYTES = 64 << 20  # of a model, and of its labels
MOST_LABELS = 20_000
REMEDY = "train it again with audionet retrain"
# While `retrain` puts its files in the place of the old ones, which takes a moment, they do not fit each other.
READINGS, READ_AGAIN_SECONDS = 20, 0.05
PICTURES_OF_2018 = PictureSettings(representation="spectrogram", colormap="viridis")


@dataclass(frozen=True)
class ModelFiles:
    """Where a model's files lie: the `--output-graph` for TensorFlow, and beside it, with other suffixes, the LiteRT
    network and the description."""

    graph: Path
    network: Path
    description: Path
    labels: Path

    @classmethod
    def beside(cls, graph: Path, labels: Path) -> "ModelFiles":
        """The files for `--output-graph` (or `--graph`) and `--output-labels` (or `--labels`)."""
        network, description = graph.with_suffix(".tflite"), graph.with_suffix(".json")
        return cls(graph.with_suffix(".pb") if graph in (network, description) else graph, network, description, labels)


class PictureNetwork(Protocol):
    """From a picture to scores and a squared distance: trunk.Network, or one of frozen_graph's."""

    def run(self, picture: np.ndarray) -> list[np.ndarray]:
        """The scores, float32, and the squared distance of a uint8 picture (height x width x 3)."""


@dataclass(frozen=True)
class Model:
    """A network from picture to scores, the labels of the scores, the painter of its pictures, and what is familiar.

    any_picture: the network is not ours, so that its pictures need not be either.
    For several threads at once; it can be pickled.
    """

    labels: list[str]
    renderer: SpectrogramRenderer
    network: PictureNetwork
    thresholds: RejectionThresholds
    any_picture: bool = False

    def score(self, picture: np.ndarray) -> tuple[np.ndarray, float]:
        """A probability a label, float32, for a uint8 picture (grey or colour); and its squared distance.

        Raises AudionetError for a network whose scores are no numbers.
        """
        if picture.ndim == 2:
            picture = np.repeat(picture[:, :, None], 3, axis=2)
        scores, distance = self.network.run(picture)
        if not np.isfinite(scores).all() or not np.isfinite(distance):
            raise AudionetError(f"the model's scores are no numbers; {REMEDY}")
        return scores, float(distance)


def describe_model(
    graph: bytes,
    network: bytes,
    labels: list[str],
    renderer: SpectrogramRenderer,
    thresholds: RejectionThresholds,
    training: dict[str, Any],
    output_name: str = OUTPUT_NAME,
    card: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """The description of a model. It holds the networks' checksums, so that a reader notices what does not fit.

    `training` and `card` are kept as they are.
    """
    return {
        "format": FORMAT,
        "labels": labels,
        "card": card,
        "output_name": output_name,
        "graph_sha256": hashlib.sha256(graph).hexdigest(),
        "network_sha256": hashlib.sha256(network).hexdigest(),
        "familiarity": thresholds.to_json(),
        "training": training,
    } | renderer_to_json(renderer)


def save_model(files: ModelFiles, graph: bytes, network: bytes, description: dict[str, Any]) -> None:
    """Write the model that `describe_model` described, in the place of an old one."""
    labels = "".join(f"{label}\n" for label in description["labels"])
    contents = {files.graph: graph, files.network: network, files.labels: labels.encode()}
    write_together(contents | {files.description: json_bytes(description)})


def read_model(files: ModelFiles) -> tuple[dict[str, Any], bytes] | None:
    """The description and the network, if they and the labels are there and fit each other; else None."""
    try:
        description = read_json(files.description, LARGEST_DESCRIPTION_BYTES)
        labels = _read_labels(files.labels).removesuffix("\n").split("\n")
        network = read_limited(files.network, LARGEST_NETWORK_BYTES)
        fits = (
            description["format"] == FORMAT
            and description["labels"] == labels
            and description["network_sha256"] == hashlib.sha256(network).hexdigest()
        )
    except (OSError, *MALFORMED):
        return None
    return (description, network) if fits else None


def _read_while_it_is_written(files: ModelFiles) -> tuple[dict[str, Any], bytes] | None:
    """As `read_model`, but with patience."""
    for _ in range(READINGS):
        found = read_model(files)
        if found is not None:
            return found
        time.sleep(READ_AGAIN_SECONDS)
    return None


def read_card(options: LabelOptions) -> dict[str, Any] | None:
    """The model's card (model_card.py); None if it came without one."""
    is_saved_model = options.graph.is_dir()
    path = (
        options.graph / EXTRA_FILE if is_saved_model else ModelFiles.beside(options.graph, options.labels).description
    )
    try:
        card = read_json(path, LARGEST_DESCRIPTION_BYTES)["card"]
    except (OSError, *MALFORMED):
        return None
    return card if isinstance(card, dict) else None


def load_model(options: LabelOptions) -> Model:
    """Read a model: with LiteRT, or with TensorFlow where only a graph for it is there.

    Raises AudionetError when a file is missing, damaged, or does not fit the others.
    """
    model = _load_model(options)
    if options.threshold is None:
        return model
    return replace(model, thresholds=replace(model.thresholds, min_score=options.threshold))


def _load_model(options: LabelOptions) -> Model:
    files = ModelFiles.beside(options.graph, options.labels)
    if options.graph.is_dir():
        return _load_saved_model(options.graph)
    if options.graph.is_file() and not files.network.exists():
        return load_graph(files)
    for path in (files.network, files.description, files.labels):
        if not path.is_file():
            raise AudionetError(f"{path}: no such model file; train one with audionet retrain, or name it with --graph")
    found = _read_while_it_is_written(files)
    if found is None:
        raise AudionetError(f"{files.description}: does not fit {files.network.name} and {files.labels.name}; {REMEDY}")
    description, flatbuffer = found
    try:
        network = Network(flatbuffer)
        return _described(description, network, network.output_shapes)
    except (*MALFORMED, RuntimeError) as error:
        raise AudionetError(f"{files.network}: damaged, or of another version of audionet; {REMEDY}") from error


def load_graph(files: ModelFiles, options: InputOptions | None = None) -> Model:
    """Read a frozen graph: one that `retrain` exported, or of 2018, when nothing but the labels comes with it.

    Such a one is taken to know pictures as the original drew them. Raises AudionetError as `load_model`.
    """
    if not files.labels.is_file():
        raise AudionetError(f"{files.labels}: no such file of classes; name the graph's with --labels")
    if not files.description.is_file():
        labels = [label.strip() for label in _labels_of_2018(files.labels) if label.strip()]
        graph = FrozenGraph(files.graph, options)
        if graph.output_shapes[0] != (len(labels),):
            raise AudionetError(
                f"{files.labels}: has {len(labels)} classes, {files.graph} {graph.output_shapes[0]}; name its --labels"
            )
        return Model(
            labels,
            SpectrogramRenderer.make(PICTURES_OF_2018),
            graph,
            RejectionThresholds(0.0, float("inf")),
            any_picture=True,
        )
    try:
        description = read_json(files.description, LARGEST_DESCRIPTION_BYTES)
        if description["graph_sha256"] != sha256_of_file(files.graph):
            raise AudionetError(f"{files.description}: does not fit {files.graph.name}; {REMEDY}")
        options = options or InputOptions(output_layer=description["output_name"])
        graph = FrozenGraph(files.graph, options)
        return _described(description, graph, graph.output_shapes)
    except (OSError, *MALFORMED) as error:
        raise AudionetError(f"{files.description}: damaged, or of another version of audionet; {REMEDY}") from error


def _read_labels(path: Path) -> str:
    return read_limited(path, LARGEST_DESCRIPTION_BYTES).decode("utf-8")


def _labels_of_2018(path: Path) -> list[str]:
    try:
        return _read_labels(path).split("\n")
    except (OSError, ValueError) as error:
        raise AudionetError(
            f"{path}: not a file of classes, one a line, in UTF-8; name another with --labels"
        ) from error


def _load_saved_model(folder: Path) -> Model:
    try:
        description = read_json(folder / EXTRA_FILE, LARGEST_DESCRIPTION_BYTES)
        network = SavedModel(folder)
        return _described(description, network, network.output_shapes)
    except (OSError, *MALFORMED) as error:
        raise AudionetError(
            f"{folder}: not a SavedModel that audionet retrain --saved-model-dir made; name another --graph"
        ) from error


def _described(description: dict[str, Any], network: PictureNetwork, output_shapes: list[tuple[int, ...]]) -> Model:
    """A network with its description, which may be a stranger's. Raises one of MALFORMED where the two do not fit."""
    labels = description["labels"]
    if not isinstance(labels, list) or not all(isinstance(label, str) and label for label in labels):
        raise ValueError("no labels")
    if not len(set(labels)) == len(labels) <= MOST_LABELS or not all(map(is_printable, labels)):
        raise ValueError("labels that no folders of classes can have")
    if output_shapes != [(len(labels),), ()]:
        raise ValueError("labels and scores differ in number")
    thresholds = RejectionThresholds.from_json(description["familiarity"])
    return Model(labels, renderer_from_json(description), network, thresholds)
