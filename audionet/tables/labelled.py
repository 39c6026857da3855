"""The rows of a table -> recordings, or parts of them, each with its class."""

import functools
import logging
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from audionet.audio.channels import USUAL
from audionet.audio.chunks import Part
from audionet.dataset.folders import Recording, folders_in
from audionet.dataset.kinds import WORDS_OF_SIDES, group_of, is_passed_over
from audionet.dataset.names import UNKNOWN, composed, fault_as_folder, look_of, require_no_unknown, without_spaces
from audionet.errors import AudionetError, UnusableInput
from audionet.options import BACKGROUND
from audionet.settings import SoundChoice
from audionet.system.grouping import grouped
from audionet.system.text import count, listed
from audionet.tables.faults import each_line, line_error
from audionet.tables.layouts import layout_of, of_channel, report_silent, says_silent, says_unknown
from audionet.tables.paths import Listing, TablePaths, shown
from audionet.tables.reading import SHOWN, Row, Table, is_time

logger = logging.getLogger(__name__)

SEVERAL_LABELS = re.compile(r"""[;|]|^\[.*[,'"].*\]$""")  # [noise] is one
ONE_OR_SEVERAL = "is that one class, or several? A line can be of one class only; write the one, or a line for each"
# As R, pandas and others write that there is no value.
NOT_AVAILABLE = frozenset(("NA", "NaN", "nan", "None", "NULL", "null"))
# Columns of these simplified names say what recordings have in common that is not their class.
OF_GROUPS = frozenset(
    "session speaker speakerid spkid subject subjectid participant actor individual person site location place day "
    "date recordist recorder device".split()
)
WITHOUT_SPACES = (".rttm", ".stm")  # files in which names have none
JOINED = re.compile(r"\s*(?:[,+&]|\band\b)\s*")  # what a name may hold, and what may stand between two


def require_usable_label(path: Path, line: int, label: str) -> None:
    """Raise AudionetError if the label of a line can be no class."""
    error = functools.partial(line_error, path, line)
    if label.startswith("[{"):
        raise error("has JSON in a cell, as Label Studio's CSV has; export its JSON instead, which is read")
    if SEVERAL_LABELS.search(label):
        raise error(f"has the label {label!r}: {ONE_OR_SEVERAL}")
    shown = repr(label if len(label) <= SHOWN else f"{label[:SHOWN]}...")
    if fault := fault_as_folder(label):
        raise error(f"has the class {shown}, which can't name a folder ({fault}); write it otherwise")
    if is_passed_over(label, is_folder=True):
        raise error(f"has the class {shown}, as systems call folders of their own, which are passed over; rename it")
    require_no_unknown(f"{path}: line {line}", [label])


def spelt_alike(labels: Sequence[tuple[Path, int, str]], names: Iterable[str]) -> dict[str, str]:
    """How the class of each label is spelt: as that of some names that people take it for, or as most labels are.

    labels: each with its file and line. What is taken for another is said. In RTTM and STM, names have no spaces.
    """
    counts = Counter(label for _, _, label in labels)
    first = {label: (path, line) for path, line, label in reversed(labels)}
    chosen = {look_of(name): name for name in names}
    spaced = Counter(composed(label) for path, _, label in labels if path.suffix.lower() not in WITHOUT_SPACES)
    for label, _ in spaced.most_common():
        chosen.setdefault(look_of(label), label)
    of_joined = {look_of(without_spaces(name)): name for name in chosen.values()}
    for label, _ in Counter(composed(label) for _, _, label in labels).most_common():
        chosen.setdefault(look_of(label), of_joined.get(look_of(label), label))
    spelt = {label: chosen[look_of(label)] for label in counts if not says_unknown(label)}
    missing = "%s: line %d has the class %r, which is learnt as one; if it means that there is none, delete it"
    for label in sorted(counts.keys() & NOT_AVAILABLE):
        logger.warning(missing, *first[label], label)
    sentence = "%s: line %d has the class %r, which is taken for %r%s: if these are two classes, call one otherwise"
    for label, usual in spelt.items():
        if composed(label) not in (composed(usual), without_spaces(composed(usual))):
            more = f", as in {count(counts[label] - 1, 'other mark')}" if counts[label] > 1 else ""
            logger.warning(sentence, *first[label], label, usual, more)
    return spelt


class Listed(NamedTuple):
    """What a table says of the recordings in a folder: each in the parts that a line marks, and what lies wrong.

    unheard: as background, those of which lines without times and label say that nothing is heard in them.
    """

    recordings: list[Recording]
    unheard: list[Recording]
    wrong: list[UnusableInput]


class LabelledTable:
    """The rows of a table, and where in the data set's folder their recordings are."""

    def __init__(self, table: Table, data_audio: Path, choice: SoundChoice = USUAL, known: Iterable[str] = ()) -> None:
        """choice: of several channels, which the rows are about. known: classes that there are, beside the folders.

        Raises AudionetError if the table lacks a column.
        """
        self.layout, self.data_audio = layout_of(table), data_audio
        rows = ((row.line, self.layout.channel_of(row), row) for row in table.rows)
        self.table = table = replace(table, rows=of_channel(table.path, rows, choice))
        self.paths = TablePaths(Listing(data_audio), table.path)
        self.places = self.paths.find_all([self.layout.paths(row) for row in table.rows])
        self._folders = {folder.name for folder in folders_in(data_audio)}
        self._classes = self._folders.union(known)
        self._labels = {look_of(row.get(self.layout.label)) for row in table.rows}

    def read(self) -> Listed:
        """What the table says.

        Raises AudionetError for lines that make no sense, and if none names a recording that is there.
        """
        table, layout = self.table, self.layout
        if not table.rows:
            raise AudionetError(f"{table.path}: lists no recordings; it should have a line for each, below the first")
        found, unheard, silent = Listed([], [], []), dict[Recording, int](), 0  # with the line that says so first
        groups: dict[str, str] = {}
        first: dict[str, tuple[str | None, int | None, int]] = {}  # group, fold and line of each recording
        whereabouts = functools.cache(self._whereabouts)  # a recording may have many lines
        said = each_line(table.rows, self._said)
        for row, place, (label, part, fold) in zip(table.rows, self.places, said, strict=True):
            is_unheard = label is None
            silent += is_unheard and part is not None
            if place is None:
                found.wrong.append(self.why_missing(row))
                continue
            inside, path, own_group = whereabouts(place)
            named = row.get(layout.group)
            group = groups.setdefault(look_of(named), named) or own_group
            *earlier, line = first.setdefault(place, (group, fold, row.line))
            if earlier != [group, fold]:
                raise table.error(
                    row.line, f"lists {place} again: in line {line} it has another group or fold; keep one of the lines"
                )
            label = label or BACKGROUND
            recording = Recording(label, f"{label}/{inside}", path, group, fold, () if part is None else (part,))
            if is_unheard:
                unheard.setdefault(recording, row.line)
            else:
                found.recordings.append(recording)
        if not found.recordings and not unheard:
            raise self._nothing_found()
        marked = {recording.path for recording in found.recordings}
        found.unheard.extend(sorted(recording for recording in unheard if recording.path not in marked))
        if found.unheard:
            sentence = "%s: nothing is heard in %s, whose lines say of no class that it is (such as line %d)"
            how_many = count(len(found.unheard), "recording")
            logger.info(sentence, table.path, how_many, min(unheard[recording] for recording in found.unheard))
        report_silent(table.path, silent)
        self._report_renamed()
        self._report_left_out()
        self._report_split()
        self._report_groups()
        self._report_listed_again()
        return found

    def _said(self, row: Row) -> tuple[str | None, Part | None, int | None]:
        """The class of a row, its part and its fold; of one that says that nothing is heard, the class is None."""
        fold, part, label = self._fold(row), self.part(row), self.layout.label_of(row)
        lists_unheard = self.layout.times is not None or self.table.lists_unheard
        if says_silent(label, self._folders) if part is not None else lists_unheard and not label:
            return None, part, fold
        return UNKNOWN if part is not None and says_unknown(label) else self.label(row), part, fold

    def _whereabouts(self, place: str) -> tuple[str, Path, str | None]:
        """What a recording is called, where it is, and of which group by its name."""
        path = PurePosixPath(place)
        inside = path.relative_to(self.layout.folder) if path.parts[0] == self.layout.folder else path
        return str(inside), self.data_audio / path, group_of(Path(place))

    @functools.cached_property
    def _spelt(self) -> dict[str, str]:
        """How the classes of labels are spelt: on a file system that ignores case, two would be one folder."""
        labels = [(self.table.path, row.line, self.layout.label_of(row)) for row in self.table.rows]
        return spelt_alike([each for each in labels if each[-1]], self._classes)

    def label(self, row: Row) -> str:
        """The class of a row, see spelt_alike. Raises AudionetError if it has none, or one that can be no class."""
        label = row.get(self.layout.label)
        if not label:
            column = self.table.columns[self.layout.label]
            raise self.table.error(row.line, f"has no label in the column {column}; write one, or delete the line")
        if (spelt := self._spelt.get(label, label)) in self._classes:
            return spelt  # which may be called as no table would call it
        joined = JOINED.split(label)
        if len(joined) > 1 and all(look_of(part) in self._labels for part in joined):
            # `Owl, Barn` is one class; `owl, wren` is none where other lines are of `owl`, and others of `wren`.
            raise self.table.error(row.line, f"has the label {label!r}: {ONE_OR_SEVERAL}")
        require_usable_label(self.table.path, row.line, spelt)
        return spelt

    def part(self, row: Row) -> Part | None:
        """The part of its recording that a row is about; None for the whole. Raises AudionetError if it is none."""
        return self.layout.times.part(self.table, row) if self.layout.times else None

    def _fold(self, row: Row) -> int | None:
        fold = row.get(self.layout.fold)
        whole = re.fullmatch(r"(\d{1,9})([.,]0+)?", fold)
        if fold and not whole:
            raise self.table.error(row.line, f"has the fold {fold[:20]!r}; it should be a whole number")
        return int(whole[1]) if whole else None

    def why_missing(self, row: Row) -> UnusableInput:
        """A row's recording as one that is not there."""
        line = f"line {row.line} of {self.table.path.name}"
        left_out = self.paths.left_out
        places = [
            place
            for path in self.layout.paths(row)
            for place in self.paths.candidates(path, left_out) or self.paths.candidates(path)
        ]
        if not places:
            return UnusableInput(self.table.path, f"line {row.line} names no file")
        inside = self.paths.inside(places[0])
        namesakes = [place for path in self.layout.paths(row) for place in self.paths.namesakes.get(path, [])]
        if namesakes:
            how_many = count(len(namesakes), "recording")
            return UnusableInput(
                self.data_audio / (inside or places[0].name),
                f"is listed in {line}; {how_many} have this name ({listed(namesakes)}): write the path of the one",
            )
        if inside is None:
            return UnusableInput(places[0], f"is listed in {line}, but lies outside of {self.data_audio}")
        return UnusableInput(self.data_audio / inside, f"is listed in {line}, but not there")

    def _nothing_found(self) -> AudionetError:
        row = self.table.rows[0]
        paths = [path for path in self.layout.paths(row) if path]
        if not paths:
            return self.table.error(row.line, "names no file, and no other line names one that is there")
        if paths[0] in self.paths.namesakes:
            return self.table.error(row.line, f"names no recording that can be used: {self.why_missing(row)}")
        looked_for = [shown(place) for path in paths for place in self.paths.candidates(path)]
        recordings = len({tuple(self.layout.paths(row)) for row in self.table.rows})
        none = "the recording" if recordings == 1 else f"none of the {recordings:,} recordings"
        return AudionetError(
            f"{self.table.path}: {none} that it lists is {'not ' if recordings == 1 else ''}in {self.data_audio}; line "
            f"{row.line} has the path {paths[0]!r}, looked for as {listed(looked_for, most=4)}. Name the folder that "
            "the paths begin in, or mend the paths"
        )

    def _report_split(self) -> None:
        """Warn of a column that says which rows are to learn from and which to test with."""
        for name, written in self.table.columns.items():
            values = {row.get(name).casefold() for row in self.table.rows} - {""}
            if len(values) > 1 and values <= WORDS_OF_SIDES:
                sentence = (
                    "%s: its column %r is not used: %s count alike; a column fold, with whole numbers, says what is "
                    "held out together by retrain --folds, and a table of its own what evaluate is to be given"
                )
                logger.warning(sentence, self.table.path, written, listed(sorted(values)))

    def _report_groups(self) -> None:
        """Say that a column is not used by which recordings may belong together."""
        of_groups = [name for name in self.table.columns if name in OF_GROUPS and name != self.layout.label]
        for name in of_groups if not self.layout.group else ():
            if 1 < len(set(self.table.values(name))) < len(set(self.places)):
                sentence = "%s: its column %r is not used; call it group, if what shares it is to be held out together"
                logger.info(sentence, self.table.path, self.table.columns[name])

    def _report_listed_again(self) -> None:
        """Warn of recordings that several lines list whole, where another column may say which part each is about."""
        if self.layout.times is not None:
            return
        rows = grouped((place, row) for row, place in zip(self.table.rows, self.places, strict=True) if place)
        again = [(other, first, place) for place, (first, *others) in rows.items() for other in others]
        cells = ((name, cell, first) for row, first, _ in again for name, cell in row.cells.items())
        differing = {
            repr(self.table.columns[name]): None
            for name, cell, first in cells
            if name != self.layout.label and cell != first.get(name) and is_time(cell)
        }
        if differing:
            row, _, place = min(again, key=lambda each: each[0].line)
            more = f" ({count(len(again), 'line')} in all list one again)" if len(again) > 1 else ""
            sentence = (
                "%s: line %d lists %s again%s; lines without times are about whole recordings. If %s says which part "
                "is meant, write it into two columns called start and end, in seconds"
            )
            logger.warning(sentence, self.table.path, row.line, place, more, listed([*differing]))

    def _report_renamed(self) -> None:
        if self.paths.renamed:
            named, there = min(self.paths.renamed.items())
            sentence = "%s: %s found under another spelling or suffix (%s as %s)"
            logger.info(sentence, self.table.path, count(len(self.paths.renamed), "recording"), named, there)

    def _report_left_out(self) -> None:
        known = {place for place in self.places if place is not None}
        left = [path for path in self.paths.listing.recordings if path not in known]
        if left:
            how_many = count(len(left), "recording")
            logger.info("%s: does not list %s in %s (%s)", self.table.path, how_many, self.data_audio, listed(left))
