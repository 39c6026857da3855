"""Files of programs that show sound: Praat's TextGrids, and the layers of Sonic Visualiser."""

import html
import itertools
import logging
import re
from bisect import bisect
from collections.abc import Iterator
from pathlib import Path

from audionet.annotation.marks import LINES_LOOKED_AT, Annotation, annotation, numbered_lines
from audionet.errors import AudionetError, explaining
from audionet.tables.faults import each_line, line_error
from audionet.tables.layouts import FREQUENCIES_SAID
from audionet.tables.reading import SHOWN
from audionet.tables.times import read_part

logger = logging.getLogger(__name__)

TEXTGRID = re.compile(r'\s*(File type = )?"?ooTextFile( short)?"?\s*')  # the first line
CHRONOLOGICAL = '"Praat chronological TextGrid'
TOKEN = re.compile(r'"[^"]*(?:""[^"]*)*"|<[a-z]+>|(?<![\w.,\[])-?\d+(?:[.,]\d+)?(?:[eE][-+]?\d+)?(?![\w.,\]])|![^\n]*')
LAYER = re.compile('subtype="(region|note|box)"')  # of which the marks have a length
# What Sonic Visualiser exports of such a layer as text, its times with nine decimals: of regions and notes the start, a
# value, the length, and of notes how loud; of boxes the start, the end and two frequencies. A label may follow.
NUMBER, MOMENT = r"-?\d[\d.e+-]*", r"\d+\.\d{9}"
EXPORTED = re.compile(
    rf"(?P<start>{MOMENT})(?P<tab>[\t,])(?:(?P<end>{MOMENT})(?P=tab){NUMBER}(?P=tab){NUMBER}"
    rf"|(?!{MOMENT}[\t,]){NUMBER}(?P=tab)(?P<length>{MOMENT})(?:(?P=tab){NUMBER})?)(?:(?P=tab)(?P<label>.*))?"
)
NO_LENGTH = "has marks without a length; mark regions or boxes in Sonic Visualiser, and export these"
POINT = re.compile(rf"{MOMENT}[\t,](?!{MOMENT}).*")  # of its layers without lengths


def read_textgrid(path: Path, text: str) -> list[Annotation]:
    """Interval tiers, in the long and the short form: what is not a number, a text or a flag is for people."""
    if text.lstrip().startswith(CHRONOLOGICAL):
        raise AudionetError(f"{path}: a chronological TextGrid, which is not read; save it as a text file in Praat")
    line_ends = [place.start() for place in re.finditer("\n", text)]
    fault = f"{path}: no TextGrid, or one that is cut off, damaged or not alone; save it from Praat again"
    with explaining(fault, ValueError):
        begin_seconds, items = _items(text)
    if begin_seconds:
        sentence = "%s: its time begins at %g s, as where a part was cut out: taken for seconds of its recording"
        logger.warning(sentence, path, begin_seconds)
    intervals = [(tier, tokens) for tier, tokens in items if len(tokens) == 3]

    def mark_of(interval: tuple[str, list[re.Match[str]]]) -> Annotation | None:
        tier, (start, end, mark) = interval
        label, line = _unquoted(mark.group()), bisect(line_ends, mark.start()) + 1
        if not label:
            return None  # an interval without text marks nothing
        return annotation(path, line, None, read_part(path, line, start.group(), end.group()), label, tier)

    annotations = each_line(intervals, mark_of)
    if len(intervals) < len(items) and not annotations:
        raise AudionetError(f"{path}: marks points, which have no length; mark intervals in Praat, or move it away")
    if len(intervals) < len(items):
        logger.info("%s: its points are not used: they have no length", path)
    return annotations


def _items(text: str) -> tuple[float, list[tuple[str, list[re.Match[str]]]]]:
    """When the time of a TextGrid begins; and the tier of each interval and point, and its tokens: start, end and text,
    of a point time and text. Raises ValueError where there are too few, or others.
    """
    places = TOKEN.finditer(text, text.find("\n", text.find("TextGrid")) + 1)
    tokens = (place for place in places if not place.group().startswith("!"))
    begin, _, exists = (token.group() for token in _next(tokens, 3))
    if exists not in ("<exists>", "<absent>"):
        raise ValueError(exists)
    items = []
    for _ in range(int(_next(tokens, 1)[0].group()) if exists == "<exists>" else 0):
        kind, tier, *_, number = (token.group() for token in _next(tokens, 5))
        taken = 3 if kind == '"IntervalTier"' else 2
        items += [(_unquoted(tier), _next(tokens, taken)) for _ in range(int(number))]
    return float(begin.replace(",", ".")), items


def _next(tokens: Iterator[re.Match[str]], number: int) -> list[re.Match[str]]:
    taken = list(itertools.islice(tokens, number))
    if len(taken) < number:
        raise ValueError("ends too early")
    return taken


def _unquoted(text: str) -> str:
    """The text of a token, in which double quotes are doubled."""
    return text[1:-1].replace('""', '"').strip()


def marks_points(text: str) -> bool:
    """Whether the first lines are those of a layer without lengths; one such time alone may be chance."""
    return all(POINT.fullmatch(line) for _, line in itertools.islice(numbered_lines(text), LINES_LOOKED_AT))


def read_svl(path: Path, text: str) -> list[Annotation]:
    """The regions, notes or boxes of a layer of Sonic Visualiser, with their start and length in frames."""
    if not LAYER.search(text):
        raise AudionetError(f"{path}: {NO_LENGTH}")
    rate_hz = next((int(rate) for rate in re.findall(r'\bsampleRate="(\d{1,9})"', text)), 0)
    points = [
        (number, point) for number, line in numbered_lines(text) for point in re.findall(r"<point\s([^>]*)", line)
    ]

    def mark_of(point: tuple[int, str]) -> Annotation:
        cells = dict(re.findall(r'(\w+)="([^"]*)"', point[1]))
        times = [cells.get(name, "") for name in ("frame", "duration")]
        if not rate_hz or not all(map(str.isdecimal, times)):
            raise line_error(path, point[0], NO_LENGTH)
        start, length = (f"{int(time[:SHOWN]) / rate_hz}" for time in times)
        part = read_part(path, point[0], start, length, end_is_length=True)
        return annotation(path, point[0], None, part, html.unescape(cells.get("label", "")))

    if 'subtype="box"' in text:
        logger.info(FREQUENCIES_SAID, path)
    return each_line(points, mark_of)


def read_exported(path: Path, text: str) -> list[Annotation]:
    """The same as Sonic Visualiser exports them as text, see EXPORTED."""

    def mark_of(line: tuple[int, str]) -> Annotation:
        if (found := EXPORTED.fullmatch(line[1])) is None:
            raise line_error(path, line[0], NO_LENGTH)
        length, label = found["length"], found["label"] or ""
        part = read_part(path, line[0], found["start"], length or found["end"], end_is_length=bool(length))
        label = _unquoted(label) if found["tab"] == "," and label.startswith('"') else label
        return annotation(path, line[0], None, part, label)

    return each_line(numbered_lines(text), mark_of)
