"""Which annotation files there are, beside recordings or where they are named, and which recording each is about."""

import functools
import logging
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from enum import Enum
from pathlib import Path

from audionet.annotation.annotated import Annotated, Fault, Owned, read_all, read_each
from audionet.annotation.marks import Annotation
from audionet.annotation.readers import READ, UEM, Kind, is_only_about, kind_of, may_name_recordings
from audionet.audio.chunks import Part
from audionet.dataset.folders import folders_in, walk_data_set
from audionet.dataset.kinds import are_all_parts, is_other_file, is_part_of_a_set
from audionet.dataset.names import UNKNOWN, spelling_key
from audionet.errors import AudionetError
from audionet.options import AnnotationOptions
from audionet.settings import SoundChoice
from audionet.system.files import resolved
from audionet.system.grouping import grouped
from audionet.system.text import count, listed, printable
from audionet.system.untrusted import is_file
from audionet.tables.files import header_of
from audionet.tables.paths import Listing, folders_for_tables, recordings_in
from audionet.tables.reading import Table

logger = logging.getLogger(__name__)

SEEMS_TO_MARK = "seems to say what is heard when"
AS_TABLE = "a table would be, with the columns start, end and label, or a file of Raven, Audacity, Praat or ELAN"


def read_named(path: Path, data_audio: Path, options: AnnotationOptions, table: Table | None) -> Annotated:
    """What a file of annotations, or a folder of them, says of the recordings in a folder.

    table: the file, if it is one. Raises AudionetError if there are none in it.
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
    owned = [replace(file, table=table) for file in with_owners(files, data_audio)]
    for recording, names in grouped((file.recording, file.annotations.name) for file in owned).items():
        if recording is not None and len(names) > 1:
            logger.info("%s: what %s say of it counts alike", recording, listed(names))
    return read_all(owned, data_audio, options)


def with_owners(files: Sequence[Path], data_audio: Path) -> list[Owned]:
    """Files, wherever they lie, each with the recording that it is called as, or with the only one that there is."""
    recordings = recordings_in(data_audio)
    if len(recordings) == len(files) == 1:
        return [Owned(files[0], recordings[0])]
    by_stem = _by_stem(recordings)
    return [_owned(file, by_stem) for file in files]


def stretches_in(
    files: Sequence[Path], data_audio: Path, choice: SoundChoice
) -> tuple[dict[Path, list[Part]], list[Fault]]:
    """Which stretches of the recordings in a folder somebody listened to, as files in UEM say; and what is wrong there.

    Raises AudionetError for a file that can't be read where nobody knows what it is about.
    """
    if not files:
        return {}, []
    read = functools.partial(_read_stretches, choice)
    marks, astray, faults = read_each(with_owners(files, data_audio), read, Listing(data_audio), has_others=True)
    placed = (pair for each in marks for pair in each.placed())
    stretches = grouped((path, Part(mark.start_seconds, mark.end_seconds)) for path, mark in placed)
    return stretches, [*astray, *faults]


def _read_stretches(choice: SoundChoice, file: Owned) -> list[Annotation]:
    marks = file.read(choice)
    if file.recording is not None and not marks:
        raise AudionetError(f"{file.annotations}: holds no line, so that nobody listened to anything; write one")
    return marks


def _in_folder(folder: Path) -> list[Path]:
    """The annotation files in a folder that was named for them; what seems to mark parts, and is none, is told of.

    Subtitles and the like are read where there is nothing else.
    """
    kinds = {file: kind_of(file) for file in walk_data_set(folder)}
    read = [kind for kind in (*READ, Kind.LISTING) if kind in kinds.values()] or [Kind.NAMED]
    unread = {Kind.NAMED, Kind.UNREAD}.difference(read)
    _report_unread(file for file, kind in kinds.items() if kind in unread)
    return [file for file, kind in kinds.items() if kind in read]


def find_beside(data_audio: Path, options: AnnotationOptions) -> Annotated | None:
    """What the annotation files say that lie beside recordings; None if there are none, or they are not to be used.

    Raises AudionetError where it is not clear whether they or the folders say the classes.
    """
    if options.use_beside is False:
        return None
    files = _files_beside(data_audio)
    corrections = {resolved(place) for path in options.correction_tables for place in (path, data_audio / path)}
    if corrections:
        files = [file for file in files if resolved(file.annotations) not in corrections]
    annotated = read_all(files, data_audio, options, has_others=True) if files else None
    if annotated is None or not (annotated.paths or annotated.left_out):
        if options.use_beside:
            raise AudionetError(f"{data_audio}: no recording has annotations beside it; leave out --annotations")
        for error in annotated.wrong if annotated else ():
            logger.warning("%s; what it says is not used", error)
        return None
    labels = {recording.class_name for recording in annotated.recordings if recording.path.parent != data_audio}
    labels.discard(UNKNOWN)
    others = labels - {folder.name for folder in folders_in(data_audio)}
    if others and not options.use_beside:
        _require_no_classes(data_audio, annotated, others, files)
    used = [file.annotations for file in files if file.doubt is None and file.recording not in annotated.left_out]
    if used:
        sentence = "%s: of %s, only the parts count that the annotations beside mark, such as %s"
        logger.info(sentence, data_audio, count(len(annotated.paths), "recording"), used[0].name)
    return replace(annotated, has_classes=not others)


def report_beside_a_table(data_audio: Path, table: Path) -> None:
    """Warn of annotation files beside recordings that are not used, since a table was found that lists these."""
    files = [file.annotations for file in _files_beside(data_audio) if file.recording and file.annotations != table]
    _report_unused(files, "marks parts", f"{table} says what the recordings are; add --annotations to go by the marks")


def _require_no_classes(data_audio: Path, annotated: Annotated, labels: Iterable[str], files: Sequence[Owned]) -> None:
    """Raise AudionetError if the folders of annotated recordings may be classes, of which these labels are none."""
    folders = {path.relative_to(data_audio).parts[0] for path in annotated.paths if path.parent != data_audio}
    if are_all_parts(folders):
        return
    labelled_so = {recording.path for recording in annotated.recordings if recording.class_name in labels}
    example = next((file for file in files if file.recording in labelled_so), files[0]).annotations
    raise AudionetError(
        f"{data_audio}: {count(len(annotated.paths), 'recording')} with annotations beside (such as {example}), "
        f"whose labels ({listed(sorted(map(printable, labels)))}) are not the folders ({listed(sorted(folders))}); add "
        "--annotations to go by what they mark, or --no-annotations to take whole recordings by their folders"
    )


def _by_stem(recordings: Iterable[Path]) -> dict[str, list[Path]]:
    """The recordings by their names, with the suffix and without it, however case and accents are stored."""
    return grouped((name, path) for path in recordings for name in {spelling_key(path.name), spelling_key(path.stem)})


def _owned(annotations: Path, by_stem: dict[str, list[Path]]) -> Owned:
    """A file with the recording whose name its own begins with: `night.wav` of `night.Table.1.selections.txt`.

    Of several in other folders, that in its own is meant.
    """
    name = spelling_key(annotations.name)
    for length in range(len(name), 0, -1):
        owners = by_stem.get(name[:length], []) if not name[length : length + 1].isalnum() else []
        owners = [owner for owner in owners if owner != annotations]
        owners = [owner for owner in owners if owner.parent == annotations.parent] or owners
        if len(owners) > 1:
            question = f"is it about {listed([str(owner) for owner in owners])}? Give each recording a name of its own"
            return Owned(annotations, None, Fault(annotations, question, owners))
        if owners:
            return Owned(annotations, owners[0])
    return Owned(annotations, None)


def _one_of(recording: Path, files: Sequence[Owned]) -> Owned:
    """The annotation file of a recording, of which there should be no more than one."""
    if len(files) == 1:
        return files[0]
    names = " or ".join(file.annotations.name for file in files)
    question = f"which annotations are meant, {names}? Move the others away, or name them with --metadata"
    return replace(files[0], doubt=Fault(recording, question, [recording]))


def _other_files(data_audio: Path) -> Iterator[Owned]:
    """The files in a data set's folder that are no recordings, each with the one in its folder that it is called as."""
    for files in grouped((path.parent, path) for path in walk_data_set(data_audio)).values():
        others, sounds = list[Path](), list[Path]()
        for file in files:
            (others if is_other_file(file) else sounds).append(file)
        by_stem = _by_stem(filter(is_file, sounds)) if others else {}
        for file in others:
            yield _owned(file, by_stem)


class _Use(Enum):
    """What is made of a file that lies among recordings."""

    READ, READ_ALONE, TOLD_OF, ASTRAY, EMPTY, NONE = range(6)


def _use_of(other: Owned, data_audio: Path, own_folders: Collection[Path]) -> _Use:
    """Whether annotations are READ; READ_ALONE, where nothing else lies beside the recording, as of a table that lists
    it; TOLD_OF, since they seem to mark parts and are not read; ASTRAY, as of no recording beside them; or EMPTY.

    own_folders: of the data set, in which a file may be about any of its recordings.
    """
    file, recording, kind = other.annotations, other.recording, kind_of(other.annotations)
    is_in_own, is_called_so = file.parent in own_folders, recording is not None or other.doubt is not None
    if kind in READ and (is_called_so or is_in_own or may_name_recordings(file)):
        return _Use.READ
    is_in_no_class = file.parent == data_audio or is_part_of_a_set(file.parent.name)
    if kind is Kind.LISTING and recording is not None and is_in_no_class and is_only_about(file, recording):
        return _Use.READ_ALONE
    if kind in (Kind.LISTING, Kind.NAMED, Kind.UNREAD):
        return _Use.TOLD_OF if is_called_so or (is_in_own and file.suffix.lower() == ".json") else _Use.NONE
    if kind is Kind.EMPTY and recording is not None:
        return _Use.EMPTY
    is_of_a_tool = kind is Kind.OF_A_TOOL or ("selection" in file.name.casefold() and "selection" in header_of(file))
    return _Use.ASTRAY if is_of_a_tool and not is_called_so else _Use.NONE


def _files_beside(data_audio: Path) -> list[Owned]:
    """The annotation files beside recordings, and those that may name several: tables in the data set's own folders.

    What seems to mark parts, and is not used, is told of.
    """
    own_folders = {data_audio, *folders_for_tables(data_audio)}
    files = grouped((_use_of(other, data_audio, own_folders), other) for other in _other_files(data_audio))
    read, unread, astray = (files.get(use, []) for use in (_Use.READ, _Use.TOLD_OF, _Use.ASTRAY))
    beside = grouped((owner, file) for file in read if (owner := file.recording) is not None)
    for file in files.get(_Use.READ_ALONE, []):
        if file.recording is not None and beside.setdefault(file.recording, [file]) != [file]:
            unread.append(file)
    for file in files.get(_Use.EMPTY, []) if beside else ():
        # Marks may have been lost.
        reason = "is empty, and others have annotations; write what is heard (start,end,label alone, if nothing is)"
        if file.recording is not None:
            doubt = Fault(file.annotations, reason, [file.recording])
            beside.setdefault(file.recording, [replace(file, doubt=doubt)])
    _report_unread(file.annotations for file in unread)
    remedy = "it would be as night.txt beside night.wav"
    if astray and astray[0].annotations.parent != data_audio:
        remedy += f", or with --metadata {astray[0].annotations.parent}"
    _report_unused([file.annotations for file in astray], "is called as no recording beside it", remedy)
    others = [file for file in read if file.recording is None]
    return [*(_one_of(recording, of_it) for recording, of_it in beside.items()), *others]


def _report_unread(files: Iterable[Path]) -> None:
    """Say which files seem to mark parts and are not used: those that would be if they were named, and the others."""
    by_name = grouped((kind_of(file) is not Kind.UNREAD, file) for file in files)
    named = by_name.get(True, [])
    what = str(named[0]) if len(named) == 1 else "and the folder of them"
    _report_unused(named, SEEMS_TO_MARK, f"add --metadata {what} to use it")
    _report_unused(by_name.get(False, []), SEEMS_TO_MARK, AS_TABLE)


def _report_unused(files: Sequence[Path], what: str, remedy: str) -> None:
    if files:
        more = f", nor {count(len(files) - 1, 'other file')} like it" if len(files) > 1 else ""
        logger.info("%s %s, and is not used%s: %s", files[0], what, more, remedy)
