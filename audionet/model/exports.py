"""What TensorFlow programs take from a training beside the model: a SavedModel, unfinished graphs, checkpoints."""

import shutil
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from audionet.bottleneck.backbone import Backbone
from audionet.detection.detector import Detector
from audionet.errors import AudionetError, explaining, writing
from audionet.model.description import ModelDescription
from audionet.model.graph_def import freeze
from audionet.model.litert import DISTANCE_NAME, ClassifierHead
from audionet.options import ExportOptions
from audionet.settings import PICTURE_SIZE
from audionet.system.files import require_folder, sync_files, write_atomically, write_durably, write_json
from audionet.system.locks import make_folder
from audionet.system.tensorflow import start_tensorflow
from audionet.training.classifier import Classifier
from audionet.training.subspace import Subspace

# In a SavedModel's folder for what is not TensorFlow's own: the description, and the graph that `label` runs. The
# SavedModel itself is a program; it is for others, and never loaded here.
EXTRA_FILE = Path("assets.extra") / "audionet.json"
EXTRA_GRAPH = Path("assets.extra") / "frozen_graph.pb"
SCORES_NAME = "scores"
EMPTY_HEAD = ClassifierHead(np.zeros((1, 1)), np.zeros(1), np.zeros(1), noise=np.zeros((1, 1)))


class Exports:
    """The exports of one training, as its options ask for them."""

    def __init__(
        self, backbone: Backbone, subspace: Subspace, options: ExportOptions, noise: NDArray[np.floating] | None = None
    ) -> None:
        """subspace: the one that the classifiers are fitted in. noise: the direction in which noise moves features."""
        self._backbone, self._subspace, self._options = backbone, subspace, options
        self._noise = noise
        for folder in _folders(options):
            with writing(folder):
                make_folder(folder)

    def head(self, classifier: Classifier, detector: Detector | None = None) -> ClassifierHead:
        """The classifier for bottlenecks as the network gives them; detector: the one of events, if there is one."""
        linear, calibrator = self._subspace.discriminant_of_features(classifier.discriminant), classifier.calibrator
        weights = linear.weights * np.float32(calibrator.inverse_temperature)
        biases = linear.biases * np.float32(calibrator.inverse_temperature)
        centroid, noise = self._subspace.features_at(classifier.centroid), self._left_out(classifier)
        if detector is None:
            return ClassifierHead(weights, biases, centroid, noise=noise)
        events = detector.linear
        return ClassifierHead(weights, biases, centroid, events.weights, events.biases, noise)

    def _left_out(self, classifier: Classifier) -> NDArray[np.float32] | None:
        """The directions that distances leave out, the one of noise and those of the classifier: features x n."""
        directions = [] if self._noise is None else [self._noise]
        if classifier.left_out.shape[1]:
            directions += list(self._subspace.in_features(classifier.left_out).T)
        return np.linalg.qr(np.array(directions).T).Q if directions else None

    def store(self, step: int, classifier: Classifier) -> None:
        """Write intermediate_<step>.pb, and the checkpoint anew, if they were asked for."""
        head = self.head(classifier)
        folder = self._options.intermediate_output_graphs_dir
        if folder is not None:
            graph = freeze(self._backbone, head, self._options.final_tensor_name)
            write_atomically(folder / f"intermediate_{step}.pb", graph)
        self._write_checkpoint(step, head)

    def finish(self, step: int, head: ClassifierHead, graph: bytes, description: ModelDescription) -> None:
        """After the last step, write the SavedModel of a frozen graph and the checkpoint, if they were asked for."""
        options = self._options
        if options.saved_model_dir is not None:
            save_saved_model(options.saved_model_dir, graph, description)
        self._write_checkpoint(step, head)

    def _write_checkpoint(self, step: int, head: ClassifierHead) -> None:
        """The layer's weights (features x classes) and biases, and the step, as a checkpoint of TensorFlow 2."""
        prefix = self._options.checkpoint_path
        if prefix is None:
            return
        tf = start_tensorflow()
        variables = {"final_weights": tf.Variable(head.weights), "final_biases": tf.Variable(head.biases)}
        fault = f"{prefix}: can't be written; name another place with --checkpoint-path"
        with explaining(fault, OSError, tf.errors.OpError):
            tf.train.Checkpoint(step=tf.Variable(step, dtype=tf.int64), **variables).write(str(prefix))


def _folders(options: ExportOptions) -> list[Path]:
    """The folders that exports are written into, but for the SavedModel, which is one itself."""
    checkpoints = options.checkpoint_path and options.checkpoint_path.parent
    return list(filter(None, (checkpoints, options.intermediate_output_graphs_dir)))


def require_places_for_exports(options: ExportOptions) -> None:
    """Raise AudionetError where an export can't be written."""
    if options.saved_model_dir is not None:
        require_place_for_saved_model(options.saved_model_dir)
    for folder in _folders(options):
        require_folder(folder)


def require_free_name(backbone: Backbone, output_name: str) -> None:
    """Raise AudionetError if the output of the graph can't be called so, as something in the backbone is."""
    if output_name != ExportOptions.final_tensor_name:
        freeze(backbone, EMPTY_HEAD, output_name)


def are_there(options: ExportOptions) -> bool:
    """Whether the exports that are asked for have been written before."""
    wanted = []
    if options.saved_model_dir is not None:
        wanted += [options.saved_model_dir / "saved_model.pb", options.saved_model_dir / EXTRA_GRAPH]
    if options.checkpoint_path is not None:
        wanted.append(options.checkpoint_path.with_name(f"{options.checkpoint_path.name}.index"))
    if options.intermediate_output_graphs_dir is not None:
        wanted.append(options.intermediate_output_graphs_dir)
    return all(path.exists() for path in wanted)


def save_saved_model(folder: Path, graph: bytes, description: ModelDescription) -> None:
    """Write a SavedModel of a frozen graph, whole or not at all; one that is there is replaced.

    Called with pictures (N x 299 x 299 x 3, float32, 0 to 1) it gives scores (N x classes), as TensorFlow Hub asks
    for; its signature serving_default gives `scores` and `squared_distance`. TensorFlow Serving, TensorFlow Hub and
    tf.saved_model.load take it.
    Raises AudionetError when the folder holds something else or cannot be written.
    """
    require_place_for_saved_model(folder)
    tf = start_tensorflow()
    model, signature = _module(graph, description.output_name)
    fault = f"{folder}: cannot be written"
    with explaining(fault, OSError, tf.errors.OpError, remedy="choose another folder"):
        temporary = replaced(folder).parent
        if not folder.exists() and replaced(folder).is_dir():
            replaced(folder).replace(folder)  # a run was killed in between
        shutil.rmtree(temporary, ignore_errors=True)
        unfinished = temporary / "model"
        unfinished.mkdir(parents=True)
        try:
            tf.saved_model.save(model, str(unfinished), signature)
            write_durably(unfinished / EXTRA_GRAPH, graph)
            write_json(unfinished / EXTRA_FILE, description.to_json())
            sync_files(path for path in unfinished.rglob("*") if path.is_file())
            if folder.exists():
                folder.replace(replaced(folder))
            unfinished.replace(folder)
        finally:
            if folder.exists():
                shutil.rmtree(temporary, ignore_errors=True)


def _module(graph: bytes, output_name: str) -> tuple[Any, Any]:
    """A module of TensorFlow's that runs a frozen graph when it is called, and the function of its signature."""
    tf = start_tensorflow()
    definition = tf.compat.v1.GraphDef.FromString(graph)

    def network(pictures: Any) -> Any:
        fetched = [f"{output_name}:0", f"{DISTANCE_NAME}:0"]
        return tf.graph_util.import_graph_def(definition, {"Mul:0": pictures}, fetched, name="")

    def serve(pictures: Any) -> dict[str, Any]:
        return dict(zip((SCORES_NAME, DISTANCE_NAME), network(pictures), strict=True))

    pictures = tf.TensorSpec((None, PICTURE_SIZE, PICTURE_SIZE, 3), tf.float32, name="pictures")
    module = tf.Module()
    module.__call__ = tf.function(lambda pictures: network(pictures)[0], input_signature=[pictures], autograph=False)
    return module, tf.function(serve, input_signature=[pictures], autograph=False)


def require_place_for_saved_model(folder: Path) -> None:
    """Raise AudionetError where something else than a SavedModel or an empty folder is, or nothing can be written."""
    temporary = replaced(folder).parent
    if temporary.is_symlink():
        raise AudionetError(f"{temporary}: is a link, which is not followed; delete it")
    with explaining(f"{folder}: cannot be read", OSError, remedy="name a new one with --saved-model-dir"):
        require_folder(folder)
        if folder.exists() and not (folder / "saved_model.pb").is_file() and any(folder.iterdir()):
            raise AudionetError(
                f"{folder}: holds other files than a SavedModel; name a new folder with --saved-model-dir"
            )


def replaced(folder: Path) -> Path:
    """The folder of an old SavedModel while a new one takes its place; after a kill at that moment it is there."""
    return folder.with_name(f".{folder.name}.tmp") / "old"
