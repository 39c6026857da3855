"""Recordings that a table labels: UrbanSound8K and ESC-50, as published or passed on by others, or any CSV."""

import logging
import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from audionet.dataset.folders import PART_OF_A_SET, Recording, find_recordings, group_of
from audionet.dataset.names import can_name_a_folder, require_no_unknown
from audionet.dataset.table_paths import TablePaths, shown
from audionet.dataset.tables import (
    PUBLISHED_NAMES,
    Row,
    Table,
    folders_for_tables,
    folders_in,
    header_of,
    read_table,
    tables_in,
    tables_near,
)
from audionet.errors import AudionetError, UnusableInput
from audionet.system.text import count, did_you_mean, listed

logger = logging.getLogger(__name__)

# Simplified names of columns, see tables.simplified.
PATH_COLUMNS = ("path", "filepath", "filename", "file", "slicefilename")
LABEL_COLUMNS = ("label", "class", "category", "species")
# Columns that say that a row is not about a whole recording. Until such rows can be used, they are refused by name.
MARKING_COLUMNS = frozenset(
    "start end onset offset begin stop begintime endtime starttime stoptime begintimes endtimes starttimes stoptimes "
    "startseconds endseconds starts ends tmin tmax channel channels lowfreqhz highfreqhz".split()
)
KNOWN_COLUMNS = frozenset({*PATH_COLUMNS, *LABEL_COLUMNS, "group", "fold", "fsid", "srcfile"})
SEVERAL_LABELS = re.compile(r"[;|]")


@dataclass(frozen=True)
class _Layout:
    """The columns of a table that say what is needed of a row; group and fold are "" where there is none.

    folder: of the recordings below the data set's. It says nothing, and is left out of the pictures' names.
    has_own_marks: the columns that mark parts are about the recordings that the set was cut from.
    paths: what a row's path may be, the likeliest first.
    """

    label: str
    group: str
    fold: str
    paths: Callable[[Row], list[str]]
    folder: str = ""
    has_own_marks: bool = False


def _urban_sound_paths(row: Row) -> list[str]:
    name = row.get("slicefilename")
    return [f"fold{row.get('fold')}/{name}", name] if name else []


URBANSOUND8K = _Layout("class", "fsid", "fold", _urban_sound_paths, "audio", has_own_marks=True)
ESC_50 = _Layout("category", "srcfile", "fold", lambda row: [row.get("filename")], "audio")


def find_labelled_recordings(
    data_audio: Path, metadata: Path | None = None
) -> tuple[list[Recording], list[UnusableInput]]:
    """The recordings in a data set and their classes, and what lies wrong, as folders.find_recordings.

    metadata: the table; None is the one that is found in the folder or beside it and lists its recordings, else the
    folders are the classes. Recordings of one group stay on one side of every split. Raises AudionetError for a table
    that can't be used, and where it is not clear what the classes are.
    """
    found = find_in_table(data_audio, metadata)
    if found is None:
        _require_no_set_below(data_audio)
        return find_recordings(data_audio)
    return found


def find_in_table(data_audio: Path, metadata: Path | None = None) -> tuple[list[Recording], list[UnusableInput]] | None:
    """As find_labelled_recordings; None if there is no table, and the folders are the classes."""
    if not data_audio.is_dir():
        return None
    found = _find_table(data_audio) if metadata is None else _Labels(_named_table(metadata), data_audio)
    return None if found is None else found.recordings()


def _named_table(metadata: Path) -> Table:
    if not metadata.is_file() and not metadata.is_symlink():
        beside = [path.name for path in tables_in(metadata.parent)]
        what = "is a folder; name the table in it" if metadata.is_dir() else "no such table"
        raise AudionetError(f"{metadata}: {what}{did_you_mean(metadata.name, beside)}")
    return read_table(metadata, KNOWN_COLUMNS)


def _layout_of(table: Table) -> _Layout:
    """Raises AudionetError if there are no columns of paths and of labels, or several that may be meant."""
    columns = table.columns.keys()
    if {"slicefilename", "fsid", "fold", "class"} <= columns:
        return URBANSOUND8K
    if {"filename", "fold", "category", "srcfile"} <= columns:
        return ESC_50
    path = _column(table, PATH_COLUMNS, "the path of a recording")
    label = _column(table, LABEL_COLUMNS, "its label")
    group, fold = ("group" if "group" in columns else ""), ("fold" if "fold" in columns else "")
    return _Layout(label, group, fold, lambda row: [row.get(path)])


def _column(table: Table, wanted: Sequence[str], what: str) -> str:
    found = [name for name in wanted if name in table.columns]
    if not found:
        raise AudionetError(
            f"{table.path}: needs a column for {what}, called {', '.join(wanted[:-1])} or {wanted[-1]}; its first line "
            f"names the columns {table.columns_named()}"
        )
    if len(found) > 1 and found[0] != wanted[0]:
        names = [repr(table.columns[name]) for name in found]
        raise AudionetError(
            f"{table.path}: which column is {what}, {' or '.join(names)}? Call the one {wanted[0]}, or delete the other"
        )
    return found[0]


def _refuse_marks(table: Table, layout: _Layout) -> None:
    """Raise AudionetError for a column that says that only a part of a recording is meant, and would be passed over."""
    if layout.has_own_marks:
        return
    for name in table.columns.keys() & MARKING_COLUMNS:
        row = next((row for row in table.rows if row.get(name)), None)
        if row is not None:
            raise table.error(
                row.line,
                f"marks a part of a recording: {table.columns[name]} {row.get(name)!r}. Only whole recordings can be "
                "learnt from a table; cut the parts into files of their own, or delete the column",
            )


class _Labels:
    """The rows of a table, and where in the data set's folder their recordings are."""

    def __init__(self, table: Table, data_audio: Path) -> None:
        """Raises AudionetError if the table lacks a column."""
        self.table, self.layout, self.data_audio = table, _layout_of(table), data_audio
        self.paths = TablePaths(data_audio, table.path)
        self.places = self.paths.find_all([self.layout.paths(row) for row in table.rows])

    def recordings(self) -> tuple[list[Recording], list[UnusableInput]]:
        """As find_labelled_recordings."""
        table, layout = self.table, self.layout
        if not table.rows:
            raise AudionetError(f"{table.path}: lists no recordings; it should have a line for each, below the first")
        _refuse_marks(table, layout)
        found: dict[str, tuple[Recording, int]] = {}
        spellings: dict[str, tuple[str, int]] = {}  # on a file system that ignores case, two would be one folder
        wrong = []
        for row, place in zip(table.rows, self.places, strict=True):
            label = self._label(row, spellings)
            fold = self._fold(row)
            if place is None:
                wrong.append(self._why_missing(row))
                continue
            path = PurePosixPath(place)
            inside = path.relative_to(layout.folder) if path.parts[0] == layout.folder else path
            group = row.get(layout.group) or group_of(Path(place))
            recording = Recording(label, f"{label}/{inside}", self.data_audio / path, group, fold)
            same, line = found.setdefault(place, (recording, row.line))
            if same != recording:
                had = f"has the label {same.class_name!r}, here {label!r}"
                had = had if same.class_name != label else "has another group or fold"
                raise table.error(row.line, f"lists {place} again: in line {line} it {had}; keep one of the lines")
        if not found:
            raise self._nothing_found()
        self._report_renamed()
        self._report_left_out()
        return sorted(recording for recording, _ in found.values()), wrong

    def _label(self, row: Row, spellings: dict[str, tuple[str, int]]) -> str:
        table, label = self.table, row.get(self.layout.label)
        if not label:
            column = table.columns[self.layout.label]
            raise table.error(row.line, f"has no label in the column {column}; write one, or delete the line")
        if SEVERAL_LABELS.search(label):
            raise table.error(
                row.line,
                f"has the label {label!r}: is that one class, or several? A recording can be of one class only; write "
                "the one, or cut the recording into files of one sound each",
            )
        if not can_name_a_folder(label):
            raise table.error(row.line, f"has the class {label!r}, which can't name a folder; write it in other signs")
        require_no_unknown(f"{table.path}: line {row.line}", [label])
        key = unicodedata.normalize("NFC", label).casefold()
        same, line = spellings.setdefault(key, (label, row.line))
        if same != label:
            raise table.error(row.line, f"has the class {label!r}, others {same!r} (line {line}); spell them alike")
        return label

    def _fold(self, row: Row) -> int | None:
        fold = row.get(self.layout.fold)
        whole = re.fullmatch(r"(\d{1,9})([.,]0+)?", fold)
        if fold and not whole:
            raise self.table.error(row.line, f"has the fold {fold!r}; it should be a whole number")
        return int(whole[1]) if whole else None

    def _why_missing(self, row: Row) -> UnusableInput:
        line = f"line {row.line} of {self.table.path.name}"
        places = [place for path in self.layout.paths(row) for place in self.paths.candidates(path)]
        if not places:
            return UnusableInput(self.table.path, f"line {row.line} names no file")
        inside = self.paths.inside(places[0])
        if inside is None:
            return UnusableInput(places[0], f"is listed in {line}, but lies outside of {self.data_audio}")
        return UnusableInput(self.data_audio / inside, f"is listed in {line}, but not there")

    def _nothing_found(self) -> AudionetError:
        row = self.table.rows[0]
        paths = [path for path in self.layout.paths(row) if path]
        if not paths:
            return self.table.error(row.line, "names no file, and no other line names one that is there")
        looked_for = [shown(place) for path in paths for place in self.paths.candidates(path)]
        return AudionetError(
            f"{self.table.path}: none of the {count(len(self.table.rows), 'recording')} that it lists is in "
            f"{self.data_audio}; line {row.line} has the path {paths[0]!r}, looked for as "
            f"{listed(looked_for, most=4)}. Name the folder that the paths begin in, or mend the paths"
        )

    def _report_renamed(self) -> None:
        if self.paths.renamed:
            named, there = min(self.paths.renamed.items())
            how_many = count(len(self.paths.renamed), "recording")
            logger.info("%s: %s found by another suffix (%s as %s)", self.table.path, how_many, named, there)

    def _report_left_out(self) -> None:
        known = {place for place in self.places if place is not None}
        left = [path for path in self.paths.recordings() if path not in known]
        if left:
            how_many = count(len(left), "recording")
            logger.info("%s: does not list %s in %s (%s)", self.table.path, how_many, self.data_audio, listed(left))


def _find_table(data_audio: Path) -> _Labels | None:
    """The table in or beside a folder that lists its recordings; None if there is none.

    Raises AudionetError if there are several, or if it contradicts folders that are named as its classes.
    """
    if not data_audio.is_dir():
        return None
    candidates = []
    for path in tables_near(data_audio):
        columns = header_of(path, KNOWN_COLUMNS)
        if columns & set(PATH_COLUMNS) and columns & set(LABEL_COLUMNS):
            candidates.append(path)
    if not candidates:
        return None
    fitting: list[_Labels] = []
    for path in candidates:
        table = read_table(path, KNOWN_COLUMNS)
        published = path.name.lower() in PUBLISHED_NAMES
        try:
            found = _Labels(table, data_audio)
        except AudionetError:
            if published:
                raise
            continue
        if published:
            fitting = [found]
            break
        there = found.paths.recordings()
        if 2 * len(set(there).intersection(found.places)) >= max(1, len(there)):
            fitting.append(found)
    if not fitting:
        return None
    if len({found.table.path.resolve() for found in fitting}) > 1:
        names = [str(found.table.path) for found in fitting]
        raise AudionetError(f"{data_audio}: {listed(names)} list its recordings; name the one to use with --metadata")
    _require_no_contradiction(fitting[0])
    path = fitting[0].table.path
    logger.log(
        logging.DEBUG if path.name.lower() in PUBLISHED_NAMES else logging.INFO, "the labels are those in %s", path
    )
    return fitting[0]


def _require_no_contradiction(found: _Labels) -> None:
    """Raise AudionetError if folders are named as classes of the table, and hold recordings of others."""
    labels = {row.get(found.layout.label) for row in found.table.rows}
    folders = {place.partition("/")[0] for place in found.places if place is not None and "/" in place}
    if not any(folder in labels and not PART_OF_A_SET.fullmatch(folder) for folder in folders):
        return
    for row, place in zip(found.table.rows, found.places, strict=True):
        folder, slash, _ = (place or "").partition("/")
        label = row.get(found.layout.label)
        if slash and folder != label:
            raise found.table.error(
                row.line,
                f"says that {place} is {label!r}, its folder {folder!r}; add --metadata {found.table.path} to go by "
                "the table, or move the table away to go by the folders",
            )


def _require_no_set_below(data_audio: Path) -> None:
    """Raise AudionetError if a folder in it is a published data set, which would be taken for a class."""
    for folder in folders_in(data_audio):
        for place in (folder, *folders_for_tables(folder)):
            table = next((path for path in tables_in(place) if path.name.lower() in PUBLISHED_NAMES), None)
            if table is not None:
                raise AudionetError(
                    f"{data_audio}: holds a data set with a table of its own ({table.relative_to(data_audio)}); "
                    f"name its folder: {folder}"
                )
