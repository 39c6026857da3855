"""The selection table of Raven (Cornell Lab of Ornithology), which holds many recordings."""

from pathlib import Path

from audionet.formats.base import Printer
from audionet.inference.windows import Timeline
from audionet.system.text import printable, spreadsheet_cell

COLUMNS = (
    "Selection", "View", "Channel", "Begin Time (s)", "End Time (s)", "Low Freq (Hz)", "High Freq (Hz)",
    "Begin Path", "File Offset (s)", "Label", "Score",
)  # fmt: skip


class RavenSelections(Printer[Timeline]):
    """A row a segment, with tabs between. Raven shows recordings that are opened together one after the other: its
    times run on from each to the next, and the offset is from the start of the file. The channels of one share them."""

    def begin(self) -> None:
        """Print the names of the columns."""
        self._selections, self._before, self._seconds = 0, 0.0, 0.0
        print("\t".join(COLUMNS))

    def print_clip(self, clip: Timeline) -> None:
        """Print one clip."""
        name = clip.recording or clip.clip
        path = printable(name if name == "-" else str(Path(name).absolute()))
        self._before += self._seconds if clip.channel == 1 else 0.0
        for segment in clip.segments:
            self._selections += 1
            begin, end = (self._before + seconds for seconds in segment.part)
            row = [str(self._selections), "Spectrogram 1", str(clip.channel), f"{begin:.6f}", f"{end:.6f}", "0.0"]
            row += [f"{clip.sample_rate_hz / 2:.1f}", path, f"{segment.start_seconds:.6f}", printable(segment.label)]
            print("\t".join(map(spreadsheet_cell, [*row, f"{segment.score:.4f}"])))
        self._seconds = clip.seconds
