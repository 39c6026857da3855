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
from audionet.system.text import count, printable
from audionet.system.untrusted import is_folder
from audionet.tables.labelled import Spellings, checked_label, says_unknown
from audionet.tables.paths import TablePaths
from audionet.tables.reading import line_error

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Annotated:
    """What annotation files say. paths: the recordings that they are about, also those in which nothing is marked.

    has_classes: the folders that the recordings lie in are classes all the same, for those without annotations.
    stretches: of recordings that somebody listened to in part only, the parts; nothing is known of the rest.
    """

    recordings: list[Recording]
    wrong: list[UnusableInput]
    paths: set[Path]
    has_classes: bool = False
    stretches: Mapping[Path, Sequence[Part]] = field(default_factory=dict)


@dataclass(frozen=True)
class Owned:
    """An annotation file and the recording that it lies beside; None if it is of several, or lies elsewhere."""

    annotations: Path
    recording: Path | None


class _Reading:
    """What has been read so far of the annotation files of a data set."""

    def __init__(self, data_audio: Path, options: AnnotationOptions) -> None:
        self.recordings: list[Recording] = []
        self.wrong: list[UnusableInput] = []
        self.paths: set[Path] = set()
        names = [path.name for path in data_audio.iterdir() if is_folder(path)]
        self.folders, self._folders_in_rttm = by_name(names), by_name(names, in_rttm=True)
        self._spellings: Spellings = {}
        self._data_audio, self._options = data_audio, options

    def annotations_in(self, file: Owned) -> list[Annotation]:
        """What a file says. Raises AudionetError if it can't be read, or says of no class what is heard."""
        annotations = _by_folder(file, read_annotations(file.annotations), self._data_audio)
        return by_tiers(file.annotations, annotations, self.folders)

    def leave_out(self, file: Owned, error: AudionetError) -> None:
        """Note that a file can't be read, and learn nothing of its recording."""
        reason = str(error).removeprefix(f"{file.annotations}: ")
        if file.recording is not None:
            self.paths.add(file.recording)
            reason += f"; until that is mended or moved away, {file.recording.name} is left out"
        self.wrong.append(UnusableInput(file.annotations, reason))

    def add(self, file: Owned, annotations: Sequence[Annotation]) -> None:
        """Add the parts that a file marks. Raises AudionetError for a label that can be no class."""
        paths, without_recording = places_of(file, annotations, self._data_audio)
        self.wrong += without_recording
        self.paths.update(paths.values())
        for annotation in annotations:
            path = paths.get(annotation.recording or "")
            if path is not None:
                label = self._class_of(annotation, file.annotations)
                self.recordings.append(recording_of(path, label, annotation, self._data_audio))
        if not annotations and self._options.unmarked == BACKGROUND:
            self.recordings += [recording_of(path, BACKGROUND, None, self._data_audio) for path in paths.values()]

    def _class_of(self, annotation: Annotation, file: Path) -> str:
        """The class that is heard: the folder that is called as the label, or else the label as it was spelt first."""
        label = UNKNOWN
        if not says_unknown(annotation.label):
            label = checked_label(file, annotation.line, annotation.label, self._spellings)
        folders = self._folders_in_rttm if file.suffix.lower() == ".rttm" else self.folders
        return folders.get(composed(label), label)


def read_all(
    files: Sequence[Owned], data_audio: Path, options: AnnotationOptions, *, has_others: bool = False
) -> Annotated:
    """What files of annotations say of the recordings that they lie beside or name.

    A file that can't be read is left out with its recording. Raises AudionetError where it is not clear which that is,
    and where there is nothing else to go by. has_others: the folders may hold recordings without annotations.
    """
    reading, unreadable = _Reading(data_audio, options), list[AudionetError]()
    for file in files:
        try:
            annotations = reading.annotations_in(file)
        except AudionetError as error:
            if file.recording is None and has_others:
                raise
            reading.leave_out(file, error)
            unreadable.append(error)
        else:
            reading.add(file, annotations)
    may_be_classes = has_others and not all(map(is_part_of_a_set, reading.folders))
    if unreadable and len(unreadable) == len(files) and not may_be_classes:
        raise unreadable[0]
    return Annotated(reading.recordings, reading.wrong, reading.paths)


def places_of(
    file: Owned, annotations: Iterable[Annotation], data_audio: Path
) -> tuple[dict[str, Path], list[UnusableInput]]:
    """The recordings that annotations are about, by what these call them, and what is said of recordings not there.

    Raises AudionetError if it is not clear which one is meant.
    """
    names = sorted({annotation.recording or "" for annotation in annotations}) or [""]
    places = TablePaths(data_audio, file.annotations)
    beside = file.recording if len(names) == 1 else None
    paths, wrong = dict[str, Path](), list[UnusableInput]()
    for name in names:
        place = places.find_all([[name]])[0] if name else None
        named = None if place is None else data_audio / place
        if beside is not None and named is not None and named != beside:
            raise AudionetError(
                f"{file.annotations}: is called as {beside}, and about {place}; which one is meant? Rename it, or mend "
                "the name in it"
            )
        path = beside or named
        if path is not None:
            paths[name] = path
        else:
            wrong.append(_without_recording(file.annotations, name, places.namesakes.get(name, [])))
    return paths, wrong


def _without_recording(annotations: Path, name: str, namesakes: Sequence[str]) -> UnusableInput:
    """A file as one that is about no recording, or about which of the namesakes is not known; it may give no name."""
    subject = f"is about {printable(name)}, which is" if name else "does not say what it is about, and is"
    fault = "not among the recordings" if name else "called as none of the recordings"
    if namesakes:
        fault = f"what {count(len(namesakes), 'recording')} are called"
    return UnusableInput(annotations, f"{subject} {fault}")


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


def recording_of(path: Path, label: str, annotation: Annotation | None, data_audio: Path) -> Recording:
    """A recording as one of a class, in the part that an annotation marks; in all of it without one."""
    inside = path.relative_to(data_audio)
    key = inside.as_posix() if inside.parts[0] == label else f"{label}/{inside.as_posix()}"
    parts = () if annotation is None else (Part(annotation.start_seconds, annotation.end_seconds),)
    return Recording(label, key, path, group_of(path), None, parts)
