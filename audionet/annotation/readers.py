"""Annotations that people or programs made -> what is heard in which recording from when to when. Pure readers."""

import logging
import re
from bisect import bisect
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from audionet.annotation.layouts import FREQUENCIES_SAID, layout_of, marks_parts
from audionet.annotation.tables import decoded, header_of, parse_table
from audionet.errors import AudionetError
from audionet.spectrogram.jpeg import LONGEST_START_SECONDS
from audionet.system.files import read_limited
from audionet.system.untrusted import LONGEST_TEXT, Refused, is_file
from audionet.system.untrusted import text as checked_text

logger = logging.getLogger(__name__)

LARGEST_BYTES = 64 << 20
MOST_LINES = 1_000_000
SHOWN = 40  # characters of a number that is none
SUFFIXES = (".textgrid", ".rttm", ".txt", ".csv", ".tsv")
AUDACITY = re.compile(r"\s*\d+(?:[.,]\d+)?(?:e[-+]?\d+)?\t\s*\d+(?:[.,]\d+)?(?:e[-+]?\d+)?(?:\t.*)?")
RTTM_LINES = ("SPEAKER ", "SPKR-INFO ", ";;")
TEXTGRID = "ooTextFile"
LISTING = ("path", "file", "filename", "clip", "infile")  # columns of tables that lie among recordings and list them
EMPTY = ""  # a tier's interval without text marks nothing


@dataclass(frozen=True)
class Annotation:
    """What is heard from when to when, in seconds.

    recording: as the file names it; None where the file is of one recording, which it lies beside.
    line: of the file, from 1.
    """

    recording: str | None
    start_seconds: float
    end_seconds: float
    label: str
    line: int = field(default=0, compare=False)


def read_annotations(path: Path) -> list[Annotation]:
    """The annotations in a file, in its order: a Praat TextGrid, a Raven selection table, Audacity's labels, RTTM, or a
    table with columns for start, end and label.

    Raises AudionetError, with the file, the line and what was expected, for anything else.
    """
    try:
        text = decoded(read_limited(path, LARGEST_BYTES))
    except OSError as error:
        raise AudionetError(f"{path}: cannot be read ({error.strerror})") from error
    except ValueError as error:
        raise AudionetError(f"{path}: not annotations, which are text ({error})") from error
    if text.count("\n") + text.count("\r") > 2 * MOST_LINES:
        raise AudionetError(f"{path}: has more than {MOST_LINES:,} lines; split it")
    # Raven has a row for each view, so that each selection is there twice.
    return list(dict.fromkeys(_reader_of(path, text)(path, text)))


def may_be_annotations(path: Path) -> bool:
    """Whether `read_annotations` reads a file, by its name and its beginning.

    Tables that list recordings by their paths are no annotations.
    """
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES or not is_file(path):
        return False
    columns = header_of(path)
    if marks_parts(columns):
        return suffix == ".txt" or "selection" in columns or columns.isdisjoint(LISTING)
    try:
        with open(path, "rb") as file:
            first = _first_line(decoded(file.read(4096)))
    except (OSError, ValueError):
        return False
    return _reader_of(path, first) is not _read_table


def is_table(path: Path) -> bool:
    """Whether a file of labels is a table, and no other tool's file."""
    try:
        return _reader_of(path, decoded(read_limited(path, LARGEST_BYTES))[:4096]) is _read_table
    except (OSError, ValueError):
        return True  # what reads tables has a sentence for it


def _first_line(text: str) -> str:
    return next((line for line in text.splitlines() if line.strip()), "")


def _reader_of(path: Path, text: str) -> Callable[[Path, str], list[Annotation]]:
    first = _first_line(text)
    if TEXTGRID in first:
        return _read_textgrid
    if first.startswith(RTTM_LINES) or path.suffix.lower() == ".rttm":
        return _read_rttm
    if AUDACITY.fullmatch(first):
        return _read_audacity
    return _read_table


def _annotation(path: Path, line: int, recording: str | None, start: str, end: str, label: str) -> Annotation:
    try:
        times = float(start.replace(",", ".")), float(end.replace(",", "."))
    except ValueError as error:
        raise AudionetError(
            f"{path}: line {line} has the times {start[:SHOWN]!r} and {end[:SHOWN]!r}; times are seconds"
        ) from error
    if not 0 <= times[0] <= times[1] <= LONGEST_START_SECONDS:  # which NaN is not either
        raise AudionetError(
            f"{path}: line {line} marks {start[:SHOWN]} to {end[:SHOWN]} s; a part ends after it begins"
        )
    if not label.strip():
        raise AudionetError(f"{path}: line {line} has no label; say what is heard from {start} to {end} s")
    try:
        return Annotation(recording, *times, checked_text(label.strip()), line)
    except Refused as error:
        raise AudionetError(f"{path}: line {line} has a label of over {LONGEST_TEXT} characters") from error


def _read_audacity(path: Path, text: str) -> list[Annotation]:
    annotations, has_frequencies = [], False
    for number, line in enumerate(text.splitlines(), start=1):
        if line.startswith("\\"):  # the frequencies of the label in the line before
            has_frequencies = True
            continue
        if not line.strip():
            continue
        fields = line.split("\t")
        if len(fields) < 2:
            raise AudionetError(
                f"{path}: line {number}, {line.strip()[:SHOWN]!r}, is no label of Audacity's: start, end and "
                "label, with tabs between"
            )
        annotations.append(_annotation(path, number, None, fields[0], fields[1], "\t".join(fields[2:])))
    if has_frequencies:
        logger.info(FREQUENCIES_SAID, path)
    return annotations


def _read_rttm(path: Path, text: str) -> list[Annotation]:
    annotations = []
    for number, line in enumerate(text.splitlines(), start=1):
        fields = line.split()
        if not fields or fields[0] != "SPEAKER":  # comments, and what RTTM says of others than speakers
            continue
        if len(fields) < 8:
            raise AudionetError(
                f"{path}: line {number}: a SPEAKER of RTTM has at least 8 fields, this has {len(fields)}"
            )
        if fields[2] not in ("0", "1", "<NA>"):
            raise AudionetError(
                f"{path}: line {number} is about channel {fields[2]}: save the channels as recordings of "
                "their own; which one is meant cannot be chosen for each line"
            )
        try:
            end = str(float(fields[3]) + float(fields[4]))
        except ValueError:
            end = fields[4]
        annotations.append(_annotation(path, number, fields[1], fields[3], end, fields[7]))
    return annotations


def _read_textgrid(path: Path, text: str) -> list[Annotation]:
    """Interval tiers, in the long and the short form: what is not a number, a text or a flag is for people."""
    token = re.compile(r'"[^"]*(?:""[^"]*)*"|<[a-z]+>|(?<![\w.\[])-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?(?![\w.\]])')
    start_of_body = text.find("\n", text.find("TextGrid")) + 1
    places = token.finditer(text, start_of_body)
    tokens = (place.group() for place in places)
    line_ends = [place.start() for place in re.finditer("\n", text)]
    wrong = AudionetError(f"{path}: a TextGrid that is cut off or damaged; save it from Praat again")
    annotations = []
    try:
        _, _, exists, tiers = (next(tokens) for _ in range(4))
        for _ in range(int(tiers) if exists == "<exists>" else 0):
            kind, _, _, _, count = (next(tokens) for _ in range(5))
            for _ in range(int(count)):
                if kind != '"IntervalTier"':
                    next(tokens), next(tokens)  # the time and text of a point, which has no length
                    continue
                start, end, place = next(tokens), next(tokens), next(places)
                quoted = place.group()
                label = quoted[1:-1].replace('""', '"').strip()
                if label != EMPTY:
                    line = bisect(line_ends, place.start()) + 1
                    annotations.append(_annotation(path, line, None, start, end, label))
    except (StopIteration, RuntimeError, ValueError) as error:
        raise wrong from error
    return annotations


def _read_table(path: Path, text: str) -> list[Annotation]:
    table = parse_table(path, text)
    if not table.rows and marks_parts(table.columns):
        return []  # somebody looked, and nothing was heard
    layout = layout_of(table)
    if layout.times is None:
        raise AudionetError(
            f"{path}: has the columns {table.columns_named()}; annotations need start, end and label (or Raven's, "
            "Audacity's or Praat's own file)"
        )
    annotations = []
    for row in table.rows:
        part = layout.times.part(table, row)
        if part is None:
            raise table.error(row.line, "has no times; write start and end in seconds")
        if not row.get(layout.label):
            raise table.error(row.line, f"has no label in the column {table.columns[layout.label]}")
        name = next(iter(layout.paths(row)), "")
        annotations.append(Annotation(name or None, *part, row.get(layout.label), row.line))
    return annotations
