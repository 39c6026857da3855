"""Bottlenecks of many pictures and their variations, cached by what the pictures look like.

The cache is one file a trunk and settings. It starts with HEADER; then records of equal length follow, one a
picture or variation of one: a SHA-256 (of the JPG's bytes, or of those and the variation), a CRC-32 of the rest, and
the bottleneck as float16. Records are only ever appended. A half-written last record, or one whose CRC is wrong,
counts as not there.
"""

import hashlib
import logging
import threading
import zlib
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from audionet import pictures
from audionet.errors import AudionetError, UnusableInput
from audionet.progress import Progress, silent
from audionet.settings import available_cores
from audionet.spectrogram import Painter
from audionet.trunk import Interpreter, Trunk
from audionet.variations import ORIGINAL, Variation, vary

logger = logging.getLogger(__name__)

HEADER = b"audionet bottlenecks 1\n".ljust(64, b"\0")
BATCH = 64  # pictures worked on between two writes to the cache


@dataclass(frozen=True)
class Bottlenecks:
    """The bottlenecks of the pictures that could be read.

    features: float16, pictures x variations x features of one bottleneck.
    kept: for each row, the position of its picture in the list that was asked for.
    digests: for each row, the SHA-256 of its JPG.
    skipped: the pictures that could not be used.
    computed: how many pictures were not, or not with all their variations, in the cache.
    """

    features: np.ndarray
    kept: list[int]
    digests: list[bytes]
    skipped: list[UnusableInput]
    computed: int


class Cache:
    """A cache file. `size` is the number of features in a bottleneck."""

    def __init__(self, path: Path, size: int) -> None:
        self.path = path
        self._record = np.dtype([("digest", "V32"), ("crc32", "<u4"), ("features", "<f2", (size,))])
        self._rows: dict[bytes, int] = {}
        self._records = np.empty(0, self._record)
        self._open()

    def _open(self) -> None:
        """Map the file into memory and list its records; begin it anew if it is not such a file."""
        try:
            size = self.path.stat().st_size
            with open(self.path, "rb") as file:
                intact = file.read(len(HEADER)) == HEADER
        except FileNotFoundError:
            return
        except OSError as error:
            raise AudionetError(f"{self.path}: cannot be read ({error.strerror}); delete it") from error
        count = (size - len(HEADER)) // self._record.itemsize
        if not intact:
            logger.warning("%s: not a bottleneck cache of this version; its bottlenecks are made anew", self.path)
            self.path.unlink()
        elif count > 0:
            self._records = np.memmap(self.path, self._record, "r", len(HEADER), (count,))
            self._rows = {digest.tobytes(): row for row, digest in enumerate(self._records["digest"])}

    def find(self, digest: bytes) -> np.ndarray | None:
        """The cached bottleneck of the picture with this SHA-256: float16, size numbers."""
        row = self._rows.get(digest)
        if row is None:
            return None
        record = self._records[row]
        if record["crc32"] != _checksum(digest, record["features"]):
            logger.warning("%s: a damaged bottleneck is made anew", self.path)
            return None
        return np.asarray(record["features"])

    def append(self, found: Sequence[tuple[bytes, np.ndarray]]) -> None:
        """Add bottlenecks (digest, float16 features) at the end, over a half-written record if there is one."""
        records = np.empty(len(found), self._record)
        for record, (digest, features) in zip(records, found, strict=True):
            record["digest"], record["crc32"], record["features"] = digest, _checksum(digest, features), features
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self.path.touch()
            with open(self.path, "r+b") as file:
                size = file.seek(0, 2)
                if size < len(HEADER):
                    file.seek(0)
                    file.write(HEADER)
                else:
                    file.seek(-((size - len(HEADER)) % self._record.itemsize), 2)
                file.write(records.tobytes())
        except OSError as error:
            raise AudionetError(f"{self.path}: cannot be written ({error.strerror}); free space") from error


def _checksum(digest: bytes, features: np.ndarray) -> int:
    return zlib.crc32(features.tobytes(), zlib.crc32(digest))


def cache_path(folder: Path, trunk: Trunk, fingerprint: str) -> Path:
    """The cache file for a trunk's weights and the fingerprint of the pictures' settings."""
    key = hashlib.sha256(f"{trunk.sha256} {fingerprint}".encode()).hexdigest()[:16]
    return folder / f"inception_v3_{trunk.name}_{key}.bottlenecks"


def compute_bottlenecks(
    paths: Sequence[Path],
    trunk: Trunk,
    painter: Painter,
    folder: Path,
    progress: Progress = silent,
    variations: Sequence[Variation] = (ORIGINAL,),
) -> Bottlenecks:
    """The bottlenecks of JPGs, from the cache in `folder` where they are there, else by running the trunk.

    A picture that cannot be read, or whose comment names other settings than the painter's, is skipped.
    """
    size = int(np.prod(Interpreter(trunk.flatbuffer).output_shapes[0]))
    cache = Cache(cache_path(folder, trunk, painter.fingerprint), size)
    own = threading.local()  # one interpreter a thread, made when first needed

    def work(path: Path) -> _Work | UnusableInput:
        try:
            data = path.read_bytes()
            digest = hashlib.sha256(data).digest()
            keys = [_cache_key(digest, variation) for variation in variations]
            found = [cache.find(key) for key in keys]
            if any(features is None for features in found):
                picture, origin = pictures.decode(data, path)
                if origin.fingerprint != painter.fingerprint:
                    raise UnusableInput(path, "was made with other settings than its folder's audionet.json says")
        except UnusableInput as error:
            return error
        except OSError as error:
            return UnusableInput(path, f"cannot be read ({error.strerror})")
        rows, fresh = [], []
        for variation, key, cached in zip(variations, keys, found, strict=True):
            features = cached
            if features is None:
                varied = picture
                if variation != ORIGINAL:
                    varied = vary(picture, painter.columns(origin.seconds), painter, variation)
                if not hasattr(own, "interpreter"):
                    own.interpreter = Interpreter(trunk.flatbuffer)
                features = own.interpreter.run(varied)[0].ravel().astype(np.float16)
                fresh.append((key, features))
            rows.append(features)
        return _Work(digest, rows, fresh)

    rows, kept, digests, skipped, computed = [], [], [], [], 0
    progress("bottlenecks", 0, len(paths))
    with ThreadPoolExecutor(available_cores()) as executor:
        for start, batch in _batches(paths):
            fresh = []
            for position, result in enumerate(executor.map(work, batch), start):
                if isinstance(result, UnusableInput):
                    logger.warning("%s (skipped)", result)
                    skipped.append(result)
                    continue
                rows.append(np.stack(result.rows))
                kept.append(position)
                digests.append(result.digest)
                fresh += result.fresh
                computed += bool(result.fresh)
            if fresh:
                cache.append(fresh)
            progress("bottlenecks", min(start + len(batch), len(paths)), len(paths))
    features = np.stack(rows) if rows else np.empty((0, len(variations), size), np.float16)
    return Bottlenecks(features, kept, digests, skipped, computed)


@dataclass(frozen=True)
class _Work:
    """One picture's: its SHA-256, a bottleneck a variation, and which of them are to be cached, by their keys."""

    digest: bytes
    rows: list[np.ndarray]
    fresh: list[tuple[bytes, np.ndarray]]


def _cache_key(digest: bytes, variation: Variation) -> bytes:
    if variation == ORIGINAL:
        return digest
    return hashlib.sha256(digest + repr(variation).encode()).digest()


def _batches(paths: Sequence[Path]) -> Iterator[tuple[int, Sequence[Path]]]:
    for start in range(0, len(paths), BATCH):
        yield start, paths[start : start + BATCH]
