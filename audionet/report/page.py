"""A report -> one HTML file that needs nothing else."""

import base64
import functools
import hashlib
import logging
import re
from collections.abc import Sequence
from dataclasses import replace
from importlib import resources
from pathlib import Path
from typing import Any

import jinja2
import numpy as np
from markupsafe import escape

from audionet.errors import AudionetError
from audionet.evaluation.confusion import wilson_interval
from audionet.evaluation.result import recordings_in_groups
from audionet.report import charts, sentences
from audionet.report.content import Card, Report
from audionet.report.review import choices
from audionet.system.files import read_beginning, require_replaceable, write_atomically
from audionet.system.text import clock, count, duration, is_printable

logger = logging.getLogger(__name__)

LARGEST_BYTES = 4_800_000  # of a report; excerpts for which there is no room are left out
PAGE_SUFFIXES = (".html", ".htm")
CLASSES_IN_TABLE = 20
TOP = 3
# Words of Arabic, Hebrew and the like, with a number that ends them; figures beside them belong to the sentence.
RIGHT_TO_LEFT = r"[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc\U00010800-\U00010fff\U0001e800-\U0001efff]"
TURNED_WORDS = re.compile(rf"{RIGHT_TO_LEFT}+(?:[ \u200c\u200d_.\d-]+{RIGHT_TO_LEFT}+)*(?:[ _-]?\d+)?")
ISOLATED = "\N{FIRST STRONG ISOLATE}\\g<0>\N{POP DIRECTIONAL ISOLATE}"


def require_place(path: Path) -> None:
    """Raise AudionetError where a report would take the place of anything but a page for a browser."""
    if path.is_dir():
        raise AudionetError(f"{path}: is a folder; name the report in it too, such as {path / 'report.html'}")
    if path.exists() and not path.is_file():
        raise AudionetError(f"{path}: is no file, and a report is one; name another place, such as report.html")
    if path.suffix.lower() not in PAGE_SUFFIXES and path.is_file():
        require_replaceable(path, "a report", lambda beginning: beginning[:14].lower() == b"<!doctype html")


def try_to_write(path: Path, report: Report) -> bool:
    """Write the HTML; whether that worked. A warning says why not, since the training or evaluation is done anyway."""
    try:
        require_place(path)
        write_atomically(path, render(report))
    except AudionetError as error:
        logger.warning("%s", error)
        return False
    return True


def is_report_of(path: Path, key: str) -> bool:
    """Whether a file is a report with this key."""
    return f'name="audionet-key" content="{key}"'.encode() in read_beginning(path, 4000)


def render(report: Report) -> bytes:
    """The HTML. Names are escaped, and nothing is loaded from elsewhere."""
    cards, tested = _that_fit(report.cards), report.tested
    script = _without_empty_lines(_file("report.js") + _file("corrections.js"))
    learnt_from = report.classes if report.noun == "chunk" else ()
    groups = report.recordings if report.groups is None else report.groups
    of_what = recordings_in_groups(report.recordings, groups)
    too_few = of_what if min(report.recordings, groups) < sentences.FEW_TESTED else ""
    shown: dict[str, Any] = {
        "report": report,
        "tested": tested,
        "sentences": sentences,
        "charts": charts,
        "interval": wilson_interval,
        "length": duration,
        "clock": clock,
        "count": count,
        "style": _file("report.css"),
        "script": script,
        "script_digest": base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
        "map": charts.map_chart(report.map, report.labels) if report.map else None,
        "of_what": of_what,
        "advice": sentences.advice(tested, learnt_from, too_few, report.noun),
        "curves": charts.learning_curves(report.history),
        "top": TOP,
        "cards": cards,
        "choices": choices,
        "correctable": any(card.can_be_corrected for card in cards),
        "strips": charts.strips(cards, report.lengths),
        "shown": {position: card.number for card in cards for position in card.positions},
    }
    if tested is not None:
        shown |= {
            "links": _links(cards, report.labels),
            "wrong": set(tested.mistakes()),
            "bins": tested.calibration(),
            "table": _classes_in_table(tested.confusion.matrix),
        }
    return _without_empty_lines(_environment().get_template("report.html").render(shown)).encode(errors="replace")


def _without_empty_lines(text: str) -> str:
    return re.sub(r"\n\s*\n+", "\n", text)


def _that_fit(cards: Sequence[Card]) -> list[Card]:
    """The cards. Once there is no more room, they come without pictures and sounds."""
    room_bytes = LARGEST_BYTES - 800_000  # for all else
    fitting = []
    for card in cards:
        if card.excerpt:
            room_bytes -= (len(card.excerpt.jpg) + len(card.excerpt.mp3 or b"")) * 4 // 3 + 3000
        fitting.append(card if room_bytes >= 0 else replace(card, excerpt=None))
    return fitting


def _links(cards: Sequence[Card], labels: list[str]) -> dict[tuple[int, int], int]:
    """For each pair of class numbers (the truth, taken for), the first card that shows it."""
    links: dict[tuple[int, int], int] = {}
    for card in cards:
        if card.own is not None:
            links.setdefault((labels.index(card.own), labels.index(card.heard)), card.number)
    return links


def _classes_in_table(matrix: np.ndarray) -> list[int]:
    """The numbers of the classes of a confusion matrix that the table has room for: of many, those mixed up most."""
    if len(matrix) <= CLASSES_IN_TABLE:
        return list(range(len(matrix)))
    mixed = matrix.sum(axis=0) + matrix.sum(axis=1) - 2 * matrix.diagonal()
    return sorted((-mixed).argsort(kind="stable")[:CLASSES_IN_TABLE].tolist())


@functools.cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FunctionLoader(_file),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_shown,
    )
    environment.filters["base64"] = lambda data: base64.b64encode(data).decode()
    environment.filters["percent"] = sentences.percent
    environment.filters["exactly"] = escape  # unlike _shown it changes nothing, since a program reads it
    return environment


def _shown(value: Any) -> Any:
    """A text without the characters that HTML must not hold, which file names may hold; and what is written from the
    right to the left stands apart, so that the words and figures after it stay in their order."""
    if not isinstance(value, str) or hasattr(value, "__html__") or (value.isascii() and value.isprintable()):
        return value
    kept = "".join(c if is_printable(c) else "\N{REPLACEMENT CHARACTER}" for c in value)
    return TURNED_WORDS.sub(ISOLATED, kept)


@functools.cache
def _file(name: str) -> str:
    return (resources.files("audionet.report") / "templates" / name).read_text(encoding="utf-8")
