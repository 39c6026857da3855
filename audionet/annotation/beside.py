"""Annotation files -> the recordings that they are about, in parts: files that lie beside recordings, or are named."""

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from audionet.annotation.marks import Annotation, by_tiers
from audionet.annotation.readers import (
    UEM,
    is_of_a_tool,
    is_only_about,
    is_read_where_named,
    may_be_annotations,
    may_name_recordings,
    read_annotations,
    seems_to_mark,
)
from audionet.audio.chunks import Part
from audionet.dataset.folders import Recording, walk_files
from audionet.dataset.kinds import group_of, is_other_file, is_part_of_a_set
from audionet.dataset.names import UNKNOWN, composed, spelling_key
from audionet.errors import AudionetError, UnusableInput
from audionet.options import BACKGROUND, AnnotationOptions
from audionet.system.grouping import grouped
from audionet.system.text import count, listed, printable
from audionet.system.untrusted import is_file, is_folder
from audionet.tables.labelled import Spellings, checked_label, says_unknown
from audionet.tables.paths import TablePaths, folders_for_tables, recordings_in
from audionet.tables.reading import line_error

logger = logging.getLogger(__name__)

SEEMS_TO_MARK = "seems to say what is heard when"
AS_TABLE = "a table would be, with the columns start, end and label, or a file of Raven, Audacity, Praat or ELAN"


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


def read_named(path: Path, data_audio: Path, options: AnnotationOptions) -> Annotated:
    """What a file of annotations, or a folder of them, says of the recordings in a folder.

    Raises AudionetError if there are none in it.
    """
    if path.suffix.lower() == UEM:
        raise AudionetError(
            f"{path}: says which stretches were annotated, not what is heard in them; name it with --uem"
        )
    files = _in_folder(path) if path.is_dir() else [path]
    if not files:
        raise AudionetError(
            f"{path}: is a folder, and holds no annotations (tables with start and end, or files of Raven, Audacity, "
            "Praat, ELAN or RTTM); name the table in it"
        )
    return _read(with_owners(files, data_audio), data_audio, options)


def with_owners(files: Sequence[Path], data_audio: Path) -> list[Owned]:
    """Files, wherever they lie, each with the recording that it is called as, or with the only one that there is."""
    recordings = recordings_in(data_audio)
    by_stem = _by_stem(recordings)
    only = recordings[0] if len(recordings) == len(files) == 1 else None
    return [Owned(file, _owner(file, by_stem) or only) for file in files]


def _in_folder(folder: Path) -> list[Path]:
    """The annotation files in a folder that was named for them; what seems to mark parts, and is none, is told of.

    Subtitles and the like are read where there is nothing else.
    """
    files, unread = list[Path](), list[Path]()
    for file in walk_files(folder):
        if may_be_annotations(file, with_paths=True):
            files.append(file)
        elif seems_to_mark(file):
            unread.append(file)
    if not files:
        files = list(filter(is_read_where_named, unread))
        unread = [file for file in unread if file not in files]
    _report_unread(unread)
    return files


def find_beside(data_audio: Path, options: AnnotationOptions) -> Annotated | None:
    """What the annotation files say that lie beside recordings; None if there are none, or they are not to be used.

    Raises AudionetError where it is not clear whether they or the folders say the classes.
    """
    if options.use_beside is False:
        return None
    pairs = _pairs(data_audio)
    if options.corrections is not None:
        places = {options.corrections.resolve(), (data_audio / options.corrections).resolve()}
        pairs = [pair for pair in pairs if pair.annotations.resolve() not in places]
    annotated = _read(pairs, data_audio, options, has_others=True) if pairs else None
    if annotated is None or not annotated.paths:
        if options.use_beside:
            raise AudionetError(f"{data_audio}: no recording has annotations beside it; leave out --annotations")
        for error in annotated.wrong if annotated else ():
            logger.warning("%s; what it says is not used", error)
        return None
    in_folders = {path.relative_to(data_audio).parts[0] for path in annotated.paths if path.parent != data_audio}
    labels = {recording.class_name for recording in annotated.recordings if recording.path.parent != data_audio}
    labels.discard(UNKNOWN)
    folders = {path.name for path in data_audio.iterdir() if is_folder(path)}
    has_classes = labels <= folders
    if not has_classes and not options.use_beside and not all(map(is_part_of_a_set, in_folders)):
        in_classes = (pair for pair in pairs if pair.recording and pair.recording.parent != data_audio)
        example = next(in_classes, pairs[0]).annotations
        raise AudionetError(
            f"{data_audio}: {count(len(annotated.paths), 'recording')} with annotations beside (such as {example}), "
            f"whose labels ({listed(sorted(map(printable, labels)))}) are not the folders "
            f"({listed(sorted(in_folders))}); add "
            "--annotations to learn what they mark, or --no-annotations to learn whole recordings by their folders"
        )
    logger.info(
        "%s: of %s the parts are learnt that the annotations beside mark, such as %s",
        data_audio,
        count(len(annotated.paths), "recording"),
        pairs[0].annotations.name,
    )
    return replace(annotated, has_classes=has_classes)


def _by_stem(recordings: Iterable[Path]) -> dict[str, list[Path]]:
    """The recordings by their names, with the suffix and without it, however case and accents are stored."""
    return grouped((name, path) for path in recordings for name in {spelling_key(path.name), spelling_key(path.stem)})


def _owner(annotations: Path, by_stem: dict[str, list[Path]]) -> Path | None:
    """The recording whose name an annotation file begins with: `night.wav` of `night.Table.1.selections.txt`.

    Raises AudionetError if there are several.
    """
    name = spelling_key(annotations.name)
    for length in range(len(name), 0, -1):
        owners = by_stem.get(name[:length], []) if not name[length : length + 1].isalnum() else []
        owners = [owner for owner in owners if owner != annotations]
        if len(owners) > 1:
            names = listed([str(owner) for owner in owners])
            raise AudionetError(f"{annotations}: is it about {names}? Give each recording a name of its own")
        if owners:
            return owners[0]
    return None


def _pairs(data_audio: Path) -> list[Owned]:
    """The annotation files beside recordings, and those that may name several: tables in the data set's own folders."""
    own = {data_audio, *folders_for_tables(data_audio)}
    pairs: dict[Path, Owned] = {}
    loose, unread, astray, named_inside = list[Owned](), list[Path](), list[Path](), list[tuple[Path, Path]]()
    for folder, files in grouped((path.parent, path) for path in walk_files(data_audio)).items():
        others, sounds = list[Path](), list[Path]()
        for file in files:
            (others if is_other_file(file) else sounds).append(file)
        by_stem = _by_stem(filter(is_file, sounds)) if others else {}
        is_no_class = folder == data_audio or is_part_of_a_set(folder.name)
        for file in others:
            owner = _owner(file, by_stem)
            is_loose = owner is None and folder not in own and not may_name_recordings(file)
            if is_loose or not may_be_annotations(file):
                if owner is not None and is_no_class and is_only_about(file, owner):
                    named_inside.append((owner, file))
                elif (owner is not None or (folder in own and file.suffix.lower() == ".json")) and seems_to_mark(file):
                    unread.append(file)
                elif owner is None and is_of_a_tool(file):
                    astray.append(file)
                continue
            if owner is None:
                loose.append(Owned(file, None))
            elif owner in pairs:
                raise AudionetError(
                    f"{owner}: which annotations are meant, {pairs[owner].annotations.name} or {file.name}? Move the "
                    "others away, or name them with --metadata"
                )
            else:
                pairs[owner] = Owned(file, owner)
    for owner, file in named_inside:
        if pairs.setdefault(owner, Owned(file, owner)).annotations != file:
            unread.append(file)
    _report_unread(unread)
    remedy = "it would be as night.txt beside night.wav"
    if astray and astray[0].parent != data_audio:
        remedy += f", or with --metadata {astray[0].parent}"
    _report_unused(astray, "is called as no recording beside it", remedy)
    return [*pairs.values(), *loose]


def _report_unread(files: Iterable[Path]) -> None:
    """Say which files seem to mark parts and are not used: those that would be if they were named, and the others."""
    by_name = grouped((is_read_where_named(file), file) for file in files)
    named = by_name.get(True, [])
    what = str(named[0]) if len(named) == 1 else "and the folder of them"
    _report_unused(named, SEEMS_TO_MARK, f"add --metadata {what} to use it")
    _report_unused(by_name.get(False, []), SEEMS_TO_MARK, AS_TABLE)


def _report_unused(files: Sequence[Path], what: str, remedy: str) -> None:
    if files:
        more = f", nor {count(len(files) - 1, 'other file')} like it" if len(files) > 1 else ""
        logger.info("%s %s, and is not used%s: %s", files[0], what, more, remedy)


def _read(
    pairs: Sequence[Owned], data_audio: Path, options: AnnotationOptions, *, has_others: bool = False
) -> Annotated:
    """What files of annotations say of the recordings that they lie beside or name.

    A file that can't be read is left out with its recording. Raises AudionetError where it is not clear which that is,
    and where there is nothing else to go by. has_others: the folders may hold recordings without annotations.
    """
    recordings, wrong, known = list[Recording](), list[UnusableInput](), set[Path]()
    unreadable = list[AudionetError]()
    spellings: Spellings = {}
    folders = {composed(path.name): path.name for path in data_audio.iterdir() if is_folder(path)}
    without_spaces = {"_".join(name.split()): folder for name, folder in folders.items()}
    for pair in pairs:
        try:
            annotations = _by_folder(pair, read_annotations(pair.annotations), data_audio)
            annotations = by_tiers(pair.annotations, annotations, folders)
        except AudionetError as error:
            if pair.recording is None and has_others:
                raise
            unreadable.append(error)
            reason = str(error).removeprefix(f"{pair.annotations}: ")
            if pair.recording is not None:
                known.add(pair.recording)
                reason += f"; until that is mended or moved away, {pair.recording.name} is left out"
            wrong.append(UnusableInput(pair.annotations, reason))
            continue
        paths, without_recording = places_of(pair, annotations, data_audio)
        wrong += without_recording
        known.update(paths.values())
        for annotation in annotations:
            path = paths.get(annotation.recording or "")
            if path is not None:
                label = UNKNOWN
                if not says_unknown(annotation.label):
                    label = checked_label(pair.annotations, annotation.line, annotation.label, spellings)
                classes = without_spaces | folders if pair.annotations.suffix.lower() == ".rttm" else folders
                recordings.append(recording_of(path, classes.get(composed(label), label), annotation, data_audio))
        if not annotations and options.unmarked == BACKGROUND:
            recordings += [recording_of(path, BACKGROUND, None, data_audio) for path in paths.values()]
    if unreadable and len(unreadable) == len(pairs) and not (has_others and not all(map(is_part_of_a_set, folders))):
        raise unreadable[0]
    return Annotated(recordings, wrong, known)


def places_of(
    pair: Owned, annotations: Iterable[Annotation], data_audio: Path
) -> tuple[dict[str, Path], list[UnusableInput]]:
    """The recordings that annotations are about, by what these call them, and what is said of recordings not there.

    Raises AudionetError if it is not clear which one is meant.
    """
    names = sorted({annotation.recording or "" for annotation in annotations}) or [""]
    places = TablePaths(data_audio, pair.annotations)
    paths, wrong = dict[str, Path](), list[UnusableInput]()
    for name in names:
        place = places.find_all([[name]])[0] if name else None
        if place is not None and pair.recording not in (None, data_audio / place) and len(names) == 1:
            raise AudionetError(
                f"{pair.annotations}: is called as {pair.recording}, and about {place}; which one is meant? Rename "
                "it, or mend the name in it"
            )
        if place is not None and (len(names) > 1 or pair.recording is None):
            paths[name] = data_audio / place
        elif pair.recording is not None and len(names) == 1:
            paths[name] = pair.recording
        else:
            subject = f"is about {printable(name)}, which is" if name else "does not say what it is about, and is"
            fault = "not among the recordings" if name else "called as none of the recordings"
            if name in places.namesakes:
                fault = f"what {count(len(places.namesakes[name]), 'recording')} are called"
            wrong.append(UnusableInput(pair.annotations, f"{subject} {fault}"))
    return paths, wrong


def _by_folder(pair: Owned, annotations: list[Annotation], data_audio: Path) -> list[Annotation]:
    """The same annotations, of the class of the folder that their recording lies in where they have no labels.

    Raises AudionetError if it lies in none.
    """
    if not annotations or annotations[0].label:
        return annotations
    folder = pair.recording.relative_to(data_audio).parts[0] if pair.recording else ""
    if pair.recording is None or pair.recording.parent == data_audio or is_part_of_a_set(folder):
        remedy = "write it (in a table, into a column called label), or put the recording into the folder of its class"
        raise line_error(pair.annotations, annotations[0].line, f"has no label; {remedy}")
    logger.info("%s: its marks have no labels, and are of the class of their folder, %s", pair.annotations, folder)
    return [replace(mark, label=folder) for mark in annotations]


def recording_of(path: Path, label: str, annotation: Annotation | None, data_audio: Path) -> Recording:
    """A recording as one of a class, in the part that an annotation marks; in all of it without one."""
    inside = path.relative_to(data_audio)
    key = inside.as_posix() if inside.parts[0] == label else f"{label}/{inside.as_posix()}"
    parts = () if annotation is None else (Part(annotation.start_seconds, annotation.end_seconds),)
    return Recording(label, key, path, group_of(path), None, parts)
