"""What `evaluate` prints, as text and as JSON; and the confusions that `retrain` shows too."""

import json
import math
from typing import TYPE_CHECKING

from audionet.system.text import columns, count, duration, padded, printable

if TYPE_CHECKING:
    from audionet.evaluation.confusion import Confusion
    from audionet.evaluation.detection import Detection
    from audionet.inference.clips import ClipScores
    from audionet.report.evaluation import Evaluation

MISTAKES_SHOWN = 20
CLASSES_IN_TABLE = 20


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
    width = max(map(columns, confusion.labels))
    cell = max(3, *(len(number) + 1 for number in numbers), len(str(len(confusion.labels))))
    print("confusion (rows: the truth, columns: taken for)")
    print(" " * (width + 4) + " ".join(f"{n:>{cell}}" for n in range(1, len(confusion.labels) + 1)))
    for n, (label, row) in enumerate(zip(confusion.labels, confusion.matrix, strict=True), start=1):
        print(f"{n:>3} {padded(label, width)}" + " ".join(f"{number:>{cell}}" for number in row))


def print_evaluation(evaluation: "Evaluation") -> None:
    """Accuracy, precision and recall of each class, the confusion matrix, and each clip that was misclassified."""
    from audionet.annotation.parts import span  # it loads NumPy, which the help does without

    confusion = evaluation.confusion
    clips = evaluation.clips
    unknown, right = len(evaluation.unknown), sum(clip.label == truth for clip, truth in clips)
    wrong = len(clips) - right - unknown
    print(f"{count(len(clips), 'clip')}: {right:,} right, {wrong:,} wrong, {unknown:,} called unknown")
    which = "one by its" if unknown == 1 else "ones by their"
    print(f"accuracy: {accuracy(confusion, 'clip')}" + (f", the unknown {which} best class" if unknown else ""))
    width = max(5, *map(columns, confusion.labels))
    print(f"{'class':<{width}}  precision  recall  clips")
    for n, label in enumerate(confusion.labels):
        precision, recall = _percentage(confusion.precision(n)), _percentage(confusion.recall(n))
        print(f"{padded(label, width)}  {precision:>9}  {recall:>6}  {int(confusion.matrix[n].sum()):>5}")
    print_confusion(confusion)
    for clip, truth in evaluation.misclassified:
        whether = ", called unknown" if clip.is_unknown else ""
        name = printable(clip.clip) + (f" ({span(clip.part)})" if clip.part else "")
        print(f"misclassified: {name} is {truth}, taken for {clip.best} ({clip.score:.3f}){whether}")
    if evaluation.detection:
        _print_detection(evaluation.detection)


def _print_detection(detection: "Detection") -> None:
    """What was found in annotated recordings: F1 of events and seconds, and the errors of a timeline."""
    recordings = count(detection.recordings, "annotated recording")
    print(f"{recordings}, {duration(detection.seconds)}, listened to by --{detection.kind}")
    events = f"events (collar {detection.collar_seconds:g} s)"
    for noun, counts in ((events, detection.events), ("segments", detection.segments)):
        print(
            f"{noun}: F1 {counts.f1:.1%} (precision {counts.precision:.1%}, recall {counts.recall:.1%}; "
            f"{counts.correct} of {counts.reference} found, {counts.found - counts.correct} false)"
        )
    if detection.kind == "timeline":
        errors, by_name = detection.diarization, detection.identification
        total = errors.total or 1.0
        print(
            f"diarisation error: {errors.rate:.1%} (missed {errors.missed / total:.1%}, confused "
            f"{errors.confused / total:.1%}, false alarm {errors.false_alarm / total:.1%}); by name {by_name.rate:.1%}"
        )


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
            {"clip": clip.clip, "class": truth, "label": clip.best, "score": clip.score} | _place(clip)
            for clip, truth in evaluation.misclassified
        ],
        "skipped": [{"path": error.path, "reason": error.reason} for error in evaluation.skipped],
    }
    if evaluation.detection:
        content["detection"] = evaluation.detection.to_json()
    print(json.dumps(content, indent=1, ensure_ascii=False))


def _place(clip: "ClipScores") -> dict[str, float | None]:
    """The times of a part of a recording; an end of None is the recording's."""
    if clip.part is None:
        return {}
    start, end = clip.part
    return {"start_seconds": start, "end_seconds": None if math.isinf(end) else end}


def accuracy(confusion: "Confusion", noun: str) -> str:
    """`95.0% (19 of 20 clips; between 76.4% and 99.1%)`: with the 95 % interval."""
    low, high = confusion.interval
    counted = f"{confusion.correct:,} of {count(confusion.count, noun)}"
    return f"{confusion.accuracy:.1%} ({counted}; between {low:.1%} and {high:.1%})"


def _percentage(share: float | None) -> str:
    return "-" if share is None else f"{share:.1%}"
