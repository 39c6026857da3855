"""Data sets that a table labels, in the layouts in which they are published."""

import json
from pathlib import Path

import numpy as np
import pytest

import audionet
from audionet.annotation.metadata import find_labelled_recordings
from audionet.errors import AudionetError
from audionet.options import AnnotationOptions, PrepareOptions, RetrainOptions
from audionet.settings import OWN_FOLDS, PictureSettings
from audionet.training.folds import folds, own_folds
from audionet.training.split import non_overlapping_train_mask, split
from tests.annotation.test_tables import sounds
from tests.conftest import Run, chirps, quick_learning, sample_of, write_wav

BANDS = {"siren": (2000.0, 3000.0), "engine_idling": (150.0, 300.0)}
FOLDS = (1, 2, 3)


def urban_sound(folder: Path) -> Path:
    """A small UrbanSound8K: two slices of one recording a class and fold."""
    lines = ["slice_file_name,fsID,start,end,salience,fold,classID,class"]
    for class_number, (name, band) in enumerate(BANDS.items()):
        for fold in FOLDS:
            source = 1000 * class_number + fold
            for piece in range(2):
                file_name = f"{source}-{class_number}-0-{piece}.wav"
                samples = chirps(10 * source + piece, *band, 1.0)
                write_wav(folder / "audio" / f"fold{fold}" / file_name, samples)
                lines.append(f"{file_name},{source},0.0,1.0,1,{fold},{class_number},{name}")
    (folder / "metadata").mkdir()
    (folder / "metadata" / "UrbanSound8K.csv").write_text("\n".join(lines) + "\n")
    return folder


def test_urbansound8k_as_published_is_read_and_its_folds_are_followed(tmp_path: Path, audionet_here: Run) -> None:
    urban_sound(tmp_path / "UrbanSound8K")
    prepared = audionet_here("prepare", "UrbanSound8K", "--chunk-seconds", 1, "--overlap", 0)
    assert (prepared.returncode, prepared.stderr) == (0, "")
    assert "12 recordings: 12 drawn (12 pictures)" in prepared.stdout
    pictures = tmp_path / "tf_files" / "data_image"
    assert (pictures / "siren" / "fold2-2-0-0-1_nohash_0000.jpg").is_file()
    entry = json.loads((pictures / "audionet.json").read_text())["recordings"]["engine_idling/fold3/1003-1-0-0.wav"]
    assert (entry["group"], entry["fold"]) == ("1003", 3)

    with quick_learning():
        retrained = audionet_here("retrain", "--folds", "--steps", 20)
    assert retrained.returncode == 0, retrained.stderr
    assert "measured in 3 folds" in retrained.stdout
    assert "held-out accuracy: 100.0% (12 of 12 pictures" in retrained.stdout
    assert "from 12 recordings in 6 groups" in retrained.stdout  # slices of six recordings of Freesound
    page = (tmp_path / "tf_files" / "report.html").read_text(encoding="utf-8")
    assert "12 chunks from 12 recordings in 6 groups." in page
    assert "measured on 12 recordings in 6 groups only" in page


def test_any_table_with_paths_and_labels_will_do(tmp_path: Path) -> None:
    sounds(tmp_path, "a.wav", "deep/b.wav")
    metadata = tmp_path / "table.csv"
    metadata.write_text("path,label,group\na.wav,robin,garden\ndeep/b.wav,wren,\nc.wav,wren,\n../d.wav,wren,\n")
    recordings, wrong = find_labelled_recordings(tmp_path, AnnotationOptions(metadata=metadata))
    assert [(r.class_name, r.key, r.group, r.fold) for r in recordings] == [
        ("robin", "robin/a.wav", "garden", None),
        ("wren", "wren/deep/b.wav", None, None),
    ]
    assert [error.reason for error in wrong] == [
        "is listed in line 4 of table.csv, but not there",
        f"is listed in line 5 of table.csv, but lies outside of {tmp_path}",
    ]


def test_groups_stay_on_one_side_though_their_files_have_the_same_times() -> None:
    items = [sample_of("a", f"place {n % 4}", 0, 1, sha256=f"file {n}") for n in range(12)]
    parts = split(items, 10, 10).parts
    for place in range(4):
        assert len({part for n, part in enumerate(parts) if n % 4 == place}) == 1
    numbers = folds(items, 3)
    for fold in range(3):
        held = np.array(numbers) == fold
        assert non_overlapping_train_mask(items, held).tolist() == (~held).tolist()


def test_own_folds_are_numbered_and_all_or_none() -> None:
    items = [sample_of("a", str(n), 0, 1, fold=fold) for n, fold in enumerate([3, 10, 3, 7])]
    assert own_folds(items) == [0, 2, 0, 1]
    assert own_folds([*items, sample_of("a", "x", 0, 1)]) is None
    assert own_folds(items[:1]) is None


@pytest.mark.usefixtures("known_bottlenecks")
def test_folds_that_are_not_there_can_not_be_followed(two_classes: Path, tmp_path: Path) -> None:
    audionet.prepare(two_classes, PrepareOptions(tmp_path / "data_image", PictureSettings(1, 0)))
    with pytest.raises(AudionetError, match="without folds of their own; say how many folds to make, such as 5"):
        audionet.retrain(
            RetrainOptions(image_dir=tmp_path / "data_image", bottleneck_dir=tmp_path / "bottlenecks", folds=OWN_FOLDS)
        )


def test_a_table_without_an_end_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "table.csv").symlink_to("/dev/zero")
    with pytest.raises(AudionetError, match=r"table.csv: not a table as text, such as CSV \(not a file\)"):
        find_labelled_recordings(tmp_path, AnnotationOptions(metadata=tmp_path / "table.csv"))


def test_annotations_without_any_class_are_said_to_mark_nothing(tmp_path: Path) -> None:
    recording = write_wav(tmp_path / "data" / "owl" / "night.wav", chirps(1, 500, 900, 2.0))
    recording.with_suffix(".txt").write_text("0.5\t1.5\tunknown\n")
    with pytest.raises(AudionetError, match="mark nothing with the name of a class"):
        audionet.prepare(tmp_path / "data", PrepareOptions(image_dir=tmp_path / "pictures"))
