"""A table that ELAN imports: File > Import > CSV / Tab-delimited Text File."""

from audionet.formats.base import in_milliseconds, tier_name, tiers_of
from audionet.formats.csv import CsvPrinter
from audionet.inference.windows import Timeline


class ElanTable(CsvPrinter[Timeline]):
    """A row a segment: tier, begin, end and duration in seconds, annotation, score and the recording.

    What overlaps lies in tiers of its own, since nothing in a tier can.
    """

    columns = (
        "Tier", "Begin Time - ss.msec", "End Time - ss.msec", "Duration - ss.msec", "Annotation", "Score", "File"
    )  # fmt: skip

    def print_clip(self, clip: Timeline) -> None:
        """Print one clip."""
        for number, segments in enumerate(tiers_of(clip)):
            for segment in segments:
                start, end = in_milliseconds(segment)
                seconds = [f"{milliseconds / 1000:.3f}" for milliseconds in (start, end, end - start)]
                self.write([tier_name(number), *seconds, segment.label, f"{segment.score:.4f}", clip.clip])
