"""Archives of modules (.tar.gz, from anywhere) -> files in one folder, within limits."""

import gzip
import struct
import tarfile
import tempfile
import zlib
from pathlib import Path, PurePosixPath
from typing import IO, Any, BinaryIO

MOST_FILES = 10_000
LARGEST_BYTES = 4 << 30  # of the archive, and of all that is in it
LARGEST_READ_BYTES = 16 << 20  # at once: tarfile reads names as long as their header claims
GZIP = b"\x1f\x8b"
# What Python raises for an archive that is damaged, or whose headers follow one another without end.
DAMAGED = (tarfile.TarError, EOFError, gzip.BadGzipFile, zlib.error, struct.error, OverflowError, RecursionError)


def extract(archive: BinaryIO, folder: Path) -> None:
    """Write the files of a tar, compressed by gzip or not, into `folder`.

    Raises ValueError for no tar, and for one that would write outside of the folder, holds links or devices, or more
    than MOST_FILES or LARGEST_BYTES; OSError when the disk refuses.
    """
    with tempfile.TemporaryFile() as file:
        _copy(archive, file, _Budget(LARGEST_BYTES))
        file.seek(0)
        compressed = file.read(len(GZIP)) == GZIP
        file.seek(0)
        try:
            bounded: Any = _Bounded(gzip.GzipFile(fileobj=file) if compressed else file)
            with tarfile.open(fileobj=bounded, mode="r:") as tar:
                _extract_all(tar, folder)
        except DAMAGED as error:
            raise ValueError("no archive, or a damaged one") from error


def _extract_all(tar: tarfile.TarFile, folder: Path) -> None:
    """Write the files of a tar into a folder. Raises ValueError as `extract`."""
    budget = _Budget(LARGEST_BYTES)
    for number, member in enumerate(tar):
        inside = PurePosixPath(member.name)
        if number >= MOST_FILES:
            raise ValueError(f"refused, it holds more than {MOST_FILES} files")
        if inside.is_absolute() or ".." in inside.parts or "\\" in member.name or ":" in member.name:
            raise ValueError(f"refused, it holds {member.name!r}, which would lie outside of its folder")
        path = folder / inside
        if member.isdir():
            path.mkdir(parents=True, exist_ok=True)
        elif member.issparse():
            raise ValueError(f"refused, it holds {member.name!r}, a file of which most is left out")
        elif member.isreg():
            budget.spend(member.size)  # before a byte is written
            path.parent.mkdir(parents=True, exist_ok=True)
            source = tar.extractfile(member)
            assert source is not None
            with source, open(path, "wb") as target:
                _copy(source, target, _Budget(member.size))
        else:
            raise ValueError(f"refused, it holds {member.name!r}, which is neither a file nor a folder")


class _Budget:
    """Counts the bytes that may still be written."""

    def __init__(self, left: int) -> None:
        self.left = left

    def spend(self, count: int) -> None:
        self.left -= count
        if self.left < 0:
            raise ValueError(f"refused, it holds more than {LARGEST_BYTES >> 30} GB")


def _copy(source: IO[bytes] | Any, target: IO[bytes], budget: _Budget) -> None:
    while block := source.read(1 << 20):
        budget.spend(len(block))
        target.write(block)


class _Bounded:
    """A file that gives only so many bytes at once."""

    def __init__(self, file: Any) -> None:
        self._file = file
        self.seek, self.tell = file.seek, file.tell

    def read(self, size: int) -> bytes:
        if size > LARGEST_READ_BYTES:
            raise ValueError("refused, it holds a name or a header of many megabytes")
        return bytes(self._file.read(size))
