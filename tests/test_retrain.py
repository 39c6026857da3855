import json
import shutil
from pathlib import Path

import numpy as np
import pytest

import audionet
from audionet.commands.retrain import RetrainReport
from audionet.errors import AudionetError
from audionet.settings import PictureSettings, PrepareOptions, RetrainOptions
from tests.conftest import chirps, write_wav


def options(folder: Path, **changes: object) -> RetrainOptions:
    """Everything below one folder, and few steps."""
    paths = {
        "image_dir": folder / "data_image",
        "model_dir": folder / "models",
        "bottleneck_dir": folder / "bottlenecks",
        "summaries_dir": folder / "summaries",
        "output_graph": folder / "retrained_graph.pb",
        "output_labels": folder / "retrained_labels.txt",
    }
    return RetrainOptions(**(paths | {"steps": 50} | changes))  # type: ignore[arg-type]


def retrain(folder: Path, **changes: object) -> RetrainReport:
    return audionet.retrain(options(folder, **changes))


@pytest.fixture
def prepared(two_classes: Path, tmp_path: Path) -> Path:
    """tmp_path with pictures of two classes, 1 s each, in data_image/."""
    audionet.prepare(two_classes, PrepareOptions(tmp_path / "data_image", PictureSettings(chunk_seconds=1)))
    return tmp_path


def test_it_learns_to_tell_low_tones_from_high_ones(prepared: Path) -> None:
    report = retrain(prepared)
    assert report.labels == ["high", "low"]
    assert sum(report.pictures.values()) == 24
    assert min(report.pictures.values()) >= 6  # a recording of three chunks of each class
    assert report.held_out is not None
    assert report.held_out.accuracy == 1
    assert report.held_out.count == report.pictures["test"]
    assert (report.computed, report.cached, report.trained) == (24, 0, True)


def test_it_writes_the_model_and_what_is_in_it(prepared: Path) -> None:
    report = retrain(prepared)
    assert (prepared / "retrained_labels.txt").read_text() == "high\nlow\n"
    assert (prepared / "retrained_graph.tflite").read_bytes()[4:8] == b"TFL3"
    description = json.loads((prepared / "retrained_graph.json").read_text())
    assert description["labels"] == ["high", "low"]
    assert description["pictures"]["chunk_seconds"] == 1
    assert description["training"]["options"]["steps"] == 50
    assert description["training"]["pictures"] == report.pictures
    assert list((prepared / "summaries" / "train").glob("events.out.tfevents.*"))


def test_a_second_time_there_is_nothing_to_do(prepared: Path) -> None:
    first = retrain(prepared)
    files = [prepared / f"retrained_graph.{ending}" for ending in ("tflite", "json")]
    files += list((prepared / "bottlenecks").iterdir())
    before = [(path.read_bytes(), path.stat().st_mtime_ns) for path in files]
    again = retrain(prepared)
    assert (again.computed, again.cached, again.trained) == (0, 24, False)
    assert again.held_out is not None
    assert first.held_out is not None
    assert np.array_equal(again.held_out.matrix, first.held_out.matrix)
    assert [(path.read_bytes(), path.stat().st_mtime_ns) for path in files] == before


@pytest.mark.parametrize("change", [{"steps": 51}, {"seed": 1}, {"learning_rate": 0.5}, {"force": True}])
def test_any_change_of_the_options_trains_anew(prepared: Path, change: dict[str, object]) -> None:
    retrain(prepared)
    again = retrain(prepared, **change)
    assert again.trained
    assert again.computed == 0


def test_the_same_seed_gives_the_same_bytes_whatever_the_order_on_disk(prepared: Path, tmp_path: Path) -> None:
    retrain(prepared)
    other = tmp_path / "other"
    for path in sorted((prepared / "data_image").rglob("*"), reverse=True):
        if path.is_file():
            copy = other / path.relative_to(prepared)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, copy)
    retrain(other)
    one, two = (folder / "retrained_graph.tflite" for folder in (prepared, other))
    assert one.read_bytes() == two.read_bytes()


def test_copies_of_a_recording_stay_on_one_side(two_classes: Path, tmp_path: Path) -> None:
    for n in range(4):
        shutil.copy(two_classes / "low" / f"low-{n}.wav", two_classes / "low" / f"copy-{n}.wav")
    audionet.prepare(two_classes, PrepareOptions(tmp_path / "data_image", PictureSettings(chunk_seconds=1)))
    report = retrain(tmp_path)
    assert report.pictures["test"] % 3 == 0
    assert report.pictures["test"] == 3 + 6 or report.pictures["test"] == 6 + 6
    assert report.notes == []


def test_a_class_short_of_recordings_is_named_and_split_by_time(two_classes: Path, tmp_path: Path) -> None:
    write_wav(two_classes / "third" / "only.wav", chirps(5, 800, 1000, 10))
    audionet.prepare(two_classes, PrepareOptions(tmp_path / "data_image", PictureSettings(chunk_seconds=1)))
    report = retrain(tmp_path)
    (note,) = report.notes
    assert "class 'third' has 1 of the 3 recordings" in note
    assert "split by time" in note
    assert report.held_out is not None
    assert report.held_out.matrix[2].sum() == 1


def test_bad_pictures_are_named_and_the_others_used(prepared: Path) -> None:
    victim = prepared / "data_image" / "low" / "low-0_nohash_0000.jpg"
    victim.write_bytes(b"no picture")
    report = retrain(prepared)
    assert [error.path for error in report.skipped] == [str(victim)]
    assert sum(report.pictures.values()) == 23


def test_too_little_to_train_on_is_refused_before_any_work(prepared: Path, tmp_path: Path) -> None:
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


def test_pictures_without_their_index_are_refused(prepared: Path) -> None:
    (prepared / "data_image" / "audionet.json").unlink()
    with pytest.raises(AudionetError, match=r"audionet.json: not found; make the pictures with audionet prepare"):
        retrain(prepared)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"steps": 0}, "--steps 0: must be at least 1"),
        ({"learning_rate": 0}, "--learning-rate 0: must be over 0"),
        ({"train_batch_size": -2}, "--train-batch-size -2"),
        ({"testing_percentage": 60, "validation_percentage": 40}, "leave nothing to train on"),
        ({"testing_percentage": -1}, "--testing-percentage -1: must be from 0"),
        ({"architecture": "vgg"}, "--architecture vgg: only inception_v3 is built in"),
        ({"bottleneck": "pool_3"}, "inception_v3_pool_3.tflite: cannot be read"),
    ],
)
def test_impossible_options_are_refused(prepared: Path, change: dict[str, object], message: str) -> None:
    with pytest.raises(AudionetError, match=message):
        retrain(prepared, **change)
