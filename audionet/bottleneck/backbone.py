"""Picture -> bottleneck: the embedded Inception v3, cut where it hears best, run by LiteRT."""

import functools
import hashlib
import math
from collections.abc import Callable
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from audionet.bottleneck.sound import SoundInput
from audionet.errors import AudionetError, explaining
from audionet.parallel.sandbox import ShapedNetwork, serve
from audionet.settings import PICTURE_SIZE, PictureSettings
from audionet.spectrogram.transform import in_colors
from audionet.system.files import read_limited
from audionet.system.stderr import quiet_stderr
from audionet.system.untrusted import Refused

# The checksum of the network in the package, which scripts/make_trunk.py made; a file with another one is refused.
ROWS_SHA256 = "eaf613de46865c8b350328e06298943a5ae302cf073c40feb09263789bef2d2a"
INPUT_NAME, BOTTLENECK_NAME = "Mul", "bottleneck"  # in TensorFlow's graphs, as in those of 2018
CHECKSUM_SUFFIX = ".sha256"  # of the file beside another backbone that holds its checksum
LARGEST_NETWORK_BYTES = 2 << 30  # of weights and of what flows through it for one picture; ours need 43 MB


@dataclass(frozen=True)
class Backbone:
    """The LiteRT flatbuffer of a cut network. `name` is what `--bottleneck` calls it.

    graph_def: the same network as a frozen TensorFlow graph from `Mul` to `bottleneck`, where it came from TensorFlow.
    sound: how it hears; None if it looks at pictures.
    path, file_sha256: of the file that it was cut from, if it is a stranger's, which runs in a process of its own.
    """

    name: str
    flatbuffer: bytes
    graph_def: bytes | None = None
    sound: SoundInput | None = None
    path: Path | None = None
    file_sha256: str = ""

    @functools.cached_property
    def sha256(self) -> str:
        """The SHA-256 of the file that it was cut from, or else of the flatbuffer, in hexadecimal."""
        return self.file_sha256 or hashlib.sha256(self.flatbuffer).hexdigest()

    @property
    def description(self) -> str:
        """What people read of it: its name, or the output and the sample rate of a network from sound."""
        return self.name if self.sound is None else f"{self.sound.output} (sound, {self.sound.sample_rate_hz} Hz)"

    @property
    def fingerprint(self) -> str:
        """A text that differs between backbones which give different bottlenecks for the same input."""
        return self.sha256 if self.sound is None else f"{self.sha256} {self.sound.fingerprint}"


def load_backbone(name: str, model_dir: Path) -> Backbone:
    """The backbone for `--bottleneck` name: `rows` from the package, `pool_3` from model_dir.

    What make_trunk.py makes of pool_3 differs from processor to processor in its last bits, so it writes the checksum
    beside it. Raises AudionetError when a file is not there or the checksum is wrong.
    """
    file_name = f"inception_v3_{name}.tflite"
    path, checksum = model_dir / file_name, (model_dir / file_name).with_suffix(CHECKSUM_SUFFIX)
    source, remedy = str(path), f"make it with: python scripts/make_trunk.py --bottleneck {name} --output {path}"
    if name == "rows":
        source, remedy = f"audionet's own {file_name}", "reinstall audionet"
    with explaining(f"{source}: cannot be read", OSError, Refused, remedy=remedy):
        if name == "rows":
            data, sha256 = (resources.files("audionet") / "weights" / file_name).read_bytes(), ROWS_SHA256
        else:
            data = read_limited(path, LARGEST_NETWORK_BYTES)
            sha256 = read_limited(checksum, 4096).decode(errors="replace").strip() if checksum.is_file() else ""
    backbone = Backbone(name, data)
    if backbone.sha256 != sha256:
        raise AudionetError(f"{source}: its checksum is wrong or missing; {remedy}")
    return backbone


def noise_direction(backbone: Backbone, pictures: PictureSettings) -> NDArray[np.float32] | None:
    """How white noise moves the features of a picture (float32, features), or None where it was not measured.

    It was measured with the network of the package and grey mel pictures (scripts/make_noise_direction.py).
    """
    if backbone.name != "rows" or (pictures.representation, pictures.colormap) != ("mel", "gray"):
        return None
    with (resources.files("audionet") / "weights" / "noise_direction.npy").open("rb") as file:
        return np.asarray(np.load(file), np.float32)


class Interpreter:
    """A LiteRT network from one picture to float32 arrays. Not for two threads at once."""

    def __init__(self, flatbuffer: bytes) -> None:
        """Raises ValueError when the bytes are no network from a picture."""
        self._interpreter = start_interpreter(flatbuffer)
        inputs, outputs = self._interpreter.get_input_details(), self._interpreter.get_output_details()
        shape = (1, PICTURE_SIZE, PICTURE_SIZE, 3)
        if len(inputs) != 1 or not outputs or tuple(inputs[0]["shape"]) != shape:
            raise ValueError(f"not a network from one picture {shape}")
        if any(tensor["dtype"] != np.float32 for tensor in (*inputs, *outputs)):
            raise ValueError("not a network of float32 numbers")
        self._input, self._outputs = inputs[0]["index"], [output["index"] for output in outputs]
        self.output_shapes = [tuple(int(n) for n in output["shape"][1:]) for output in outputs]

    def run(self, picture: np.ndarray) -> list[np.ndarray]:
        """The outputs for a uint8 picture (PICTURE_SIZE x PICTURE_SIZE, or x 3): float32, of output_shapes."""
        self._interpreter.set_tensor(self._input, in_colors(picture)[None].astype(np.float32) / np.float32(255))
        self._interpreter.invoke()
        return [np.asarray(self._interpreter.get_tensor(output)[0]) for output in self._outputs]


def start_interpreter(flatbuffer: bytes) -> Any:
    """LiteRT's own interpreter of a network, ready to run.

    Raises ValueError or RuntimeError when the bytes are no network, LiteRT can't run it, or it needs too much memory.
    """
    from ai_edge_litert.interpreter import Interpreter as LiteRtInterpreter

    interpreter = LiteRtInterpreter(model_content=flatbuffer, num_threads=1)
    interpreter.allocate_tensors()
    tensors = interpreter.get_tensor_details()
    needed = sum(math.prod(map(int, tensor["shape"])) * np.dtype(tensor["dtype"]).itemsize for tensor in tensors)
    if needed > LARGEST_NETWORK_BYTES:
        raise ValueError(f"a network that needs {needed >> 20} MB")
    return interpreter


class Network:
    """A LiteRT network for several threads at once: each run takes an interpreter that is idle, or makes another.

    How many threads run it changes nothing in what comes out. It can be pickled.
    """

    module = "audionet.bottleneck.backbone"  # what runs a stranger's such network, in a process of its own
    interpreter: Callable[[bytes], ShapedNetwork] = Interpreter  # or sound_network.SoundInterpreter

    def __init__(self, content: bytes) -> None:
        """content: a flatbuffer. Raises ValueError when the bytes are no network from a picture."""
        # LiteRT says how it computes. Only the first interpreter is kept quiet: later ones start while clips are
        # labelled, whose warnings must come through.
        with quiet_stderr():
            first = type(self).interpreter(content)
        self.content = content
        self.output_shapes = first.output_shapes
        self._idle = [first]

    def run(self, given: np.ndarray) -> list[np.ndarray]:
        """The outputs for one input, as the interpreter's `run` gives them."""
        try:
            interpreter = self._idle.pop()
        except IndexError:
            try:
                interpreter = type(self).interpreter(self.content)
            except RuntimeError as error:  # the first of them could be started
                raise MemoryError from error
        try:
            return interpreter.run(given)
        finally:
            self._idle.append(interpreter)

    def release(self) -> None:
        """Give up the interpreters that are idle, and their memory, until they are needed again."""
        self._idle.clear()

    def __reduce__(self) -> "tuple[type[Network], tuple[bytes]]":
        return type(self), (self.content,)


def bottleneck(network: Network, picture: np.ndarray) -> np.ndarray:
    """A picture's bottleneck: float16, one dimension. Raises AudionetError for numbers that float16 cannot hold."""
    with np.errstate(over="ignore"):
        features = network.run(picture)[0].ravel().astype(np.float16)
    if not np.isfinite(features).all():
        raise AudionetError("the network gives features that are no finite numbers; choose another --tfhub-module")
    return features


def import_litert() -> None:
    """Import LiteRT, before there are limits."""
    import ai_edge_litert.interpreter  # noqa: F401


if __name__ == "__main__":  # the process of a network that comes from elsewhere
    serve(import_litert, lambda flatbuffer, _, __: Network(flatbuffer))
