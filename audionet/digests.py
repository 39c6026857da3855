"""SHA-256s of many files, remembered, so that unchanged files are not read again."""

import hashlib
import time
from pathlib import Path

from audionet.files import read_json, write_json

# A file that was changed so shortly before it was read could be changed again in the same tick of the clock.
SETTLED_NS = 2_000_000_000

Entry = tuple[int, int, str]  # size in bytes, time of change in ns, SHA-256 in hexadecimal


class Digests:
    """The SHA-256s of files, by path, size and time of change; kept in a JSON file.

    One that is missing or damaged is begun anew: nothing is lost but time. For several threads at once.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._changed = False
        self._here = Path.cwd().as_posix()
        self._entries: dict[str, Entry] = {}
        try:
            self._entries = {
                name: (int(size), int(ns), bytes.fromhex(sha).hex())
                for name, (size, ns, sha) in read_json(path).items()
            }
        except (OSError, ValueError, TypeError, AttributeError):
            self._entries = {}

    def _name(self, file: Path) -> str:
        """What a file is called in the list. Not by Path.absolute, which takes seconds for 100,000."""
        return str(file) if file.is_absolute() else f"{self._here}/{file}"

    def remembered(self, file: Path) -> bytes | None:
        """The SHA-256 of a file that has not changed since it was read; else None. Raises OSError."""
        status = file.stat()
        entry = self._entries.get(self._name(file))
        if entry is None or entry[:2] != (status.st_size, status.st_mtime_ns):
            return None
        return bytes.fromhex(entry[2])

    def read(self, file: Path) -> tuple[bytes, bytes]:
        """The content of a file and its SHA-256, which is remembered. Raises OSError."""
        status = file.stat()
        now_ns = time.time_ns()
        content = file.read_bytes()
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
