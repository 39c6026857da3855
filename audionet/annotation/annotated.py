"""Annotation files, each with the recording that it lies beside -> the recordings that they are about, in parts."""

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from audionet.annotation.marks import Annotation, by_tiers, of_tiers
from audionet.annotation.readers import SUBTITLES, read_annotations
from audionet.audio.chunks import Part
from audionet.dataset.folders import Recording, folders_in
from audionet.dataset.kinds import are_all_parts, group_of, is_part_of_a_set
from audionet.dataset.names import UNKNOWN, by_name
from audionet.errors import AudionetError, UnusableInput
from audionet.options import BACKGROUND, AnnotationOptions
from audionet.settings import SoundChoice
from audionet.system.grouping import grouped
from audionet.system.text import count, listed, printable
from audionet.tables.faults import line_error
from audionet.tables.labelled import require_usable_label, spelt_alike
from audionet.tables.layouts import report_silent, says_silent
from audionet.tables.paths import Listing, TablePaths
from audionet.tables.reading import Table

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Annotated:
    """What annotation files say. paths: the recordings that they are about, also those in which nothing is marked.

    left_out: recordings that can't be used, since something is wrong with their annotations.
    has_classes: the folders that the recordings lie in are classes all the same, for those without annotations.
    stretches: of recordings that somebody listened to in part only, the parts; nothing is known of the rest.
    """

    recordings: list[Recording]
    wrong: list[UnusableInput]
    paths: set[Path]
    left_out: set[Path] = field(default_factory=set)
    has_classes: bool = False
    stretches: Mapping[Path, Sequence[Part]] = field(default_factory=dict)


class Fault(UnusableInput):
    """What is wrong with annotations, for which the recordings that they are about are left out.

    recordings: those; none if nobody knows which they are.
    """

    def __init__(self, path: Path, reason: str, recordings: Sequence[Path] = (), until: str = "until then") -> None:
        if recordings:
            are = "is" if len(recordings) == 1 else "are"
            reason += f"; {until}, {listed([recording.name for recording in recordings])} {are} left out"
        super().__init__(path, reason)
        self.recordings = recordings

    @classmethod
    def of(cls, file: Path, error: AudionetError, recordings: Sequence[Path]) -> "Fault":
        """What is wrong with a file about recordings."""
        if isinstance(error, Fault):
            return error
        reason = str(error).removeprefix(f"{file}: ")
        return cls(file, reason, recordings, "until that is mended or moved away")


@dataclass(frozen=True)
class Owned:
    """An annotation file and the recording that it lies beside; None if it is of several, or lies elsewhere.

    doubt: if it is not clear which recording that is, or which annotations are meant.
    table: the file, if it has been read as one.
    """

    annotations: Path
    recording: Path | None
    doubt: Fault | None = None
    table: Table | None = None

    def read(self, choice: SoundChoice) -> list[Annotation]:
        """What the file says of the chosen channel. Raises AudionetError if it can't be read, or is in doubt."""
        if self.doubt is not None:
            raise self.doubt
        return read_annotations(self.annotations, choice, self.table)

    def fault(self, error: AudionetError) -> Fault:
        """What is wrong with the file."""
        return Fault.of(self.annotations, error, [self.recording] if self.recording else [])


@dataclass(frozen=True)
class Marks:
    """What an annotation file marks, and the recordings that it is about, by what it calls them."""

    file: Path
    annotations: list[Annotation]
    paths: dict[str, Path]

    def placed(self) -> Iterator[tuple[Path, Annotation]]:
        """The annotations of recordings that are there, each with its recording."""
        names = ((mark.recording or "", mark) for mark in self.annotations)
        return ((self.paths[name], mark) for name, mark in names if name in self.paths)


def read_each(
    files: Iterable[Owned], read: Callable[[Owned], list[Annotation]], listing: Listing, *, has_others: bool
) -> tuple[list[Marks], list[Fault], list[Fault]]:
    """What files mark, what they say of recordings that are not there, and which of them can't be used.

    Raises AudionetError for one that can't be used where nobody knows what it is about, and there are others.
    """
    marks, astray, faults = list[Marks](), list[Fault](), list[Fault]()
    for file in files:
        try:
            annotations = read(file)
            paths, without_recording = places_of(file, annotations, listing)
        except AudionetError as error:
            faults.append(file.fault(error))
            if has_others and not faults[-1].recordings:
                raise
            continue
        astray += without_recording
        marks.append(Marks(file.annotations, annotations, paths))
    return marks, astray, faults


def read_all(
    files: Sequence[Owned], data_audio: Path, options: AnnotationOptions, *, has_others: bool = False
) -> Annotated:
    """What files of annotations say of the recordings that they lie beside or name.

    Of a file that can't be read or is in doubt, and of a label that can be no class, the recordings are left out.
    Raises AudionetError where nobody knows which these are, and where there is nothing else to go by. has_others: the
    folders may hold recordings without annotations.
    """
    folders = by_name(folder.name for folder in folders_in(data_audio))

    def read(file: Owned) -> list[Annotation]:
        marks = of_tiers(file.annotations, [(mark.tier, mark) for mark in file.read(options.sound)], options.tier)
        return by_tiers(file.annotations, _by_folder(file, marks, data_audio), folders)

    marks, astray, faults = read_each(files, read, Listing(data_audio), has_others=has_others)
    recordings, of_labels = _recordings_of(marks, folders, data_audio, options)
    faults += of_labels
    left_out = {path for fault in faults for path in fault.recordings}
    recordings = [recording for recording in recordings if recording.path not in left_out]
    are_all_wrong = {str(each.file) for each in marks} <= {fault.path for fault in faults}
    may_be_classes = has_others and not are_all_parts(folders)
    if faults and are_all_wrong and not recordings and not may_be_classes:
        for fault in faults[1:]:  # so that all can be mended at once
            logger.warning("%s", fault)
        raise faults[0]
    paths = {path for each in marks for path in each.paths.values()}
    return Annotated(recordings, [*astray, *faults], paths - left_out, left_out)


def _recordings_of(
    read: Sequence[Marks], folders: Mapping[str, str], data_audio: Path, options: AnnotationOptions
) -> tuple[list[Recording], list[Fault]]:
    """A recording for each class that a file marks in one, and what is wrong with labels that can be no class.

    A class is called as the folder that the label names, or else as the label is spelt mostly. folders: by their names.
    """
    recordings, faults = list[Recording](), list[Fault]()
    is_learnt = options.unmarked == BACKGROUND
    labels = [(each.file, mark.line, mark.label) for each in read for mark in each.annotations]
    classes = {*folders.values(), *([BACKGROUND] if is_learnt else [])}
    spelt = spelt_alike(labels, classes)
    for each in read:
        marked = grouped(((path, mark.label), mark) for path, mark in each.placed())
        report_silent(each.file, sum(len(marks) for (_, label), marks in marked.items() if says_silent(label, folders)))
        for (path, label), marks in marked.items():
            try:
                class_name = BACKGROUND if says_silent(label, folders) else spelt.get(label, UNKNOWN)
                if class_name != UNKNOWN and class_name not in classes:
                    require_usable_label(each.file, marks[0].line, class_name)
                if is_learnt or not says_silent(label, folders):
                    recordings.append(recording_of(path, class_name, marks, data_audio))
            except AudionetError as error:
                is_said = each.file.suffix.lower() in SUBTITLES
                remedy = "; if it is what is said, write who speaks before it, such as Anna: yes" if is_said else ""
                faults.append(Fault.of(each.file, AudionetError(f"{error}{remedy}"), [path]))
        if is_learnt and not each.annotations:
            recordings += [recording_of(path, BACKGROUND, (), data_audio) for path in each.paths.values()]
    return recordings, faults


def places_of(file: Owned, annotations: Iterable[Annotation], listing: Listing) -> tuple[dict[str, Path], list[Fault]]:
    """The recordings that annotations are about, by what these call them, and what is said of recordings not there.

    Raises Fault if it is not clear which one is meant.
    """
    names = sorted({annotation.recording or "" for annotation in annotations}) or [""]
    places = TablePaths(listing, file.annotations)
    beside = file.recording if len(names) == 1 else None
    paths, wrong = dict[str, Path](), list[Fault]()
    for name in names:
        place = places.find_all([[name]])[0] if name else None
        named = None if place is None else listing.data_audio / place
        if beside is not None and named is not None and named != beside:
            question = (
                f"is called as {beside}, and about {place}; which one is meant? Rename it, or mend the name in it"
            )
            raise Fault(file.annotations, question, [beside, named])
        path = beside or named
        if path is not None:
            paths[name] = path
        else:
            wrong.append(_without_recording(file.annotations, name, places.namesakes.get(name, [])))
    return paths, wrong


def _without_recording(annotations: Path, name: str, namesakes: Sequence[str]) -> Fault:
    """A file as one that is about no recording, or about which of the namesakes is not known; it may give no name."""
    subject = f"is about {printable(name)}, which is" if name else "does not say what it is about, and is"
    fault = "not among the recordings" if name else "called as none of the recordings"
    if namesakes:
        fault = f"what {count(len(namesakes), 'recording')} are called"
    if not name:
        fault += "; call it as that is called, or, in a table, call the column that says so path"
    return Fault(annotations, f"{subject} {fault}")


def _by_folder(file: Owned, annotations: list[Annotation], data_audio: Path) -> list[Annotation]:
    """The same annotations, of the class of the folder that their recording lies in where they have no labels.

    Raises AudionetError if it lies in none.
    """
    if not annotations or annotations[0].label:
        return annotations
    folder = file.recording.relative_to(data_audio).parts[0] if file.recording else ""
    if file.recording is None or file.recording.parent == data_audio or is_part_of_a_set(folder):
        remedy = "write it (in a table, into a column called label), or put the recording into the folder of its class"
        raise line_error(file.annotations, annotations[0].line, f"has no label; {remedy}")
    logger.info("%s: its marks have no labels, and are of the class of their folder, %s", file.annotations, folder)
    return [replace(mark, label=folder) for mark in annotations]


def recording_of(path: Path, label: str, marks: Sequence[Annotation], data_audio: Path) -> Recording:
    """A recording as one of a class, in the parts that are marked; in all of it if none is."""
    inside = path.relative_to(data_audio)
    key = inside.as_posix() if inside.parts[0] == label else f"{label}/{inside.as_posix()}"
    parts = tuple(Part(mark.start_seconds, mark.end_seconds) for mark in marks)
    return Recording(label, key, path, group_of(path), None, parts)
