"""Rich Transcription Time Marked, as tools for speaker diarisation read it (NIST, 2009)."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from audionet.formats.base import Printer
from audionet.system.text import printable

if TYPE_CHECKING:
    from audionet.inference.windows import Timeline

NOT_KNOWN = "<NA>"


class RttmTimelines(Printer["Timeline"]):
    """A line a segment. Spaces in names become underscores; unknown stretches are left out. No field is empty."""

    def add(self, clip: "Timeline") -> None:
        """Print one clip."""
        for segment in clip.segments:
            if segment.label in self._labels:
                name, label = (_field(text) for text in (Path(clip.clip).stem, segment.label))
                seconds = segment.end_seconds - segment.start_seconds
                print(f"SPEAKER {name} 1 {segment.start_seconds:.3f} {seconds:.3f} <NA> <NA> {label} <NA> <NA>")
        sys.stdout.flush()


def _field(text: str) -> str:
    return "_".join(printable(text).split()) or NOT_KNOWN
