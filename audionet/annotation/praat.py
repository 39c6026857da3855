"""Praat's TextGrids: the intervals in their tiers."""

import itertools
import logging
import re
from bisect import bisect
from collections.abc import Iterator
from pathlib import Path

from audionet.annotation.marks import Annotation, annotation
from audionet.errors import AudionetError, explaining
from audionet.tables.times import read_part

logger = logging.getLogger(__name__)

TEXTGRID = re.compile(r'\s*(File type = )?"?ooTextFile( short)?"?\s*')  # the first line
CHRONOLOGICAL = '"Praat chronological TextGrid'
TOKEN = re.compile(r'"[^"]*(?:""[^"]*)*"|<[a-z]+>|(?<![\w.,\[])-?\d+(?:[.,]\d+)?(?:[eE][-+]?\d+)?(?![\w.,\]])|![^\n]*')


def read_textgrid(path: Path, text: str) -> list[Annotation]:
    """Interval tiers, in the long and the short form: what is not a number, a text or a flag is for people."""
    if text.lstrip().startswith(CHRONOLOGICAL):
        raise AudionetError(f"{path}: a chronological TextGrid, which is not read; save it as a text file in Praat")
    line_ends = [place.start() for place in re.finditer("\n", text)]
    annotations, points = [], 0
    with explaining(f"{path}: a TextGrid that is cut off, damaged or not alone; save it from Praat again", ValueError):
        for tier, (*times, mark) in _items(text):
            if len(times) == 1:
                points += 1
            elif label := _unquoted(mark.group()):  # an interval without text marks nothing
                line = bisect(line_ends, mark.start()) + 1
                part = read_part(path, line, times[0].group(), times[1].group())
                annotations.append(annotation(path, line, None, part, label, tier))
    if points and not annotations:
        raise AudionetError(f"{path}: marks points, which have no length; mark intervals in Praat, or move it away")
    if points:
        logger.info("%s: its points are not used: they have no length", path)
    return annotations


def _items(text: str) -> Iterator[tuple[str, list[re.Match[str]]]]:
    """The tier of each interval and point, and its tokens: start, end and text; of a point, time and text.

    Raises ValueError where there are too few, or others.
    """
    places = TOKEN.finditer(text, text.find("\n", text.find("TextGrid")) + 1)
    tokens = (place for place in places if not place.group().startswith("!"))
    *_, exists = _next(tokens, 3)
    if exists.group() not in ("<exists>", "<absent>"):
        raise ValueError(exists.group())
    for _ in range(int(_next(tokens, 1)[0].group()) if exists.group() == "<exists>" else 0):
        kind, tier, _, _, items = (token.group() for token in _next(tokens, 5))
        for _ in range(int(items)):
            yield _unquoted(tier), _next(tokens, 3 if kind == '"IntervalTier"' else 2)


def _next(tokens: Iterator[re.Match[str]], number: int) -> list[re.Match[str]]:
    taken = list(itertools.islice(tokens, number))
    if len(taken) < number:
        raise ValueError("ends too early")
    return taken


def _unquoted(text: str) -> str:
    """The text of a token, in which double quotes are doubled."""
    return text[1:-1].replace('""', '"').strip()
