"""Subtitles, to see the labels while a film runs: SRT (SubRip) and WebVTT (W3C)."""

import html

from audionet.formats.base import OneClipPrinter, in_milliseconds
from audionet.inference.windows import Segment, Timeline
from audionet.system.text import printable


class SrtSubtitles(OneClipPrinter):
    """A numbered block a segment."""

    name = "srt"

    def print_clip(self, clip: Timeline) -> None:
        """Print the one clip."""
        for number, segment in enumerate(clip.segments, start=1):
            label = printable(segment.label).replace("-->", "->")  # which no reader takes for a line of times
            print(f"{number}\n{_cue(segment, ',')}\n{label}\n")


class WebVttSubtitles(OneClipPrinter):
    """A cue a segment."""

    name = "vtt"

    def print_clip(self, clip: Timeline) -> None:
        """Print the one clip."""
        print("WEBVTT\n")
        for segment in clip.segments:
            print(f"{_cue(segment, '.')}\n{html.escape(printable(segment.label), quote=False)}\n")


def _cue(segment: Segment, point: str) -> str:
    """`01:02:03,456 --> 01:02:04,567`."""
    borders = []
    for milliseconds in in_milliseconds(segment):
        minutes, rest = divmod(milliseconds, 60_000)
        borders.append(f"{minutes // 60:02}:{minutes % 60:02}:{rest // 1000:02}{point}{rest % 1000:03}")
    return " --> ".join(borders)
