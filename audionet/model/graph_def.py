"""Backbone and new layer -> retrained_graph.pb: a frozen TensorFlow GraphDef from picture to scores, all in float32.

The backbone's LiteRT operators are written down as TensorFlow's, one for one, with their int8 weights multiplied out.
So it is the network that `label` runs, but for the rounding of what flows through it; no TensorFlow session is needed.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from audionet.bottleneck.backbone import BOTTLENECK_NAME, INPUT_NAME, Backbone
from audionet.bottleneck.litert_file import names_of, schema, unpack
from audionet.errors import AudionetError
from audionet.model.litert import DISTANCE_NAME, NOISE_NAME, OUTPUT_NAME, ClassifierHead
from audionet.settings import PICTURE_SIZE

FLOAT, INT32 = 1, 3  # of TensorFlow's DataType
PRODUCER = 1087  # a GraphDef version of 2022; any TensorFlow from 2.9 on reads it, and 1.x as far as the operators go


def freeze(backbone: Backbone, head: ClassifierHead, output_name: str = OUTPUT_NAME) -> bytes:
    """A serialised GraphDef.

    Its input `Mul` is N x 299 x 299 x 3, float32, values 0 to 1; its output `output_name` N x classes, probabilities.
    `squared_distance`, N, is that of the bottlenecks from the head's centroid, less what lies along its noise.
    Of a network from sound, which TensorFlow may not know, it is the head alone, from `bottleneck`, N x features.
    Raises AudionetError for a name of the output that another node has.
    """
    graph = GraphWriter()
    if backbone.sound is not None:
        bottleneck = graph.placeholder(BOTTLENECK_NAME, (-1, len(head.weights)))
    elif backbone.graph_def is None:
        bottleneck = _translate(backbone.flatbuffer, graph)
    else:
        graph.definition.ParseFromString(backbone.graph_def)
        bottleneck = BOTTLENECK_NAME
    features, _ = head.weights.shape
    flat = graph.add("Reshape", "flat_bottleneck", [bottleneck, graph.constant("flat_shape", [-1, features])])
    weights = graph.constant("final_weights", head.weights)
    product = graph.add("MatMul", "product", [flat, weights], transpose_a=False, transpose_b=False)
    logits = graph.add("BiasAdd", "logits", [product, graph.constant("final_biases", head.biases)])
    graph.add("Softmax", output_name, [logits])
    centroid = graph.constant("middle", head.centroid.reshape(1, features))
    if head.noise is not None:
        flat = _without_noise(graph, flat, head.noise, head.centroid)
    squares = graph.add("SquaredDifference", "squares", [flat, centroid])
    graph.add("Sum", DISTANCE_NAME, [squares, graph.constant("distance_axis", [1])], keep_dims=False)
    if [node.name for node in graph.definition.node].count(output_name) > 1:
        raise AudionetError(f"--final-tensor-name {output_name}: is taken inside the network; choose another name")
    return bytes(graph.definition.SerializeToString(deterministic=True))


def _without_noise(graph: "GraphWriter", bottlenecks: str, noise: np.ndarray, centroid: np.ndarray) -> str:
    """Move bottlenecks along the noise to where the centroid is: the name of what comes out."""
    directions = graph.constant(NOISE_NAME, noise.T)
    product = graph.add("MatMul", "noise_product", [bottlenecks, directions], transpose_a=False, transpose_b=True)
    along = graph.add("BiasAdd", "along", [product, graph.constant("noise_offset", -noise.T @ centroid)])
    step = graph.add("MatMul", "step", [along, directions], transpose_a=False, transpose_b=False)
    return graph.add("Sub", "quiet", [bottlenecks, step])


class GraphWriter:
    """A GraphDef under construction. Nodes are known by their names."""

    def __init__(self) -> None:
        # TensorBoard has the same messages as TensorFlow, which takes seconds to start.
        from tensorboard.compat.proto.graph_pb2 import GraphDef

        self.definition: Any = GraphDef()
        self.definition.versions.producer = PRODUCER

    def add(self, operation: str, name: str, inputs: list[str], **attributes: object) -> str:
        """Add a node; its name. Its type attribute, of a float32 operation, is filled in."""
        node = self.definition.node.add(op=operation, name=name, input=inputs)
        if operation != "Placeholder":
            node.attr["T"].type = FLOAT
        if operation in ("Mean", "Sum", "Max"):
            node.attr["Tidx"].type = INT32
        for key, value in attributes.items():
            attribute = node.attr[key]
            if isinstance(value, bool):
                attribute.b = value
            elif isinstance(value, int):
                attribute.i = value
            elif isinstance(value, str):
                attribute.s = value.encode()
            else:
                attribute.list.i.extend(value)
        return name

    def constant(self, name: str, value: np.ndarray | list[int]) -> str:
        """Add a constant, int32 for a list of whole numbers, else float32; its name."""
        array = np.asarray(value, "<i4" if isinstance(value, list) else "<f4")
        node = self.definition.node.add(op="Const", name=name)
        kind = INT32 if array.dtype.kind == "i" else FLOAT
        node.attr["dtype"].type = kind
        tensor = node.attr["value"].tensor
        tensor.dtype, tensor.tensor_content = kind, array.tobytes()
        for size in array.shape:
            tensor.tensor_shape.dim.add(size=size)
        return name

    def placeholder(self, name: str, shape: tuple[int, ...]) -> str:
        """Add a float32 input (-1 in the shape: any size); its name."""
        self.add("Placeholder", name, [])
        attributes = self.definition.node[-1].attr
        attributes["dtype"].type = FLOAT
        for size in shape:
            attributes["shape"].shape.dim.add(size=size)
        return name


@dataclass(frozen=True)
class _Operator:
    """A LiteRT operator: its options, its constant inputs (arrays; None: computed), and its inputs' and output's
    names."""

    options: Any
    constants: list[Any]
    inputs: list[str]
    output: str


def _translate(flatbuffer: bytes, graph: GraphWriter) -> str:
    """Write a LiteRT network's operators into a GraphDef; the name of its output."""
    model = unpack(flatbuffer)
    network, kinds = model.subgraphs[0], names_of(schema().BuiltinOperator)
    names = {network.inputs[0]: graph.placeholder(INPUT_NAME, (-1, PICTURE_SIZE, PICTURE_SIZE, 3))}
    for number, operator in enumerate(network.operators):
        code = model.operatorCodes[operator.opcodeIndex]
        kind = kinds[max(code.builtinCode, code.deprecatedBuiltinCode)]
        if kind not in _WRITERS:
            raise AudionetError(f"the backbone has the operator {kind}, which can't be written as a GraphDef")
        output = f"trunk/{number}_{kind.lower()}"
        constants = [_constant(model, network.tensors[i]) for i in operator.inputs]
        inputs = [names.get(i, f"{output}/{position}") for position, i in enumerate(operator.inputs)]
        _WRITERS[kind](graph, _Operator(operator.builtinOptions, constants, inputs, output))
        activation = getattr(operator.builtinOptions, "fusedActivationFunction", 0)
        if activation:
            output = graph.add(_ACTIVATIONS[activation], f"{output}/activation", [output])
        names[operator.outputs[0]] = output
    return names[network.outputs[0]]


def _constant(model: Any, tensor: Any) -> np.ndarray | None:
    """The value of a tensor, int8 multiplied out to float32; None if it is computed."""
    data = model.buffers[tensor.buffer].data
    if data is None:
        return None
    types = schema().TensorType
    kinds = {types.FLOAT32: "<f4", types.INT32: "<i4", types.INT8: "i1"}
    values = np.frombuffer(np.asarray(data, np.uint8).tobytes(), kinds[tensor.type])
    values = values.reshape([] if tensor.shape is None else list(tensor.shape))
    if tensor.type != types.INT8:
        return values
    along = [1] * values.ndim
    along[tensor.quantization.quantizedDimension] = -1
    scale = np.asarray(tensor.quantization.scale, np.float32).reshape(along)
    return values * scale  # LiteRT's weights have no zero point


def _write_convolution(graph: GraphWriter, operator: _Operator) -> None:
    options, filters, biases = operator.options, operator.constants[1], operator.constants[2]
    kernel = graph.constant(operator.inputs[1], filters.transpose(1, 2, 3, 0))  # ours comes last in TensorFlow
    product = graph.add(
        "Conv2D",
        f"{operator.output}/product",
        [operator.inputs[0], kernel],
        strides=[1, options.strideH, options.strideW, 1],
        dilations=[1, options.dilationHFactor, options.dilationWFactor, 1],
        padding=_PADDINGS[options.padding],
        data_format="NHWC",
    )
    graph.add("BiasAdd", operator.output, [product, graph.constant(operator.inputs[2], biases)], data_format="NHWC")


def _write_pooling(operation: str, graph: GraphWriter, operator: _Operator) -> None:
    options = operator.options
    graph.add(
        operation,
        operator.output,
        operator.inputs,
        ksize=[1, options.filterHeight, options.filterWidth, 1],
        strides=[1, options.strideH, options.strideW, 1],
        padding=_PADDINGS[options.padding],
        data_format="NHWC",
    )


def _write_reduction(operation: str, graph: GraphWriter, operator: _Operator) -> None:
    axes = graph.constant(operator.inputs[1], _whole(operator.constants[1]))
    graph.add(operation, operator.output, [operator.inputs[0], axes], keep_dims=bool(operator.options.keepDims))


def _write_arithmetic(operation: str, graph: GraphWriter, operator: _Operator) -> None:
    for name, value in zip(operator.inputs, operator.constants, strict=True):
        if value is not None:
            graph.constant(name, value)
    graph.add(operation, operator.output, operator.inputs)


def _write_reshape(graph: GraphWriter, operator: _Operator) -> None:
    shape = _whole(operator.constants[1])
    # LiteRT's runs on one picture, TensorFlow's on any number.
    shape = shape if -1 in shape else [-1, *shape[1:]]
    graph.add("Reshape", operator.output, [operator.inputs[0], graph.constant(operator.inputs[1], shape)])


def _write_strided_slice(graph: GraphWriter, operator: _Operator) -> None:
    begin, end, strides = (
        graph.constant(name, _whole(values))
        for name, values in zip(operator.inputs[1:], operator.constants[1:], strict=True)
    )
    options = operator.options
    graph.add(
        "StridedSlice",
        operator.output,
        [operator.inputs[0], begin, end, strides],
        # LiteRT's runs on one picture, TensorFlow's on any number: the first axis is taken whole.
        begin_mask=options.beginMask | 1,
        end_mask=options.endMask | 1,
        ellipsis_mask=options.ellipsisMask,
        new_axis_mask=options.newAxisMask,
        shrink_axis_mask=options.shrinkAxisMask,
    )
    graph.definition.node[-1].attr["Index"].type = INT32


def _write_concatenation(graph: GraphWriter, operator: _Operator) -> None:
    axis = graph.constant(f"{operator.output}/axis", [operator.options.axis])
    # An axis is a number, not a list of one.
    del graph.definition.node[-1].attr["value"].tensor.tensor_shape.dim[:]
    graph.add("ConcatV2", operator.output, [*operator.inputs, axis], N=len(operator.inputs))


def _whole(values: np.ndarray) -> list[int]:
    return [int(value) for value in values.ravel()]


_PADDINGS = ("SAME", "VALID")  # by their numbers in LiteRT's schema
_ACTIVATIONS = {1: "Relu", 3: "Relu6"}
_WRITERS: dict[str, Callable[[GraphWriter, _Operator], None]] = {
    "CONV_2D": _write_convolution,
    "MAX_POOL_2D": partial(_write_pooling, "MaxPool"),
    "AVERAGE_POOL_2D": partial(_write_pooling, "AvgPool"),
    "MEAN": partial(_write_reduction, "Mean"),
    "SUM": partial(_write_reduction, "Sum"),
    "REDUCE_MAX": partial(_write_reduction, "Max"),
    "ADD": partial(_write_arithmetic, "AddV2"),
    "SUB": partial(_write_arithmetic, "Sub"),
    "MUL": partial(_write_arithmetic, "Mul"),
    "DIV": partial(_write_arithmetic, "RealDiv"),
    "MINIMUM": partial(_write_arithmetic, "Minimum"),
    "RELU": partial(_write_arithmetic, "Relu"),
    "SQRT": partial(_write_arithmetic, "Sqrt"),
    "RESHAPE": _write_reshape,
    "STRIDED_SLICE": _write_strided_slice,
    "CONCATENATION": _write_concatenation,
}
