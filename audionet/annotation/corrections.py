"""Corrections: a table of recordings, or seconds of them, of which the folders or other annotations say it wrong.

A row has a path, a label, and, for a part of the recording, its start and end. Its seconds are of that class from then
on, and of no other; without a label, or with `unknown`, they are not learnt at all. Of rows about the same seconds, the
last counts. A recording that lies elsewhere is added to those of the folders.
"""

import logging
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from audionet.annotation.parts import WHOLE, corrected_parts, find_overlaps, parts_of, span, with_parts
from audionet.audio.chunks import Part
from audionet.dataset.folders import Recording
from audionet.dataset.names import UNKNOWN, spelling_key
from audionet.errors import AudionetError, UnusableInput
from audionet.system.text import count, did_you_mean, listed, printable
from audionet.system.untrusted import is_file
from audionet.tables.faults import each_line
from audionet.tables.files import read_table
from audionet.tables.labelled import LabelledTable
from audionet.tables.layouts import says_unknown
from audionet.tables.paths import absolute, file_name
from audionet.tables.reading import Row

logger = logging.getLogger(__name__)


class _File:
    """A file that is learnt from: its recordings before the corrections, and the parts of each class."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.recordings: dict[str, Recording] = {}  # by class
        self.corrections: list[_Correction] = []

    def corrected(self, taken: dict[str, Path]) -> Iterable[Recording]:
        """What is learnt of it. taken: the keys of all recordings, and whose they are; those of new ones are added."""
        parts_before = {class_name: parts_of(recording) for class_name, recording in self.recordings.items()}
        for class_name, parts in sorted(corrected_parts(parts_before, self.corrections).items()):
            if parts:
                own = self.recordings.get(class_name) or self._new(class_name, taken)
                yield with_parts(own, parts)

    def _new(self, class_name: str, taken: dict[str, Path]) -> Recording:
        """A recording of this file for a class that it was not in before, with a key that no other recording has."""
        folder = self.path.parent.name
        elsewhere = Recording(folder, f"{folder}/{self.path.name}", self.path)
        first = min(self.recordings.values(), default=elsewhere)
        name = first.key.partition("/")[2]
        keys = (
            f"{class_name}/{name}",
            f"{class_name}/{first.class_name}/{name}",
            f"{class_name}/{'/'.join(self.path.parts[1:])}",
        )
        key = next(key for key in keys if taken.setdefault(key, self.path) == self.path)
        return replace(first, class_name=class_name, key=key, parts=())


class _Correction(NamedTuple):
    """A part of a file and the class that it belongs to; class_name is "" for what is not to be learnt."""

    class_name: str
    part: Part


def corrected(
    recordings: Iterable[Recording], corrections: Path, data_audio: Path
) -> tuple[list[Recording], list[UnusableInput]]:
    """The recordings as the corrections have them, sorted, and the corrections of recordings that are not there.

    Paths are as in any table, or as reports show them: `<class>/<path in the class folder>`. Raises AudionetError for a
    table that can't be used.
    """
    files: dict[Path, _File] = {}
    keys: dict[str, Path] = {}
    for recording in recordings:
        files.setdefault(recording.path, _File(recording.path)).recordings[recording.class_name] = recording
        keys[recording.key] = recording.path
    known = {recording.class_name for recording in recordings}
    table = LabelledTable(read_table(corrections), data_audio, known=known)
    wrong, elsewhere = list[UnusableInput](), dict[str, Path]()
    said = each_line(table.table.rows, lambda row: _said(row, table))
    for row, place, (label, part) in zip(table.table.rows, table.places, said, strict=True):
        path = _path_of(row, place, table, keys)
        if path is None:
            wrong.append(table.why_missing(row))
            continue
        if part.start_seconds == part.end_seconds:
            wrong.append(UnusableInput(path, f"is corrected from {span(part)} in line {row.line}, which has no length"))
            continue
        elsewhere |= {name: path for name in table.layout.paths(row) if _lies_elsewhere(name, path, keys)}
        files.setdefault(path, _File(path)).corrections.append(_Correction(label, part))
    named = {correction.class_name for file in files.values() for correction in file.corrections}
    _report_new_classes(corrections, named - {""}, known)
    _report_elsewhere(corrections, elsewhere)
    changed = [file for _, file in sorted(files.items()) if file.corrections]
    _report_contradictions(corrections, changed)
    kept = [recording for recording in recordings if not files[recording.path].corrections]
    left = sorted([*kept, *(recording for file in changed for recording in file.corrected(keys))])
    if not left:
        raise AudionetError(
            f"{corrections}: leaves nothing to learn; delete the lines of what is to be learnt all the same"
        )
    return left, wrong


def _said(row: Row, table: LabelledTable) -> _Correction:
    label = row.get(table.layout.label)
    return _Correction(table.label(row) if label and not says_unknown(label) else "", table.part(row) or WHOLE)


def are_done(corrections: Path, data_audio: Path) -> bool:
    """Whether all that corrections are about lies in the folder of its class by now, and none is of a part."""
    with suppress(AudionetError):
        table = read_table(corrections)
        rows = [(row.get("label"), file_name(row.get("path"))) for row in table.rows]
        is_of_wholes = not any(map(table.values, ("start", "end")))
        return is_of_wholes and all(label and is_file(data_audio / label / name) for label, name in rows)
    return False


def _lies_elsewhere(name: str, path: Path, keys: dict[str, Path]) -> bool:
    """Whether the folder that stands in a row's path is not the one that the file lies in, which has the same name."""
    folder = PurePosixPath(name.replace("\\", "/")).parent.name
    return name not in keys and spelling_key(folder) not in ("", spelling_key(path.parent.name))


def _report_new_classes(corrections: Path, labels: set[str], known: set[str]) -> None:
    new = sorted(labels - known)
    if new:
        names = listed([f"{name!r}{did_you_mean(name, known)}" for name in new])
        logger.info("%s: makes %s: %s", corrections, "a new class" if len(new) == 1 else "new classes", names)


def _report_elsewhere(corrections: Path, elsewhere: Mapping[str, Path]) -> None:
    """Warn of paths, each with its file, of which the folder is another than the file's."""
    if elsewhere:
        first = next(iter(elsewhere))
        others = f", and {count(len(elsewhere) - 1, 'other path')} like it" if len(elsewhere) > 1 else ""
        sentence = "%s: there is no %s, so what is said of it is taken to be about %s%s"
        logger.warning(sentence, corrections, printable(first), elsewhere[first], others)


def _report_contradictions(corrections: Path, files: Iterable[_File]) -> None:
    """Say that several lines are about the same seconds, and name other classes."""
    parts = ((name, file.path, part) for file in files for name, part in file.corrections)
    told = (Recording(name or UNKNOWN, name, path, parts=(part,)) for name, path, part in parts)
    overlaps = (each for each in find_overlaps(told) if each.first.class_name != each.second.class_name)
    overlap = next(overlaps, None)
    if overlap is not None:
        sentence = "%s: says two things of the same seconds (%s): the last line about them counts"
        logger.info(sentence, corrections, overlap)


def _path_of(row: Row, place: str | None, table: LabelledTable, keys: dict[str, Path]) -> Path | None:
    """The file that a row is about; None if there is none."""
    for name in filter(None, table.layout.paths(row)):
        if name in keys:
            return keys[name]
        for folder in (Path.cwd(), table.table.path.parent):
            elsewhere = absolute(folder / name)
            # A clip of another folder is meant, even where this one has a recording whose path ends alike.
            if is_file(elsewhere) and table.paths.inside(elsewhere) is None:
                return elsewhere
        if place is not None:
            return table.data_audio / place
    return None
