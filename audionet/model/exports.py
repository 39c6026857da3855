"""What TensorFlow programs take from a training beside the model: a SavedModel, unfinished graphs, checkpoints."""

from pathlib import Path
from typing import Any

import numpy as np

from audionet.bottleneck.backbone import Backbone
from audionet.errors import AudionetError
from audionet.model import saved_model
from audionet.model.graph_def import freeze
from audionet.model.litert import ClassifierHead
from audionet.options import RetrainOptions
from audionet.system.files import write_atomically
from audionet.system.tensorflow import start_tensorflow
from audionet.training.classifier import Classifier, Trainer


class Exports:
    """The exports of one training, as its options ask for them."""

    def __init__(self, backbone: Backbone, trainer: Trainer, options: RetrainOptions) -> None:
        self._trunk, self._room, self._options = backbone, trainer, options

    def layer(self, classifier: Classifier) -> ClassifierHead:
        """The classifier for raw bottlenecks."""
        linear, softmax = self._room.subspace.linear_scores(classifier.discriminant), classifier.softmax
        weights = linear.weights * np.float32(softmax.inverse_temperature)
        biases = linear.biases * softmax.inverse_temperature + softmax.biases
        return ClassifierHead(weights, biases.astype(np.float32), self._room.subspace.features_at(classifier.centroid))

    def store(self, step: int, classifier: Classifier) -> None:
        """Write intermediate_<step>.pb, and the checkpoint anew."""
        layer = self.layer(classifier)
        folder = self._options.intermediate_output_graphs_dir
        if folder is not None:
            graph = freeze(self._trunk, layer, self._options.final_tensor_name)
            write_atomically(folder / f"intermediate_{step}.pb", graph)
        self._write_checkpoint(step, layer)

    def finish(self, layer: ClassifierHead, graph: bytes, description: dict[str, Any]) -> None:
        """Write what is to be had at the end: the SavedModel of a frozen graph, and the checkpoint anew."""
        options = self._options
        if options.saved_model_dir is not None:
            saved_model.save(options.saved_model_dir, graph, options.final_tensor_name, description)
        self._write_checkpoint(options.steps, layer)

    def _write_checkpoint(self, step: int, layer: ClassifierHead) -> None:
        """The layer's weights (features x classes) and biases, and the step, as a checkpoint of TensorFlow 2."""
        prefix = self._options.checkpoint_path
        if prefix is None:
            return
        tf = start_tensorflow()
        variables = {"final_weights": tf.Variable(layer.weights), "final_biases": tf.Variable(layer.biases)}
        try:
            prefix.parent.mkdir(parents=True, exist_ok=True)
            tf.train.Checkpoint(step=tf.Variable(step, dtype=tf.int64), **variables).write(str(prefix))
        except (OSError, tf.errors.OpError) as error:
            raise AudionetError(f"{prefix}: can't be written; name another place with --checkpoint-path") from error


def are_there(options: RetrainOptions) -> bool:
    """Whether the exports that are asked for have been written before."""
    wanted = [options.saved_model_dir and options.saved_model_dir / "saved_model.pb"]
    wanted += [options.checkpoint_path and options.checkpoint_path.with_name(f"{options.checkpoint_path.name}.index")]
    wanted += [options.intermediate_output_graphs_dir]
    return all(path.exists() for path in wanted if isinstance(path, Path))
