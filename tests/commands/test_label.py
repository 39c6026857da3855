import json
import shutil
import sys
import tempfile
import types
from pathlib import Path

import numpy as np
import pytest

import audionet
from audionet.audio import plain_files
from audionet.cli import label as label_command
from audionet.commands.label import run_each
from audionet.inference.timeline import TimelineJob
from audionet.model.bundle import load_model
from audionet.options import LabelOptions
from audionet.settings import PictureSettings
from tests.conftest import Run, chirps, make_untrained_model, packages_loaded_by, write_wav


@pytest.fixture(scope="module")
def trained(low_and_high: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`low_and_high`, with three clips of each class in test_audio/."""
    folder = tmp_path_factory.mktemp("trained")
    shutil.copytree(low_and_high, folder, dirs_exist_ok=True)
    shutil.rmtree(folder / "test_audio")
    for n in range(3):
        write_wav(folder / "test_audio" / "low" / f"l{n}.wav", chirps(20 + n, 200, 400, 1.7))
        write_wav(folder / "test_audio" / "high" / f"h{n}.wav", chirps(30 + n, 2000, 3000, 0.9))
    return folder


@pytest.fixture
def here(trained: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The trained folder, as the current one."""
    monkeypatch.chdir(trained)
    return trained


@pytest.mark.usefixtures("here")
def test_clips_get_their_class() -> None:
    clips = audionet.label(["test_audio/low/l0.wav", Path("test_audio/high/h1.wav")])
    assert [(clip.clip, clip.label) for clip in clips] == [
        ("test_audio/low/l0.wav", "low"),
        ("test_audio/high/h1.wav", "high"),
    ]
    assert all(sum(clip.scores.values()) == pytest.approx(1, abs=1e-5) for clip in clips)
    assert clips[0].seconds == pytest.approx(1.7)


@pytest.mark.parametrize("reader", ["whoever reads it", "ffmpeg"])
def test_how_much_of_a_long_recording_is_done_is_told(
    reader: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if reader == "ffmpeg":
        monkeypatch.setattr(plain_files, "is_plain", lambda beginning: False)  # noqa: ARG005
    options = LabelOptions(make_untrained_model(tmp_path, PictureSettings()).graph, channel="each")
    long = write_wav(tmp_path / "long.wav", np.tile(chirps(1, 200, 400, 1)[:8000, None], (630, 2)), 8000)
    told: list[float] = []
    both = audionet.label(long, options, progress=lambda _, done, __: told.append(done))
    assert len(both) == 2
    assert told == sorted(told)
    assert (told[0], told[-2] < 1, told[-1], len(told) > 60) == (0, True, 1, True)
    assert np.median(told) == pytest.approx(0.5, abs=0.1)


def test_a_recording_scores_as_its_prepared_pictures_do(here: Path) -> None:
    (whole,) = audionet.label("data_audio/low/low-1.wav")
    pictures = audionet.label(sorted(here.glob("tf_files/data_image/low/low-1_*.jpg")))
    weights = [1, 1, 0.5]
    mean = sum(p.scores["low"] * w for p, w in zip(pictures, weights, strict=True)) / sum(weights)
    assert whole.scores["low"] == pytest.approx(mean, abs=1e-6)


@pytest.mark.usefixtures("here")
def test_a_folder_is_labelled_whole_and_a_chunk_counts_once() -> None:
    clips = audionet.label("tf_files/data_image")
    assert len(clips) == 24
    assert {Path(clip.clip).suffix for clip in clips} == {".jpg"}
    assert [clip.clip for clip in clips] == sorted(clip.clip for clip in clips)
    assert len(audionet.label(["test_audio", "test_audio/low/l0.wav"])) == 7


def test_standard_input_is_a_clip(trained: Path, audionet: Run) -> None:
    clip = (trained / "test_audio" / "low" / "l0.wav").read_bytes()
    finished = audionet("label", "-", "--format", "json", cwd=trained, stdin=clip)
    (found,) = json.loads(finished.stdout)
    assert (found["clip"], found["label"]) == ("-", "low")
    if sys.platform != "win32":
        by_its_path = audionet("label", "/dev/stdin", "--format", "json", cwd=trained, stdin=clip)
        assert by_its_path.stdout == finished.stdout
    assert "audionet: -: is cut off: of the" in audionet("label", "-", cwd=trained, stdin=clip[:-16000]).stderr
    nothing = audionet("label", "-", cwd=trained, stdin=b"")
    assert (nothing.returncode, nothing.stdout) == (2, "")
    assert "-: is empty (skipped)" in nothing.stderr


@pytest.mark.parametrize("limit", ["LARGEST_INPUT_BYTES", "KEPT_FREE_BYTES"])
def test_standard_input_without_end_is_left_out_and_the_other_clips_labelled(
    trained: Path, audionet_here: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: str
) -> None:
    monkeypatch.setattr(label_command, limit, 3 << 20 if limit == "LARGEST_INPUT_BYTES" else 1 << 60)
    if limit == "KEPT_FREE_BYTES":
        usage = shutil.disk_usage(tmp_path)._replace(total=100 << 20, free=10 << 20)
        monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    endless = types.SimpleNamespace(closed=False, buffer=types.SimpleNamespace(read=bytes))  # zeros
    monkeypatch.setattr(sys, "stdin", endless)
    finished = audionet_here("label", "-", "test_audio/low/l0.wav", cwd=trained)
    assert finished.returncode == 1
    assert finished.stdout.startswith("test_audio/low/l0.wav\n")
    reason = "has more than 0 GB" if limit == "LARGEST_INPUT_BYTES" else f"does not fit into {tmp_path}"
    assert f"-: {reason}" in finished.stderr
    assert "name a file instead (skipped)" in finished.stderr
    assert not list(tmp_path.iterdir())


def test_bad_clips_are_named_and_the_others_labelled(trained: Path, audionet_here: Run, tmp_path: Path) -> None:
    (tmp_path / "notes.mp3").write_text("no sound")
    (tmp_path / "empty").mkdir()
    finished = audionet_here(
        "label", tmp_path / "notes.mp3", "gone.mp3", tmp_path / "empty", "test_audio/low/l0.wav", cwd=trained
    )
    assert finished.returncode == 1
    assert finished.stdout.startswith("test_audio/low/l0.wav\n")
    assert "notes.mp3: is not audio that ffmpeg can read (skipped)" in finished.stderr
    assert "gone.mp3: cannot be read (No such file or directory) (skipped)" in finished.stderr
    assert "empty: holds no clips (skipped)" in finished.stderr


def test_many_short_clips_are_labelled_as_a_few_are(
    here: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """By processes where they are many, and else by threads: by `label`, with `--timeline`, and by `evaluate`."""
    monkeypatch.setattr("audionet.parallel.threads.available_cores", lambda: 2)
    clips = here / "many"
    shutil.copytree(here / "test_audio", clips)
    (clips / "low" / "l1.wav").write_bytes(b"RIFF")

    def label_all(many: int) -> tuple[object, ...]:
        monkeypatch.setattr("audionet.parallel.processes.MANY", many)
        caplog.clear()
        labels = audionet.label(clips)
        timelines = list(run_each(TimelineJob(load_model(LabelOptions()), True), [clips]))
        assert [len(labels), len(timelines)] == [5, 6]
        return labels, list(map(str, timelines)), audionet.evaluate(clips).clips, caplog.messages

    assert label_all(many=6) == label_all(many=7)
    shutil.rmtree(clips)


def test_a_picture_made_with_other_settings_is_refused(trained: Path, audionet_here: Run, tmp_path: Path) -> None:
    audionet_here("prepare", trained / "data_audio", "--chunk-seconds", 2, "--image-dir", tmp_path / "other")
    picture = next((tmp_path / "other").rglob("*.jpg"))
    assert "made with other settings than the model's" in audionet_here.refused("label", picture, cwd=trained)


def test_evaluate_tells_what_was_wrong(trained: Path, audionet_here: Run, tmp_path: Path) -> None:
    shutil.copytree(trained / "test_audio", tmp_path / "test")
    shutil.copy(tmp_path / "test" / "low" / "l0.wav", tmp_path / "test" / "high" / "swapped.wav")
    shutil.copytree(tmp_path / "test" / "low", tmp_path / "test" / "Low tones")
    finished = audionet_here("evaluate", "--format", "json", tmp_path / "test", cwd=trained)
    assert finished.returncode == 1
    found = json.loads(finished.stdout)
    assert found["confusion"] == [[3, 1], [0, 3]]
    assert found["accuracy"] == pytest.approx(6 / 7)
    assert found["per_class"]["high"]["recall"] == 0.75
    assert found["per_class"]["low"]["precision"] == 0.75
    assert Path(found["misclassified"][0]["clip"]).name == "swapped.wav"
    assert "Low tones: the model has no such class (it has high and low) (skipped)" in finished.stderr
    text = audionet_here("evaluate", tmp_path / "test", cwd=trained).stdout
    assert "accuracy: 85.7% (6 of 7 clips; between 48.7% and 97.4%)" in text
    assert "swapped.wav is high, taken for low" in text


def test_label_and_evaluate_load_none_of_the_heavy_packages(here: Path) -> None:
    for command in (["label", "test_audio/low/l0.wav"], ["evaluate", "test_audio"]):
        loaded = packages_loaded_by(*command, folder=here)
        assert "ai_edge_litert" in loaded
        assert not loaded & {"tensorflow", "keras", "librosa", "matplotlib", "pydub", "scipy", "numba", "tensorboard"}
