"""ELAN's own files (.eaf), and what it exports as tab-delimited text without a line that names the columns."""

import logging
import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote
from xml.parsers import expat

from audionet.annotation.marks import Annotation, annotation, numbered_lines
from audionet.audio.chunks import Part
from audionet.errors import AudionetError, explaining
from audionet.system.text import count
from audionet.tables.faults import each_line, line_error
from audionet.tables.reading import SHOWN, is_time, seconds
from audionet.tables.times import read_part

logger = logging.getLogger(__name__)

EAF = re.compile(r"\s*(<\?xml[^>]*>)?\s*(<!--.*?-->\s*)*<ANNOTATION_DOCUMENT\b", re.DOTALL)
DECLARATION = re.compile(r"\s*<\?xml[^>]*>")
MILLISECONDS = 1000
TIME = re.compile(r"(?:\d+:){2}\d+\.\d{3}|\d+\.\d+")
ROUNDING_SECONDS = 0.0021


@dataclass
class _Value:
    """An annotation as it is written: its tier, its line, the names of its borders and its text."""

    tier: str
    line: int
    start: str
    end: str
    text: str = ""


class _Document:
    """What is read of a .eaf. Raises ExpatError for what is no XML, ValueError for a type, which ELAN declares none of:
    an entity of one may be without end."""

    def __init__(self, text: str) -> None:
        self.milliseconds: dict[str, str] = {}  # of the moments that have a time
        self.media: list[str] = []
        self.origins: set[int] = set()  # where in each medium ELAN's time begins, in milliseconds
        self.values: list[_Value] = []
        self.dependent = 0  # annotations of others, such as translations
        self._tier, self._aligned, self._is_in_value = "", False, False
        self._parser = expat.ParserCreate()
        self._parser.buffer_text = True
        self._parser.StartElementHandler, self._parser.EndElementHandler = self._begin, self._end
        self._parser.CharacterDataHandler, self._parser.StartDoctypeDeclHandler = self._read, self._refuse
        # The text is decoded, whatever its first line says of that.
        self._parser.Parse(DECLARATION.sub(lambda found: "\n" * found[0].count("\n"), text, count=1).encode(), True)

    def _begin(self, name: str, attributes: dict[str, str]) -> None:
        if name == "TIME_SLOT":
            self.milliseconds[attributes.get("TIME_SLOT_ID", "")] = attributes.get("TIME_VALUE", "")
        elif name == "MEDIA_DESCRIPTOR":
            url = attributes.get("RELATIVE_MEDIA_URL") or attributes.get("MEDIA_URL", "")
            self.media.append(unquote(url.replace("\\", "/").rpartition("/")[2]))
            self.origins.add(int(attributes.get("TIME_ORIGIN") or 0))
        elif name == "TIER":
            self._tier = attributes.get("TIER_ID", "")
        elif name == "REF_ANNOTATION":
            self.dependent += 1
        elif name == "ALIGNABLE_ANNOTATION":
            start, end = (attributes.get(f"TIME_SLOT_REF{number}", "") for number in (1, 2))
            self.values.append(_Value(self._tier, self._parser.CurrentLineNumber, start, end))
            self._aligned = True
        self._is_in_value = name == "ANNOTATION_VALUE"

    def _end(self, name: str) -> None:
        self._is_in_value = False
        self._aligned = self._aligned and name != "ALIGNABLE_ANNOTATION"

    def _read(self, text: str) -> None:
        if self._is_in_value and self._aligned:
            self.values[-1].text += text

    def _refuse(self, *_: object) -> None:
        raise ValueError("it declares a document type")


def read_eaf(path: Path, text: str) -> list[Annotation]:
    """The annotations of all tiers that have times of their own; one without a text is of the class of its tier's name.

    The recording is the one that the file names, if that is one.
    """
    fault = f"{path}: an ELAN file that is cut off or damaged"
    with explaining(fault, expat.ExpatError, ValueError, remedy="save it in ELAN again"):
        document = _Document(text)
    if len(document.origins) > 1:
        raise AudionetError(f"{path}: its media have several offsets (TIME_ORIGIN); in ELAN, give all the same one")
    recording, origin = document.media[0] if len(document.media) == 1 else None, max(document.origins, default=0)

    def mark_of(value: _Value) -> Annotation | None:
        slots = [document.milliseconds.get(slot, "") for slot in (value.start, value.end)]
        if not all(map(str.isdecimal, slots)):
            return None
        start, end = (f"{(int(slot[:SHOWN]) + origin) / MILLISECONDS}" for slot in slots)
        part, text = read_part(path, value.line, start, end), value.text.strip()
        return annotation(path, value.line, recording, part, text or value.tier, value.tier)

    found = each_line(document.values, mark_of)
    _report(path, document, len(document.values) - len(found))
    return found


def _report(path: Path, document: _Document, unaligned: int) -> None:
    """Say what is not used, and what stands for what is missing."""
    left_out = unaligned + document.dependent
    if left_out:
        logger.info("%s: not used are %s without times of their own", path, count(left_out, "annotation"))
    named = [value for value in document.values if not value.text.strip()]
    if named:
        sentence = "%s: of %s without a text, the class is what the tier is called (%s in line %d)"
        logger.info(sentence, path, count(len(named), "annotation"), named[0].tier, named[0].line)


def read_elan_text(path: Path, text: str) -> list[Annotation]:
    """A line for each annotation, with begin, end and duration, in one way of writing times or in several."""

    def mark_of(line: tuple[int, str]) -> Annotation:
        fields = elan_fields(line[1])
        if fields is None:
            shown = line[1].strip()[:SHOWN]
            raise line_error(
                path, line[0], f"is {shown!r}, and not as others are that ELAN wrote: tier, participant, begin, end, "
                "duration and what is heard, with tabs between; export it again",
            )  # fmt: skip
        tier, part, label = fields
        return annotation(path, line[0], None, part, label or tier, tier)

    return each_line(numbered_lines(text), mark_of)


def elan_fields(line: str) -> tuple[str, Part, str] | None:
    """The tier, the part and the text of a line of ELAN's tab-delimited text; None if it is none, whose times agree.

    Each of the times may stand there in one way of writing, or in two or three, one after the other.
    """
    fields = line.split("\t")
    if len(fields) < 6 or TIME.fullmatch(fields[0]):
        return None
    times = [seconds(each) for each in fields[2:-1] if TIME.fullmatch(each) and is_time(each)]
    if len(times) != len(fields) - 3 or len(times) % 3:
        return None
    ways = len(times) // 3
    start, end, length = (times[ways * number : ways * (number + 1)] for number in range(3))
    same = (start, end, length, (start[0] + length[0], end[0]))
    agree = all(max(each) - min(each) < ROUNDING_SECONDS for each in same)
    return (fields[0].strip(), Part(start[0], end[0]), fields[-1].strip()) if agree else None
