"""What TensorBoard shows: the curves of the training, the layer, the confusion matrix, the misclassified pictures."""

import io
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from audionet.errors import UnusableInput, writing
from audionet.evaluation.confusion import Confusion
from audionet.evaluation.cross_validation import TrainingResult
from audionet.evaluation.result import EvaluationResult
from audionet.model.litert import ClassifierHead
from audionet.plots.figure import new_figure
from audionet.spectrogram import jpeg as pictures
from audionet.system.files import make_inner_folder
from audionet.system.text import shortened
from audionet.training.calibrator import History
from audionet.training.split import TEST, TRAIN, VALIDATION

PICTURES_SHOWN = 20
MANY_CLASSES = 40  # whose names and numbers have no room in the confusion matrix
LONGEST_LABEL = 30  # letters of a class in it
INCHES_PER_CLASS, SMALLEST_INCHES, LARGEST_INCHES = 0.45, 3.0, 20.0
LAYER = "layer"  # beside the parts of the split: folders, which TensorBoard calls runs
RUNS = (TRAIN, VALIDATION, LAYER, TEST)
EVENTS = "events.out.tfevents"  # what the names of their files begin with
MOST_IN_HISTOGRAM = 1 << 22  # values
STRING = 7  # of TensorFlow's DataType


def write_summaries(
    summaries_dir: Path, result: TrainingResult, head: ClassifierHead, image_dir: Path, step: int
) -> None:
    """Write the curves of the training into summaries_dir/train and /validation, histograms of the layer into /layer,
    and the evaluation, if there is one, into /test. What former trainings left there is deleted.

    step: what TensorBoard shows the layer and the evaluation at. Raises AudionetError when the disk refuses.
    """
    with writing(summaries_dir):
        for name in RUNS:
            _delete_events(summaries_dir / name)
        for name in (TRAIN, VALIDATION):
            _write_curves(summaries_dir / name, [point for point in result.history if point.part == name])
        with EventFile(summaries_dir / LAYER) as events:
            events.add_histogram("final_weights", head.weights, step)
            events.add_histogram("final_biases", head.biases, step)
        if result.evaluation is not None:
            with EventFile(summaries_dir / TEST) as events:
                _add_evaluation(events, result.evaluation, image_dir, step)


def _delete_events(folder: Path) -> None:
    """Delete the events of a former run, whose curves TensorBoard would draw into the new ones."""
    if not folder.is_symlink():  # one is of no run of ours
        for path in folder.glob(f"{EVENTS}.*"):
            path.unlink()


def _write_curves(folder: Path, history: History) -> None:
    if not history:
        return
    with EventFile(folder) as events:
        for point in history:
            events.add_scalar("cross_entropy", point.cross_entropy, point.step)
            events.add_scalar("accuracy", point.accuracy, point.step)
            if point.part == TRAIN:
                # The old name stays, so that TensorBoard draws old and new trainings into one chart.
                events.add_scalar("sharpness", point.inverse_temperature, point.step)


def _add_evaluation(events: "EventFile", evaluation: EvaluationResult, image_dir: Path, step: int) -> None:
    """Add the accuracy, the confusion matrix and the first misclassified pictures."""
    events.add_scalar("accuracy", evaluation.confusion.accuracy, step)
    events.add_image("confusion (rows: the truth, columns: taken for)", draw_confusion(evaluation.confusion), step)
    for mistake in evaluation.mistakes[:PICTURES_SHOWN]:
        said = f"misclassified/{mistake.picture} taken for {mistake.label} ({mistake.score:.2f})"
        with suppress(UnusableInput):
            events.add_image(said, pictures.read(image_dir / f"{mistake.picture}.jpg"), step)


def draw_confusion(confusion: Confusion) -> bytes:
    """The confusion matrix as a PNG: rows are the truth, darker the larger a cell's share of its row."""
    count, file = len(confusion.labels), io.BytesIO()
    inches = min(max(SMALLEST_INCHES, INCHES_PER_CLASS * count), LARGEST_INCHES)
    shares = confusion.matrix / np.maximum(confusion.matrix.sum(axis=1, keepdims=True), 1)
    with new_figure(file, inches + 1, inches) as figure:
        axes = figure.add_subplot(xlabel="predicted", ylabel="truth")
        axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
        if count <= MANY_CLASSES:
            names = [shortened(label, LONGEST_LABEL) for label in confusion.labels]
            axes.set_xticks(range(count), names, rotation=90)
            axes.set_yticks(range(count), names)
            for row, column in zip(*np.nonzero(confusion.matrix), strict=True):
                ink = "white" if shares[row, column] > 0.5 else "black"
                axes.text(column, row, str(confusion.matrix[row, column]), color=ink, ha="center", va="center")
    return file.getvalue()


class EventFile:
    """A file of events in a folder, which TensorBoard calls a run. It is written without TensorFlow, whose start takes
    longer than all else that `retrain` does with cached bottlenecks."""

    def __init__(self, folder: Path) -> None:
        """Raises AudionetError or OSError when the disk refuses."""
        from tensorboard.compat.proto import event_pb2, summary_pb2
        from tensorboard.plugins.histogram import summary_v2 as histograms
        from tensorboard.plugins.image import metadata as images
        from tensorboard.plugins.scalar import summary_v2 as scalars
        from tensorboard.summary.writer.record_writer import RecordWriter

        make_inner_folder(folder)
        self._event, self._summary = event_pb2.Event, summary_pb2.Summary
        self._histograms, self._images, self._scalars = histograms, images, scalars
        self._records = RecordWriter((folder / f"{EVENTS}.{time.time():.0f}.audionet.v2").open("wb"))
        self._write(file_version="brain.Event:2")

    def __enter__(self) -> "EventFile":
        return self

    def __exit__(self, *_: object) -> None:
        self._records.close()

    def add_scalar(self, tag: str, value: float, step: int) -> None:
        """Add a point of a curve."""
        self._write(step=step, summary=self._scalars.scalar_pb(tag, value))

    def add_histogram(self, tag: str, values: NDArray[np.floating], step: int) -> None:
        """Add how often which values occur in an array of any shape; of a very large one, in a part drawn by chance."""
        if values.size > MOST_IN_HISTOGRAM:  # TensorBoard takes a hundred bytes for each
            drawn = np.random.default_rng(0).integers(values.size, size=MOST_IN_HISTOGRAM)
            values = values[np.unravel_index(drawn, values.shape)]
        self._write(step=step, summary=self._histograms.histogram_pb(tag, values))

    def add_image(self, tag: str, content: bytes, step: int) -> None:
        """Add the content of a PNG or JPG. Raises UnusableInput if it is damaged."""
        height, width, _ = pictures.decode_any(content, Path(tag)).shape
        metadata = self._images.create_summary_metadata(display_name=None, description=None)
        summary = self._summary(value=[self._summary.Value(tag=tag, metadata=metadata)])
        tensor = summary.value[0].tensor
        tensor.dtype = STRING
        tensor.tensor_shape.dim.add(size=3)
        tensor.string_val.extend([str(width).encode(), str(height).encode(), content])
        self._write(step=step, summary=summary)

    def _write(self, **event: Any) -> None:
        self._records.write(self._event(wall_time=time.time(), **event).SerializeToString())
