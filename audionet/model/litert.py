"""Backbone and new layer -> one LiteRT network from picture, or sound, to scores.

The backbone's flatbuffer is read, a few operators and their tensors are added, and it is written again: no TensorFlow,
and a fraction of a second. The field names are those of LiteRT's schema.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from audionet.bottleneck.backbone import Backbone
from audionet.bottleneck.litert_file import pack, schema, unpack
from audionet.bottleneck.sound_network import DISTANCE, FEATURES, HEAD, SCORES
from audionet.training.unknown import MOST_DIRECTIONS

OUTPUT_NAME = "final_result"  # as in the graphs of 2018; the input is called Mul there and in the backbone
DISTANCE_NAME = "squared_distance"
NOISE_NAME = "noise_direction"
MOST_BYTES_AROUND = 1 << 16  # what says where the numbers of a head lie, and what is done with them
# What the tensors of a head's fields are called.
TENSOR_NAMES = {
    "weights": "final_weights",
    "biases": "final_biases",
    "centroid": "middle",
    "event_weights": "event_weights",
    "event_biases": "event_biases",
    "noise": NOISE_NAME,
}


@dataclass(frozen=True)
class ClassifierHead:
    """What comes behind the backbone, all float32.

    weights: features x classes. biases: classes. The scores are softmax(bottleneck @ weights + biases).
    centroid: the mean bottleneck of the training, features. The squared distance is that from it, less what lies along
        `noise`, the directions in which noise and the like move a bottleneck (features x n, orthonormal); None: all of
        it counts.
    event_weights, event_biases: of the scores of events (detection/detector.py), of the same shapes; None where they
        were not learnt. The network carries them, and does not compute them.
    """

    weights: np.ndarray
    biases: np.ndarray
    centroid: np.ndarray
    event_weights: np.ndarray | None = None
    event_biases: np.ndarray | None = None
    noise: np.ndarray | None = None

    @property
    def bytes(self) -> int:
        """How many bytes its numbers take in a network."""
        return sum(4 * array.size for array in vars(self).values() if array is not None)

    def squared_distances(self, bottlenecks: np.ndarray) -> np.ndarray:
        """The squared distances of bottlenecks (n x features), as the network computes them."""
        differences = bottlenecks - self.centroid
        if self.noise is not None:
            differences -= differences @ self.noise @ self.noise.T
        return np.asarray(np.square(differences).sum(axis=1))


def attach_head(backbone: Backbone, head: ClassifierHead) -> bytes:
    """The network with two outputs: the scores, and the squared distance of the bottleneck from the centroid.

    Behind a network from sound, whose windows are first to be averaged, the head is a graph of its own, as
    bottleneck/sound_network.py runs it.
    """
    model = unpack(backbone.flatbuffer)
    # The backbone's signature names an output that is no longer one.
    model.signatureDefs = None
    if backbone.sound is None:
        graph = SubgraphWriter(model, model.subgraphs[0])
        graph.subgraph.outputs = graph.add_head(graph.subgraph.outputs[0], head)  # LiteRT flattens what comes in
    else:
        graph = SubgraphWriter(model, schema().SubGraphT())
        graph.subgraph.name, graph.subgraph.tensors, graph.subgraph.operators = HEAD, [], []
        model.subgraphs.append(graph.subgraph)
        features = graph.add_tensor(FEATURES, (1, len(head.weights)))
        graph.subgraph.inputs, graph.subgraph.outputs = [features], graph.add_head(features, head)
        model.signatureDefs = [_signature(graph.subgraph, len(model.subgraphs) - 1)]
    return pack(model, len(backbone.flatbuffer) + head.bytes + MOST_BYTES_AROUND)


def read_head(
    network: bytes, backbone: Backbone, shape: tuple[int, int], has_events: bool = False
) -> ClassifierHead | None:
    """The head of a network that `attach_head` made with this backbone; None for any other network.

    shape: how many features and classes. has_events: whether the head has the scores of events too.
    The network may be a stranger's: nothing of it is taken apart. Its numbers are read where `attach_head` puts them,
    and a network that was made anew of them must be equal to it.
    """
    features, classes = shape
    shapes: dict[str, tuple[int, ...]] = {"weights": shape, "biases": (classes,), "centroid": (features,)}
    if has_events:
        shapes |= {"event_weights": shape, "event_biases": (classes,)}
    zeros = ClassifierHead(**{part: np.zeros(dims, np.float32) for part, dims in shapes.items()})
    # So many are what is left; all that stands around the numbers takes far less than one of them.
    directions = round((len(network) - len(backbone.flatbuffer) - zeros.bytes) / (4 * features))
    if 0 < directions <= 1 + MOST_DIRECTIONS:  # older models have none
        shapes["noise"] = (features, directions)
        zeros = replace(zeros, noise=np.zeros(shapes["noise"], np.float32))
    empty = attach_head(backbone, zeros)
    if len(empty) != len(network):
        return None
    places = _places(empty, [TENSOR_NAMES[part] for part in shapes])
    numbers = [np.frombuffer(network, "<f4", size, start) for start, size in places]
    parts = zip(shapes.items(), numbers, strict=True)
    head = ClassifierHead(**{part: values.reshape(dims[::-1]).T for (part, dims), values in parts})
    return head if attach_head(backbone, head) == network else None


def _places(network: bytes, names: Sequence[str]) -> Iterator[tuple[int, int]]:
    """Where the float32 numbers of tensors lie in a network: the first byte, and how many numbers."""
    model = schema().Model.GetRootAs(network, 0)
    graph = model.Subgraphs(0)
    buffers = {graph.Tensors(n).Name().decode(): graph.Tensors(n).Buffer() for n in range(graph.TensorsLength())}
    for name in names:
        table = model.Buffers(buffers[name])._tab
        field = table.Offset(4)  # of `data`, the first field of a buffer in LiteRT's schema
        yield table.Vector(field), table.VectorLen(field) // 4


def _signature(subgraph: Any, position: int) -> Any:
    def tensor_map(name: str, tensor: int) -> Any:
        entry = schema().TensorMapT()
        entry.name, entry.tensorIndex = name, tensor
        return entry

    signature = schema().SignatureDefT()
    signature.signatureKey, signature.subgraphIndex = HEAD, position
    signature.inputs = [tensor_map(FEATURES, subgraph.inputs[0])]
    signature.outputs = [tensor_map(*pair) for pair in zip((SCORES, DISTANCE), subgraph.outputs, strict=True)]
    return signature


class SubgraphWriter:
    """One graph of a network, to which the head is added."""

    def __init__(self, model: Any, subgraph: Any) -> None:
        self.model, self.subgraph = model, subgraph

    def add_tensor(self, name: str, shape: tuple[int, ...], data: np.ndarray | None = None) -> int:
        """Add a tensor, int32 if its data are, else float32; its position."""
        buffer, types = schema().BufferT(), schema().TensorType
        is_whole = data is not None and data.dtype.kind == "i"
        if data is not None:
            buffer.data = np.ascontiguousarray(data, "<i4" if is_whole else "<f4").reshape(-1).view(np.uint8)
        self.model.buffers.append(buffer)
        tensor = schema().TensorT()
        tensor.name, tensor.shape, tensor.type = name, list(shape), types.INT32 if is_whole else types.FLOAT32
        tensor.buffer, tensor.hasRank = len(self.model.buffers) - 1, True
        self.subgraph.tensors.append(tensor)
        return len(self.subgraph.tensors) - 1

    def add_operator(self, name: str, inputs: list[int], output: int, options: Any = None) -> None:
        """Add an operator; `options` is an object of the class of its options, if it has any."""
        code = schema().OperatorCodeT()
        code.builtinCode = code.deprecatedBuiltinCode = getattr(schema().BuiltinOperator, name)
        self.model.operatorCodes.append(code)
        operator = schema().OperatorT()
        operator.opcodeIndex = len(self.model.operatorCodes) - 1
        operator.inputs, operator.outputs = inputs, [output]
        if options is not None:
            kind = type(options).__name__.removesuffix("T")
            operator.builtinOptionsType = getattr(schema().BuiltinOptions, kind)
            operator.builtinOptions = options
        self.subgraph.operators.append(operator)

    def add_head(self, bottleneck: int, head: ClassifierHead) -> list[int]:
        """Add the head behind a tensor: the positions of the scores and the squared distance."""
        features, classes = head.weights.shape
        weights = self.add_tensor(TENSOR_NAMES["weights"], (classes, features), head.weights.T)
        biases = self.add_tensor(TENSOR_NAMES["biases"], (classes,), head.biases)
        logits = self.add_tensor("logits", (1, classes))
        fully_connected = schema().FullyConnectedOptionsT()
        self.add_operator("FULLY_CONNECTED", [bottleneck, weights, biases], logits, fully_connected)
        scores = self.add_tensor(OUTPUT_NAME, (1, classes))
        softmax = schema().SoftmaxOptionsT()
        softmax.beta = 1.0
        self.add_operator("SOFTMAX", [logits], scores, softmax)
        if head.event_weights is not None and head.event_biases is not None:
            self.add_tensor(TENSOR_NAMES["event_weights"], (classes, features), head.event_weights.T)
            self.add_tensor(TENSOR_NAMES["event_biases"], (classes,), head.event_biases)

        shape = tuple(self.subgraph.tensors[bottleneck].shape)
        if head.noise is not None:
            bottleneck = self._without_noise(bottleneck, head.noise, head.centroid, shape)
        centroid = self.add_tensor(TENSOR_NAMES["centroid"], shape, head.centroid)
        squares = self.add_tensor("squares", shape)
        self.add_operator("SQUARED_DIFFERENCE", [bottleneck, centroid], squares)
        distance = self.add_tensor(DISTANCE_NAME, (1,))
        axes = self.add_tensor("axes", (len(shape) - 1,), np.arange(1, len(shape)))
        self.add_operator("SUM", [squares, axes], distance, schema().ReducerOptionsT())
        return [scores, distance]

    def _without_noise(self, bottleneck: int, noise: np.ndarray, centroid: np.ndarray, shape: tuple[int, ...]) -> int:
        """Move a bottleneck along the noise to where the centroid is: the position of what comes out."""
        features, count = noise.shape
        rows = np.ascontiguousarray(noise.T)  # the layout decides on the last bits of a product
        directions = self.add_tensor(NOISE_NAME, (count, features), rows)
        offset = self.add_tensor("noise_offset", (count,), np.array([-row @ centroid for row in rows]))
        along, step, quiet = (
            self.add_tensor(name, size) for name, size in (("along", (1, count)), ("step", shape), ("quiet", shape))
        )
        self.add_operator("FULLY_CONNECTED", [bottleneck, directions, offset], along, schema().FullyConnectedOptionsT())
        if count == 1:  # as in models of before, which are made anew to be read
            self.add_operator("MUL", [along, directions], step, schema().MulOptionsT())
        else:
            self.add_operator("BATCH_MATMUL", [along, directions], step, schema().BatchMatMulOptionsT())
        self.add_operator("SUB", [bottleneck, step], quiet, schema().SubOptionsT())
        return quiet
