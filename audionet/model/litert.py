"""Backbone and new layer -> one LiteRT network from picture to scores.

The backbone's flatbuffer is read, a few operators and their tensors are added, and it is written again: no TensorFlow,
and a fraction of a second. The field names are those of LiteRT's schema.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from audionet.bottleneck.backbone import Backbone

OUTPUT_NAME = "final_result"  # as in the graphs of 2018; the input is called Mul there and in the backbone
DISTANCE_NAME = "squared_distance"
FILE_IDENTIFIER = b"TFL3"


@dataclass(frozen=True)
class ClassifierHead:
    """What comes behind the backbone, all float32.

    weights: features x classes. biases: classes. The scores are softmax(bottleneck @ weights + biases).
    centroid: the mean bottleneck of the training, features.
    """

    weights: np.ndarray
    biases: np.ndarray
    centroid: np.ndarray


def attach_head(backbone: Backbone, layer: ClassifierHead) -> bytes:
    """The network with two outputs: the scores, and the squared distance of the bottleneck from the centroid."""
    import flatbuffers
    from ai_edge_litert import schema_py_generated as schema

    model = schema.ModelT.InitFromPackedBuf(backbone.flatbuffer, 0)
    graph = model.subgraphs[0]

    def add_tensor(
        name: str, shape: tuple[int, ...], data: np.ndarray | None = None, kind: int = schema.TensorType.FLOAT32
    ) -> int:
        buffer = schema.BufferT()
        if data is not None:
            numbers = np.ascontiguousarray(data, "<f4" if kind == schema.TensorType.FLOAT32 else "<i4")
            buffer.data = np.frombuffer(numbers.tobytes(), np.uint8)
        model.buffers.append(buffer)
        tensor = schema.TensorT()
        tensor.name, tensor.shape, tensor.type = name, list(shape), kind
        tensor.buffer, tensor.hasRank = len(model.buffers) - 1, True
        graph.tensors.append(tensor)
        return len(graph.tensors) - 1

    def add_operator(code: int, inputs: list[int], output: int, options_type: int = 0, options: object = None) -> None:
        operator_code = schema.OperatorCodeT()
        operator_code.builtinCode = operator_code.deprecatedBuiltinCode = code
        model.operatorCodes.append(operator_code)
        operator = schema.OperatorT()
        operator.opcodeIndex = len(model.operatorCodes) - 1
        operator.inputs, operator.outputs = inputs, [output]
        operator.builtinOptionsType, operator.builtinOptions = options_type, options
        graph.operators.append(operator)

    features, classes = layer.weights.shape
    operators, options = schema.BuiltinOperator, schema.BuiltinOptions
    bottleneck = graph.outputs[0]  # LiteRT flattens it to the weights' width
    weights = add_tensor("final_weights", (classes, features), layer.weights.T)
    biases = add_tensor("final_biases", (classes,), layer.biases)
    logits = add_tensor("logits", (1, classes))
    fully_connected = schema.FullyConnectedOptionsT()
    add_operator(
        operators.FULLY_CONNECTED, [bottleneck, weights, biases], logits, options.FullyConnectedOptions, fully_connected
    )
    scores = add_tensor(OUTPUT_NAME, (1, classes))
    softmax = schema.SoftmaxOptionsT()
    softmax.beta = 1.0
    add_operator(operators.SOFTMAX, [logits], scores, options.SoftmaxOptions, softmax)

    shape = tuple(graph.tensors[bottleneck].shape)
    centroid = add_tensor("middle", shape, layer.centroid)
    squares = add_tensor("squares", shape)
    add_operator(operators.SQUARED_DIFFERENCE, [bottleneck, centroid], squares)
    distance = add_tensor(DISTANCE_NAME, (1,))
    axes = add_tensor("axes", (len(shape) - 1,), np.arange(1, len(shape)), schema.TensorType.INT32)
    add_operator(operators.SUM, [squares, axes], distance, options.ReducerOptions, schema.ReducerOptionsT())
    graph.outputs = [scores, distance]
    # The backbone's signature names an output that is no longer one.
    model.signatureDefs = None
    builder = flatbuffers.Builder(len(backbone.flatbuffer) + layer.weights.nbytes)
    builder.Finish(model.Pack(builder), file_identifier=FILE_IDENTIFIER)
    return bytes(builder.Output())


def read_head(network: bytes, backbone: Backbone, features: int, classes: int) -> ClassifierHead | None:
    """The head of a network that `attach_head` made with this backbone; None for any other network.

    The network may be a stranger's: nothing of it is taken apart. Its numbers are read where `attach_head` puts them,
    and a network that was made anew of them must be equal to it.
    """
    empty = ClassifierHead(*(np.zeros(shape, np.float32) for shape in ((features, classes), classes, features)))
    model = attach_head(backbone, empty)
    if len(model) != len(network):
        return None
    weights, biases, centroid = (
        np.frombuffer(network, "<f4", size, start)
        for start, size in _places(model, ("final_weights", "final_biases", "middle"))
    )
    head = ClassifierHead(weights.reshape(classes, features).T, biases, centroid)
    return head if attach_head(backbone, head) == network else None


def _places(network: bytes, names: Sequence[str]) -> Iterator[tuple[int, int]]:
    """Where the float32 numbers of tensors lie in a network: the first byte, and how many numbers."""
    from ai_edge_litert import schema_py_generated as schema

    model = schema.Model.GetRootAs(network, 0)
    graph = model.Subgraphs(0)
    buffers = {graph.Tensors(n).Name().decode(): graph.Tensors(n).Buffer() for n in range(graph.TensorsLength())}
    for name in names:
        table = model.Buffers(buffers[name])._tab
        field = table.Offset(4)  # of `data`, the first field of a buffer in LiteRT's schema
        yield table.Vector(field), table.VectorLen(field) // 4
