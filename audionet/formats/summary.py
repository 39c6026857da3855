"""What people and programs read: results on standard output, progress and warnings on standard error."""

import json
import logging
import statistics
import sys
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

from audionet.system.terminal import colored
from audionet.system.text import clock, count, printable

if TYPE_CHECKING:
    from audionet.commands.doctor import Finding
    from audionet.commands.evaluate import Evaluation
    from audionet.commands.prepare import PrepareReport
    from audionet.commands.retrain import RetrainReport
    from audionet.evaluation.confusion import Confusion
    from audionet.evaluation.result import EvaluationResult


MISTAKES_SHOWN = 20
CLASSES_IN_TABLE = 20


def configure_logging(verbosity: str = "INFO") -> None:
    """Send audionet's warnings to standard error, a line each, and nobody else's.

    verbosity: the least important level shown: DEBUG, INFO, WARN, ERROR or FATAL.
    """
    # Pillow's, of pictures that are refused all the same, with the file's name, or can be read.
    warnings.filterwarnings("ignore", message="Image size .* exceeds limit")
    warnings.filterwarnings("ignore", module=r"PIL\.")
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Formatter("audionet: %(message)s"))
    root = logging.getLogger("audionet")
    root.handlers[:] = [handler]
    root.setLevel(verbosity)
    root.propagate = False
    for stream in (sys.stdout, sys.stderr):
        # A file name that the terminal cannot show must not end the program.
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    if hasattr(sys.stdout, "reconfigure") and not sys.stdout.isatty():
        # Programs read JSON and CSV as UTF-8; on Windows a pipe would get the system's old encoding.
        sys.stdout.reconfigure(encoding="utf-8", errors="backslashreplace")


class _Formatter(logging.Formatter):
    """Warnings in yellow, errors in red."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802
        """One line, whatever characters the file names in it hold."""
        return printable(super().formatMessage(record))

    def format(self, record: logging.LogRecord) -> str:
        """In colour on a terminal."""
        text = super().format(record)
        if record.levelno < logging.WARNING:
            return text
        return colored(text, "red" if record.levelno >= logging.ERROR else "yellow", sys.stderr)


def print_line(text: str) -> None:
    """One line, or several, as they are."""
    print(text)


def print_findings(findings: "list[Finding]") -> None:
    """What `doctor` found, a line each."""
    for finding in findings:
        verdict = colored("ok     ", "green", sys.stdout) if finding.healthy else colored("PROBLEM", "red", sys.stdout)
        print(f"{verdict}  {finding.name:<8}  {finding.text}")


def print_prepared(report: "PrepareReport") -> None:
    """What `prepare` did, in three lines at most."""
    print(
        f"{count(report.made + report.kept, 'recording')}: "
        f"{report.made} drawn ({count(report.made_chunks, 'picture')}), "
        f"{report.kept} unchanged ({count(report.kept_chunks, 'picture')}), {len(report.skipped)} skipped"
    )
    if report.removed:
        print(f"{count(len(report.removed), 'recording')} gone, their pictures deleted")
    if report.gone:
        print(f"{count(len(report.gone), 'recording')} gone, their pictures kept (--prune deletes them)")
    print(f"pictures are in {report.image_dir}")
    if report.contact_sheets:
        print(f"contact sheets: {', '.join(path.name for path in report.contact_sheets[:CLASSES_IN_TABLE])}")


def print_retrained(report: "RetrainReport", mistakes_shown: int | None = MISTAKES_SHOWN) -> None:
    """What `retrain` did and how good the model is; mistakes_shown None is all."""
    print(
        f"{count(sum(report.pictures.values()), 'picture')} of {len(report.labels)} classes; "
        f"bottlenecks: {report.computed} computed, {report.cached} from the cache"
    )
    held_out = report.held_out
    if held_out and held_out.fold_accuracies:
        print(f"measured in {len(held_out.fold_accuracies)} folds, each recording held out once")
    else:
        print("split: " + ", ".join(f"{count} {part}" for part, count in report.pictures.items()))
    if not report.trained:
        print("nothing has changed: the model is up to date (--force trains it anew)")
    if report.validation_accuracy is not None:
        print(f"validation accuracy: {report.validation_accuracy:.1%}")
    if held_out is None:
        print("held-out accuracy: unknown, no picture was held out for testing")
    else:
        _print_held_out(held_out, mistakes_shown)
    if report.refit and held_out is not None:
        print("the model itself was then trained on all recordings, the held-out ones too (--no-refit leaves them out)")
    files = report.files
    print(f"model: {files.graph} (with {files.network.name}, {files.description.name} and {files.labels.name})")
    if report.report:
        print_report(report.report)


def print_report(path: Path) -> None:
    """Where a report lies."""
    print(f"report: {path} (open it in a browser)")


def _print_held_out(held_out: "EvaluationResult", mistakes_shown: int | None) -> None:
    confusion = held_out.confusion
    folds = held_out.fold_accuracies
    spread = f", {statistics.mean(folds):.1%} +- {statistics.pstdev(folds):.1%} over folds" if folds else ""
    print(
        f"held-out accuracy: {_accuracy(confusion, 'picture')} "
        f"from {count(held_out.recordings, 'recording')}{spread}; calibration error {held_out.calibration_error:.3f}"
    )
    print_confusion(confusion)
    for mistake in held_out.mistakes[:mistakes_shown]:
        place = f"{clock(mistake.start_seconds)} to {clock(mistake.end_seconds)}"
        print(
            f"misclassified: {printable(mistake.picture)} ({place}) "
            f"is {mistake.class_name}, taken for {mistake.label} ({mistake.score:.3f})"
        )
    if mistakes_shown is not None and len(held_out.mistakes) > mistakes_shown:
        print(f"and {len(held_out.mistakes) - mistakes_shown} more (--print-misclassified-test-images shows them)")


def print_confusion(confusion: "Confusion") -> None:
    """The confusion matrix as a table: rows are the truth, columns what it was taken for.

    Of more classes than a terminal is wide, the classes that were mixed up most.
    """
    if len(confusion.labels) > CLASSES_IN_TABLE:
        confusions = confusion.confusions()
        for truth, taken_for, times in confusions[:MISTAKES_SHOWN]:
            print(f"mixed up: {truth} was taken for {taken_for} {count(times, 'time')}")
        if len(confusions) > MISTAKES_SHOWN:
            print(f"and {count(len(confusions) - MISTAKES_SHOWN, 'other pair')} of classes")
        return
    numbers = [str(number) for number in confusion.matrix.ravel()]
    width = max(len(label) for label in confusion.labels)
    cell = max(3, *(len(number) + 1 for number in numbers), len(str(len(confusion.labels))))
    print("confusion (rows: the truth, columns: taken for)")
    print(" " * (width + 4) + " ".join(f"{n:>{cell}}" for n in range(1, len(confusion.labels) + 1)))
    for n, (label, row) in enumerate(zip(confusion.labels, confusion.matrix, strict=True), start=1):
        print(f"{n:>3} {label:<{width}}" + " ".join(f"{number:>{cell}}" for number in row))


def print_evaluation(evaluation: "Evaluation") -> None:
    """Accuracy, precision and recall of each class, the confusion matrix, and each clip that was misclassified."""
    confusion = evaluation.confusion
    print(f"accuracy: {_accuracy(confusion, 'clip')}; calibration error {evaluation.calibration_error:.3f}")
    if evaluation.unknown:
        print(f"called unknown: {count(len(evaluation.unknown), 'clip')} (counted above by their best class)")
    width = max(5, *(len(label) for label in confusion.labels))
    print(f"{'class':<{width}}  precision  recall  clips")
    for n, label in enumerate(confusion.labels):
        precision, recall = _percentage(confusion.precision(n)), _percentage(confusion.recall(n))
        print(f"{label:<{width}}  {precision:>9}  {recall:>6}  {int(confusion.matrix[n].sum()):>5}")
    print_confusion(confusion)
    for clip, truth in evaluation.misclassified:
        print(f"misclassified: {printable(clip.clip)} is {truth}, taken for {clip.best} ({clip.score:.3f})")


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
        "interval": confusion.interval,
        "calibration_error": evaluation.calibration_error,
        "unknown": len(evaluation.unknown),
        "correct": confusion.correct,
        "count": confusion.count,
        "classes": confusion.labels,
        "confusion": confusion.matrix.tolist(),
        "per_class": per_class,
        "misclassified": [
            {"clip": clip.clip, "class": truth, "label": clip.best, "score": clip.score}
            for clip, truth in evaluation.misclassified
        ],
        "skipped": [{"path": error.path, "reason": error.reason} for error in evaluation.skipped],
    }
    print(json.dumps(content, indent=1, ensure_ascii=False))


def _accuracy(confusion: "Confusion", noun: str) -> str:
    """`95.0% (19 of 20 clips; between 76.4% and 99.1%)`: with the 95 % interval."""
    low, high = confusion.interval
    counted = f"{confusion.correct} of {count(confusion.count, noun)}"
    return f"{confusion.accuracy:.1%} ({counted}; between {low:.1%} and {high:.1%})"


def _percentage(share: float | None) -> str:
    return "-" if share is None else f"{share:.1%}"
