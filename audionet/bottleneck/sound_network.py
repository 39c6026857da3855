"""Networks from sound, run by LiteRT: their parts up to one output, with a new layer behind them or without.

A model has both in one file. Its first graph is the network, from a window of sound to rows of numbers; its second, of
the signature HEAD, is the new layer, from the mean and deviation of all rows of a chunk to the scores.
"""

import hashlib
import math
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from audionet.bottleneck.backbone import LARGEST_NETWORK_BYTES, Backbone, Network, import_litert, start_interpreter
from audionet.bottleneck.litert_file import Unfit, cut
from audionet.bottleneck.sound import SoundRequest, pooled, windows
from audionet.errors import AudionetError, explaining
from audionet.parallel.sandbox import SandboxedNetwork, ShapedNetwork, serve
from audionet.system.files import read_limited
from audionet.system.untrusted import Refused

HEAD, FEATURES, SCORES, DISTANCE = "head", "features", "scores", "squared_distance"  # names in a model's signature
WIDEST = 1 << 16  # numbers a row: more than any network's embedding
# Networks from PyTorch have their channels second: what is pooled of a map, its embedding, is 1 x 2048 x 1 x 1.
PYTORCH_AXES = 4


class SoundInterpreter:
    """A LiteRT network from sound to float32 arrays. Not for two threads at once.

    With a layer: from a chunk to the scores of its classes and the squared distance. Without: from a window of
    window_samples to rows of numbers.
    """

    def __init__(self, flatbuffer: bytes) -> None:
        """Raises ValueError when the bytes are no network from sound."""
        self._interpreter = start_interpreter(flatbuffer)
        inputs, outputs = self._interpreter.get_input_details(), self._interpreter.get_output_details()
        if len(inputs) != 1 or len(outputs) != 1 or {inputs[0]["dtype"], outputs[0]["dtype"]} != {np.float32}:
            raise ValueError("not a network from samples to one array of numbers, all float32")
        self._input, self._output = inputs[0]["index"], outputs[0]["index"]
        self._input_shape = [int(n) for n in inputs[0]["shape"]]
        self.window_samples = math.prod(self._input_shape)
        self._has_head = False
        rows = self._rows(np.zeros(self.window_samples, np.float32))
        self.output_shapes: list[tuple[int, ...]] = [rows.shape]
        if HEAD in self._interpreter.get_signature_list():
            self._has_head = True
            features = np.zeros(2 * rows.shape[1], np.float32)
            self.output_shapes = [output.shape for output in self._scores(features)]

    def run(self, samples: NDArray[np.float32]) -> list[np.ndarray]:
        """The outputs for float32 samples, -1 to 1."""
        if not self._has_head:
            return [self._rows(samples)]
        rows, weights = [], []
        for window in windows(samples, self.window_samples):
            rows.append(self._rows(window.samples))
            weights += [window.weight] * len(rows[-1])
        return self._scores(pooled(np.concatenate(rows), np.array(weights, np.float32)))

    def _rows(self, window: NDArray[np.float32]) -> NDArray[np.float32]:
        """The network's output for a window: rows x numbers."""
        self._interpreter.reset_all_variables()  # earlier windows must not change the result
        self._interpreter.set_tensor(self._input, window.reshape(self._input_shape))
        self._interpreter.invoke()
        output = np.asarray(self._interpreter.get_tensor(self._output))
        shape = output.shape
        if len(shape) == PYTORCH_AXES and set(shape[2:]) == {1}:
            shape = shape[:2]
        width = shape[-1] if shape else 1
        if not 0 < width <= WIDEST or not output.size:
            raise ValueError(f"its output is of {output.size} numbers, in rows of {width}")
        return output.reshape(-1, width)

    def _scores(self, features: NDArray[np.float32]) -> list[np.ndarray]:
        # The runner is made each time: while it exists, LiteRT does not run the first graph.
        outputs = self._interpreter.get_signature_runner(HEAD)(**{FEATURES: features[None]})
        return [np.asarray(outputs[name])[0] for name in (SCORES, DISTANCE)]


class SoundNetwork(Network):
    """A SoundInterpreter for several threads at once."""

    module = "audionet.bottleneck.sound_network"
    interpreter = SoundInterpreter


def load_sound_file(path: Path, request: SoundRequest) -> Backbone:
    """The backbone of a LiteRT file, up to the output that is asked for.

    It is taken apart and tried in a process of its own before anything is done with it here.
    Raises AudionetError for what is no network from sound, or not one that LiteRT can run.
    """
    file, remedy = f"--backbone {path}", "name another (a folder is named with --tfhub-module)"
    with (
        explaining(f"{file}: cannot be read", OSError, remedy="name a .tflite file"),
        explaining(f"{file}: is no file of a network, or too large a one; {remedy}", Refused),
    ):
        content = read_limited(path, LARGEST_NETWORK_BYTES)
    with explaining(f"{file}: LiteRT can't run it", ValueError, remedy="choose another network"):
        SandboxedNetwork(SoundNetwork.module, content, path, request._asdict())
        flatbuffer, sound = cut(content, request)
    return Backbone("sound", flatbuffer, sound=sound, path=path, file_sha256=hashlib.sha256(content).hexdigest())


def open_sound_network(backbone: Backbone) -> ShapedNetwork:
    """The network of a backbone from sound, in a process of its own where its file is a stranger's."""
    if backbone.path is None:
        return SoundNetwork(backbone.flatbuffer)
    return SandboxedNetwork(SoundNetwork.module, backbone.flatbuffer, backbone.path)


def _make(content: bytes, path: Path, options: dict[str, Any]) -> ShapedNetwork:
    """The network of a model or of a cut file; with options (those of SoundRequest), the file is cut first."""
    if not options:
        return SoundNetwork(content)
    try:
        return SoundNetwork(cut(content, SoundRequest(**options)).flatbuffer)
    except Unfit as error:
        raise AudionetError(f"--backbone {path}: {error}") from error


if __name__ == "__main__":  # the process of a network that comes from elsewhere
    serve(import_litert, _make)
