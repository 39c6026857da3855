"""A module of TensorFlow Hub -> a backbone, for LiteRT and as a frozen graph, like the embedded one."""

import hashlib
import importlib.util
import io
import re
import sys
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from audionet.bottleneck.backbone import BOTTLENECK_NAME, INPUT_NAME, Backbone
from audionet.bottleneck.litert_file import Unfit
from audionet.bottleneck.sound import SoundInput, SoundRequest
from audionet.errors import AudionetError, explaining, message_of
from audionet.hub.archives import extract
from audionet.hub.download import FAILURES, cache_folder, fetch, require_checksum
from audionet.hub.sound_module import signature_of, sound_backbone
from audionet.options import RetrainOptions
from audionet.rules import EMBEDDED
from audionet.settings import PICTURE_SIZE
from audionet.system.files import json_bytes, write_durably
from audionet.system.progress import Progress, silent
from audionet.system.stderr import quiet_stderr
from audionet.system.tensorflow import freeze_function, start_tensorflow
from audionet.system.untrusted import parse_json

GOOGLE = "https://tfhub.dev/google/imagenet/{}/feature_vector/5"
USUAL_SIZES = {"inception": 299, "nasnet_large": 331, "pnasnet": 331, "inception_resnet": 299}  # pixels; others: 224
# Rows are taken from the last endpoint with at least so many: later ones have lost the frequencies.
FEWEST_ROWS = 16
SIGNATURES = ("image_feature_vector", "default", "serving_default")
MODULE_FILE = "saved_model.pb*"  # of any SavedModel; .pbtxt if it is written as text
SMALLEST_VARIANCE = 1e-8  # under the root
INSTEAD = f"without --tfhub-module and with --architecture {EMBEDDED}, the network inside AudioNet needs no download"
ANYTHING = SoundRequest()
VERSION = 1  # of the conversion; backbones made by another are made anew


def module_asked_for(options: RetrainOptions) -> str | None:
    """The handle of the module that the options ask for; None if it is the embedded network."""
    if named := options.tfhub_module:
        is_googles = re.fullmatch(r"\w{1,99}(\.\w{1,9})?", named) and not Path(named).exists()
        return google_handle(named) if is_googles else named
    return None if options.architecture == EMBEDDED else google_handle(options.architecture)


def google_handle(architecture: str) -> str:
    """The address of Google's feature vectors for the name of a network, as retrain.py of 2017 wrote it or of today.

    mobilenet_1.0_224 is mobilenet_v1_100_224 today.
    """
    old = re.fullmatch(r"mobilenet_(\d)\.(\d+)_(\d+)", architecture)
    if old:
        percentage = int(old[1]) * 100 + int(old[2].ljust(2, "0")[:2])
        architecture = f"mobilenet_v1_{percentage:03d}_{old[3]}"
    return GOOGLE.format(architecture)


def load_module(
    handle: str, options: RetrainOptions, request: SoundRequest = ANYTHING, progress: Progress = silent
) -> Backbone:
    """The backbone of a module, from pictures or from sound: a URL, a SavedModel's folder or a .tar.gz of one.

    Of the options, bottleneck is pool_3 (or None) for its feature vector, rows for the mean and the deviation over time
    of its last endpoint with FEWEST_ROWS rows; in model_dir the converted network is kept, and what is downloaded (or
    in TFHUB_CACHE_DIR). request: what is known of a module from sound.
    Raises AudionetError when the module can't be had, or is not one from pictures or sound to features.
    """
    tf = start_tensorflow()
    bottleneck, model_dir = options.bottleneck or "pool_3", options.model_dir
    with tempfile.TemporaryDirectory(prefix="audionet-") as temporary:
        cache = cache_folder(model_dir)
        folder = _module_in(_resolve(handle, Path(temporary), cache, options.tfhub_sha256, progress))
        asked = "" if request == ANYTHING else f" {request.output} {request.sample_rate_hz}"
        digest = _digest(folder, f"{VERSION} {bottleneck} {_named_size(handle)}{asked}")
        kept = model_dir / f"module_{bottleneck}_{digest[:16]}.npz"
        name = f"module_{bottleneck}"
        backbone = _read(kept, name)
        if backbone is None:
            faults = ValueError, TypeError, KeyError, AttributeError, OSError, tf.errors.OpError
            no_module = f"--tfhub-module {handle}: not a module from pictures or sound to features"
            try:
                with explaining(no_module, *faults, remedy=INSTEAD), quiet_stderr():
                    module = _hub().load(str(folder))
                    backbone = sound_backbone(module, _specs(module), request) or Backbone(
                        name, *_convert(_network(module, handle, bottleneck), handle)
                    )
            except Unfit as error:
                raise AudionetError(f"--tfhub-module {handle}: {error}") from error
            _write(kept, backbone)
    return backbone


def _hub() -> Any:
    """TensorFlow Hub's loader, without its __init__, which asks for Keras 2 and for setuptools of before 2026."""
    if "tensorflow_hub" not in sys.modules:
        spec = importlib.util.find_spec("tensorflow_hub")
        if spec is None:
            raise AudionetError(f"TensorFlow Hub is not installed: pip install tensorflow-hub; {INSTEAD}")
        sys.modules["tensorflow_hub"] = importlib.util.module_from_spec(spec)
        from tensorflow_hub import config

        config._install_default_resolvers()
    from tensorflow_hub import module_v2

    return module_v2


def _resolve(handle: str, temporary: Path, cache: Path, sha256: str | None, progress: Progress) -> Path:
    """The folder of a module, downloaded where it must be."""
    is_address, path = "://" in handle, Path(handle)
    try:
        if is_address:
            return fetch(handle, cache, sha256, progress)
        if not path.is_file() and not path.is_dir():
            raise AudionetError(f"--tfhub-module {handle}: no such folder or file; {INSTEAD}")
        require_checksum(path, sha256)
        if path.is_dir():
            return path
        with open(path, "rb") as archive:
            extract(archive, temporary)
        return temporary
    except (ValueError, *FAILURES) as error:
        fault = f"not a .tar.gz of a module ({message_of(error)})"
        if handle.endswith(".tflite"):
            fault = "a file of LiteRT, which is named with --backbone"
        if is_address:
            fault = f"can't be downloaded ({message_of(error)}) and is not in the cache"
        raise AudionetError(f"--tfhub-module {handle}: {fault}; {INSTEAD}") from error


def _module_in(folder: Path) -> Path:
    """The folder of the module itself: archives often hold one folder, which holds the module."""
    inside = [] if any(folder.glob(MODULE_FILE)) else list(folder.glob(f"*/{MODULE_FILE}"))
    return inside[0].parent if len(inside) == 1 else folder


def _network(module: Any, handle: str, bottleneck: str) -> Callable[[Any], Any]:
    """A function for TensorFlow to trace: pictures (N x 299 x 299 x 3, 0 to 1) -> bottlenecks (N x features)."""
    tf = start_tensorflow()
    shaped = [spec for spec in _specs(module) if spec.shape.rank == 4]
    static = [spec.shape[1] for spec in shaped if spec.shape[1] is not None]
    usual = next((size for name, size in USUAL_SIZES.items() if name in handle), 224)
    size = static[0] if static else _named_size(handle) or usual
    wants_bytes = bool(shaped) and shaped[0].dtype == tf.uint8

    def network(pictures: Any) -> Any:
        images = pictures if size == PICTURE_SIZE else tf.image.resize(pictures, (size, size))
        images = tf.cast(tf.round(images * 255), tf.uint8) if wants_bytes else images
        named = _outputs(module, images, with_endpoints=bottleneck == "rows")
        if bottleneck == "rows":
            features = _rows(named)
        else:
            features = named.get("default", named[min(named)])
            if features.shape.rank == 4:
                features = tf.reduce_mean(features, axis=(1, 2))
        width = int(np.prod(features.shape[1:]))
        return tf.identity(tf.reshape(tf.cast(features, tf.float32), (-1, width)), name=BOTTLENECK_NAME)

    return network


def _outputs(module: Any, images: Any, *, with_endpoints: bool) -> dict[str, Any]:
    """What a module makes of images, by name; with its endpoints, if it has any. Raises ValueError if it takes none."""
    signature = signature_of(module, SIGNATURES)
    inputs = [] if signature is None else list(signature.structured_input_signature[1])
    if callable(module):
        if with_endpoints:
            return dict(module(images, training=False, return_endpoints=True))
        result = module(images)
    elif inputs:
        result = signature(**{inputs[0]: images})
    elif signature is None and len(getattr(module, "signatures", ())) > 1:
        others = ", ".join(sorted(module.signatures))
        raise ValueError(f"of its signatures {others}, none is called {' or '.join(SIGNATURES)}")
    else:
        raise ValueError("it can't be called, and has no signature that takes anything")
    return result if isinstance(result, dict) else {"default": result}


def _rows(outputs: dict[str, Any]) -> Any:
    """Mean and standard deviation over time of the last block that tells frequencies apart."""
    tf = start_tensorflow()
    blocks = [value for value in outputs.values() if value.shape.rank == 4 and value.shape[1] >= FEWEST_ROWS]
    if not blocks:
        raise ValueError(f"it offers no endpoint with {FEWEST_ROWS} rows, only a feature vector: --bottleneck pool_3")
    # The lowest block is the latest; of equally low ones, the one with the most channels is taken.
    block = min(blocks, key=lambda value: (value.shape[1], -value.shape[3]))
    mean = tf.reduce_mean(block, axis=2)
    variance = tf.reduce_mean(tf.math.square(block - mean[:, :, None]), axis=2)
    deviation = tf.sqrt(variance + SMALLEST_VARIANCE)
    return tf.concat([tf.reshape(x, (-1, int(np.prod(x.shape[1:])))) for x in (mean, deviation)], axis=1)


def _specs(module: Any) -> list[Any]:
    """The shapes and types of the inputs that the module names, those of its signature first."""
    signature = signature_of(module, SIGNATURES)
    specs = list(signature.structured_input_signature[1].values()) if signature is not None else []
    for function in getattr(vars(module).get("__call__"), "concrete_functions", []):
        specs += [spec for spec in function.structured_input_signature[0] if hasattr(spec, "shape")]
    return specs


def _named_size(handle: str) -> int | None:
    """The size in a name such as mobilenet_v2_100_224."""
    size = re.search(r"_(\d{2,3})(?=/|$)", handle.removesuffix(".tar.gz"))
    return int(size[1]) if size and "mobilenet" in handle else None


def _convert(network: Callable[[Any], Any], handle: str) -> tuple[bytes, bytes]:
    """The LiteRT flatbuffer, with int8 weights as the embedded network's, and the frozen float32 GraphDef."""
    tf = start_tensorflow()

    def frozen(batch: int | None) -> Any:
        spec = tf.TensorSpec((batch, PICTURE_SIZE, PICTURE_SIZE, 3), tf.float32, name=INPUT_NAME)
        return freeze_function(tf.function(network, autograph=False).get_concrete_function(spec))

    definition = frozen(None).graph.as_graph_def()
    if any("PartitionedCall" in node.op for node in definition.node):
        raise ValueError("it calls functions that can't be written out")
    definition.ClearField("library")
    converter = tf.lite.TFLiteConverter.from_concrete_functions([frozen(1)])
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    try:
        return bytes(converter.convert()), bytes(definition.SerializeToString(deterministic=True))
    except Exception as error:  # the converter's own errors have no common name
        raise ValueError(f"LiteRT can't run {handle}: {message_of(error)}") from error


def _digest(folder: Path, how: str) -> str:
    """A digest of a module's files and of how it is converted, in hexadecimal."""
    digest = hashlib.sha256(how.encode())
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        digest.update(path.relative_to(folder).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def _read(path: Path, name: str) -> Backbone | None:
    """A backbone that was kept; None if there is none, or a damaged one."""
    try:
        with np.load(path) as content:
            flatbuffer, graph_def = content["flatbuffer"].tobytes(), content["graph_def"].tobytes()
            if "sound" not in content:
                return Backbone(name, flatbuffer, graph_def)
            return Backbone("sound", flatbuffer, sound=SoundInput.from_json(parse_json(content["sound"].tobytes())))
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return None


def _write(path: Path, backbone: Backbone) -> None:
    file = io.BytesIO()
    parts = {"flatbuffer": backbone.flatbuffer, "graph_def": backbone.graph_def or b""}
    if backbone.sound is not None:
        parts["sound"] = json_bytes(backbone.sound.to_json())
    arrays: dict[str, Any] = {name: np.frombuffer(part, np.uint8) for name, part in parts.items()}
    np.savez(file, **arrays)
    write_durably(path, file.getvalue())
