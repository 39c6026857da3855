"""The trained model on disk: a LiteRT network, its labels, and a description of both."""

import hashlib
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from audionet.calibration import Familiarity
from audionet.errors import AudionetError
from audionet.files import read_json, write_atomically, write_json
from audionet.picture_index import painter_from_json, painter_to_json
from audionet.settings import LabelOptions, available_cores
from audionet.spectrogram import Painter
from audionet.trunk import Interpreter

FORMAT = 2  # of the description; a reader refuses others


@dataclass(frozen=True)
class ModelFiles:
    """Where a model's files lie: beside the `--output-graph`, whose suffix is replaced."""

    network: Path
    description: Path
    labels: Path

    @classmethod
    def beside(cls, graph: Path, labels: Path) -> "ModelFiles":
        """The files for `--output-graph` (or `--graph`) and `--output-labels` (or `--labels`)."""
        return cls(graph.with_suffix(".tflite"), graph.with_suffix(".json"), labels)


@dataclass(frozen=True)
class Model:
    """A network from picture to scores, the labels of the scores, the painter of its pictures, and what is familiar."""

    labels: list[str]
    painter: Painter
    interpreter: Interpreter
    familiarity: Familiarity

    def score(self, picture: np.ndarray) -> tuple[np.ndarray, float]:
        """A probability a label, float32, for a uint8 picture (grey or colour); and its squared distance."""
        if picture.ndim == 2:
            picture = np.repeat(picture[:, :, None], 3, axis=2)
        scores, distance = self.interpreter.run(picture)
        return scores, float(distance)


def save_model(
    files: ModelFiles,
    network: bytes,
    labels: list[str],
    painter: Painter,
    familiarity: Familiarity,
    training: dict[str, Any],
) -> None:
    """Write the model. The description comes last and holds the network's checksum, so that a reader who comes
    in between notices. `training` is kept as it is."""
    description = {
        "format": FORMAT,
        "labels": labels,
        "network_sha256": hashlib.sha256(network).hexdigest(),
        "familiarity": asdict(familiarity),
        "training": training,
    } | painter_to_json(painter)
    write_atomically(files.network, network)
    write_atomically(files.labels, "".join(f"{label}\n" for label in labels).encode())
    write_json(files.description, description)


def read_model(files: ModelFiles) -> tuple[dict[str, Any], bytes] | None:
    """The description and the network, if they and the labels are there and fit each other; else None."""
    try:
        description = read_json(files.description)
        labels = files.labels.read_text(encoding="utf-8").removesuffix("\n").split("\n")
        network = files.network.read_bytes()
        fits = (
            description["format"] == FORMAT
            and description["labels"] == labels
            and description["network_sha256"] == hashlib.sha256(network).hexdigest()
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return (description, network) if fits else None


def load_model(options: LabelOptions) -> Model:
    """Read a model. Raises AudionetError when a file is missing, damaged, or does not fit the others."""
    files = ModelFiles.beside(options.graph, options.labels)
    remedy = "train it again with audionet retrain"
    for path in (files.network, files.description, files.labels):
        if not path.is_file():
            raise AudionetError(f"{path}: no such model file; train one with audionet retrain, or name it with --graph")
    found = read_model(files)
    if found is None:
        raise AudionetError(f"{files.description}: does not fit {files.network.name} and {files.labels.name}; {remedy}")
    description, network = found
    labels = description["labels"]
    try:
        painter = painter_from_json(description)
        interpreter = Interpreter(network, threads=available_cores())
        if interpreter.output_shapes != [(len(labels),), ()]:
            raise ValueError("labels and scores differ in number")
        familiar = description["familiarity"]
        familiarity = Familiarity(float(familiar["lowest_score"]), float(familiar["longest_distance"]))
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        raise AudionetError(f"{files.network}: damaged, or of another version of audionet; {remedy}") from error
    return Model(labels, painter, interpreter, familiarity)
