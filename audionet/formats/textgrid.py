"""Praat's TextGrid, in its long text form."""

from typing import TYPE_CHECKING

from audionet.formats.base import OneClipPrinter
from audionet.system.text import printable

if TYPE_CHECKING:
    from audionet.inference.windows import Timeline

TIER = "audionet"


class TextGrid(OneClipPrinter):
    """One tier of intervals without gaps; between events they have no text. What overlaps ends where the next begins,
    since intervals cannot."""

    name = "textgrid"

    def print_clip(self, clip: "Timeline") -> None:
        """Print the one clip."""
        intervals: list[tuple[float, float, str]] = []
        segments = sorted(clip.segments, key=lambda segment: segment.start_seconds)
        starts = [segment.start_seconds for segment in segments[1:]]
        at = 0.0
        for segment, following in zip(segments, [*starts, clip.seconds], strict=False):
            if segment.start_seconds > at:
                intervals.append((at, segment.start_seconds, ""))
            at = min(segment.end_seconds, following)
            intervals.append((segment.start_seconds, at, printable(segment.label)))
        if at < clip.seconds:
            intervals.append((at, clip.seconds, ""))
        print('File type = "ooTextFile"\nObject class = "TextGrid"\n')
        print(f"xmin = 0\nxmax = {clip.seconds:.6f}\ntiers? <exists>\nsize = 1\nitem []:\n    item [1]:")
        print(f'        class = "IntervalTier"\n        name = "{TIER}"\n        xmin = 0')
        print(f"        xmax = {clip.seconds:.6f}\n        intervals: size = {len(intervals)}")
        for number, (start, end, text) in enumerate(intervals, start=1):
            quoted = text.replace('"', '""')
            print(f"        intervals [{number}]:\n            xmin = {start:.6f}\n            xmax = {end:.6f}")
            print(f'            text = "{quoted}"', flush=True)
