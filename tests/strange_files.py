"""Small networks, as LiteRT and TensorFlow have them, to be changed: from a picture to two scores and a distance."""

from collections.abc import Callable
from typing import Any

import numpy as np

from audionet.bottleneck.litert_file import pack, schema, unpack
from audionet.settings import PICTURE_SIZE
from tests.sound_networks import new_model

Parsed = tuple[Callable[[], Any], Callable[[Any], bytes], bytes]  # how to parse it, how to write it, and its bytes


def small_network() -> Parsed:
    """A LiteRT network."""
    model, writer = new_model()
    picture = writer.add_tensor("picture", (1, PICTURE_SIZE, PICTURE_SIZE, 3))
    means, two = writer.add_tensor("means", (1, 3)), writer.add_tensor("two", (1, 2))
    scores, distance = writer.add_tensor("scores", (1, 2)), writer.add_tensor("distance", (1,))
    axes, axis, begin, size = (
        writer.add_tensor(name, (len(numbers),), np.array(numbers))
        for name, numbers in (("axes", [1, 2]), ("axis", [1]), ("begin", [0, 0]), ("size", [1, 2]))
    )
    softmax = schema().SoftmaxOptionsT()
    softmax.beta = 1.0
    writer.add_operator("MEAN", [picture, axes], means, schema().ReducerOptionsT())
    writer.add_operator("SLICE", [means, begin, size], two, schema().SliceOptionsT())
    writer.add_operator("SOFTMAX", [two], scores, softmax)
    writer.add_operator("SUM", [means, axis], distance, schema().ReducerOptionsT())
    writer.subgraph.inputs, writer.subgraph.outputs = [picture], [scores, distance]
    content = pack(model, 1 << 12)
    return lambda: unpack(content), lambda model: pack(model, 1 << 12), content


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
