"""Archives of modules (.tar.gz, from anywhere) -> files in one folder, within limits."""

import gzip
import shutil
import struct
import tarfile
import zlib
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO

MOST_FILES = 10_000
LARGEST_BYTES = 4 << 30  # of what is downloaded, and of all files in an archive
LARGEST_READ_BYTES = 16 << 20  # at once: tarfile reads names as long as their header claims
GZIP = b"\x1f\x8b"
# What Python raises for an archive that is damaged, or whose headers follow one another without end.
DAMAGED = (tarfile.TarError, EOFError, gzip.BadGzipFile, zlib.error, struct.error, OverflowError, RecursionError)


def extract(archive: BinaryIO, folder: Path) -> None:
    """Write the files of a tar, compressed by gzip or not, into `folder`. The archive is read from its beginning.

    Raises ValueError for no tar, and for one that would write outside of the folder, holds links or devices, or more
    than MOST_FILES or LARGEST_BYTES; OSError when the disk refuses.
    """
    compressed = archive.read(len(GZIP)) == GZIP
    archive.seek(0)
    try:
        bounded: Any = _Bounded(gzip.GzipFile(fileobj=archive) if compressed else archive)
        with tarfile.open(fileobj=bounded, mode="r:") as tar:
            _extract_all(tar, folder)
    except DAMAGED as error:
        raise ValueError("no archive, or a damaged one") from error


def _extract_all(tar: tarfile.TarFile, folder: Path) -> None:
    """Write the files of a tar into a folder. Raises ValueError as `extract`."""
    bytes_left = LARGEST_BYTES
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
            bytes_left -= member.size
            if bytes_left < 0:  # before a byte of it is written
                raise ValueError(f"refused, it holds more than {LARGEST_BYTES >> 30} GB")
            path.parent.mkdir(parents=True, exist_ok=True)
            source = tar.extractfile(member)
            assert source is not None
            with source, open(path, "wb") as target:
                shutil.copyfileobj(source, target)
        else:
            raise ValueError(f"refused, it holds {member.name!r}, which is neither a file nor a folder")


class _Bounded:
    """A file that gives only so many bytes at once."""

    def __init__(self, file: Any) -> None:
        self._file = file
        self.seek, self.tell = file.seek, file.tell

    def read(self, size: int) -> bytes:
        if size > LARGEST_READ_BYTES:
            raise ValueError("refused, it holds a name or a header of many megabytes")
        return bytes(self._file.read(size))
