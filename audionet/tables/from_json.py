"""JSON as programs for labelling export it, and as `label` prints it -> a table, with a row for what is heard when.

A row is an object with times and a label, as Label Studio's and audio-annotator's are and the events of `label`, or one
with a recording and a label. Of the objects around it, it has what they say of the recording. AviaNZ has lists instead:
start, end, two frequencies, and an object for each species that is heard.
"""

import json
import json.scanner
import logging
import re
from bisect import bisect
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from audionet.errors import AudionetError
from audionet.system.text import count, printable
from audionet.system.untrusted import LONGEST_TEXT, MALFORMED, MOST_VALUES, values_at_most
from audionet.system.untrusted import text as checked_text
from audionet.tables.faults import line_error
from audionet.tables.layouts import ANY_LABEL, OF_RECORDINGS, SPEAKERS
from audionet.tables.reading import Row, Table, simplified
from audionet.tables.reshape import OF_NOBODYS_TURN, WORD, in_turns
from audionet.tables.times import START, marks_parts

logger = logging.getLogger(__name__)

JSON = re.compile(r'\s*(\[\s*[\[{\]"]|\{\s*["}])')  # how it begins; `[Script Info]` and `[00:01] Anna: yes` are not
LISTS_OF_LABELS = ("labels", "choices")  # Label Studio's; of several, each is heard
LABELS = ANY_LABEL.union(LISTS_OF_LABELS)
# Lists that `label` and Label Studio leave empty where somebody listened, and nothing was heard.
LISTS_OF_MARKS = ("events", "segments", "result")
# Beside what people said, Label Studio exports what a model did, what was not submitted, and what was skipped.
NOT_PEOPLE_S, SKIPPED = ("predictions", "drafts"), "was_cancelled"
AVIANZ = re.compile(r'\A\s*\[\s*(\{\s*"(Operator|Reviewer|Duration)"|\[\s*\d)')  # how its files begin
JAMS = re.compile(r'"namespace"\s*:\s*"((tag|segment)_\w+|scaper)"')  # of its kinds of annotations, those of sounds
VIA = frozenset({"metadata", "attribute", "view", "file"})  # what its projects are made of
MOST_JSON_VALUES = 8 * MOST_VALUES  # of thirty hours of speech, each word with its times
SAYS_NOTHING = ("channel", "0")  # Label Studio writes it of every recording whose channels are not shown apart
# In transcripts: lists of single words; types of words and of what is none; and what is said, beside which a type is no
# class.
OF_WORDS, OF_A_WORD = re.compile(r"words?.*|items|tokens|elements"), ("word", "pronunciation")
NO_WORDS = ("spacing", "punctuation", "punct", "audio_event")
SAID = frozenset({"text", "word", "transcript", "alternatives"})
OTHER_FORMS = {  # lists of programs in Python whose times or labels lie elsewhere
    "entries": "the tiers of a TextGrid, whose form is read that Praat saves",
    "supervisions": "cuts of Lhotse, with times of their own: save its supervisions, whose times are the recording's",
}
RENAMED = {"ts": "start", "endts": "end"}  # Rev's times
TIMESTAMPS = ("timestamp", "timestamps")  # with both times in them, of programs that run Whisper

Cells = dict[str, str]


class _Object(dict[str, Any]):
    """An object, and where in the text it begins."""

    place = 0


def table_of_json(path: Path, text: str) -> Table:
    """The table that a JSON is, or several one after the other. Raises AudionetError if nothing in it says anything."""
    if values_at_most(text.encode(errors="replace")) > MOST_JSON_VALUES:
        raise AudionetError(f"{path}: has more than {count(MOST_JSON_VALUES, 'value')}; split it")
    lines = [place.start() for place in re.finditer("\n", text)]
    columns: dict[str, str] = {}
    rows = []
    try:
        for value in _values(text):
            names = _names(value)
            for found, cells in _rows(value, {}):
                columns |= {simplified(name): name for name in cells if simplified(name) not in columns}
                row = {simplified(name): cell for name, cell in cells.items()}
                row |= {name: names.get(row[name], row[name]) for name in SPEAKERS.intersection(row)}
                labels = [{"label": label} for label in cells.get("label", "").split("\n") if label] or [{}]
                rows += [Row(bisect(lines, found) + 1, row | label) for label in labels]
    except json.JSONDecodeError as error:
        raise line_error(path, error.lineno, f"is no JSON ({error.msg}); see what wrote it") from error
    except MALFORMED as error:
        raise AudionetError(f"{path}: is JSON that cannot be read ({error}); see what wrote it") from error
    if not rows and (AVIANZ.match(text) or JAMS.search(text)):  # somebody listened, and nothing was heard
        return Table(path, {name: name for name in ("start", "end", "species")}, [])
    if not rows:
        raise AudionetError(
            f"{path}: is JSON in which nothing says what is heard when: objects with start, end and label, or with the "
            "path of a recording and its label"
        )
    if LABELS.isdisjoint(columns) and not marks_parts(columns):  # nothing but lists that are empty
        return Table(path, columns | {"label": "label"}, rows, lists_unheard=True)
    table = in_turns(Table(path, columns, rows))
    useful = [row for row in table.rows if not LABELS.isdisjoint(row.cells) or not marks_parts(row.cells)]
    if len(useful) in (0, len(table.rows)):
        return table
    logger.info("%s: %s without a label not used", path, count(len(table.rows) - len(useful), "mark"))  # WhisperX's
    return replace(table, rows=useful)


def _values(text: str) -> Iterator[Any]:
    """The values of a text, mostly one; of `label --watch`, one on each line."""
    decoder: Any = json.JSONDecoder()
    read = decoder.parse_object

    def placed(text_and_place: tuple[str, int], *context: Any) -> tuple[_Object, int]:
        value, end = read(text_and_place, *context)
        found = _Object(value)
        found.place = text_and_place[1]
        return found, end

    # Python's scanner, for that in C does not say where an object begins.
    decoder.parse_object = placed
    decoder.scan_once = json.scanner.py_make_scanner(decoder)  # type: ignore[attr-defined]
    starts = re.compile(r"[^\s,]")
    place = starts.search(text)
    while place is not None:
        value, end = decoder.raw_decode(text, place.start())
        yield value
        place = starts.search(text, end)


def _rows(value: Any, around: Cells) -> Iterator[tuple[int, Cells]]:
    """What a value says is heard, each with where it begins. around: what is known of the recording."""
    if isinstance(value, list):
        if len(value) == 5 and isinstance(value[0], int | float) and isinstance(value[-1], list):  # a mark of AviaNZ
            frequencies = {"low freq": _cell(value[2]), "high freq": _cell(value[3])} if value[2] or value[3] else {}
            around = {**around, "start": _cell(value[0]), "end": _cell(value[1]), **frequencies}
        for each in value:
            yield from _rows(each, around)
    if not isinstance(value, _Object) or value.get(SKIPPED) is True or value.get("type") in NO_WORDS:
        return
    if "namespace" in value:
        yield from _observations(value, around)
        return
    if VIA.issubset(value):
        yield from _marks_of_via(value)
        return
    for name in OTHER_FORMS.keys() & value:
        if isinstance(value[name], list):
            raise ValueError(OTHER_FORMS[name])
    own = _cells(value, is_word=WORD in around)
    own_names = set(map(simplified, own))
    names = own_names.union(map(simplified, around))
    has_times, has_label = marks_parts(names), not own_names.isdisjoint(LABELS)
    if has_times and not names.isdisjoint(LABELS):
        yield value.place, around | own
        return
    inner = [_cells(each) for each in value.values() if isinstance(each, _Object)]
    about = around | {
        name: cell for cells in (*inner, own) for name, cell in cells.items() if simplified(name) in OF_RECORDINGS
    }
    of_parts = about | {name: cell for name, cell in own.items() if simplified(name) in SPEAKERS}
    not_people_s = NOT_PEOPLE_S if "annotations" in value else ()
    of_words = of_parts | {WORD: "word"} | ({OF_NOBODYS_TURN: "x"} if has_times else {})
    found = [
        row
        for name, each in value.items()
        if name not in not_people_s
        for row in _rows(each, of_words if OF_WORDS.fullmatch(simplified(name)) else of_parts)
    ]
    yield from found
    is_endless = not SPEAKERS.isdisjoint(own_names) and any(map(START.fullmatch, own_names))  # which is refused later
    says_label = has_label and (bool(about) or is_endless)
    if not found and (has_times or says_label or any(value.get(name) == [] for name in LISTS_OF_MARKS)):
        yield value.place, about | own if has_times or has_label else about


def _observations(value: _Object, around: Cells) -> Iterator[tuple[int, Cells]]:
    """What an annotation of JAMS says is heard; of Scaper, what lies in the foreground."""
    if JAMS.fullmatch(f'"namespace":"{value["namespace"]}"') is None:
        return
    if not isinstance(value.get("data"), list):
        raise ValueError("the data of an annotation are no list")
    for each in filter(lambda each: isinstance(each, _Object), value["data"]):
        said = each.get("value")
        label, role = (said.get("label"), said.get("role")) if isinstance(said, _Object) else (said, None)
        if role != "background":
            times = {"start": each.get("time"), "duration": each.get("duration")}
            yield each.place, around | _cells({**times, "label": label})


def _marks_of_via(project: _Object) -> Iterator[tuple[int, Cells]]:
    """What a project of VIA 3 says is heard: by the numbers of what is shown, of attributes, and of their options."""
    attributes = project["attribute"]
    for mark in project["metadata"].values():
        said = {"start": mark["z"][0], "end": mark["z"][-1]} if mark["z"] else {}
        for number, value in mark["av"].items():
            options = attributes[number]["options"]
            chosen = [options.get(each, each) for each in value.split(",")] if options else [value]
            said |= {"labels": chosen} if len(attributes) == 1 else {attributes[number]["aname"]: ";".join(chosen)}
        for file in project["view"][mark["vid"]]["fid_list"]:
            yield mark.place, _cells({"path": project["file"][str(file)]["fname"], **said})


def _names(value: Any) -> dict[str, str]:
    """The names of speakers by the numbers that a transcript gives them, where it lists both."""
    speakers = value.get("speakers") if isinstance(value, _Object) else None
    listed = [_cells(each) for each in speakers if isinstance(each, _Object)] if isinstance(speakers, list) else []
    return {each.get("id", each.get("spkid", "")): each["name"] for each in listed if "name" in each}


def _cells(value: Mapping[str, Any], *, is_word: bool = False) -> Cells:
    """What an object says itself, by the names that it has for it."""
    alternatives = value.get("alternatives")  # of what may have been said, the likeliest first
    if isinstance(alternatives, list) and alternatives and isinstance(alternatives[0], _Object):
        value = {**alternatives[0], **value}
    is_word = is_word or value.get("type") in OF_A_WORD
    is_said = is_word or not SAID.isdisjoint(value)
    cells = {WORD: "word"} if is_word else {}
    for name, each in value.items():
        cell, column = _cell(each), simplified(name)
        if column in TIMESTAMPS and isinstance(each, list | dict) and len(each) == 2:
            borders = each.values() if isinstance(each, dict) else each
            cells |= {border: time for border, time in zip(("start", "end"), map(_cell, borders), strict=True) if time}
        if cell and (column, cell) != SAYS_NOTHING and not (is_said and column == "type"):
            cells[checked_text(RENAMED.get(column, name))] = checked_text(cell)
    for name in LISTS_OF_LABELS:
        several = value.get(name)
        if isinstance(several, list) and several and all(isinstance(each, str) for each in several):
            cells.setdefault("label", checked_text("\n".join(map(printable, several))))
    return cells


def _cell(value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return ""
    text = str(value).strip()[:LONGEST_TEXT]  # of what was said in hours, nothing is a label
    return printable(text)[:LONGEST_TEXT]  # as `label` writes names into other tables
