"""The embedded trunk against a network built another way from the same tarball."""

import hashlib
import pickle
import runpy
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from audionet.audio.decoding import decode
from audionet.bottleneck import backbone
from audionet.bottleneck.backbone import Backbone, Interpreter, Network, bottleneck, load_backbone, noise_direction
from audionet.errors import AudionetError
from audionet.settings import PICTURE_SIZE, SAMPLE_RATE_HZ, PictureSettings
from audionet.spectrogram.transform import SpectrogramRenderer
from tests.conftest import ROOT, SAMPLE_CLIPS, chirps, tone

MAKE_TRUNK = runpy.run_path(str(ROOT / "scripts" / "make_trunk.py"))


@pytest.fixture(scope="module")
def tarball(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """nsfwjs as npm packs it; the tests that need it are skipped where npm or its registry is not to be had."""
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("npm is not installed")
    folder = tmp_path_factory.mktemp("npm")
    command = [npm, "pack", "--silent", MAKE_TRUNK["PACKAGE"]]
    if subprocess.run(command, cwd=folder, capture_output=True, timeout=120, check=False).returncode != 0:
        pytest.skip("npm cannot fetch nsfwjs: no network?")
    return next(folder.glob("*.tgz"))


def pictures() -> list[np.ndarray]:
    """A few pictures, uint8 299 x 299 x 3: tones, noise, silence, and one in colour."""
    noise = np.random.default_rng(0).normal(0, 3000, 20 * SAMPLE_RATE_HZ).astype(np.int16)
    grey, colored = (
        SpectrogramRenderer.make(PictureSettings()),
        SpectrogramRenderer.make(PictureSettings(colormap="viridis")),
    )
    found = [grey.render(samples) for samples in (chirps(0, 200, 4000, 20), noise, tone(1000, 20), noise * 0)]
    return [np.repeat(picture[:, :, None], 3, axis=2) for picture in found] + [colored.render(chirps(1, 100, 800, 20))]


def features_by_the_tarballs_own_description(
    topology: dict[str, Any], weights: dict[str, np.ndarray], batch: np.ndarray
) -> dict[str, np.ndarray]:
    """Walk the layers of the Keras 2 model description, one TensorFlow operation a layer, float32 throughout."""
    import tensorflow as tf

    outputs: dict[str, Any] = {}
    for layer in topology["model_config"]["config"]["layers"]:
        name, config = layer["name"], layer["config"]
        if layer["class_name"] == "InputLayer":
            outputs[name] = tf.constant(batch)
            continue
        inputs = [outputs[node[0]] for node in layer["inbound_nodes"][0]]
        x = inputs[0]
        if layer["class_name"] == "Conv2D":
            x = tf.nn.conv2d(x, weights[f"{name}/kernel"], config["strides"], config["padding"].upper())
        elif layer["class_name"] == "BatchNormalization":
            mean, variance = weights[f"{name}/moving_mean"], weights[f"{name}/moving_variance"]
            x = tf.nn.batch_normalization(x, mean, variance, weights[f"{name}/beta"], None, config["epsilon"])
        elif layer["class_name"] == "Activation":
            assert config["activation"] == "relu"
            x = tf.nn.relu(x)
        elif layer["class_name"] == "MaxPooling2D":
            x = tf.nn.max_pool2d(x, config["pool_size"], config["strides"], config["padding"].upper())
        elif layer["class_name"] == "AveragePooling2D":
            x = tf.nn.avg_pool2d(x, config["pool_size"], config["strides"], config["padding"].upper())
        elif layer["class_name"] == "Concatenate":
            x = tf.concat(inputs, axis=config["axis"])
        outputs[name] = x
        if name == "mixed3":
            return {block: outputs[block].numpy().astype(np.float64) for block in ("mixed2", "mixed3")}
    raise AssertionError("no layer mixed3")


def rows(statistic: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The roots of pictures x frequency x channels: less each channel's mean over frequency, and those means."""
    roots = np.sqrt(statistic)
    means = roots.mean(axis=1)
    return np.asarray(roots - means[:, None]).reshape(len(roots), -1), means


def sounding(batch: np.ndarray) -> np.ndarray:
    """How much each column sounds: 0 from 60 dB below the loudest point down, 1 from 45 dB up. pictures x columns."""
    decibels = 80 * (batch.mean(axis=3).max(axis=1) / 255 - 1)
    return np.asarray(np.clip((decibels + 60) / 15, 0, 1) + 1e-6)


def averaged(block: np.ndarray, weights: np.ndarray, first: int, stride: int) -> tuple[np.ndarray, np.ndarray]:
    """The weighted mean and deviation over the columns of pictures x frequency x columns x channels."""
    count = block.shape[2]
    own = np.stack(
        [weights[:, first + n * stride : first + (n + 1) * stride].mean(axis=1) for n in range(count)], axis=1
    )
    own = (own / own.sum(axis=1, keepdims=True))[:, None, :, None]
    mean = (block * own).sum(axis=2)
    return mean, np.sqrt((((block - mean[:, :, None]) ** 2) * own).sum(axis=2) + 1e-8)


def test_the_trunk_equals_an_independent_build_of_the_same_weights(tarball: Path) -> None:
    from scipy.fft import dct

    topology, weights = MAKE_TRUNK["read_tarball"](tarball)
    assert len(weights) == 382
    half_silent = pictures()[0].copy()
    half_silent[:, 150:] = 0
    batch = np.stack([*pictures(), half_silent])
    blocks = features_by_the_tarballs_own_description(topology, weights, batch / np.float32(127.5) - 1)
    sounds = sounding(batch)
    shares = sounds / sounds.sum(axis=1, keepdims=True)
    cepstrum = 5.5 * dct(np.einsum("nft,nt->nf", batch.mean(axis=3) / 255, shares), type=2, norm="ortho", axis=1)
    mixed3_mean, mixed3_deviation = averaged(blocks["mixed3"], sounds, 13, 16)
    mean_rows, overall_mean = rows(mixed3_mean)
    deviation_rows, overall_deviation = rows(mixed3_deviation)
    expected = [
        rows(averaged(blocks["mixed2"], sounds, 9, 8)[0])[0],
        mean_rows,
        deviation_rows,
        cepstrum[:, 1:31],
        5 * overall_mean,
        5 * overall_deviation,
    ]
    borders = np.cumsum([part.shape[1] for part in expected])[:-1]
    interpreter = Interpreter(load_backbone("rows", Path()).flatbuffer)
    assert interpreter.output_shapes == [(35 * 288 + 2 * 17 * 768 + 30 + 2 * 768,)]
    for n, picture in enumerate(batch):
        for found, wanted in zip(np.split(interpreter.run(picture)[0], borders), [p[n] for p in expected], strict=True):
            if np.linalg.norm(wanted) < 1e-2:
                assert np.linalg.norm(found) < 0.5  # of a steady picture, nothing changes over time
                continue
            cosine = (found * wanted).sum() / np.linalg.norm(found) / np.linalg.norm(wanted)
            # Measured: 0.988 to 1.000, which is the int8 weights' doing; what all rows share is taken away, so that
            # the error weighs more in what is left.
            assert cosine > 0.985
            assert np.linalg.norm(found) == pytest.approx(np.linalg.norm(wanted), rel=0.05)


def test_silence_beside_a_sound_changes_nothing() -> None:
    """The same second of sound, in front of silence and behind it, against the sound alone."""
    interpreter = Interpreter(load_backbone("rows", Path()).flatbuffer)
    renderer = SpectrogramRenderer.make(PictureSettings(4, 0))
    random = np.random.default_rng(0)
    sound = np.concatenate([tone(random.uniform(300, 3000), 0.1) for _ in range(20)])
    silence = np.zeros(len(sound), np.int16)

    def features(samples: np.ndarray) -> np.ndarray:
        picture = np.repeat(renderer.render(samples)[:, :, None], 3, axis=2)
        return interpreter.run(picture)[0]

    alone, again = features(np.concatenate([sound, sound])), features(np.concatenate([sound, sound]) // 2)
    for samples in (np.concatenate([sound, silence]), np.concatenate([silence, sound])):
        found = features(samples)
        other = features(np.concatenate([tone(2500, 1), tone(500, 1), tone(1500, 2)]))
        assert np.linalg.norm(found - alone) < 0.5 * np.linalg.norm(other - alone)
    assert np.linalg.norm(again - alone) < 0.1 * np.linalg.norm(alone)


def test_another_tarball_is_refused(tmp_path: Path) -> None:
    (tmp_path / "other.tgz").write_bytes(b"something else")
    with pytest.raises(SystemExit, match="has SHA-256"):
        MAKE_TRUNK["read_tarball"](tmp_path / "other.tgz")


def test_the_same_picture_gives_the_same_features_whatever_the_threads() -> None:
    flatbuffer, inputs = load_backbone("rows", Path()).flatbuffer, pictures()[:3] * 4
    interpreter = Interpreter(flatbuffer)
    one_by_one = [interpreter.run(picture)[0] for picture in inputs]
    network = pickle.loads(pickle.dumps(Network(flatbuffer)))
    with ThreadPoolExecutor(3) as threads:
        together = list(threads.map(lambda picture: network.run(picture)[0], inputs))
    assert np.array_equal(one_by_one, together)


def test_rows_keep_frequency_and_forget_time() -> None:
    interpreter = Interpreter(load_backbone("rows", Path()).flatbuffer)
    renderer = SpectrogramRenderer.make(PictureSettings())

    def mixed3_means(picture: np.ndarray) -> np.ndarray:
        return interpreter.run(picture)[0][35 * 288 :][: 17 * 768].reshape(17, 768)

    silence = mixed3_means(np.zeros((299, 299, 3), np.uint8))

    def loudest(frequency_hz: float) -> int:
        picture = np.repeat(renderer.render(tone(frequency_hz, 20))[:, :, None], 3, axis=2)
        return int(np.abs(mixed3_means(picture) - silence).sum(axis=1).argmax())

    assert loudest(7000) < loudest(1500) < loudest(150)  # row 0 is the highest frequency, as in the picture


def test_a_trunk_that_is_not_there_or_damaged_is_refused_with_the_remedy(tmp_path: Path) -> None:
    with pytest.raises(AudionetError, match=r"cannot be read .*; make it with: python scripts/make_trunk.py"):
        load_backbone("pool_3", tmp_path)
    made = tmp_path / "inception_v3_pool_3.tflite"
    made.write_bytes(b"network")
    with pytest.raises(AudionetError, match="its checksum is wrong or missing; make it with"):
        load_backbone("pool_3", tmp_path)
    made.with_suffix(".sha256").write_text(hashlib.sha256(b"network").hexdigest())
    assert load_backbone("pool_3", tmp_path).flatbuffer == b"network"
    made.write_bytes(b"damaged")
    with pytest.raises(AudionetError, match="its checksum is wrong or missing"):
        load_backbone("pool_3", tmp_path)


def test_what_is_said_while_threads_ask_for_more_networks_is_not_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    network = Network(load_backbone("rows", Path()).flatbuffer)
    idle = network._idle.pop()

    def mute() -> None:
        raise AssertionError("standard error was taken away while another thread may have been writing to it")

    monkeypatch.setattr(backbone, "quiet_stderr", mute)
    network.run(np.zeros((PICTURE_SIZE, PICTURE_SIZE, 3), np.uint8))
    assert network._idle[0] is not idle


def test_noise_moves_the_features_of_any_clip_in_the_direction_that_is_known() -> None:
    pictures = PictureSettings(2)
    rows = load_backbone("rows", Path())
    direction = noise_direction(rows, pictures)
    assert direction is not None
    network, renderer = Network(rows.flatbuffer), SpectrogramRenderer.make(pictures)

    def features(samples: np.ndarray) -> np.ndarray:
        picture = np.repeat(renderer.render(samples)[:, :, None], 3, axis=2)
        return bottleneck(network, picture).astype(float)

    for clip in sorted(SAMPLE_CLIPS.glob("*/*-clip-1.mp3")):
        sound = np.concatenate(list(decode(clip)))[: 2 * SAMPLE_RATE_HZ]
        noise = np.random.default_rng(0).normal(0, 0.1 * sound.std(), len(sound))  # 20 dB below the voice
        change = features(sound + noise) - features(sound)
        cosine = change @ direction / np.linalg.norm(change) / np.linalg.norm(direction)
        assert cosine > 0.5, clip


def test_where_noise_was_not_measured_its_direction_is_not_known() -> None:
    rows = load_backbone("rows", Path())
    assert noise_direction(Backbone("pool_3", rows.flatbuffer), PictureSettings()) is None
    assert noise_direction(rows, PictureSettings(representation="spectrogram")) is None
    assert noise_direction(rows, PictureSettings(colormap="magma")) is None
