"""What `prepare`, `retrain` and `doctor` say that they did, for people."""

import statistics
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from audionet.dataset.names import split_chunk_name
from audionet.formats.evaluation import CLASSES_IN_TABLE, MISTAKES_SHOWN, accuracy, print_confusion
from audionet.system.text import clock, colored, count, listed, printable

if TYPE_CHECKING:
    from audionet.commands.doctor import Finding
    from audionet.commands.prepare import PrepareReport
    from audionet.commands.retrain import RetrainReport
    from audionet.evaluation.result import EvaluationResult

MOVES_SHOWN = 5


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
        f"{report.made:,} drawn ({count(report.made_chunks, 'picture')}), "
        f"{report.kept:,} unchanged ({count(report.kept_chunks, 'picture')}), {len(report.skipped):,} skipped"
    )
    _print_gone(report)
    print(f"pictures are in {report.image_dir}")
    if report.contact_sheets:
        print(f"contact sheets: {', '.join(path.name for path in report.contact_sheets[:CLASSES_IN_TABLE])}")


def _print_gone(report: "PrepareReport") -> None:
    """Where recordings went, and what became of the pictures of those that are gone."""
    for old, new in list(report.moved.items())[:MOVES_SHOWN]:
        print(f"moved: {printable(old)} is now {printable(new)}, and learnt as that alone")
    if len(report.moved) > MOVES_SHOWN:
        print(f"and {count(len(report.moved) - MOVES_SHOWN, 'more recording')} moved or renamed")
    deleted = len(report.removed) - len(report.moved)
    if deleted > 0:
        whose = "its pictures" if deleted == 1 else "their pictures"
        print(f"{count(deleted, 'recording')} gone, {whose} deleted (--keep-gone keeps them)")
    if report.gone:
        whose = "its pictures are" if len(report.gone) == 1 else "their pictures are"
        print(f"{count(len(report.gone), 'recording')} gone, {whose} kept and learnt from, as --keep-gone asks")


def print_retrained(report: "RetrainReport", mistakes_shown: int | None = MISTAKES_SHOWN) -> None:
    """What `retrain` did and how good the model is; mistakes_shown None is all."""
    print(
        f"{count(sum(report.pictures.values()), 'picture')} of {count(len(report.labels), 'class')}; "
        f"bottlenecks: {report.computed:,} computed, {report.cached:,} from the cache"
    )
    held_out = report.held_out
    if held_out and held_out.fold_accuracies:
        print(f"measured in {len(held_out.fold_accuracies)} folds, each recording held out once")
    else:
        print("split: " + ", ".join(f"{number:,} {part}" for part, number in report.pictures.items()))
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
    """How good the model is on what was held out: the accuracy, the confusions, and the pictures that are wrong."""
    confusion = held_out.confusion
    folds = held_out.fold_accuracies
    spread = f", {statistics.mean(folds):.1%} +- {statistics.pstdev(folds):.1%} over folds" if folds else ""
    print(f"held-out accuracy: {accuracy(confusion, 'picture')} from {held_out.of_what}{spread}")
    print_confusion(confusion)
    by_recording = Counter(split_chunk_name(mistake.picture)[0] for mistake in held_out.mistakes)
    if len(by_recording) < len(held_out.mistakes):
        named = [f"{printable(name)} ({count(times, 'chunk')})" for name, times in by_recording.most_common()]
        print(f"misclassified by recording: {listed(named, most=5)}")
    for mistake in held_out.mistakes[:mistakes_shown]:
        place = f"{clock(mistake.start_seconds)} to {clock(mistake.end_seconds)}"
        print(
            f"misclassified: {printable(mistake.picture)} ({place}) "
            f"is {mistake.class_name}, taken for {mistake.label} ({mistake.score:.3f})"
        )
    if mistakes_shown is not None and len(held_out.mistakes) > mistakes_shown:
        print(f"and {len(held_out.mistakes) - mistakes_shown} more (--print-misclassified-test-images shows them)")
