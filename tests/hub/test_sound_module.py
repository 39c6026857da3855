"""Modules of TensorFlow Hub that hear: of a signature, and called as YAMNet is, made here."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from audionet import label, prepare, retrain
from audionet.bottleneck.backbone import Backbone
from audionet.bottleneck.sound import SoundInput, SoundRequest
from audionet.bottleneck.sound_network import SoundNetwork
from audionet.errors import AudionetError
from audionet.hub.tfhub import load_module
from audionet.options import LabelOptions, PrepareOptions, RetrainOptions
from audionet.settings import PictureSettings
from audionet.system.tensorflow import start_tensorflow
from tests.conftest import options_in
from tests.sound_networks import write_recordings

RATE_HZ, WINDOW_SAMPLES = 32_000, 4801
KERNEL = np.random.default_rng(0).normal(size=(64, 1, 8)).astype(np.float32)


def frames(sound: Any) -> Any:
    """Energies of eight filters, a row for each 0.1 s that was begun; sound: samples."""
    tf = start_tensorflow()
    return tf.square(tf.nn.conv1d(sound[None, :, None], KERNEL, 3200, "SAME"))[0]


@pytest.fixture(scope="module")
def modules(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`signed` has a signature of two outputs; `called` takes sound of any length and gives several things at once."""
    tf = start_tensorflow()
    folder = tmp_path_factory.mktemp("modules")
    signed = tf.Module()
    spec = tf.TensorSpec((None, WINDOW_SAMPLES), tf.float32, name="inputs")
    function = tf.function(
        lambda inputs: {"scores": inputs[:, :3], "embedding": tf.reduce_mean(frames(inputs[0]), 0)[None]}
    )
    tf.saved_model.save(signed, str(folder / "signed"), {"serving_default": function.get_concrete_function(spec)})
    called = tf.Module()
    waveform = tf.TensorSpec((None,), tf.float32, name="waveform")
    called.__call__ = tf.function(lambda sound: (frames(sound)[:, :3], frames(sound)), input_signature=[waveform])
    tf.saved_model.save(called, str(folder / "called"))
    texts = tf.Module()
    words = tf.TensorSpec((None,), tf.string, name="words")
    texts.__call__ = tf.function(lambda given: tf.strings.length(given) + 1, input_signature=[words])
    tf.saved_model.save(texts, str(folder / "texts"))
    gained = tf.Module()
    gain = tf.TensorSpec((), tf.float32, name="gain")  # which comes first by its name
    gained.__call__ = tf.function(lambda sound, gain: frames(sound) * gain, input_signature=[waveform, gain])
    tf.saved_model.save(gained, str(folder / "gained"))
    running = tf.Module()
    running.before = tf.Variable(tf.zeros(8))
    running.__call__ = tf.function(
        lambda sound: running.before.assign_add(tf.reduce_mean(frames(sound), axis=0)), input_signature=[waveform]
    )
    tf.saved_model.save(running, str(folder / "running"))
    return folder


def load(path: Path, models: Path, output: str | None, rate_hz: int | None = RATE_HZ) -> Backbone:
    return load_module(str(path), RetrainOptions(model_dir=models), SoundRequest(output, rate_hz))


def test_a_module_gives_what_tensorflow_makes_of_it(modules: Path, tmp_path: Path) -> None:
    backbone = load(modules / "signed", tmp_path, "embedding")
    assert backbone.sound == SoundInput(RATE_HZ, WINDOW_SAMPLES, "embedding")
    window = np.random.default_rng(1).normal(0, 0.1, WINDOW_SAMPLES).astype(np.float32)
    (rows,) = SoundNetwork(backbone.flatbuffer).run(window)
    assert rows[0] == pytest.approx(frames(window).numpy().mean(axis=0), rel=1e-4)

    backbone = load(modules / "called", tmp_path, "output_1")
    assert backbone.sound == SoundInput(RATE_HZ, 31_200, "output_1")  # any length: 0.975 s
    window = np.random.default_rng(1).normal(0, 0.1, 31_200).astype(np.float32)
    (rows,) = SoundNetwork(backbone.flatbuffer).run(window)
    assert rows == pytest.approx(frames(window).numpy(), rel=1e-4)
    assert load(modules / "called", tmp_path, "output_1").sound == backbone.sound  # that was kept
    assert len(list(tmp_path.iterdir())) == 2


@pytest.mark.parametrize(
    ("name", "output", "rate_hz", "sentence"),
    [
        ("signed", None, RATE_HZ, r"has 2 outputs: embedding \(1 x 8\), scores .*; choose one with --backbone-output"),
        ("called", "embeddings", RATE_HZ, "has no output 'embeddings'; it has output_0"),
        ("called", "output_1", None, "does not say at which sample rate it hears"),
        ("texts", None, RATE_HZ, "takes text, not sound"),
        ("gained", None, RATE_HZ, "has 2 inputs, where a network from sound has one"),
        ("running", None, RATE_HZ, "cannot be turned into a network for LiteRT"),
    ],
)
def test_a_module_that_makes_no_sense_is_refused(
    modules: Path, tmp_path: Path, name: str, output: str | None, rate_hz: int | None, sentence: str
) -> None:
    with pytest.raises(AudionetError, match=sentence):
        load(modules / name, tmp_path, output, rate_hz)
    assert not list(tmp_path.iterdir())


def test_a_module_trains_and_labels(modules: Path, tmp_path: Path) -> None:
    write_recordings(tmp_path / "data_audio", {"low": (500, 900), "high": (12_000, 14_000)}, 1.0, RATE_HZ, count=3)
    prepare(tmp_path / "data_audio", PrepareOptions(tmp_path / "data_image", PictureSettings(1, 0)))
    chosen: Any = {"tfhub_module": str(modules / "signed"), "backbone_output": "embedding"}
    report = retrain(options_in(tmp_path, write_report=False, backbone_sample_rate=RATE_HZ, **chosen))
    assert report.held_out is not None
    assert report.held_out.confusion.accuracy == 1
    clips = [tmp_path / "data_audio" / name / f"{name}-0.wav" for name in ("low", "high")]
    found = label(clips, LabelOptions(report.files.graph))
    assert [clip.best for clip in found] == ["low", "high"]
