"""Bottlenecks kept in a file, found by what their pictures look like.

The cache is one file for each backbone and settings. It starts with HEADER; then records of equal length follow, one
for each picture or augmentation of one: a SHA-256 (of the JPG's bytes, or of those and the augmentation), a CRC-32 of
the rest, and the bottleneck as float16. Records are only ever appended. A half-written last record, or one whose CRC is
wrong, counts as not there.
"""

import hashlib
import logging
import stat
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from audionet.bottleneck.backbone import Backbone
from audionet.dataset.digests import DIGEST_BYTES
from audionet.errors import AudionetError, explaining, writing
from audionet.rules import EMBEDDED
from audionet.system.locks import open_in_place, wait_for_lock

logger = logging.getLogger(__name__)

HEADER = b"audionet bottlenecks 1\n".ljust(64, b"\0")


class Cache:
    """A cache file. `size` is the number of features in a bottleneck."""

    def __init__(self, path: Path, size: int) -> None:
        self.path, self.size = path, size
        self._record = np.dtype([("digest", f"V{DIGEST_BYTES}"), ("crc32", "<u4"), ("features", "<f2", (size,))])
        self._rows: dict[bytes, int] = {}
        with writing(path):
            self._open()

    def _open(self) -> None:
        """List the file's records. Delete it if it is no bottleneck cache of this version. Raises OSError."""
        try:
            status = self.path.stat()
            size = status.st_size
            if not stat.S_ISREG(status.st_mode):  # a pipe would be waited for
                raise AudionetError(f"{self.path}: is no file, as a cache of bottlenecks should be; delete it")
            with open(self.path, "rb") as file:
                intact = file.read(len(HEADER)) == HEADER
        except FileNotFoundError:
            return
        if not size:
            return  # the disk was full when the file was begun
        count = (size - len(HEADER)) // self._record.itemsize
        if not intact:
            logger.warning("%s: not a bottleneck cache of this version; its bottlenecks are made anew", self.path)
            self.path.unlink(missing_ok=True)
            return
        if (size - len(HEADER)) % self._record.itemsize:
            logger.warning("%s: ends within a bottleneck, which is made anew", self.path)
        self._rows = {digest: row for row, digest in enumerate(self._digests(count))}

    def _digests(self, count: int) -> Iterator[bytes]:
        """The digests of the first `count` records. A mapped file would count as memory in use once it was read."""
        with open(self.path, "rb", buffering=0) as file:
            for row in range(count):
                file.seek(len(HEADER) + row * self._record.itemsize)
                yield file.read(DIGEST_BYTES)

    def find(self, digest: bytes) -> np.ndarray | None:
        """The cached bottleneck of the picture with this SHA-256: float16, size numbers."""
        row = self._rows.get(digest)
        if row is None:
            return None
        with explaining(f"{self.path}: cannot be read; delete it", OSError, IndexError), open(self.path, "rb") as file:
            file.seek(len(HEADER) + row * self._record.itemsize)
            record = np.fromfile(file, self._record, 1)[0]
        if record["crc32"] != _checksum(digest, record["features"]):
            logger.warning("%s: a damaged bottleneck is made anew", self.path)
            return None
        return np.asarray(record["features"])

    def append(self, bottlenecks: Sequence[tuple[bytes, np.ndarray]]) -> None:
        """Add bottlenecks (digest, float16 features) at the end, over a half-written record if there is one.

        Other processes may do so too.
        """
        records = np.empty(len(bottlenecks), self._record)
        for record, (digest, features) in zip(records, bottlenecks, strict=True):
            record["digest"], record["crc32"], record["features"] = digest, _checksum(digest, features), features
        with writing(self.path):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with open_in_place(self.path) as file:
                wait_for_lock(file)
                size = file.seek(0, 2)
                if size < len(HEADER):
                    file.seek(0)
                    file.write(HEADER)
                else:
                    file.seek(-((size - len(HEADER)) % self._record.itemsize), 2)
                first = (file.tell() - len(HEADER)) // self._record.itemsize
                file.write(records.tobytes())
        self._rows.update((digest, row) for row, (digest, _) in enumerate(bottlenecks, first))


def _checksum(digest: bytes, features: np.ndarray) -> int:
    return zlib.crc32(features.tobytes(), zlib.crc32(digest))


def cache_path(folder: Path, backbone: Backbone, fingerprint: str) -> Path:
    """The cache file for a backbone's weights and the fingerprint of the pictures' settings, or of the sound's."""
    key = hashlib.sha256(f"{backbone.fingerprint} {fingerprint}".encode()).hexdigest()[:16]
    beginning = EMBEDDED if backbone.sound is None else "network"
    return folder / f"{beginning}_{backbone.name}_{key}.bottlenecks"
