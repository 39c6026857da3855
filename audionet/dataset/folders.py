"""What is in the folders: recordings by class, pictures by class and recording. Every listing is sorted."""

import logging
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from audionet.audio.chunks import Part
from audionet.dataset.names import NOHASH, require_distinct_classes, require_no_unknown
from audionet.errors import AudionetError, UnusableInput, warn_of_skipped
from audionet.spectrogram.jpeg import SUFFIXES
from audionet.system.files import require_file
from audionet.system.text import did_you_mean, is_printable, listed
from audionet.system.untrusted import is_file, is_folder

logger = logging.getLogger(__name__)

# Files that people keep beside their recordings, and that are passed over. Anything else is offered to ffmpeg.
NOT_AUDIO_SUFFIXES = frozenset(
    ".txt .md .rst .rtf .csv .tsv .tab .xls .xlsx .xlsm .ods .numbers .json .jsonl .yaml .yml .toml .xml .html "
    ".htm .pdf .doc .docx .odt .pages .ppt .pptx .odp .epub .log .ini .nfo .sfv .md5 .sha1 .sha256 .cue .m3u "
    ".m3u8 .pls .lrc .srt .vtt .ass .ssa .sub .jpg .jpeg .png .gif .bmp .webp .tif .tiff .heic .svg .psd .py .r .sh "
    ".bat .ipynb .zip .db .sqlite .ds_store .url .webloc .lnk .textgrid .lab .rttm .uem .ctm .stm .eaf .pfsx .trs "
    ".antx .cha .exb .phn .wrd .ann .jams .svl .sv .pitch .pitchtier .formant .intensity .pointprocess .mid .midi .mat "
    ".npy .npz .h5 .hdf5 .pkl .parquet .gpx .kml .geojson .pb .tflite .bottlenecks".split()
)
# A recording with one of these names is one all the same: (position, bytes) that files of sound begin with.
SOUND_MARKS = (
    *((0, mark) for mark in (b"ID3", b"\xff\xfb", b"OggS", b"fLaC")),
    (8, b"WAVE"),
    *((4, mark) for mark in (b"ftypM4A", b"ftypmp4", b"ftypiso", b"ftyp3gp")),  # ftypheic is a photo
)
# What systems, editors and downloads leave beside recordings. It is passed over whatever it holds, and in silence.
PASSED_OVER_NAMES = frozenset(
    {"$recycle.bin", "recycler", "recycled", "system volume information", "$winreagent", "__macosx", "@eadir"}
    | {"#recycle", "@recycle", "#snapshot", "@recently-snapshot", "@sharesnap", "@tmp", "@sharebin"}
    | {"network trash folder", "temporary items", "icon\r", "__pycache__", "ableton project info", "_serato_"}
    | {"lost+found", "thumbs.db", "desktop.ini", *(f"found.{number:03d}" for number in range(10))}
)
EDITORS_SUFFIXES = frozenset(
    ".sfk .sfl .sfap0 .reapeaks .reapindex .rpp .rpp-bak .rpp-undo .asd .als .alc .adg .aup .aup-bak .auf .aup3 "
    ".aup3-wal .aup3-shm .aup3unsaved .autosave .pkf .pek .cfa .ses .sesx .gpk .mrk .ovw .peak .peaks .wfm .cpr "
    ".npr .pts .ptf .ptx .flp .veg .logicx .band .ardour .rxdoc .h0 .hdp .bak .orig .swp .icloud".split()
)
UNFINISHED_SUFFIXES = frozenset(
    ".part .partial .filepart .crdownload .crswap .download .opdownload .fdmdownload .dtapart .aria2 .aria2__temp "
    ".ytdl .xltd .td .dlm .jc! .!ut .ut! .!qb .!bt .!sync .bc! .incomplete .pending .tmp .temp".split()
)
# Words of which the names of folders consist that are parts of a data set, and no classes. Those beside them, and
# numbers, make no such name by themselves.
WORDS_OF_SIDES = frozenset("train training test testing val valid validation dev development eval evaluation".split())
WORDS_OF_PARTS = WORDS_OF_SIDES.union(
    "fold folds kfold split splits part parts batch batches set sets subset subsets dataset datasets cv trainset "
    "testset holdout audio audios wav wavs mp3 mp3s flac flacs ogg oggs opus m4a aiff data raw rawdata meta "
    "metadata".split()
)
WORDS_BESIDE = frozenset("k hold out clean other noisy".split())
LETTERED, LETTERS = frozenset("fold split part batch set subset".split()), frozenset("abcdef")  # fold A
HOLDERS = frozenset("clips sounds recordings samples chunks files".split())
WORD = re.compile(r"mp3s?|m4a|[^\W\d_]+|\d+")
# `<recording>_<start>s_<score>.wav`, see inference/saved_segments.py.
SAVED_SEGMENT = re.compile(r"(.+)_\d{6,}\.\d\ds_[01]\.\d\d\.wav")
NOT_AUDIO_NAMES = frozenset({"license", "copying", "readme", "notice", "credits", "makefile"})


@dataclass(frozen=True, order=True)
class Recording:
    """A sound file in a class folder. `key` is `<class>/<path below the class folder>`, with forward slashes.

    group: what stays together in every split, where a table or the file's name says so.
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
    """The sub-folders of `folder`, one per class, without `misnamed_folders`.

    Raises AudionetError if it is not a folder or has none.
    """
    if folder.is_file():
        raise AudionetError(
            f"{folder}: is a file, where a folder is needed that holds one folder of recordings for each class; to ask "
            f"which class this is, type: audionet label {folder}"
        )
    if not folder.is_dir():
        like = _folder_like(folder)
        raise AudionetError(f"{folder}: no such folder; it should hold one folder of recordings for each class{like}")
    folders = [path for path in _listing(folder) if is_folder(path) and is_printable(path.name)]
    if not folders:
        for error in misnamed_folders(folder):
            raise error
        raise AudionetError(
            f"{folder}: has no folders in it; put the recordings into one folder for each class, or name the table of "
            "their labels with --metadata; if it is itself a class, name the folder above it"
        )
    require_distinct_classes(folder, [path.name for path in folders])
    return folders


def misnamed_folders(folder: Path) -> list[UnusableInput]:
    """The sub-folders whose names can't be labels, which are lines of retrained_labels.txt."""
    reason = "can't be a class with such characters in its name; rename this folder"
    folders = [path for path in _listing(folder) if is_folder(path) and not is_printable(path.name)]
    return [UnusableInput(path, reason) for path in folders]


def _folder_like(folder: Path) -> str:
    """For a folder that is not there, a suggestion of another one beside it; "" if there is none."""
    parent = folder.parent
    beside = [path.name for path in _listing(parent) if is_folder(path)] if is_folder(parent) else []
    return did_you_mean(folder.name, beside)


def is_part_of_a_set(name: str) -> bool:
    """Whether a folder is called as the parts of data sets are: `fold1`, `train`, `audio`.

    >>> is_part_of_a_set("Fold_01"), is_part_of_a_set("train-clean-100"), is_part_of_a_set("robin")
    (True, True, False)
    """
    words = set(WORD.findall(name.lower()))
    if words & LETTERED:
        words -= LETTERS
    if words & WORDS_OF_PARTS:
        words -= WORDS_OF_PARTS | WORDS_BESIDE | HOLDERS
        return all(word.isdigit() for word in words)
    return len(words) == 1 and words <= HOLDERS


def _are_sides_of_a_split(names: Sequence[str]) -> bool:
    """Whether names are the same but for which side of a split each is: `birds_train` and `birds_test`."""
    words = [frozenset(WORD.findall(name.lower())) for name in names]
    common = {part - WORDS_OF_SIDES for part in words}
    return len(names) > 1 and len(common) == 1 and all(part & WORDS_OF_SIDES for part in words)


def require_classes_not_parts(data_audio: Path, names: Sequence[str]) -> None:
    """Raise AudionetError if all folders are called as the parts of a data set are, and none as a class.

    names: of the folders that hold recordings.
    """
    if not names or not (all(map(is_part_of_a_set, names)) or _are_sides_of_a_split(names)):
        return
    inner = next((data_audio / name for name in names if name.lower().startswith("train")), None)
    if inner is not None and any(is_folder(path) for path in _listing(inner)):
        remedy = f"if its classes are the folders in {inner}, name that instead"
    else:
        remedy = "name the table of its labels with --metadata, or sort the recordings into one folder for each class"
    raise AudionetError(
        f"{data_audio}: its folders ({listed(names)}) are called as parts of a data set are, not as classes; {remedy}"
    )


def group_of(path: Path) -> str | None:
    """The group of a recording by its name, or None.

    Names that agree up to `_nohash_` are of one speaker, as in Google's Speech Commands; segments that
    `label --save-segments` cut from one recording are a group too.
    """
    before, mark, _ = path.name.partition(NOHASH)
    if mark and before:
        return before
    saved = SAVED_SEGMENT.fullmatch(path.name)
    return saved[1] if saved else None


def find_recordings(data_audio: Path) -> tuple[list[Recording], list[UnusableInput]]:
    """The recordings below each class folder, at any depth, sorted by class and path; and what lies wrong.

    Wrong is a class folder without recordings, and a recording that lies in no class folder. Raises AudionetError if
    the folders can't be classes.
    """
    recordings, wrong = [], stray_files(data_audio)
    folders = class_folders(data_audio)
    require_no_unknown(data_audio, [folder.name for folder in folders])
    for folder in folders:
        paths = [path for path in walk_files(folder) if not is_other_file(path)]
        for path in paths:
            if is_folder(path):
                wrong.append(_why_no_file(path))
                continue
            key = f"{folder.name}/{path.relative_to(folder).as_posix()}"
            recordings.append(Recording(folder.name, key, path, group_of(path)))
        if not paths:
            wrong.append(UnusableInput(folder, "holds no recordings"))
    require_classes_not_parts(data_audio, sorted({recording.class_name for recording in recordings}))
    return recordings, wrong


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


def is_other_file(path: Path) -> bool:
    """Whether the name says that this is no recording (but a text, a picture, a list), and the content does not."""
    named_so = path.suffix.lower() in NOT_AUDIO_SUFFIXES or path.name.lower() in NOT_AUDIO_NAMES
    return named_so and not _begins_like_sound(path)


def _begins_like_sound(path: Path) -> bool:
    if not is_file(path):
        return False
    try:
        with open(path, "rb") as file:
            beginning = file.read(16)
    except OSError:
        return False
    return any(beginning[place:].startswith(mark) for place, mark in SOUND_MARKS)


def stray_files(data_audio: Path) -> list[UnusableInput]:
    """The recordings that lie in `data_audio` itself, in no class folder, and folders that can be no class."""
    if not data_audio.is_dir():
        return []
    reason = f"lies in no class folder; move it into a folder of {data_audio}"
    files = [path for path in _listing(data_audio) if not is_folder(path) and not is_other_file(path)]
    return [UnusableInput(path, reason) for path in files] + misnamed_folders(data_audio)


def _listing(folder: Path) -> list[Path]:
    """The paths in a folder, sorted, without those that is_passed_over passes over."""
    return [folder / name for name in _names(folder)]


def is_passed_over(name: str, *, is_folder: bool = False) -> bool:
    """Whether a file or folder of this name is hidden, the system's or an editor's own, or an unfinished download.

    What a folder's name ends in says nothing, but of Safari's downloads, such as song.mp3.download: a class may be
    called `x.bak`.
    """
    lower = name.lower()
    if name.startswith(".") or lower in PASSED_OVER_NAMES:
        return True
    before, dot, ending = lower.rpartition(".")
    if is_folder:
        return ending == "download" and "." in before
    suffix = f"{dot}{ending}"
    is_copy = name.endswith("~") or (name.startswith("#") and name.endswith("#"))  # an editor's, of what it changes
    return is_copy or suffix in EDITORS_SUFFIXES or suffix in UNFINISHED_SUFFIXES or ending.startswith("part-frag")


def names_left(folder: Path, names: Iterable[str]) -> list[str]:
    """The names in a folder that are not passed over, sorted."""
    names = sorted(names)
    # The sound of an Audacity project of before version 3 lies in thousands of pieces, in a folder beside it.
    pieces = {f"{name[: -len('.aup')]}_data" for name in names if name.lower().endswith(".aup")}
    return [
        name
        for name in names
        if name not in pieces
        and (not is_passed_over(name) or (not is_passed_over(name, is_folder=True) and is_folder(folder / name)))
    ]


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
    for error in misnamed_folders(image_dir):
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
