"""Praat's TextGrid, in its long text form."""

from collections.abc import Sequence

from audionet.formats.base import OneClipPrinter, tier_name, tiers_of
from audionet.inference.windows import Segment, Timeline
from audionet.system.text import printable

DECIMALS = 6


class TextGrid(OneClipPrinter):
    """Tiers of intervals without gaps; between events they have no text. One tier, and more where events overlap.

    Of windows, each ends where the next begins.
    """

    name = "textgrid"

    def print_clip(self, clip: Timeline) -> None:
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
                print(f'            text = "{quoted}"')


def _without_gaps(segments: Sequence[Segment], seconds: float) -> list[tuple[float, float, str]]:
    """The intervals of a tier: start, end and text. Times are as they are written, so that no gap is without length."""
    intervals: list[tuple[float, float, str]] = []
    starts = [round(segment.start_seconds, DECIMALS) for segment in segments]
    at, seconds = 0.0, round(seconds, DECIMALS)
    for segment, start, following in zip(segments, starts, [*starts[1:], seconds], strict=False):
        if start > at:
            intervals.append((at, start, ""))
        at = min(round(segment.end_seconds, DECIMALS), following)
        intervals.append((start, at, printable(segment.label)))
    if at < seconds:
        intervals.append((at, seconds, ""))
    return intervals
