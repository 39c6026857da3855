"""A LiteRT file of a network from sound -> the part of it that leads to one output, and how it hears.

The file says at which length it takes sound, and seldom at which sample rate. The field names are those of LiteRT's
schema, and of the schema of the metadata that some files carry.
"""

import math
import struct
from collections.abc import Sequence
from typing import Any, NamedTuple

from audionet.bottleneck.sound import SoundInput, SoundRequest
from audionet.settings import HIGHEST_SAMPLE_RATE_HZ, LOWEST_SAMPLE_RATE_HZ
from audionet.system.text import count, did_you_mean
from audionet.system.untrusted import MALFORMED

FILE_IDENTIFIER = b"TFL3"  # from the fifth byte on
METADATA_NAME = b"TFLITE_METADATA"
AUDIO_PROPERTIES = 4  # the kind of content of metadata that speaks of sound
ANY_LENGTH_SECONDS = 0.975  # is given to networks that take any: what YAMNet and VGGish look at at once
SHORTEST_SECONDS, LONGEST_SECONDS = 0.02, 60.0  # that a network may look at at once
MOST_NAMED = 8  # outputs that a message lists
RATE_WANTED = (
    "does not say at which sample rate it hears; name it with --backbone-sample-rate "
    "(BirdNET 48000, Perch 32000, YAMNet and VGGish 16000)"
)


class Cut(NamedTuple):
    """A network from a window of sound to one output, as a flatbuffer, and how it hears."""

    flatbuffer: bytes
    sound: SoundInput


class Unfit(Exception):
    """A file is no network from sound. The message is a sentence without its subject, which is the file."""


def cut(content: bytes, request: SoundRequest) -> Cut:
    """The part of a network from sound that leads to one output, with its input made as long as a window.

    As an output, any tensor inside the network may be named too: what comes behind it is left out.
    Raises Unfit for what is no such network.
    """
    if content[4:8] != FILE_IDENTIFIER:
        raise Unfit("is not a LiteRT network (.tflite)")
    try:
        return _cut(content, request)
    except (*MALFORMED, struct.error, AssertionError) as error:
        raise Unfit("is a damaged LiteRT network") from error


def schema() -> Any:
    """LiteRT's classes for what is in a file of a network; they are imported when they are first needed."""
    from ai_edge_litert import schema_py_generated

    return schema_py_generated


def unpack(flatbuffer: bytes) -> Any:
    """The network (ModelT of the schema) in a file, to be looked at and changed."""
    return schema().ModelT.InitFromPackedBuf(flatbuffer, 0)


def pack(model: Any, likely_bytes: int) -> bytes:
    """The file of a network, which will be so long at most; or longer, for more memory."""
    import flatbuffers

    builder = flatbuffers.Builder(likely_bytes)
    builder.Finish(model.Pack(builder), file_identifier=FILE_IDENTIFIER)
    return bytes(memoryview(builder.Bytes)[builder.Head() :])  # its Output would be one copy more


def _cut(content: bytes, request: SoundRequest) -> Cut:
    model = unpack(content)
    graph = model.subgraphs[0]
    rate_hz = sample_rate(_rate_in_metadata(model), request.sample_rate_hz)
    window_samples = _shape_input(graph, rate_hz)
    taken, name = _choose_output(model, graph, request.output)
    keep_outputs(model, [taken])
    model.metadata = model.metadataBuffer = None  # they may name outputs that are gone
    return Cut(pack(model, len(content)), SoundInput(rate_hz, window_samples, name))


def sample_rate(said_hz: int | None, wanted_hz: int | None) -> int:
    """The rate that a network says it hears, or that it is said to. Raises Unfit if there is none, or there are two."""
    if said_hz is None and wanted_hz is None:
        raise Unfit(RATE_WANTED)
    if said_hz is not None and wanted_hz not in (None, said_hz):
        raise Unfit(f"says that it hears {said_hz} Hz; leave out --backbone-sample-rate {wanted_hz}")
    rate_hz = said_hz or wanted_hz or 0
    if not LOWEST_SAMPLE_RATE_HZ <= rate_hz <= HIGHEST_SAMPLE_RATE_HZ:
        raise Unfit(
            f"says that it hears {rate_hz} Hz; sound is from {LOWEST_SAMPLE_RATE_HZ} to {HIGHEST_SAMPLE_RATE_HZ} Hz"
        )
    return rate_hz


def _shape_input(graph: Any, sample_rate_hz: int) -> int:
    """Give the network's input a fixed length, and return it in samples. Raises Unfit."""
    if len(graph.inputs) != 1:
        raise Unfit(f"has {len(graph.inputs)} inputs, where a network from sound has one, for samples")
    tensor, types = graph.tensors[graph.inputs[0]], schema().TensorType
    if tensor.type == types.STRING:
        raise Unfit("takes text, not sound")
    if tensor.type != types.FLOAT32:
        raise Unfit(f"takes {_type_name(tensor)} numbers, where samples are float32, from -1 to 1")
    samples, shape = fit_length(_sizes(tensor), sample_rate_hz)
    tensor.shape, tensor.shapeSignature = shape, None
    return samples


def fit_length(sizes: Sequence[int], sample_rate_hz: int) -> tuple[int, list[int]]:
    """How many samples an input takes at once, and its shape for those. Raises Unfit.

    sizes: along its axes; -1 is any.
    """
    long = [n for n, size in enumerate(sizes) if size > 1]
    if len(long) > 1:
        content = "pictures" if len(sizes) == 4 and sizes[-1] in (1, 3) else "spectrograms or the like"
        raise Unfit(f"takes {' x '.join(map(str, sizes))} numbers, which are {content}, not samples in a row")
    if not sizes:
        raise Unfit("takes a single number, not samples in a row")
    # A length of -1 stands for any, and one of 1 does where there is none of -1; of several such, the last is the
    # samples', the others are of how many clips, or channels.
    any_length = [n for n, size in enumerate(sizes) if size < 0] or [len(sizes) - 1]
    place = (long or any_length[-1:])[0]
    samples = sizes[place] if long else round(ANY_LENGTH_SECONDS * sample_rate_hz)
    if not SHORTEST_SECONDS <= samples / sample_rate_hz <= LONGEST_SECONDS:
        raise Unfit(
            f"looks at {samples} samples at once, which at {sample_rate_hz} Hz are {samples / sample_rate_hz:.2g} "
            f"seconds, where networks from sound take {SHORTEST_SECONDS:g} to {LONGEST_SECONDS:g}"
        )
    return samples, [samples if n == place else 1 for n in range(len(sizes))]


def _choose_output(model: Any, graph: Any, wanted: str | None) -> tuple[int, str]:
    """The position of the tensor that is asked for, and its name."""
    outputs, called = {_name(graph.tensors[i]): int(i) for i in graph.outputs}, _called_outputs(model)
    shown = called or outputs
    listed = ", ".join(f"{name} ({_count(graph.tensors[i])})" for name, i in list(shown.items())[:MOST_NAMED])
    if wanted is None:
        if not outputs:
            raise Unfit("has no output; name something that it computes with --backbone-output")
        if len(outputs) != 1:
            raise Unfit(f"has {len(outputs)} outputs: {listed}; choose one with --backbone-output")
        (name,) = shown if len(shown) == 1 else outputs
        taken = next(iter(outputs.values()))
    else:
        computed = {int(i) for operator in graph.operators for i in operator.outputs}
        inner = {_name(tensor): i for i, tensor in enumerate(graph.tensors) if i in computed}
        named = inner | outputs | called
        if wanted not in named:
            like = did_you_mean(wanted, [*called, *outputs, *inner])
            raise Unfit(f"has no output {wanted!r}; it has {listed}{like}")
        taken, name = named[wanted], wanted
    if graph.tensors[taken].type != schema().TensorType.FLOAT32:
        kind = _type_name(graph.tensors[taken])
        raise Unfit(f"gives {kind} numbers at {name!r}, where float32 is needed; choose another --backbone-output")
    return taken, name


def _called_outputs(model: Any) -> dict[str, int]:
    """The positions of outputs by the names that programs use; inside the network, tensors have others."""
    return {
        each.name.decode(errors="replace"): int(each.tensorIndex)
        for signature in model.signatureDefs or []
        if signature.subgraphIndex == 0
        for each in signature.outputs or []
    }


def keep_outputs(model: Any, tensors: Sequence[int]) -> None:
    """Make tensors of a network's first graph its outputs, and drop the operators that they do not depend on, and
    their weights."""
    graph = model.subgraphs[0]
    graph.outputs = list(tensors)
    model.signatureDefs = None  # they may name outputs that are gone
    needed, kept = set(map(int, graph.outputs)), []
    for operator in reversed(graph.operators):
        outputs = set(map(int, operator.outputs))
        if outputs & needed or not outputs:  # an operator without outputs is there for its effects
            needed |= set(map(int, operator.inputs)) | outputs
            kept.append(operator)
    graph.operators = kept[::-1]
    others = {tensor.buffer for other in model.subgraphs[1:] for tensor in other.tensors}
    buffers = others | {graph.tensors[i].buffer for i in needed | set(map(int, graph.inputs)) if i >= 0}
    for number, buffer in enumerate(model.buffers):
        if number not in buffers:
            buffer.data = None


def _rate_in_metadata(model: Any) -> int | None:
    """The sample rate that the metadata name for the input, if there are any, and they do."""
    from flatbuffers.number_types import Uint32Flags
    from flatbuffers.table import Table

    places = [entry.buffer for entry in model.metadata or [] if entry.name == METADATA_NAME]
    data = model.buffers[places[0]].data if places else None
    if data is None:
        return None
    content = bytes(bytearray(data))
    table = Table(content, int.from_bytes(content[:4], "little"))
    # ModelMetadata.subgraph_metadata[0].input_tensor_metadata[0].content.content_properties.sample_rate
    for field, is_list in ((3, True), (2, True), (3, False)):
        place = table.Offset(4 + 2 * field)
        if not place or (is_list and not table.VectorLen(place)):
            return None
        table = Table(content, table.Indirect(table.Vector(place) if is_list else place + table.Pos))
    kind, value = table.Offset(4), table.Offset(6)
    if not kind or not value or content[kind + table.Pos] != AUDIO_PROPERTIES:
        return None
    properties = Table(content, table.Indirect(value + table.Pos))
    rate = properties.Offset(4)
    return int(properties.Get(Uint32Flags, rate + properties.Pos)) or None if rate else None


def _sizes(tensor: Any) -> list[int]:
    """The size of a tensor along each axis; -1 is any."""
    shape = tensor.shapeSignature if tensor.shapeSignature is not None else tensor.shape
    return [] if shape is None else [int(n) for n in shape]


def _count(tensor: Any) -> str:
    """How many numbers a tensor holds for one clip."""
    return count(math.prod(size for size in _sizes(tensor) if size > 0), "number")


def _name(tensor: Any) -> str:
    return str((tensor.name or b"").decode(errors="replace"))


def _type_name(tensor: Any) -> str:
    return names_of(schema().TensorType).get(tensor.type, "unknown").lower()


def names_of(numbered: Any) -> dict[int, str]:
    """What the numbers of one of the schema's lists, such as TensorType, stand for."""
    return {number: name for name, number in vars(numbered).items() if not name.startswith("_")}
