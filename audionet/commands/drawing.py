"""The drawing of recordings: a job for threads or for a cluster."""

from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from audionet.audio.chunks import Chunk, read_chunks, to_wav
from audionet.audio.levels import clipped_share, level_db
from audionet.dataset.manifest import ChunkEntry, RecordingEntry
from audionet.dataset.names import chunk_name
from audionet.errors import UnusableInput
from audionet.spectrogram.jpeg import draw
from audionet.spectrogram.transform import SpectrogramRenderer
from audionet.system.files import require_file, sha256_of_file, write_atomically


@dataclass(frozen=True)
class Source:
    """A recording to be drawn; the names of its chunks' files start with `stem`."""

    path: Path
    class_name: str
    stem: str


@dataclass(frozen=True)
class DrawingJob:
    """A job for workers: decode recordings, draw their chunks and write the files."""

    renderer: SpectrogramRenderer
    image_dir: Path
    keep_wav: bool
    keep_picture: bool = True

    def split(self, source: Source) -> Generator[tuple[Source, Chunk | None], None, None]:
        """None, for the recording as a whole, and then its chunks."""
        yield source, None
        for chunk in read_chunks(source.path, self.renderer.settings):
            yield source, chunk

    def map(self, part: tuple[Source, Chunk | None]) -> RecordingEntry | ChunkEntry:
        """The recording's entry, without chunks; or that of a chunk, whose files are written."""
        source, chunk = part
        if chunk is None:
            return _describe(source.path)
        name = chunk_name(source.class_name, source.stem, chunk.index)
        if self.keep_picture:
            write_atomically(self.image_dir / f"{name}.jpg", draw(chunk, self.renderer))
        if self.keep_wav:
            write_atomically(self.image_dir / f"{name}.wav", to_wav(chunk))
        loudness = level_db(chunk.samples), clipped_share(chunk.samples)
        return ChunkEntry(name, chunk.start_seconds, chunk.seconds, *loudness)

    def reduce(self, source: Source, found: list[Any]) -> RecordingEntry:
        """The recording's entry, with its chunks. Raises UnusableInput if it is not what it was at the start."""
        entry, *chunks = found
        if size_and_time(source.path) != (entry.size_bytes, entry.mtime_ns):
            raise UnusableInput(source.path, "changed while it was read; run the same command again")
        return RecordingEntry(entry.size_bytes, entry.mtime_ns, entry.sha256, tuple(chunks))


def _describe(path: Path) -> RecordingEntry:
    try:
        require_file(path)
        return RecordingEntry(*size_and_time(path), sha256_of_file(path), ())
    except OSError as error:
        raise UnusableInput.unreadable(path, error) from error


def size_and_time(path: Path) -> tuple[int, int]:
    """A file's size in bytes and its time of change in nanoseconds. Raises UnusableInput."""
    try:
        status = path.stat()
    except OSError as error:
        raise UnusableInput.unreadable(path, error) from error
    return status.st_size, status.st_mtime_ns
