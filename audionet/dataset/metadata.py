"""Recordings that a table labels: UrbanSound8K and ESC-50 as they are published, or any CSV."""

import csv
import io
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from audionet.dataset.folders import Recording, find_recordings
from audionet.dataset.names import can_name_a_folder
from audionet.errors import AudionetError, UnusableInput
from audionet.system.files import read_limited
from audionet.system.untrusted import Refused, digits

Row = dict[str, str]


@dataclass(frozen=True)
class _Layout:
    """columns: which it needs. path: of a row's recording, below the data set's folder. `group` and `fold` may be ''.

    folder: a part of the paths that says nothing, and is left out of the pictures' names.
    """

    columns: frozenset[str]
    path: Callable[[Row], str]
    label: Callable[[Row], str]
    group: Callable[[Row], str]
    fold: Callable[[Row], str]
    folder: str = ""


URBANSOUND8K = _Layout(
    frozenset({"slice_file_name", "fsID", "fold", "class"}),
    lambda row: f"audio/fold{row['fold']}/{row['slice_file_name']}",
    lambda row: row["class"],
    lambda row: row["fsID"],  # of the recording on Freesound that it was cut from
    lambda row: row["fold"],
    "audio",
)
ESC_50 = _Layout(
    frozenset({"filename", "fold", "category", "src_file"}),
    lambda row: f"audio/{row['filename']}",
    lambda row: row["category"],
    lambda row: row["src_file"],
    lambda row: row["fold"],
    "audio",
)
ANY = _Layout(
    frozenset({"path", "label"}),
    lambda row: row["path"],
    lambda row: row["label"],
    lambda row: row.get("group") or "",
    lambda row: row.get("fold") or "",
)
LARGEST_TABLE_BYTES = 256 << 20
MOST_FOLDS = 1_000_000_000
PUBLISHED = (Path("metadata") / "UrbanSound8K.csv", Path("meta") / "esc50.csv")  # in the data set's folder


def find_labelled_recordings(
    data_audio: Path, metadata: Path | None = None
) -> tuple[list[Recording], list[UnusableInput]]:
    """The recordings in a data set and their classes, and what lies wrong, as dataset.find_recordings.

    metadata: the table; None is the data set's own, if it is laid out as UrbanSound8K or ESC-50, else the folders.
    Recordings of one group stay on one side of every split. Raises AudionetError for a table that can't be used.
    """
    if metadata is None:
        metadata = next((data_audio / path for path in PUBLISHED if (data_audio / path).is_file()), None)
    if metadata is None:
        return find_recordings(data_audio)
    layout, rows = _read(metadata)
    found: dict[str, Recording] = {}
    spellings: dict[str, str] = {}  # on a file system that ignores case, two would be one folder
    wrong = []
    for number, row in enumerate(rows, start=2):
        path, label = PurePosixPath(layout.path(row).replace("\\", "/")), layout.label(row).strip()
        if not can_name_a_folder(label):
            raise AudionetError(f"{metadata}: line {number} has the class {label!r}, which can't name a folder")
        same = spellings.setdefault(unicodedata.normalize("NFC", label).casefold(), label)
        if same != label:
            raise AudionetError(f"{metadata}: line {number} has the class {label!r}, others {same!r}; spell them alike")
        fold = layout.fold(row).strip()
        try:
            fold_number = digits(fold, MOST_FOLDS) if fold else None
        except Refused as error:
            raise AudionetError(
                f"{metadata}: line {number} has the fold {fold[:20]!r}; it should be a whole number"
            ) from error
        place = data_audio / path
        if path.is_absolute() or ".." in path.parts:
            wrong.append(UnusableInput(place, f"is listed in {metadata.name}, but lies outside of {data_audio}"))
        elif not place.is_file():
            wrong.append(UnusableInput(place, f"is listed in {metadata.name}, but not there"))
        else:
            inside = path.relative_to(layout.folder) if layout.folder else path
            recording = Recording(label, f"{label}/{inside}", place, layout.group(row).strip() or None, fold_number)
            if found.setdefault(str(path), recording) != recording:
                raise AudionetError(f"{metadata}: line {number} lists {path} again, otherwise; keep one of the lines")
    return sorted(found.values()), wrong


def _read(metadata: Path) -> tuple[_Layout, list[Row]]:
    try:
        text = read_limited(metadata, LARGEST_TABLE_BYTES).decode("utf-8-sig")
        table = csv.DictReader(io.StringIO(text, newline=""), restval="")
        columns = set(table.fieldnames or [])
        rows = list(table)
    except OSError as error:
        raise AudionetError(f"{metadata}: cannot be read ({error.strerror})") from error
    except (csv.Error, ValueError) as error:
        raise AudionetError(f"{metadata}: not a CSV table in UTF-8 ({error})") from error
    for layout in (URBANSOUND8K, ESC_50, ANY):
        if layout.columns <= columns:
            return layout, rows
    raise AudionetError(f"{metadata}: needs the columns path and label, and may have group and fold")
