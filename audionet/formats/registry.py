"""Which printer prints what, by the names of the formats."""

from typing import Any

from audionet.formats.audacity import AudacityLabels
from audionet.formats.base import Printer
from audionet.formats.csv import CsvHeard, CsvLabels, CsvTimelines, CsvWindows
from audionet.formats.elan import ElanTable
from audionet.formats.json import JsonEvents, JsonHeard, JsonLabels, JsonTimelines, JsonWindows
from audionet.formats.raven import RavenSelections
from audionet.formats.rttm import RttmTimelines
from audionet.formats.subtitles import SrtSubtitles, WebVttSubtitles
from audionet.formats.text import TextHeard, TextLabels, TextTimelines, TextWindows
from audionet.formats.textgrid import TextGrid

Printers = dict[str, type[Printer[Any]]]

# What is said of a clip -> the formats that it can be said in.
OF_TOOLS: Printers = {
    "rttm": RttmTimelines,
    "audacity": AudacityLabels,
    "raven": RavenSelections,
    "textgrid": TextGrid,
    "srt": SrtSubtitles,
    "vtt": WebVttSubtitles,
    "elan": ElanTable,
}
PRINTERS: dict[str, Printers] = {
    "labels": {"text": TextLabels, "json": JsonLabels, "csv": CsvLabels},
    "timeline": {"text": TextTimelines, "json": JsonTimelines, "csv": CsvTimelines, **OF_TOOLS},
    "events": {"text": TextTimelines, "json": JsonEvents, "csv": CsvTimelines, **OF_TOOLS},
    "windows": {"text": TextWindows, "json": JsonWindows, "csv": CsvWindows, **OF_TOOLS},
}
# What a microphone hears, a window a line.
HEARD: Printers = {"text": TextHeard, "json": JsonHeard, "csv": CsvHeard}
