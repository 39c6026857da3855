"""What people and programs read: results on standard output, progress and warnings on standard error."""

import csv
import json
import logging
import sys
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from audionet.progress import Progress, silent

if TYPE_CHECKING:
    from audionet.clips import ClipScores
    from audionet.commands.evaluate import Evaluation
    from audionet.commands.prepare import PrepareReport
    from audionet.commands.retrain import RetrainReport
    from audionet.confusion import Confusion


def configure_logging() -> None:
    """Send audionet's warnings to standard error, a line each, and nobody else's."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("audionet: %(message)s"))
    root = logging.getLogger("audionet")
    root.handlers[:] = [handler]
    root.setLevel(logging.INFO)
    root.propagate = False
    for stream in (sys.stdout, sys.stderr):
        # A file name that the terminal cannot show must not end the program.
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


@contextmanager
def progress_bars() -> Iterator[Progress]:
    """A Progress that draws a bar for the stage under way, on a terminal only."""
    if not sys.stderr.isatty():
        yield silent
        return
    from tqdm import tqdm
    from tqdm.contrib.logging import logging_redirect_tqdm

    bars: dict[str, Any] = {}

    def show(stage: str, done: int, total: int) -> None:
        if stage not in bars:
            for finished in bars.values():
                finished.close()
            bars[stage] = tqdm(total=total, desc=stage, leave=False)
        bars[stage].update(done - bars[stage].n)

    try:
        with logging_redirect_tqdm([logging.getLogger("audionet")]):
            yield show
    finally:
        for bar in bars.values():
            bar.close()


def print_prepared(report: "PrepareReport") -> None:
    """What `prepare` did, in three lines at most."""
    print(
        f"{_count(report.made + report.kept, 'recording')}: "
        f"{report.made} drawn ({_count(report.made_chunks, 'picture')}), "
        f"{report.kept} unchanged ({_count(report.kept_chunks, 'picture')}), {len(report.skipped)} skipped"
    )
    if report.removed:
        print(f"{_count(len(report.removed), 'recording')} gone, their pictures deleted")
    if report.gone:
        print(f"{_count(len(report.gone), 'recording')} gone, their pictures kept (--prune deletes them)")
    print(f"pictures are in {report.image_dir}")


def print_retrained(report: "RetrainReport") -> None:
    """What `retrain` did and how good the model is."""
    print(
        f"{_count(sum(report.pictures.values()), 'picture')} of {len(report.labels)} classes; "
        f"bottlenecks: {report.computed} computed, {report.cached} from the cache"
    )
    parts = ", ".join(f"{count} {part}" for part, count in report.pictures.items())
    print(f"split: {parts}")
    if not report.trained:
        print("nothing has changed: the model is up to date (--force trains it anew)")
    if report.validation_accuracy is not None:
        print(f"validation accuracy: {report.validation_accuracy:.1%}")
    if report.held_out is None:
        print("held-out accuracy: unknown, no picture was held out for testing")
    else:
        confusion = report.held_out
        print(
            f"held-out accuracy: {confusion.accuracy:.1%} ({confusion.correct} of {_count(confusion.count, 'picture')} "
            f"from {_count(report.test_recordings, 'recording')})"
        )
        print_confusion(confusion)
    print(f"model: {report.files.network} (with {report.files.description.name} and {report.files.labels.name})")


def print_confusion(confusion: "Confusion") -> None:
    """The confusion matrix as a table: rows are the truth, columns what it was taken for."""
    numbers = [str(number) for number in confusion.matrix.ravel()]
    width = max(len(label) for label in confusion.labels)
    cell = max(3, *(len(number) for number in numbers), len(str(len(confusion.labels))))
    print("confusion (rows: the truth, columns: taken for)")
    print(" " * (width + 4) + " ".join(f"{n:>{cell}}" for n in range(1, len(confusion.labels) + 1)))
    for n, (label, row) in enumerate(zip(confusion.labels, confusion.matrix, strict=True), start=1):
        print(f"{n:>3} {label:<{width}}" + " ".join(f"{count:>{cell}}" for count in row))


class LabelPrinter(ABC):
    """Prints clips' scores in one format. `labels` are the model's classes, `top` how many of them text shows."""

    def __init__(self, labels: list[str], top: int) -> None:
        self._labels, self._top = labels, top

    @abstractmethod
    def add(self, clip: "ClipScores") -> None:
        """Print one clip, or keep it for the end."""

    def finish(self) -> None:  # noqa: B027, most formats keep nothing
        """Print what was kept."""


class TextLabels(LabelPrinter):
    """The best classes of each clip, a block a clip, as soon as they are known."""

    def add(self, clip: "ClipScores") -> None:
        """Print one clip."""
        width = max(map(len, self._labels))
        print(clip.clip)
        for label, score in clip.best_first()[: self._top]:
            print(f"  {label:<{width}}  {score:.3f}")
        sys.stdout.flush()


class JsonLabels(LabelPrinter):
    """A list, one object a clip."""

    def __init__(self, labels: list[str], top: int) -> None:
        super().__init__(labels, top)
        self._clips: list[dict[str, Any]] = []

    def add(self, clip: "ClipScores") -> None:
        """Keep one clip."""
        self._clips.append(
            {
                "clip": clip.clip,
                "label": clip.label,
                "score": clip.score,
                "scores": dict(clip.best_first()),
                "seconds": clip.seconds,
            }
        )

    def finish(self) -> None:
        """Print them all."""
        print(json.dumps(self._clips, indent=1, ensure_ascii=False))


class CsvLabels(LabelPrinter):
    """A line a clip: the clip, its label and score, then the score of each class."""

    def __init__(self, labels: list[str], top: int) -> None:
        super().__init__(labels, top)
        self._writer = csv.writer(sys.stdout, lineterminator="\n")
        self._writer.writerow(["clip", "label", "score", *(f"score {label}" for label in labels)])

    def add(self, clip: "ClipScores") -> None:
        """Print one clip."""
        scores = [f"{clip.scores[label]:.6f}" for label in self._labels]
        self._writer.writerow([clip.clip, clip.label, f"{clip.score:.6f}", *scores])
        sys.stdout.flush()


LABEL_PRINTERS: dict[str, type[LabelPrinter]] = {"text": TextLabels, "json": JsonLabels, "csv": CsvLabels}


def print_evaluation(evaluation: "Evaluation") -> None:
    """Accuracy, precision and recall of each class, the confusion matrix, and each clip that was misclassified."""
    confusion = evaluation.confusion
    print(f"accuracy: {confusion.accuracy:.1%} ({confusion.correct} of {_count(confusion.count, 'clip')})")
    width = max(5, *(len(label) for label in confusion.labels))
    print(f"{'class':<{width}}  precision  recall  clips")
    for n, label in enumerate(confusion.labels):
        precision, recall = _percentage(confusion.precision(n)), _percentage(confusion.recall(n))
        print(f"{label:<{width}}  {precision:>9}  {recall:>6}  {int(confusion.matrix[n].sum()):>5}")
    print_confusion(confusion)
    for clip, truth in evaluation.misclassified:
        print(f"misclassified: {clip.clip} is {truth}, taken for {clip.label} ({clip.score:.3f})")


def print_evaluation_json(evaluation: "Evaluation") -> None:
    """The evaluation as one object."""
    confusion = evaluation.confusion
    per_class = {
        label: {
            "precision": confusion.precision(n),
            "recall": confusion.recall(n),
            "count": int(confusion.matrix[n].sum()),
        }
        for n, label in enumerate(confusion.labels)
    }
    content = {
        "accuracy": confusion.accuracy,
        "correct": confusion.correct,
        "count": confusion.count,
        "classes": confusion.labels,
        "confusion": confusion.matrix.tolist(),
        "per_class": per_class,
        "misclassified": [
            {"clip": clip.clip, "class": truth, "label": clip.label, "score": clip.score}
            for clip, truth in evaluation.misclassified
        ],
        "skipped": [{"path": error.path, "reason": error.reason} for error in evaluation.skipped],
    }
    print(json.dumps(content, indent=1, ensure_ascii=False))


def _percentage(share: float | None) -> str:
    return "-" if share is None else f"{share:.1%}"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" + ("" if number == 1 else "s")
