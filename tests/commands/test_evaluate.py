from pathlib import Path

import pytest

import audionet
from audionet.errors import AudionetError
from audionet.model.bundle import ModelFiles
from audionet.options import LabelOptions
from audionet.settings import PictureSettings
from tests.conftest import chirps, make_untrained_model, write_wav


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> ModelFiles:
    return make_untrained_model(tmp_path_factory.mktemp("model"), PictureSettings(1, 0))


def options(model: ModelFiles, metadata: Path | None = None) -> LabelOptions:
    return LabelOptions(model.graph, model.labels, metadata=metadata)


def test_clips_that_a_table_labels_are_counted_as_prepare_would_learn_them(model: ModelFiles, tmp_path: Path) -> None:
    for fold, name in ((1, "1-0.wav"), (2, "2-1.wav")):
        write_wav(tmp_path / "US" / "audio" / f"fold{fold}" / name, chirps(fold, 200, 400, 1))
    (tmp_path / "US" / "metadata").mkdir()
    (tmp_path / "US" / "metadata" / "UrbanSound8K.csv").write_text(
        "slice_file_name,fsID,start,end,salience,fold,classID,class\n1-0.wav,1,0,4,1,1,0,high\n2-1.wav,2,5,9,1,2,1,low\n"
    )
    for folder in (tmp_path / "US", tmp_path / "US" / "audio"):
        found = audionet.evaluate(folder, options(model))
        assert [(Path(clip.clip).name, truth) for clip, truth in found.clips] == [
            ("1-0.wav", "high"),
            ("2-1.wav", "low"),
        ]
        assert found.skipped == []


def test_a_table_may_be_named_and_its_unknown_classes_are_skipped(model: ModelFiles, tmp_path: Path) -> None:
    for name in ("a.wav", "b.wav"):
        write_wav(tmp_path / "clips" / name, chirps(1, 200, 400, 1))
    (tmp_path / "truth.csv").write_text("file;label\na.wav;low\nb.wav;hihg\n")
    found = audionet.evaluate(tmp_path / "clips", options(model, tmp_path / "truth.csv"))
    assert [truth for _, truth in found.clips] == ["low"]
    assert [error.reason for error in found.skipped] == [
        "the model has no such class (it knows high, low); did you mean high?"
    ]


def test_parts_of_a_data_set_are_no_classes_here_either(model: ModelFiles, tmp_path: Path) -> None:
    write_wav(tmp_path / "fold1" / "a.wav", chirps(1, 200, 400, 1))
    with pytest.raises(AudionetError, match="are called as parts of a data set are"):
        audionet.evaluate(tmp_path, options(model))
