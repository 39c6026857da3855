"""audionet.json: how the pictures of a folder were made, and of which recordings."""

import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from audionet.errors import AudionetError
from audionet.settings import PICTURE_SIZE, PictureSettings
from audionet.spectrogram.filter_bank import pack, unpack
from audionet.spectrogram.transform import SpectrogramRenderer
from audionet.system.files import MALFORMED, read_json, write_json

FILE_NAME = "audionet.json"
LARGEST_WEIGHT = 1e3  # in a filter bank; ours are up to 1
LONGEST_NAME_BYTES, LONGEST_PATH_BYTES = 255, 2048  # what file systems allow, with room for the folder's own path
UNUSUAL = re.compile(r"\.\.|\0")  # in the name of a file
FORMAT = 1  # of audionet.json; a reader refuses others


class ChunkEntry(NamedTuple):
    """One chunk: its picture's file name without the suffix, and its place in the recording.

    level_db, clipped: how loud it is and what share of it is clipped, see loudness.py; None if it is not known.
    """

    name: str
    start_seconds: float
    seconds: float
    level_db: float | None = None
    clipped: float | None = None


@dataclass(frozen=True)
class RecordingEntry:
    """One recording as it was when its pictures were made.

    mtime_ns: its time of change in nanoseconds; with size_bytes, a quick sign that nothing changed.
    sha256: of the file's bytes.
    group, fold: see dataset.Recording.
    """

    size_bytes: int
    mtime_ns: int
    sha256: str
    chunks: tuple[ChunkEntry, ...]
    group: str | None = None
    fold: int | None = None


@dataclass
class PictureIndex:
    """The painter of a folder's pictures and the recordings in it, by `<class>/<path in the class folder>`.

    sound: the track and channel that were asked for, see settings.SoundChoice; nothing if the usual ones.
    unfinished: `<class>/<recording>`, as chunks' files begin, of recordings that may have files that are not listed.
    """

    renderer: SpectrogramRenderer
    recordings: dict[str, RecordingEntry] = field(default_factory=dict)
    unfinished: list[str] = field(default_factory=list)
    sound: dict[str, int | str] = field(default_factory=dict)

    def save(self, folder: Path) -> None:
        """Write audionet.json into `folder`."""
        recordings = {key: _entry_to_json(self.recordings[key]) for key in sorted(self.recordings)}
        content = {"format": FORMAT} | renderer_to_json(self.renderer) | {"recordings": recordings}
        if self.sound:
            content["sound"] = self.sound
        if self.unfinished:
            content["unfinished"] = self.unfinished
        write_json(folder / FILE_NAME, content)

    @classmethod
    def load(cls, folder: Path) -> "PictureIndex | None":
        """Read audionet.json in `folder`; None if there is none. Raises AudionetError if it is damaged."""
        path = folder / FILE_NAME
        try:
            content = read_json(path)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise AudionetError(f"{path}: cannot be read ({error.strerror})") from error
        except ValueError as error:
            raise _damaged(path) from error
        try:
            if content["format"] != FORMAT:
                raise AudionetError(
                    f"{path}: written by another version of audionet (format {content['format']}); "
                    "make the pictures anew with audionet prepare --force"
                )
            recordings = {_inner_path(key): _entry_from_json(value) for key, value in content["recordings"].items()}
            unfinished = [_inner_path(name) for name in content.get("unfinished", [])]
            return cls(renderer_from_json(content), recordings, unfinished, dict(content.get("sound", {})))
        except MALFORMED as error:
            raise _damaged(path) from error


def renderer_to_json(renderer: SpectrogramRenderer) -> dict[str, Any]:
    """A painter as plain values, for audionet.json and for the model."""
    return {
        "pictures": renderer.settings.as_json(),
        "filter_bank": pack(renderer.filter_bank),
        "color_table": pack(renderer.color_table),
    }


def renderer_from_json(content: dict[str, Any]) -> SpectrogramRenderer:
    """The painter that `painter_to_json` described. Raises one of MALFORMED for anything else.

    Pictures made with other constants (sample rate, window, size) than this version's are ValueErrors too.
    """
    described = content["pictures"]
    try:
        settings = PictureSettings(
            chunk_seconds=float(described["chunk_seconds"]),
            overlap_seconds=float(described["overlap_seconds"]),
            representation=str(described["representation"]),
            colormap=str(described["colormap"]),
        )
    except AudionetError as error:
        raise ValueError(str(error)) from error
    if settings.as_json() != described:
        raise ValueError("pictures made with other constants")
    filter_bank = unpack(content["filter_bank"], np.float32, (PICTURE_SIZE, settings.window_samples // 2 + 1))
    if filter_bank is None or not ((filter_bank >= 0) & (filter_bank <= LARGEST_WEIGHT)).all():
        raise ValueError("no filter bank")
    return SpectrogramRenderer(settings, filter_bank, unpack(content["color_table"], np.uint8, (256, 3)))


def _entry_to_json(entry: RecordingEntry) -> dict[str, Any]:
    return {
        "size_bytes": entry.size_bytes,
        "mtime_ns": entry.mtime_ns,
        "sha256": entry.sha256,
        "chunks": [
            {
                "name": chunk.name,
                "start_seconds": chunk.start_seconds,
                "seconds": chunk.seconds,
                "level_db": chunk.level_db,
                "clipped": chunk.clipped,
            }
            for chunk in entry.chunks
        ],
        "group": entry.group,
        "fold": entry.fold,
    }


def _entry_from_json(value: dict[str, Any]) -> RecordingEntry:
    chunks = tuple(_chunk_from_json(chunk) for chunk in value["chunks"])
    group, fold = value.get("group"), value.get("fold")
    return RecordingEntry(
        int(value["size_bytes"]),
        int(value["mtime_ns"]),
        str(value["sha256"]),
        chunks,
        None if group is None else str(group),
        None if fold is None else int(fold),
    )


def _inner_path(text: str) -> str:
    """A name of a file below the folder; it may be a stranger's. Raises ValueError or TypeError for any other."""
    # Neither by pathlib nor part by part: that takes a second for 100,000 of them.
    if len(text) <= LONGEST_NAME_BYTES and text.isascii() and not text.startswith("/") and not UNUSUAL.search(text):
        return text
    if text.startswith("/") or ".." in text.split("/") or "\0" in text:
        raise ValueError(f"not the name of a file in the folder: {text!r}")
    encoded = os.fsencode(text)  # ValueError for what no file can be called
    if len(encoded) > LONGEST_PATH_BYTES or max(map(len, encoded.split(b"/"))) > LONGEST_NAME_BYTES:
        raise ValueError(f"too long for the name of a file: {text[:100]!r}...")
    return text


def _seconds(value: float) -> float:
    seconds = float(value)
    if not 0 <= seconds < float("inf"):
        raise ValueError(f"not a time: {value}")
    return seconds


def _chunk_from_json(value: dict[str, Any]) -> ChunkEntry:
    level_db, clipped = value.get("level_db"), value.get("clipped")
    return ChunkEntry(
        _inner_path(value["name"]),
        _seconds(value["start_seconds"]),
        _seconds(value["seconds"]),
        None if level_db is None else float(level_db),
        None if clipped is None else float(clipped),
    )


def _damaged(path: Path) -> AudionetError:
    return AudionetError(
        f"{path}: damaged or not written by audionet; make the pictures anew with audionet prepare --force"
    )
