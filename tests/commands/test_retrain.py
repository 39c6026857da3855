import json
import shutil
from pathlib import Path

import numpy as np
import pytest

import audionet
from audionet.audio.decoding import decode
from audionet.commands.retrain import RetrainReport
from audionet.errors import AudionetError
from audionet.options import LabelOptions, PrepareOptions
from audionet.settings import SAMPLE_RATE_HZ, PictureSettings
from tests.conftest import SAMPLE_VOICES, chirps, options_in, packages_loaded_by, quick_learning, read_wav, write_wav


def retrain(folder: Path, **changes: object) -> RetrainReport:
    return audionet.retrain(options_in(folder, **changes))


@pytest.fixture
def prepared(low_and_high: Path, tmp_path: Path) -> Path:
    """tmp_path with pictures of two classes, 1 s each, in data_image/, and their bottlenecks."""
    for name in ("data_image", "bottlenecks"):
        shutil.copytree(low_and_high / "tf_files" / name, tmp_path / name)
    return tmp_path


@pytest.fixture
def trained(low_and_high: Path, tmp_path: Path) -> Path:
    """tmp_path as `retrain` of `prepared` leaves it."""
    shutil.copytree(low_and_high / "tf_files", tmp_path, dirs_exist_ok=True)
    return tmp_path


def test_it_learns_to_tell_low_tones_from_high_ones(low_and_high: Path, tmp_path: Path) -> None:
    """With the same seed it gives the same bytes, in whatever order the pictures lie on the disk."""
    prepared, other = tmp_path, low_and_high / "tf_files"
    for path in sorted((other / "data_image").rglob("*"), reverse=True):
        if path.is_file():
            copy = prepared / path.relative_to(other)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, copy)
    report = retrain(prepared)
    (cache,) = (prepared / "bottlenecks").glob("*.bottlenecks")
    for path in (prepared / "retrained_graph.tflite", cache):
        assert path.read_bytes() == (other / path.relative_to(prepared)).read_bytes()
    assert report.labels == ["high", "low"]
    assert (report.computed, report.cached, report.trained) == (24, 0, True)
    assert report.held_out is not None
    assert report.held_out.confusion.accuracy == 1
    assert report.held_out.mistakes == []
    # Few recordings are each held out once.
    assert (report.held_out.confusion.count, report.held_out.recordings) == (24, 8)
    assert len(report.held_out.fold_accuracies) == 4  # of 4 recordings a class, no fifth fold has any
    assert report.refit
    # The model, and what is in it.
    assert (prepared / "retrained_labels.txt").read_text() == "high\nlow\n"
    assert (prepared / "retrained_graph.tflite").read_bytes()[4:8] == b"TFL3"
    description = json.loads((prepared / "retrained_graph.json").read_text())
    assert description["labels"] == ["high", "low"]
    assert description["pictures"]["chunk_seconds"] == 1
    assert description["training"]["options"]["steps"] == 50
    assert description["training"]["pictures"] == report.pictures
    assert description["training"]["held_out"]["accuracy"] == 1
    assert 0 < description["familiarity"]["lowest_score"] < 1
    assert list((prepared / "training_summaries" / "train").glob("events.out.tfevents.*"))


def test_a_background_that_can_be_none_is_said_before_anything_is_learnt(two_classes: Path, tmp_path: Path) -> None:
    for colormap, background, said in (
        (
            "gray",
            ["lwo"],
            r"--background lwo: .*data_image has no such class \(it has high and low\); did you mean low\?",
        ),
        ("gray", ["low", "high"], "--background: names all classes; leave out"),
        ("viridis", ["low"], "--background: is for the embedded network and grey pictures; leave it out, or those"),
    ):
        folder = tmp_path / colormap
        audionet.prepare(two_classes, PrepareOptions(folder / "data_image", PictureSettings(1, 0, colormap=colormap)))
        with pytest.raises(AudionetError, match=said):
            retrain(folder, background=background)
        assert not (folder / "bottlenecks").exists()


@pytest.mark.parametrize(
    ("option", "value", "said"),
    [
        ("final_tensor_name", "logits", "--final-tensor-name logits: is taken inside the network"),
        ("checkpoint_path", "file/layer", "file: is there already, and is no folder"),
        ("report", "file/report.html", "file: is there already, and is no folder"),
        ("saved_model_dir", "data_image", "holds other files than a SavedModel"),
        ("intermediate_output_graphs_dir", "file/graphs", "--intermediate-output-graphs-dir file/graphs: must be a f"),
        ("saved_model_dir", "file", "--saved-model-dir file: must be a folder, and a file is there"),
        ("image_dir", "file", "--image-dir file: must be a folder, and a file is there"),
        ("bottleneck_dir", "file/x", "--bottleneck-dir file/x: must be a folder, and a file is there, or above it"),
        ("summaries_dir", "file", "--summaries-dir file: must be a folder, and a file is there"),
        ("model_dir", "file", "--model-dir file: must be a folder, and a file is there"),
        ("scheduler", "localhost:1", "--scheduler localhost:1: no Dask scheduler answers there"),
    ],
)
def test_an_option_that_can_be_none_is_refused_before_any_work(
    option: str, value: str, said: str, prepared: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("audionet.commands.retrain.extract_features", None)
    if option == "scheduler":
        monkeypatch.setattr("audionet.commands.retrain.load_backbone", None)  # which may have to be downloaded
    monkeypatch.chdir(prepared)
    Path("file").touch()
    often = {"intermediate_store_frequency": 5} if option == "intermediate_output_graphs_dir" else {}
    with pytest.raises(AudionetError, match=said):
        retrain(Path(), **{option: value}, **often)


def test_it_does_not_wait_for_tensorflow(prepared: Path) -> None:
    command = ["retrain", "--steps", "5", "--image-dir", "data_image", "--bottleneck-dir", "bottlenecks"]
    loaded = packages_loaded_by(*command, folder=prepared)
    assert (prepared / "tf_files" / "retrained_graph.pb").is_file()
    assert not loaded & {"tensorflow", "keras", "librosa", "sklearn"}


def test_words_with_silence_around_are_labelled_as_they_were_learnt(tmp_path: Path) -> None:
    silence = np.zeros(6 * SAMPLE_RATE_HZ)
    for voice in ("allison", "carlo", "june", "paola"):
        for recording in sorted((SAMPLE_VOICES / voice).glob("*.mp3"))[:3]:
            samples = np.concatenate(list(decode(recording)))
            for start in (5, 18):
                word = samples[start * SAMPLE_RATE_HZ :][: round(0.6 * SAMPLE_RATE_HZ)]
                name = f"{recording.stem}-{start}.wav"
                write_wav(tmp_path / "words" / voice / name, np.concatenate([silence, word, silence]).astype(np.int16))
    audionet.prepare(tmp_path / "words", PrepareOptions(tmp_path / "data_image", PictureSettings(20)))
    with quick_learning():
        files = audionet.retrain(options_in(tmp_path)).files
    clips = audionet.label(tmp_path / "words", LabelOptions(files.graph, files.labels))
    assert [clip.best for clip in clips] == [Path(clip.clip).parent.name for clip in clips]


def test_a_room_in_the_recordings_is_not_learnt(
    two_classes: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    room = np.random.default_rng(0).normal(0, 100, (9, 3 * SAMPLE_RATE_HZ)).astype(np.int16)
    for noise, path in zip(room, sorted(two_classes.glob("*/*.wav")), strict=False):
        write_wav(path, np.concatenate([read_wav(path)[1][: 2 * SAMPLE_RATE_HZ], noise]))
    audionet.prepare(two_classes, PrepareOptions(tmp_path / "data_image", PictureSettings(1, 0)))
    with quick_learning():
        report = audionet.retrain(options_in(tmp_path))
    assert "24 pictures far fainter than the loudest of the same recording: not learnt" in caplog.text
    assert sum(report.pictures.values()) == 16
    assert report.held_out is not None
    assert report.held_out.confusion.accuracy == 1
    (clip,) = audionet.label(write_wav(tmp_path / "room.wav", room[8]), LabelOptions(report.files.graph))
    assert clip.label == "unknown"


def test_folds_can_be_asked_for(prepared: Path) -> None:
    held_out = retrain(prepared, folds=2).held_out
    assert held_out is not None
    assert len(held_out.fold_accuracies) == 2
    assert held_out.confusion.count == 24


def test_a_share_that_is_not_held_out_since_there_are_folds_is_said(
    prepared: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with quick_learning():
        retrain(prepared, testing_percentage=30, steps=5)
    assert "--testing-percentage changes nothing: all recordings are held out in turn, in 4 folds" in caplog.text
    assert "--validation-percentage" not in caplog.text


def test_without_refit_there_is_one_split_and_its_model(prepared: Path, caplog: pytest.LogCaptureFixture) -> None:
    report = retrain(prepared, refit=False, testing_percentage=11)
    assert "changes nothing" not in caplog.text
    assert sum(report.pictures.values()) == 24
    assert min(report.pictures.values()) >= 6  # a recording of three chunks of each class
    assert report.held_out is not None
    assert report.held_out.confusion.count == report.pictures["test"]
    assert report.held_out.fold_accuracies == []
    assert report.validation_accuracy == 1


def test_a_refit_learns_from_the_held_out_pictures_too(trained: Path) -> None:
    before = (trained / "retrained_graph.tflite").read_bytes()
    assert retrain(trained, refit=False).trained
    assert (trained / "retrained_graph.tflite").read_bytes() != before


def farthest(report: RetrainReport) -> float:
    """The distance from which on the model calls a clip unknown."""
    return float(json.loads(report.files.description.read_text())["familiarity"]["longest_distance"])


def test_two_models_in_a_folder_have_a_report_each(trained: Path) -> None:
    named = {"output_graph": trained / "owls.pb", "output_labels": None, "refit": False}
    assert [retrain(trained, **changes).trained for changes in ({}, named, {}, named)] == [False, True, False, False]
    assert {path.name for path in trained.glob("*.html")} == {"report.html", "owls-report.html"}
    assert LabelOptions(trained / "owls.pb").evaluation_report == trained / "owls-evaluation-report.html"


def test_of_many_pictures_it_learns_from_coordinates(trained: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As with all of their features, and what the model says of a clip is the same."""
    report = retrain(trained)
    assert not report.trained
    clip = trained / "clip.wav"
    write_wav(clip, chirps(7, 2000, 4000, 3))
    label_options = audionet.LabelOptions(report.files.graph, report.files.labels)
    [before] = audionet.label(clip, label_options)
    distance = farthest(report)
    monkeypatch.setattr("audionet.training.features.LARGEST_SPAN", 10)
    monkeypatch.setattr("audionet.training.classifier.CALIBRATION_PICTURES", 12)
    monkeypatch.setattr("audionet.training.classifier.CALIBRATION_PICTURES_A_CLASS", 4)
    again = retrain(trained, force=True)
    assert list((trained / "bottlenecks").glob("*.coordinates.npz"))
    assert again.held_out is not None
    assert again.held_out.confusion.accuracy == 1
    assert (again.computed, again.cached) == (0, 24)
    [after] = audionet.label(clip, label_options)
    assert (before.label, after.label) == ("high", "high")
    assert after.scores["high"] == pytest.approx(before.scores["high"], abs=0.1)
    assert farthest(again) == pytest.approx(distance, rel=0.05)


@pytest.mark.usefixtures("known_bottlenecks")
def test_mistakes_are_listed_with_their_place(two_classes: Path, tmp_path: Path) -> None:
    """A recording of low tones lies among the high ones."""
    shutil.move(two_classes / "low" / "low-0.wav", two_classes / "high" / "stray.wav")
    audionet.prepare(two_classes, PrepareOptions(tmp_path / "data_image", PictureSettings(1, 0)))
    held_out = retrain(tmp_path).held_out
    assert held_out is not None
    stray = [mistake for mistake in held_out.mistakes if mistake.picture.startswith("high/stray_nohash_")]
    assert [(m.start_seconds, m.end_seconds, m.class_name, m.label) for m in stray] == [
        (0, 1, "high", "low"),
        (1, 2, "high", "low"),
        (2, 2.5, "high", "low"),
    ]


def test_a_class_of_two_pictures_and_one_of_one_work(tmp_path: Path) -> None:
    for n in range(3):
        write_wav(tmp_path / "audio" / "low" / f"{n}.wav", chirps(n, 200, 400, 1))
    write_wav(tmp_path / "audio" / "two" / "a.wav", chirps(5, 900, 1100, 2))
    write_wav(tmp_path / "audio" / "one" / "a.wav", chirps(6, 4000, 5000, 1))
    audionet.prepare(tmp_path / "audio", PrepareOptions(tmp_path / "data_image", PictureSettings(1, 0)))
    with quick_learning():
        report = retrain(tmp_path)
    assert report.labels == ["low", "one", "two"]
    assert report.held_out is not None
    assert report.held_out.confusion.matrix.sum(axis=1).tolist() == [3, 0, 2]


@pytest.mark.parametrize("change", [{"steps": 51}, {"force": True}])  # test_before_training has the other options
def test_any_change_of_the_options_trains_anew(trained: Path, change: dict[str, object]) -> None:
    assert not retrain(trained).trained
    again = retrain(trained, **change)
    assert again.trained
    assert again.computed == 0


@pytest.mark.usefixtures("known_bottlenecks")
def test_copies_of_a_recording_stay_on_one_side(two_classes: Path, tmp_path: Path) -> None:
    for n in range(4):
        shutil.copy(two_classes / "low" / f"low-{n}.wav", two_classes / "low" / f"copy-{n}.wav")
    audionet.prepare(two_classes, PrepareOptions(tmp_path / "data_image", PictureSettings(1, 0)))
    report = retrain(tmp_path, refit=False)
    assert report.pictures["test"] % 3 == 0
    assert report.pictures["test"] == 3 + 6 or report.pictures["test"] == 6 + 6
    assert report.notes == []


@pytest.mark.usefixtures("known_bottlenecks")
def test_a_class_short_of_recordings_is_named_and_split_by_time(two_classes: Path, tmp_path: Path) -> None:
    write_wav(two_classes / "third" / "only.wav", chirps(5, 800, 1000, 10))
    audionet.prepare(two_classes, PrepareOptions(tmp_path / "data_image", PictureSettings(1, 0)))
    with quick_learning():
        report, again = retrain(tmp_path, refit=False), retrain(tmp_path)
    (note,) = report.notes
    assert "class 'third' has 1 of the 3 recordings" in note
    assert "split by time" in note
    assert report.held_out is not None
    assert report.held_out.confusion.matrix[2].sum() == 1
    (note,) = again.notes
    assert "class 'third' has one recording" in note


@pytest.mark.usefixtures("known_bottlenecks")
def test_of_one_picture_a_class_a_model_is_made_of_which_nobody_knows_how_good_it_is(tmp_path: Path) -> None:
    for n, name in enumerate(("high", "low")):
        write_wav(tmp_path / "data_audio" / name / "only.wav", chirps(n, 300 + 2000 * n, 400 + 2000 * n, 1))
    audionet.prepare(tmp_path / "data_audio", PrepareOptions(tmp_path / "data_image", PictureSettings(1, 0)))
    report = retrain(tmp_path)
    assert report.held_out is None
    assert report.trained
    (note,) = report.notes
    assert "each class has one picture: none can be held out" in note
    assert not retrain(tmp_path).trained


def test_too_little_to_train_on_is_refused_before_any_work(prepared: Path, tmp_path: Path) -> None:
    shutil.rmtree(prepared / "bottlenecks")
    with pytest.raises(AudionetError, match="no such folder; make the pictures first with audionet prepare"):
        retrain(tmp_path / "nowhere")
    shutil.rmtree(prepared / "data_image" / "low")
    with pytest.raises(AudionetError, match="holds only one class, 'high'; add a folder of recordings"):
        retrain(prepared)
    for path in (prepared / "data_image" / "high").iterdir():
        path.unlink()
    with pytest.raises(AudionetError, match="holds no pictures; make them first"):
        retrain(prepared)
    assert not (prepared / "bottlenecks").exists()


def test_more_classes_than_a_model_can_have_are_refused_before_any_work_and_much_memory_is_told_of(
    prepared: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("audionet.commands.before_training.memory_bytes", lambda: 1 << 20)
    retrain(prepared)
    assert "to learn 2 classes takes about" in caplog.text
    shutil.rmtree(prepared / "bottlenecks")
    monkeypatch.setattr("audionet.commands.before_training.MOST_LABELS", 1)
    with pytest.raises(AudionetError, match=r"holds 2 classes, and a model can have 1; learn a part of them"):
        retrain(prepared, force=True)
    assert not list(prepared.glob("bottlenecks/*.bottlenecks"))


def test_pictures_without_their_index_are_refused(prepared: Path) -> None:
    (prepared / "data_image" / "audionet.json").unlink()
    with pytest.raises(AudionetError, match=r"audionet.json: not found; make the pictures with audionet prepare"):
        retrain(prepared)
