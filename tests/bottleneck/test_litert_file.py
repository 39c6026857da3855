"""LiteRT files of networks from sound: what is taken of them, and what is refused, against LiteRT itself."""

from typing import Any

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter

from audionet.bottleneck.litert_file import Unfit, cut, pack
from audionet.bottleneck.sound import SoundInput, SoundRequest
from audionet.bottleneck.sound_network import SoundNetwork
from tests.sound_networks import TYPES, filter_bank_network, one_operator_network, rate_metadata

FREQUENCIES_HZ = [1000.0, 9000.0, 17_000.0]
WHOLE = filter_bank_network(FREQUENCIES_HZ, 48_000, 7777)


def run_whole(content: bytes, window: np.ndarray, name: str) -> np.ndarray:
    """What LiteRT makes of a window by itself, at an output."""
    interpreter = Interpreter(model_content=content)
    interpreter.allocate_tensors()
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], window[None])
    interpreter.invoke()
    (found,) = [output for output in interpreter.get_output_details() if output["name"] == name]
    return np.asarray(interpreter.get_tensor(found["index"])[0])


@pytest.mark.parametrize("output", ["embeddings", "scores"])
def test_what_is_cut_gives_what_the_whole_network_gives(output: str) -> None:
    network, sound = cut(WHOLE, SoundRequest(output, 48_000))
    assert sound == SoundInput(48_000, 7777, output)
    window = np.random.default_rng(0).normal(0, 0.1, 7777).astype(np.float32)
    (rows,) = SoundNetwork(network).run(window)
    assert rows.tolist() == [run_whole(WHOLE, window, output).tolist()]


def test_any_tensor_may_be_named_and_what_lies_behind_it_is_left_out() -> None:
    network, _ = cut(WHOLE, SoundRequest("squared", 48_000))
    (rows,) = SoundNetwork(network).run(np.zeros(7777, np.float32))
    assert rows.shape == ((7777 - 64) // 32 + 1, 6)  # a row a moment
    embeddings = cut(WHOLE, SoundRequest("embeddings", 48_000)).flatbuffer
    assert b"embeddings" in embeddings
    large = filter_bank_network([float(hz) for hz in range(100, 20_000, 20)], 48_000, 7777)
    weights_bytes = 3 * 2 * 995 * 4  # of the scores
    assert len(large) - len(cut(large, SoundRequest("embeddings", 48_000)).flatbuffer) > 0.9 * weights_bytes


def test_what_pytorch_pools_of_a_map_is_one_row() -> None:
    """Its channels stand second."""
    network, _ = cut(one_operator_network("ABS", (1, 7000, 1, 1)), SoundRequest("result", 48_000))
    (rows,) = SoundNetwork(network).run(np.arange(7000, dtype=np.float32))
    assert rows.tolist() == [list(range(7000))]


def test_outputs_have_the_names_that_programs_use_too() -> None:
    content = filter_bank_network(FREQUENCIES_HZ, 48_000, 7777, signature={"logits": "", "vectors": ""})
    assert (
        cut(content, SoundRequest("vectors", 48_000)).flatbuffer
        == cut(content, SoundRequest("embeddings", 48_000)).flatbuffer
    )
    with pytest.raises(
        Unfit, match=r"has 2 outputs: logits \(3 numbers\), vectors \(6 numbers\); choose one with --backbone-output"
    ):
        cut(content, SoundRequest(None, 48_000))
    with pytest.raises(Unfit, match=r"has no output 'vector'; it has logits .*, vectors .*vectors\?"):
        cut(content, SoundRequest("vector", 48_000))


def test_the_rate_stands_in_the_files_metadata_or_must_be_said() -> None:
    content = filter_bank_network(FREQUENCIES_HZ, 32_000, 7777, metadata=rate_metadata(32_000))
    assert cut(content, SoundRequest("scores")).sound.sample_rate_hz == 32_000
    assert cut(content, SoundRequest("scores", 32_000)).sound.sample_rate_hz == 32_000
    with pytest.raises(Unfit, match="says that it hears 32000 Hz; leave out --backbone-sample-rate 48000"):
        cut(content, SoundRequest("scores", 48_000))
    with pytest.raises(Unfit, match=r"name it with --backbone-sample-rate \(BirdNET 48000"):
        cut(WHOLE, SoundRequest("scores"))
    with pytest.raises(Unfit, match="says that it hears 7 Hz"):
        cut(filter_bank_network(FREQUENCIES_HZ, 32_000, 7777, metadata=rate_metadata(7)), SoundRequest("scores"))


def test_of_a_network_without_outputs_something_inside_may_be_named() -> None:
    model = schema.ModelT.InitFromPackedBuf(WHOLE, 0)
    model.subgraphs[0].outputs = []
    without = pack(model, len(WHOLE))
    with pytest.raises(Unfit, match="has no output; name something that it computes with --backbone-output"):
        cut(without, SoundRequest(None, 48_000))
    assert cut(without, SoundRequest("embeddings", 48_000)).sound.output == "embeddings"


@pytest.mark.parametrize(
    ("shape", "samples"),
    [
        ((-1, 7777), 7777),
        ((7777,), 7777),
        ((1, 1, 7777), 7777),
        ((-1,), 46_800),
        ((1, -1), 46_800),
        ((-1, -1), 46_800),
        ((1, -1, 1), 46_800),
        ((-1, 1), 46_800),
        ((1, 1), 46_800),
    ],
)
def test_any_shape_of_samples_in_a_row_will_do(shape: tuple[int, ...], samples: int) -> None:
    network, sound = cut(
        filter_bank_network(FREQUENCIES_HZ, 48_000, 7777, shape=shape), SoundRequest("embeddings", 48_000)
    )
    assert sound.window_samples == samples  # of those that take any length, 0.975 s
    window = np.random.default_rng(0).normal(0, 0.1, samples).astype(np.float32)
    fixed = filter_bank_network(FREQUENCIES_HZ, 48_000, samples)
    (rows,) = SoundNetwork(network).run(window)
    assert rows[0] == pytest.approx(run_whole(fixed, window, "embeddings"), rel=1e-5)


@pytest.mark.parametrize(
    ("content", "rate_hz", "sentence"),
    [
        (one_operator_network("ABS", (1, 299, 299, 3)), 48_000, "takes 1 x 299 x 299 x 3 numbers, which are pictures"),
        (one_operator_network("ABS", (1, 96, 64)), 16_000, "takes 1 x 96 x 64 numbers, which are spectrograms"),
        (one_operator_network("RESHAPE", (1, 7000), kind=TYPES.STRING), 48_000, "takes text, not sound"),
        (
            one_operator_network("ABS", (1, 7000), kind=TYPES.INT16),
            48_000,
            "takes int16 numbers, where samples are float32",
        ),
        (one_operator_network("ADD", (1, 7000), inputs=2), 48_000, "has 2 inputs, where a network from sound has one"),
        (one_operator_network("ABS", ()), 48_000, "takes a single number, not samples"),
        (
            one_operator_network("ABS", (1, 100)),
            48_000,
            "looks at 100 samples at once, which at 48000 Hz are 0.0021 seconds",
        ),
        (
            one_operator_network("ABS", (1, 9_000_000)),
            48_000,
            r"9000000 samples at once, which at 48000 Hz are 1.9e\+02 sec",
        ),
        (b"RIFF....WAVE", 48_000, r"is not a LiteRT network \(.tflite\)"),
        (b"", 48_000, r"is not a LiteRT network \(.tflite\)"),
        (WHOLE[:300], 48_000, "is a damaged LiteRT network"),
        (WHOLE[:8] + bytes(400), 48_000, "is a damaged LiteRT network"),
    ],
    ids=range(12),
)
def test_what_is_no_network_from_sound_is_refused(content: bytes, rate_hz: int, sentence: str) -> None:
    request: Any = SoundRequest(None if content != WHOLE else "scores", rate_hz)
    with pytest.raises(Unfit, match=sentence):
        cut(content, request)
