"""What TensorBoard shows once the training is over: the layer, the confusion matrix, the misclassified pictures.

The curves during the training are softmax.py's.
"""

from pathlib import Path

from audionet.evaluation.held_out import EvaluationResult
from audionet.model.confusion_picture import draw_confusion
from audionet.model.litert import ClassifierHead
from audionet.spectrogram import jpeg as pictures
from audionet.system.tensorflow import start_tensorflow

PICTURES_SHOWN = 20
LAYER, TEST = "layer", "test"  # folders, which TensorBoard calls runs


def write_summaries(
    summaries_dir: Path, layer: ClassifierHead, held_out: EvaluationResult | None, image_dir: Path, step: int
) -> None:
    """Write histograms of the layer into summaries_dir/layer, and what was measured into summaries_dir/test.

    held_out: None if nothing was held out. step: what TensorBoard shows them at.
    """
    tf = start_tensorflow()
    for name in (LAYER, TEST):
        for path in (summaries_dir / name).glob("events.out.tfevents.*"):
            path.unlink()
    with tf.summary.create_file_writer(str(summaries_dir / LAYER)).as_default(step=step):
        tf.summary.histogram("final_weights", layer.weights)
        tf.summary.histogram("final_biases", layer.biases)
    if held_out is None:
        return
    with tf.summary.create_file_writer(str(summaries_dir / TEST)).as_default(step=step):
        tf.summary.scalar("accuracy", held_out.confusion.accuracy)
        tf.summary.image("confusion (rows: the truth, columns: taken for)", draw_confusion(held_out.confusion)[None])
        for mistake in held_out.mistakes[:PICTURES_SHOWN]:
            path = image_dir / f"{mistake.picture}.jpg"
            if path.is_file():
                picture = pictures.decode_any(path.read_bytes(), path)
                said = f"misclassified/{mistake.picture} taken for {mistake.label} ({mistake.score:.2f})"
                tf.summary.image(said, picture[None])
