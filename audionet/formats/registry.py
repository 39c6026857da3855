"""Which printer prints what, by the names of the formats."""

from typing import Any

from audionet.formats.base import Printer
from audionet.formats.csv import CsvHeard, CsvLabels, CsvTimelines
from audionet.formats.json import JsonHeard, JsonLabels, JsonLineLabels, JsonLineTimelines, JsonTimelines
from audionet.formats.rttm import RttmTimelines
from audionet.formats.text import TextHeard, TextLabels, TextTimelines

Printers = dict[str, type[Printer[Any]]]

LABELS: Printers = {"text": TextLabels, "json": JsonLabels, "csv": CsvLabels}
TIMELINES: Printers = {"text": TextTimelines, "json": JsonTimelines, "csv": CsvTimelines, "rttm": RttmTimelines}
# Without end: what each prints stands for itself.
HEARD: Printers = {"text": TextHeard, "json": JsonHeard, "csv": CsvHeard}
WATCHED_LABELS: Printers = LABELS | {"json": JsonLineLabels}
WATCHED_TIMELINES: Printers = TIMELINES | {"json": JsonLineTimelines}
