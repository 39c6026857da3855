"""Praat's TextGrids: the intervals in their tiers."""

import logging
import re
from bisect import bisect
from pathlib import Path

from audionet.annotation.marks import Annotation, annotation
from audionet.errors import AudionetError
from audionet.tables.times import read_part

logger = logging.getLogger(__name__)

TEXTGRID = re.compile(r'\s*(File type = )?"?ooTextFile( short)?"?\s*')  # the first line
CHRONOLOGICAL = '"Praat chronological TextGrid'
TOKEN = re.compile(r'"[^"]*(?:""[^"]*)*"|<[a-z]+>|(?<![\w.,\[])-?\d+(?:[.,]\d+)?(?:[eE][-+]?\d+)?(?![\w.,\]])|![^\n]*')


def read_textgrid(path: Path, text: str) -> list[Annotation]:
    """Interval tiers, in the long and the short form: what is not a number, a text or a flag is for people."""
    if text.lstrip().startswith(CHRONOLOGICAL):
        raise AudionetError(f"{path}: a chronological TextGrid, which is not read; save it as a text file in Praat")
    start_of_body = text.find("\n", text.find("TextGrid")) + 1
    places = (place for place in TOKEN.finditer(text, start_of_body) if not place.group().startswith("!"))
    tokens = (place.group() for place in places)
    line_ends = [place.start() for place in re.finditer("\n", text)]
    wrong = AudionetError(f"{path}: a TextGrid that is cut off, damaged or not alone; save it from Praat again")
    annotations, points = [], 0
    try:
        _, _, exists = (next(tokens) for _ in range(3))
        if exists not in ("<exists>", "<absent>"):
            raise wrong
        for _ in range(int(next(tokens)) if exists == "<exists>" else 0):
            kind, tier, _, _, count = (next(tokens) for _ in range(5))
            for _ in range(int(count)):
                if kind != '"IntervalTier"':
                    _ = next(tokens), next(tokens)  # its time and its text
                    points += 1
                    continue
                start, end, place = next(tokens), next(tokens), next(places)
                label = _unquoted(place.group())
                if label:  # an interval without text marks nothing
                    line = bisect(line_ends, place.start()) + 1
                    part, tier_name = read_part(path, line, start, end), _unquoted(tier)
                    annotations.append(annotation(path, line, None, part, label, tier_name))
    except (StopIteration, RuntimeError, ValueError) as error:
        raise wrong from error
    if points and not annotations:
        raise AudionetError(f"{path}: marks points, which have no length; mark intervals in Praat, or move it away")
    if points:
        logger.info("%s: its points are not used: they have no length", path)
    return annotations


def _unquoted(text: str) -> str:
    """The text of a token, in which double quotes are doubled."""
    return text[1:-1].replace('""', '"').strip()
