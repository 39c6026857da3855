#!/usr/bin/env python3
"""Make the embedded Inception v3 trunk: the npm tarball of nsfwjs in, one LiteRT file out.

    python scripts/make_trunk.py                              the trunk that the package ships
    python scripts/make_trunk.py --bottleneck pool_3          the whole net, for `retrain --bottleneck pool_3`

The tarball comes from `npm pack nsfwjs@4.3.0` (or --tarball FILE) and is checked against its SHA-256.
It carries a Keras 2 Inception v3 whose weights are uint8 numbers with a minimum and a scale a tensor.
Only those of the 94 convolutions and their batch normalisations are used. The network itself is built by
keras.applications, cut at the block wanted, and converted with dynamic-range int8 weights.
"""

import argparse
import base64
import hashlib
import json
import math
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from audionet.bottleneck.backbone import CHECKSUM_SUFFIX
from audionet.bottleneck.maps import OVERALL_GAIN, SMALLEST_VARIANCE, SMALLEST_WEIGHT, cepstrum_cosines
from audionet.spectrogram.transform import SILENT, SOUNDING

PACKAGE = "nsfwjs@4.3.0"
TARBALL_SHA256 = "4496790efc9bdc6f3e85a826a8e482c1fa1e9db4b3d18c095e98cc0c73cfb12f"
MODEL_FOLDER = "package/dist/models/inception_v3"
SHARDS = 6
CONVOLUTIONS = 94  # in keras.applications.InceptionV3, each with a batch normalisation behind it

BOTTLENECKS = ("rows", "pool_3")
# Which columns of the picture a column of a block looks at most: the first one, and how many. (The convolutions before
# them have no padding; the middle of a block's column n is at offset + (n + 1/2) * stride.)
COLUMNS = {35: (9, 8), 17: (13, 16)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bottleneck", choices=BOTTLENECKS, default="rows")
    parser.add_argument("--tarball", type=Path, help=f"{PACKAGE} as npm packs it (default: fetched with npm)")
    parser.add_argument("--output", type=Path, help="the .tflite file to write")
    options = parser.parse_args()
    root = Path(__file__).resolve().parent.parent
    default_outputs = {
        "rows": root / "audionet" / "weights" / "inception_v3_rows.tflite",
        "pool_3": root / "tf_files" / "models" / "inception_v3_pool_3.tflite",
    }
    output = options.output or default_outputs[options.bottleneck]

    with tempfile.TemporaryDirectory() as folder:
        tarball = options.tarball or fetch_tarball(Path(folder))
        _, weights = read_tarball(tarball)
    backbone = convert(build_trunk(weights, options.bottleneck))
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_bytes(backbone)
    digest = hashlib.sha256(backbone).hexdigest()
    if options.bottleneck != "rows":  # the package knows its own
        output.with_suffix(CHECKSUM_SUFFIX).write_text(f"{digest}\n")
    print(f"{output}: {len(backbone)} bytes, SHA-256 {digest}")


def fetch_tarball(folder: Path) -> Path:
    """Fetch the package with npm into `folder`; its path."""
    npm = shutil.which("npm")
    if npm is None:
        sys.exit("make_trunk.py: npm is not installed; install Node.js or name the tarball with --tarball")
    subprocess.run([npm, "pack", "--silent", PACKAGE], cwd=folder, check=True, stdout=subprocess.DEVNULL)
    return next(folder.glob("*.tgz"))


def read_tarball(path: Path) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """The Keras 2 model description and the float32 weights by name.

    Raises SystemExit when the file is not the tarball that the checksum was taken of.
    """
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    if digest != TARBALL_SHA256:
        sys.exit(f"make_trunk.py: {path} has SHA-256 {digest}, expected {TARBALL_SHA256}")
    with tarfile.open(path) as archive:

        def text(name: str) -> str:
            member = archive.extractfile(f"{MODEL_FOLDER}/{name}")
            assert member is not None
            return str(member.read().decode())

        model = parse_script_object(text("model.min.js"))
        shards = [text(f"group1-shard{i}of{SHARDS}.min.js") for i in range(1, SHARDS + 1)]
    data = b"".join(base64.b64decode(longest_string(shard)) for shard in shards)
    return model["modelTopology"], dict(dequantise(model["weightsManifest"][0]["weights"], data))


def parse_script_object(script: str) -> dict[str, Any]:
    """The object that a minified browserify module exports, read as JSON: `{a:!0,b:.5}` -> {"a": true, "b": 0.5}."""
    start = script.index("{modelTopology:")
    text = re.sub(r"([{,])([A-Za-z_]\w*):", r'\1"\2":', script[start:])
    text = re.sub(r"([:,\[])!0", r"\1true", text)
    text = re.sub(r"([:,\[])!1", r"\1false", text)
    text = re.sub(r"([:,\[]-?)\.(\d)", r"\g<1>0.\2", text)
    content, _ = json.JSONDecoder().raw_decode(text)
    return dict(content)


def longest_string(script: str) -> str:
    """The base64 text of a shard: by far the longest string literal in it."""
    return str(max(re.findall(r'"([A-Za-z0-9+/=]*)"', script), key=len))


def dequantise(manifest: list[dict[str, Any]], data: bytes) -> Iterator[tuple[str, np.ndarray]]:
    """The tensors in the manifest's order: value = uint8 * scale + min (TensorFlow.js's weight quantisation)."""
    offset = 0
    for entry in manifest:
        size = math.prod(entry["shape"])
        quantised = np.frombuffer(data, np.uint8, size, offset).reshape(entry["shape"])
        quantisation = entry["quantization"]
        if quantisation["dtype"] != "uint8":
            sys.exit(f"make_trunk.py: {entry['name']} is {quantisation['dtype']}, not uint8")
        yield entry["name"], (quantised * np.float64(quantisation["scale"]) + quantisation["min"]).astype(np.float32)
        offset += size
    if offset != len(data):
        sys.exit(f"make_trunk.py: the manifest describes {offset} bytes, the shards hold {len(data)}")


def build_trunk(weights: dict[str, np.ndarray], bottleneck: str) -> Any:
    """A Keras model from pictures (N x 299 x 299 x 3, values 0 to 1) to bottlenecks.

    keras.applications creates its layers in the order in which the weights are numbered, 1 to 94.
    """
    import keras

    net = keras.applications.InceptionV3(weights=None, include_top=False, input_shape=(299, 299, 3))
    convolutions = [layer for layer in net.layers if isinstance(layer, keras.layers.Conv2D)]
    normalisations = [layer for layer in net.layers if isinstance(layer, keras.layers.BatchNormalization)]
    assert len(convolutions) == len(normalisations) == CONVOLUTIONS
    for layers, kind, names in (
        (convolutions, "conv2d", ["kernel"]),
        (normalisations, "batch_normalization", ["beta", "moving_mean", "moving_variance"]),
    ):
        # Keras numbers layers by the order of creation; net.layers is ordered by depth.
        for number, layer in enumerate(sorted(layers, key=creation_number), start=1):
            layer.set_weights([weights[f"{kind}_{number}/{name}"] for name in names])
    pictures = keras.Input((299, 299, 3), name="Mul")
    if bottleneck == "pool_3":
        last = keras.Model(net.input, net.get_layer("mixed10").output)(pictures * 2.0 - 1.0)
        return keras.Model(pictures, keras.ops.mean(last, axis=(1, 2)))
    outputs = [net.get_layer(name).output for name in ("mixed2", "mixed3")]
    mixed2, mixed3 = keras.Model(net.input, outputs)(pictures * 2.0 - 1.0)
    brightness = keras.ops.mean(pictures, axis=3)
    weights = column_weights(brightness)
    mixed2_weights, mixed3_weights = block_weights(weights, 35), block_weights(weights, 17)
    mean_rows, overall_mean = rows(mean(mixed3, mixed3_weights))
    deviation_rows, overall_deviation = rows(deviation(mixed3, mixed3_weights))
    blocks = [
        rows(mean(mixed2, mixed2_weights))[0],
        mean_rows,
        deviation_rows,
        cepstrum(brightness, weights),
        OVERALL_GAIN * overall_mean,
        OVERALL_GAIN * overall_deviation,
    ]
    return keras.Model(pictures, keras.ops.concatenate(blocks, axis=1))


def column_weights(brightness: Any) -> Any:
    """How much each column of the pictures (N x frequency x time, 0 to 1) sounds: N x time, over 0 to 1.

    Silence is left out of all averages over time: a pause, or ten seconds before the first word, says nothing.
    """
    from keras import ops

    loudest = ops.max(brightness, axis=1)
    return ops.clip((loudest - SILENT) / (SOUNDING - SILENT), 0.0, 1.0) + SMALLEST_WEIGHT


def block_weights(weights: Any, size: int) -> Any:
    """The weights of a block's `size` columns: N x 1 x size x 1, with the sum 1."""
    from keras import ops

    first, stride = COLUMNS[size]
    seen = ops.reshape(weights[:, first : first + stride * size], (-1, size, stride))
    averages = ops.mean(seen, axis=2)
    return ops.reshape(averages / ops.sum(averages, axis=1, keepdims=True), (-1, 1, size, 1))


def mean(block: Any, weights: Any) -> Any:
    """The weighted mean over time of N x frequency x time x channels."""
    from keras import ops

    return ops.sum(block * weights, axis=2)


def deviation(block: Any, weights: Any) -> Any:
    """The weighted standard deviation over time of N x frequency x time x channels."""
    from keras import ops

    difference = block - ops.sum(block * weights, axis=2, keepdims=True)
    return ops.sqrt(ops.sum(difference * difference * weights, axis=2) + SMALLEST_VARIANCE)


def rows(statistic: Any) -> tuple[Any, Any]:
    """The roots of N x frequency x channels, each channel less its mean over frequency, flattened; and those means.

    Roots, since the channels' values are never negative and have long tails. Apart from the means, since what a channel
    says at all frequencies is more about the recording, where words are told apart, and about the texture, where
    sounds of the world are (docs/experiments.md).
    """
    from keras import ops

    roots = ops.sqrt(statistic)
    means = ops.mean(roots, axis=1, keepdims=True)
    flat = ops.reshape(roots - means, (-1, math.prod(statistic.shape[1:])))
    return flat, ops.reshape(means, (-1, statistic.shape[-1]))


def cepstrum(brightness: Any, weights: Any) -> Any:
    """The cepstral coefficients 1 to CEPSTRAL_COEFFICIENTS of pictures, N x that, averaged over what sounds.

    The orthonormal cosine transform (DCT-II) of brightness over frequency, as in MFCCs; coefficient 0, loudness, is
    left out.
    """
    from keras import ops

    size = brightness.shape[1]
    shares = weights / ops.sum(weights, axis=1, keepdims=True)
    # With an axis behind, so that the converter, which looks at one picture, keeps the shares of each picture apart.
    average = ops.sum(ops.expand_dims(brightness, 3) * ops.reshape(shares, (-1, 1, size, 1)), axis=(2, 3))
    # A product and a sum, not a matrix product: the converter would round the cosines to 8 bits.
    return ops.sum(ops.expand_dims(average, 2) * cepstrum_cosines(), axis=1)


def creation_number(layer: Any) -> int:
    """`conv2d` -> 0, `conv2d_7` -> 7."""
    number = re.search(r"_(\d+)$", layer.name)
    return int(number.group(1)) if number else 0


def convert(backbone: Any) -> bytes:
    """The LiteRT flatbuffer of a Keras model: one picture a run, int8 weights, float32 in and out."""
    import tensorflow as tf
    from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

    function = tf.function(lambda pictures: backbone(pictures, training=False))
    concrete = function.get_concrete_function(tf.TensorSpec((1, 299, 299, 3), tf.float32, name="Mul"))
    # Keras 3 keeps its variables where the converter does not freeze them, so they are frozen first.
    frozen = convert_variables_to_constants_v2(concrete)
    converter = tf.lite.TFLiteConverter.from_concrete_functions([frozen])
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    return bytes(converter.convert())


if __name__ == "__main__":
    main()
