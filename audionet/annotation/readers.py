"""Annotations that people or programs made -> what is heard in which recording from when to when. Pure readers."""

import csv
import io
import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from audionet.errors import AudionetError
from audionet.system.files import read_limited

LARGEST_BYTES = 64 << 20
# Names of columns, in small letters without what is in brackets -> what they hold. The first that is there counts.
START = ("start", "onset", "begin", "begin time", "start time", "start_seconds", "begin time - ss.msec")
END = ("end", "offset", "stop", "end time", "stop time", "end_seconds", "end time - ss.msec")
LABEL = ("label", "annotation", "species", "class", "common name", "scientific name", "category", "tag", "type")
RECORDING = ("path", "clip", "recording", "begin path", "begin file", "filename", "file", "file name")
# These would change which sound is meant, and are not understood.
REFUSED = ("channel", "channels")
EMPTY = ""  # a tier's interval without text marks nothing


@dataclass(frozen=True)
class Annotation:
    """What is heard from when to when, in seconds.

    recording: as the file names it; None where the file is of one recording, which it lies beside.
    """

    recording: str | None
    start_seconds: float
    end_seconds: float
    label: str


def read_annotations(path: Path) -> list[Annotation]:
    """The annotations in a file, in its order: a Praat TextGrid, a Raven selection table, Audacity's labels, RTTM, or a
    table with columns for start, end and label.

    Raises AudionetError, with the file, the line and what was expected, for anything else.
    """
    try:
        data = read_limited(path, LARGEST_BYTES)
    except OSError as error:
        raise AudionetError(f"{path}: cannot be read ({error.strerror})") from error
    text = _decoded(path, data)
    return _reader_of(path, text)(path, text)


def overlaps(annotations: Sequence[Annotation]) -> list[tuple[Annotation, Annotation]]:
    """Pairs with different labels that share time in one recording, each with the one that began before it."""
    found = []
    by_recording: dict[str | None, list[Annotation]] = {}
    for annotation in annotations:
        by_recording.setdefault(annotation.recording, []).append(annotation)
    for group in by_recording.values():
        going_on: list[Annotation] = []
        for following in sorted(group, key=lambda annotation: annotation.start_seconds):
            going_on = [one for one in going_on if one.end_seconds > following.start_seconds]
            found += [(one, following) for one in going_on if one.label != following.label]
            going_on.append(following)
    return found


def _decoded(path: Path, data: bytes) -> str:
    encoding = "utf-16" if data.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8-sig"
    try:
        return data.decode(encoding)
    except ValueError as error:
        raise AudionetError(f"{path}: not text in UTF-8 or UTF-16; save it as UTF-8") from error


def _reader_of(path: Path, text: str) -> Callable[[Path, str], list[Annotation]]:
    first = next((line for line in text.splitlines() if line.strip()), "")
    if "ooTextFile" in first:
        return _read_textgrid
    if first.startswith(("SPEAKER ", "SPKR-INFO ", ";;")) or path.suffix.lower() == ".rttm":
        return _read_rttm
    if re.match(r"\s*-?[\d.]+(e[-+]?\d+)?\t", first):
        return _read_audacity
    return _read_table


def _annotation(path: Path, line: int, recording: str | None, start: str, end: str, label: str) -> Annotation:
    try:
        times = float(start), float(end)
    except ValueError as error:
        raise AudionetError(
            f"{path}, line {line}: {start!r} to {end!r} are no times in seconds, such as 12.5"
        ) from error
    if not all(map(math.isfinite, times)) or not 0 <= times[0] <= times[1]:
        raise AudionetError(f"{path}, line {line}: {start} to {end} s is no time in a recording; the end comes last")
    if not label.strip():
        raise AudionetError(f"{path}, line {line}: has no label; say what is heard from {start} to {end} s")
    return Annotation(recording, *times, label.strip())


def _read_audacity(path: Path, text: str) -> list[Annotation]:
    found = []
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip() or line.startswith("\\"):  # a line with a backslash has the frequencies of the one before
            continue
        fields = line.split("\t")
        if len(fields) < 3:
            raise AudionetError(
                f"{path}, line {number}: {line.strip()!r} is no label of Audacity's: start, end and label, with tabs "
                "between"
            )
        found.append(_annotation(path, number, None, fields[0], fields[1], "\t".join(fields[2:])))
    return found


def _read_rttm(path: Path, text: str) -> list[Annotation]:
    found = []
    for number, line in enumerate(text.splitlines(), start=1):
        fields = line.split()
        if not fields or fields[0] != "SPEAKER":  # comments, and what RTTM says of others than speakers
            continue
        if len(fields) < 8:
            raise AudionetError(
                f"{path}, line {number}: a SPEAKER of RTTM has at least 8 fields, this has {len(fields)}"
            )
        if fields[2] not in ("0", "1", "<NA>"):
            raise AudionetError(
                f"{path}, line {number}: channel {fields[2]}: only one channel can be learnt from; mix it"
            )
        try:
            end = str(float(fields[3]) + float(fields[4]))
        except ValueError:
            end = fields[4]
        found.append(_annotation(path, number, fields[1], fields[3], end, fields[7]))
    return found


def _read_textgrid(path: Path, text: str) -> list[Annotation]:
    """Interval tiers, in the long and the short form: what is not a number, a text or a flag is for people."""
    token = re.compile(r'"(?:[^"]|"")*"|<[a-z]+>|(?<![\w.\[])-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?(?![\w.\]])')
    body = text.partition("TextGrid")[2]
    tokens = iter(token.findall(body.partition("\n")[2]))
    wrong = AudionetError(f"{path}: a TextGrid that is cut off or damaged; save it from Praat again")
    found = []
    try:
        _, _, exists, tiers = (next(tokens) for _ in range(4))
        for _ in range(int(tiers) if exists == "<exists>" else 0):
            kind, _, _, _, count = (next(tokens) for _ in range(5))
            for _ in range(int(count)):
                if kind != '"IntervalTier"':
                    next(tokens), next(tokens)  # the time and text of a point, which has no length
                    continue
                start, end, quoted = (next(tokens) for _ in range(3))
                label = quoted[1:-1].replace('""', '"').strip()
                if label != EMPTY:
                    line = text[: text.find(quoted)].count("\n") + 1
                    found.append(_annotation(path, line, None, start, end, label))
    except (StopIteration, RuntimeError, ValueError) as error:
        raise wrong from error
    return found


def _read_table(path: Path, text: str) -> list[Annotation]:
    first = text.split("\n", 1)[0]
    delimiter = max("\t;,", key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        rows = [(reader.line_num, [cell.strip() for cell in row]) for row in reader if any(map(str.strip, row))]
    except csv.Error as error:
        raise AudionetError(f"{path}, line {reader.line_num}: not a table ({error})") from error
    header = [_simple(name) for name in rows[0][1]] if rows else []
    columns = {name: header.index(name) for name in header}
    start, end, label = (_first(columns, names) for names in (START, END, LABEL))
    if start is None or end is None or label is None:
        raise AudionetError(
            f"{path}: has the columns {', '.join(header) or '(none)'}; annotations need start, end and label "
            "(or Raven's, Audacity's or Praat's own file)"
        )
    is_raven = "selection" in columns
    recording, offset, view = _first(columns, RECORDING), columns.get("file offset"), columns.get("view")
    _refuse_channels(path, columns, rows, is_raven)
    found, seen = [], set()
    for line, row in rows[1:]:
        cells = row + [""] * (len(header) - len(row))
        begin, stop = cells[start], cells[end]
        if is_raven and view is not None:
            # Raven has a row for each view, so that each selection is there twice.
            key = (cells[columns["selection"]], begin, stop)
            if key in seen:
                continue
            seen.add(key)
        if offset is not None and cells[offset]:
            # Of recordings opened together, the times run on from each to the next; the offset is the file's own.
            length = _number(stop) - _number(begin)
            begin, stop = cells[offset], f"{_number(cells[offset]) + length:.6f}"
        name = cells[recording] if recording is not None else None
        found.append(_annotation(path, line, name or None, begin, stop, cells[label]))
    return found


def _refuse_channels(path: Path, columns: dict[str, int], rows: list[tuple[int, list[str]]], is_raven: bool) -> None:
    for name in REFUSED:
        if name not in columns:
            continue
        for line, row in rows[1:]:
            value = row[columns[name]] if columns[name] < len(row) else ""
            if not is_raven or value not in ("", "1"):
                raise AudionetError(
                    f"{path}, line {line}: {name} {value}: which channel is meant cannot be chosen for each part; "
                    "save the channels as recordings of their own, and leave the column out"
                )


def _simple(name: str) -> str:
    """`Begin Time (s)` -> `begin time`."""
    return re.sub(r"\s*\([^)]*\)", "", name).strip().casefold()


def _first(columns: dict[str, int], names: Sequence[str]) -> int | None:
    return next((columns[name] for name in names if name in columns), None)


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan
