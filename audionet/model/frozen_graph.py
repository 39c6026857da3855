"""Run a model that is a frozen TensorFlow graph: retrained_graph.pb, ours or one of 2018.

`label` comes here only when no .tflite lies beside it. A graph is a program: it is read only if it consists of
arithmetic (OPERATIONS), so that it can neither read nor write files; and it is run in a process of its own
(parallel/sandbox.py), since arithmetic can take any time and memory.
"""

import math
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np

from audionet.errors import AudionetError, explaining
from audionet.model.description import MOST_LABELS
from audionet.model.litert import DISTANCE_NAME, OUTPUT_NAME
from audionet.model_files import ARTICLES, labels_beside
from audionet.parallel.sandbox import SandboxedNetwork, serve
from audionet.settings import PICTURE_SIZE
from audionet.spectrogram.transform import in_colors
from audionet.system.files import read_limited
from audionet.system.tensorflow import start_tensorflow
from audionet.values import CheckedRecord, Rule, within

# The operations of networks from pictures to scores, also of those of 2015 to 2018.
OPERATIONS = frozenset(
    "Abs Add AddN AddV2 ArgMax AvgPool BatchMatMulV2 BatchNormWithGlobalNormalization BatchToSpaceND BiasAdd "
    "Cast CheckNumerics Concat ConcatV2 Const Conv2D DecodeJpeg DecodePng DepthToSpace DepthwiseConv2dNative "
    "Div Einsum Elu Equal Erf Exp ExpandDims FakeQuantWithMinMaxArgs FakeQuantWithMinMaxVars Fill Floor "
    "FloorDiv FloorMod FusedBatchNorm FusedBatchNormV2 FusedBatchNormV3 GatherV2 Greater Identity IdentityN "
    "LRN LeakyRelu Log LogicalAnd MatMul Max MaxPool Maximum Mean Min Minimum MirrorPad Mul Neg NoOp OneHot "
    "OnesLike Pack Pad PadV2 Placeholder PlaceholderWithDefault Pow Prod Range Rank RealDiv Relu Relu6 "
    "Reshape ResizeBilinear ResizeNearestNeighbor ReverseV2 Rsqrt Select SelectV2 Selu Shape Sigmoid Slice "
    "Softmax Softplus SpaceToBatchND SpaceToDepth Split Sqrt Square SquaredDifference Squeeze StopGradient "
    "StridedSlice Sub Sum Tanh Tile Transpose Unpack ZerosLike _FusedConv2D".split()
)
LARGEST_GRAPH_BYTES = 1 << 30
LARGEST_LABELS_BYTES = 64 << 20
LARGEST_TENSOR_ELEMENTS = 1 << 28  # 1 GB of float32
MOST_NODES = 100_000  # Inception v3 has 2,000
PIXELS, DEVIATION = within(1, 4096, " pixels"), Rule(lambda deviation: deviation > 0, "must be over 0")
INPUT_NAMES = ("Mul", "input", "Placeholder")  # of Inception, MobileNet, and modules of TensorFlow Hub


@dataclass(frozen=True)
class InputOptions(CheckedRecord):
    """How pictures are fed, as label_image.py of 2018 calls it; None is what the graph itself says, or 299, 0 and 255.

    A pixel of 0 to 255 becomes (pixel - input_mean) / input_std.
    """

    input_layer: str | None = None
    output_layer: str | None = None
    input_height: Annotated[int | None, PIXELS] = None
    input_width: Annotated[int | None, PIXELS] = None
    input_mean: float = 0.0
    input_std: Annotated[float, DEVIATION] = 255.0


def sandboxed_graph(content: bytes, path: Path, options: InputOptions | None = None) -> SandboxedNetwork:
    """A FrozenGraph in a process of its own. Raises AudionetError when the content is no such graph."""
    with explaining(f"{path}: not a graph from pictures to scores", ValueError, remedy=""):
        return SandboxedNetwork("audionet.model.frozen_graph", content, path, asdict(options or InputOptions()))


def read_labels(path: Path, graph: Path) -> list[str]:
    """The classes of a graph that comes without a description, from its own file or the article's beside it."""
    named = path
    if path == labels_beside(graph) and not path.is_file():
        path = labels_beside(path.with_name(ARTICLES))
    if not path.is_file():
        raise AudionetError(
            f"{named}: {'is no' if named.exists() else 'no such'} file of classes; name the graph's with --labels"
        )
    no_labels = f"{path}: not a file of classes, one a line, in UTF-8; name another with --labels"
    with explaining(no_labels, OSError, ValueError):
        content = read_limited(path, LARGEST_LABELS_BYTES).decode("utf-8-sig")
    labels = [label.strip() for label in content.split("\n") if label.strip()]
    if not 0 < len(labels) <= MOST_LABELS or len(set(labels)) < len(labels):
        raise AudionetError(f"{path}: holds no classes, too many, or one twice; name another with --labels")
    return labels


class FrozenGraph:
    """A GraphDef from pictures to scores, run by TensorFlow.

    output_shapes: of the scores and the squared distance, as `backbone.Interpreter` has them.
    """

    def __init__(self, content: bytes, path: Path, options: InputOptions | None = None) -> None:
        """content: of the file at `path`, which is not read again. Raises AudionetError when it is no such graph, or
        does more than arithmetic."""
        options = options or InputOptions()
        tf = self._tensorflow = start_tensorflow()
        definition = _parse(content, path, tf)
        nodes = {node.name: node for node in definition.node}
        self._input = _chosen(path, options.input_layer, INPUT_NAMES, nodes, "input_layer")
        softmaxes = [name for name, node in nodes.items() if node.op == "Softmax"]
        self._output = _chosen(path, options.output_layer, (OUTPUT_NAME, *softmaxes[-1:]), nodes, "output_layer")
        height, width = _size_of(nodes[self._input])
        self._size = (options.input_height or height, options.input_width or width)
        self._mean, self._deviation = options.input_mean, options.input_std
        fetches = [f"{self._output}:0"] + ([f"{DISTANCE_NAME}:0"] if DISTANCE_NAME in nodes else [])
        no_graph = f"{path}: not a graph from pictures to scores"
        with explaining(no_graph, ValueError, TypeError, tf.errors.OpError, remedy=""):
            whole = tf.compat.v1.wrap_function(lambda: tf.compat.v1.import_graph_def(definition, name=""), [])
            for operation in whole.graph.get_operations():
                for tensor in operation.outputs:
                    _check_size(path, [size or 1 for size in tensor.shape.as_list()] if tensor.shape.rank else [])
            self._run = whole.prune(f"{self._input}:0", fetches)
            blank = np.zeros((*self._size, 3), np.uint8)
            self.output_shapes = [np.shape(output) for output in self.run(blank)]

    def run(self, picture: np.ndarray) -> list[np.ndarray]:
        """The scores (float32, classes) and the squared distance (0 if the graph has none) of a uint8 picture.

        picture: height x width, or x 3, of any size; it is scaled to the graph's.
        """
        tf = self._tensorflow
        picture = in_colors(picture)
        pixels = tf.constant(picture[None], tf.float32)
        if picture.shape[:2] != self._size:
            pixels = tf.image.resize(pixels, self._size)
        scores, *distance = self._run((pixels - self._mean) / self._deviation)
        return [_of_one(scores), _of_one(distance[0]) if distance else np.zeros((), np.float32)]


def _size_of(placeholder: Any) -> tuple[int, int]:
    """The height and width of the pictures that an input takes; those of ours where it takes any."""
    sizes = [dim.size for dim in placeholder.attr["shape"].shape.dim]
    return (sizes[1], sizes[2]) if len(sizes) == 4 and min(sizes[1:3]) > 0 else (PICTURE_SIZE, PICTURE_SIZE)


def _of_one(output: Any) -> np.ndarray:
    """The part of an output that belongs to the one picture. Raises ValueError if it is not one array of numbers."""
    values = np.asarray(output.numpy(), np.float32)
    if len(np.atleast_1d(values)) != 1:
        raise ValueError(f"an output of shape {values.shape} for one picture")
    return np.asarray(np.atleast_1d(values)[0])


def _parse(content: bytes, path: Path, tf: Any) -> Any:
    """The GraphDef in the bytes of a file. Raises AudionetError for one that is none, too large, or no arithmetic."""
    from google.protobuf.message import DecodeError

    definition = tf.compat.v1.GraphDef()
    with explaining(f"{path}: not a frozen TensorFlow graph; name one with --graph", DecodeError, ValueError):
        definition.ParseFromString(content)
    if len(definition.node) > MOST_NODES:
        raise AudionetError(f"{path}: refused, it holds {len(definition.node)} operations, more than any such network")
    for node in definition.node:
        if node.op == "Const":
            _check_size(path, [dim.size for dim in node.attr["value"].tensor.tensor_shape.dim])
    outlier = sorted({node.op for node in definition.node} - OPERATIONS)
    if outlier or definition.library.function:
        part = f"the operation {outlier[0]}" if outlier else "functions"
        raise AudionetError(f"{path}: refused, it holds {part}, which no frozen network from pictures to scores needs")
    return definition


def _check_size(path: Path, shape: list[int]) -> None:
    """Raise an error for a shape that is too large: a few bytes of a graph can claim any memory."""
    if math.prod(shape) > LARGEST_TENSOR_ELEMENTS:
        raise AudionetError(f"{path}: refused, it holds {shape} numbers, more than any network from pictures to scores")


def _chosen(path: Path, wanted: str | None, usual: tuple[str, ...], nodes: dict[str, Any], option: str) -> str:
    for name in (wanted,) if wanted else usual:
        if name in nodes:
            return name
    missing = wanted or " or ".join(usual)
    raise AudionetError(f"{path}: has no {missing}; name another with label_image.py --{option}")


if __name__ == "__main__":  # the process of a graph
    serve(start_tensorflow, lambda content, path, told: FrozenGraph(content, path, InputOptions(**told)))
