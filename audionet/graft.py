"""Trunk and softmax layer -> one LiteRT network from picture to scores.

The trunk's flatbuffer is read, two operators and their tensors are added, and it is written again: no TensorFlow,
and a fraction of a second. The field names are those of LiteRT's schema.
"""

import numpy as np

from audionet.softmax import SoftmaxLayer
from audionet.trunk import Trunk

OUTPUT_NAME = "final_result"  # as in the graphs of 2018; the input is called Mul there and in the trunk
FILE_IDENTIFIER = b"TFL3"


def graft(trunk: Trunk, layer: SoftmaxLayer) -> bytes:
    """The trunk's network with FULLY_CONNECTED (the layer's weights, float32) and SOFTMAX behind it."""
    import flatbuffers
    from ai_edge_litert import schema_py_generated as schema

    model = schema.ModelT.InitFromPackedBuf(trunk.flatbuffer, 0)
    graph = model.subgraphs[0]

    def add_tensor(name: str, shape: tuple[int, ...], data: np.ndarray | None = None) -> int:
        buffer = schema.BufferT()
        if data is not None:
            buffer.data = np.frombuffer(np.ascontiguousarray(data, "<f4").tobytes(), np.uint8)
        model.buffers.append(buffer)
        tensor = schema.TensorT()
        tensor.name, tensor.shape, tensor.type = name, list(shape), schema.TensorType.FLOAT32
        tensor.buffer, tensor.hasRank = len(model.buffers) - 1, True
        graph.tensors.append(tensor)
        return len(graph.tensors) - 1

    def add_operator(code: int, inputs: list[int], output: int, options_type: int, options: object) -> None:
        operator_code = schema.OperatorCodeT()
        operator_code.builtinCode = operator_code.deprecatedBuiltinCode = code
        model.operatorCodes.append(operator_code)
        operator = schema.OperatorT()
        operator.opcodeIndex = len(model.operatorCodes) - 1
        operator.inputs, operator.outputs = inputs, [output]
        operator.builtinOptionsType, operator.builtinOptions = options_type, options
        graph.operators.append(operator)

    features, classes = layer.weights.shape
    bottleneck = graph.outputs[0]
    weights = add_tensor("final_weights", (classes, features), layer.weights.T)
    biases = add_tensor("final_biases", (classes,), layer.biases)
    logits = add_tensor("logits", (1, classes))
    scores = add_tensor(OUTPUT_NAME, (1, classes))
    softmax = schema.SoftmaxOptionsT()
    softmax.beta = 1.0
    operators, options = schema.BuiltinOperator, schema.BuiltinOptions
    add_operator(
        operators.FULLY_CONNECTED,
        [bottleneck, weights, biases],  # LiteRT flattens the bottleneck to the weights' width
        logits,
        options.FullyConnectedOptions,
        schema.FullyConnectedOptionsT(),
    )
    add_operator(operators.SOFTMAX, [logits], scores, options.SoftmaxOptions, softmax)
    graph.outputs = [scores]
    # The trunk's signature names an output that is no longer one.
    model.signatureDefs = None
    builder = flatbuffers.Builder(len(trunk.flatbuffer) + layer.weights.nbytes)
    builder.Finish(model.Pack(builder), file_identifier=FILE_IDENTIFIER)
    return bytes(builder.Output())
