"""Annotation files, each with the recording that it lies beside -> the recordings that they are about, in parts."""

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from audionet.annotation.marks import Annotation, by_tiers
from audionet.annotation.readers import read_annotations
from audionet.audio.chunks import Part
from audionet.dataset.folders import Recording
from audionet.dataset.kinds import group_of, is_part_of_a_set
from audionet.dataset.names import UNKNOWN, by_name, composed
from audionet.errors import AudionetError, UnusableInput
from audionet.options import BACKGROUND, AnnotationOptions
from audionet.system.grouping import grouped
from audionet.system.text import count, listed, printable
from audionet.system.untrusted import is_folder
from audionet.tables.labelled import checked_label, says_unknown, spelt_alike
from audionet.tables.paths import Listing, TablePaths
from audionet.tables.reading import line_error

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
    """

    annotations: Path
    recording: Path | None
    doubt: Fault | None = None

    def read(self) -> list[Annotation]:
        """What the file says. Raises AudionetError if it can't be read, or is in doubt."""
        if self.doubt is not None:
            raise self.doubt
        return read_annotations(self.annotations)

    def fault(self, error: AudionetError) -> Fault:
        """What is wrong with the file."""
        return Fault.of(self.annotations, error, [self.recording] if self.recording else [])


@dataclass(frozen=True)
class _Marks:
    """What an annotation file marks, and the recordings that it is about, by what it calls them."""

    file: Path
    annotations: list[Annotation]
    paths: dict[str, Path]


class _Reading:
    """What has been read so far of the annotation files of a data set."""

    def __init__(self, data_audio: Path, options: AnnotationOptions) -> None:
        self.recordings: list[Recording] = []
        self.wrong: list[UnusableInput] = []
        self.faults: list[Fault] = []
        names = [path.name for path in data_audio.iterdir() if is_folder(path)]
        self.folders, self._folders_in_rttm = by_name(names), by_name(names, in_rttm=True)
        self._data_audio, self._options, self._listing = data_audio, options, Listing(data_audio)

    def read(self, file: Owned) -> _Marks:
        """What a file marks. Raises AudionetError if it can't be read, is in doubt, or says of no class what it is."""
        annotations = _by_folder(file, file.read(), self._data_audio)
        annotations = by_tiers(file.annotations, annotations, self.folders)
        paths, without_recording = places_of(file, annotations, self._listing)
        self.wrong += without_recording
        return _Marks(file.annotations, annotations, paths)

    def add_all(self, read: Sequence[_Marks]) -> None:
        """Add the parts that files mark, but for those of recordings with a label that can be no class."""
        names = [*self.folders, BACKGROUND] if self._options.unmarked == BACKGROUND else [*self.folders]
        spelt = spelt_alike([(each.file, mark.line, mark.label) for each in read for mark in each.annotations], names)
        for marks in read:
            by_label = grouped(((mark.recording or "", mark.label), mark) for mark in marks.annotations)
            for (name, _), of_label in by_label.items():
                path = marks.paths.get(name)
                if path is not None:
                    try:
                        label = self._class_of(of_label[0], marks.file, spelt)
                        self.recordings.append(recording_of(path, label, of_label, self._data_audio))
                    except AudionetError as error:
                        self.faults.append(Fault.of(marks.file, error, [path]))
            if not marks.annotations and self._options.unmarked == BACKGROUND:
                self.recordings += [
                    recording_of(path, BACKGROUND, (), self._data_audio) for path in marks.paths.values()
                ]

    def _class_of(self, annotation: Annotation, file: Path, spelt: Mapping[str, str]) -> str:
        """The class that is heard: the folder that is called as the label, or else the label as it is spelt mostly.

        Raises AudionetError for a label that can be no class.
        """
        label = UNKNOWN
        if not says_unknown(annotation.label):
            label = checked_label(file, annotation.line, spelt.get(annotation.label, annotation.label), {})
        folders = self._folders_in_rttm if file.suffix.lower() == ".rttm" else self.folders
        return folders.get(composed(label), label)


def read_all(
    files: Sequence[Owned], data_audio: Path, options: AnnotationOptions, *, has_others: bool = False
) -> Annotated:
    """What files of annotations say of the recordings that they lie beside or name.

    Of a file that can't be read or is in doubt, and of a label that can be no class, the recordings are left out.
    Raises AudionetError where nobody knows which these are, and where there is nothing else to go by. has_others: the
    folders may hold recordings without annotations.
    """
    reading, read = _Reading(data_audio, options), list[_Marks]()
    for file in files:
        try:
            read.append(reading.read(file))
        except AudionetError as error:
            reading.faults.append(file.fault(error))
            if has_others and not reading.faults[-1].recordings:
                raise
    reading.add_all(read)
    left_out = {path for fault in reading.faults for path in fault.recordings}
    recordings = [recording for recording in reading.recordings if recording.path not in left_out]
    are_all_wrong = {str(marks.file) for marks in read} <= {fault.path for fault in reading.faults}
    may_be_classes = has_others and not all(map(is_part_of_a_set, reading.folders))
    if reading.faults and are_all_wrong and not recordings and not may_be_classes:
        raise reading.faults[0]
    paths = {path for marks in read for path in marks.paths.values()}
    return Annotated(recordings, [*reading.wrong, *reading.faults], paths - left_out, left_out)


def places_of(file: Owned, annotations: Iterable[Annotation], listing: Listing) -> tuple[dict[str, Path], list[Fault]]:
    """The recordings that annotations are about, by what these call them, and what is said of recordings not there.

    Raises Fault if it is not clear which one is meant.
    """
    names = sorted({annotation.recording or "" for annotation in annotations}) or [""]
    places = TablePaths(listing.data_audio, file.annotations, listing)
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
