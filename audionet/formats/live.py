"""What `label` prints as it listens or watches: without end, so that each line stands for itself."""

import csv
import json
import sys
from abc import ABC, abstractmethod
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from audionet.formats.clips import (
    LABEL_PRINTERS,
    TIMELINE_PRINTERS,
    JsonLabels,
    JsonTimelines,
    Printer,
)
from audionet.system.terminal import colored

if TYPE_CHECKING:
    from audionet.inference.clips import ClipScores
    from audionet.inference.streaming import WindowPrediction
    from audionet.inference.timeline import Timeline


class JsonLineLabels(JsonLabels):
    """An object a clip, on one line."""

    def add(self, clip: "ClipScores") -> None:
        """Print one clip."""
        super().add(clip)
        _print_object(self._clips.pop())

    def finish(self) -> None:
        """Everything has been printed."""


class JsonLineTimelines(JsonTimelines):
    """An object a clip, on one line."""

    def add(self, clip: "Timeline") -> None:
        """Print one clip."""
        super().add(clip)
        _print_object(self._clips.pop())

    def finish(self) -> None:
        """Everything has been printed."""


WATCH_LABEL_PRINTERS: dict[str, type[Printer[Any]]] = {**LABEL_PRINTERS, "json": JsonLineLabels}
WATCH_TIMELINE_PRINTERS: dict[str, type[Printer[Any]]] = {**TIMELINE_PRINTERS, "json": JsonLineTimelines}


class WindowPrinter(ABC):
    """Prints what a microphone hears, window by window. `start` is when it began to listen."""

    def __init__(self, labels: list[str], start: datetime) -> None:
        self._labels, self._start = labels, start

    def time_of(self, window: "WindowPrediction") -> datetime:
        """When a window began."""
        return self._start + timedelta(seconds=window.start_seconds)

    @abstractmethod
    def add(self, window: "WindowPrediction") -> None:
        """Print one window."""


class TextWindows(WindowPrinter):
    """The time of day, the class and its score."""

    def add(self, window: "WindowPrediction") -> None:
        """Print one window."""
        found = window.scores
        width = max(len(label) for label in (*self._labels, found.label))
        line = f"{found.label:<{width}}  {found.score:.3f}"
        if not window.has_signal:
            line = "silence"
        elif found.is_unknown:
            line = colored(f"{line}  most like {found.best}", "yellow", sys.stdout)
        print(f"{self.time_of(window):%H:%M:%S}  {line}", flush=True)


class JsonLineWindows(WindowPrinter):
    """An object a window, on one line."""

    def add(self, window: "WindowPrediction") -> None:
        """Print one window."""
        found = window.scores
        _print_object(
            {
                "time": self.time_of(window).isoformat(timespec="milliseconds"),
                "start_seconds": window.start_seconds,
                "end_seconds": window.end_seconds,
                "audible": window.has_signal,
                "label": found.label,
                "best": found.best,
                "score": found.score,
                "scores": dict(found.best_first()),
            }
        )


class CsvWindows(WindowPrinter):
    """A line a window: when, the label and its score, then the score of each class."""

    def __init__(self, labels: list[str], start: datetime) -> None:
        super().__init__(labels, start)
        self._writer = csv.writer(sys.stdout, lineterminator="\n")
        columns = ["time", "start_seconds", "end_seconds", "label", "score"]
        self._writer.writerow([*columns, *(f"score {label}" for label in labels)])

    def add(self, window: "WindowPrediction") -> None:
        """Print one window."""
        found = window.scores
        times = [f"{window.start_seconds:.2f}", f"{window.end_seconds:.2f}"]
        scores = [f"{found.scores[label]:.6f}" for label in self._labels]
        time = self.time_of(window).isoformat(timespec="milliseconds")
        self._writer.writerow([time, *times, found.label, f"{found.score:.6f}", *scores])
        sys.stdout.flush()


WINDOW_PRINTERS: dict[str, type[WindowPrinter]] = {"text": TextWindows, "json": JsonLineWindows, "csv": CsvWindows}


def _print_object(content: dict[str, Any]) -> None:
    print(json.dumps(content, ensure_ascii=False), flush=True)
