"""Small networks, as LiteRT and TensorFlow have them, to be changed: from a picture to two scores and a distance."""

from collections.abc import Callable
from typing import Any

import numpy as np

from audionet.settings import PICTURE_SIZE

Parsed = tuple[Callable[[], Any], Callable[[Any], bytes], bytes]  # how to parse it, how to write it, and its bytes


def small_network() -> Parsed:
    """A LiteRT network."""
    import flatbuffers
    from ai_edge_litert import schema_py_generated as schema

    model, graph = schema.ModelT(), schema.SubGraphT()
    model.version, model.subgraphs, model.operatorCodes = 3, [graph], []
    model.buffers, graph.tensors, graph.operators = [schema.BufferT()], [], []

    def tensor(shape: tuple[int, ...], data: list[int] | None = None) -> int:
        made = schema.TensorT()
        made.shape, made.hasRank, made.name = list(shape), True, f"t{len(graph.tensors)}"
        made.type, made.buffer = schema.TensorType.FLOAT32, 0
        if data is not None:
            buffer = schema.BufferT()
            buffer.data = np.frombuffer(np.array(data, np.int32).tobytes(), np.uint8)
            model.buffers.append(buffer)
            made.type, made.buffer = schema.TensorType.INT32, len(model.buffers) - 1
        graph.tensors.append(made)
        return len(graph.tensors) - 1

    def operator(code: int, inputs: list[int], output: int, kind: int, options: Any) -> None:
        operator_code, made = schema.OperatorCodeT(), schema.OperatorT()
        operator_code.builtinCode = operator_code.deprecatedBuiltinCode = code
        operator_code.version = 1
        model.operatorCodes.append(operator_code)
        made.opcodeIndex, made.inputs, made.outputs = len(model.operatorCodes) - 1, inputs, [output]
        made.builtinOptionsType, made.builtinOptions = kind, options
        graph.operators.append(made)

    operators, options = schema.BuiltinOperator, schema.BuiltinOptions
    picture = tensor((1, PICTURE_SIZE, PICTURE_SIZE, 3))
    means, two, scores, distance = tensor((1, 3)), tensor((1, 2)), tensor((1, 2)), tensor((1,))
    operator(operators.MEAN, [picture, tensor((2,), [1, 2])], means, options.ReducerOptions, schema.ReducerOptionsT())
    slices = [means, tensor((2,), [0, 0]), tensor((2,), [1, 2])]
    operator(operators.SLICE, slices, two, options.SliceOptions, schema.SliceOptionsT())
    softmax = schema.SoftmaxOptionsT()
    softmax.beta = 1.0
    operator(operators.SOFTMAX, [two], scores, options.SoftmaxOptions, softmax)
    operator(operators.SUM, [means, tensor((1,), [1])], distance, options.ReducerOptions, schema.ReducerOptionsT())
    graph.inputs, graph.outputs = [picture], [scores, distance]

    def write(model: Any) -> bytes:
        builder = flatbuffers.Builder(1 << 12)
        builder.Finish(model.Pack(builder), file_identifier=b"TFL3")
        return bytes(builder.Output())

    content = write(model)
    return lambda: schema.ModelT.InitFromPackedBuf(content, 0), write, content


class _Node:
    """A node of a GraphDef as plain values."""

    def __init__(self, op: str, name: str, inputs: list[str], numbers: list[int], kind: int) -> None:
        self.op, self.name, self.inputs, self.numbers, self.kind = op, name, inputs, numbers, kind


class _Graph:
    def __init__(self) -> None:
        self.nodes = [
            _Node("Placeholder", "Mul", [], [-1, PICTURE_SIZE, PICTURE_SIZE, 3], 1),
            _Node("Const", "axes", [], [1, 2], 3),
            _Node("Mean", "means", ["Mul", "axes"], [], 1),
            _Node("Const", "begin", [], [0, 0], 3),
            _Node("Const", "size", [], [-1, 2], 3),
            _Node("Slice", "two", ["means", "begin", "size"], [], 1),
            _Node("Softmax", "final_result", ["two"], [], 1),
            _Node("Const", "axis", [], [1], 3),
            _Node("Sum", "squared_distance", ["means", "axis"], [], 1),
        ]


def small_graph() -> Parsed:
    """A frozen graph of TensorFlow's."""
    from audionet.system.tensorflow import start_tensorflow

    tf = start_tensorflow()

    def write(graph: Any) -> bytes:
        definition = tf.compat.v1.GraphDef()
        for made in graph.nodes:
            node = definition.node.add(op=made.op, name=made.name, input=made.inputs)
            if made.op in ("Placeholder", "Const"):
                node.attr["dtype"].type = made.kind
            else:
                node.attr["T"].type = made.kind
            if made.op == "Placeholder":
                for size in made.numbers:
                    node.attr["shape"].shape.dim.add(size=size)
            elif made.op == "Const":
                tensor = node.attr["value"].tensor
                tensor.dtype = made.kind
                tensor.tensor_shape.dim.add(size=len(made.numbers))
                tensor.int_val.extend(made.numbers)
            elif made.op in ("Mean", "Sum"):
                node.attr["Tidx"].type = 3
            elif made.op == "Slice":
                node.attr["Index"].type = 3
        return bytes(definition.SerializeToString(deterministic=True))

    return _Graph, write, write(_Graph())
