"""A table that ELAN imports: File > Import > CSV / Tab-delimited Text File."""

from typing import TYPE_CHECKING

from audionet.formats.csv import CsvPrinter

if TYPE_CHECKING:
    from audionet.inference.windows import Timeline

TIER = "audionet"


class ElanTable(CsvPrinter["Timeline"]):
    """A row a segment: tier, begin, end and duration in seconds, annotation, score and the recording."""

    columns = (
        "Tier", "Begin Time - ss.msec", "End Time - ss.msec", "Duration - ss.msec", "Annotation", "Score", "File"
    )  # fmt: skip

    def add(self, clip: "Timeline") -> None:
        """Print one clip."""
        rows = []
        for segment in clip.segments:
            times = segment.start_seconds, segment.end_seconds, segment.end_seconds - segment.start_seconds
            seconds = [f"{time:.3f}" for time in times]
            rows.append([TIER, *seconds, segment.label, f"{segment.score:.4f}", clip.clip])
        self.write(rows)
