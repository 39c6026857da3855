"""CSV for spreadsheets and programs: column names, then a line per clip, segment or window."""

import csv
import sys

from audionet.formats.base import Printer, T
from audionet.inference.clips import ClipScores
from audionet.inference.streaming import WindowPrediction
from audionet.inference.windows import Timeline, Windows
from audionet.system.text import spreadsheet_cell

TERMINATOR = "\r\n"


class _Lines:
    """Standard output, where each line ends in a line feed alone."""

    def write(self, line: str) -> None:
        sys.stdout.write(f"{line.removesuffix(TERMINATOR)}\n")


class CsvPrinter(Printer[T]):
    """Rows as soon as they are known, in which no spreadsheet finds a formula.

    columns, last_columns: their names, before and after those of the classes' scores.
    """

    columns: tuple[str, ...] = ()
    last_columns: tuple[str, ...] = ()
    has_scores = False

    def begin(self) -> None:
        """Print the names of the columns."""
        # A character of the terminator is quoted where it stands in a cell; so all are in it that could end a line.
        self._writer = csv.writer(_Lines(), lineterminator=TERMINATOR)
        scores = [f"score {label}" for label in self._labels if self.has_scores]
        self.write([*self.columns, *scores, *self.last_columns])

    def write(self, row: list[str]) -> None:
        """Print a row."""
        self._writer.writerow(map(spreadsheet_cell, row))

    def verdict(self, clip: ClipScores) -> list[str]:
        """The label and its score, the score of each class, the best class and why it is unknown, as text."""
        scores = [clip.score, *(clip.scores[label] for label in self._labels)]
        return [clip.label, *(f"{score:.6f}" for score in scores), clip.best, clip.why_unknown]


class CsvLabels(CsvPrinter[ClipScores]):
    """A line per clip: the clip, its label and score, the score of each class, the best class, why it is unknown."""

    columns = ("clip", "label", "score")
    has_scores = True
    last_columns = ("best", "reason")

    def print_clip(self, clip: ClipScores) -> None:
        """Print one clip."""
        self.write([clip.clip, *self.verdict(clip)])


class CsvTimelines(CsvPrinter[Timeline]):
    """A line a segment: the clip, start and end in seconds, label and score."""

    columns = ("clip", "start_seconds", "end_seconds", "label", "score")

    def print_clip(self, clip: Timeline) -> None:
        """Print one clip."""
        for s in clip.segments:
            self.write([clip.clip, f"{s.start_seconds:.2f}", f"{s.end_seconds:.2f}", s.label, f"{s.score:.6f}"])


class CsvWindows(CsvPrinter[Windows]):
    """A line per window: the clip, start and end in seconds, the best class and its score, then that of each class, and
    whether anything is heard."""

    columns = ("clip", "start_seconds", "end_seconds", "best", "score")
    has_scores = True
    last_columns = ("audible",)

    def print_clip(self, clip: Windows) -> None:
        """Print one clip."""
        for window in clip.windows:
            best, score = clip.best(window)
            times = [f"{window.start_seconds:.2f}", f"{window.end_seconds:.2f}"]
            scores = [f"{value:.6f}" for value in (score, *window.scores)]
            self.write([clip.clip, *times, best, *scores, "true" if window.has_signal else "false"])


class CsvHeard(CsvPrinter[WindowPrediction]):
    """A line per window that a microphone heard: when, and then as of a clip."""

    columns = ("time", "start_seconds", "end_seconds", "label", "score")
    has_scores = True
    last_columns = ("best", "reason")

    def print_clip(self, clip: WindowPrediction) -> None:
        """Print one window."""
        times = [f"{clip.start_seconds:.2f}", f"{clip.end_seconds:.2f}"]
        self.write([clip.time.isoformat(timespec="milliseconds"), *times, *self.verdict(clip.scores)])
