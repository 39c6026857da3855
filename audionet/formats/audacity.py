"""Audacity's label track: File > Import > Labels."""

from audionet.formats.base import OneClipPrinter
from audionet.inference.windows import Timeline
from audionet.system.text import printable


class AudacityLabels(OneClipPrinter):
    """A line a segment: start and end in seconds and the label, with tabs between."""

    name = "audacity"

    def print_clip(self, clip: Timeline) -> None:
        """Print the one clip."""
        for segment in clip.segments:
            label = printable(segment.label)
            print(f"{segment.start_seconds:.6f}\t{segment.end_seconds:.6f}\t{label}")
