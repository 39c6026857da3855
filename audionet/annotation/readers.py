"""Annotations that people or programs made -> what is heard in which recording from when to when. Pure readers."""

import html
import itertools
import logging
import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from enum import Enum
from pathlib import Path

from audionet.annotation import viewers
from audionet.annotation.elan import EAF, elan_fields, read_eaf, read_elan_text
from audionet.annotation.marks import (
    LINES_LOOKED_AT,
    TIME,
    Annotation,
    annotation,
    numbered_lines,
    read_lab,
    read_rttm,
    read_stm,
    read_uem,
)
from audionet.audio.channels import USUAL
from audionet.dataset.names import spelling_key
from audionet.errors import AudionetError
from audionet.settings import SoundChoice
from audionet.system.text import count, listed
from audionet.system.untrusted import is_file
from audionet.tables.faults import each_line, line_error
from audionet.tables.files import first_rows, header_of, table_in
from audionet.tables.from_json import AVIANZ, JAMS, LABELS
from audionet.tables.layouts import FREQUENCIES_SAID, is_known, layout_of, of_channel, tier_of
from audionet.tables.paths import file_name, path_columns
from audionet.tables.reading import SHOWN, Row, Table, beginning_of, parse_table, read_text, simplified
from audionet.tables.times import MOMENTS, NUMBER, marks_parts, read_part, times_of

logger = logging.getLogger(__name__)

LARGEST_BYTES = 64 << 20
MOST_LINES = 1_000_000
SUFFIXES_OF_TOOLS = (".textgrid", ".rttm", ".eaf")
SUFFIXES = (*SUFFIXES_OF_TOOLS, ".txt", ".csv", ".tsv")
# What mostly says which words or sounds are spoken, and not who speaks, is read only where it is named.
SUBTITLES, HTKS, STM = (".srt", ".vtt"), ".lab", ".stm"
# What is in files of AviaNZ, of JAMS and of Sonic Visualiser, whose other layers have no length.
TELLING = {".data": AVIANZ, ".jams": JAMS, ".svl": viewers.LAYER}
UEM = ".uem"  # which stretches of recordings somebody listened to, by NIST
TRANSCRIPT = frozenset({"start", "end", "text"})  # Whisper's columns, in milliseconds
SCORE = re.compile(r"\s*(\d*\.?\d+)?\s*")  # BirdNET writes how sure it is behind the label
SCORED = re.compile(r";\s*[01]?\.\d+$")  # and HawkEars in the label itself
AUDACITY = re.compile(rf"{TIME}\t{TIME}\t.*")  # a list of pitches, say, has no third column
LABEL_FIRST = rf"[^\t;]*[^\W\d][^\t;]*[\t;]{TIME}[\t;]{TIME}\s*"  # as Avisoft has it
UNNAMED_MARK = re.compile(
    rf"(?:[^\t]*\t)*?\[?{TIME}(?:\t+|[,;] ?| +(?:--> +)?){TIME}(?:\]?\t+|[,;] ?|\]? +).*[^\W\d].*|{LABEL_FIRST}"
)
LOOKED_AT = 4096  # characters
# Of other tools, which are not read.
OTHER_SUFFIXES = tuple(".ctm .trs .phn .wrd .ass .ssa .antx .exb .cha .sbv .ttml .dfxp".split())
MARK_IN_JSON = re.compile(
    r'"((start|begin|onset|offset|from|tmin|xmin)(_?time)?(_?s(ec(ond)?s?)?|_?ms|milliseconds|inticks)?|ts)"\s*:\s*'
    r'"?(PT)?\d|"timestamps?"\s*:\s*\[\s*\d|\A\s*\{\s*"project"\s*:\s*\{\s*"pid"',  # the last of VIA
    re.IGNORECASE,
)
LAB = re.compile(rf"{TIME}[ \t]+{TIME}[ \t]+\S.*")
TELLING_NAMES = LABELS | {"pid"}  # in JSON; in VIA's projects, of which the latter is, the labels come later
NAME_IN_JSON = re.compile(r'"([\w ]+)"\s*:')
RTTM_LINES = re.compile(r"(SPEAKER|SPKR-INFO)\s|;;")
CUE = re.compile(r"\s*((?:\d+:)?\d+:\d+[.,]\d+)\s+-->\s+((?:\d+:)?\d+:\d+[.,]\d+)(?:\s.*)?")  # a line of its times
VOICE = re.compile(r"<v(?:\.[^\s>]*)?\s+([^>]+)>")  # in subtitles
# What stands in subtitles for how text looks, or when it comes; other words in such brackets are text.
TAG = re.compile(r"</?(?:[bciusv]|font|lang|ruby|rt|[\d:.]+)\b[^>]*>|\{\\[^}]*\}", re.IGNORECASE)
# At the start of a cue, and of each line with a dash in it; WhisperX has brackets.
SAID_BY = re.compile(
    r"(?:\A(?:>> ?|[-\u2013] ?)?|\n(?:>> ?|[-\u2013] ?))\[?([^\W\d_][^:\uff1a\]\n]{0,39})\]?(?:: +|\uff1a\s*)\S"
)
LISTING = ("path", "file", "filename", "clip", "infile")  # columns of tables that lie among recordings and list them


def read_annotations(path: Path, choice: SoundChoice = USUAL, table: Table | None = None) -> list[Annotation]:
    """The annotations in a file, in its order: a Praat TextGrid, a Raven selection table, Audacity's labels, RTTM,
    ELAN's file, or a table, or JSON, with start, end and label. choice: of several channels, which they are about.
    table: the file as a table, where it has been read as one.

    Raises AudionetError, with the file, the line and what was expected, for anything else.
    """
    marks = ((mark.line, mark.channel, mark) for mark in (_marks_of(table) if table else _read(path)))
    # Raven has a row for each view, so that each selection is there twice.
    return list(dict.fromkeys(of_channel(path, marks, choice)))


def _read(path: Path) -> list[Annotation]:
    try:
        text = read_text(path, LARGEST_BYTES)
    except ValueError as error:
        remedy = "; save it as a text file in Praat" if path.suffix.lower() == ".textgrid" else ""
        raise AudionetError(f"{path}: not annotations, which are text ({error}){remedy}") from error
    text = re.sub("\r\n?", "\n", text)
    if text.count("\n") > 2 * MOST_LINES:
        raise AudionetError(f"{path}: has more than {MOST_LINES:,} lines; split it")
    return _reader_of(path, text)(path, text)


class Kind(Enum):
    """What a file is, by its name and its beginning: OF_A_TOOL, such as Praat's or Audacity's; a table that marks PARTS
    of what it is about; a LISTING, which does so and says in a column which recordings these are; EMPTY, or OTHER.

    NAMED is read only where it is named, as a LISTING among recordings is: it may mean others. What is UNREAD says all
    the same what is heard when: two times and words in each line, or in columns of any name.
    """

    OF_A_TOOL, PARTS, LISTING, NAMED, UNREAD, EMPTY, OTHER = range(7)


READ = (Kind.OF_A_TOOL, Kind.PARTS)  # wherever they lie


def kind_of(path: Path) -> Kind:
    """What a file is; see Kind."""
    suffix = path.suffix.lower()
    if suffix in (*SUBTITLES, STM, *OTHER_SUFFIXES):
        return Kind.UNREAD if suffix in OTHER_SUFFIXES else Kind.NAMED
    if suffix not in (*SUFFIXES, HTKS, *TELLING, ".json") or not is_file(path):
        return Kind.OTHER
    if suffix in SUFFIXES_OF_TOOLS:
        return Kind.OF_A_TOOL
    beginning = beginning_of(path)
    if suffix in TELLING:
        return Kind.OF_A_TOOL if TELLING[suffix].search(beginning) else Kind.UNREAD
    if suffix == HTKS:
        return Kind.NAMED if LAB.fullmatch(_first_line(beginning)) else Kind.OTHER
    if suffix == ".json":
        looked_at = beginning[:LOOKED_AT]
        if not MARK_IN_JSON.search(looked_at):
            return Kind.OTHER
        has_labels = not TELLING_NAMES.isdisjoint(map(simplified, NAME_IN_JSON.findall(looked_at)))
        return Kind.NAMED if has_labels else Kind.UNREAD
    if not beginning.strip():
        return Kind.EMPTY
    if _reader_of(path, beginning) is not _read_table:
        return Kind.OF_A_TOOL
    table = first_rows(path, beginning)
    columns = table.columns.keys()
    if marks_parts(columns) and columns != TRANSCRIPT:
        has_paths = suffix != ".txt" and "selection" not in columns and not columns.isdisjoint(LISTING)
        return Kind.LISTING if has_paths else Kind.PARTS
    lines = [line for _, line in itertools.islice(numbered_lines(beginning), LINES_LOOKED_AT)]
    has_marks = columns == TRANSCRIPT or all(map(UNNAMED_MARK.fullmatch, lines[: max(1, len(lines) - 1)]))
    return Kind.UNREAD if has_marks or _has_times_and_words(table) else Kind.OTHER


def is_only_about(path: Path, recording: Path) -> bool:
    """Whether a table that lists recordings names none but one, as BirdNET's do.

    What `label` printed, with the column clip, is none of those.
    """
    with suppress(AudionetError):
        table = parse_table(path, beginning_of(path), is_known)
        cells = (cell for column in path_columns(table.columns)[:1] for cell in table.values(column))
        names = {spelling_key(file_name(cell)) for cell in cells}
        own = {spelling_key(recording.name), spelling_key(recording.stem)}
        return "clip" not in table.columns and bool(names) and names <= own
    return False


def _has_times_and_words(table: Table) -> bool:
    """Whether a table, of which these are rows, has a column of times, whatever that is called, and one of words."""
    if not any(table.is_text(name) for name in table.columns):
        return False
    try:
        has_times = times_of(table) is not None
    except AudionetError:  # which says that it marks parts, and how they would be understood
        return True
    moments = ([row.get(name) for row in table.rows] for name in MOMENTS.intersection(table.columns))
    return has_times or any(all(map(NUMBER.fullmatch, column)) for column in moments)


def may_name_recordings(path: Path) -> bool:
    """Whether a file, by its name, is RTTM or a selection table of Raven's that says which recordings it is about."""
    if path.suffix.lower() == ".rttm":
        return True
    # Of thousands of texts, the names are enough.
    return "selection" in path.name.casefold() and not header_of(path).isdisjoint(("beginfile", "beginpath"))


def is_table(path: Path) -> bool:
    """Whether a file of labels, by its name and its first line, is a table, and no other tool's file."""
    return _reader_of(path, beginning_of(path)) is _read_table


def _first_line(text: str) -> str:
    return next((line for _, line in numbered_lines(text)), "")


def _reader_of(path: Path, text: str) -> Callable[[Path, str], list[Annotation]]:
    """What reads a file, by its name, or by its first line that is not empty. text: at least its beginning."""
    first = _first_line(text)
    if viewers.EXPORTED.fullmatch(first) or (AUDACITY.fullmatch(first) and viewers.marks_points(text)):
        return viewers.read_exported
    if reader := BY_SUFFIX.get(path.suffix.lower()):
        return reader
    if viewers.TEXTGRID.fullmatch(first) or first.startswith(viewers.CHRONOLOGICAL):
        return viewers.read_textgrid
    if EAF.match(text):
        return read_eaf
    if elan_fields(first):
        return read_elan_text
    if RTTM_LINES.match(first):
        return read_rttm
    return _read_audacity if AUDACITY.fullmatch(first) else _read_table


def _read_audacity(path: Path, text: str) -> list[Annotation]:
    """A label track: start, end and label on each line, with tabs between; BirdNET adds a score."""
    lines = [(number, line.split("\t")) for number, line in numbered_lines(text)]
    labels = [(number, fields) for number, fields in lines if not fields[0].startswith("\\")]
    if len(labels) < len(lines):  # the others have the frequencies of the label before
        logger.info(FREQUENCIES_SAID, path)
    is_named = any("".join(fields[2:]).strip() for _, fields in labels)

    def mark_of(label: tuple[int, list[str]]) -> Annotation:
        number, fields = label
        if len(fields) < 2:
            needed = "no label of Audacity's, which is a start, an end and a label, with tabs between"
            raise line_error(path, number, f"is {fields[0].strip()[:SHOWN]!r}, and {needed}")
        part = read_part(path, number, fields[0], fields[1])
        name = "\t".join(fields[2:3] if all(map(SCORE.fullmatch, fields[3:])) else fields[2:]).strip()
        unnamed = Annotation(None, *part, "", number)
        return annotation(path, number, None, part, SCORED.sub("", name)) if is_named else unnamed

    return each_line(labels, mark_of)


def _read_subtitles(path: Path, text: str) -> list[Annotation]:
    """The cues of SRT and WebVTT: a line of times, and what is heard in those below, up to an empty one.

    Where most say who speaks (`<v Anna>`, or `Anna: `), that is heard, not what is said; of several in a cue, each.
    """
    lines, plain = text.splitlines(), html.unescape if path.suffix.lower() == ".vtt" else str

    def cue_of(numbered: tuple[int, re.Match[str]]) -> tuple[Annotation, list[str]]:
        number, times = numbered
        below = itertools.takewhile(str.strip, lines[number:])
        said = "\n".join(each.strip() for each in below if not CUE.fullmatch(each))
        voices, said = VOICE.findall(said), plain(TAG.sub("", said))
        mark = annotation(path, number, None, read_part(path, number, times[1], times[2]), " ".join(said.splitlines()))
        names = [plain(name).strip() for name in voices] or SAID_BY.findall(said)
        return mark, list(filter(None, names))

    matches = ((number, CUE.fullmatch(line)) for number, line in enumerate(lines, start=1))
    cues = each_line([(number, times) for number, times in matches if times], cue_of)
    if not cues and text.strip() and not text.startswith("WEBVTT"):
        raise AudionetError(f"{path}: has no line of times, such as 00:00:01,500 --> 00:00:03,000; see what wrote it")
    marks = [replace(mark, label=name) for mark, names in cues for name in names]
    silent = sum(not names for _, names in cues)
    if 2 * silent >= len(cues):
        return [mark for mark, _ in cues]
    left = f"; {count(silent, 'cue')} without one not used" if silent else ""
    who = listed(sorted({mark.label for mark in marks}))
    logger.info("%s: the classes are who speaks (%s), not what is said%s", path, who, left)
    return marks


BY_SUFFIX = {".textgrid": viewers.read_textgrid, ".rttm": read_rttm, STM: read_stm, ".uem": read_uem, ".eaf": read_eaf}
BY_SUFFIX |= {HTKS: read_lab, ".svl": viewers.read_svl}
BY_SUFFIX |= dict.fromkeys(SUBTITLES, _read_subtitles)


def _read_table(path: Path, text: str) -> list[Annotation]:
    return _marks_of(table_in(path, text))


def _marks_of(table: Table) -> list[Annotation]:
    """What a table marks, a part in each row; one of columns alone says that nothing was heard."""
    if not table.rows and marks_parts(table.columns):
        return []  # somebody looked, and nothing was heard
    layout = layout_of(table, needs_label=False)
    if layout.times is None:
        raise AudionetError(
            f"{table.path}: has the columns {table.columns_named()}; annotations need start, end and label"
        )
    times = layout.times

    def mark_of(row: Row) -> Annotation | None:
        part, label = times.part(table, row), layout.label_of(row)
        if label == "?" and "tmin" in row.cells:
            return None  # as Praat writes an interval without a text
        if part is None and (label or not layout.label):  # or else nothing was heard, of which DESED has a row
            raise table.error(row.line, "has no times; write start and end in seconds")
        if part is not None and layout.label and not label:
            raise table.error(row.line, f"has no label in the column {table.columns[layout.label]}")
        name, channel = next(iter(layout.paths(row)), ""), layout.channel_of(row)
        return part and Annotation(name or None, *part, label, row.line, tier_of(row), channel)

    return each_line(table.rows, mark_of)
