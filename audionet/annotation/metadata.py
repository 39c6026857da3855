"""A data set -> its recordings, each with its class: from a table, annotation files beside them, or its folders."""

import logging
import os
import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from audionet.annotation.annotated import Annotated, Fault, recording_of
from audionet.annotation.beside import find_beside, read_named, report_beside_a_table, stretches_in
from audionet.annotation.corrections import are_done, corrected
from audionet.annotation.marks import of_tiers
from audionet.annotation.parts import combined, with_distinct_keys, within
from audionet.annotation.readers import READ, UEM, Kind, is_only_about, is_table, kind_of
from audionet.audio.chunks import Part
from audionet.dataset.folders import Recording, find_recordings, folders_in, walk_data_set
from audionet.dataset.kinds import is_part_of_a_set, is_passed_over
from audionet.dataset.names import require_distinct_classes
from audionet.errors import AudionetError, UnusableInput
from audionet.options import BACKGROUND, AnnotationOptions
from audionet.system.files import resolved
from audionet.system.text import did_you_mean, listed
from audionet.system.untrusted import is_file, is_folder
from audionet.tables import paths
from audionet.tables.files import header_of, read_table
from audionet.tables.labelled import LabelledTable
from audionet.tables.layouts import LABEL_COLUMNS, tier_of
from audionet.tables.reading import Table
from audionet.tables.times import marks_parts

logger = logging.getLogger(__name__)

LEVELS_LOOKED_INTO = 4  # for a published data set below the folder that was named, as archives unpack them
# As browsers call what reports save, the second time `corrections (1).csv`; it corrects, and labels no data set.
CORRECTIONS_NAME = re.compile(r"(.*[\W\d_])?corrections([\W\d_].*)?", re.IGNORECASE)


def find_labelled_recordings(
    data_audio: Path, options: AnnotationOptions, annotated: Annotated | None = None
) -> tuple[list[Recording], list[UnusableInput]]:
    """The recordings in a data set, sorted, each with its class, and what lies wrong, as from folders.find_recordings.

    Where the options name no table, the one that is found in the folder or beside it and lists its recordings decides;
    without one, the folders are the classes. Recordings of one group stay on one side of every split. annotated: what
    find_annotated found, where it was asked before. Raises AudionetError for a table that can't be used, and where it
    is not clear what the classes are.
    """
    options = with_corrections_apart(options, data_audio)
    annotated = annotated or find_annotated(data_audio, options)
    if annotated is None:
        _require_no_set_below(data_audio)
    recordings, wrong = (annotated.recordings, annotated.wrong) if annotated else find_recordings(data_audio)
    if annotated and not recordings and not wrong and not options.correction_tables:
        raise AudionetError(
            f"{data_audio}: its annotations mark nothing with the name of a class; mark what is to be learnt"
        )
    for table in options.correction_tables:
        recordings, also_wrong = corrected(recordings, _found(table, data_audio), data_audio)
        wrong = [*wrong, *also_wrong]
    require_distinct_classes(data_audio, sorted({recording.class_name for recording in recordings}))
    return recordings, wrong


def with_corrections_apart(options: AnnotationOptions, data_audio: Path) -> AnnotationOptions:
    """The options, in which a table that a report saved corrects what the folders say, though it was named as metadata:
    it lists what was wrong alone."""
    if options.metadata is None or not CORRECTIONS_NAME.fullmatch(options.metadata.stem) or not data_audio.is_dir():
        return options
    metadata = _found(options.metadata, data_audio)
    table = _labelled(_named_table(metadata), data_audio, options)
    if table is None or not folders_in(data_audio) or len(set(table.places)) >= len(paths.recordings_in(data_audio)):
        return options
    logger.info("%s: corrects what the folders say, as with --corrections; the other recordings stay", metadata)
    return replace(options, metadata=None, corrections=(metadata, *options.correction_tables))


def _found(table: Path, data_audio: Path) -> Path:
    """Where a table is: where it is said to be, or else so in the data set's folder."""
    is_there = is_file(table) or is_folder(table) or not is_file(data_audio / table)
    return table if is_there else data_audio / table


def find_annotated(data_audio: Path, options: AnnotationOptions) -> Annotated | None:
    """As find_labelled_recordings, without corrections. Of a table, the paths are those of which it marks parts.

    None if there is neither a table nor any other annotation, and the folders are the classes.
    """
    annotated = _find_annotated(data_audio, options)
    if annotated and annotated.paths:
        annotated = _combined(data_audio, annotated, options)
    else:
        in_part = options.uem is not None and _find_stretches(data_audio, options)  # which says what is wrong with it
        for asked, typed in ((options.unmarked == BACKGROUND, "--unmarked background"), (in_part, "--uem")):
            if asked:
                logger.warning("%s: no recording has marked parts, so that %s changes nothing", data_audio, typed)
        annotated = annotated and replace(annotated, recordings=combined(annotated.recordings, options))
    return annotated and replace(annotated, recordings=with_distinct_keys(annotated.recordings, data_audio))


def _combined(data_audio: Path, annotated: Annotated, options: AnnotationOptions) -> Annotated:
    """One recording for each class and file, and of each what lies in the stretches that somebody listened to."""
    stretches, wrong = _find_stretches(data_audio, options)
    left_out = annotated.left_out | {path for fault in wrong for path in fault.recordings}
    stretches = {path: inside for path, inside in stretches.items() if path not in left_out}
    known = {str(path) for path in stretches}  # also those in which nothing is marked
    recordings = annotated.recordings
    if options.unmarked == BACKGROUND:
        silent = stretches.keys() - {recording.path for recording in recordings}
        recordings = [*recordings, *(recording_of(path, BACKGROUND, (), data_audio) for path in silent)]
    recordings = [recording for recording in recordings if recording.path not in left_out]
    return replace(
        annotated,
        recordings=within(combined(recordings, options), stretches),
        wrong=[*(error for error in annotated.wrong if error.path not in known), *wrong],
        paths=(annotated.paths | stretches.keys()) - left_out,
        left_out=left_out,
        stretches=stretches,
    )


def _find_stretches(data_audio: Path, options: AnnotationOptions) -> tuple[dict[Path, list[Part]], list[Fault]]:
    """As beside.stretches_in, of files in UEM that are named, or lie in the folder or in that of the annotations."""
    named = [_found(place, data_audio) for place in (options.uem, options.metadata) if place is not None]
    places = named[:1] if options.uem is not None else [data_audio, *named]
    below = (path for place in places for path in (walk_data_set(place) if place.is_dir() else [place]))
    files = list(dict.fromkeys(path for path in below if path.suffix.lower() == UEM))
    if options.uem is not None and not (files and places[0].exists()):
        raise AudionetError(f"{places[0]}: is neither a file that ends in {UEM} nor a folder of such; name another")
    return stretches_in(files, data_audio, options.sound)


def _find_annotated(data_audio: Path, options: AnnotationOptions) -> Annotated | None:
    """As find_annotated, with a recording for each part."""
    if not data_audio.is_dir():
        return None
    if options.metadata is not None:
        metadata = _found(options.metadata, data_audio)
        named = _named_table(metadata)
        table = _labelled(named, data_audio, options)
        if table is None:
            return read_named(metadata, data_audio, options, named)
    else:
        table = None if options.use_beside else _find_table(data_audio, options)
        if table is not None and options.use_beside is None:
            report_beside_a_table(data_audio, table.table.path)
    if table is not None:
        found = table.read()
        background = found.unheard if options.unmarked == BACKGROUND else []
        marked = {each.path for each in found.recordings if each.parts}.union(each.path for each in found.unheard)
        return Annotated([*found.recordings, *background], found.wrong, marked)
    beside = find_beside(data_audio, options)
    return None if beside is None else _with_folders(data_audio, beside)


def _with_folders(data_audio: Path, beside: Annotated) -> Annotated:
    """What annotations beside some of the recordings say, and of the others their folders, if these are classes."""
    about = beside.paths | beside.left_out
    if not beside.has_classes or not folders_in(data_audio):
        without = [path for path in paths.recordings_in(data_audio) if path not in about]
        wrong = [UnusableInput(path, "has no annotations beside it") for path in without]
        return replace(beside, wrong=[*beside.wrong, *wrong])
    recordings, wrong = find_recordings(data_audio)
    others = [recording for recording in recordings if recording.path not in about]
    wrong = [error for error in wrong if Path(error.path) not in about]
    groups = {recording.path: recording.group for recording in recordings}
    marked = [replace(recording, group=groups.get(recording.path, recording.group)) for recording in beside.recordings]
    return replace(beside, recordings=[*others, *marked], wrong=[*beside.wrong, *wrong])


def _named_table(metadata: Path) -> Table | None:
    """The table that was named; None if it is a folder, or another file of annotations."""
    if metadata.is_dir():
        return None
    if not metadata.is_file() and not metadata.is_symlink():
        beside = [path.name for path in paths.tables_in(metadata.parent)]
        raise AudionetError(f"{metadata}: no such table{did_you_mean(metadata.name, beside)}")
    return read_table(metadata) if is_table(metadata) else None


def _labelled(table: Table | None, data_audio: Path, options: AnnotationOptions) -> LabelledTable | None:
    """A table that says of recordings which they are; None if it marks parts, and does not say of what, or none."""
    if table is None or (marks_parts(table.columns) and not (paths.path_columns(table.columns) and table.rows)):
        return None
    return LabelledTable(_in_tiers(table, options), data_audio, options.sound)


def _in_tiers(table: Table, options: AnnotationOptions) -> Table:
    return replace(table, rows=of_tiers(table.path, [(tier_of(row), row) for row in table.rows], options.tier))


def _find_table(data_audio: Path, options: AnnotationOptions) -> LabelledTable | None:
    """The table in or beside a folder that lists its recordings, and is none of corrections; None if there is none.

    Raises AudionetError if there are several, or if it contradicts folders that are named as its classes.
    """
    candidates, others = list[Path](), list[Path]()
    corrections = {resolved(_found(path, data_audio)) for path in options.correction_tables}
    for path in paths.tables_near(data_audio):
        if resolved(path) in corrections or _corrects(path, data_audio):
            continue
        columns = header_of(path)
        has_labels = not columns.isdisjoint(LABEL_COLUMNS)
        if has_labels and not columns.isdisjoint(paths.PATH_COLUMNS):
            candidates.append(path)
        elif path.parent == data_audio and "clip" not in columns and (has_labels or marks_parts(columns)):
            others.append(path)
    fitting = _fitting(data_audio, candidates, options)
    if not fitting:
        _report_unused_tables(data_audio, others)
        for path in paths.tables_in(data_audio, paths.WORKBOOK_SUFFIXES)[:1]:
            logger.info("%s is a workbook, which is not read: if it has labels, save it as CSV", path)
        return None
    if len({resolved(labelled.table.path) for labelled in fitting}) > 1:
        names = [str(labelled.table.path) for labelled in fitting]
        raise AudionetError(f"{data_audio}: {listed(names)} list its recordings; name the one to use with --metadata")
    _require_no_contradiction(fitting[0])
    path = fitting[0].table.path
    level = logging.DEBUG if path.name.lower() in paths.PUBLISHED_NAMES else logging.INFO
    logger.log(level, "the labels are those in %s", path)
    return fitting[0]


def _corrects(path: Path, data_audio: Path) -> bool:
    """Whether a table is called as corrections are, and labels nothing. What is to be corrected yet is told."""
    is_called_so = CORRECTIONS_NAME.fullmatch(path.stem) is not None
    if is_called_so and not are_done(path, data_audio):
        logger.info("%s is not used; it is with --corrections %s", path, path)
    return is_called_so


def _fitting(data_audio: Path, tables: Iterable[Path], options: AnnotationOptions) -> list[LabelledTable]:
    """The tables that list at least half of the recordings in a folder; of a published data set, its own alone."""
    fitting, listing = [], paths.Listing(data_audio)
    for path in tables:
        parsed = read_table(path)
        published = path.name.lower() in paths.PUBLISHED_NAMES
        try:
            labelled = LabelledTable(_in_tiers(parsed, options), data_audio, options.sound)
        except AudionetError:
            if published or paths.lists_most(listing, parsed, paths.PATH_COLUMNS):
                raise
            continue
        if published:  # these come first
            return [labelled]
        if labelled.paths.listing.holds_mostly(labelled.places):
            fitting.append(labelled)
    return fitting


def _report_unused_tables(data_audio: Path, tables: Sequence[Path]) -> None:
    """Warn of tables of labels that list the recordings in a column of another name, and are not used."""
    listing = paths.Listing(data_audio)
    for path in tables:
        kind = kind_of(path)
        called = (place for place in map(Path, listing.recordings) if path.name.startswith(place.stem))
        if kind in READ or (kind is Kind.LISTING and any(is_only_about(path, place) for place in called)):
            continue  # it is used, as what lies beside recordings is
        try:
            table = read_table(path)
        except AudionetError:  # of a file that nobody named
            continue
        known = paths.path_columns(table.columns)
        if known and marks_parts(table.columns):
            if paths.lists_most(listing, table, known):
                sentence = "%s marks parts of the recordings, and is not used: add --metadata %s, or move it away"
                logger.warning(sentence, path, path)
            continue
        for name in paths.columns_of_files(table):
            if paths.lists_most(listing, table, [name]):
                sentence = "%s lists the recordings, and is not used: call its column %r path, or move it away"
                logger.warning(sentence, path, table.columns[name])


def _require_no_contradiction(labelled: LabelledTable) -> None:
    """Raise AudionetError if folders are named as classes of the table, and hold recordings of others."""
    labels = {row.get(labelled.layout.label) for row in labelled.table.rows}
    folders = {place.partition("/")[0] for place in labelled.places if place is not None and "/" in place}
    if not any(folder in labels and not is_part_of_a_set(folder) for folder in folders):
        return
    for row, place in zip(labelled.table.rows, labelled.places, strict=True):
        folder, slash, _ = (place or "").partition("/")
        label = row.get(labelled.layout.label)
        if slash and label and folder != label:
            raise labelled.table.error(
                row.line,
                f"says that {place} is {label!r}, its folder {folder!r}; add --metadata {labelled.table.path} to go by "
                "the table, or move the table away to go by the folders",
            )


def _require_no_set_below(data_audio: Path) -> None:
    """Raise AudionetError if a folder in it is a published data set, which would be taken for a class."""
    for place, folders, names in os.walk(data_audio, followlinks=True):  # it asks no recording what it is
        holder = Path(place)
        folder = holder.parent if holder.name.lower() in paths.TABLE_FOLDERS else holder
        for name in names if folder != data_audio else ():
            if name.lower() in paths.PUBLISHED_NAMES:
                table = holder.relative_to(data_audio) / name
                raise AudionetError(
                    f"{data_audio}: holds a data set with a table of its own ({table}); name its folder: {folder}"
                )
        is_deepest = len(holder.relative_to(data_audio).parts) == LEVELS_LOOKED_INTO
        folders[:] = [] if is_deepest else sorted(name for name in folders if not is_passed_over(name, is_folder=True))
