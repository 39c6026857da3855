"""Text for people: a block per clip, as soon as it is known; of a microphone a line per window."""

import sys

from audionet.formats.base import Printer
from audionet.inference.clips import ClipScores
from audionet.inference.streaming import WindowPrediction
from audionet.inference.windows import Timeline, Windows
from audionet.system.text import clock, colored, columns, padded, printable


class TextLabels(Printer[ClipScores]):
    """The best classes of each clip."""

    def print_clip(self, clip: ClipScores) -> None:
        """Print one clip."""
        width = max(map(columns, self._labels))
        note = colored(f": unknown, {clip.explanation}", "yellow", sys.stdout) if clip.is_unknown else ""
        print(printable(clip.clip) + note)
        for label, score in clip.best_first()[: self._top]:
            line = f"  {padded(label, width)}  {score:.3f}"
            print(colored(line, "bold", sys.stdout) if label == clip.label else line)


class TextTimelines(Printer[Timeline]):
    """A line a segment, or event; `no events` where there is none."""

    def print_clip(self, clip: Timeline) -> None:
        """Print one clip."""
        print(printable(clip.clip) + ("" if clip.segments else ": no events"))
        width = max((columns(segment.label) for segment in clip.segments), default=0)
        for segment in clip.segments:
            times = f"{clock(segment.start_seconds):>8} to {clock(segment.end_seconds):>8}"
            print(f"  {times}  {padded(segment.label, width)}  {segment.score:.3f}")


class TextWindows(Printer[Windows]):
    """A line per window: from when to when, and its best classes."""

    def print_clip(self, clip: Windows) -> None:
        """Print one clip."""
        print(printable(clip.clip))
        for window in clip.windows:
            best = sorted(zip(self._labels, window.scores.tolist(), strict=True), key=lambda pair: -pair[1])
            scores = "  ".join(f"{label} {score:.3f}" for label, score in best[: self._top])
            scores += "" if window.has_signal else "  (silence)"
            print(f"  {window.start_seconds:9.2f} to {window.end_seconds:9.2f}  {scores}")


class TextHeard(Printer[WindowPrediction]):
    """The time of day, the class and its score."""

    def print_clip(self, clip: WindowPrediction) -> None:
        """Print one window."""
        scores = clip.scores
        width = max(columns(label) for label in (*self._labels, scores.label))
        line = f"{padded(scores.label, width)}  {scores.score:.3f}"
        if not clip.has_signal:
            line = "silence"
        elif scores.is_unknown:
            line = colored(f"{line}  {scores.explanation}", "yellow", sys.stdout)
        print(f"{clip.time:%H:%M:%S}  {line}")
