"""What a file or a folder is, by its name: a recording or not, to be passed over, a part of a data set, of a group."""

import re
from collections.abc import Collection, Iterable
from pathlib import Path

from audionet.dataset.names import NOHASH
from audionet.system.files import read_beginning
from audionet.system.untrusted import is_folder

# Files that people keep beside their recordings, and that are passed over. Anything else is offered to ffmpeg.
NOT_AUDIO_SUFFIXES = frozenset(
    ".txt .md .rst .rtf .csv .tsv .tab .xls .xlsx .xlsm .ods .numbers .json .jsonl .yaml .yml .toml .xml .html "
    ".htm .pdf .doc .docx .odt .pages .ppt .pptx .odp .epub .log .ini .nfo .sfv .md5 .sha1 .sha256 .cue .m3u "
    ".m3u8 .pls .lrc .srt .vtt .ass .ssa .sub .jpg .jpeg .png .gif .bmp .webp .tif .tiff .heic .svg .psd .py .r .sh "
    ".bat .ipynb .zip .db .sqlite .ds_store .url .webloc .lnk .textgrid .lab .rttm .uem .ctm .stm .eaf .pfsx .trs "
    ".antx .cha .exb .phn .wrd .ann .jams .svl .sv .pitch .pitchtier .formant .intensity .pointprocess .mid .midi .mat "
    ".sbv .ttml .dfxp .smi .data .table .collection .praat .etf .words .phones .mlf .harmonicity .boris .mdtm "
    ".npy .npz .h5 .hdf5 .pkl .parquet .gpx .kml .geojson .pb .tflite .bottlenecks .scores".split()
)
# A recording with one of these names is one all the same, if it begins as files of sound do.
SOUND = re.compile(rb"ID3|\xff\xfb|OggS|fLaC|.{4}ftyp(M4A|mp4|iso|3gp)|.{8}WAVE", re.DOTALL)  # ftypheic is a photo
SOUND_SUFFIX = re.compile(
    r"\.(wave?|flac|mp[34]|og[ga]|opus|m4a|aac|wma|aiff?|amr|caf|w64|mkv|mov|webm)", re.IGNORECASE
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
    ".npr .pts .ptf .ptx .flp .veg .logicx .band .ardour .rxdoc .h0 .hdp .bak .orig .swp .icloud .identifier".split()
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
NOT_AUDIO_NAMES = frozenset("license copying readme notice credits makefile annotations".split())


def is_other_file(path: Path) -> bool:
    """Whether the name says that this is no recording (but a text, a picture, a list), and the content does not."""
    if path.suffix.lower() not in NOT_AUDIO_SUFFIXES and path.name.lower() not in NOT_AUDIO_NAMES:
        return False
    return SOUND.match(read_beginning(path, 16)) is None


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


def _words(name: str) -> frozenset[str]:
    """The words of a name, in lower case: of `AudioWAV`, these are two."""
    return frozenset(WORD.findall(re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name).lower()))


def is_part_of_a_set(name: str) -> bool:
    """Whether a folder is called as the parts of data sets are: `fold1`, `train`, `audio`.

    >>> is_part_of_a_set("Fold_01"), is_part_of_a_set("train-clean-100"), is_part_of_a_set("robin")
    (True, True, False)
    """
    words = _words(name)
    if words & LETTERED:
        words -= LETTERS
    if words & WORDS_OF_PARTS:
        words -= WORDS_OF_PARTS | WORDS_BESIDE | HOLDERS
        return all(word.isdigit() for word in words)
    return len(words) == 1 and words <= HOLDERS


def are_all_parts(names: Collection[str]) -> bool:
    """Whether folders are all called as parts of a data set are, or the same but for which side of a split each is.

    >>> are_all_parts(["fold1", "audio"]), are_all_parts(["birds_train", "birds_test"]), are_all_parts(["owl", "audio"])
    (True, True, False)
    """
    words = [_words(name) for name in names]
    are_alike = len(words) > 1 and len({each - WORDS_OF_SIDES for each in words}) == 1
    return all(map(is_part_of_a_set, names)) or (are_alike and all(each & WORDS_OF_SIDES for each in words))


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
