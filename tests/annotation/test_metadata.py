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


def test_esc50_as_published_is_read(tmp_path: Path) -> None:
    for name in ("1-100-A-0.wav", "2-200-A-1.wav", "5-9-B-1.wav"):
        write_wav(tmp_path / "audio" / name, chirps(0, 200, 400, 0.5))
    (tmp_path / "meta").mkdir()
    (tmp_path / "meta" / "esc50.csv").write_text(
        "filename,fold,target,category,esc10,src_file,take\n"
        "1-100-A-0.wav,1,0,dog,True,100,A\n"
        "2-200-A-1.wav,2,1,rooster,False,200,A\n"
        "5-9-B-1.wav,5,1,rooster,False,9,B\n"
    )
    recordings, wrong = find_labelled_recordings(tmp_path, AnnotationOptions())
    assert wrong == []
    assert [(r.key, r.path.name, r.group, r.fold) for r in recordings] == [
        ("dog/1-100-A-0.wav", "1-100-A-0.wav", "100", 1),
        ("rooster/2-200-A-1.wav", "2-200-A-1.wav", "200", 2),
        ("rooster/5-9-B-1.wav", "5-9-B-1.wav", "9", 5),
    ]


def table(folder: Path, text: str) -> Path:
    write_wav(folder / "a.wav", chirps(0, 200, 400, 0.5))
    write_wav(folder / "deep" / "b.wav", chirps(1, 200, 400, 0.5))
    path = folder / "table.csv"
    path.write_text(text)
    return path


def test_any_table_with_paths_and_labels_will_do(tmp_path: Path) -> None:
    metadata = table(tmp_path, "path,label,group\na.wav,robin,garden\ndeep/b.wav,wren,\nc.wav,wren,\n../d.wav,wren,\n")
    recordings, wrong = find_labelled_recordings(tmp_path, AnnotationOptions(metadata=metadata))
    assert [(r.class_name, r.key, r.group, r.fold) for r in recordings] == [
        ("robin", "robin/a.wav", "garden", None),
        ("wren", "wren/deep/b.wav", None, None),
    ]
    assert [error.reason for error in wrong] == [
        "is listed in line 4 of table.csv, but not there",
        f"is listed in line 5 of table.csv, but lies outside of {tmp_path}",
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("sound,class\na.wav,x\n", r"needs a column for the path of a recording, called path, .*'sound' and 'class'"),
        ("path,speaker,emotion\na.wav,x,y\n", "needs a column for its label, called label, class, category or species"),
        ("path,class,species\na.wav,x,y\n", "which column is its label, 'class' or 'species'"),
        ("path,label\na.wav,x/y\n", "line 2 has the class 'x/y', which can't name a folder"),
        ("path,label\na.wav,\n", "line 2 has no label in the column label; write one"),
        (
            "path,label\na.wav,robin: alarm\n",
            r"the class 'robin: alarm', which can't name a folder \(there is ':' in it\)",
        ),
        (
            "path,label\na.wav,aux.1\n",
            r"the class 'aux.1', which can't name a folder \(Windows keeps that for itself\)",
        ),
        ("path,label\na.wav,Turdus sp.\n", r"the class 'Turdus sp.', which can't name a folder \(it ends in a dot\)"),
        ("path,label\na.wav,Robin\nb.wav,robin\n", r"line 3 has the class 'robin', others 'Robin' \(line 2\); spell"),
        ("path,label,fold\na.wav,x,first\n", "line 2 has the fold 'first'; it should be a whole number"),
        ("path,label,fold\na.wav,x,1\na.wav,y,2\n", "line 3 lists a.wav again: in line 2 it has another group or fold"),
    ],
)
def test_a_table_that_makes_no_sense_is_refused(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(AudionetError, match=message):
        find_labelled_recordings(tmp_path, AnnotationOptions(metadata=table(tmp_path, text)))


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
