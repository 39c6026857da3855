"""What is in the folders: recordings by class, pictures by class and recording. Every listing is sorted."""

import logging
import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from audionet.audio.chunks import Part
from audionet.dataset.kinds import SOUND_SUFFIX, are_all_parts, group_of, is_other_file, is_part_of_a_set, names_left
from audionet.dataset.names import require_distinct_classes, require_no_unknown
from audionet.errors import AudionetError, UnusableInput, warn_of_skipped
from audionet.spectrogram.jpeg import SUFFIXES
from audionet.system.files import require_file, resolved
from audionet.system.grouping import grouped
from audionet.system.text import did_you_mean, is_printable, listed, printable
from audionet.system.untrusted import is_file, is_folder

logger = logging.getLogger(__name__)

ARCHIVES = (".zip", ".tar", ".gz", ".tgz", ".bz2", ".xz", ".7z", ".rar")
MAY_BECOME_RECORDINGS = {
    ARCHIVES: "unpack what is in there",
    (".aup3", ".aup", ".rpp", ".als", ".sesx"): "save the sound as WAV with the program whose project that is",
    (".part", ".crdownload", ".icloud", ".download", ".tmp"): "download that to its end",
}
FEWEST_SESSIONS = 3  # sub-folders of a class, so that one can be held out, one validated with and one learnt from


@dataclass(frozen=True, order=True)
class Recording:
    """A sound file in a class folder. `key` is `<class>/<path below the class folder>`, with forward slashes.

    group: what stays together in every split, where a table, the file's name or its sub-folder says so.
    fold: the data set's own, where it has folds.
    parts: in which the class is heard, in order and without overlap; none if it is heard in all of the recording. A
        file in which several classes are heard is a recording of each.
    """

    class_name: str
    key: str
    path: Path
    group: str | None = None
    fold: int | None = None
    parts: tuple[Part, ...] = ()


def class_folders(folder: Path) -> list[Path]:
    """The sub-folders of `folder`, one per class, without those that can be none.

    Raises AudionetError if it is not a folder or has none.
    """
    if folder.is_file():
        instead = f"to ask which class this is, type: audionet label {folder}"
        if folder.name.lower().endswith(ARCHIVES):
            instead = "unpack it, and name the folder that comes of it"
        needed = "where a folder is needed that holds one folder of recordings for each class"
        raise AudionetError(f"{folder}: is a file, {needed}; {instead}")
    if not folder.is_dir():
        like = _folder_like(folder)
        raise AudionetError(f"{folder}: no such folder; it should hold one folder of recordings for each class{like}")
    folders = [path for path in folders_in(folder) if not _fault_as_class(path)]
    if not folders:
        for error in _folders_of_no_class(folder):
            raise error
        raise AudionetError(
            f"{folder}: has no folders in it; put the recordings into one folder for each class, or name the table of "
            "their labels with --metadata; if it is itself a class, name the folder above it"
        )
    require_distinct_classes(folder, [path.name for path in folders])
    return folders


def _folders_of_no_class(folder: Path) -> list[UnusableInput]:
    """The sub-folders that can't be classes."""
    return [UnusableInput(path, fault) for path in folders_in(folder) if (fault := _fault_as_class(path))]


def _fault_as_class(folder: Path) -> str:
    """Why a folder can be no class; "" if it can. Labels are lines of retrained_labels.txt."""
    if not is_printable(folder.name):
        return "can't be a class with such characters in its name; rename this folder"
    if _leads_back(folder):
        return "is a link back to the folder that it lies in, and no class; delete it"
    return ""


def _leads_back(folder: Path) -> bool:
    """Whether a folder is a link to the one that it lies in, or one that this lies in."""
    return folder.is_symlink() and resolved(folder.parent).is_relative_to(resolved(folder))


def _folder_like(folder: Path) -> str:
    """For a folder that is not there, a suggestion of another one beside it; "" if there is none."""
    beside = folders_in(folder.parent) if is_folder(folder.parent) else []
    return did_you_mean(folder.name, [path.name for path in beside])


def require_classes_not_parts(data_audio: Path, names: Sequence[str]) -> None:
    """Raise AudionetError if all folders are called as the parts of a data set are, and none as a class.

    names: of the folders that hold recordings.
    """
    if not names or not are_all_parts(names):
        return
    likely = [name for name in names if len(names) == 1 or name.lower().startswith("train")]
    if likely and folders_in(inner := data_audio / likely[0]):
        remedy = f"if its classes are the folders in {inner}, name that instead"
    elif likely and any(path.suffix.lower() in (".csv", ".tsv") for path in _listing(inner)):
        remedy = f"if the labels of {inner} are in the table in it, name that instead"
    else:
        remedy = "name the table of its labels with --metadata, or sort the recordings into one folder for each class"
    raise AudionetError(
        f"{data_audio}: its folders ({listed(names)}) are called as parts of a data set are, not as classes; {remedy}"
    )


def find_recordings(data_audio: Path) -> tuple[list[Recording], list[UnusableInput]]:
    """The recordings below each class folder, at any depth, sorted by class and path; and what lies wrong.

    Wrong is a class folder without recordings, and a recording that lies in no class folder. Raises AudionetError if
    the folders can't be classes.
    """
    recordings, wrong, folders = list[Recording](), stray_files(data_audio), class_folders(data_audio)
    require_no_unknown(data_audio, [folder.name for folder in folders])
    sessions, torn, forms = list[Path](), list[Path](), list[Path]()
    for folder in folders:
        paths = [path for path in walk_files(folder) if not is_other_file(path)]
        sizes = Counter(path.parent for path in paths)
        own_sessions, own_forms = _sessions(folder, sizes), _forms_of_one(paths)
        if not own_sessions and 1 < len(sizes) < len(paths) and folder not in sizes:
            torn += [path for path in sorted(sizes) if not is_part_of_a_set(path.name)]
        sessions += sorted(own_sessions)
        forms += sorted(own_forms)
        for path in paths:
            if is_folder(path):
                wrong.append(_why_no_file(path))
                continue
            key = f"{folder.name}/{path.relative_to(folder).as_posix()}"
            session = path.parent.relative_to(folder).as_posix() if path.parent in own_sessions else None
            form = key.removesuffix(path.suffix) if path in own_forms else None
            recordings.append(Recording(folder.name, key, path, group_of(path) or session or form))
        if not paths:
            wrong.append(UnusableInput(folder, f"holds no recordings{_what_instead(folder)}"))
    require_classes_not_parts(data_audio, sorted({recording.class_name for recording in recordings}))
    _report_held_together(data_audio, sessions, torn, forms)
    return recordings, wrong


def _report_held_together(
    data_audio: Path, sessions: Sequence[Path], torn: Sequence[Path], forms: Sequence[Path]
) -> None:
    """Say which recordings stay together in every split.

    sessions: the sub-folders whose recordings do. torn: those whose recordings do not, but would if there were more of
    them. forms: the recordings that another of the same name does with.
    """
    if sessions:
        sentence = "%s: recordings that share a sub-folder, as in %s, are held out together by retrain: all or none"
        logger.info(sentence, data_audio, sessions[0])
    if torn:
        sentence = (
            "%s: recordings that share a sub-folder, as in %s, are not held out together: its class has fewer than %d "
            "sub-folders, or one holds most; if each is a day or a speaker, add more or a table with a column group"
        )
        logger.info(sentence, data_audio, torn[0], FEWEST_SESSIONS)
    if forms:
        sentence = "%s and %s differ in their suffix alone, as one recording in two forms: they are held out together"
        logger.info(sentence, *forms[:2])


def _what_instead(folder: Path) -> str:
    """What a folder without recordings holds that may become some, and how; "" if there is nothing of the kind."""
    try:
        names = sorted(os.listdir(folder))
    except OSError:  # which was told of when its files were listed
        return ""
    for suffixes, remedy in MAY_BECOME_RECORDINGS.items():
        there = [printable(name) for name in names if name.lower().endswith(suffixes)]
        if there:
            return f", but {listed(there)}; {remedy}"
    return ""


def _sessions(folder: Path, sizes: Mapping[Path, int]) -> set[Path]:
    """The sub-folders of a class whose recordings stay together, as those of one video, day or speaker; often none.

    sizes: how many recordings lie in each folder.

    Sub-folders say so where all recordings of the class lie in FEWEST_SESSIONS of them or more, and none holds more
    than half of it: of others, too little would be left to learn from while they are held out.
    """
    if folder in sizes or len(sizes) < FEWEST_SESSIONS or 2 * max(sizes.values()) > sum(sizes.values()):
        return set()
    return {parent for parent, size in sizes.items() if size > 1}


def _forms_of_one(paths: Sequence[Path]) -> set[Path]:
    """The recordings beside which another has their name and another suffix: one sound as an MP3 and a WAV, say."""
    names = ((str(path).rpartition("."), path) for path in paths)  # pathlib's way takes seconds for 100,000
    by_name = grouped((name, path) for (name, dot, ending), path in names if SOUND_SUFFIX.fullmatch(dot + ending))
    return {path for forms in by_name.values() if len(forms) > 1 for path in forms}


def _why_no_file(path: Path) -> UnusableInput:
    try:
        require_file(path)
    except UnusableInput as error:
        return error
    return UnusableInput(path, "changed while it was read; run the command again")


def walk_files(folder: Path) -> Iterator[Path]:
    """The files below `folder` at any depth, sorted.

    Links to folders, which are not followed, and folders that can't be read are among them, to be named by whoever
    tries to read them.
    """
    for path in _listing(folder):
        if is_folder(path) and not path.is_symlink() and os.access(path, os.R_OK | os.X_OK):
            yield from walk_files(path)
        else:
            yield path


def walk_data_set(data_audio: Path) -> Iterator[Path]:
    """As walk_files, of the folder of a data set, in which class folders may be links to elsewhere: these are followed,
    unless they lead back to it."""
    for path in walk_files(data_audio):
        if path.parent == data_audio and is_folder(path) and not _leads_back(path):
            yield from walk_files(path)
        else:
            yield path


def stray_files(data_audio: Path) -> list[UnusableInput]:
    """The recordings that lie in `data_audio` itself, in no class folder, and folders that can be no class."""
    if not data_audio.is_dir():
        return []
    reason = f"lies in no class folder; move it into a folder of {data_audio}"
    files = [path for path in _listing(data_audio) if not is_folder(path) and not is_other_file(path)]
    # A link to nothing may be one to a folder on a disk that is not there.
    found = [UnusableInput(path, reason) if is_file(path) else _why_no_file(path) for path in files]
    return found + _folders_of_no_class(data_audio)


def _listing(folder: Path) -> list[Path]:
    """The paths in a folder, sorted, without those that is_passed_over passes over."""
    return [folder / name for name in _names(folder)]


def folders_in(folder: Path) -> list[Path]:
    """The folders in a folder, sorted; as _listing."""
    return [path for path in _listing(folder) if is_folder(path)]


def _names(folder: Path) -> list[str]:
    """The names in a folder, sorted, without those passed over; none, with a warning, if it cannot be read."""
    try:
        names = os.listdir(folder)
        left = names_left(folder, names)
        if len(left) < len(names) and logger.isEnabledFor(logging.DEBUG):
            for name in sorted(set(names) - set(left)):
                if not name.startswith(".audionet"):
                    logger.debug("%s: passed over, it is no recording by its name", folder / name)
        return left
    except OSError as error:
        logger.warning("%s: folder skipped, it cannot be read (%s)", folder, error.strerror)
        return []


def find_pictures(image_dir: Path) -> list[tuple[str, str, Path]]:
    """The class, the file's name without suffix, and the path of each picture in the class folders, sorted by them.

    Raises AudionetError if there is no class folder.
    """
    if not image_dir.is_dir():
        raise AudionetError(
            f"{image_dir}: no such folder; make the pictures first with audionet prepare{_folder_like(image_dir)}"
        )
    for error in _folders_of_no_class(image_dir):
        warn_of_skipped(error)
    folders = class_folders(image_dir)
    require_no_unknown(image_dir, [folder.name for folder in folders])
    pictures = []
    for folder in folders:
        for file_name in _names(folder):
            stem, dot, suffix = file_name.rpartition(".")  # pathlib's way takes a second for 100,000
            if f"{dot}{suffix}".lower() in SUFFIXES:
                pictures.append((folder.name, stem, folder / file_name))
    return pictures
