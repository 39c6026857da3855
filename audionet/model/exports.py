"""What TensorFlow programs take from a training beside the model: a SavedModel, unfinished graphs, checkpoints."""

from pathlib import Path
from typing import Any

import numpy as np

from audionet.bottleneck.backbone import Backbone
from audionet.errors import AudionetError
from audionet.model import saved_model
from audionet.model.graph_def import freeze
from audionet.model.litert import ClassifierHead
from audionet.options import ExportOptions
from audionet.system.files import write_atomically
from audionet.system.tensorflow import start_tensorflow
from audionet.training.classifier import Classifier
from audionet.training.subspace import Subspace


class Exports:
    """The exports of one training, as its options ask for them."""

    def __init__(self, backbone: Backbone, subspace: Subspace, options: ExportOptions) -> None:
        """subspace: what the classifiers were fitted in."""
        self._backbone, self._subspace, self._options = backbone, subspace, options

    def head(self, classifier: Classifier) -> ClassifierHead:
        """The classifier for raw bottlenecks."""
        linear, calibrator = self._subspace.linear_scores(classifier.discriminant), classifier.calibrator
        weights = linear.weights * np.float32(calibrator.inverse_temperature)
        biases = linear.biases * calibrator.inverse_temperature + calibrator.biases
        return ClassifierHead(weights, biases.astype(np.float32), self._subspace.features_at(classifier.centroid))

    def store(self, step: int, classifier: Classifier) -> None:
        """Write intermediate_<step>.pb, and the checkpoint anew."""
        head = self.head(classifier)
        folder = self._options.intermediate_output_graphs_dir
        if folder is not None:
            graph = freeze(self._backbone, head, self._options.final_tensor_name)
            write_atomically(folder / f"intermediate_{step}.pb", graph)
        self._write_checkpoint(step, head)

    def finish(self, step: int, head: ClassifierHead, graph: bytes, description: dict[str, Any]) -> None:
        """Write what is to be had after the last step: the SavedModel of a frozen graph, and the checkpoint anew."""
        options = self._options
        if options.saved_model_dir is not None:
            saved_model.save(options.saved_model_dir, graph, options.final_tensor_name, description)
        self._write_checkpoint(step, head)

    def _write_checkpoint(self, step: int, head: ClassifierHead) -> None:
        """The layer's weights (features x classes) and biases, and the step, as a checkpoint of TensorFlow 2."""
        prefix = self._options.checkpoint_path
        if prefix is None:
            return
        tf = start_tensorflow()
        variables = {"final_weights": tf.Variable(head.weights), "final_biases": tf.Variable(head.biases)}
        try:
            prefix.parent.mkdir(parents=True, exist_ok=True)
            tf.train.Checkpoint(step=tf.Variable(step, dtype=tf.int64), **variables).write(str(prefix))
        except (OSError, tf.errors.OpError) as error:
            raise AudionetError(f"{prefix}: can't be written; name another place with --checkpoint-path") from error


def are_there(options: ExportOptions) -> bool:
    """Whether the exports that are asked for have been written before."""
    wanted = [options.saved_model_dir and options.saved_model_dir / "saved_model.pb"]
    wanted += [options.checkpoint_path and options.checkpoint_path.with_name(f"{options.checkpoint_path.name}.index")]
    wanted += [options.intermediate_output_graphs_dir]
    return all(path.exists() for path in wanted if isinstance(path, Path))
