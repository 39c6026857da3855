"""JSON for programs: a list with an object a clip; without end, an object a line."""

import json
import sys
from abc import abstractmethod
from typing import Any

from audionet.formats.base import Printer, T
from audionet.inference.clips import ClipScores
from audionet.inference.scoring import ChunkScores
from audionet.inference.streaming import WindowPrediction
from audionet.inference.windows import Timeline, Windows


class JsonPrinter(Printer[T]):
    """A list, one object a clip; of clips without end, each object on a line of its own, as soon as it is known."""

    def begin(self) -> None:
        """Begin the list."""
        self._objects: list[dict[str, Any]] = []

    @abstractmethod
    def to_json(self, clip: T) -> dict[str, Any]:
        """A clip as plain values."""

    def print_clip(self, clip: T) -> None:
        """Keep one clip, or print its line."""
        if self._endless:
            print(json.dumps(self.to_json(clip), ensure_ascii=False))
        else:
            self._objects.append(self.to_json(clip))

    def finish(self) -> None:
        """Print the list."""
        if not self._endless:
            json.dump(self._objects, sys.stdout, indent=1, ensure_ascii=False)  # piece by piece: it may be long
            print()


class JsonLabels(JsonPrinter[ClipScores]):
    """The scores of each clip."""

    def to_json(self, clip: ClipScores) -> dict[str, Any]:
        """One clip."""
        why = {"reason": clip.why_unknown} if clip.is_unknown else {}
        several = {"several": list(clip.several)} if clip.several else {}
        typical = {} if clip.typicality is None else {"typicality": clip.typicality}
        return {
            "clip": clip.clip,
            "label": clip.label,
            "best": clip.best,
            "score": clip.score,
            "scores": dict(clip.best_first()),
            "seconds": clip.seconds,
        } | (typical | why | several)


class JsonTimelines(JsonPrinter[Timeline]):
    """The segments of each clip."""

    key = "segments"

    def to_json(self, clip: Timeline) -> dict[str, Any]:
        """One clip."""
        return {"clip": clip.clip, self.key: [segment.to_json() for segment in clip.segments]}


class JsonEvents(JsonTimelines):
    """The events of each clip."""

    key = "events"


class JsonWindows(JsonPrinter[Windows]):
    """The windows of each clip, with the scores of all classes."""

    def to_json(self, clip: Windows) -> dict[str, Any]:
        """One clip."""
        return {"clip": clip.clip, "windows": [self._window(clip, window) for window in clip.windows]}

    def _window(self, clip: Windows, window: ChunkScores) -> dict[str, Any]:
        best, score = clip.best(window)
        return {
            "start_seconds": window.start_seconds,
            "end_seconds": window.end_seconds,
            "audible": bool(window.has_signal),
            "best": best,
            "score": score,
            "scores": dict(zip(self._labels, window.scores.tolist(), strict=True)),
        }


class JsonHeard(JsonPrinter[WindowPrediction]):
    """The windows that a microphone heard."""

    def to_json(self, clip: WindowPrediction) -> dict[str, Any]:
        """One window."""
        scores = clip.scores
        return {
            "time": clip.time.isoformat(timespec="milliseconds"),
            "start_seconds": clip.start_seconds,
            "end_seconds": clip.end_seconds,
            "audible": clip.has_signal,
            "label": scores.label,
            "best": scores.best,
            "score": scores.score,
            "scores": dict(scores.best_first()),
        } | ({"reason": scores.why_unknown} if scores.is_unknown else {})
