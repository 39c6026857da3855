"""What TensorBoard shows once the training is over: the layer, the confusion matrix, the misclassified pictures.

The curves during the training are those of training/calibrator.py.
"""

import warnings
from contextlib import suppress
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from audionet.errors import UnusableInput
from audionet.evaluation.confusion import Confusion
from audionet.evaluation.result import EvaluationResult
from audionet.model.litert import ClassifierHead
from audionet.spectrogram import jpeg as pictures
from audionet.system.files import make_inner_folder
from audionet.system.tensorflow import start_tensorflow, writing_summaries

PICTURES_SHOWN = 20
MANY_CLASSES = 40  # whose names and numbers have no room in the confusion matrix
INCHES_PER_CLASS, SMALLEST_INCHES, LARGEST_INCHES = 0.45, 3.0, 20.0
LAYER, TEST = "layer", "test"  # folders, which TensorBoard calls runs


def write_summaries(
    summaries_dir: Path, head: ClassifierHead, held_out: EvaluationResult | None, image_dir: Path, step: int
) -> None:
    """Write histograms of the layer into summaries_dir/layer, and the evaluation into summaries_dir/test.

    held_out: None if nothing was held out. step: what TensorBoard shows them at. Raises AudionetError when the disk
    refuses.
    """
    with writing_summaries(summaries_dir):
        _write(summaries_dir, head, held_out, image_dir, step)


def _write(
    summaries_dir: Path, head: ClassifierHead, held_out: EvaluationResult | None, image_dir: Path, step: int
) -> None:
    tf = start_tensorflow()
    for name in (LAYER, TEST):
        make_inner_folder(summaries_dir / name)
        for path in (summaries_dir / name).glob("events.out.tfevents.*"):
            path.unlink()
    with tf.summary.create_file_writer(str(summaries_dir / LAYER)).as_default(step=step):
        tf.summary.histogram("final_weights", head.weights)
        tf.summary.histogram("final_biases", head.biases)
    if held_out is None:
        return
    with tf.summary.create_file_writer(str(summaries_dir / TEST)).as_default(step=step):
        tf.summary.scalar("accuracy", held_out.confusion.accuracy)
        tf.summary.image("confusion (rows: the truth, columns: taken for)", draw_confusion(held_out.confusion)[None])
        for mistake in held_out.mistakes[:PICTURES_SHOWN]:
            path = image_dir / f"{mistake.picture}.jpg"
            with suppress(UnusableInput):
                picture = pictures.decode_any(pictures.read(path), path)
                said = f"misclassified/{mistake.picture} taken for {mistake.label} ({mistake.score:.2f})"
                tf.summary.image(said, picture[None])


def draw_confusion(confusion: Confusion) -> NDArray[np.uint8]:
    """The confusion matrix, height x width x 3: rows are the truth, darker the larger a cell's share of its row."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    count = len(confusion.labels)
    inches = min(max(SMALLEST_INCHES, INCHES_PER_CLASS * count), LARGEST_INCHES)
    figure = Figure(figsize=(inches + 1, inches), layout="constrained")
    axes = figure.add_subplot(xlabel="predicted", ylabel="truth")
    totals = np.maximum(confusion.matrix.sum(axis=1, keepdims=True), 1)
    shares = confusion.matrix / totals
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    if count <= MANY_CLASSES:
        axes.set_xticks(range(count), confusion.labels, rotation=90, parse_math=False)
        axes.set_yticks(range(count), confusion.labels, parse_math=False)
        for row, column in zip(*np.nonzero(confusion.matrix), strict=True):
            ink = "white" if shares[row, column] > 0.5 else "black"
            axes.text(column, row, str(confusion.matrix[row, column]), color=ink, ha="center", va="center")
    canvas = FigureCanvasAgg(figure)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing from")
        canvas.draw()
    return np.array(canvas.buffer_rgba(), np.uint8)[:, :, :3]
