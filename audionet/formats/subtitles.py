"""Subtitles, to see the labels while a film runs: SRT (SubRip) and WebVTT (W3C)."""

import html
from typing import TYPE_CHECKING

from audionet.formats.base import OneClipPrinter, in_milliseconds
from audionet.system.text import printable

if TYPE_CHECKING:
    from audionet.inference.windows import Timeline


class SrtSubtitles(OneClipPrinter):
    """A numbered block a segment."""

    name = "srt"

    def print_clip(self, clip: "Timeline") -> None:
        """Print the one clip."""
        for number, segment in enumerate(clip.segments, start=1):
            times = " --> ".join(_time(border, ",") for border in in_milliseconds(segment))
            print(f"{number}\n{times}\n{_in_a_cue(segment.label)}\n")


class WebVttSubtitles(OneClipPrinter):
    """A cue a segment."""

    name = "vtt"

    def print_clip(self, clip: "Timeline") -> None:
        """Print the one clip."""
        print("WEBVTT\n")
        for segment in clip.segments:
            times = " --> ".join(_time(border, ".") for border in in_milliseconds(segment))
            print(f"{times}\n{html.escape(_in_a_cue(segment.label), quote=False)}\n")


def _time(milliseconds: int, point: str) -> str:
    """`01:02:03,456`."""
    minutes, rest = divmod(milliseconds, 60_000)
    return f"{minutes // 60:02}:{minutes % 60:02}:{rest // 1000:02}{point}{rest % 1000:03}"


def _in_a_cue(label: str) -> str:
    """A label that no reader takes for a line of times."""
    return printable(label).replace("-->", "->")
