"""A model as a TensorFlow SavedModel, which TensorFlow Serving, TensorFlow Hub and tf.saved_model.load take."""

import shutil
from pathlib import Path
from typing import Any

import numpy as np

from audionet.errors import AudionetError
from audionet.model.frozen_graph import LARGEST_GRAPH_BYTES, OPERATIONS
from audionet.model.litert import DISTANCE_NAME
from audionet.settings import PICTURE_SIZE
from audionet.system.files import read_limited, write_json
from audionet.system.tensorflow import parse_saved_model, start_tensorflow

CALLS = frozenset({"PartitionedCall", "StatefulPartitionedCall"})
EXTRA_FILE = Path("assets.extra") / "audionet.json"  # the description, in the folder for what is not TensorFlow's own
SCORES_NAME = "scores"


def save(folder: Path, graph: bytes, output_name: str, description: dict[str, Any]) -> None:
    """Write a SavedModel of a frozen graph, whole or not at all; one that is there is replaced.

    Called with pictures (N x 299 x 299 x 3, float32, 0 to 1) it gives scores (N x classes), as TensorFlow Hub asks
    for; its signature serving_default gives `scores` and `squared_distance`.
    Raises AudionetError when the folder holds something else or cannot be written.
    """
    if folder.exists() and not (folder / "saved_model.pb").is_file() and any(folder.iterdir()):
        raise AudionetError(f"{folder}: holds other files than a SavedModel; name a new folder with --saved-model-dir")
    tf = start_tensorflow()
    definition = tf.compat.v1.GraphDef.FromString(graph)

    def network(pictures: Any) -> Any:
        fetched = [f"{output_name}:0", f"{DISTANCE_NAME}:0"]
        return tf.graph_util.import_graph_def(definition, {"Mul:0": pictures}, fetched, name="")

    pictures = tf.TensorSpec((None, PICTURE_SIZE, PICTURE_SIZE, 3), tf.float32, name="pictures")
    model = tf.Module()
    model.__call__ = tf.function(lambda pictures: network(pictures)[0], input_signature=[pictures], autograph=False)

    def serve(pictures: Any) -> dict[str, Any]:
        return dict(zip((SCORES_NAME, DISTANCE_NAME), network(pictures), strict=True))

    try:
        temporary = folder.with_name(f".{folder.name}.tmp")
        shutil.rmtree(temporary, ignore_errors=True)  # of a run that was killed
        made, old = temporary / "model", temporary / "old"
        made.mkdir(parents=True)
        try:
            tf.saved_model.save(model, str(made), tf.function(serve, input_signature=[pictures], autograph=False))
            write_json(made / EXTRA_FILE, description)
            if folder.exists():
                folder.replace(old)
            made.replace(folder)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
    except (OSError, tf.errors.OpError) as error:
        reason = error.strerror if isinstance(error, OSError) else "the disk is full, perhaps"
        raise AudionetError(f"{folder}: cannot be written ({reason}); choose another folder") from error


class SavedModel:
    """A SavedModel that `save` wrote, run by TensorFlow; see frozen_graph.FrozenGraph."""

    def __init__(self, folder: Path) -> None:
        """Raises ValueError when the folder holds none."""
        tf = self._tensorflow = start_tensorflow()
        _refuse_programs(folder)
        try:
            self._model = tf.saved_model.load(str(folder))  # kept: its signatures do not keep it alive
            self._run = self._model.signatures["serving_default"]
            self.output_shapes = [np.shape(n) for n in self.run(np.zeros((PICTURE_SIZE, PICTURE_SIZE, 3), np.uint8))]
        except (OSError, TypeError, KeyError, AttributeError, tf.errors.OpError) as error:
            raise ValueError(str(error)) from error

    def run(self, picture: np.ndarray) -> list[np.ndarray]:
        """The scores (float32, classes) and the squared distance of a uint8 picture of PICTURE_SIZE x 3."""
        tf = self._tensorflow
        outputs = self._run(tf.constant(picture[None] / np.float32(255), tf.float32))
        return [outputs[name].numpy()[0] for name in (SCORES_NAME, DISTANCE_NAME)]


def _refuse_programs(folder: Path) -> None:
    """Raises ValueError unless all that a SavedModel offers is arithmetic, and nothing runs when it is loaded.

    Only what serves to save it again, which is never called, may touch files.
    """
    (graph,) = parse_saved_model(read_limited(folder / "saved_model.pb", LARGEST_GRAPH_BYTES)).meta_graphs
    library = {function.signature.name: function for function in graph.graph_def.library.function}
    # Without functions, TensorFlow would run the graph itself.
    waiting = [name for node in graph.object_graph_def.nodes for name in _functions(node)]
    if not waiting:
        raise ValueError("no functions")
    seen: set[str] = set()
    while waiting:
        name = waiting.pop()
        if name in seen:
            continue
        seen.add(name)
        for node in library[name].node_def:
            if node.op in CALLS:
                waiting.append(node.attr["f"].func.name)
            elif node.op not in OPERATIONS:
                raise ValueError(f"it holds the operation {node.op}")


def _functions(node: Any) -> list[str]:
    """The functions that a node of the object graph offers."""
    kind = node.WhichOneof("kind")
    if kind == "function":
        return list(node.function.concrete_functions)
    if kind == "bare_concrete_function":
        return [node.bare_concrete_function.concrete_function_name]
    if kind != "user_object":
        raise ValueError(f"it holds a {kind}")
    return []
