"""Where the recordings of a folder of pictures are, and the sound of each picture in them."""

import hashlib
import json
import os
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from audionet.dataset.folders import walk_data_set
from audionet.dataset.manifest import PictureIndex, RecordingEntry
from audionet.dataset.samples import PictureFolder
from audionet.settings import EACH, SoundChoice
from audionet.system.files import read_limited, resolved, sha256_of_file, write_durably
from audionet.system.grouping import grouped

# In the folder of pictures: the folder whose recordings were drawn last. It is not in audionet.json, which is the same
# to the byte wherever the recordings lie.
FOLDER_FILE = ".audionet.data_audio"
LONGEST_FOLDER_BYTES = 1 << 16


def folder_name(data_audio: Path) -> bytes:
    """A folder of recordings as FOLDER_FILE names it."""
    return os.fsencode(resolved(data_audio))


def remembered_folder(image_dir: Path) -> bytes | None:
    """The folder whose recordings were drawn last; None if that is not known."""
    try:
        return read_limited(image_dir / FOLDER_FILE, LONGEST_FOLDER_BYTES) or None
    except (OSError, ValueError):
        return None


def remember_folder(image_dir: Path, data_audio: Path) -> None:
    """Note whose recordings are drawn into a folder."""
    if remembered_folder(image_dir) != folder_name(data_audio):
        write_durably(image_dir / FOLDER_FILE, folder_name(data_audio))


class ChunkSource(NamedTuple):
    """Where the sound of a picture's chunk is.

    sha256: of the recording, in hexadecimal; "" if it is not known, as of pictures that audionet.json does not list.
    recording: its path; None if it is gone. choice: the track and the channel.
    """

    sha256: str
    recording: Path | None
    choice: SoundChoice
    start_seconds: float
    seconds: float

    @property
    def digest(self) -> bytes:
        """32 bytes that differ whenever the sound differs."""
        place = [self.sha256, self.start_seconds, self.seconds, self.choice.to_json()]
        return hashlib.sha256(json.dumps(place).encode()).digest()


def chunk_sources(pictures: PictureFolder) -> dict[Path, ChunkSource]:
    """Where the sound of each picture is, in the recordings that they were drawn from."""
    index = pictures.index
    places = _find_recordings(pictures.path, index)
    choice = index.sound
    channels = _channels(index) if choice.channel == EACH else {}
    sources = {}
    for sample in pictures.samples:
        heard = choice.of_channel(channels.get(sample.name, 0)) if choice.channel == EACH else choice
        place = places.get(sample.sha256)
        sources[sample.path] = ChunkSource(sample.sha256, place, heard, sample.start_seconds, sample.seconds)
    return sources


def _channels(index: PictureIndex) -> dict[str, int]:
    """The number of each chunk's channel, by its name; the chunks of the first channel come first in a recording."""
    channels = {}
    for entry in index.recordings.values():
        channel, before = 0, -1.0
        for chunk in entry.chunks:
            channel += chunk.start_seconds <= before
            channels[chunk.name], before = channel, chunk.start_seconds
    return channels


def _find_recordings(image_dir: Path, index: PictureIndex) -> dict[str, Path]:
    """Where the recordings of an index are, by their SHA-256s; those that are gone or changed are missing.

    They are looked for where they should be, and then by size and content in the whole folder of recordings: a table
    may have put them into classes, or they were moved.
    """
    known = remembered_folder(image_dir)
    folder = Path(os.fsdecode(known or b""))
    if known is None or not folder.is_dir():
        return {}
    entries = index.recordings.values()
    paths = {entry.sha256: folder / key for key, entry in index.recordings.items() if _is_same(folder / key, entry)}
    by_size = grouped((entry.size_bytes, entry) for entry in entries if entry.sha256 not in paths)
    for path in walk_data_set(folder) if by_size else ():
        with suppress(OSError):
            for entry in by_size.get(path.stat().st_size, ()):
                if entry.sha256 not in paths and _is_same(path, entry):
                    paths[entry.sha256] = path
    return paths


def _is_same(path: Path, entry: RecordingEntry) -> bool:
    """Whether a file is a recording as it was when its pictures were made."""
    try:
        status = path.stat()
        if status.st_size != entry.size_bytes:
            return False
        return status.st_mtime_ns == entry.mtime_ns or sha256_of_file(path) == entry.sha256
    except OSError:
        return False
