"""Networks from sound made to order, as LiteRT files: banks of filters, and networks that make no sense."""

from pathlib import Path
from typing import Any

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema

from audionet.bottleneck.litert_file import pack
from audionet.model.litert import SubgraphWriter
from tests.conftest import write_wav

FILTER_SAMPLES, STRIDE = 64, 32
TYPES = schema.TensorType


def filter_bank_network(
    frequencies_hz: list[float],
    sample_rate_hz: int,
    window_samples: int,
    *,
    shape: tuple[int, ...] | None = None,
    signature: dict[str, str] | None = None,
    metadata: bytes = b"",
) -> bytes:
    """A network from a window of sound to `embeddings`, the energy at two numbers a frequency, and to three `scores`.

    shape: of its input, (1, window_samples) unless said otherwise, -1 for any. signature: names of the outputs for
    programs. metadata: of the file.
    """
    model, writer = new_model()
    sizes = shape or (1, window_samples)
    samples = writer.add_tensor("samples", tuple(max(1, size) for size in sizes))
    if -1 in sizes:
        writer.subgraph.tensors[samples].shapeSignature = list(sizes)
    time = np.arange(FILTER_SAMPLES) / sample_rate_hz
    waves = [
        wave(2 * np.pi * hz * time) * np.hanning(FILTER_SAMPLES) for hz in frequencies_hz for wave in (np.sin, np.cos)
    ]
    filters = writer.add_tensor("filters", (len(waves), 1, FILTER_SAMPLES, 1), np.array(waves)[:, None, :, None])
    wide = _reshaped(writer, samples, (1, 1, -1, 1))
    options = schema.Conv2DOptionsT()
    options.padding, options.strideW, options.strideH = schema.Padding.VALID, STRIDE, 1
    options.dilationWFactor = options.dilationHFactor = 1
    biases = writer.add_tensor("biases", (len(waves),), np.zeros(len(waves)))
    filtered = writer.add_tensor("filtered", (1, 1, 1, len(waves)))
    writer.add_operator("CONV_2D", [wide, filters, biases], filtered, options)
    squared = writer.add_tensor("squared", (1, 1, 1, len(waves)))
    writer.add_operator("SQUARE", [filtered], squared, schema.SquareOptionsT())
    embeddings = writer.add_tensor("embeddings", (1, len(waves)))
    axes = writer.add_tensor("axes", (2,), np.array([1, 2]))
    writer.add_operator("MEAN", [squared, axes], embeddings, schema.ReducerOptionsT())
    random = np.random.default_rng(0)
    weights = writer.add_tensor("weights", (3, len(waves)), random.normal(size=(3, len(waves))))
    zeros = writer.add_tensor("zeros", (3,), np.zeros(3))
    scores = writer.add_tensor("scores", (1, 3))
    fully_connected = schema.FullyConnectedOptionsT()
    writer.add_operator("FULLY_CONNECTED", [embeddings, weights, zeros], scores, fully_connected)
    writer.subgraph.inputs, writer.subgraph.outputs = [samples], [scores, embeddings]
    if signature:
        model.signatureDefs = [_signature({"sound": samples}, dict(zip(signature, (scores, embeddings), strict=True)))]
    if metadata:
        _add_metadata(model, metadata)
    return pack(model, 1024)


def one_operator_network(
    operator: str, shape: tuple[int, ...], *, kind: int = TYPES.FLOAT32, inputs: int = 1, constant: float | None = None
) -> bytes:
    """A network of one operator between arrays of a shape and type; with a constant, of that and the input."""
    model, writer = new_model()
    given = [writer.add_tensor(f"given_{n}", shape) for n in range(inputs)]
    result = writer.add_tensor("result", shape)
    for tensor in (*given, result):
        writer.subgraph.tensors[tensor].type = kind
    operands = given[:1] if constant is None else [given[0], writer.add_tensor("constant", (1,), np.array([constant]))]
    options = {"DIV": schema.DivOptionsT, "MUL": schema.MulOptionsT}.get(operator)
    writer.add_operator(operator, operands, result, options() if options else None)
    writer.subgraph.inputs, writer.subgraph.outputs = given, [result]
    return pack(model, 1024)


def normalising_network(window_samples: int) -> bytes:
    """A network that divides 32 numbers of what it hears by their mean square: of silence, it makes nothing."""
    model, writer = new_model()
    samples = writer.add_tensor("samples", (1, window_samples))
    squared = writer.add_tensor("squared", (1, window_samples))
    writer.add_operator("MUL", [samples, samples], squared, schema.MulOptionsT())
    mean = writer.add_tensor("mean", (1, 1))
    options = schema.ReducerOptionsT()
    options.keepDims = True
    writer.add_operator("MEAN", [squared, writer.add_tensor("axes", (1,), np.array([1]))], mean, options)
    rows = _reshaped(writer, squared, (-1, 32))
    result = writer.add_tensor("result", (window_samples // 32, 32))
    writer.add_operator("DIV", [rows, mean], result, schema.DivOptionsT())
    writer.subgraph.inputs, writer.subgraph.outputs = [samples], [result]
    return pack(model, 1024)


def rate_metadata(sample_rate_hz: int) -> bytes:
    """Metadata as TensorFlow's tools write them, of an input that is sound at a rate."""
    builder = flatbuffers.Builder(0)

    def table(fields: dict[int, int], size: int) -> int:
        builder.StartObject(size)
        for slot, offset in fields.items():
            builder.PrependUOffsetTRelativeSlot(slot, offset, 0)
        return int(builder.EndObject())

    def vector(offset: int) -> int:
        builder.StartVector(4, 1, 4)
        builder.PrependUOffsetTRelative(offset)
        return int(builder.EndVector())

    builder.StartObject(2)  # AudioProperties
    builder.PrependUint32Slot(0, sample_rate_hz, 0)
    builder.PrependUint32Slot(1, 1, 0)
    properties = builder.EndObject()
    builder.StartObject(3)  # Content
    builder.PrependUint8Slot(0, 4, 0)
    builder.PrependUOffsetTRelativeSlot(1, properties, 0)
    content = builder.EndObject()
    name = builder.CreateString("sound")
    tensor = table({0: name, 3: content}, 7)
    subgraph = table({2: vector(tensor)}, 7)
    builder.Finish(table({3: vector(subgraph)}, 8), file_identifier=b"M001")
    return bytes(builder.Output())


def write_network(path: Path, content: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def whistles(seed: int, low_hz: float, high_hz: float, seconds: float, sample_rate_hz: int) -> np.ndarray:
    """Short tones of random pitch between two frequencies, in a little noise, at any sample rate."""
    random = np.random.default_rng(seed)
    time = np.arange(round(0.1 * sample_rate_hz)) / sample_rate_hz
    pitches = random.uniform(low_hz, high_hz, -(-round(seconds * 10) // 1))
    samples = np.concatenate([12000 * np.sin(2 * np.pi * hz * time) for hz in pitches])[
        : round(seconds * sample_rate_hz)
    ]
    return np.asarray((samples + random.normal(0, 100, len(samples))).astype(np.int16))


def write_recordings(
    folder: Path, classes: dict[str, tuple[float, float]], seconds: float, sample_rate_hz: int, count: int = 4
) -> None:
    """Recordings of whistles between two frequencies a class, in a folder for each."""
    for number, (name, (low_hz, high_hz)) in enumerate(classes.items()):
        for n in range(count):
            samples = whistles(100 * number + n, low_hz, high_hz, seconds, sample_rate_hz)
            write_wav(folder / name / f"{name}-{n}.wav", samples, sample_rate_hz)


def new_model() -> tuple[Any, SubgraphWriter]:
    """A network without tensors and operators, and what adds them."""
    model, subgraph = schema.ModelT(), schema.SubGraphT()
    subgraph.tensors, subgraph.operators = [], []
    model.version, model.operatorCodes, model.subgraphs, model.buffers = 3, [], [subgraph], [schema.BufferT()]
    return model, SubgraphWriter(model, subgraph)


def _reshaped(writer: SubgraphWriter, tensor: int, shape: tuple[int, ...]) -> int:
    options = schema.ReshapeOptionsT()
    options.newShape = list(shape)
    result = writer.add_tensor("reshaped", tuple(max(1, size) for size in shape))
    writer.add_operator(
        "RESHAPE", [tensor, writer.add_tensor("new_shape", (len(shape),), np.array(shape))], result, options
    )
    return result


def _signature(inputs: dict[str, int], outputs: dict[str, int]) -> Any:
    def maps(names: dict[str, int]) -> list[Any]:
        found = []
        for name, tensor in names.items():
            entry = schema.TensorMapT()
            entry.name, entry.tensorIndex = name, tensor
            found.append(entry)
        return found

    signature = schema.SignatureDefT()
    signature.signatureKey, signature.subgraphIndex = "serving_default", 0
    signature.inputs, signature.outputs = maps(inputs), maps(outputs)
    return signature


def _add_metadata(model: Any, metadata: bytes) -> None:
    buffer, entry = schema.BufferT(), schema.MetadataT()
    buffer.data = np.frombuffer(metadata, np.uint8)
    model.buffers.append(buffer)
    entry.name, entry.buffer = "TFLITE_METADATA", len(model.buffers) - 1
    model.metadata = [entry]
