"""What `label` prints of clips, in each format."""

import csv
import json
import sys
from abc import ABC, abstractmethod
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from audionet.system.terminal import colored
from audionet.system.text import clock, printable

if TYPE_CHECKING:
    from audionet.inference.clips import ClipScores
    from audionet.inference.timeline import Timeline

T = TypeVar("T")


class Printer(ABC, Generic[T]):
    """Prints what was found of clips in one format. `labels` are the model's classes, `top` how many text shows."""

    def __init__(self, labels: list[str], top: int) -> None:
        self._labels, self._top = labels, top

    @abstractmethod
    def add(self, clip: T) -> None:
        """Print one clip, or keep it for the end."""

    def finish(self) -> None:
        """Print what was kept."""


class TextLabels(Printer["ClipScores"]):
    """The best classes of each clip, a block a clip, as soon as they are known."""

    def add(self, clip: "ClipScores") -> None:
        """Print one clip."""
        width = max(map(len, self._labels))
        unknown = colored(": unknown, like none of the classes", "yellow", sys.stdout) if clip.is_unknown else ""
        print(printable(clip.clip) + unknown)
        for label, score in clip.best_first()[: self._top]:
            line = f"  {label:<{width}}  {score:.3f}"
            print(colored(line, "bold", sys.stdout) if label == clip.label else line)
        sys.stdout.flush()


class JsonLabels(Printer["ClipScores"]):
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
                "best": clip.best,
                "score": clip.score,
                "scores": dict(clip.best_first()),
                "seconds": clip.seconds,
            }
        )

    def finish(self) -> None:
        """Print them all."""
        print(json.dumps(self._clips, indent=1, ensure_ascii=False))


class CsvLabels(Printer["ClipScores"]):
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


LABEL_PRINTERS: dict[str, type[Printer["ClipScores"]]] = {"text": TextLabels, "json": JsonLabels, "csv": CsvLabels}


class TextTimelines(Printer["Timeline"]):
    """A line a segment, a block a clip."""

    def add(self, clip: "Timeline") -> None:
        """Print one clip."""
        print(printable(clip.clip))
        width = max(len(segment.label) for segment in clip.segments)
        for segment in clip.segments:
            times = f"{clock(segment.start_seconds):>8} to {clock(segment.end_seconds):>8}"
            print(f"  {times}  {segment.label:<{width}}  {segment.score:.3f}")
        sys.stdout.flush()


class JsonTimelines(Printer["Timeline"]):
    """A list, one object a clip."""

    def __init__(self, labels: list[str], top: int) -> None:
        super().__init__(labels, top)
        self._clips: list[dict[str, Any]] = []

    def add(self, clip: "Timeline") -> None:
        """Keep one clip."""
        self._clips.append({"clip": clip.clip, "segments": [segment.to_json() for segment in clip.segments]})

    def finish(self) -> None:
        """Print them all."""
        print(json.dumps(self._clips, indent=1, ensure_ascii=False))


class CsvTimelines(Printer["Timeline"]):
    """A line a segment: the clip, start and end in seconds, label and score."""

    def __init__(self, labels: list[str], top: int) -> None:
        super().__init__(labels, top)
        self._writer = csv.writer(sys.stdout, lineterminator="\n")
        self._writer.writerow(["clip", "start_seconds", "end_seconds", "label", "score"])

    def add(self, clip: "Timeline") -> None:
        """Print one clip."""
        for segment in clip.segments:
            times = [f"{segment.start_seconds:.2f}", f"{segment.end_seconds:.2f}"]
            self._writer.writerow([clip.clip, *times, segment.label, f"{segment.score:.6f}"])
        sys.stdout.flush()


class RttmTimelines(Printer["Timeline"]):
    """Rich Transcription Time Marked, as tools for speaker diarisation read it (NIST, 2009).

    Spaces in names become underscores. Unknown stretches are left out.
    """

    def add(self, clip: "Timeline") -> None:
        """Print one clip."""
        for segment in clip.segments:
            if segment.label in self._labels:
                name, label = ("_".join(printable(text).split()) for text in (Path(clip.clip).stem, segment.label))
                seconds = segment.end_seconds - segment.start_seconds
                print(f"SPEAKER {name} 1 {segment.start_seconds:.3f} {seconds:.3f} <NA> <NA> {label} <NA> <NA>")
        sys.stdout.flush()


TIMELINE_PRINTERS: dict[str, type[Printer["Timeline"]]] = {
    "text": TextTimelines,
    "json": JsonTimelines,
    "csv": CsvTimelines,
    "rttm": RttmTimelines,
}
