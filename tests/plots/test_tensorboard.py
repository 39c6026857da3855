"""What TensorBoard's own reader finds after a training."""

import io
import tracemalloc
import warnings
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from PIL import Image
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from audionet.errors import AudionetError
from audionet.evaluation.confusion import Confusion
from audionet.model.litert import ClassifierHead
from audionet.plots.tensorboard import EventFile, draw_confusion, write_summaries
from audionet.training.calibrator import History, HistoryPoint
from tests.conftest import chirps, make_model, write_wav
from tests.system.test_disk_full import files_up_to

HEAD = ClassifierHead(np.zeros((9, 2), np.float32), np.zeros(2, np.float32), np.zeros(9, np.float32))


def drawn(confusion: Confusion) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(draw_confusion(confusion))).convert("RGB"))


def curve(steps: int) -> History:
    return [HistoryPoint(step, "train", 0.9, 0.3, 10.0) for step in range(10, steps + 1, 10)]


def training(history: History) -> Any:
    """The result of one in which nothing was held out, as far as it is shown."""
    return SimpleNamespace(history=history, evaluation=None)


def read(folder: Path) -> EventAccumulator:
    events = EventAccumulator(str(folder), size_guidance={"tensors": 0})
    events.Reload()
    return events


@pytest.fixture(scope="module")
def summaries(low_and_high: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Those of a training in which a recording of low tones lies among the high ones."""
    folder = tmp_path_factory.mktemp("summaries")
    write_wav(folder / "data_audio" / "high" / "stray.wav", chirps(99, 200, 400, 1))
    make_model(folder, known=low_and_high, steps=20)
    return folder / "tf_files" / "training_summaries"


@pytest.mark.parametrize("part", ["train", "validation"])
def test_curves_have_a_point_an_evaluation_in_folds_too(summaries: Path, part: str) -> None:
    for tag in ("accuracy", "cross_entropy"):
        assert [event.step for event in read(summaries / part).Tensors(tag)] == [10, 20]


def test_the_layer_is_there_as_histograms(summaries: Path) -> None:
    events = read(summaries / "layer")
    for tag, size in (("final_weights", 37758 * 2), ("final_biases", 2)):
        assert events.summary_metadata[tag].plugin_data.plugin_name == "histograms"
        proto = events.Tensors(tag)[0].tensor_proto
        buckets = np.frombuffer(proto.tensor_content, np.float64).reshape(-1, 3)
        assert buckets[:, 2].sum() == size


def test_a_layer_of_thousands_of_classes_takes_little_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("audionet.plots.tensorboard.MOST_IN_HISTOGRAM", 1 << 14)
    weights = np.random.default_rng(0).standard_normal((1000, 1000), np.float32)
    EventFile(tmp_path).__exit__()  # TensorBoard is loaded
    tracemalloc.start()
    with EventFile(tmp_path / "layer") as events:
        events.add_histogram("final_weights", weights, 1)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < weights.nbytes
    buckets = np.frombuffer(
        read(tmp_path / "layer").Tensors("final_weights")[0].tensor_proto.tensor_content, np.float64
    )
    left, _, counts = buckets.reshape(-1, 3).T
    assert counts[left >= 0].sum() / counts.sum() == pytest.approx(0.5, abs=0.1)


def test_the_confusion_matrix_and_the_misclassified_picture_are_there_as_images(summaries: Path) -> None:
    events = read(summaries / "test")
    tags = [tag for tag in events.Tags()["tensors"] if events.summary_metadata[tag].plugin_data.plugin_name == "images"]
    (confusion,) = (tag for tag in tags if tag.startswith("confusion"))
    (stray,) = (tag for tag in tags if tag.startswith("misclassified/high/stray_nohash_0000 taken for low"))
    width, height, png = events.Tensors(stray)[0].tensor_proto.string_val
    assert (width, height) == (b"299", b"299")
    shown = np.asarray(Image.open(io.BytesIO(png)).convert("L"), float)
    jpg = summaries.parent / "data_image" / "high" / "stray_nohash_0000.jpg"
    assert shown == pytest.approx(np.asarray(Image.open(jpg).convert("L"), float), abs=1)
    assert events.Tensors(confusion)[0].tensor_proto.string_val[2].startswith(b"\x89PNG")


def test_a_confusion_matrix_is_dark_where_its_numbers_are() -> None:
    """Rows 7, 0 and 3, 1: the four cells as areas of one colour, from the darkest to white."""
    picture = drawn(Confusion(["anna", "ben"], np.array([[7, 0], [3, 1]]))).astype(int)
    blues = picture[:, :, 2] - picture[:, :, 0]
    rows, columns = np.nonzero(blues > 36)  # where there is more blue than in the ink: all cells but that of 0
    middle_row, middle_column = (rows.min() + rows.max()) // 2, (columns.min() + columns.max()) // 2
    cells = {
        (row, column): np.median(
            picture[
                slice(rows.min(), middle_row) if row == 0 else slice(middle_row + 2, rows.max()),
                slice(columns.min(), middle_column) if column == 0 else slice(middle_column + 2, columns.max()),
            ].sum(axis=2)
        )
        for row in (0, 1)
        for column in (0, 1)
    }
    assert cells[0, 0] < cells[1, 0] < cells[1, 1] < 740 < cells[0, 1]  # 765 is white


def test_a_class_may_be_called_anything() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # which the user would see
        draw_confusion(Confusion(["$\\alpha$ $", "100 % \u4e2d"], np.eye(2, dtype=int)))
        draw_confusion(Confusion(["x" * 250, "y" * 250], np.eye(2, dtype=int)))


def test_many_classes_fit_into_a_picture() -> None:
    labels = [f"class {n}" for n in range(200)]
    assert max(drawn(Confusion(labels, np.eye(200, dtype=int))).shape) < 2500


@pytest.mark.parametrize("history", [curve(10), []])  # the curves come first, and then the layer
def test_a_disk_that_takes_no_events_is_a_sentence(history: History, tmp_path: Path) -> None:
    with files_up_to(10), pytest.raises(AudionetError, match=r"s: cannot be written \(.*\); free space or choose"):
        write_summaries(tmp_path / "s", training(history), HEAD, tmp_path, 1)


def test_the_last_training_alone_is_shown(tmp_path: Path) -> None:
    for steps in (20, 40):
        write_summaries(tmp_path, training(curve(steps)), HEAD, tmp_path, steps)
    assert [event.step for event in read(tmp_path / "train").Tensors("accuracy")] == [10, 20, 30, 40]
