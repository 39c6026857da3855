"""SHA-256s of many files, remembered, so that unchanged files are not read again."""

import hashlib
import os
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from audionet.system.files import open_file, read_json, write_json
from audionet.system.untrusted import LARGEST_WHOLE, Refused, sequence, sha256, whole

# A file that was changed less than this before it was read could be changed again in the same tick of the clock.
SETTLED_NS = 2_000_000_000
DIGEST_BYTES = 32
NO_ENTRY = (-1, 0, "")  # which no file agrees with


class Digests:
    """The SHA-256s of files, by path, size and time of change; kept in a JSON file.

    A list that is missing or damaged is begun anew: nothing is lost but time. For several threads at once.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._changed = False
        self._here = Path.cwd().as_posix()
        # By path: size in bytes, time of change in ns, SHA-256 in hexadecimal.
        self._entries: dict[str, tuple[int, int, str]] = {}
        with suppress(OSError, Refused):
            content = read_json(path)
            if isinstance(content, dict):
                self._entries = dict(_entries(content))

    def _name(self, file: Path) -> str:
        """The name of a file in the list. Path.absolute would take seconds for 100,000 files."""
        return str(file) if file.is_absolute() else f"{self._here}/{file}"

    def remembered(self, file: Path) -> bytes | None:
        """The SHA-256 of a file that has not changed since it was read; else None. Raises OSError."""
        status = file.stat()
        size_bytes, mtime_ns, digest = self._entries.get(self._name(file), NO_ENTRY)
        return bytes.fromhex(digest) if (size_bytes, mtime_ns) == (status.st_size, status.st_mtime_ns) else None

    def read(self, file: Path) -> tuple[bytes, bytes]:
        """The content of a file and its SHA-256, which is remembered. Raises OSError."""
        status = file.stat()
        now_ns = time.time_ns()
        with open_file(file) as opened:
            content = opened.read()
        digest = hashlib.sha256(content).digest()
        if len(content) == status.st_size and now_ns - status.st_mtime_ns > SETTLED_NS:
            self._entries[self._name(file)] = (status.st_size, status.st_mtime_ns, digest.hex())
            self._changed = True
        return content, digest

    def save(self) -> None:
        """Write what is new to the JSON file. Raises AudionetError when the disk refuses."""
        if self._changed:
            write_json(self.path, dict(sorted(self._entries.items())))
            self._changed = False


def _entries(content: dict[str, Any]) -> Iterator[tuple[str, tuple[int, int, str]]]:
    """The entries of a list that can be used and written again; somebody may have edited it."""
    for name, entry in content.items():
        with suppress(ValueError):  # as Refused is
            os.fsencode(name)
            size_bytes, mtime_ns, digest = sequence(entry)
            yield name, (whole(size_bytes), whole(mtime_ns, -LARGEST_WHOLE), sha256(digest))
