"""Where the tables of a data set are; and the recordings of a table, whose paths may be another system's."""

import functools
import os
import re
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path, PurePosixPath
from urllib.parse import unquote

from audionet.dataset.folders import walk_data_set
from audionet.dataset.kinds import SOUND_SUFFIX, is_other_file, names_left
from audionet.dataset.names import spelling_key, without_spaces
from audionet.errors import AudionetError
from audionet.system.files import resolved
from audionet.system.grouping import grouped
from audionet.system.text import printable
from audionet.system.untrusted import LONGEST_PATH_BYTES, is_file, is_folder
from audionet.tables.reading import SHOWN, USABLE, Table, is_time

TABLE_SUFFIXES = (".csv", ".tsv", ".tab", ".txt")
WORKBOOK_SUFFIXES = (".xlsx", ".xls", ".ods", ".numbers")  # of tables that have to be saved as text first
PUBLISHED_NAMES = ("urbansound8k.csv", "esc50.csv")
TABLE_FOLDERS = ("metadata", "meta")  # in the data set's folder
MOST_TABLES = 50  # that are looked into, of a folder full of them
# Simplified names of columns that say which recording, see reading.simplified; and those that tools give them.
PATH_COLUMNS = ("path", "filepath", "filename", "file", "slicefilename")
TOOLS_PATH_COLUMNS = (
    "beginpath beginfile clip recording audiofile audiofilepath audiopath audiofilename soundfile soundfiles infile "
    "mediafilename fname wav wavfile wavpath wavfilename audio notatedpath recordingid".split()
)
PATHS = "the path of a recording"  # in messages
MOST_SAMPLED = 500  # rows, to find out where the paths begin
MOST_LEFT_OUT = 12  # folders of a path that begins elsewhere
UPLOADED = re.compile(r"^[0-9a-f]{8}-(?=.)")  # which Label Studio writes before the name of a file
ADDRESS = re.compile(r"file:|[a-z\d]+://|.*/local-files/\?d=")  # the last is Label Studio's, of its own machine
SOUND_NAME = re.compile(rf".*[^./\\]{SOUND_SUFFIX.pattern}", re.IGNORECASE)


class Listing:
    """The recordings in the folder of a data set, as seen from there with forward slashes: listed once."""

    def __init__(self, data_audio: Path) -> None:
        self.data_audio, self.root = data_audio, absolute(data_audio)

    @functools.cached_property
    def recordings(self) -> list[str]:
        """All of them, sorted."""
        return [path.relative_to(self.root).as_posix() for path in recordings_in(self.root)]

    @functools.cached_property
    def by_name(self) -> dict[str, list[str]]:
        """They by all that a table may call them."""
        return grouped((spelling_key(name), place) for place in self.recordings for name in _names_of(place))

    def holds_mostly(self, places: Iterable[str | None]) -> bool:
        """Whether at least half of the recordings lie at these places, and one at least."""
        return 2 * len(set(self.recordings).intersection(places)) >= max(1, len(self.recordings))


class TablePaths:
    """Finds what the paths of a table mean, in the folder of a data set and nowhere else.

    Paths may be absolute, or begin in the data set's folder, in that of the table or in the one above it, with `audio/`
    left out or not, and be written with backslashes; of a name alone, the file may lie at any depth. The file may have
    another suffix, and be spelt in other case or with accents that are stored in another way.

    renamed: paths whose recordings are called otherwise, and how. namesakes: names that several recordings have, and
    the places of these. left_out: how many of the first parts of each path, as find_all found, are another machine's.
    """

    def __init__(self, listing: Listing, table: Path) -> None:
        """listing: of the data set's folder, which many tables may share."""
        self.listing, self.root = listing, listing.root
        self._roots = tuple(dict.fromkeys((self.root, resolved(self.root))))
        self.renamed: dict[str, str] = {}
        self.namesakes: dict[str, list[str]] = {}
        self.left_out = 0
        tables_folder = absolute(table.parent)
        begins = dict.fromkeys((self.root, tables_folder, tables_folder.parent))
        self._bases = [place for base in begins for place in (base, base / "audio")]

    def find_all(self, rows: Sequence[Sequence[str]]) -> list[str | None]:
        """Where each row's recording is, below the data set's folder with forward slashes; None if it is not there.

        rows: the paths that each may have, the likeliest first.
        """
        sample = rows[:: max(1, len(rows) // MOST_SAMPLED)]
        # If no path at all leads anywhere, they begin in a folder of another machine: the first parts of each are left
        # out, the same number of all.
        longest = max((len(_parts(path)) for row in sample for path in row), default=1)
        for left_out in range(min(longest, MOST_LEFT_OUT + 1)):
            if any(self._find(row, left_out) for row in sample):
                self.left_out = left_out
                found = {row: self._find(row, left_out) for row in dict.fromkeys(map(tuple, rows))}
                return [found[tuple(row)] for row in rows]
        return [None] * len(rows)

    def candidates(self, path: str, left_out: int = 0) -> list[Path]:
        """The places where a path may lead, without its first so many parts."""
        parts = _parts(path)[left_out:]
        if not parts or len(path) > LONGEST_PATH_BYTES:
            return []
        if left_out == 0 and _is_absolute(path):
            return [absolute(Path(path.replace("\\", "/")))]
        return [absolute(base.joinpath(*parts)) for base in self._bases]

    def inside(self, place: Path) -> str | None:
        """A place below the data set's folder, as seen from there with forward slashes; None if it is not below it."""
        for top in self._roots:
            if place != top and place.is_relative_to(top):
                return place.relative_to(top).as_posix()
        return None

    def _find(self, paths: Iterable[str], left_out: int) -> str | None:
        """Where one of a row's paths leads to a recording, without its first so many parts; None if none does."""
        found = (self._at_place(path, left_out) or self._by_name(path, left_out) for path in paths)
        return next(filter(None, found), None)

    def _at_place(self, path: str, left_out: int) -> str | None:
        """The recording to which a path leads; or one that has been converted, or copied by another system, since."""
        for inside in filter(None, map(self.inside, self.candidates(path, left_out))):
            if is_file(self.root / inside):
                return inside
            alike = self._named(f"/{inside}") or self._named(f"/{PurePosixPath(inside).with_suffix('')}")
            if len(alike) == 1:
                if alike != [inside]:
                    self.renamed[inside] = alike[0]
                return alike[0]
        return None

    def _by_name(self, path: str, left_out: int) -> str | None:
        """The recording at any depth whose name is the one that is left of a path, if there is one alone."""
        parts = _parts(path)[left_out:]
        places = self._named(parts[0]) or self._named(UPLOADED.sub("", parts[0])) if len(parts) == 1 else []
        if len(places) > 1:
            self.namesakes[path] = places
        return places[0] if len(places) == 1 else None

    def _named(self, name: str) -> list[str]:
        """The recordings at any depth that have a name, or, after `/`, a path; the suffix may be left out."""
        return self.listing.by_name.get(spelling_key(name), [])


def _names_of(place: str) -> set[str]:
    """What a table may call a recording: its name, or, after `/`, its path; with the suffix or without it."""
    whole = PurePosixPath(place)
    names = {f"/{place}", f"/{whole.with_suffix('')}", whole.name, whole.stem}
    # As `label` writes what breaks a line; a backslash is taken for Windows's.
    written = PurePosixPath(printable(place).replace("\\", "/").lstrip("/"))
    names |= {f"/{written}", f"/{written.with_suffix('')}"}
    return names | set(map(without_spaces, names))


def recordings_in(folder: Path) -> list[Path]:
    """The recordings in a folder, at any depth, sorted."""
    return [path for path in walk_data_set(folder) if is_file(path) and not is_other_file(path)]


def absolute(path: Path) -> Path:
    """A path from the root, without `..`, and with links as they are."""
    whole = path.absolute()
    if ".." not in whole.parts:
        return whole
    place = Path(whole.anchor)
    for part in whole.parts[1:]:
        place = place.parent if part == ".." else place / part
    return place


def shown(place: Path) -> str:
    """A place as seen from the current folder, if it is below it."""
    here = Path.cwd()
    return str(place.relative_to(here) if place.is_relative_to(here) else place)


def _parts(path: str) -> list[str]:
    if address := ADDRESS.match(path):
        path = unquote(path[address.end() :])
    return [part for part in path.replace("\\", "/").split("/") if part not in ("", ".")]


def file_name(path: str) -> str:
    """The last part of a path as any system writes it."""
    return next(reversed(_parts(path)), "")


def _is_absolute(path: str) -> bool:
    return path.startswith(("/", "\\")) or re.match(r"[A-Za-z]:", path) is not None


def path_columns(columns: Collection[str]) -> list[str]:
    """Those of a table's columns, by simplified names, that may say which recording, the likeliest first."""
    return [name for name in (*PATH_COLUMNS, *TOOLS_PATH_COLUMNS) if name in columns]


def columns_of_files(table: Table) -> list[str]:
    """The simplified names of columns in which all cells, several different ones, are names of files of sound."""
    cells = {name: set(table.values(name)) for name in table.columns}
    return [name for name, files in cells.items() if len(files) > 1 and all(map(SOUND_NAME.fullmatch, files))]


def lists_most(listing: Listing, table: Table, columns: Sequence[str]) -> bool:
    """Whether columns of a table list at least half of the recordings in the data set's folder, and one at least."""
    rows = [[row.get(name) for name in columns if row.get(name)] for row in table.rows]
    return listing.holds_mostly(TablePaths(listing, table.path).find_all(rows))


def require_path_column(table: Table) -> None:
    """Raise AudionetError if a table without a column of paths names several recordings in another."""
    for name in columns_of_files(table)[:1]:
        remedy = f"Call it {PATH_COLUMNS[0]}, or delete it if all lines are about one recording"
        raise AudionetError(f"{table.path}: is the column {table.columns[name]!r} {PATHS}? {remedy}")


def require_header(table: Table) -> None:
    """Raise AudionetError if the first line names no columns, but a recording, or when something is heard."""
    if path_columns(table.columns):
        return
    names = list(table.columns.values())
    if len(names) == 1 and " " in names[0]:
        raise AudionetError(
            f"{table.path}: begins with {names[0][:SHOWN]!r}, and is no table; put tabs or commas between its columns, "
            f"below a line that names them, or export {USABLE}"
        )
    for name in names:
        if SOUND_NAME.fullmatch(name) or is_time(name):
            raise AudionetError(
                f"{table.path}: begins with {name[:SHOWN]!r}, where a line is needed that names the columns; write one "
                "above it, with path and label, or with start, end and label, over what they are about"
            )


def tables_near(data_audio: Path) -> list[Path]:
    """The tables in a folder, in its folder for tables, and in those of its parent: published ones first, each once."""
    places = (data_audio, data_audio.absolute().parent)
    folders = [folder for place in places for folder in (place, *folders_for_tables(place))]
    tables = dict.fromkeys(table for folder in folders for table in tables_in(folder))

    def likeliest_first(table: Path) -> tuple[bool, bool]:  # .txt may be hundreds of notes
        return table.name.lower() not in PUBLISHED_NAMES, table.suffix.lower() not in (".csv", ".tsv")

    return sorted(tables, key=likeliest_first)[:MOST_TABLES]


def folders_for_tables(folder: Path) -> list[Path]:
    """`metadata/` and the like in a data set's folder."""
    return [folder / name for name in _names(folder) if name.lower() in TABLE_FOLDERS and is_folder(folder / name)]


def tables_in(folder: Path, suffixes: tuple[str, ...] = TABLE_SUFFIXES) -> list[Path]:
    """The files in a folder that may be tables, by their names."""
    return [folder / name for name in _names(folder) if name.lower().endswith(suffixes)]


def _names(folder: Path) -> list[str]:
    try:
        return names_left(folder, os.listdir(folder))
    except OSError:
        return []
