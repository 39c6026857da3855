"""Networks from sound, through the commands: a 48 kHz one that the tests make tells sounds apart that no picture of
16 kHz shows."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from audionet import evaluate, label, prepare, retrain, timeline
from audionet.bottleneck.sound_network import SoundNetwork
from audionet.commands.retrain import RetrainReport
from audionet.errors import AudionetError
from audionet.inference.streaming import label_heard
from audionet.model.bundle import load_model
from audionet.options import LabelOptions, PrepareOptions, RetrainOptions
from audionet.parallel.sandbox import SandboxedNetwork
from audionet.settings import PictureSettings
from tests.conftest import Run, options_in, packages_loaded_by, read_wav, tone, write_wav
from tests.sound_networks import (
    filter_bank_network,
    normalising_network,
    one_operator_network,
    whistles,
    write_network,
    write_recordings,
)

RATE_HZ, WINDOW_SAMPLES = 48_000, 7777  # 0.16 s
FREQUENCIES_HZ = [300.0, 6000.0, 12_000.0, 18_000.0]
NETWORK = filter_bank_network(FREQUENCIES_HZ, RATE_HZ, WINDOW_SAMPLES)
CLASSES = {"cricket": (11_000.0, 13_000.0), "shrew": (17_000.0, 19_000.0)}
OUTPUT: dict[str, Any] = {"backbone_output": "embeddings"}
RATE = {"backbone_sample_rate": RATE_HZ}


def options(folder: Path, network: Path, **others: Any) -> RetrainOptions:
    return options_in(folder / "tf_files", **({"backbone": network} | OUTPUT | RATE | others))


def pictures_of(folder: Path, **others: Any) -> None:
    where = PrepareOptions(folder / "tf_files" / "data_image", PictureSettings(1, 0), **others)
    prepare(folder / "data_audio", where)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, RetrainReport]:
    """Recordings, pictures and a model of two kinds of ultrasound, as far as 16 kHz go; and clips of them."""
    folder = tmp_path_factory.mktemp("sound_network")
    write_recordings(folder / "data_audio", CLASSES, 2.2, RATE_HZ)
    network = write_network(folder / "network.tflite", NETWORK)
    for number, (name, (low_hz, high_hz)) in enumerate(CLASSES.items()):
        clip = whistles(50 + number, low_hz, high_hz, 2.0, RATE_HZ)
        write_wav(folder / "test_audio" / name / f"{name}.wav", clip, RATE_HZ)
    first, second = (whistles(60, *CLASSES[name], 3.0, RATE_HZ) for name in CLASSES)
    write_wav(folder / "both.wav", np.concatenate([first, second]), RATE_HZ)
    pictures_of(folder)
    return folder, retrain(options(folder, network))


def test_it_trains_and_is_measured_on_what_pictures_do_not_show(trained: tuple[Path, RetrainReport]) -> None:
    folder, report = trained
    assert report.held_out is not None
    assert (report.held_out.confusion.accuracy, report.held_out.confusion.count) == (1, 16)
    assert (report.computed, report.skipped) == (16, [])
    files = folder / "tf_files"
    page = (files / "report.html").read_text(encoding="utf-8")
    assert "network.tflite" in page
    assert "embeddings (sound, 48000 Hz)" in page
    description = json.loads((files / "retrained_graph.json").read_text(encoding="utf-8"))
    assert description["sound"] == {"sample_rate_hz": RATE_HZ, "window_samples": WINDOW_SAMPLES, "output": "embeddings"}


def test_it_labels_draws_timelines_finds_events_and_is_evaluated(
    trained: tuple[Path, RetrainReport], audionet_here: Run
) -> None:
    folder, _ = trained
    model = LabelOptions(folder / "tf_files" / "retrained_graph.pb")
    result = evaluate(folder / "test_audio", model)
    assert (result.confusion.accuracy, result.confusion.count, result.unknown) == (1, 2, [])
    segments = timeline(folder / "both.wav", model)
    assert [segment.label for segment in segments] == ["cricket", "shrew"]
    assert segments[0].end_seconds == pytest.approx(3, abs=0.4)
    drawn = folder / "both.png"
    found = audionet_here("label", folder / "both.wav", "--timeline", "--plot", drawn, "--graph", model.graph)
    assert (found.returncode, drawn.is_file()) == (0, True)
    events = audionet_here("label", "both.wav", "--events", "--format", "json", "--graph", model.graph, cwd=folder)
    assert [event["label"] for event in json.loads(events.stdout)[0]["events"]] == ["cricket", "shrew"]
    saved = folder / "saved"
    audionet_here("label", folder / "both.wav", "--timeline", "--save-segments", saved, "--graph", model.graph)
    (segment,) = (saved / "shrew").iterdir()
    rate_hz, samples = read_wav(segment)
    assert rate_hz == RATE_HZ
    assert np.abs(samples).max() > 10_000


def test_silence_has_no_say_and_a_microphone_is_heard_at_the_networks_rate(
    trained: tuple[Path, RetrainReport], tmp_path: Path
) -> None:
    folder, _ = trained
    options = LabelOptions(folder / "tf_files" / "retrained_graph.pb")
    sound, silence = whistles(70, *CLASSES["shrew"], 2.0, RATE_HZ), np.zeros(5 * RATE_HZ, np.int16)
    alone = write_wav(tmp_path / "alone.wav", sound, RATE_HZ)
    behind = write_wav(tmp_path / "behind.wav", np.concatenate([silence, sound, silence]), RATE_HZ)
    nothing = write_wav(tmp_path / "nothing.wav", silence, RATE_HZ)
    first, second, third = label([alone, behind, nothing], options)
    assert (first.label, second.label, third.label) == ("shrew", "shrew", "unknown")
    assert second.scores == pytest.approx(first.scores, abs=0.02)
    blocks = np.array_split(np.concatenate([sound, silence[:RATE_HZ]]), 7)
    heard = list(label_heard(blocks, load_model(options)))
    assert [(window.start_seconds, window.end_seconds) for window in heard] == [(0, 1), (1, 2), (2, 3)]
    assert [window.scores.label for window in heard] == ["shrew", "shrew", "unknown"]


def test_of_sound_above_what_a_network_hears_another_network_is_the_remedy(
    trained: tuple[Path, RetrainReport], tmp_path: Path, audionet_here: Run
) -> None:
    bat = write_wav(tmp_path / "bat.wav", tone(45_000, 1, rate_hz=192_000), 192_000)
    found = audionet_here("label", bat, "--graph", trained[0] / "tf_files")
    assert "bat.wav: its sound lies above the 24 kHz that the model hears; its network hears 48000 Hz" in found.stderr
    assert "prepare" not in found.stderr  # at whatever rate pictures are drawn, the network hears the same


def test_label_loads_no_tensorflow(trained: tuple[Path, RetrainReport]) -> None:
    loaded = packages_loaded_by("label", "both.wav", "--graph", "tf_files", folder=trained[0])
    assert "ai_edge_litert" in loaded
    assert not loaded & {"tensorflow", "matplotlib", "librosa", "sklearn"}


def test_a_strangers_model_says_the_same_in_a_process_of_its_own(
    trained: tuple[Path, RetrainReport], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    folder, _ = trained
    model, clip = LabelOptions(folder / "tf_files" / "retrained_graph.pb"), folder / "both.wav"
    assert isinstance(load_model(model).network, SoundNetwork)
    (ours,) = label(clip, model)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    assert isinstance(load_model(model).network, SandboxedNetwork)
    assert label(clip, model) == [ours]


@pytest.mark.usefixtures("models_at_rest")
@pytest.mark.parametrize(
    "change",
    [
        {"sound": {"sample_rate_hz": 3, "window_samples": WINDOW_SAMPLES, "output": "embeddings"}},
        {"sound": {"sample_rate_hz": RATE_HZ, "window_samples": "many", "output": "embeddings"}},
        {"sound": 7},
        {"sound": None},
        {"labels": ["cricket", "shrew", "third"]},
    ],
    ids=str,
)
def test_a_description_that_was_tampered_with_is_refused(
    trained: tuple[Path, RetrainReport], tmp_path: Path, change: dict[str, Any]
) -> None:
    folder, _ = trained
    for path in (folder / "tf_files").glob("retrained*"):
        shutil.copy(path, tmp_path)
    described = tmp_path / "retrained_graph.json"
    described.write_text(json.dumps(json.loads(described.read_text(encoding="utf-8")) | change), encoding="utf-8")
    with pytest.raises(AudionetError, match="train it again with audionet retrain"):
        load_model(LabelOptions(tmp_path / "retrained_graph.pb"))


def test_pictures_are_not_labelled_and_the_layer_alone_does_not_label(
    trained: tuple[Path, RetrainReport], tmp_path: Path, audionet_here: Run
) -> None:
    folder, _ = trained
    graph = folder / "tf_files" / "retrained_graph.pb"
    picture = next((folder / "tf_files" / "data_image").rglob("*.jpg"))
    assert "is a picture, and the model's network hears sound; label the recording" in audionet_here.refused(
        "label", picture, "--graph", graph
    )
    for suffix in (".pb", ".json"):
        shutil.copy(graph.with_suffix(suffix), tmp_path)
    assert "is the layer alone of a network from sound; label needs the .tflite beside it" in audionet_here.refused(
        "label", folder / "both.wav", "--graph", tmp_path / graph.name
    )


def test_what_was_heard_is_kept_by_network_output_and_rate(trained: tuple[Path, RetrainReport], tmp_path: Path) -> None:
    folder, _ = trained
    places = {"output_graph": tmp_path / "g.pb", "summaries_dir": tmp_path / "s", "write_report": False}

    def run(network: Path = folder / "network.tflite", **others: Any) -> RetrainReport:
        return retrain(options(folder, network, **(places | others)))

    assert [(report.trained, report.computed) for report in (run(), run())] == [(True, 0), (False, 0)]
    again = run(backbone_sample_rate=44_100)
    assert (again.trained, again.computed) == (True, 16)
    again = run(backbone_output="scores")
    assert (again.trained, again.computed) == (True, 16)
    other = filter_bank_network([FREQUENCIES_HZ[0] + 1, *FREQUENCIES_HZ[1:]], RATE_HZ, WINDOW_SAMPLES)
    again = run(write_network(tmp_path / "network.tflite", other))
    assert (again.trained, again.computed) == (True, 16)
    assert len(list((folder / "tf_files" / "bottlenecks").glob("*.bottlenecks"))) == 4


def refusal(network: bytes, folder: Path, **others: Any) -> str:
    """What is said of a network that `retrain` refuses."""
    with pytest.raises(AudionetError) as refused:
        retrain(options(folder, write_network(folder / "other.tflite", network), **others))
    return str(refused.value)


NOT_FINITE = one_operator_network("DIV", (1, 4800), constant=0.0)
CONSTANT = one_operator_network("MUL", (1, 4800), constant=0.0)
NONE: dict[str, Any] = {"backbone_output": None}


@pytest.mark.parametrize(
    ("network", "others", "sentence"),
    [
        (
            NETWORK,
            {"backbone_output": "nothing"},
            "other.tflite: has no output 'nothing'",
        ),  # as test_litert_file has it
        (NOT_FINITE, NONE, "gives no finite numbers for it, or too large ones, at 'result'; choose another"),
        (CONSTANT, NONE, "the network gives the same numbers for everything, so that nothing"),
        (NETWORK, {"bottleneck": "rows"}, "--bottleneck rows: is of networks"),
        (NETWORK, {"random_crop": 3.0}, "distort pictures"),
        (NETWORK, {"saved_model_dir": Path("x")}, "only networks from pictures"),
    ],
    ids=range(6),
)
def test_a_network_whose_input_or_output_makes_no_sense_is_refused(
    trained: tuple[Path, RetrainReport], tmp_path: Path, network: bytes, others: dict[str, Any], sentence: str
) -> None:
    shutil.copytree(trained[0] / "tf_files" / "data_image", tmp_path / "tf_files" / "data_image")
    said = refusal(network, tmp_path, **others)
    assert sentence in said
    assert not (tmp_path / "tf_files" / "retrained_graph.tflite").exists()


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        (
            ["--backbone", "n.tflite", "--backbone-sample-rate", "1000000"],
            "--backbone-sample-rate 1000000: must be from",
        ),
        (["--backbone", "n.tflite", "--backbone-sample-rate", "0"], "--backbone-sample-rate 0: must be from"),
        (["--backbone", "n.tflite", "--tfhub-module", "m"], "choose one"),
        (["--backbone-output", "scores"], "--backbone-output is of a network from sound; name it with --backbone"),
        (["--backbone", "nowhere.tflite"], "--backbone nowhere.tflite: cannot be read"),
        (["--backbone", "folder"], "--backbone folder: is no file of a network"),
    ],
)
def test_options_that_make_no_sense_are_refused(
    trained: tuple[Path, RetrainReport], tmp_path: Path, typed: list[str], sentence: str, audionet_here: Run
) -> None:
    (tmp_path / "folder").mkdir()
    pictures = trained[0] / "tf_files" / "data_image"
    found = audionet_here("retrain", "--image-dir", pictures, *typed)
    assert (found.returncode, len(found.stderr.splitlines())) == (2, 1)
    assert sentence in found.stderr


def computed_again(folder: Path, network: Path) -> RetrainReport:
    return retrain(options(folder, network, bottleneck_dir=folder / "elsewhere", write_report=False, force=True))


def moved_aside(folder: Path) -> None:
    (folder / "data_audio" / "cricket" / "deeper").mkdir()
    (folder / "data_audio" / "cricket" / "cricket-0.wav").rename(folder / "data_audio" / "cricket" / "deeper" / "x.wav")


def gone(folder: Path) -> None:
    (folder / "data_audio" / "cricket" / "cricket-0.wav").unlink()


def changed(folder: Path) -> None:
    write_wav(folder / "data_audio" / "cricket" / "cricket-0.wav", np.zeros(48_000, np.int16), RATE_HZ)


@pytest.mark.parametrize(("change", "skipped"), [(moved_aside, 0), (gone, 2), (changed, 2)])
def test_the_recordings_are_decoded_again_and_those_that_are_gone_are_named(
    tmp_path: Path, change: Callable[[Path], None], skipped: int, caplog: pytest.LogCaptureFixture
) -> None:
    write_recordings(tmp_path / "data_audio", CLASSES, 2.2, RATE_HZ, count=3)
    network = write_network(tmp_path / "n.tflite", NETWORK)
    pictures_of(tmp_path)
    change(tmp_path)
    report = computed_again(tmp_path, network)
    assert (report.trained, report.computed, len(report.skipped)) == (True, 12 - skipped, skipped)
    for error in report.skipped:
        assert (
            "its recording is gone, and the WAV beside its picture has 16000 Hz, where the network hears 48000 Hz"
            in str(error)
        )
    assert len([line for line in caplog.messages if "its recording is gone" in line]) == skipped


def test_of_recordings_that_are_gone_the_wavs_do_if_they_have_the_rate(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    classes = {"low": (300.0, 500.0), "high": (5000.0, 6000.0)}
    write_recordings(tmp_path / "data_audio", classes, 2.2, 16_000, count=3)
    content = filter_bank_network([400, 5500], 16_000, 7777)
    network = write_network(tmp_path / "n.tflite", content)
    pictures_of(tmp_path)
    first = retrain(options(tmp_path, network, backbone_sample_rate=16_000, write_report=False))
    kept = sorted(path.read_bytes() for path in (tmp_path / "tf_files" / "bottlenecks").glob("*.bottlenecks"))
    shutil.rmtree(tmp_path / "data_audio")
    again = retrain(
        options(tmp_path, network, backbone_sample_rate=16_000, bottleneck_dir=tmp_path / "b", write_report=False)
    )
    assert (first.computed, again.computed, again.skipped) == (12, 12, [])
    assert sorted(path.read_bytes() for path in (tmp_path / "b").glob("*.bottlenecks")) == kept
    assert len([line for line in caplog.messages if "the WAV beside it is heard" in line]) == 1


def test_a_silent_chunk_of_which_the_network_makes_nothing_does_not_stop_the_rest(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A network that divides by what it hears."""
    write_recordings(tmp_path / "data_audio", CLASSES, 1.1, RATE_HZ, count=3)
    write_wav(tmp_path / "data_audio" / "shrew" / "silent.wav", np.zeros(RATE_HZ, np.int16), RATE_HZ)
    pictures_of(tmp_path)
    network = write_network(tmp_path / "n.tflite", normalising_network(4800))
    report = retrain(options(tmp_path, network, backbone_output=None, write_report=False))
    assert (report.trained, report.computed, len(report.skipped)) == (True, 6, 1)
    assert "silent_nohash_0000.jpg: is silent, and the network makes no finite numbers of silence" in caplog.text
