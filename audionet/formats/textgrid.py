"""Praat's TextGrid, in its long text form."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from audionet.formats.base import OneClipPrinter, tier_name, tiers_of
from audionet.system.text import printable

if TYPE_CHECKING:
    from audionet.inference.windows import Segment, Timeline


class TextGrid(OneClipPrinter):
    """Tiers of intervals without gaps; between events they have no text. One tier, and more where events overlap.

    Of windows, each ends where the next begins.
    """

    name = "textgrid"

    def print_clip(self, clip: "Timeline") -> None:
        """Print the one clip."""
        tiers = tiers_of(clip)
        print('File type = "ooTextFile"\nObject class = "TextGrid"\n')
        print(f"xmin = 0\nxmax = {clip.seconds:.6f}\ntiers? <exists>\nsize = {len(tiers)}\nitem []:")
        for number, segments in enumerate(tiers):
            intervals = _without_gaps(segments, clip.seconds)
            print(f'    item [{number + 1}]:\n        class = "IntervalTier"\n        name = "{tier_name(number)}"')
            print(f"        xmin = 0\n        xmax = {clip.seconds:.6f}\n        intervals: size = {len(intervals)}")
            for place, (start, end, text) in enumerate(intervals, start=1):
                quoted = text.replace('"', '""')
                print(f"        intervals [{place}]:\n            xmin = {start:.6f}\n            xmax = {end:.6f}")
                print(f'            text = "{quoted}"', flush=True)


def _without_gaps(segments: "Sequence[Segment]", seconds: float) -> list[tuple[float, float, str]]:
    """The intervals of a tier: start, end and text."""
    intervals: list[tuple[float, float, str]] = []
    starts = [segment.start_seconds for segment in segments[1:]]
    at = 0.0
    for segment, following in zip(segments, [*starts, seconds], strict=False):
        if segment.start_seconds > at:
            intervals.append((at, segment.start_seconds, ""))
        at = min(segment.end_seconds, following)
        intervals.append((segment.start_seconds, at, printable(segment.label)))
    if at < seconds:
        intervals.append((at, seconds, ""))
    return intervals
