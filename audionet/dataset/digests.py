"""SHA-256s of many files, remembered, so that unchanged files are not read again."""

import hashlib
import os
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from audionet.system.files import open_file, read_json, write_json
from audionet.system.untrusted import LARGEST_WHOLE, Refused, sequence, sha256, whole

# A file that was changed less than this before it was read could be changed again in the same tick of the clock.
SETTLED_NS = 2_000_000_000
DIGEST_BYTES = 32


class _Entry(NamedTuple):
    """A file as it was when it was read. sha256: in hexadecimal."""

    size_bytes: int
    mtime_ns: int
    sha256: str


class Digests:
    """The SHA-256s of files, by path, size and time of change; kept in a JSON file.

    A list that is missing or damaged is begun anew: nothing is lost but time. For several threads at once.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._changed = False
        self._here = Path.cwd().as_posix()
        self._entries: dict[str, _Entry] = {}
        with suppress(OSError, Refused):
            content = read_json(path)
            if isinstance(content, dict):
                self._entries = dict(_entries(content))

    def _name(self, file: Path) -> str:
        """The name of a file in the list. Path.absolute would take seconds for 100,000 files."""
        return str(file) if file.is_absolute() else f"{self._here}/{file}"

    def remembered(self, file: Path) -> bytes | None:
        """The SHA-256 of a file that has not changed since it was read; else None. Raises OSError."""
        status, entry = file.stat(), self._entries.get(self._name(file))
        if entry is None or (entry.size_bytes, entry.mtime_ns) != (status.st_size, status.st_mtime_ns):
            return None
        return bytes.fromhex(entry.sha256)

    def read(self, file: Path) -> tuple[bytes, bytes]:
        """The content of a file and its SHA-256, which is remembered. Raises OSError."""
        status = file.stat()
        now_ns = time.time_ns()
        with open_file(file) as opened:
            content = opened.read()
        digest = hashlib.sha256(content).digest()
        if len(content) == status.st_size and now_ns - status.st_mtime_ns > SETTLED_NS:
            self._entries[self._name(file)] = _Entry(status.st_size, status.st_mtime_ns, digest.hex())
            self._changed = True
        return content, digest

    def save(self) -> None:
        """Write what is new to the JSON file. Raises AudionetError when the disk refuses."""
        if self._changed:
            write_json(self.path, dict(sorted(self._entries.items())))
            self._changed = False


def _entries(content: dict[str, Any]) -> Iterator[tuple[str, _Entry]]:
    """The entries of a list that can be used and written again; somebody may have edited it."""
    for name, entry in content.items():
        with suppress(ValueError):  # as Refused is
            os.fsencode(name)
            size_bytes, mtime_ns, digest = sequence(entry)
            yield name, _Entry(whole(size_bytes), whole(mtime_ns, -LARGEST_WHOLE), sha256(digest))
